// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fill
 *
 * Loads a chunk: walks its segments, looks up what each is mapped to, has the
 * fill for that kind of mapping do it batch by batch, and tells the job what
 * became of it. A struct fill belongs to one worker and needs no lock; between
 * calls it holds nothing but its place.
 *
 * Between batches a worker looks whether the job is cancelled, its task is
 * dying, or a signal wants to be handled, and lets others run. An error of
 * another worker does not stop it in mid-chunk: chunks are started in order,
 * so when all started chunks have come to their end, everything before the
 * lowest error is loaded, and that is what the result says.
 */

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "fault_point.h"
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

static ssize_t fill_batch(struct fill *f, struct load_job *job)
{
	const struct source_file *src = load_job_source(job);
	const struct load_segment *seg = &f->seg;
	size_t bytes;
	int err;

	err = find_target(f, seg->dest);
	if (err)
		return err;
	bytes = min_t(u64, seg->length, f->target.end - seg->dest);
	if (f->target.file)
		return fill_shmem(f, src, seg->dest, seg->file_offset, bytes);
	return fill_pinned(f, src, seg->dest, seg->file_offset, bytes);
}

/* Is @err how somebody below us says that a signal is pending? */
static bool is_interruption(int err)
{
	switch (err) {
	case -EINTR:
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return true;
	default:
		return false;
	}
}

/* The thread has a signal to handle first: SIGSTOP, the freezer. */
#define PAUSE	1

/* Returns 0 to go on, PAUSE, or the error that ends the job. */
static int may_go_on(const struct load_job *job)
{
	if (load_job_cancelled(job) || fatal_signal_pending(current))
		return -ECANCELED;
	if (signal_pending(current) || fault_point(FAULT_PAUSE))
		return PAUSE;
	return 0;
}

/* Returns as may_go_on(), where @err is what a batch ended with. */
static int batch_error(const struct load_job *job, int err)
{
	int why;

	if (!is_interruption(err))
		return err;
	why = may_go_on(job);
	return why ?: -EINTR;
}

/* Loads what is left of the segment; returns as may_go_on(). */
static int fill_segment(struct fill *f, struct load_job *job, u64 *done)
{
	struct load_segment *seg = &f->seg;
	ssize_t ret;

	while (seg->length) {
		ret = may_go_on(job);
		if (ret)
			return ret;
		ret = fill_batch(f, job);
		if (ret < 0)
			return batch_error(job, ret);
		seg->file_offset += ret;
		seg->dest += ret;
		seg->length -= ret;
		*done += ret;
		cond_resched();
	}
	return 0;
}

/**
 * fill_start() - begin with a chunk
 * @f: the worker's
 * @job: the job
 * @chunk: index of the chunk
 */
void fill_start(struct fill *f, const struct load_job *job, u32 chunk)
{
	const struct load_request *req = load_job_request(job);

	f->pos = req->chunks[chunk];
	f->end = req->chunks[chunk + 1];
	f->seg.length = 0;
	f->in_place = false;
}

/**
 * fill_run() - load what is left of a chunk, and account for it
 * @f: the worker's
 * @job: the job that fill_start() was called with
 *
 * Context: process context, may sleep; no locks held.
 * Return: true if that is the end of the chunk; false if the thread has to
 * handle signals before it calls again.
 */
bool fill_run(struct fill *f, struct load_job *job)
{
	const struct load_request *req = load_job_request(job);
	u64 done = 0;
	int err;

	do {
		err = fill_segment(f, job, &done);
	} while (!err && load_request_next(req, &f->pos, f->end, &f->seg));
	target_vma_put(&f->target);
	load_job_add_done(job, done);
	if (err == PAUSE)
		return false;
	if (err)
		load_job_fail(job, f->seg.range, f->seg.file_offset, err);
	return true;
}

/**
 * fill_abandon() - give up what is left of a chunk
 * @f: of a worker that fill_run() has sent to handle signals
 * @job: the job, which is cancelled
 */
void fill_abandon(struct fill *f, struct load_job *job)
{
	load_job_fail(job, f->seg.range, f->seg.file_offset, -ECANCELED);
}
