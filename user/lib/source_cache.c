// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: source_cache
 *
 * The page cache of a file: what is in it, and how to leave it as it was.
 *
 * cachestat(2) is asked, and before 6.5, where there is none, mincore(2) on a
 * mapping made for it. preadv2(RWF_NOWAIT) would do with one system call, but
 * it starts readahead for what it does not find: a cold file would be read
 * twice. Where the kernel does not tell (neither does to those who may not
 * write to the file), all of it is taken for cached: to read from there is the
 * safe choice, and so is to drop nothing.
 *
 * What is to be dropped is known only before the first read: after that, what is
 * there may have been read ahead. So regions of the file are noted beforehand,
 * and those that were not cached are dropped chunk by chunk, as they are loaded,
 * and once more at the end. The module does the same.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bitmap.h"
#include "source_cache.h"

#define REGION_MIN	(UINT64_C(64) << 10)
#define REGIONS_MAX	16384

/* The longest that is mapped, part by part, to be looked at. */
#define REGION_MAPPED	(UINT64_C(64) << 20)

/* Behind the last byte that is loaded, the kernel may read so much ahead. */
#define AHEAD		(UINT64_C(4) << 20)

#ifndef __NR_cachestat
#define __NR_cachestat	451
#endif

/* struct cachestat_range and struct cachestat of linux/mman.h, from 6.5 on */
struct cache_range {
	uint64_t offset;
	uint64_t length;
};

struct cache_counts {
	uint64_t cached;
	uint64_t others[4];
};

/**
 * struct source_cache - what was in the page cache
 * @start: of the part of the file that was looked at
 * @end: of that
 * @region: it is divided where the offset is a multiple of this power of two
 * @absent: bit for each region that nothing was cached of
 */
struct source_cache {
	uint64_t start;
	uint64_t end;
	uint64_t region;
	uint8_t absent[];
};

static uint64_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Pages of a part of a file that are in the page cache, -1: not to be had */
static int64_t count_mapped(int fd, uint64_t offset, uint64_t length)
{
	unsigned char resident[SOURCE_CACHE_PART / 4096 + 1];
	uint64_t page = page_size();
	uint64_t start = round_down(offset, page);
	uint64_t nr = (round_up(offset + length, page) - start) / page;
	int64_t count = -1;
	void *map;

	map = mmap(NULL, nr * page, PROT_READ, MAP_SHARED, fd, start);
	if (map == MAP_FAILED)
		return -1;
	if (nr <= sizeof(resident) && !mincore(map, nr * page, resident)) {
		count = 0;
		for (uint64_t i = 0; i < nr; i++)
			count += resident[i] & 1;
	}
	munmap(map, nr * page);
	return count;
}

/* -1: not to be had */
static int64_t ask_cachestat(int fd, uint64_t offset, uint64_t length)
{
	struct cache_range range = { offset, length };
	struct cache_counts counts;

	return syscall(__NR_cachestat, fd, &range, &counts, 0) ?
		-1 : (int64_t)counts.cached;
}

static int64_t count_cached(int fd, uint64_t offset, uint64_t length)
{
	int64_t cached = ask_cachestat(fd, offset, length);

	return cached < 0 ? count_mapped(fd, offset, length) : cached;
}

/*
 * Whether at least half of a part of a file is in the page cache. A single page
 * does not count, since readahead of a buffered read leaves some beyond its end,
 * and the whole rest of a file would be taken for cached.
 */
bool source_cache_has(int fd, uint64_t offset, uint64_t length)
{
	int64_t cached = count_cached(fd, offset, length);

	return cached < 0 || cached * page_size() >= length / 2;
}

static uint64_t region_of(const struct source_cache *cache, uint64_t pos)
{
	return pos / cache->region - cache->start / cache->region;
}

static uint64_t region_start(const struct source_cache *cache, uint64_t i)
{
	return max_u64(cache->start,
		       (cache->start / cache->region + i) * cache->region);
}

static uint64_t region_end(const struct source_cache *cache, uint64_t i)
{
	return min_u64(cache->end,
		       (cache->start / cache->region + i + 1) * cache->region);
}

/* The same of a region. Where it takes too long, it is taken for cached. */
static bool is_absent(int fd, uint64_t start, uint64_t end)
{
	uint64_t length;
	int64_t cached = ask_cachestat(fd, start, end - start);

	if (cached >= 0)
		return !cached;
	if (end - start > REGION_MAPPED)
		return false;
	for (; start < end; start += length) {
		length = min_u64(end - start, SOURCE_CACHE_PART);
		if (count_mapped(fd, start, length))
			return false;
	}
	return true;
}

/*
 * Note what is in the page cache of [@start, @end), of a file that has so much;
 * NULL: no memory
 */
struct source_cache *source_cache_note(int fd, uint64_t start, uint64_t end)
{
	uint64_t region = REGION_MIN;
	struct source_cache *cache;
	uint64_t nr = 0;

	end += end > start ? AHEAD : 0;
	while (end > start && (end - 1) / region - start / region >= REGIONS_MAX)
		region *= 2;
	if (end > start)
		nr = (end - 1) / region - start / region + 1;
	cache = calloc(1, sizeof(*cache) + (nr + 7) / 8);
	if (!cache)
		return NULL;
	cache->start = start;
	cache->end = end;
	cache->region = region;
	for (uint64_t i = 0; i < nr; i++)
		if (is_absent(fd, region_start(cache, i), region_end(cache, i)))
			cache->absent[i / 8] |= 1 << i % 8;
	return cache;
}

void source_cache_free(struct source_cache *cache)
{
	free(cache);
}

/* Clean pages that nobody uses go. */
static void drop_part(int fd, uint64_t start, uint64_t end)
{
	start = round_down(start, page_size());
	end = min_u64(round_up(end, page_size()), INT64_MAX);
	posix_fadvise(fd, start, end - start, POSIX_FADV_DONTNEED);
}

/* Drop what was not there before, of [@start, @end) */
void source_cache_drop(const struct source_cache *cache, int fd, uint64_t start,
		       uint64_t end)
{
	uint64_t from, to, nr;

	start = max_u64(start, cache->start);
	end = min_u64(end, cache->end);
	if (start >= end)
		return;
	to = region_of(cache, start);
	nr = region_of(cache, end - 1) + 1;
	while ((from = bitmap_next(cache->absent, to, nr)) < nr) {
		to = bitmap_next_absent(cache->absent, from, nr);
		drop_part(fd, max_u64(start, region_start(cache, from)),
			  min_u64(end, region_end(cache, to - 1)));
	}
}
