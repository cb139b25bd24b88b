// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: source_cache
 *
 * Leaves the page cache of a source as it was, for jobs that ask for it.
 *
 * What a load has put there cannot be told when it is read: by then, the
 * readahead of another read, or of another worker, may have been at it. So when
 * the job is submitted, the part of the file that it will read is divided into
 * regions, and each is looked at. Of those of which nothing is cached, workers
 * drop what they are done with, so that the job does not fill memory meanwhile.
 * They do so in the quickest way, which leaves what is in use and what is still
 * in a CPU's list of new folios. The process whose job it is drops the rest when
 * it gets to know that the job is done, or closes it: that may take longer, and
 * may be killed.
 *
 * There are few enough regions that to look at them takes no time. One that is
 * partly cached stays as it is then, with what is added to it. Nor is anything
 * dropped behind the first TiB.
 *
 * Nothing is dropped that fadvise(2) on the same fd would not drop. Memory that
 * has no other place than the page cache (tmpfs, ramfs) is left alone.
 *
 * Immutable once it is made, so it needs no lock. @mapping is held by the file
 * of the source.
 */

#include <linux/backing-dev.h>
#include <linux/bitops.h>
#include <linux/fadvise.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "source_cache.h"

/* A region is not smaller than the usual readahead of half a window. */
#define REGION_SHIFT_MIN	16
#define REGION_SHIFT_MAX	26
#define REGIONS_MAX		16384

/* Dropped at a time, before the next look at signals. */
#define DROP_BYTES		((u64)SZ_16M)

static u32 region_of(const struct source_cache *cache, u64 pos)
{
	return (pos >> cache->shift) - (cache->start >> cache->shift);
}

static u64 region_start(const struct source_cache *cache, u32 i)
{
	return max(cache->start,
		   ((cache->start >> cache->shift) + i) << cache->shift);
}

static u64 region_end(const struct source_cache *cache, u32 i)
{
	return min(cache->end,
		   ((cache->start >> cache->shift) + i + 1) << cache->shift);
}

static bool is_memory(const struct address_space *mapping)
{
	return IS_DAX(mapping->host) ||
	       inode_to_bdi(mapping->host) == &noop_backing_dev_info;
}

static void look(struct source_cache *cache, u32 nr)
{
	u32 i;

	for (i = 0; i < nr && !fatal_signal_pending(current); i++) {
		if (!filemap_range_has_page(cache->mapping,
					    region_start(cache, i),
					    region_end(cache, i) - 1))
			__set_bit(i, cache->absent);
		cond_resched();
	}
}

/**
 * source_cache_note() - note what is in the page cache
 * @cache: where it is noted; NULL if nothing is ever to be dropped
 * @mapping: of the source
 * @start: of the part of it that will be read
 * @end: of that
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int source_cache_note(struct source_cache **cache,
		      struct address_space *mapping, u64 start, u64 end)
{
	struct source_cache *new;
	u8 shift = REGION_SHIFT_MIN;
	u32 nr;

	*cache = NULL;
	end = min3(end, round_up((u64)i_size_read(mapping->host), PAGE_SIZE),
		   start + ((u64)(REGIONS_MAX - 1) << REGION_SHIFT_MAX));
	if (start >= end || is_memory(mapping))
		return 0;
	while (((end - 1) >> shift) - (start >> shift) >= REGIONS_MAX)
		shift++;
	nr = ((end - 1) >> shift) - (start >> shift) + 1;
	new = kzalloc(struct_size(new, absent, BITS_TO_LONGS(nr)),
		      GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->mapping = mapping;
	new->start = start;
	new->end = end;
	new->shift = shift;
	look(new, nr);
	*cache = new;
	return 0;
}

void source_cache_free(struct source_cache *cache)
{
	kfree(cache);
}

/* Clean pages that nobody uses go. */
static void drop(const struct source_cache *cache, u64 start, u64 end)
{
	u64 to;

	for (; start < end && !fatal_signal_pending(current); start = to) {
		to = min(end, round_down(start, DROP_BYTES) + DROP_BYTES);
		invalidate_mapping_pages(cache->mapping, start >> PAGE_SHIFT,
					 (to - 1) >> PAGE_SHIFT);
		cond_resched();
	}
}

/**
 * source_cache_drop() - a part of the source has been read
 * @cache: what was in the page cache
 * @start: of the part
 * @end: of that
 *
 * Context: process context, may sleep; no locks held. Waits for nobody.
 */
void source_cache_drop(const struct source_cache *cache, u64 start, u64 end)
{
	u32 from, to, nr;

	start = max(start, cache->start);
	end = min(end, cache->end);
	if (start >= end)
		return;
	from = region_of(cache, start);
	nr = region_of(cache, end - 1) + 1;
	for_each_set_bitrange_from(from, to, cache->absent, nr)
		drop(cache, max(start, region_start(cache, from)),
		     min(end, region_end(cache, to - 1)));
}

/* Is some of what was dropped still there? Says where. */
static bool find_left(const struct source_cache *cache, u64 *start, u64 *end)
{
	u32 nr = region_of(cache, cache->end - 1) + 1;
	u32 from = 0;
	u32 to;

	for_each_set_bitrange_from(from, to, cache->absent, nr) {
		*start = region_start(cache, from);
		*end = region_end(cache, to - 1);
		if (fatal_signal_pending(current))
			return false;
		if (filemap_range_has_page(cache->mapping, *start, *end - 1))
			return true;
		cond_resched();
	}
	return false;
}

/**
 * source_cache_restore() - nothing more will be read
 * @cache: what was in the page cache
 * @file: the source
 *
 * Ends early if the task gets a fatal signal.
 *
 * Context: process context, may sleep; no locks held.
 */
void source_cache_restore(const struct source_cache *cache, struct file *file)
{
	u64 start, end;

	source_cache_drop(cache, cache->start, cache->end);
	if (!find_left(cache, &start, &end))
		return;
	/* It empties the lists of new folios of all CPUs. Once is enough. */
	start = round_down(start, PAGE_SIZE);
	end = min_t(u64, round_up(end, PAGE_SIZE), LLONG_MAX);
	vfs_fadvise(file, start, end - start, POSIX_FADV_DONTNEED);
	source_cache_drop(cache, cache->start, cache->end);
}
