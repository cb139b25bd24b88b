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

/* Where the slice that starts at @offset ends. */
static uint64_t slice_end(const struct ramload_block *block, uint64_t offset,
			  const struct ramload_partition_rules *rules)
{
	uint64_t unit = block->bitmap ? 8 * (uint64_t)block->page_size : 1;
	uint64_t length;

	if (block->length <= max_u64(rules->slice, rules->small))
		return block->length;
	/*
	 * Lengths are below 2^63, so rules.slice is too if we come here, and
	 * nothing wraps.
	 */
	length = round_up(rules->slice, max_u64(rules->align, unit));
	length -= round_down(misaligned(block, offset, rules), unit);
	return min_u64(block->length, offset + length);
}

static uint64_t slice_head(const struct ramload_block *block,
			   const struct partition_slice *slice,
			   const struct ramload_partition_rules *rules)
{
	if (block->length <= rules->small)
		return slice->length;
	return min_u64(slice->length,
		       rules->chunk - misaligned(block, slice->offset, rules));
}

/*
 * Cut a block into slices from number @nr on. Without an array they are only
 * counted. Returns the number of slices there are then, or of more than @limit.
 */
static uint64_t cut_block(struct partition *partition, uint64_t nr,
			  uint64_t limit, const struct ramload_block *blocks,
			  size_t i, const struct ramload_partition_rules *rules)
{
	uint64_t end;

	for (uint64_t at = 0; at < blocks[i].length && nr <= limit; at = end) {
		end = slice_end(&blocks[i], at, rules);
		if (partition->slices)
			partition->slices[nr] = (struct partition_slice){
				.block = i,
				.offset = at,
				.length = end - at,
			};
		nr++;
	}
	return nr;
}

static uint64_t cut_blocks(struct partition *partition,
			   const struct ramload_block *blocks, size_t nr_blocks,
			   const struct ramload_partition_rules *rules)
{
	uint64_t limit = nr_blocks + PARTITION_MAX_CUTS;
	uint64_t nr = 0;

	for (size_t i = 0; i < nr_blocks && nr <= limit; i++)
		nr = cut_block(partition, nr, limit, blocks, i, rules);
	return nr;
}

static void number_chunks(struct partition *partition,
			  const struct ramload_block *blocks,
			  const struct ramload_partition_rules *rules)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < partition->nr_slices; i++) {
		struct partition_slice *slice = &partition->slices[i];
		uint64_t rest;

		slice->head = slice_head(&blocks[slice->block], slice, rules);
		slice->first_chunk = nr;
		rest = slice->length - slice->head;
		nr += 1 + rest / rules->chunk + !!(rest % rules->chunk);
	}
	partition->nr_chunks = nr;
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
	struct ramload_partition_rules full;
	uint64_t nr;
	int err;

	*partition = (struct partition){ 0 };
	err = complete_rules(&full, rules);
	if (err)
		return err;
	nr = cut_blocks(partition, blocks, nr_blocks, &full);
	if (nr > nr_blocks + PARTITION_MAX_CUTS)
		return -E2BIG;
	/* One more, so that an empty partition has an array too. */
	partition->slices = calloc(nr + 1, sizeof(*partition->slices));
	if (!partition->slices)
		return -ENOMEM;
	cut_blocks(partition, blocks, nr_blocks, &full);
	partition->nr_slices = nr;
	partition->chunk = full.chunk;
	number_chunks(partition, blocks, &full);
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
