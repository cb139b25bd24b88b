// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Loading, by both engines: contents, what is refused, errors and their
 * positions.
 */
#include "../cached_pages.h"
#include "load_fixture.h"

TEST_F(load, whole_file)
{
	uint8_t *dest = map_dest(LENGTH, 0);
	struct ramload_block block = { .length = LENGTH, .dest = dest };
	struct ramload_result result;

	ASSERT_EQ(0, load_all(self->session, self->fd, &block, 1,
			      &self->options, &result));
	EXPECT_TRUE(result.done);
	EXPECT_EQ(0, result.error);
	EXPECT_EQ(LENGTH, result.bytes_total);
	EXPECT_EQ(LENGTH, result.bytes_done);
	EXPECT_TRUE(holds(dest, LENGTH, 0));
	EXPECT_TRUE(guards_are_fresh(dest, LENGTH));
	EXPECT_EQ(1, self->cleaned);
	unmap_dest(dest, LENGTH, 0);
}

TEST_F(load, unaligned)
{
	static const uint64_t skews[][3] = {
		/* file offset, destination, length */
		{ 1, 0, 5 * MiB }, { 0, 1, 5 * MiB }, { 17, 17, 5 * MiB },
		{ 4095, 1, 5 * MiB + 3 }, { 512, 512, 3 * MiB + 512 },
		{ 100, 612, 3 * MiB }, { 4096, 0, 1 }, { 5, 4000, 4 },
		{ 12288, 8, 2 * MiB }, { 511, 4095, 2 * MiB + 2 },
	};

	for (size_t i = 0; i < sizeof(skews) / sizeof(skews[0]); i++) {
		uint64_t length = skews[i][2], skew = skews[i][1];
		struct ramload_block block = {
			.file_offset = skews[i][0],
			.length = length,
			.dest = map_dest(length, skew),
		};
		struct ramload_result result;

		ASSERT_EQ(0, load_all(self->session, self->fd, &block, 1,
				      &self->options, &result));
		EXPECT_TRUE(block_holds(&block, length));
		EXPECT_TRUE(guards_are_fresh(block.dest, length));
		unmap_dest(block.dest, length, skew);
	}
}

TEST_F(load, source_is_partly_cached)
{
	uint8_t *dest = map_dest(LENGTH, 0);
	struct ramload_block block = { .length = LENGTH, .dest = dest };
	struct ramload_result result;
	char byte;

	for (uint64_t at = 0; at < LENGTH; at += 3 * MiB)
		ASSERT_EQ(1, pread(self->fd, &byte, 1, at));
	ASSERT_EQ(0, load_all(self->session, self->fd, &block, 1,
			      &self->options, &result));
	EXPECT_TRUE(holds(dest, LENGTH, 0));
	unmap_dest(dest, LENGTH, 0);
}

/* Page p of a bitmap of one of several patterns. */
static bool pattern_bit(unsigned int pattern, uint64_t p)
{
	switch (pattern) {
	case 0:
		return p % 2;
	case 1:
		return true;
	case 2:
		return p % 100 < 70;
	case 3:
		return content(p * 3) & 1;
	case 4:
		return p == 0 || p == 1025;
	default:
		return false;
	}
}

static uint64_t fill_bitmap(uint8_t *bitmap, uint64_t pages,
			    unsigned int pattern)
{
	uint64_t present = 0;

	/* Bits past the last page must not matter. */
	memset(bitmap, 0xff, (pages + 7) / 8);
	for (uint64_t p = 0; p < pages; p++) {
		if (pattern_bit(pattern, p))
			present++;
		else
			bitmap[p / 8] &= ~(1 << p % 8);
	}
	return present;
}

