// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * The partitioner against a model that walks through every byte, on all small
 * cases, and its defaults and limits.
 */
#include <errno.h>

#include "bits.h"
#include "partition.h"
#include "kselftest_harness.h"

#define MiB	(UINT64_C(1) << 20)

typedef struct ramload_partition_rules rules_t;

static struct ramload_block block_at(uint64_t dest, uint64_t length,
				     uint32_t page_size)
{
	static const uint8_t bitmap[1];

	return (struct ramload_block){
		.dest = (void *)(uintptr_t)dest,
		.length = length,
		.bitmap = page_size ? bitmap : NULL,
		.page_size = page_size,
	};
}

static bool is_aligned(const struct ramload_block *block, uint64_t offset,
		       const rules_t *rules)
{
	return !(((uintptr_t)block->dest + offset) % rules->align);
}

/* The last aligned end of a chunk at @at, or the end of its slice. */
static uint64_t model_chunk_end(const struct ramload_block *block, uint64_t at,
				uint64_t slice_end, const rules_t *rules)
{
	uint64_t end = at + rules->chunk;

	if (block->length <= rules->small)
		return slice_end;
	while (!is_aligned(block, end, rules))
		end--;
	return end < slice_end ? end : slice_end;
}

/* Where a slice may end, however long it is. */
static bool may_cut(const struct ramload_block *block, uint64_t offset,
		    const rules_t *rules)
{
	uint64_t unit = block->bitmap ? 8 * block->page_size : 1;

	if (offset % unit)
		return false;
	return unit >= rules->align || is_aligned(block, offset, rules) ||
	       (uintptr_t)block->dest % unit;
}

static uint64_t model_slice_end(const struct ramload_block *block, uint64_t at,
				const rules_t *rules)
{
	uint64_t unit = block->bitmap ? 8 * block->page_size : 1;
	uint64_t whole = unit > rules->align ? unit : rules->align;
	uint64_t end;

	if (block->length <= rules->slice || block->length <= rules->small)
		return block->length;
	end = at + (rules->slice + whole - 1) / whole * whole;
	while (!may_cut(block, end, rules))
		end--;
	/* Where not both can be had, as near to alignment as bytes allow. */
	while (((uintptr_t)block->dest + end) % rules->align >= unit)
		end -= unit;
	return end < block->length ? end : block->length;
}

static bool check_slice(const struct partition *p, size_t i,
			const struct ramload_block *block, uint64_t at,
			uint64_t *chunk, const rules_t *rules)
{
	const struct partition_slice *slice = &p->slices[i];
	uint64_t end = at + slice->length;

	if (slice->first_chunk != *chunk || slice->offset != at)
		return false;
	while (at < end) {
		struct partition_chunk c = partition_chunk(p, *chunk);

		if (c.block != slice->block || c.offset != at ||
		    c.length != model_chunk_end(block, at, end, rules) - at)
			return false;
		at += c.length;
		++*chunk;
	}
	return at == end;
}

/* Every byte once and in order, cut where the model cuts. */
static bool check(const struct ramload_block *blocks, size_t nr,
		  const rules_t *rules)
{
	struct partition p;
	uint64_t chunk = 0;
	size_t slice = 0;
	bool ok = true;

	if (partition_init(&p, blocks, nr, rules))
		return false;
	for (size_t b = 0; b < nr; b++) {
		uint64_t at = 0, end;

		for (; ok && at < blocks[b].length; at = end, slice++) {
			end = model_slice_end(&blocks[b], at, rules);
			ok = slice < p.nr_slices &&
			     p.slices[slice].block == b &&
			     p.slices[slice].length == end - at &&
			     check_slice(&p, slice, &blocks[b], at, &chunk,
					 rules);
		}
	}
	ok = ok && slice == p.nr_slices && chunk == p.nr_chunks;
	partition_destroy(&p);
	return ok;
}

