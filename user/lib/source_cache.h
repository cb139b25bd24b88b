/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_SOURCE_CACHE_H
#define RAMLOAD_SOURCE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/* The longest part that source_cache_has() is asked for. */
#define SOURCE_CACHE_PART	(UINT64_C(2) << 20)

struct source_cache;

bool source_cache_has(int fd, uint64_t offset, uint64_t length);
struct source_cache *source_cache_note(int fd, uint64_t start, uint64_t end);
void source_cache_free(struct source_cache *cache);
void source_cache_drop(const struct source_cache *cache, int fd, uint64_t start,
		       uint64_t end);

#endif /* RAMLOAD_SOURCE_CACHE_H */
