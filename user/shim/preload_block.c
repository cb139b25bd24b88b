// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_block
 *
 * What readers do with a block: whether a read is one that its image implies,
 * waiting for its bytes, and answering it.
 *
 * A read is answered only if nothing else than its bytes from the file can be
 * in its place. That rests on this:
 *
 * * The first read that the image implies is held back until the loader has
 *   looked at its destination. So no page was read before the block is
 *   active, and jobs write only to pages that nobody has read.
 * * A read is answered, or passed on, only when all slices that it touches are
 *   settled: no job will write to them any more. What is read belongs to the
 *   caller.
 * * A page is answered for once. Who reads it again wants what is in the file,
 *   whatever was written to memory meanwhile, and is passed on.
 * * Before a read is answered, its file must look as it did before the first
 *   job began.
 * * A read of the block's pages, or into its memory, that is not as implied,
 *   or memory that is mapped anew, says that something was understood wrongly:
 *   the block is given up, and the caller goes on when its jobs have ended.
 *
 * What remains is a program that writes to a page of guest memory after it
 * began to read the block and before it reads that page, and then relies on the
 * read to replace that. QEMU has one thread that does nothing else than to
 * load; devices and vCPUs are stopped.
 *
 * **Locking.** None: readers may be signal handlers. They hold no lock,
 * allocate nothing, and wait for two things only. For the loader to take up a
 * question or to begin a slice they wait for a limited time, after which they
 * decide themselves, by a compare-and-exchange that the loader would have to
 * win. For what is under way, an answer or a job, they wait as long as it takes,
 * as a read does. Meanwhile the loader allocates: a handler that interrupted the
 * allocator, and reads, may have to wait for itself.
 *
 * **Lifetime.** A slot is used by readers that have counted themselves in
 * @users and have seen it not free after that. The loader frees what hangs on
 * it when it is free and @users is zero, so a reader that never comes back (it
 * was cancelled asynchronously, or its signal handler jumped away) costs
 * a slot.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "bitmap.h"
#include "preload_block.h"
#include "preload_futex.h"
#include "preload_loader.h"

#define MiB		(UINT64_C(1) << 20)
#define SLICE_SIZE	(32 * MiB)
#define BITS		64
/* More than that, no read(2) reads. */
#define READ_MAX	UINT64_C(0x7ffff000)

/* Memory and length of a page have at least that. */
#define DIRECT_ALIGN	4096

/* How long to wait for the loader to begin something. */
#define PATIENCE_MS	5000
#define STEP_MS		50

/* A read, as far as blocks are concerned; @base is NULL if it goes to several */
struct read {
	int fd;
	uint8_t *base;
	uint64_t length;
	uint64_t at;
};

static bool overlap(uintptr_t a, uint64_t a_length, uintptr_t b,
		    uint64_t b_length)
{
	return a_length && b_length &&
	       (a < b ? b - a < a_length : a - b < b_length);
}

/* It lies in the block's pages in the file; its length fits an answer. */
static bool is_in_file(const struct preload_block *block,
		       const struct read *read)
{
	const struct preload_part *part = &block->part;

	return read->length && read->length <= READ_MAX &&
	       read->at >= part->offset &&
	       read->at - part->offset < part->length &&
	       read->length <= part->length - (read->at - part->offset);
}

/* Whether the read of the fd itself would be refused */
static bool is_readable(const struct read *read)
{
	int saved = errno;
	int flags = fcntl(read->fd, F_GETFL);

	errno = saved;
	if (flags < 0 || flags & O_PATH || (flags & O_ACCMODE) == O_WRONLY)
		return false;
	return !(flags & O_DIRECT) || !(read->at & (DIRECT_ALIGN - 1));
}

static bool is_of_file(const struct preload_block *block, int fd)
{
	struct preload_stamp now;

	return preload_stamp_take(fd, &now) &&
	       preload_stamp_same_file(&now, &block->part.stamp);
}

static bool has_whole_pages(const struct preload_block *block,
			    const struct read *read)
{
	const struct preload_part *part = &block->part;
	uint64_t offset = read->at - part->offset;
	uint64_t first = offset / part->page_size;
	uint64_t end = (offset + read->length) / part->page_size;

	if ((offset | read->length) & (part->page_size - 1))
		return false;
	return !part->bitmap ||
	       bitmap_next_absent(part->bitmap, first, end) == end;
}

