// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_table
 *
 * The blocks that may be loaded, in slots that stay where they are, so that
 * readers find them without a lock. Only the loader fills and frees slots.
 *
 * **Fork.** All that this library knows is in memory that a child sees as zeros
 * (MADV_WIPEONFORK), however it is forked: it has no blocks and no loader, and
 * may start anew; QEMU's -daemonize forks before it loads. What the parent had
 * allocated besides stays behind in the child, unused. A child of vfork(2)
 * shares the parent's memory and blocks, as it does everything.
 */
#include <sys/mman.h>

#include "preload_next.h"
#include "preload_table.h"

struct preload_table *preload_table;

/* Zeroed memory, which is zeroed again in a child. Returns NULL if none. */
void *preload_alloc_wiped(size_t size)
{
	const struct preload_next *next = preload_next();
	void *p;

	p = next->mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (madvise(p, size, MADV_WIPEONFORK)) {
		next->munmap(p, size);
		return NULL;
	}
	return p;
}

int preload_table_init(void)
{
	preload_table = preload_alloc_wiped(sizeof(*preload_table));
	return preload_table ? 0 : -1;
}

/* Called by the loader. False if no slot is free. */
bool preload_table_add(const struct preload_part *part,
		       struct preload_counts *counts)
{
	for (int i = 0; i < NR_BLOCKS; i++) {
		struct preload_block *block = &preload_table->blocks[i];

		if (block_state(block) != BLOCK_FREE)
			continue;
		block->part = *part;
		block->counts = counts;
		atomic_fetch_add(&preload_table->live, 1);
		atomic_store(&block->state, BLOCK_KNOWN);
		return true;
	}
	return false;
}

/* Become a user of a slot, if there is something in it. */
static bool get(struct preload_block *block)
{
	unsigned int state = block_state(block);

	if (state == BLOCK_FREE || state == BLOCK_STOPPED)
		return false;
	atomic_fetch_add(&block->users, 1);
	state = block_state(block);
	if (state != BLOCK_FREE && state != BLOCK_STOPPED)
		return true;
	atomic_fetch_sub(&block->users, 1);
	return false;
}

static void put(struct preload_block *block)
{
	atomic_fetch_sub(&block->users, 1);
}

/* Whether a read is answered; see preload_block_answers(). */
bool preload_table_answers(int fd, const struct iovec *iov, int nr, off_t at)
{
	bool answered = false;

	for (int i = 0; i < NR_BLOCKS && !answered; i++) {
		struct preload_block *block = &preload_table->blocks[i];

		if (!get(block))
			continue;
		answered = preload_block_answers(block, fd, iov, nr, at);
		put(block);
	}
	return answered;
}

/*
 * The memory of [@start, +@length) is about to be another's, or is written to
 * by what is no read of a page: no job may write to it after this returns.
 */
void preload_table_changes(const void *start, uint64_t length,
			   enum preload_count why)
{
	for (int i = 0; i < NR_BLOCKS; i++) {
		struct preload_block *block = &preload_table->blocks[i];

		if (!get(block))
			continue;
		if (preload_block_meets(block, start, length))
			preload_block_stop(block, why);
		put(block);
	}
}
