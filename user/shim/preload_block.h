/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_BLOCK_H
#define PRELOAD_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "preload_counts.h"
#include "preload_stamp.h"

/**
 * enum slice_state - how a slice of a block stands
 * @SLICE_IDLE: not begun
 * @SLICE_BUSY: a job loads it
 * @SLICE_DONE: all its present pages are there
 * @SLICE_FAILED: its job failed; some may be there
 * @SLICE_SKIPPED: will never be loaded
 *
 * From SLICE_DONE on, nobody writes to the slice's memory any more.
 */
enum slice_state {
	SLICE_IDLE,
	SLICE_BUSY,
	SLICE_DONE,
	SLICE_FAILED,
	SLICE_SKIPPED,
};

/**
 * enum block_state - how a block stands
 * @BLOCK_FREE: the slot holds none
 * @BLOCK_KNOWN: the image has it; where its memory is, nobody knows yet
 * @BLOCK_CLAIMED: a reader writes down where the memory is implied to be
 * @BLOCK_ASKED: that is to be checked
 * @BLOCK_CHECKING: the loader looks at it
 * @BLOCK_ACTIVE: it is loaded, reads are answered
 * @BLOCK_FINISHED: all its pages were read
 * @BLOCK_REFUSED: it is not loaded
 * @BLOCK_STOPPING: it is given up, but jobs may still write to its memory
 * @BLOCK_STOPPED: no job writes to it any more
 *
 * Readers make CLAIMED, ASKED, FINISHED, REFUSED and STOPPING, the loader makes
 * the rest, and REFUSED and STOPPING, too.
 */
enum block_state {
	BLOCK_FREE,
	BLOCK_KNOWN,
	BLOCK_CLAIMED,
	BLOCK_ASKED,
	BLOCK_CHECKING,
	BLOCK_ACTIVE,
	BLOCK_FINISHED,
	BLOCK_REFUSED,
	BLOCK_STOPPING,
	BLOCK_STOPPED,
};

/**
 * struct preload_part - a block as it is in its file
 * @stamp: the file
 * @offset: where page 0 is in it
 * @length: bytes
 * @page_size: of a page
 * @bitmap: the pages present; all if NULL, and then @page_size is 4096
 * @present: bytes present
 */
struct preload_part {
	struct preload_stamp stamp;
	uint64_t offset;
	uint64_t length;
	uint32_t page_size;
	const uint8_t *bitmap;
	uint64_t present;
};

/**
 * struct preload_block - a slot for a block that may be loaded
 * @state: an enum block_state; may be waited for
 * @users: readers that look at the slot
 * @part: what is to be loaded
 * @counts: of the image
 * @dest: where to; set before BLOCK_ASKED
 * @slice_size: bytes of a slice, but for the last
 * @nr_slices: how many
 * @slices: an enum slice_state each; may be waited for
 * @position: the slice that was last read from
 * @answered: a bit for each page that was read
 * @left: bytes present that were not
 */
struct preload_block {
	atomic_uint state;
	atomic_uint users;
	struct preload_part part;
	struct preload_counts *counts;
	uint8_t *dest;
	uint64_t slice_size;
	uint64_t nr_slices;
	atomic_uint *slices;
	_Atomic uint64_t position;
	_Atomic uint64_t *answered;
	_Atomic uint64_t left;
};

static inline unsigned int block_state(struct preload_block *block)
{
	return atomic_load(&block->state);
}

bool preload_block_answers(struct preload_block *block, int fd,
			   const struct iovec *iov, int nr, off_t at);
bool preload_block_meets(struct preload_block *block, const void *start,
			 uint64_t length);
void preload_block_stop(struct preload_block *block, enum preload_count why);

int preload_block_prepare(struct preload_block *block);
void preload_block_skip_rest(struct preload_block *block);
bool preload_block_free(struct preload_block *block);

#endif /* PRELOAD_BLOCK_H */
