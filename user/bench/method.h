/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Methods: ways to get an image into memory
 */
#ifndef BENCH_METHOD_H
#define BENCH_METHOD_H

#include "bench.h"

struct bench_pool;

/**
 * struct bench_memory - memory of a block
 * @memory: what the library made
 * @address: where it is mapped
 * @fd: its file, -1 if it is anonymous
 */
struct bench_memory {
	struct ramload_memory *memory;
	char *address;
	int fd;
};

/**
 * struct bench_load - a load
 * @setup: what is asked for
 * @method: by which method
 * @fd: the file as the method is to read it: direct or not
 * @memories: of each block
 * @pool: workers, of a method that has a run function
 * @seconds: what the method says that it took; 0: measure it
 * @state: the method's own
 */
struct bench_load {
	const struct bench_setup *setup;
	const struct bench_method *method;
	int fd;
	struct bench_memory *memories;
	struct bench_pool *pool;
	double seconds;
	void *state;
};

/**
 * struct bench_worker - one of the threads or processes
 * @load: what it works for
 * @state: its own
 */
struct bench_worker {
	struct bench_load *load;
	void *state;
};

enum bench_method_flags {
	BENCH_RAMLOAD = 1 << 0,		/* an engine, no peer */
	BENCH_LIMIT = 1 << 1,		/* what no load can beat */
	BENCH_NEEDS_FILE = 1 << 2,	/* memory that is a file */
	BENCH_NEEDS_SHMEM = 1 << 3,	/* one of small pages or THP */
	BENCH_CAN_READ_DIRECT = 1 << 4,
	BENCH_PROCESSES = 1 << 5,	/* workers are processes */
	BENCH_NEEDS_COLD = 1 << 6,	/* says nothing of a warm cache */
	BENCH_LOADS_NOTHING = 1 << 7,
};

/**
 * struct bench_method - a method
 * @name: its name
 * @help: what it does
 * @flags: see above
 * @prepare: before the time counts; NULL: nothing to do
 * @load: do it all; NULL if there is @run
 * @start: of a worker, before the time counts; NULL: nothing to do
 * @run: of a worker: load present bytes of a block. May leave them to @drain.
 * @drain: of a worker: finish what @run has begun; NULL: nothing to do
 * @stop: of a worker that was started
 * @complete: when all workers have loaded; counts; NULL: nothing to do
 * @finish: of a load that was prepared
 *
 * They return 0 or a negative errno, -EOPNOTSUPP if it cannot be done here.
 */
struct bench_method {
	const char *name;
	const char *help;
	unsigned int flags;
	int (*prepare)(struct bench_load *load);
	int (*load)(struct bench_load *load);
	int (*start)(struct bench_worker *worker);
	int (*run)(struct bench_worker *worker, size_t block, uint64_t at,
		   uint64_t end);
	int (*drain)(struct bench_worker *worker);
	void (*stop)(struct bench_worker *worker);
	int (*complete)(struct bench_load *load);
	void (*finish)(struct bench_load *load);
};

/** bench_method() - the i-th method, NULL at the end; engines come first */
const struct bench_method *bench_method(size_t i);

/** bench_method_find() - a method by its name, or NULL */
const struct bench_method *bench_method_find(const char *name);

/** bench_method_fits() - whether it can do what is asked for at all */
bool bench_method_fits(const struct bench_method *method,
		       const struct bench_setup *setup);

static inline const struct ramload_block *
bench_block(const struct bench_load *load, size_t i)
{
	return &load->setup->image->blocks[i];
}

extern const struct bench_method bench_method_kernel;
extern const struct bench_method bench_method_kernel_ranges;
extern const struct bench_method bench_method_user;
extern const struct bench_method bench_method_pread;
extern const struct bench_method bench_method_preadv;
extern const struct bench_method bench_method_processes;
extern const struct bench_method bench_method_fio;
extern const struct bench_method bench_method_limit;
extern const struct bench_method bench_method_memcpy;
extern const struct bench_method bench_method_pwrite;
extern const struct bench_method bench_method_sendfile;
extern const struct bench_method bench_method_copy_range;
extern const struct bench_method bench_method_uffd;
extern const struct bench_method bench_method_private;
#ifdef RAMLOAD_HAVE_URING
extern const struct bench_method bench_method_uring;
extern const struct bench_method bench_method_uring_fixed;
#endif

#endif /* BENCH_METHOD_H */
