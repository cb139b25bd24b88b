/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_WORKER_POOL_H
#define RAMLOAD_WORKER_POOL_H

#include <pthread.h>
#include <stdatomic.h>

#include "job.h"

struct worker_pool;
struct pool_job;

/**
 * struct pool_job_ops - what a kind of job does
 * @chunk: do a chunk. *@at is left at the first byte of the block that was not
 *	done, which matters if an error is returned. @worker is that of the
 *	pool, from 0 on: no other has the number.
 * @last: NULL, or called by the last worker in a job, without locks, before the
 *	job is done; not if it was cancelled
 */
struct pool_job_ops {
	int (*chunk)(struct pool_job *job, unsigned int worker,
		     const struct partition_chunk *chunk, uint64_t *at);
	void (*last)(struct pool_job *job);
};

/**
 * struct pool_job - a job of a pool; the first member of each kind's own
 * @job: what all jobs have; its ops are the kind's
 * @ops: what it does
 * @pool: the pool
 * @next: a younger unfinished job
 * @blocks: copy of the caller's
 * @partition: @blocks, cut
 * @bytes_total: bytes to do
 * @bytes_done: bytes done; the kind's to add to
 * @cursor: next chunk to be taken, may be past the last one
 * @halted: no more chunks are to be taken
 * @cancelled: nor those that were taken to be done to their end
 * @finished: @done was set
 * @users: workers that take chunks or do them
 * @done: no worker will ever look at the job again
 * @error: the error at the first byte that was not done, 0: none so far
 * @error_chunk: the chunk of that byte
 * @error_block: its block
 * @error_at: its offset in the block
 */
struct pool_job {
	struct ramload_job job;
	const struct pool_job_ops *ops;
	struct worker_pool *pool;
	struct pool_job *next;
	struct ramload_block *blocks;
	struct partition partition;
	uint64_t bytes_total;
	_Atomic uint64_t bytes_done;
	_Atomic uint64_t cursor;
	atomic_bool halted;
	atomic_bool cancelled;
	pthread_cond_t finished;
	unsigned int users;
	bool done;
	int error;
	uint64_t error_chunk;
	size_t error_block;
	uint64_t error_at;
};

int worker_pool_open(unsigned int workers, struct worker_pool **pool);
unsigned int worker_pool_workers(const struct worker_pool *pool);
void worker_pool_stop(struct worker_pool *pool);
void worker_pool_close(struct worker_pool *pool);
int worker_pool_submit(struct worker_pool *pool, struct pool_job *job);

int pool_job_init(struct pool_job *job, const struct ramload_block *blocks,
		  size_t nr_blocks, struct partition *partition);
void pool_job_destroy(struct pool_job *job);
int pool_job_result(struct ramload_job *job, struct ramload_result *result);
int pool_job_wait(struct ramload_job *job);
void pool_job_cancel(struct ramload_job *job);

#endif /* RAMLOAD_WORKER_POOL_H */
