// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What is gathered into one read, against a model that looks at each page.
 */
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "kselftest_harness.h"

#define PAGE	4096
#define PAGES	1500

FIXTURE(gather)
{
	struct gather g;
	uint8_t bitmap[(PAGES + 7) / 8];
	struct ramload_block block;
};

FIXTURE_SETUP(gather)
{
	self->block = (struct ramload_block){
		.length = PAGES * PAGE,
		.dest = (void *)(UINT64_C(1) << 40),
		.bitmap = self->bitmap,
		.page_size = PAGE,
	};
}

FIXTURE_TEARDOWN(gather)
{
	gather_free(&self->g);
}

static void set(uint8_t *bitmap, unsigned int first, unsigned int nr)
{
	for (; nr--; first++)
		bitmap[first / 8] |= 1 << first % 8;
}

static bool is_set(const uint8_t *bitmap, uint64_t page)
{
	return bitmap[page / 8] >> page % 8 & 1;
}

static uint64_t bytes_of(const struct gather *g)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < g->nr; i++)
		bytes += g->iov[i].iov_len;
	return bytes;
}

TEST_F(gather, alternating)
{
	for (unsigned int i = 0; i < PAGES; i += 2)
		set(self->bitmap, i, 1);
	ASSERT_TRUE(gather_runs(&self->g, &self->block, 0, PAGES * PAGE));
	EXPECT_EQ(0, self->g.start);
	EXPECT_EQ(GATHER_IOV / 2, self->g.nr_runs);
	EXPECT_EQ(self->g.nr_runs * PAGE, self->g.wanted);
	EXPECT_EQ(bytes_of(&self->g), self->g.end);
}

TEST_F(gather, one_run)
{
	EXPECT_FALSE(gather_runs(&self->g, &self->block, 0, PAGES * PAGE));
	set(self->bitmap, 3, 40);
	EXPECT_FALSE(gather_runs(&self->g, &self->block, 0, PAGES * PAGE));
	self->block.bitmap = NULL;
	EXPECT_FALSE(gather_runs(&self->g, &self->block, 0, PAGES * PAGE));
}

TEST_F(gather, gap)
{
	set(self->bitmap, 3, 1);
	set(self->bitmap, 4 + GATHER_GAP / PAGE, 1);
	ASSERT_TRUE(gather_runs(&self->g, &self->block, 0, PAGES * PAGE));
	EXPECT_EQ(3, self->g.nr);
	EXPECT_EQ(3 * PAGE, self->g.start);
	EXPECT_EQ(2 * PAGE, self->g.wanted);
	set(self->bitmap, 20, 1);
	set(self->bitmap, 22 + GATHER_GAP / PAGE, 1);
	EXPECT_FALSE(gather_runs(&self->g, &self->block, 20 * PAGE,
				 PAGES * PAGE));
}

TEST_F(gather, long_runs)
{
	unsigned int most = SOURCE_READ_MAX / PAGE;

	set(self->bitmap, 0, most - 2);
	set(self->bitmap, most - 1, 1);
	ASSERT_TRUE(gather_runs(&self->g, &self->block, 0, PAGES * PAGE));
	EXPECT_EQ(SOURCE_READ_MAX, self->g.end);
	set(self->bitmap, most, 1);
	EXPECT_FALSE(gather_runs(&self->g, &self->block, 0, PAGES * PAGE));
	/* The part that is asked for may begin and end anywhere. */
	ASSERT_TRUE(gather_runs(&self->g, &self->block, 100, PAGE * most));
	EXPECT_EQ(100, self->g.start);
	EXPECT_EQ(PAGE * most, self->g.end);
}

/* Is each page of what was gathered where it belongs? */
static bool is_right(const struct gather *g, const struct ramload_block *block)
{
	uint64_t at = g->start;

	for (unsigned int i = 0; i < g->nr; i++) {
		const struct iovec *iov = &g->iov[i];
		bool gap = i % 2;

		if (gap ? iov->iov_base != g->sink + (at - g->start) :
			  iov->iov_base != (char *)block->dest + at)
			return false;
		for (uint64_t page = 0; page < iov->iov_len / PAGE; page++)
			if (is_set(block->bitmap, at / PAGE + page) == gap)
				return false;
		at += iov->iov_len;
	}
	return at == g->end && g->nr <= GATHER_IOV && g->nr % 2 &&
	       at - g->start <= SOURCE_READ_MAX;
}

TEST_F(gather, random)
{
	srandom(1);
	for (unsigned int round = 0; round < 200; round++) {
		uint64_t at = 0;

		memset(self->bitmap, 0, sizeof(self->bitmap));
		for (unsigned int i = 0; i < PAGES; i += random() % 8)
			set(self->bitmap, i, 1);
		while (gather_runs(&self->g, &self->block, at, PAGES * PAGE)) {
			ASSERT_TRUE(is_right(&self->g, &self->block));
			at = self->g.end;
		}
	}
}

TEST_HARNESS_MAIN
