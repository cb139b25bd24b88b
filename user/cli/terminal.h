/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Terminals: whether one can be drawn upon, and how large it is
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

/* Where nobody knows better. */
#define TERMINAL_COLUMNS	80
#define TERMINAL_ROWS		24

/** terminal_is_on() - is it a terminal that can move its cursor? */
bool terminal_is_on(int fd);

/** terminal_wants_colour() - NO_COLOR in the environment forbids it */
bool terminal_wants_colour(void);

/** terminal_size() - how many columns and rows it has */
void terminal_size(int fd, int *columns, int *rows);

#endif /* CLI_TERMINAL_H */
