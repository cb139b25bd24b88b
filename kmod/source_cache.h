/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_SOURCE_CACHE_H
#define RAMLOAD_SOURCE_CACHE_H

#include <linux/types.h>

struct address_space;
struct file;

/**
 * struct source_cache - what was in the page cache of a source
 * @mapping: the page cache
 * @start: of the part of the source that was looked at
 * @end: of that
 * @shift: it is divided where the offset is a multiple of 1 << @shift
 * @absent: bit for each region that nothing was cached of
 */
struct source_cache {
	struct address_space *mapping;
	u64 start;
	u64 end;
	u8 shift;
	unsigned long absent[];
};

int source_cache_note(struct source_cache **cache,
		      struct address_space *mapping, u64 start, u64 end);
void source_cache_free(struct source_cache *cache);
void source_cache_drop(const struct source_cache *cache, u64 start, u64 end);
void source_cache_restore(const struct source_cache *cache, struct file *file);

#endif /* RAMLOAD_SOURCE_CACHE_H */
