// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: queue
 *
 * A queue collects pages into ranges and submits them as one job when there are
 * enough of them, or when a page of another block comes. It keeps its
 * unfinished jobs in the order of their submission and waits for the oldest
 * when there are too many, of its own or for the engine.
 *
 * Jobs are looked at when one is submitted, oldest first, so that a page costs
 * no system call and the first error is the first in the order of the queue.
 * After an error what was queued is dropped and the jobs that still run are
 * cancelled: the caller has to sync, and will be told of that error.
 *
 * A queue is used by one thread at a time and has no lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "block.h"
#include "queue.h"
#include "session.h"

#define DEFAULT_BATCH_BYTES	(UINT64_C(16) << 20)
#define DEFAULT_BATCH_RANGES	1024

RAMLOAD_API int ramload_queue_open(struct ramload_session *session, int fd,
				   const struct ramload_queue_options *options,
				   struct ramload_queue **queue)
{
	struct ramload_queue_options opts;
	struct ramload_queue *new;
	int err;

	*queue = NULL;
	err = options_copy(&opts, sizeof(opts), options);
	if (err)
		return err;
	if (opts.io > RAMLOAD_IO_BUFFERED)
		return -EINVAL;
	if (session_stopped(session))
		return -ESHUTDOWN;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->session = session;
	new->fd = fd;
	new->io = opts.io;
	new->dontcache = opts.dontcache;
	new->batch_bytes = opts.batch_bytes ?: DEFAULT_BATCH_BYTES;
	new->batch_ranges = opts.batch_ranges ?: DEFAULT_BATCH_RANGES;
	new->load = ramload_load;
	new->ranges = calloc(new->batch_ranges, sizeof(*new->ranges));
	if (!new->ranges) {
		free(new);
		return -ENOMEM;
	}
	*queue = new;
	return 0;
}

static struct ramload_job *oldest_job(struct ramload_queue *queue)
{
	return queue->jobs[queue->oldest];
}

/* Wait for the oldest job and add its result to the sum. */
static void finish_oldest(struct ramload_queue *queue)
{
	struct ramload_job *job = oldest_job(queue);
	struct ramload_result result = { 0 };
	int err;

	err = ramload_job_wait(job, &result);
	if (err == -ECANCELED && session_stopped(queue->session))
		err = -ESHUTDOWN;
	queue->sum.bytes_done += result.bytes_done;
	if (err && !queue->sum.error) {
		queue->sum.error = err;
		queue->sum.error_offset = result.error_offset;
	}
	ramload_job_free(job);
	queue->oldest = (queue->oldest + 1) % QUEUE_MAX_JOBS;
	queue->nr_jobs--;
}

static void cancel_jobs(struct ramload_queue *queue)
{
	for (unsigned int i = 0; i < queue->nr_jobs; i++)
		ramload_job_cancel(queue->jobs[(queue->oldest + i) %
					       QUEUE_MAX_JOBS]);
}

static void drop_ranges(struct ramload_queue *queue)
{
	queue->nr_ranges = 0;
	queue->bytes = 0;
}

/* Take note of what has finished, without waiting. Returns the first error. */
static int look_at_jobs(struct ramload_queue *queue)
{
	struct ramload_result result;

	while (queue->nr_jobs && !queue->sum.error) {
		if (!ramload_job_result(oldest_job(queue), &result) &&
		    !result.done)
			break;
		finish_oldest(queue);
	}
	if (queue->sum.error) {
		drop_ranges(queue);
		cancel_jobs(queue);
	}
	return queue->sum.error;
}

/* Errors that go away when a job has finished and its fds are closed. */
static bool is_too_many(int err)
{
	return err == -EBUSY || err == -EMFILE;
}

static int start_job(struct ramload_queue *queue, struct ramload_job **job)
{
	struct ramload_load_options options = {
		.size = sizeof(options),
		.io = queue->io,
		.dontcache = queue->dontcache,
	};
	int err;

	if (queue->nr_jobs == QUEUE_MAX_JOBS)
		finish_oldest(queue);
	for (;;) {
		err = queue->load(queue->session, queue->fd, queue->ranges,
				  queue->nr_ranges, &options, job);
		if (!is_too_many(err) || !queue->nr_jobs)
			return err;
		finish_oldest(queue);
	}
}

/* Make a job of what is queued, unless there was an error: then drop it. */
static int submit(struct ramload_queue *queue)
{
	struct ramload_job *job;
	int err;

	if (!queue->nr_ranges || look_at_jobs(queue))
		return queue->sum.error;
	err = start_job(queue, &job);
	if (err && !queue->sum.error) {
		queue->sum.error = err;
		queue->sum.error_offset = queue->ranges[0].file_offset;
	}
	if (!err) {
		queue->jobs[(queue->oldest + queue->nr_jobs) %
			    QUEUE_MAX_JOBS] = job;
		queue->nr_jobs++;
	}
	drop_ranges(queue);
	return look_at_jobs(queue);
}

/* Whether a page follows the last range; then that grows. */
static bool extend_range(struct ramload_queue *queue,
			 const struct ramload_block *block, uint64_t offset,
			 uint64_t length)
{
	struct ramload_block *last;

	if (!queue->nr_ranges)
		return false;
	last = &queue->ranges[queue->nr_ranges - 1];
	if (last->file_offset + last->length != block->file_offset + offset)
		return false;
	last->length += length;
	return true;
}

static void add_range(struct ramload_queue *queue,
		      const struct ramload_block *block, uint64_t offset,
		      uint64_t length)
{
	queue->ranges[queue->nr_ranges++] = (struct ramload_block){
		.file_offset = block->file_offset + offset,
		.length = length,
		.dest = (char *)block->dest + offset,
	};
}

RAMLOAD_API int ramload_queue_page(struct ramload_queue *queue,
				   const struct ramload_block *block,
				   uint64_t offset, uint64_t length)
{
	int err = queue->sum.error;

	if (!length || offset > block->length ||
	    length > block->length - offset)
		return -EINVAL;
	if (block_wraps(block))
		return -EOVERFLOW;
	if (!err && session_stopped(queue->session))
		err = -ESHUTDOWN;
	if (!err && queue->block != block)
		err = submit(queue);
	if (err)
		return err;
	queue->block = block;
	if (!extend_range(queue, block, offset, length))
		add_range(queue, block, offset, length);
	queue->bytes += length;
	queue->sum.bytes_total += length;
	if (queue->bytes >= queue->batch_bytes ||
	    queue->nr_ranges == queue->batch_ranges)
		return submit(queue);
	return 0;
}

RAMLOAD_API int ramload_queue_sync(struct ramload_queue *queue,
				   struct ramload_result *result)
{
	int err;

	submit(queue);
	while (queue->nr_jobs) {
		finish_oldest(queue);
		if (queue->sum.error)
			cancel_jobs(queue);
	}
	err = queue->sum.error;
	queue->sum.done = true;
	if (result)
		*result = queue->sum;
	queue->sum = (struct ramload_result){ 0 };
	queue->block = NULL;
	return err;
}

RAMLOAD_API void ramload_queue_close(struct ramload_queue *queue)
{
	if (!queue)
		return;
	cancel_jobs(queue);
	while (queue->nr_jobs)
		finish_oldest(queue);
	free(queue->ranges);
	free(queue);
}
