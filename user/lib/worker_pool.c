// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: worker_pool
 *
 * Threads of this process that do jobs chunk by chunk. What is done with a chunk
 * is the job's own affair.
 *
 * **Workers** sleep until a job has chunks to take. They take from the oldest
 * such job, with an atomic cursor and no lock, until it has none left, and go
 * on to the next.
 *
 * **Errors.** Chunks are taken in order. After an error no more are, but those
 * taken already are done to their end; only a cancel ends them early, and
 * then each worker reports how far it got. So of all errors reported, that of
 * the lowest chunk is at the first byte that was not done.
 *
 * **Cancellation.** A thread that is cancelled (pthread_cancel()) with the lock would
 * end with it: so it is not while it waits, nor where it writes.
 *
 * **Locking.** worker_pool.lock protects the list of unfinished jobs and, of
 * each job, users, done, and the error. What workers look at between two chunks
 * is atomic. A job is done, under the lock, when no worker is in it and no
 * chunk is to be taken; the workers never look at it after that.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "block.h"
#include "session.h"
#include "worker_pool.h"

#define MAX_WORKERS	256

/* Lengths in files are 64 bits long, and so memory has to be. */
_Static_assert(sizeof(size_t) == 8, "the library is for 64-bit machines");

struct pool_worker {
	struct worker_pool *pool;
	pthread_t thread;
};

/**
 * struct worker_pool - a pool of threads
 * @lock: see above
 * @work: there may be chunks to take, or the pool stops
 * @stopped_cond: @stopped was set
 * @jobs: oldest unfinished job
 * @tail: where the next job is linked
 * @stopping: no jobs are taken any more; the workers end
 * @stopped: the workers have ended
 * @nr_workers: how many there are
 * @workers: the workers
 */
struct worker_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t stopped_cond;
	struct pool_job *jobs;
	struct pool_job **tail;
	bool stopping;
	bool stopped;
	unsigned int nr_workers;
	struct pool_worker workers[];
};

static struct pool_job *to_job(struct ramload_job *job)
{
	return (struct pool_job *)job;
}

/* Called with the pool's lock held. */
static void set_error(struct pool_job *job, int error, uint64_t i,
		      size_t block, uint64_t at)
{
	if (job->error && job->error_chunk < i)
		return;
	job->error = error;
	job->error_chunk = i;
	job->error_block = block;
	job->error_at = at;
}

static void take_chunks(struct pool_job *job, unsigned int worker)
{
	while (!atomic_load(&job->halted)) {
		uint64_t i = atomic_fetch_add(&job->cursor, 1);
		struct partition_chunk chunk;
		uint64_t at;
		int err;

		if (i >= job->partition.nr_chunks)
			return;
		chunk = partition_chunk(&job->partition, i);
		err = job->ops->chunk(job, worker, &chunk, &at);
		if (!err)
			continue;
		atomic_store(&job->halted, true);
		pthread_mutex_lock(&job->pool->lock);
		set_error(job, err, i, chunk.block, at);
		pthread_mutex_unlock(&job->pool->lock);
	}
}

static bool has_chunks(struct pool_job *job)
{
	return !atomic_load(&job->halted) &&
	       atomic_load(&job->cursor) < job->partition.nr_chunks;
}

/*
 * A cancelled job failed only if there was something left to do: chunks that
 * were not taken may have no page in them.
 */
static void find_cancelled(struct pool_job *job)
{
	uint64_t i = atomic_load(&job->cursor);

	for (; !job->error && i < job->partition.nr_chunks; i++) {
		struct partition_chunk chunk;
		uint64_t at, end;

		chunk = partition_chunk(&job->partition, i);
		at = chunk.offset;
		end = chunk.offset + chunk.length;
		block_next_run(&job->blocks[chunk.block], &at, end);
		if (at < end)
			set_error(job, -ECANCELED, i, chunk.block, at);
	}
}

/*
 * Called with the pool's lock held, when no worker is in the job and none
 * will come. After the lock is released the job may be gone.
 */
