/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_ENGINE_H
#define RAMLOAD_ENGINE_H

#include <ramload.h>

#include "partition.h"

/**
 * struct load_request - a checked load
 * @fd: the file, open for reading, regular or a block device
 * @io: whether to read past the page cache
 * @dontcache: leave the page cache as it was
 * @chunk: chunk size the caller asks for, 0 for the engine's default
 * @blocks: the blocks; the caller's array
 * @nr_blocks: number of elements
 * @partition: the blocks, cut. An engine that keeps it takes what it points to
 *	and leaves an empty one.
 */
struct load_request {
	int fd;
	enum ramload_io io;
	bool dontcache;
	uint64_t chunk;
	const struct ramload_block *blocks;
	size_t nr_blocks;
	struct partition partition;
};

/**
 * struct job_ops - the functions of a job
 * @result: see ramload_job_result()
 * @wait: return when the job is done
 * @cancel: see ramload_job_cancel()
 * @free: free a job that is done
 */
struct job_ops {
	int (*result)(struct ramload_job *job, struct ramload_result *result);
	int (*wait)(struct ramload_job *job);
	void (*cancel)(struct ramload_job *job);
	void (*free)(struct ramload_job *job);
};

/**
 * struct engine - who moves the bytes; the first member of each engine's own
 * @ops: its functions
 * @workers: number of workers
 * @threads: workers are threads of this process
 */
struct engine {
	const struct engine_ops *ops;
	unsigned int workers;
	bool threads;
};

/**
 * struct engine_ops - the functions of an engine
 * @type: which engine it is
 * @open: start it with so many workers, 0 for the default
 * @stop: cancel all jobs, wait for them and for the workers. Called any number
 *	of times, from any threads.
 * @close: free it; it has been stopped and has no jobs
 * @load: start a job; ESHUTDOWN after @stop
 */
struct engine_ops {
	enum ramload_engine type;
	int (*open)(const char *device, unsigned int workers,
		    struct engine **engine);
	void (*stop)(struct engine *engine);
	void (*close)(struct engine *engine);
	int (*load)(struct engine *engine, struct load_request *request,
		    struct ramload_job **job);
};

extern const struct engine_ops engine_kernel;
extern const struct engine_ops engine_user;

#endif /* RAMLOAD_ENGINE_H */
