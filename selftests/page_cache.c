// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What a load takes from the page cache of the source, and leaves there.
 */

#include "kselftest_harness.h"
#include "cached_pages.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH	MIB(8)
#define CHUNK	MIB(1)
#define PAGES	(LENGTH / PAGE)

FIXTURE(page_cache)
{
	int fd;
	int src;
	struct memory m;
	struct ramload_info info;
	struct ramload_range ranges[PAGES];
	struct ramload_load last;
};

FIXTURE_VARIANT(page_cache)
{
	const char *fs;
	enum memory_kind kind;
	uint32_t direct;
};

#define ADD_VARIANT(name, type, memory_kind, how)			\
	FIXTURE_VARIANT_ADD(page_cache, name)				\
	{								\
		.fs = type,						\
		.kind = memory_kind,					\
		.direct = how,						\
	};

ADD_VARIANT(ext4, "ext4", MEMORY_MEMFD, RAMLOAD_DIRECT_AUTO)
ADD_VARIANT(ext4_cached, "ext4", MEMORY_MEMFD, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(ext4_cached_huge, "ext4", MEMORY_TMPFS_HUGE, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(ext4_cached_anon, "ext4", MEMORY_ANON, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(xfs_cached, "xfs", MEMORY_MEMFD, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(btrfs, "btrfs", MEMORY_MEMFD, RAMLOAD_DIRECT_AUTO)
ADD_VARIANT(btrfs_cached, "btrfs", MEMORY_MEMFD, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(overlay, "overlay", MEMORY_MEMFD, RAMLOAD_DIRECT_AUTO)
ADD_VARIANT(overlay_cached, "overlay", MEMORY_ANON, RAMLOAD_DIRECT_OFF)

typedef struct _test_data_page_cache page_cache_t;

static unsigned int count_cached(const page_cache_t *self, uint64_t at,
				 uint64_t length)
{
	return cached_pages(self->src, at, length);
}

/*
 * And nothing behind it: what is read ahead is in the page cache for a while
 * before mincore(2) tells of it and fadvise(2) can drop it.
 */
static bool cache(const page_cache_t *self, uint64_t at, uint64_t length)
{
	int fd = file_reopen(self->src, O_RDONLY);
	static char buf[CHUNK];
	bool done;

	done = !posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (; done && length; at += CHUNK, length -= CHUNK)
		done = pread(fd, buf, CHUNK, at) == CHUNK;
	close(fd);
	return done;
}

/*
 * For certain: what is being read cannot be dropped, nor does mincore(2) tell of it, so
 * all of it is read first.
 */
static void evict(const page_cache_t *self)
{
	cache(self, 0, LENGTH);
	drop_cached_pages(self->src, LENGTH);
}

FIXTURE_SETUP(page_cache)
{
	struct reason why;
	int dir;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 2);
	test_info(self->fd, &self->info);
	dir = fs_open(variant->fs, NULL, &why);
	if (dir < 0 || memory_map(&self->m, variant->kind, LENGTH, &why))
		SKIP(return, "%s", why.text);
	self->src = file_create_pattern(dir, SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->src);
	evict(self);
}

FIXTURE_TEARDOWN(page_cache)
{
	close(self->src);
	close(self->fd);
	memory_unmap(&self->m);
}

static int load_again(page_cache_t *self)
{
	struct ramload_load load = self->last;

	return load_wait(self->fd, &load, NULL);
}

static int load_ranges(page_cache_t *self, uint32_t direct, unsigned int nr,
		       uint32_t flags)
{
	self->last = LOAD(self->src, self->ranges, nr, .direct = direct,
			  .chunk_size = CHUNK, .flags = flags);
	return load_again(self);
}

/*
 * How many pages of a file of which none was cached are left by the last load.
 * Reclaim and compaction hold a folio for a moment, and who drops it then leaves
 * it; a worker that was late may still have some read ahead that another had
 * dropped. So a load that leaves some is repeated.
 */
#define TRIES	10

static unsigned int count_left(page_cache_t *self, uint64_t length)
{
	unsigned int left = count_cached(self, 0, length);
	unsigned int tries;

	for (tries = 0; left && tries < TRIES; tries++) {
		evict(self);
		load_again(self);
		left = count_cached(self, 0, length);
	}
	return left;
}

/* All of the file in one range. */
static int load_all(page_cache_t *self, uint32_t direct, uint32_t flags)
{
	self->ranges[0] = RANGE(0, LENGTH, self->m.map);
	return load_ranges(self, direct, 1, flags);
}

#define ASSERT_LOADED() \
	ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0, LENGTH))

TEST_F_TIMEOUT(page_cache, stays_without_the_flag, TIMEOUT)
{
	ASSERT_EQ(0, load_all(self, RAMLOAD_DIRECT_OFF, 0));
	ASSERT_LOADED();
	ASSERT_EQ(PAGES, count_cached(self, 0, LENGTH));
}

TEST_F_TIMEOUT(page_cache, nothing_is_left, TIMEOUT)
{
	ASSERT_TRUE(self->info.out_features & RAMLOAD_FEATURE_DONTCACHE);
	ASSERT_EQ(0, count_cached(self, 0, LENGTH));
	ASSERT_EQ(0, load_all(self, variant->direct, RAMLOAD_LOAD_DONTCACHE));
	ASSERT_LOADED();
	ASSERT_EQ(0, count_left(self, LENGTH));
}

/* And no other chunk. */
static bool cache_each_other(const page_cache_t *self)
{
	uint64_t at;

	evict(self);
	for (at = 0; at < LENGTH; at += 2 * CHUNK)
		if (!cache(self, at, CHUNK))
			return false;
	return true;
}

static bool each_other_is_cached(const page_cache_t *self)
{
	uint64_t at;

	for (at = 0; at < LENGTH; at += CHUNK)
		if (count_cached(self, at, CHUNK) !=
		    (at / CHUNK % 2 ? 0 : CHUNK / PAGE))
			return false;
	return true;
}

/* Repeated for the reason that count_left() has. */
TEST_F_TIMEOUT(page_cache, what_was_there_is_left, TIMEOUT)
{
	unsigned int tries = 0;

	do {
		ASSERT_TRUE(cache_each_other(self));
		ASSERT_EQ(0, load_all(self, variant->direct,
				      RAMLOAD_LOAD_DONTCACHE));
		ASSERT_LOADED();
	} while (!each_other_is_cached(self) && ++tries < TRIES);
	ASSERT_TRUE(each_other_is_cached(self));
}

TEST_F_TIMEOUT(page_cache, nothing_is_left_of_an_image_with_holes, TIMEOUT)
{
	unsigned char bitmap[PAGES / 8];
	unsigned int page;

	memset(bitmap, 0x5d, sizeof(bitmap));
	self->ranges[0] = (struct ramload_range){
		.length = LENGTH,
		.dest = (uintptr_t)self->m.map,
		.bitmap = (uintptr_t)bitmap,
		.page_size = PAGE,
	};
	ASSERT_EQ(0, load_ranges(self, variant->direct, 1,
				 RAMLOAD_LOAD_DONTCACHE));
	for (page = 0; page < PAGES; page++) {
		const char *at = self->m.map + page * PAGE;
		bool present = bitmap[page / 8] & 1 << page % 8;

		ASSERT_TRUE(present ? pattern_matches(at, SEED_SOURCE,
						      page * PAGE, PAGE) :
				      all_zero(at, PAGE));
	}
	ASSERT_EQ(0, count_left(self, LENGTH));
}

/* Page @i of memory gets page @from(i) of the file. */
static void shuffled(struct __test_metadata *_metadata, page_cache_t *self,
		     uint32_t direct, unsigned int (*from)(unsigned int i))
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		self->ranges[i] = RANGE(from(i) * PAGE, PAGE,
					self->m.map + i * PAGE);
	ASSERT_EQ(0, load_ranges(self, direct, PAGES, RAMLOAD_LOAD_DONTCACHE));
	for (i = 0; i < PAGES; i++)
		ASSERT_TRUE(pattern_matches(self->m.map + i * PAGE,
					    SEED_SOURCE, from(i) * PAGE,
					    PAGE));
}

static unsigned int falling(unsigned int i)
{
	return PAGES - 1 - i;
}

/* 5 is prime to their number. */
static unsigned int mixed(unsigned int i)
{
	return i * 5 % PAGES;
}

static unsigned int always_the_same(unsigned int i)
{
	return 3;
}

TEST_F_TIMEOUT(page_cache, nothing_is_left_of_pages_in_any_order, TIMEOUT)
{
	shuffled(_metadata, self, variant->direct, mixed);
	ASSERT_EQ(0, count_left(self, LENGTH));
	shuffled(_metadata, self, variant->direct, always_the_same);
	ASSERT_EQ(0, count_left(self, LENGTH));
}

/*
 * Of pages in falling order, what is read ahead is what was dropped before. Some
 * may be left, which is less than what was loaded.
 */
TEST_F_TIMEOUT(page_cache, pages_in_falling_order, TIMEOUT)
{
	shuffled(_metadata, self, variant->direct, falling);
	ASSERT_GT(PAGES / 2, count_cached(self, 0, LENGTH));
}

TEST_F_TIMEOUT(page_cache, nothing_is_left_of_a_load_that_fails, TIMEOUT)
{
	ASSERT_EQ(0, ftruncate(self->src, LENGTH / 2 + 100));
	ASSERT_EQ(0, fsync(self->src));
	evict(self);
	ASSERT_EQ(-ENODATA, load_all(self, variant->direct,
				     RAMLOAD_LOAD_DONTCACHE));
	ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0,
				    LENGTH / 2 + 100));
	ASSERT_EQ(0, count_left(self, LENGTH / 2 + PAGE));
}

/* Bytes that this process and its workers had devices read. */
static long bytes_from_devices(void)
{
	return read_value("/proc/self/io", "read_bytes:");
}

/* Of a file of overlayfs, the page cache is that of another file. */
TEST_F_TIMEOUT(page_cache, what_is_there_is_not_read_again, TIMEOUT)
{
	long before = bytes_from_devices();

	if (before < 0 || !(self->info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "nobody counts what workers read");
	ASSERT_EQ(0, load_all(self, variant->direct, 0));
	ASSERT_LE(before + (long)LENGTH, bytes_from_devices());
	memory_discard(&self->m);

	ASSERT_TRUE(cache(self, 0, LENGTH));
	before = bytes_from_devices();
	ASSERT_EQ(0, load_all(self, variant->direct, 0));
	ASSERT_LOADED();
	ASSERT_EQ(before, bytes_from_devices());
}

TEST_HARNESS_MAIN
