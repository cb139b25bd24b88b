/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Sizes: numbers of bytes, as people write and read them
 */
#ifndef CLI_SIZE_H
#define CLI_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * size_parse() - read a number of bytes
 *
 * Decimal, or hexadecimal with 0x; then nothing or a unit of 1024, K to E, also as
 * "KiB". Returns false if it is anything else or does not fit.
 */
bool size_parse(const char *text, uint64_t *size);

/** struct size_text - a size for a report, such as "547.2 MiB" */
struct size_text {
	char text[16];
};

struct size_text size_text(uint64_t size);

#endif /* CLI_SIZE_H */