TEST_F(load, bitmap)
{
	static const uint32_t sizes[] = { 512, 4096, 8192 };

	for (unsigned int i = 0; i < 18; i++) {
		uint32_t size = sizes[i / 6];
		uint64_t pages = 1027, length = pages * size, present;
		/* On the heap and exactly as long as needed, for ASan. */
		uint8_t *bitmap = malloc((pages + 7) / 8);
		struct ramload_block block = {
			.file_offset = 8192,
			.length = length,
			.dest = map_dest(length, 0),
			.bitmap = bitmap,
			.page_size = size,
		};
		struct ramload_result result;

		present = fill_bitmap(bitmap, pages, i % 6);
		ASSERT_EQ(0, load_all(self->session, self->fd, &block, 1,
				      &self->options, &result));
		EXPECT_EQ(present * size, result.bytes_total);
		EXPECT_EQ(present * size, result.bytes_done);
		EXPECT_TRUE(block_holds(&block, length));
		EXPECT_TRUE(guards_are_fresh(block.dest, length));
		unmap_dest(block.dest, length, 0);
		free(bitmap);
	}
}

/* A page may be larger than a chunk, and slices start within the bitmap. */
TEST_F(load, bitmap_in_slices)
{
	uint8_t bitmap[] = { 0x55, 0xaa, 0x0f };
	struct ramload_block block = {
		.length = 12 * MiB,
		.dest = map_dest(12 * MiB, 4096),
		.bitmap = bitmap,
		.page_size = 512 * KiB,
	};
	struct ramload_result result;

	self->options.rules = (struct ramload_partition_rules){
		.small = 1, .slice = 1, .chunk = 64 * KiB,
	};
	ASSERT_EQ(0, load_all(self->session, self->fd, &block, 1,
			      &self->options, &result));
	EXPECT_EQ(6 * MiB, result.bytes_done);
	EXPECT_TRUE(block_holds(&block, block.length));
	unmap_dest(block.dest, block.length, 4096);
}

TEST_F(load, many_blocks)
{
	enum { NR = 500 };
	struct ramload_block blocks[NR];
	struct ramload_result result;
	uint64_t at = 0, total = 0;
	uint8_t *dest = map_dest(LENGTH, 0);

	for (unsigned int i = 0; i < NR; i++) {
		/* From the end of the file to its start, every 7th empty. */
		blocks[i] = (struct ramload_block){
			.length = i % 7 ? 1 + content(i) * 331 % 40000 : 0,
			.dest = dest + at,
		};
		blocks[i].file_offset = LENGTH - at - blocks[i].length;
		total += blocks[i].length;
		at += blocks[i].length + i % 3;
	}
	ASSERT_GT(LENGTH, at);
	ASSERT_EQ(0, load_all(self->session, self->fd, blocks, NR,
			      &self->options, &result));
	EXPECT_EQ(total, result.bytes_done);
	for (unsigned int i = 0; i < NR; i++)
		EXPECT_TRUE(block_holds(&blocks[i], blocks[i].length));
	EXPECT_TRUE(guards_are_fresh(dest, LENGTH));
	unmap_dest(dest, LENGTH, 0);
}

TEST_F(load, nothing)
{
	struct ramload_block blocks[3] = { { .dest = NULL } };
	struct ramload_result result;

	ASSERT_EQ(0, load_all(self->session, self->fd, blocks, 3,
			      &self->options, &result));
	EXPECT_TRUE(result.done);
	EXPECT_EQ(0, result.bytes_total);
	EXPECT_EQ(1, self->cleaned);
}

TEST_F(load, short_file)
{
	uint8_t *dest = map_dest(LENGTH + 8 * MiB, 0);
	struct ramload_block blocks[] = {
		{ .length = 4096, .dest = dest },
		{
			.file_offset = 4096,
			.length = LENGTH + 4 * MiB,
			.dest = dest + 4096,
		},
		{
			.file_offset = LENGTH + 4 * MiB,
			.length = 4096,
			.dest = dest + LENGTH + 5 * MiB,
		},
	};
	struct ramload_result result;

	EXPECT_EQ(-ENODATA, load_all(self->session, self->fd, blocks, 3,
				     &self->options, &result));
	EXPECT_TRUE(result.done);
	EXPECT_EQ(-ENODATA, result.error);
	EXPECT_EQ(1, result.error_block);
	EXPECT_EQ(LENGTH, result.error_offset);
	EXPECT_EQ(LENGTH, result.bytes_done);
	EXPECT_EQ(LENGTH + 4 * MiB + 8192, result.bytes_total);
	EXPECT_TRUE(loaded_before(blocks, &result));
	EXPECT_TRUE(is_fresh(dest + LENGTH, 8 * MiB));
	EXPECT_EQ(1, self->cleaned);
	unmap_dest(dest, LENGTH + 8 * MiB, 0);
}

