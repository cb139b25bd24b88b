/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_LOAD_JOB_H
#define RAMLOAD_LOAD_JOB_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "load_request.h"
#include "source_file.h"
#include "stats.h"

struct cred;
struct job_status;
struct worker_pool;

/**
 * struct load_job - a submission
 * @id: its id, for those who look from outside
 * @ref: references: of the submitter or the job's file; of the pool, from
 *	submission until the job is done
 * @pool: the pool it was submitted to, with a reference; NULL before
 * @node: in worker_pool.jobs while there may be chunks to take; under
 *	worker_pool.lock
 * @running: workers that have it; under worker_pool.lock
 * @request: what to load; until the job is done
 * @cred: credentials of the task that submitted it
 * @source: where from; closed by the owner, who is the first to see the end
 * @nr_ranges: ranges of the request
 * @nr_chunks: chunks of it
 * @bytes_total: bytes to load
 * @submit_ns: when it was submitted, of CLOCK_BOOTTIME
 * @first_ns: when its first chunk was taken, or 0
 * @done_ns: when it was done, or 0
 * @cancelled: workers are to stop at once
 * @failed: workers are to take no more chunks
 * @done: no worker will touch the job, or the destination on its behalf, again
 * @wait: woken when @done is set
 * @cursor: index of the next chunk to take
 * @bytes_done: bytes loaded
 * @told: when the last progress was told of, or when it was submitted, in
 *	jiffies
 * @lock: protects the error and @stats
 * @error: 0 or the errno of the lowest position that failed
 * @error_range: the range it is in
 * @error_offset: its offset in the source
 * @stats: what workers have counted
 */
struct load_job {
	u32 id;
	struct kref ref;
	struct worker_pool *pool;
	struct list_head node;
	unsigned int running;
	struct load_request *request;
	const struct cred *cred;
	struct source_file source;
	u32 nr_ranges;
	u32 nr_chunks;
	u64 bytes_total;
	u64 submit_ns;
	u64 first_ns;
	u64 done_ns;
	bool cancelled;
	bool failed;
	bool done;
	wait_queue_head_t wait;

	/* Written once for each chunk, by all workers. */
	atomic_t cursor ____cacheline_aligned_in_smp;
	atomic64_t bytes_done;
	unsigned long told;
	spinlock_t lock;	/* the error, and stats */
	int error;
	u32 error_range;
	u64 error_offset;
	struct stats stats;
};

struct ramload_job_result;

struct load_job *load_job_create(struct load_request *request,
				 struct source_file *source);
struct load_job *load_job_get(struct load_job *job);
void load_job_put(struct load_job *job);

/* For workers, and for the pool they belong to. */
bool load_job_cancelled(const struct load_job *job);
bool load_job_take_chunk(struct load_job *job, u32 *chunk);
void load_job_add_loaded(struct load_job *job, const struct stats *stats,
			 u64 bytes);
void load_job_fail(struct load_job *job, u32 range, u64 file_offset,
		   int error);
void load_job_finish(struct load_job *job);

/* For the owner of the job. */
void load_job_cancel(struct load_job *job);
void load_job_close_source(struct load_job *job);
int load_job_wait_killable(struct load_job *job);
int load_job_wait_interruptible(struct load_job *job);
void load_job_result(struct load_job *job, struct ramload_job_result *res);

/* For those who look from outside. */
void load_job_status(struct load_job *job, struct job_status *status);

static inline bool load_job_done(const struct load_job *job)
{
	/* Pairs with the release in load_job_finish(). */
	return smp_load_acquire(&job->done);
}

static inline const struct load_request *
load_job_request(const struct load_job *job)
{
	return job->request;
}

static inline const struct source_file *
load_job_source(const struct load_job *job)
{
	return &job->source;
}

#endif /* RAMLOAD_LOAD_JOB_H */
