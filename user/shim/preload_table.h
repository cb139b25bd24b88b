/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_TABLE_H
#define PRELOAD_TABLE_H

#include "preload_block.h"

#define NR_BLOCKS	32

/**
 * struct preload_table - the blocks that may be loaded
 * @live: slots that are not free
 * @blocks: the slots
 */
struct preload_table {
	atomic_uint live;
	struct preload_block blocks[NR_BLOCKS];
};

/* NULL: this library does nothing. Set by the constructor. */
extern struct preload_table *preload_table;

void *preload_alloc_wiped(size_t size);
int preload_table_init(void);
bool preload_table_add(const struct preload_part *part,
		       struct preload_counts *counts);
bool preload_table_answers(int fd, const struct iovec *iov, int nr, off_t at);
void preload_table_changes(const void *start, uint64_t length,
			   enum preload_count why);

/* Whether there is any block at all; all that most calls ever ask. */
static inline bool preload_is_live(void)
{
	return preload_table &&
	       atomic_load_explicit(&preload_table->live, memory_order_acquire);
}

#endif /* PRELOAD_TABLE_H */