TEST_F(load, beyond_the_file)
{
	uint8_t *dest = map_dest(MiB, 0);
	struct ramload_block block = {
		.file_offset = LENGTH + 12345,
		.length = MiB,
		.dest = dest,
	};
	struct ramload_result result;

	EXPECT_EQ(-ENODATA, load_all(self->session, self->fd, &block, 1,
				     &self->options, &result));
	EXPECT_EQ(0, result.bytes_done);
	EXPECT_TRUE(is_fresh(dest, MiB));
	unmap_dest(dest, MiB, 0);
}

/* Part of the destination cannot be written: by @break_it. */
static void faulting(struct __test_metadata *_metadata,
		     FIXTURE_DATA(load) *self, uint64_t hole,
		     int (*break_it)(void *at, size_t length))
{
	uint8_t *dest = map_dest(LENGTH, 0);
	struct ramload_block blocks[] = {
		{ .length = 64 * KiB, .dest = dest },
		{
			.file_offset = 64 * KiB,
			.length = LENGTH - 64 * KiB,
			.dest = dest + 64 * KiB,
		},
	};
	struct ramload_result result;

	ASSERT_EQ(0, break_it(dest + hole, 8192));
	EXPECT_EQ(-EFAULT, load_all(self->session, self->fd, blocks, 2,
				    &self->options, &result));
	EXPECT_EQ(-EFAULT, result.error);
	EXPECT_EQ(hole >= 64 * KiB, result.error_block);
	/* The error is in the hole, or where a piece with the hole starts. */
	EXPECT_GE(hole, result.error_offset);
	EXPECT_TRUE(loaded_before(blocks, &result));
	EXPECT_LE(result.error_offset, result.bytes_done);
	EXPECT_EQ(1, self->cleaned);
	unmap_dest(dest, LENGTH, 0);
}

static int make_none(void *at, size_t length)
{
	return mprotect(at, length, PROT_NONE);
}

static int make_read_only(void *at, size_t length)
{
	return mprotect(at, length, PROT_READ);
}

static int make_hole(void *at, size_t length)
{
	return munmap(at, length);
}

TEST_F(load, fault_prot_none)
{
	faulting(_metadata, self, 9 * MiB + 4096, make_none);
}

TEST_F(load, fault_read_only)
{
	faulting(_metadata, self, 9 * MiB + 4096, make_read_only);
}

TEST_F(load, fault_hole)
{
	faulting(_metadata, self, 9 * MiB + 4096, make_hole);
}

TEST_F(load, fault_at_the_start)
{
	faulting(_metadata, self, 0, make_hole);
}

TEST_F(load, fault_in_the_first_chunk_of_a_block)
{
	faulting(_metadata, self, 64 * KiB, make_none);
}

TEST_F(load, fault_at_the_end)
{
	faulting(_metadata, self, LENGTH / 4096 * 4096 - 4096, make_read_only);
}

TEST_F(load, bad_address)
{
	struct ramload_block block = { .length = 8192, .dest = (void *)4096 };
	struct ramload_result result;

	EXPECT_EQ(-EFAULT, load_all(self->session, self->fd, &block, 1,
				    &self->options, &result));
	EXPECT_EQ(1, self->cleaned);
}