static void finish_job(struct pool_job *job)
{
	struct worker_pool *pool = job->pool;
	struct pool_job **link = &pool->jobs;
	int cancel;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	if (!job->next)
		pool->tail = link;
	find_cancelled(job);
	job->done = true;
	pthread_cond_broadcast(&job->finished);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	eventfd_write(job->job.fd, 1);
	pthread_setcancelstate(cancel, NULL);
}

/* Called with the pool's lock held. */
static void cancel_job(struct pool_job *job)
{
	if (job->done)
		return;
	atomic_store(&job->cancelled, true);
	atomic_store(&job->halted, true);
	if (!job->users)
		finish_job(job);
}

/*
 * The oldest job with chunks to take. The loop is short: a job without them has
 * a worker in it.
 */
static struct pool_job *find_job(struct worker_pool *pool)
{
	struct pool_job *job = pool->jobs;

	while (job && !has_chunks(job))
		job = job->next;
	return job;
}

/*
 * Called with the pool's lock held. Chunks are left neither for this worker nor
 * for others, so the last one in a job is alone there.
 */
static void leave_job(struct worker_pool *pool, struct pool_job *job)
{
	if (job->ops->last && job->users == 1 &&
	    !atomic_load(&job->cancelled)) {
		pthread_mutex_unlock(&pool->lock);
		job->ops->last(job);
		pthread_mutex_lock(&pool->lock);
	}
	if (!--job->users)
		finish_job(job);
}

