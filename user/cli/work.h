/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Work: something that takes long, that people watch and may interrupt
 */
#ifndef CLI_WORK_H
#define CLI_WORK_H

#include "interrupt.h"
#include "progress.h"

/**
 * struct work - what is being done
 * @interrupt: what ends it early
 * @progress: where it is shown
 * @what: a word for it
 * @done: bytes done
 * @total: bytes to do
 */
struct work {
	struct interrupt interrupt;
	struct progress progress;
	const char *what;
	uint64_t done;
	uint64_t total;
};

#define WORK_INIT { .interrupt = { .fd = -1 } }

/** WORK_PIECE - bytes to do at a time between calls of work_step() */
#define WORK_PIECE (8ULL << 20)

/** work_open() - once, before any work; 0 or a negative errno */
int work_open(struct work *work);

/** work_begin() - begin some work */
void work_begin(struct work *work, const char *what, uint64_t total);

/** work_step() - some more bytes are done; 0, or -EINTR: stop */
int work_step(struct work *work, uint64_t bytes);

/** work_end() - end it; nothing of it stays on the screen */
void work_end(struct work *work);

void work_close(struct work *work);

#endif /* CLI_WORK_H */