TEST_F(load, bad_fds)
{
	uint8_t byte;
	struct ramload_block block = { .length = 1, .dest = &byte };
	struct { int fd, error; } bad[9];
	int pipes[2], sockets[2];
	struct ramload_job *job;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	bad[0].fd = -1, bad[0].error = -EBADF;
	bad[1].fd = 1 << 20, bad[1].error = -EBADF;
	bad[2].fd = open("/dev/null", O_WRONLY), bad[2].error = -EBADF;
	bad[3].fd = open("/proc/self/exe", O_PATH), bad[3].error = -EBADF;
	bad[4].fd = open("/", O_RDONLY), bad[4].error = -EISDIR;
	bad[5].fd = pipes[0], bad[5].error = -ESPIPE;
	bad[6].fd = sockets[0], bad[6].error = -ESPIPE;
	bad[7].fd = eventfd(0, 0), bad[7].error = -EINVAL;
	bad[8].fd = open("/dev/zero", O_RDWR), bad[8].error = -EINVAL;
	for (unsigned int i = 0; i < 9; i++) {
		job = (void *)-1;
		EXPECT_EQ(bad[i].error,
			  ramload_load(self->session, bad[i].fd, &block, 1,
				       &self->options, &job));
		EXPECT_EQ(NULL, job);
		EXPECT_EQ((int)i + 1, self->cleaned);
	}
}

TEST_F(load, bad_blocks)
{
	uint8_t *p = map_dest(4096, 0);
	uint8_t bits[1] = { 0 };
	uint64_t top = UINT64_C(1) << 63;
	struct { struct ramload_block block; int error; } bad[] = {
		{ { 0, 4096, p, NULL, 4096 }, -EINVAL },
		{ { 0, 4096, p, bits, 0 }, -EINVAL },
		{ { 0, 4096, p, bits, 256 }, -EINVAL },
		{ { 0, 4096, p, bits, 3000 }, -EINVAL },
		{ { 0, top, p, bits, 1U << 31 }, -EINVAL },
		{ { 0, 4097, p, bits, 512 }, -EINVAL },
		{ { top, 1, p, NULL, 0 }, -EOVERFLOW },
		{ { top - 2, 1, p, NULL, 0 }, 0 },
		{ { top - 1, 1, p, NULL, 0 }, -EOVERFLOW },
		{ { UINT64_MAX, 1, p, NULL, 0 }, -EOVERFLOW },
		{ { 0, UINT64_MAX, p, NULL, 0 }, -EOVERFLOW },
		{ { 0, 2, (void *)UINTPTR_MAX, NULL, 0 }, -EOVERFLOW },
		{ { UINT64_MAX, 0, p, NULL, 0 }, -EOVERFLOW },
	};
	struct ramload_job *job;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(bad[i].error,
			  ramload_load(self->session, self->fd, &bad[i].block,
				       1, &self->options, &job));
		ramload_job_free(job);
		EXPECT_EQ((int)i + 1, self->cleaned);
	}
	unmap_dest(p, 4096, 0);
}

TEST_F(load, sum_of_lengths)
{
	struct ramload_block blocks[] = {
		{ .length = 1ULL << 62 }, { .length = 1ULL << 62 },
	};
	struct ramload_job *job;

	EXPECT_EQ(-EOVERFLOW, ramload_load(self->session, self->fd, blocks, 2,
					   &self->options, &job));
	EXPECT_EQ(-EINVAL, ramload_load(self->session, self->fd, blocks, 0,
					&self->options, &job));
	EXPECT_EQ(2, self->cleaned);
}

TEST_F(load, bad_options)
{
	struct {
		struct ramload_load_options known;
		uint64_t more;
	} options = { .known = self->options };
	uint8_t byte;
	struct ramload_block block = { .length = 1, .dest = &byte };
	struct ramload_job *job;

	options.known.size = sizeof(options);
	EXPECT_EQ(0, ramload_load(self->session, self->fd, &block, 1,
				  &options.known, &job));
	ramload_job_free(job);
	options.more = 1;
	EXPECT_EQ(-EINVAL, ramload_load(self->session, self->fd, &block, 1,
					&options.known, &job));
	EXPECT_EQ(2, self->cleaned);
	options.known.size = sizeof(options.known) - 1;
	EXPECT_EQ(-EINVAL, ramload_load(self->session, self->fd, &block, 1,
					&options.known, &job));
	options.known = self->options;
	options.known.io = 77;
	EXPECT_EQ(-EINVAL, ramload_load(self->session, self->fd, &block, 1,
					&options.known, &job));
	options.known = self->options;
	options.known.rules.chunk = 3;
	EXPECT_EQ(-EINVAL, ramload_load(self->session, self->fd, &block, 1,
					&options.known, &job));
	EXPECT_EQ(4, self->cleaned);
}