/* All lengths and destinations of one block, between two others. */
static unsigned int sweep(const rules_t *rules, uint32_t page_size)
{
	uint64_t step = page_size ?: 1;
	unsigned int bad = 0;

	for (uint64_t length = 0; length <= 40; length += step) {
		for (uint64_t dest = 64; dest < 96; dest++) {
			struct ramload_block blocks[] = {
				block_at(3, 5, 0),
				block_at(dest, length, page_size),
				block_at(7, 0, 0),
				block_at(dest + 1, 9, 0),
			};

			bad += !check(blocks, 4, rules);
		}
	}
	return bad;
}

static unsigned int sweep_rules(uint64_t small, uint32_t page_size)
{
	unsigned int bad = 0;

	for (uint64_t slice = 1; slice <= 41; slice += 2)
		for (uint64_t chunk = 1; chunk <= 16; chunk *= 2)
			for (uint64_t align = 1; align <= chunk; align *= 2)
				bad += sweep(&(rules_t){ small, slice, chunk,
							 align },
					     page_size);
	return bad;
}

TEST(model)
{
	EXPECT_EQ(0, sweep_rules(1, 0));
	EXPECT_EQ(0, sweep_rules(6, 0));
	EXPECT_EQ(0, sweep_rules(20, 0));
}

TEST(model_bitmap)
{
	EXPECT_EQ(0, sweep_rules(1, 1));
	EXPECT_EQ(0, sweep_rules(1, 2));
	EXPECT_EQ(0, sweep_rules(6, 1));
	EXPECT_EQ(0, sweep_rules(20, 4));
}

TEST(small_block_is_one_chunk)
{
	struct ramload_block block = block_at(4096 + 5, MiB, 0);
	struct partition p;

	ASSERT_EQ(0, partition_init(&p, &block, 1, &(rules_t){ 0 }));
	EXPECT_EQ(1, p.nr_slices);
	EXPECT_EQ(1, p.nr_chunks);
	EXPECT_EQ(MiB, partition_chunk(&p, 0).length);
	partition_destroy(&p);
}

TEST(middle_block_is_cut_at_aligned_addresses)
{
	struct ramload_block block = block_at(2 * MiB + 4096, 10 * MiB, 0);
	struct partition p;

	ASSERT_EQ(0, partition_init(&p, &block, 1, &(rules_t){ 0 }));
	EXPECT_EQ(1, p.nr_slices);
	EXPECT_EQ(3, p.nr_chunks);
	EXPECT_EQ(4 * MiB - 4096, partition_chunk(&p, 0).length);
	EXPECT_EQ(4 * MiB, partition_chunk(&p, 1).length);
	EXPECT_EQ(2 * MiB + 4096, partition_chunk(&p, 2).length);
	partition_destroy(&p);
}

TEST(large_block_is_sliced)
{
	struct ramload_block block = block_at(MiB, 1025 * MiB, 4096);
	struct partition p;

	ASSERT_EQ(0, partition_init(&p, &block, 1, &(rules_t){ 0 }));
	ASSERT_EQ(3, p.nr_slices);
	EXPECT_EQ(511 * MiB, p.slices[1].offset);
	EXPECT_EQ(512 * MiB, p.slices[1].length);
	EXPECT_EQ(1023 * MiB, p.slices[2].offset);
	EXPECT_EQ(2 * MiB, p.slices[2].length);
	partition_destroy(&p);
}

TEST(just_below_the_slice_size)
{
	struct ramload_block block = block_at(0, 512 * MiB, 0);
	struct partition p;

	ASSERT_EQ(0, partition_init(&p, &block, 1, &(rules_t){ 0 }));
	EXPECT_EQ(1, p.nr_slices);
	EXPECT_EQ(128, p.nr_chunks);
	partition_destroy(&p);
}

