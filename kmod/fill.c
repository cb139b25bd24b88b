// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fill
 *
 * Loads a chunk: walks its segments, looks up what each is mapped to, has the
 * fill for that kind of mapping do it batch by batch, and tells the job what
 * became of it. A struct fill belongs to one worker and needs no lock; between
 * calls it holds nothing but its place.
 *
 * A batch is what a fill does between two looks at the job. That of fill_shmem
 * may have many small segments; so a bitmap is walked ahead, and the segments
 * wait in an array.
 *
 * Between batches a worker looks whether the job is cancelled, its task is
 * dying, or a signal wants to be handled, and lets others run. An error of
 * another worker does not stop it in mid-chunk: chunks are started in order,
 * so when all started chunks have come to their end, everything before the
 * lowest error is loaded, and that is what the result says.
 */

#include <linux/blkdev.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "fault_point.h"
#include "fill.h"
#include "load_job.h"
#include "load_request.h"
#include "source_cache.h"
#include "source_file.h"
#include "trace.h"

#ifndef RAMLOAD_HAVE_SHMEM_FILL
/* No target_vma has a file then. */
ssize_t fill_shmem(struct fill *f, const struct source_file *src)
{
	return -EFAULT;
}
#endif

static int find_target(struct fill *f, unsigned long addr)
{
	if (fill_is_in_target(f, addr))
		return 0;
	target_vma_put(&f->target);
	return target_vma_get(&f->target, f->mm, addr);
}