/* Tell the loader where the block is implied to be, and hear what it thinks. */
static void ask(struct preload_block *block, const struct read *read)
{
	uint64_t end = futex_clock_ms() + PATIENCE_MS;
	unsigned int known = BLOCK_KNOWN;

	if (atomic_compare_exchange_strong(&block->state, &known,
					   BLOCK_CLAIMED)) {
		block->dest = read->base - (read->at - block->part.offset);
		if (futex_change(&block->state, BLOCK_CLAIMED, BLOCK_ASKED))
			preload_loader_wake();
	}
	while (futex_clock_ms() < end) {
		unsigned int state = block_state(block);

		if (state != BLOCK_CLAIMED && state != BLOCK_ASKED)
			break;
		futex_wait(&block->state, state, STEP_MS);
	}
	while (block_state(block) == BLOCK_CHECKING)
		futex_wait(&block->state, BLOCK_CHECKING, PATIENCE_MS);
	if (futex_change(&block->state, BLOCK_CLAIMED, BLOCK_REFUSED) ||
	    futex_change(&block->state, BLOCK_ASKED, BLOCK_REFUSED))
		preload_loader_wake();
}

/*
 * A read before anything is known of the block's memory. If it is of its pages,
 * but not such that memory is implied, then the caller has pages that no job
 * may write to.
 */
static void may_ask(struct preload_block *block, const struct read *read)
{
	const struct preload_part *part = &block->part;

	if (!overlap(read->at, read->length, part->offset, part->length) ||
	    !is_of_file(block, read->fd))
		return;
	if (read->base && is_in_file(block, read) &&
	    has_whole_pages(block, read) && is_readable(read))
		ask(block, read);
	else if (futex_change(&block->state, BLOCK_KNOWN, BLOCK_REFUSED))
		preload_loader_wake();
}

/*
 * Give the block up, and return when nobody writes to its memory any more. The
 * time that takes is limited by the jobs under way.
 */
void preload_block_stop(struct preload_block *block, enum preload_count why)
{
	unsigned int state;

	do {
		if (futex_change(&block->state, BLOCK_ACTIVE, BLOCK_STOPPING))
			preload_count(block->counts, why);
		futex_change(&block->state, BLOCK_ASKED, BLOCK_REFUSED);
		futex_change(&block->state, BLOCK_CHECKING, BLOCK_REFUSED);
		state = block_state(block);
	} while (state == BLOCK_ACTIVE || state == BLOCK_ASKED ||
		 state == BLOCK_CHECKING);
	preload_loader_wake();
	while (block_state(block) == BLOCK_STOPPING)
		futex_wait(&block->state, BLOCK_STOPPING, PATIENCE_MS);
}

/* Wait until a slice is settled; returns how. */
static unsigned int settle(struct preload_block *block, uint64_t i)
{
	atomic_uint *slice = &block->slices[i];
	uint64_t end = 0;
	unsigned int state;

	while ((state = atomic_load(slice)) < SLICE_DONE) {
		/* Another reader may have drawn the loader elsewhere. */
		if (state == SLICE_IDLE) {
			atomic_store(&block->position, i);
			preload_loader_wake();
			if (!end)
				end = futex_clock_ms() + PATIENCE_MS;
			if (futex_clock_ms() >= end)
				futex_change(slice, SLICE_IDLE, SLICE_SKIPPED);
		}
		futex_wait(slice, state, STEP_MS);
	}
	return state;
}

static unsigned int settle_all(struct preload_block *block,
			       const struct read *read)
{
	uint64_t offset = read->at - block->part.offset;
	uint64_t i = offset / block->slice_size;
	uint64_t last = (offset + read->length - 1) / block->slice_size;
	unsigned int worst = SLICE_DONE;

	if (atomic_load(&block->position) != last) {
		atomic_store(&block->position, last);
		preload_loader_wake();
	}
	for (; i <= last; i++) {
		unsigned int state = settle(block, i);

		if (state > worst)
			worst = state;
	}
	return worst;
}

/* Note the pages as read; returns how many were not so before. */
static uint64_t note_pages(struct preload_block *block, const struct read *read)
{
	uint64_t page_size = block->part.page_size;
	uint64_t page = (read->at - block->part.offset) / page_size;
	uint64_t end = page + read->length / page_size;
	uint64_t fresh = 0;

	while (page < end) {
		uint64_t bit = page % BITS;
		uint64_t nr = min_u64(BITS - bit, end - page);
		uint64_t mask = (~UINT64_C(0) >> (BITS - nr)) << bit;
		uint64_t old;

		old = atomic_fetch_or(&block->answered[page / BITS], mask);
		fresh += __builtin_popcountll(mask & ~old);
		page += nr;
	}
	return fresh;
}

