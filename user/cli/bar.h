/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Bars: how far something has come
 */
#ifndef CLI_BAR_H
#define CLI_BAR_H

#include <stdbool.h>
#include <stddef.h>

/* The longest bar, and room for it with brackets, colour and its NUL. */
#define BAR_MAX		40
#define BAR_TEXT	64

/**
 * bar_text() - a bar such as "[####    ]"
 * @out: BAR_TEXT bytes
 * @length: between the brackets, BAR_MAX at most
 * @fraction: that is full, from 0 to 1
 * @colour: with escape sequences, which take no room on a terminal
 *
 * Return: @out
 */
const char *bar_text(char *out, size_t length, double fraction, bool colour);

#endif /* CLI_BAR_H */
