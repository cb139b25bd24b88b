// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * libFuzzer target: the partitioner and the walks over bitmaps
 *
 * Chunks follow each other without gap or overlap through all blocks, none is
 * empty or longer than it may be, slices of blocks with a bitmap start at a
 * byte of it. What bitmap.h finds is what a walk bit by bit finds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bitmap.h"
#include "fuzz_check.h"
#include "partition.h"

#define NR_BLOCKS	6
#define MAX_WALK	4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *at;
	size_t left;
};

static uint8_t get_byte(struct bytes *b)
{
	if (!b->left)
		return 0;
	b->left--;
	return *b->at++;
}

/* A number of any magnitude: how many bits, a few of them, and how near. */
static uint64_t get_number(struct bytes *b)
{
	uint64_t value = get_byte(b);
	unsigned int shift = get_byte(b) % 64;

	return (value << shift) + (int8_t)get_byte(b);
}

/* What ramload_load() would hand on. */
static bool get_block(struct bytes *b, struct ramload_block *block)
{
	static const uint8_t bitmap[1];
	unsigned int bits = get_byte(b);

	*block = (struct ramload_block){
		.dest = (void *)(uintptr_t)get_number(b),
		.length = get_number(b),
	};
	if (bits & 1) {
		block->bitmap = bitmap;
		block->page_size = 512U << bits / 2 % 22;
		block->length -= block->length % block->page_size;
	}
	return block->length <= INT64_MAX &&
	       block->length <= UINTPTR_MAX - (uintptr_t)block->dest;
}

static void get_rules(struct bytes *b, struct ramload_partition_rules *rules)
{
	rules->small = get_number(b);
	rules->slice = get_number(b);
	rules->chunk = UINT64_C(1) << get_byte(b) % 64;
	rules->align = UINT64_C(1) << get_byte(b) % 64;
	if (get_byte(b) % 4 == 0)
		rules->chunk = get_number(b);
	if (get_byte(b) % 4 == 0)
		rules->align = get_number(b);
}

static void check_slices(const struct partition *p,
			 const struct ramload_block *blocks, size_t nr)
{
	uint64_t at = 0;
	size_t block = 0, i;

	for (i = 0; i < p->nr_slices; i++) {
		const struct partition_slice *s = &p->slices[i];

		while (block < nr && at == blocks[block].length) {
			block++;
			at = 0;
		}
		CHECK(s->block == block && s->offset == at && s->length);
		CHECK(s->head && s->head <= s->length);
		CHECK(s->length <= blocks[block].length - at);
		if (blocks[block].bitmap)
			CHECK(at / blocks[block].page_size % 8 == 0 &&
			      at % blocks[block].page_size == 0);
		at += s->length;
	}
	for (; block < nr; block++, at = 0)
		CHECK(at == blocks[block].length);
}

static void check_chunks(const struct partition *p, uint64_t from)
{
	uint64_t i, to = min_u64(p->nr_chunks, from + MAX_WALK);
	struct partition_chunk c, last;

	for (i = from; i < to; i++) {
		c = partition_chunk(p, i);
		CHECK(c.length);
		if (i > from && c.block == last.block)
			CHECK(c.offset == last.offset + last.length);
		else if (i > from)
			CHECK(c.block > last.block && !c.offset);
		last = c;
	}
	if (from < p->nr_chunks && to == p->nr_chunks) {
		const struct partition_slice *s = &p->slices[p->nr_slices - 1];

		CHECK(last.block == s->block);
		CHECK(last.offset + last.length == s->offset + s->length);
	}
}

static void fuzz_partition(struct bytes *b)
{
	struct ramload_block blocks[NR_BLOCKS];
	struct ramload_partition_rules rules;
	size_t nr = get_byte(b) % (NR_BLOCKS + 1), i;
	uint64_t total = 0;
	struct partition p;
	int err;

	get_rules(b, &rules);
	for (i = 0; i < nr; i++) {
		if (!get_block(b, &blocks[i]) ||
		    blocks[i].length > INT64_MAX - total)
			return;
		total += blocks[i].length;
	}
	err = partition_init(&p, blocks, nr, &rules);
	CHECK(!err || err == -EINVAL || err == -E2BIG);
	if (err)
		return;
	CHECK(p.nr_slices <= nr + PARTITION_MAX_CUTS);
	check_slices(&p, blocks, nr);
	check_chunks(&p, 0);
	if (p.nr_chunks > MAX_WALK)
		check_chunks(&p, p.nr_chunks - MAX_WALK);
	partition_destroy(&p);
}

static bool bit(const uint8_t *bitmap, uint64_t page)
{
	return bitmap[page / 8] >> page % 8 & 1;
}

static void fuzz_bitmap(const struct bytes *b, unsigned int spare)
{
	uint64_t nr = b->left * 8, present = 0, set, clear, i;
	uint8_t *copy;

	/* Nothing past the last byte may be read: the heap is watched. */
	copy = malloc(b->left);
	if (!nr || !copy)
		goto out;
	memcpy(copy, b->at, b->left);
	nr -= spare % 8;
	set = clear = nr;
	for (i = nr; i--;) {
		if (bit(copy, i)) {
			set = i;
			present++;
		} else {
			clear = i;
		}
		CHECK(bitmap_next(copy, i, nr) == set);
		CHECK(bitmap_next_absent(copy, i, nr) == clear);
	}
	CHECK(bitmap_count(copy, nr) == present);
	CHECK(bitmap_next(copy, nr, nr) == nr);
out:
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	unsigned int kind = get_byte(&b);

	if (kind & 1)
		fuzz_partition(&b);
	else
		fuzz_bitmap(&b, kind / 2);
	return 0;
}