static ssize_t fill_batch(struct fill *f, struct load_job *job)
{
	const struct source_file *src = load_job_source(job);
	const struct load_segment *seg = &f->segs[f->seg];
	ssize_t ret;
	int err;

	err = find_target(f, seg->dest);
	if (err)
		return err;
	if (f->target.file)
		return fill_shmem(f, src);
	if (!f->target.written_back &&
	    (f->target.userfault || f->cold ||
	     source_file_is_direct(src, seg->file_offset, fill_bytes(f)))) {
		ret = fill_pinned(f, src);
		/* Of memfd_secret(2) and devices, memory cannot be pinned. */
		if (ret != -EFAULT || f->target.userfault)
			return ret;
	}
	return fill_user(f, src);
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

/* Other workers are threads of the process and die with it. */
static bool is_orphan(const struct fill *f)
{
	return current->flags & PF_KTHREAD &&
	       target_is_gone(f->mm, f->process);
}

/* Returns 0 to go on, PAUSE, or the error that ends the job. */
static int may_go_on(const struct fill *f)
{
	if (load_job_cancelled(f->job) || fatal_signal_pending(current) ||
	    is_orphan(f))
		return -ECANCELED;
	if (signal_pending(current) || fault_point(FAULT_PAUSE))
		return PAUSE;
	return 0;
}

/* Returns as may_go_on(), where @err is what a batch ended with. */
static int batch_error(const struct fill *f, int err)
{
	int why;

	if (!is_interruption(err))
		return err;
	why = may_go_on(f);
	return why ?: -EINTR;
}

ssize_t fill_read_batch(struct fill *f)
{
	size_t done = 0;
	ssize_t ret;

	do {
		ret = source_batch_read(&f->batch);
		if (ret <= 0)
			break;
		done += ret;
	} while (!source_batch_done(&f->batch) && !may_go_on(f));
	return done ?: ret;
}

/* Moves on by @bytes that are loaded. */
static void advance(struct fill *f, u64 bytes)
{
	f->ahead_bytes -= min(bytes, f->ahead_bytes);
	while (bytes) {
		struct load_segment *seg = &f->segs[f->seg];
		u64 part = min(bytes, seg->length);

		seg->file_offset += part;
		seg->dest += part;
		seg->length -= part;
		f->seg += !seg->length;
		bytes -= part;
	}
}

/* Joins a segment to the one before it, if they adjoin in all. */
static bool join(struct load_segment *seg, const struct load_segment *next)
{
	if (seg->file_offset + seg->length != next->file_offset ||
	    seg->dest + seg->length != next->dest ||
	    seg->length >= FILL_SHMEM_BYTES)
		return false;
	seg->length += next->length;
	return true;
}

/*
 * Looks up the next segments. Ranges of a page each, one after the other, become
 * one.
 */
static void look_up_segments(struct fill *f, const struct load_request *req)
{
	struct load_segment seg;

	f->seg = 0;
	f->nr_segs = 0;
	while (f->nr_segs < FILL_SEGMENTS &&
	       load_request_next(req, &f->pos, f->end, &seg)) {
		if (f->nr_segs && join(&f->segs[f->nr_segs - 1], &seg))
			continue;
		f->segs[f->nr_segs++] = seg;
	}
}

/*
 * What the segments lie in, before they are read; nothing if they lie far apart:
 * others may be at work between them.
 */
static void note_span(struct fill *f)
{
	const struct load_segment *seg;
	u64 bytes = 0;

	f->span = U64_MAX;
	f->span_end = 0;
	for (seg = f->segs; seg < f->segs + f->nr_segs; seg++) {
		f->span = min(f->span, seg->file_offset);
		f->span_end = max(f->span_end, seg->file_offset + seg->length);
		bytes += seg->length;
	}
	if (f->span_end - f->span > FILL_SPAN * bytes)
		f->span_end = 0;
}

/* Of what has been loaded, drops what was not in the page cache. */
static void drop_span(struct fill *f, const struct source_file *src)
{
	if (f->span_end)
		source_cache_drop(src->before, f->span, f->span_end);
	f->span_end = 0;
}

/* One that is alone is long, or the last; source_file_read() decides. */
static bool are_cold(const struct fill *f, const struct source_file *src)
{
	const struct load_segment *last = &f->segs[f->nr_segs - 1];

	return f->nr_segs > 1 &&
	       source_file_is_cold(src, f->segs[0].file_offset,
				   last->file_offset + last->length);
}

/* Finds the next segments. False if that was the end of the chunk. */
static bool find_segments(struct fill *f, const struct load_job *job)
{
	const struct source_file *src = load_job_source(job);

	if (f->seg < f->nr_segs)
		return true;
	drop_span(f, src);
	look_up_segments(f, load_job_request(job));
	if (!f->nr_segs)
		return false;
	if (src->before)
		note_span(f);
	f->cold = are_cold(f, src);
	f->ahead = 0;
	f->ahead_to = 0;
	f->ahead_bytes = 0;
	return true;
}

/*
 * The next part to be read ahead, empty if that is enough. It is never behind
 * what is loaded: more than a batch was read ahead before each batch.
 */
static u64 next_ahead(struct fill *f, u64 *pos)
{
	const struct load_segment *seg = &f->segs[f->ahead];
	u64 end = seg->file_offset + seg->length;
	u64 bytes;

	*pos = max(f->ahead_to, seg->file_offset);
	bytes = min(end - *pos, FILL_AHEAD - f->ahead_bytes);
	f->ahead_to = *pos + bytes;
	f->ahead_bytes += bytes;
	if (f->ahead_to == end) {
		f->ahead++;
		f->ahead_to = 0;
	}
	return bytes;
}

/*
 * Has the device read what comes next, while the CPU copies what is there. The
 * first bytes tell whether the page cache has it all.
 */
static void read_ahead(struct fill *f, const struct source_file *src)
{
	struct blk_plug plug;
	bool cold;
	u64 pos, bytes;

	if (f->cold || f->ahead == f->nr_segs ||
	    f->ahead_bytes > FILL_AHEAD / 2)
		return;
	bytes = next_ahead(f, &pos);
	cold = source_file_may_read_ahead(src, pos);
	blk_start_plug(&plug);
	while (bytes) {
		if (cold)
			source_file_read_ahead(src, pos, bytes);
		if (f->ahead == f->nr_segs)
			break;
		bytes = next_ahead(f, &pos);
	}
	blk_finish_plug(&plug);
}

/* Loads what is left of the chunk; returns as may_go_on(). */
static int fill_chunk(struct fill *f, struct load_job *job)
{
	ssize_t ret;

	while (find_segments(f, job)) {
		ret = may_go_on(f);
		if (ret)
			return ret;
		read_ahead(f, load_job_source(job));
		ret = fill_batch(f, job);
		if (ret < 0)
			return batch_error(f, ret);
		advance(f, ret);
		f->done += ret;
		cond_resched();
	}
	return 0;
}

/* A segment may have ranges that adjoin; the error is of one of them. */
static void fail(struct fill *f, struct load_job *job, int err)
{
	const struct load_request *req = load_job_request(job);
	const struct load_segment *seg = &f->segs[f->seg];

	load_job_fail(job, load_request_find(req, seg), seg->file_offset, err);
}

/* Nothing more of the chunk will be loaded. */
static void end_chunk(struct fill *f, struct load_job *job, int err)
{
	if (err)
		fail(f, job, err);
	trace_chunk_done(job, f->chunk, f->chunk_bytes, f->chunk_direct, err);
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

	if (f->job != job)
		f->small = 0;
	f->job = job;
	f->chunk = chunk;
	f->chunk_bytes = 0;
	f->chunk_direct = 0;
	f->pos = req->chunks[chunk];
	f->end = req->chunks[chunk + 1];
	f->seg = 0;
	f->nr_segs = 0;
	f->span_end = 0;
	f->faulted = 0;
	f->in_place = false;
	trace_chunk_start(job, chunk);
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
	int err;

	f->done = 0;
	memset(&f->stats, 0, sizeof(f->stats));
	err = fill_chunk(f, job);
	source_batch_end(&f->batch);
	target_vma_put(&f->target);
	load_job_add_loaded(job, &f->stats, f->done);
	f->chunk_bytes += f->done;
	f->chunk_direct += f->stats.counts[STAT_DIRECT];
	if (err == PAUSE)
		return false;
	end_chunk(f, job, err);
	return true;
}

/**
 * fill_abandon() - give up what is left of a chunk
 * @f: of a worker that fill_run() has sent to handle signals
 * @job: the job, which is cancelled
 */
void fill_abandon(struct fill *f, struct load_job *job)
{
	end_chunk(f, job, -ECANCELED);
}
