/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_PARTITION_H
#define RAMLOAD_PARTITION_H

#include <ramload.h>

/* Blocks are cut into at most so many more slices than there are blocks. */
#define PARTITION_MAX_CUTS	(UINT64_C(1) << 20)

/**
 * struct partition_slice - a piece of a block
 * @block: index of the block
 * @offset: where in the block it starts; with a bitmap, at the start of a byte
 *	of the bitmap
 * @length: bytes, never 0
 * @head: length of its first chunk
 * @first_chunk: index of its first chunk
 */
struct partition_slice {
	size_t block;
	uint64_t offset;
	uint64_t length;
	uint64_t head;
	uint64_t first_chunk;
};

/**
 * struct partition - blocks, cut by struct ramload_partition_rules
 * @slices: in the order of the blocks; together all bytes of all blocks
 * @nr_slices: number of elements
 * @nr_chunks: chunks of all slices
 * @chunk: length of every chunk but the first and the last of a slice
 */
struct partition {
	struct partition_slice *slices;
	size_t nr_slices;
	uint64_t nr_chunks;
	uint64_t chunk;
};

/* What a worker takes at a time. Chunks are numbered in loading order. */
struct partition_chunk {
	size_t block;
	uint64_t offset;
	uint64_t length;
};

int partition_init(struct partition *partition,
		   const struct ramload_block *blocks, size_t nr_blocks,
		   const struct ramload_partition_rules *rules);
void partition_destroy(struct partition *partition);
struct partition_chunk partition_chunk(const struct partition *partition,
				       uint64_t i);

#endif /* RAMLOAD_PARTITION_H */
