// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: partition
 *
 * A partition cuts blocks into slices and slices into chunks. It is made once
 * for a job and never changes, so any number of workers read it without a
 * lock. It keeps slices only: chunk i is computed.
 *
 * A block of up to rules.small bytes is one chunk. A longer one is cut so that
 * slices, and in them chunks, end where the destination is a multiple of
 * rules.align: the first of each is shorter where the destination is not
 * aligned. A slice of a block with a bitmap has to start at the start of a byte
 * of the bitmap, because the kernel is given a bitmap for each slice; that goes
 * before the alignment of the destination.
 *
 * The caller has checked the blocks: see ramload_load().
 */
#include <errno.h>
#include <stdlib.h>

#include "bits.h"
#include "partition.h"

#define DEFAULT_SMALL	(UINT64_C(1) << 20)
#define DEFAULT_SLICE	(UINT64_C(512) << 20)
#define DEFAULT_CHUNK	(UINT64_C(4) << 20)
#define DEFAULT_ALIGN	(UINT64_C(2) << 20)

static int complete_rules(struct ramload_partition_rules *rules,
			  const struct ramload_partition_rules *from)
{
	*rules = *from;
	if (!rules->small)
		rules->small = DEFAULT_SMALL;
	if (!rules->slice)
		rules->slice = DEFAULT_SLICE;
	if (!rules->chunk)
		rules->chunk = DEFAULT_CHUNK;
	if (!rules->align)
		rules->align = min_u64(DEFAULT_ALIGN, rules->chunk);
	if (!is_power_of_2(rules->chunk) || !is_power_of_2(rules->align) ||
	    rules->align > rules->chunk)
		return -EINVAL;
	return 0;
}

/* By how much the destination is past an aligned address. */
static uint64_t misaligned(const struct ramload_block *block, uint64_t offset,
			   const struct ramload_partition_rules *rules)
{
	return ((uintptr_t)block->dest + offset) & (rules->align - 1);
}

static bool is_one_slice(const struct ramload_block *block,
			 const struct ramload_partition_rules *rules)
{
	return block->length <= max_u64(rules->slice, rules->small);
}

/* Where the slice that starts at @offset ends. */
static uint64_t slice_end(const struct ramload_block *block, uint64_t offset,
			  const struct ramload_partition_rules *rules)
{
	uint64_t unit = block->bitmap ? 8 * (uint64_t)block->page_size : 1;
	uint64_t length;

	if (is_one_slice(block, rules))
		return block->length;
	/*
	 * Lengths are below 2^63, so rules.slice is too if we come here, and
	 * nothing wraps.
	 */
	length = round_up(rules->slice, max_u64(rules->align, unit));
	length -= round_down(misaligned(block, offset, rules), unit);
	return min_u64(block->length, offset + length);
}

/* How many slices there are, or some number over @limit. */
static uint64_t count_slices(const struct ramload_block *blocks,
			     size_t nr_blocks, uint64_t limit,
			     const struct ramload_partition_rules *rules)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < nr_blocks && nr <= limit; i++) {
		const struct ramload_block *block = &blocks[i];

		if (is_one_slice(block, rules)) {
			nr += !!block->length;
			continue;
		}
		for (uint64_t at = 0; at < block->length && nr <= limit; nr++)
			at = slice_end(block, at, rules);
	}
	return nr;
}

/* Of many small blocks it is 0 each time, so nothing is divided then. */
static uint64_t chunks_in(uint64_t bytes, uint64_t chunk)
{
	return bytes ? (bytes - 1) / chunk + 1 : 0;
}

static void add_slice(struct partition *partition, size_t block,
		      uint64_t offset, uint64_t length, uint64_t head)
{
	partition->slices[partition->nr_slices++] = (struct partition_slice){
		.block = block,
		.offset = offset,
		.length = length,
		.head = head,
		.first_chunk = partition->nr_chunks,
	};
	partition->nr_chunks += 1 + chunks_in(length - head, partition->chunk);
}

static void cut_block(struct partition *partition, size_t i,
		      const struct ramload_block *block,
		      const struct ramload_partition_rules *rules)
{
	uint64_t end, head;

	for (uint64_t at = 0; at < block->length; at = end) {
		end = slice_end(block, at, rules);
		head = end - at;
		if (block->length > rules->small)
			head = min_u64(head, rules->chunk -
					     misaligned(block, at, rules));
		add_slice(partition, i, at, end - at, head);
	}
}

/**
 * partition_init() - cut blocks
 * @partition: filled in; to be given to partition_destroy(), but on error
 * @blocks: checked blocks
 * @nr_blocks: number of elements
 * @rules: zero in a member means its default
 *
 * Return: 0, -EINVAL (bad rules), -E2BIG (over PARTITION_MAX_CUTS), -ENOMEM
 */
int partition_init(struct partition *partition,
		   const struct ramload_block *blocks, size_t nr_blocks,
		   const struct ramload_partition_rules *rules)
{
	uint64_t limit = nr_blocks + PARTITION_MAX_CUTS;
	struct ramload_partition_rules full;
	uint64_t nr;
	int err;

	*partition = (struct partition){ 0 };
	err = complete_rules(&full, rules);
	if (err)
		return err;
	nr = count_slices(blocks, nr_blocks, limit, &full);
	if (nr > limit)
		return -E2BIG;
	/* One more, so that an empty partition has an array too. */
	partition->slices = calloc(nr + 1, sizeof(*partition->slices));
	if (!partition->slices)
		return -ENOMEM;
	partition->chunk = full.chunk;
	for (size_t i = 0; i < nr_blocks; i++)
		cut_block(partition, i, &blocks[i], &full);
	return 0;
}

/** partition_destroy() - free what partition_init() allocated */
void partition_destroy(struct partition *partition)
{
	free(partition->slices);
	partition->slices = NULL;
}

static const struct partition_slice *
find_slice(const struct partition *partition, uint64_t chunk)
{
	size_t low = 0, high = partition->nr_slices;

	/* The slice is in [low, high). */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (partition->slices[middle].first_chunk <= chunk)
			low = middle;
		else
			high = middle;
	}
	return &partition->slices[low];
}

/**
 * partition_chunk() - the i-th chunk
 * @partition: the partition
 * @i: less than partition.nr_chunks
 *
 * Return: the chunk
 */
struct partition_chunk partition_chunk(const struct partition *partition,
				       uint64_t i)
{
	const struct partition_slice *slice = find_slice(partition, i);
	uint64_t start = 0, length = slice->head;

	if (i > slice->first_chunk) {
		start = slice->head +
			(i - slice->first_chunk - 1) * partition->chunk;
		length = min_u64(partition->chunk, slice->length - start);
	}
	return (struct partition_chunk){
		.block = slice->block,
		.offset = slice->offset + start,
		.length = length,
	};
}
