// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fill
 *
 * Loads a chunk: walks its segments, looks up what each is mapped to, has the
 * fill for that kind of mapping do it batch by batch, and tells the job what
 * became of it. A struct fill belongs to one worker and needs no lock; between
 * chunks it holds nothing.
 *
 * Between batches a worker looks whether the job is cancelled or its task is
 * dying, and lets others run. An error of another worker does not stop it in
 * mid-chunk: chunks are started in order, so when all started chunks have
 * come to their end, everything before the lowest error is loaded, and that is
 * what the result says.
 */

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "fill.h"
#include "load_job.h"
#include "load_request.h"

#ifndef RAMLOAD_HAVE_SHMEM_FILL
/* No target_vma has a file then. */
ssize_t fill_shmem(struct fill *f, const struct source_file *src,
		   unsigned long addr, loff_t pos, size_t bytes)
{
	return -EFAULT;
}
#endif

static int find_target(struct fill *f, unsigned long addr)
{
	if (addr >= f->target.start && addr < f->target.end)
		return 0;
	target_vma_put(&f->target);
	return target_vma_get(&f->target, f->mm, addr);
}

static ssize_t fill_batch(struct fill *f, struct load_job *job,
			  const struct load_segment *seg)
{
	const struct source_file *src = load_job_source(job);
	size_t bytes;
	int err;

	if (load_job_cancelled(job) || fatal_signal_pending(current))
		return -ECANCELED;
	err = find_target(f, seg->dest);
	if (err)
		return err;
	bytes = min_t(u64, seg->length, f->target.end - seg->dest);
	if (f->target.file)
		return fill_shmem(f, src, seg->dest, seg->file_offset, bytes);
	return fill_pinned(f, src, seg->dest, seg->file_offset, bytes);
}

/* Moves @seg on to the byte that was not loaded if there is an error. */
static int fill_segment(struct fill *f, struct load_job *job,
			struct load_segment *seg, u64 *done)
{
	while (seg->length) {
		ssize_t ret = fill_batch(f, job, seg);

		if (ret < 0)
			return ret;
		seg->file_offset += ret;
		seg->dest += ret;
		seg->length -= ret;
		*done += ret;
		cond_resched();
	}
	return 0;
}

/* Errors that speak of signals are not for the caller of another task. */
static int public_error(int err)
{
	switch (err) {
	case -EINTR:
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return -ECANCELED;
	default:
		return err;
	}
}

/**
 * fill_chunk() - load a chunk and account for it
 * @f: the worker's
 * @job: the job
 * @chunk: index of the chunk
 *
 * Context: process context, may sleep; no locks held.
 */
void fill_chunk(struct fill *f, struct load_job *job, u32 chunk)
{
	const struct load_request *req = load_job_request(job);
	struct load_position pos = req->chunks[chunk];
	struct load_segment seg;
	u64 done = 0;
	int err = 0;

	while (!err && load_request_next(req, &pos, req->chunks[chunk + 1],
					 &seg))
		err = fill_segment(f, job, &seg, &done);
	target_vma_put(&f->target);
	load_job_add_done(job, done);
	if (err)
		load_job_fail(job, seg.range, seg.file_offset,
			      public_error(err));
}
