/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_BITS_H
#define RAMLOAD_BITS_H

#include <stdbool.h>
#include <stdint.h>

static inline bool is_power_of_2(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* @to must be a power of two. */
static inline uint64_t round_down(uint64_t n, uint64_t to)
{
	return n & ~(to - 1);
}

/* @to must be a power of two. */
static inline uint64_t round_up(uint64_t n, uint64_t to)
{
	return round_down(n + to - 1, to);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif /* RAMLOAD_BITS_H */