static void *work(void *arg)
{
	struct pool_worker *self = arg;
	struct worker_pool *pool = self->pool;
	struct pool_job *job;

	pthread_mutex_lock(&pool->lock);
	while (!pool->stopping) {
		job = find_job(pool);
		if (!job) {
			pthread_cond_wait(&pool->work, &pool->lock);
			continue;
		}
		job->users++;
		pthread_mutex_unlock(&pool->lock);
		take_chunks(job, self - pool->workers);
		pthread_mutex_lock(&pool->lock);
		leave_job(pool, job);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/*
 * Signals are for the caller's threads; but those that say what a worker's own access to
 * memory met stay as they are: who has a handler for them has it for workers, too.
 */
static int start_workers(struct worker_pool *pool, unsigned int nr)
{
	static const int own[] = { SIGBUS, SIGSEGV };
	sigset_t all, old;
	int err = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, NULL, &old);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!sigismember(&old, own[i]))
			sigdelset(&all, own[i]);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	while (!err && pool->nr_workers < nr) {
		struct pool_worker *worker = &pool->workers[pool->nr_workers];

		worker->pool = pool;
		err = pthread_create(&worker->thread, NULL, work, worker);
		if (!err) {
			pthread_setname_np(worker->thread, "ramload");
			pool->nr_workers++;
		}
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

static void end_workers(struct worker_pool *pool)
{
	for (unsigned int i = 0; i < pool->nr_workers; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_mutex_lock(&pool->lock);
	pool->stopped = true;
	pthread_cond_broadcast(&pool->stopped_cond);
	pthread_mutex_unlock(&pool->lock);
}

/**
 * worker_pool_stop() - cancel all jobs, wait for them and for the workers
 * @pool: the pool. May be called any number of times, from any threads.
 */
void worker_pool_stop(struct worker_pool *pool)
{
	struct pool_job *next;
	int cancel;
	bool first;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&pool->lock);
	first = !pool->stopping;
	pool->stopping = true;
	for (struct pool_job *job = pool->jobs; job; job = next) {
		next = job->next;
		cancel_job(job);
	}
	pthread_cond_broadcast(&pool->work);
	while (!first && !pool->stopped)
		pthread_cond_wait(&pool->stopped_cond, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	if (first)
		end_workers(pool);
	pthread_setcancelstate(cancel, NULL);
}

/** worker_pool_close() - free a pool that was stopped and has no jobs */
void worker_pool_close(struct worker_pool *pool)
{
	pthread_cond_destroy(&pool->stopped_cond);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/**
 * worker_pool_open() - start workers
 * @workers: how many, 0 for the default
 * @pool: where the pool is returned
 *
 * Return: 0, -EINVAL: too many, -ENOMEM, -EAGAIN
 */
int worker_pool_open(unsigned int workers, struct worker_pool **pool)
{
	struct worker_pool *new;
	int err;

	if (!workers)
		workers = default_workers();
	if (workers > MAX_WORKERS)
		return -EINVAL;
	new = calloc(1, sizeof(*new) + workers * sizeof(new->workers[0]));
	if (!new)
		return -ENOMEM;
	new->tail = &new->jobs;
	pthread_mutex_init(&new->lock, NULL);
	pthread_cond_init(&new->work, NULL);
	pthread_cond_init(&new->stopped_cond, NULL);
	err = start_workers(new, workers);
	if (err) {
		worker_pool_stop(new);
		worker_pool_close(new);
		return err;
	}
	*pool = new;
	return 0;
}

/** worker_pool_workers() - how many workers there are */
unsigned int worker_pool_workers(const struct worker_pool *pool)
{
	return pool->nr_workers;
}

/**
 * worker_pool_submit() - have a job done
 * @pool: the pool
 * @job: the job, by pool_job_init(), with its ops set
 *
 * Return: 0, or -ESHUTDOWN: the pool was stopped
 */
int worker_pool_submit(struct worker_pool *pool, struct pool_job *job)
{
	int err = 0;

	job->pool = pool;
	pthread_mutex_lock(&pool->lock);
	if (pool->stopping) {
		err = -ESHUTDOWN;
		goto out;
	}
	*pool->tail = job;
	pool->tail = &job->next;
	if (has_chunks(job))
		pthread_cond_broadcast(&pool->work);
	else
		finish_job(job);
out:
	pthread_mutex_unlock(&pool->lock);
	return err;
}

/**
 * pool_job_init() - set up a job that is all zero
 * @job: the job
 * @blocks: copied
 * @nr_blocks: number of elements
 * @partition: @blocks, cut; taken, an empty one is left, but on error
 *
 * Return: 0, -ENOMEM, or an error of eventfd()
 */
int pool_job_init(struct pool_job *job, const struct ramload_block *blocks,
		  size_t nr_blocks, struct partition *partition)
{
	int err;

	job->blocks = calloc(nr_blocks, sizeof(*blocks));
	if (!job->blocks)
		return -ENOMEM;
	memcpy(job->blocks, blocks, nr_blocks * sizeof(*blocks));
	job->bytes_total = blocks_bytes(blocks, nr_blocks);
	job->job.fd = eventfd(0, EFD_CLOEXEC);
	if (job->job.fd < 0) {
		err = -errno;
		free(job->blocks);
		return err;
	}
	pthread_cond_init(&job->finished, NULL);
	job->partition = *partition;
	*partition = (struct partition){ 0 };
	return 0;
}

/** pool_job_destroy() - what pool_job_init() did; the job is done or was refused */
void pool_job_destroy(struct pool_job *job)
{
	close(job->job.fd);
	pthread_cond_destroy(&job->finished);
	partition_destroy(&job->partition);
	free(job->blocks);
}

/** pool_job_result() - of struct job_ops */
int pool_job_result(struct ramload_job *job, struct ramload_result *result)
{
	struct pool_job *self = to_job(job);

	*result = (struct ramload_result){ .bytes_total = self->bytes_total };
	pthread_mutex_lock(&self->pool->lock);
	result->done = self->done;
	result->bytes_done = atomic_load(&self->bytes_done);
	if (self->done && self->error) {
		result->error = self->error;
		result->error_block = self->error_block;
		result->error_offset = self->error_at +
			self->blocks[self->error_block].file_offset;
	}
	pthread_mutex_unlock(&self->pool->lock);
	return 0;
}

/** pool_job_wait() - of struct job_ops */
int pool_job_wait(struct ramload_job *job)
{
	struct pool_job *self = to_job(job);
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&self->pool->lock);
	while (!self->done)
		pthread_cond_wait(&self->finished, &self->pool->lock);
	pthread_mutex_unlock(&self->pool->lock);
	pthread_setcancelstate(cancel, NULL);
	return 0;
}

/** pool_job_cancel() - of struct job_ops */
void pool_job_cancel(struct ramload_job *job)
{
	struct pool_job *self = to_job(job);

	pthread_mutex_lock(&self->pool->lock);
	cancel_job(self);
	pthread_mutex_unlock(&self->pool->lock);
}