/* Whole pages of the file, to be looked at in the page cache */
#define CACHED	(12 * MiB)
#define PAGES	(CACHED / GUARD)

static void load_anew(struct __test_metadata *_metadata,
		      FIXTURE_DATA(load) *self,
		      const struct ramload_block *blocks, size_t nr,
		      uint8_t *dest)
{
	struct ramload_result result;

	memset(dest, FRESH, CACHED);
	ASSERT_EQ(0, load_all(self->session, self->fd, blocks, nr,
			      &self->options, &result));
	ASSERT_TRUE(holds(dest, CACHED, 0));
}

/*
 * Load what is not cached; returns how many pages are afterwards. What is being
 * read ahead when a job ends cannot be dropped: if the disk is slow, pages may
 * remain once, but not each time.
 */
static unsigned int load_uncached(struct __test_metadata *_metadata,
				  FIXTURE_DATA(load) *self,
				  const struct ramload_block *blocks,
				  size_t nr, uint8_t *dest)
{
	unsigned int left = 1;

	for (int tries = 0; left && tries < 10; tries++) {
		drop_cache(self->fd);
		load_anew(_metadata, self, blocks, nr, dest);
		left = cached_pages(self->fd, 0, CACHED);
	}
	return left;
}

TEST_F(load, dontcache)
{
	uint64_t there = CACHED / 2;
	uint8_t *dest = map_dest(CACHED, 0);
	uint8_t *buffer = map_memory(MiB);
	struct ramload_block block = { .length = CACHED, .dest = dest };
	unsigned int kept = 0;

	drop_cache(self->fd);
	if (cached_pages(self->fd, 0, CACHED))
		SKIP(return, "files cannot be evicted here");
	self->options.dontcache = true;
	EXPECT_EQ(0, load_uncached(_metadata, self, &block, 1, dest));

	/* A machine that is short of memory may drop some pages by itself. */
	for (int tries = 0; kept != MiB / GUARD && tries < 10; tries++) {
		/* Nothing is to be read ahead, nor is it still to come. */
		posix_fadvise(self->fd, 0, 0, POSIX_FADV_RANDOM);
		for (uint64_t at = 0; at < CACHED; at += MiB)
			ASSERT_EQ(MiB, pread(self->fd, buffer, MiB, at));
		drop_cache(self->fd);
		ASSERT_EQ(MiB, pread(self->fd, buffer, MiB, there));
		load_anew(_metadata, self, &block, 1, dest);
		kept = cached_pages(self->fd, there, MiB);
		EXPECT_GE(kept, cached_pages(self->fd, 0, CACHED));
	}
	EXPECT_EQ(MiB / GUARD, kept);
	munmap(buffer, MiB);
	unmap_dest(dest, CACHED, 0);
}

/* Pages in any order, each a block of its own */
TEST_F(load, dontcache_of_pages)
{
	static struct ramload_block blocks[PAGES];
	uint64_t nr = PAGES;
	uint8_t *dest = map_dest(CACHED, 0);

	drop_cache(self->fd);
	if (cached_pages(self->fd, 0, CACHED))
		SKIP(return, "files cannot be evicted here");
	/* 7 is prime to their number. */
	for (uint64_t i = 0; i < nr; i++)
		blocks[i] = (struct ramload_block){
			.file_offset = i * 7 % nr * GUARD,
			.length = GUARD,
			.dest = dest + i * 7 % nr * GUARD,
		};
	self->options.dontcache = true;
	EXPECT_EQ(0, load_uncached(_metadata, self, blocks, nr, dest));
	unmap_dest(dest, CACHED, 0);
}

