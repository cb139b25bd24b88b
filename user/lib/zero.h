/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_ZERO_H
#define RAMLOAD_ZERO_H

#include <stdbool.h>
#include <string.h>

/*
 * All of @length bytes, at least 1, are zero if the first is, and each equals
 * the one before it: memcmp() finds that as fast as the machine can.
 */
static inline bool memory_is_zero(const void *memory, size_t length)
{
	const char *bytes = memory;

	return !bytes[0] && !memcmp(bytes, bytes + 1, length - 1);
}

#endif /* RAMLOAD_ZERO_H */