TEST(bytes_of_the_bitmap)
{
	uint32_t sizes[] = { 512, 4096, 65536, 1 << 21, 1 << 30 };

	for (size_t i = 0; i < 5; i++) {
		uint64_t unit = 8 * (uint64_t)sizes[i];
		struct ramload_block block = block_at(12345, 5 * unit + 1024 *
						      MiB, sizes[i]);
		struct partition p;

		ASSERT_EQ(0, partition_init(&p, &block, 1, &(rules_t){ 0 }));
		EXPECT_LT(1, p.nr_slices);
		for (size_t s = 0; s < p.nr_slices; s++)
			EXPECT_EQ(0, p.slices[s].offset % unit);
		partition_destroy(&p);
	}
}

TEST(empty_blocks)
{
	struct ramload_block blocks[] = {
		block_at(0, 0, 0), block_at(1, 0, 4096), block_at(2, 0, 0),
	};
	struct partition p;

	ASSERT_EQ(0, partition_init(&p, blocks, 3, &(rules_t){ 0 }));
	EXPECT_EQ(0, p.nr_slices);
	EXPECT_EQ(0, p.nr_chunks);
	partition_destroy(&p);
}

static uint64_t sum_of_chunks(const struct partition *p)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < p->nr_chunks; i++)
		sum += partition_chunk(p, i).length;
	return sum;
}

TEST(near_2_to_the_63)
{
	uint64_t length = INT64_MAX, high = UINT64_C(1) << 62;
	rules_t rules[] = {
		{ .slice = high, .chunk = high },
		{ .slice = high - 1, .chunk = high, .align = high },
		{ .slice = high + 1, .chunk = 1ULL << 63, .align = high },
		{ .slice = UINT64_MAX, .chunk = 1ULL << 63, .align = 1 },
		{ .small = UINT64_MAX, .slice = 1, .chunk = 1 },
		{ .slice = 1ULL << 44, .chunk = 1ULL << 44, .align = 1 },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct ramload_block block = block_at(0x7ffff001, length, 0);
		struct partition p;

		ASSERT_EQ(0, partition_init(&p, &block, 1, &rules[i]));
		EXPECT_EQ(length, sum_of_chunks(&p));
		partition_destroy(&p);
	}
}

TEST(most_slices)
{
	struct ramload_block block = block_at(0, 0, 0);
	rules_t rules = { .small = 1, .slice = 4096, .chunk = 4096 };
	struct partition p;

	block.length = (PARTITION_MAX_CUTS + 1) * 4096;
	ASSERT_EQ(0, partition_init(&p, &block, 1, &rules));
	EXPECT_EQ(PARTITION_MAX_CUTS + 1, p.nr_chunks);
	partition_destroy(&p);
	block.length++;
	EXPECT_EQ(-E2BIG, partition_init(&p, &block, 1, &rules));
	block.length = INT64_MAX;
	EXPECT_EQ(-E2BIG, partition_init(&p, &block, 1, &rules));
}

TEST(bad_rules)
{
	struct ramload_block block = block_at(0, 1, 0);
	rules_t bad[] = {
		{ .chunk = 3 },
		{ .chunk = 3 * MiB },
		{ .align = 3 },
		{ .chunk = MiB, .align = 2 * MiB },
		{ .align = 8 * MiB },
	};
	struct partition p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(-EINVAL, partition_init(&p, &block, 1, &bad[i]));
}

/* Whoever asks for small chunks need not ask for small alignment too. */
TEST(default_alignment_of_small_chunks)
{
	struct ramload_block block = block_at(4096, 4 * MiB, 0);
	struct partition p;

	ASSERT_EQ(0, partition_init(&p, &block, 1, &(rules_t){ .chunk = MiB }));
	EXPECT_EQ(5, p.nr_chunks);
	EXPECT_EQ(MiB - 4096, partition_chunk(&p, 0).length);
	EXPECT_EQ(4096, partition_chunk(&p, 4).length);
	partition_destroy(&p);
}

TEST_HARNESS_MAIN