/* An image may say that pages which are not there lie far behind its end. */
TEST_F(load, dontcache_of_far_pages)
{
	static const uint8_t none[8];
	uint8_t *dest = map_dest(MiB, 0);
	struct ramload_block blocks[] = {
		{ .length = GUARD, .dest = dest },
		{ .file_offset = 1ULL << 62, .length = GUARD,
		  .page_size = GUARD, .bitmap = none, .dest = dest + GUARD },
	};
	struct ramload_result result;

	self->options.dontcache = true;
	ASSERT_EQ(0, load_all(self->session, self->fd, blocks, 2,
			      &self->options, &result));
	EXPECT_TRUE(holds(dest, GUARD, 0));
	unmap_dest(dest, MiB, 0);
}

TEST_F(load, no_options)
{
	uint8_t *dest = map_dest(MiB, 0);
	struct ramload_block block = { .length = MiB, .dest = dest };
	struct ramload_job *job;

	ASSERT_EQ(0, ramload_load(self->session, self->fd, &block, 1, NULL,
				  &job));
	EXPECT_EQ(NULL, ramload_job_user(job));
	EXPECT_EQ(0, ramload_job_wait(job, NULL));
	EXPECT_TRUE(holds(dest, MiB, 0));
	ramload_job_free(job);
	unmap_dest(dest, MiB, 0);
}

TEST_F(load, poll)
{
	uint8_t *dest = map_dest(LENGTH, 0);
	struct ramload_block block = { .length = LENGTH, .dest = dest };
	struct ramload_result result;
	struct ramload_job *job;

	ASSERT_EQ(0, ramload_load(self->session, self->fd, &block, 1,
				  &self->options, &job));
	EXPECT_EQ(&self->cleaned, ramload_job_user(job));
	EXPECT_TRUE(is_readable(ramload_job_fd(job), 60000));
	EXPECT_EQ(0, ramload_job_result(job, &result));
	EXPECT_TRUE(result.done);
	EXPECT_TRUE(is_readable(ramload_job_fd(job), 0));
	EXPECT_EQ(0, self->cleaned);
	ramload_job_cancel(job);
	EXPECT_EQ(0, ramload_job_wait(job, &result));
	EXPECT_TRUE(holds(dest, LENGTH, 0));
	ramload_job_free(job);
	EXPECT_EQ(1, self->cleaned);
	unmap_dest(dest, LENGTH, 0);
}

TEST_F(load, file_is_closed_at_once)
{
	uint8_t *dest = map_dest(LENGTH, 0);
	struct ramload_block block = { .length = LENGTH, .dest = dest };
	struct ramload_job *job;

	ASSERT_EQ(0, ramload_load(self->session, self->fd, &block, 1,
				  &self->options, &job));
	close(self->fd);
	self->fd = open("/dev/zero", O_RDONLY);
	memset(&block, 0, sizeof(block));
	EXPECT_EQ(0, ramload_job_wait(job, NULL));
	EXPECT_TRUE(holds(dest, LENGTH, 0));
	ramload_job_free(job);
	unmap_dest(dest, LENGTH, 0);
}

/* Are the pages that are present loaded, and no other? */
static bool holds_present(const uint8_t *dest, const uint8_t *bitmap,
			  uint64_t page_size, uint64_t nr)
{
	for (uint64_t at = 0; at < nr * page_size; at++) {
		uint64_t page = at / page_size;
		bool present = bitmap[page / 8] >> page % 8 & 1;

		if (dest[at] != (present ? content(at) : FRESH))
			return false;
	}
	return true;
}

/* Gaps of all lengths: some are read with what lies around them. */
TEST_F(load, random_pages)
{
	static const uint32_t page_sizes[] = { 512, 4096, 16384 };
	static uint8_t bitmap[8 * MiB / 512 / 8];

	srandom(1);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t nr = 8 * MiB / page_sizes[i];
		uint8_t *dest = map_dest(8 * MiB, 0);
		struct ramload_block block = {
			.length = 8 * MiB,
			.dest = dest,
			.bitmap = bitmap,
			.page_size = page_sizes[i],
		};
		struct ramload_result result;
		uint64_t page;

		memset(bitmap, 0, sizeof(bitmap));
		for (page = 0; page < nr; page += 1 + random() % 9 / 2)
			bitmap[page / 8] |= 1 << page % 8;
		drop_cache(self->fd);
		EXPECT_EQ(0, load_all(self->session, self->fd, &block, 1,
				      &self->options, &result));
		EXPECT_TRUE(holds_present(dest, bitmap, page_sizes[i], nr));
		unmap_dest(dest, 8 * MiB, 0);
	}
}

