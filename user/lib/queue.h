/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_QUEUE_H
#define RAMLOAD_QUEUE_H

#include <ramload.h>

/* Unfinished jobs a queue has at most. */
#define QUEUE_MAX_JOBS	16

/**
 * struct ramload_queue - pages on their way to jobs
 * @session: where jobs are submitted
 * @fd: the file; the caller's
 * @io: whether to read past the page cache
 * @dontcache: leave the page cache as it was
 * @batch_bytes: submit when so many bytes are queued
 * @batch_ranges: submit when so many ranges are queued
 * @block: block of the queued ranges; looked at only if there are any
 * @ranges: queued ranges, room for @batch_ranges
 * @nr_ranges: how many there are
 * @bytes: how much that is
 * @jobs: unfinished jobs, a ring; the oldest is at @oldest
 * @oldest: index of the oldest job
 * @nr_jobs: how many there are
 * @sum: result of the jobs that are no more, since the last sync. A first
 *	error is in it and stays.
 * @load: ramload_load(), but in tests
 */
struct ramload_queue {
	struct ramload_session *session;
	int fd;
	enum ramload_io io;
	bool dontcache;
	uint64_t batch_bytes;
	unsigned int batch_ranges;
	const struct ramload_block *block;
	struct ramload_block *ranges;
	unsigned int nr_ranges;
	uint64_t bytes;
	struct ramload_job *jobs[QUEUE_MAX_JOBS];
	unsigned int oldest;
	unsigned int nr_jobs;
	struct ramload_result sum;
	int (*load)(struct ramload_session *session, int fd,
		    const struct ramload_block *blocks, size_t nr_blocks,
		    const struct ramload_load_options *options,
		    struct ramload_job **job);
};

#endif /* RAMLOAD_QUEUE_H */
