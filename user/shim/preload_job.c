// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_job
 *
 * Slices of blocks, each loaded by a job of its own. A reader is served as soon
 * as the slice it wants is there; jobs are never far ahead of the readers, so
 * that little is loaded in vain where a program does not go on.
 *
 * Used by the loader's thread alone. A slice is settled before its job is
 * freed, which may need a lock of the allocator that a reader holds whose
 * signal handler waits for the slice.
 */
#include "bitmap.h"
#include "preload_futex.h"
#include "preload_job.h"

/* How many slices from the last one read are loaded ahead */
#define AHEAD		8

static uint64_t slice_length(const struct preload_block *block, uint64_t i)
{
	return min_u64(block->slice_size,
		       block->part.length - i * block->slice_size);
}

/* What of a block a slice is; false if nothing of it is present. */
static bool make_slice(const struct preload_block *block, uint64_t i,
		       struct ramload_block *slice)
{
	const struct preload_part *part = &block->part;
	uint64_t offset = i * block->slice_size;
	uint64_t pages = slice_length(block, i) / part->page_size;

	*slice = (struct ramload_block){
		.file_offset = part->offset + offset,
		.length = slice_length(block, i),
		.dest = block->dest + offset,
		.bitmap = part->bitmap + offset / part->page_size / 8,
		.page_size = part->page_size,
	};
	return bitmap_next(slice->bitmap, 0, pages) < pages;
}

static void submit(struct preload_jobs *jobs, struct ramload_session *session,
		   int fd, struct preload_block *block, uint64_t i)
{
	unsigned int at = (jobs->first + jobs->nr) % NR_JOBS;
	struct ramload_block slice;
	struct ramload_job *job;

	if (!futex_change(&block->slices[i], SLICE_IDLE, SLICE_BUSY))
		return;
	if (!make_slice(block, i, &slice)) {
		futex_set(&block->slices[i], SLICE_DONE);
		return;
	}
	if (ramload_load(session, fd, &slice, 1, NULL, &job)) {
		futex_set(&block->slices[i], SLICE_FAILED);
		return;
	}
	jobs->job[at].job = job;
	jobs->job[at].block = block;
	jobs->job[at].slice = i;
	jobs->nr++;
}

/* Begin what should be under way of an active block. */
void preload_jobs_submit(struct preload_jobs *jobs,
			 struct ramload_session *session, int fd,
			 struct preload_block *block)
{
	uint64_t i = atomic_load(&block->position);
	uint64_t end = min_u64(i + AHEAD, block->nr_slices);

	for (; i < end && jobs->nr < NR_JOBS; i++)
		if (atomic_load(&block->slices[i]) == SLICE_IDLE)
			submit(jobs, session, fd, block, i);
}

/* Wait for the oldest job; returns how many bytes it loaded. */
uint64_t preload_jobs_finish_oldest(struct preload_jobs *jobs)
{
	struct preload_block *block = jobs->job[jobs->first].block;
	struct ramload_job *job = jobs->job[jobs->first].job;
	uint64_t slice = jobs->job[jobs->first].slice;
	struct ramload_result result = { 0 };
	int err;

	err = ramload_job_wait(job, &result);
	futex_set(&block->slices[slice], err ? SLICE_FAILED : SLICE_DONE);
	jobs->first = (jobs->first + 1) % NR_JOBS;
	jobs->nr--;
	ramload_job_free(job);
	return result.bytes_done;
}

/* Cancel what is under way of a block; false if nothing is. */
bool preload_jobs_cancel(struct preload_jobs *jobs,
			 const struct preload_block *block)
{
	bool any = false;

	for (unsigned int n = 0; n < jobs->nr; n++) {
		unsigned int i = (jobs->first + n) % NR_JOBS;

		if (jobs->job[i].block != block)
			continue;
		ramload_job_cancel(jobs->job[i].job);
		any = true;
	}
	return any;
}
