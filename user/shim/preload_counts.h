/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_COUNTS_H
#define PRELOAD_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

/**
 * enum preload_count - what became of reads into blocks
 * @COUNT_ANSWERED: answered: the bytes were there
 * @COUNT_AGAIN: passed on: a page was read before
 * @COUNT_FAILED: passed on: its slice could not be loaded
 * @COUNT_LATE: passed on: its slice was not begun in time, or the block was
 *	given up
 * @COUNT_OTHER: passed on, the block given up: not as the image implies
 * @COUNT_CHANGED: passed on, the block given up: the file has changed
 * @COUNT_REMAPPED: not a read: the block given up, its memory was unmapped
 * @NR_COUNTS: how many there are
 */
enum preload_count {
	COUNT_ANSWERED,
	COUNT_AGAIN,
	COUNT_FAILED,
	COUNT_LATE,
	COUNT_OTHER,
	COUNT_CHANGED,
	COUNT_REMAPPED,
	NR_COUNTS,
};

struct preload_counts {
	_Atomic uint64_t of[NR_COUNTS];
};

static inline void preload_count(struct preload_counts *counts,
				 enum preload_count what)
{
	atomic_fetch_add_explicit(&counts->of[what], 1, memory_order_relaxed);
}

#endif /* PRELOAD_COUNTS_H */