/* The pages are read: by the caller, or, if true is returned, answered for. */
static bool take_pages(struct preload_block *block, const struct read *read,
		       unsigned int slices)
{
	uint64_t fresh = note_pages(block, read) * block->part.page_size;
	bool all = fresh == read->length && slices == SLICE_DONE;

	if (all)
		preload_count(block->counts, COUNT_ANSWERED);
	else if (fresh != read->length)
		preload_count(block->counts, COUNT_AGAIN);
	else
		preload_count(block->counts, slices == SLICE_FAILED ?
			      COUNT_FAILED : COUNT_LATE);
	if (fresh && atomic_fetch_sub(&block->left, fresh) == fresh &&
	    futex_change(&block->state, BLOCK_ACTIVE, BLOCK_FINISHED))
		preload_loader_wake();
	return all;
}

/* A read into the memory of an active block */
static bool answers(struct preload_block *block, const struct read *read)
{
	struct preload_stamp now;
	unsigned int slices;

	if (!read->base || !is_in_file(block, read) ||
	    !has_whole_pages(block, read) ||
	    (uintptr_t)read->base - (uintptr_t)block->dest !=
	    read->at - block->part.offset) {
		preload_block_stop(block, COUNT_OTHER);
		return false;
	}
	slices = settle_all(block, read);
	if (!preload_stamp_take(read->fd, &now) || !is_readable(read) ||
	    !preload_stamp_same_file(&now, &block->part.stamp)) {
		preload_block_stop(block, COUNT_OTHER);
		return false;
	}
	if (!preload_stamp_equal(&now, &block->part.stamp)) {
		preload_block_stop(block, COUNT_CHANGED);
		return false;
	}
	return take_pages(block, read, slices);
}

/* Whether [@start, +@length) has a byte of the memory of a block. */
bool preload_block_meets(struct preload_block *block, const void *start,
			 uint64_t length)
{
	switch (block_state(block)) {
	case BLOCK_ASKED:
	case BLOCK_CHECKING:
	case BLOCK_ACTIVE:
	case BLOCK_STOPPING:
		return overlap((uintptr_t)start, length,
			       (uintptr_t)block->dest, block->part.length);
	}
	return false;
}

static bool any_meets(struct preload_block *block, const struct iovec *iov,
		      int nr)
{
	for (int i = 0; i < nr; i++)
		if (preload_block_meets(block, iov[i].iov_base,
					iov[i].iov_len))
			return true;
	return false;
}

/*
 * Whether a read is answered: all its bytes are in their place. If not, it is
 * to be passed on, and no job writes to where it goes. The caller is a user of
 * the slot.
 */
bool preload_block_answers(struct preload_block *block, int fd,
			   const struct iovec *iov, int nr, off_t at)
{
	struct read read = { .fd = fd, .at = at };

	for (int i = 0; at >= 0 && i < nr; i++)
		read.length += min_u64(iov[i].iov_len, READ_MAX);
	if (nr == 1)
		read.base = iov->iov_base;
	if (block_state(block) < BLOCK_ACTIVE)
		may_ask(block, &read);
	if (!any_meets(block, iov, nr))
		return false;
	if (block_state(block) == BLOCK_ACTIVE)
		return answers(block, &read);
	preload_block_stop(block, COUNT_LATE);
	return false;
}

/* Allocate what an active block needs. Returns 0 or -ENOMEM. */
int preload_block_prepare(struct preload_block *block)
{
	const struct preload_part *part = &block->part;
	uint64_t pages = part->length / part->page_size;

	block->slice_size = max_u64(SLICE_SIZE, 8 * (uint64_t)part->page_size);
	block->nr_slices = (part->length - 1) / block->slice_size + 1;
	block->slices = calloc(block->nr_slices, sizeof(*block->slices));
	block->answered = calloc(pages / BITS + 1, sizeof(*block->answered));
	atomic_store(&block->position, 0);
	atomic_store(&block->left, part->present);
	return block->slices && block->answered ? 0 : -ENOMEM;
}

/* Begin no more slices; who waits for one goes on. */
void preload_block_skip_rest(struct preload_block *block)
{
	for (uint64_t i = 0; block->slices && i < block->nr_slices; i++)
		futex_change(&block->slices[i], SLICE_IDLE, SLICE_SKIPPED);
}

/* Free what hangs on a slot of which nobody is a user; false if somebody is. */
bool preload_block_free(struct preload_block *block)
{
	if (atomic_load(&block->users))
		return false;
	free(block->slices);
	free((void *)block->answered);
	block->slices = NULL;
	block->answered = NULL;
	block->part = (struct preload_part){ 0 };
	return true;
}
