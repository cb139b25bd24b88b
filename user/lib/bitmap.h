/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Bitmaps of present pages: bit (p % 8) of byte (p / 8) is page p. A bitmap of
 * n pages has (n + 7) / 8 bytes, at any address; nothing past them is read.
 */
#ifndef RAMLOAD_BITMAP_H
#define RAMLOAD_BITMAP_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "bits.h"

/* Pages 64 * @i to 64 * @i + 63 of @nr; what is past the end has any value. */
static inline uint64_t bitmap_word(const uint8_t *bitmap, uint64_t nr,
				   uint64_t i)
{
	uint64_t left = (nr + 7) / 8 - i * 8;
	uint64_t word = 0;

	if (left >= sizeof(word))
		memcpy(&word, bitmap + i * 8, sizeof(word));
	else
		memcpy(&word, bitmap + i * 8, left);
	return le64toh(word);
}

/* First page of [@from, @nr) whose bit xor that of @flip is set, else @nr. */
static inline uint64_t bitmap_scan(const uint8_t *bitmap, uint64_t from,
				   uint64_t nr, uint64_t flip)
{
	while (from < nr) {
		uint64_t word = bitmap_word(bitmap, nr, from / 64) ^ flip;

		word >>= from % 64;
		if (word)
			return min_u64(nr, from + __builtin_ctzll(word));
		from = (from / 64 + 1) * 64;
	}
	return nr;
}

/* First present page of [@from, @nr), else @nr. */
static inline uint64_t bitmap_next(const uint8_t *bitmap, uint64_t from,
				   uint64_t nr)
{
	return bitmap_scan(bitmap, from, nr, 0);
}

/* First absent page of [@from, @nr), else @nr. */
static inline uint64_t bitmap_next_absent(const uint8_t *bitmap, uint64_t from,
					  uint64_t nr)
{
	return bitmap_scan(bitmap, from, nr, ~UINT64_C(0));
}

/* How many of the first @nr pages are present. */
static inline uint64_t bitmap_count(const uint8_t *bitmap, uint64_t nr)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < nr / 64; i++)
		count += __builtin_popcountll(bitmap_word(bitmap, nr, i));
	if (nr % 64)
		count += __builtin_popcountll(bitmap_word(bitmap, nr, nr / 64)
					      << (64 - nr % 64));
	return count;
}

/* Pages [@from, @to) become present. */
static inline void bitmap_set(uint8_t *bitmap, uint64_t from, uint64_t to)
{
	while (from < to && (from % 8 || to - from < 8)) {
		bitmap[from / 8] |= 1U << from % 8;
		from++;
	}
	memset(bitmap + from / 8, 0xff, (to - from) / 8);
	for (from += (to - from) / 8 * 8; from < to; from++)
		bitmap[from / 8] |= 1U << from % 8;
}

#endif /* RAMLOAD_BITMAP_H */