/* The file ends in the middle of what one read gets. */
TEST_F(load, random_pages_past_the_end)
{
	static uint8_t bitmap[16 * MiB / 4096 / 8];
	uint8_t *dest = map_dest(16 * MiB, 0);
	struct ramload_block block = {
		.length = 16 * MiB,
		.dest = dest,
		.bitmap = bitmap,
		.page_size = 4096,
	};
	struct ramload_result result;

	memset(bitmap, 0x55, sizeof(bitmap));
	EXPECT_EQ(-ENODATA, load_all(self->session, self->fd, &block, 1,
				     &self->options, &result));
	EXPECT_EQ(-ENODATA, result.error);
	/* 12 MiB + 1234: the page at the end is present. */
	EXPECT_EQ(LENGTH, result.error_offset);
	EXPECT_TRUE(holds_present(dest, bitmap, 4096, LENGTH / 4096));
	unmap_dest(dest, 16 * MiB, 0);
}

/* O_DIRECT of the caller's fd has no meaning, and stays as it is. */
TEST_F(load, fd_is_direct)
{
	uint8_t *dest = map_dest(LENGTH, 1);
	struct ramload_block block = {
		.file_offset = 3,
		.length = LENGTH - 3,
		.dest = dest,
	};
	struct ramload_result result;
	int flags = fcntl(self->fd, F_GETFL);

	if (fcntl(self->fd, F_SETFL, flags | O_DIRECT))
		SKIP(return, "no direct I/O on this file system");
	EXPECT_EQ(0, load_all(self->session, self->fd, &block, 1,
			      &self->options, &result));
	EXPECT_TRUE(holds(dest, block.length, 3));
	EXPECT_EQ(flags | O_DIRECT, fcntl(self->fd, F_GETFL));
	unmap_dest(dest, LENGTH, 1);
}

/* DIRECT is refused where there is no direct I/O; AUTO reads all the same. */
TEST(no_direct_io)
{
	struct ramload_load_options options = { .size = sizeof(options) };
	int fd = open("/proc/self/maps", O_RDONLY);
	struct ramload_session *session;
	char byte = 0;
	struct ramload_block block = { .length = 1, .dest = &byte };
	struct ramload_result result;

	ASSERT_EQ(0, open_session(RAMLOAD_ENGINE_USER, 1, &session));
	options.io = RAMLOAD_IO_DIRECT;
	EXPECT_EQ(-EINVAL, load_all(session, fd, &block, 1, &options,
				    &result));
	options.io = RAMLOAD_IO_AUTO;
	EXPECT_EQ(0, load_all(session, fd, &block, 1, &options, &result));
	EXPECT_NE(0, byte);
	ramload_session_close(session);
	close(fd);
}

static int count_fds(void)
{
	int nr = 0;

	for (int fd = 0; fd < 1024; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

TEST_F(load, no_fd_is_left)
{
	uint8_t *dest = map_dest(MiB, 0);
	struct ramload_block block = { .length = MiB, .dest = dest };
	struct ramload_block bad = { .file_offset = LENGTH, .length = 1 };
	struct ramload_result result;
	int before = count_fds();

	bad.dest = dest;
	for (unsigned int i = 0; i < 20; i++) {
		EXPECT_EQ(0, load_all(self->session, self->fd, &block, 1,
				      &self->options, &result));
		EXPECT_EQ(-ENODATA, load_all(self->session, self->fd, &bad, 1,
					     &self->options, &result));
		EXPECT_EQ(-EBADF, load_all(self->session, -1, &bad, 1,
					   &self->options, &result));
	}
	EXPECT_EQ(before, count_fds());
	unmap_dest(dest, MiB, 0);
}

TEST_HARNESS_MAIN
