/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Blocks: what of one is there to be loaded
 */
#ifndef RAMLOAD_BLOCK_H
#define RAMLOAD_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <ramload.h>

#include "bitmap.h"
#include "bits.h"

/* Whether a sum of its offset, or address, and length does not fit. */
static inline bool block_wraps(const struct ramload_block *block)
{
	uint64_t end;

	if (__builtin_add_overflow(block->file_offset, block->length, &end) ||
	    end > INT64_MAX)
		return true;
	return block->length > UINTPTR_MAX - (uintptr_t)block->dest;
}

/*
 * Find the first bytes to load in [*@at, @end) of a block: *@at is moved to the
 * first of them, or to @end, and the end of their run is returned.
 */
static inline uint64_t block_next_run(const struct ramload_block *block,
				      uint64_t *at, uint64_t end)
{
	uint64_t size = block->page_size, first, nr;

	if (!block->bitmap)
		return end;
	nr = (end + size - 1) / size;
	first = bitmap_next(block->bitmap, *at / size, nr);
	*at = min_u64(end, max_u64(*at, first * size));
	return min_u64(end, size * bitmap_next_absent(block->bitmap, first, nr));
}

#endif /* RAMLOAD_BLOCK_H */
