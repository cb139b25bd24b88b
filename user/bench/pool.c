// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What workers share is in a shared mapping, so that they may be threads or
 * processes: a barrier that they wait at before and after the load, and the
 * cursor. A chunk is 2 MiB, so that no two workers fault in the same huge page.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bits.h"
#include "block.h"
#include "pool.h"

#define CHUNK	(UINT64_C(2) << 20)

/**
 * struct bench_pool - the workers
 * @barrier: they and the caller meet here when they are made, when they are to
 *	begin, and when they have loaded
 * @cursor: next chunk to be taken
 * @error: of whoever failed
 * @bytes: of this mapping
 * @nr: how many workers
 * @workers: what each is
 */
struct bench_pool {
	pthread_barrier_t barrier;
	_Atomic uint64_t cursor;
	atomic_int error;
	size_t bytes;
	unsigned int nr;
	struct {
		struct bench_worker worker;
		pthread_t thread;
		pid_t pid;
	} workers[];
};

/* The chunk of that number: a piece of a block. False if there is none. */
static bool find_chunk(const struct bench_image *image, uint64_t i,
		       size_t *block, uint64_t *at)
{
	for (*block = 0; *block < image->nr_blocks; (*block)++) {
		uint64_t nr = (image->blocks[*block].length + CHUNK - 1) /
			      CHUNK;

		if (i < nr) {
			*at = i * CHUNK;
			return true;
		}
		i -= nr;
	}
	return false;
}

static int load_chunk(struct bench_worker *worker, size_t i, uint64_t at)
{
	const struct ramload_block *block = bench_block(worker->load, i);
	uint64_t end = min_u64(at + CHUNK, block->length), run_end;
	int err = 0;

	while (!err && at < end) {
		run_end = block_next_run(block, &at, end);
		if (at < run_end)
			err = worker->load->method->run(worker, i, at, run_end);
		at = run_end;
	}
	return err;
}

static int load_chunks(struct bench_pool *pool, struct bench_worker *worker)
{
	const struct bench_method *method = worker->load->method;
	const struct bench_image *image = worker->load->setup->image;
	uint64_t at;
	size_t block;
	int err = 0;

	while (!err && find_chunk(image, atomic_fetch_add(&pool->cursor, 1),
				  &block, &at))
		err = load_chunk(worker, block, at);
	if (!err && method->drain)
		err = method->drain(worker);
	return err;
}

static void *work(void *arg)
{
	struct bench_worker *worker = arg;
	const struct bench_method *method = worker->load->method;
	struct bench_pool *pool = worker->load->pool;
	int err = 0;

	if (method->start)
		err = method->start(worker);
	pthread_barrier_wait(&pool->barrier);
	pthread_barrier_wait(&pool->barrier);
	if (!err)
		err = load_chunks(pool, worker);
	if (err)
		atomic_store(&pool->error, err);
	pthread_barrier_wait(&pool->barrier);
	if (method->stop)
		method->stop(worker);
	return NULL;
}

static int start_worker(struct bench_load *load, unsigned int i)
{
	struct bench_pool *pool = load->pool;

	pool->workers[i].worker.load = load;
	if (!(load->method->flags & BENCH_PROCESSES))
		return -pthread_create(&pool->workers[i].thread, NULL, work,
				       &pool->workers[i].worker);
	pool->workers[i].pid = fork();
	if (!pool->workers[i].pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(&pool->workers[i].worker);
		_exit(0);
	}
	return pool->workers[i].pid < 0 ? -errno : 0;
}

int bench_pool_start(struct bench_load *load)
{
	unsigned int nr = load->setup->workers;
	struct bench_pool *pool;
	pthread_barrierattr_t attr;
	size_t bytes = sizeof(*pool) + nr * sizeof(pool->workers[0]);

	pool = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pool == MAP_FAILED)
		return -errno;
	pool->bytes = bytes;
	pool->nr = nr;
	load->pool = pool;
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&pool->barrier, &attr, nr + 1);
	pthread_barrierattr_destroy(&attr);
	for (unsigned int i = 0; i < nr; i++) {
		int err = start_worker(load, i);

		/* Those that were started wait for all: there is no way back. */
		if (err) {
			fprintf(stderr, "ramload: cannot start %u workers: %s\n",
				nr, strerror(-err));
			exit(1);
		}
	}
	pthread_barrier_wait(&pool->barrier);
	return 0;
}

int bench_pool_run(struct bench_load *load)
{
	struct bench_pool *pool = load->pool;

	pthread_barrier_wait(&pool->barrier);
	pthread_barrier_wait(&pool->barrier);
	return atomic_load(&pool->error);
}

void bench_pool_stop(struct bench_load *load)
{
	struct bench_pool *pool = load->pool;

	for (unsigned int i = 0; i < pool->nr; i++) {
		if (pool->workers[i].pid)
			waitpid(pool->workers[i].pid, NULL, 0);
		else
			pthread_join(pool->workers[i].thread, NULL);
	}
	pthread_barrier_destroy(&pool->barrier);
	munmap(pool, pool->bytes);
	load->pool = NULL;
}
