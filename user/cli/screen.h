/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Screens: standard output that is drawn again and again, where that is a
 * terminal that can do it
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>

/**
 * struct screen - a screen
 * @on: it is drawn upon; else lines are to be printed
 * @colour: in colour, which NO_COLOR in the environment forbids
 * @columns: how wide it is
 * @rows: how high it is
 * @row: where the next line goes
 * @fd: readable when the size of the terminal has changed; -1 if it is off
 */
struct screen {
	bool on;
	bool colour;
	int columns;
	int rows;
	int row;
	int fd;
};

/** screen_open() - look at the terminal, and take it if it is one */
void screen_open(struct screen *screen);

/** screen_close() - give it back as it was; may be called again */
void screen_close(struct screen *screen);

/** screen_resize() - look how large it is now; true if its size has changed */
bool screen_resize(struct screen *screen);

/** screen_begin() - draw from the top */
void screen_begin(struct screen *screen);

/** screen_line() - draw a line of less than @columns; below @rows, none */
void screen_line(struct screen *screen, const char *text);

/** screen_end() - nothing is below what was drawn */
void screen_end(struct screen *screen);

#endif /* CLI_SCREEN_H */
