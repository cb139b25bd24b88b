/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Progress: one line on a terminal that says how far some work has come
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct progress - the line
 * @on: standard error is a terminal that can do it
 * @colour: in colour, which NO_COLOR in the environment forbids
 * @drawn: there is something to clear
 * @start: when the current work began, in seconds
 * @next: when to draw again
 */
struct progress {
	bool on;
	bool colour;
	bool drawn;
	double start;
	double next;
};

/** progress_init() - look at the terminal, draw nothing */
void progress_init(struct progress *progress);

/** progress_begin() - some work begins */
void progress_begin(struct progress *progress);

/** progress_interval() - how often to call progress_show(), for poll() */
int progress_interval(const struct progress *progress);

/**
 * progress_show() - draw the line, ten times a second at most
 * @what: the work, a word
 * @done: bytes done
 * @total: bytes to do
 */
void progress_show(struct progress *progress, const char *what, uint64_t done,
		   uint64_t total);

/** progress_clear() - take the line away, before anything else is printed */
void progress_clear(struct progress *progress);

/** progress_now() - a clock, in seconds */
double progress_now(void);

#endif /* CLI_PROGRESS_H */
