// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: engine_user
 *
 * Threads of this process that pread() straight into the destination. It is
 * what runs where there is no module, and what the module is compared with.
 *
 * **Cold files.** Of a chunk with several runs that is not in the page cache, all
 * are read ahead; past the page cache, those that lie close together are one
 * preadv(), and gaps go to a sink (gather.c). Runs that are cached are read one
 * after the other: a gap that is copied, too, saves a call but costs memory
 * bandwidth.
 *
 * **Workers** sleep until a job has chunks to take. They take from the oldest
 * such job, with an atomic cursor and no lock, until it has none left, and go
 * on to the next.
 *
 * **Errors.** Chunks are taken in order. After an error no more are, but those
 * taken already are loaded to their end; only a cancel ends them early, and
 * then each worker reports how far it got. So of all errors reported, that of
 * the lowest chunk is at the first byte that was not loaded.
 *
 * **Locking.** user_engine.lock protects the list of unfinished jobs and, of
 * each job, users, done, and the error. What workers look at between two reads
 * is atomic. A job is done, under the lock, when no worker is in it and no
 * chunk is to be taken; the workers never look at it after that.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "block.h"
#include "gather.h"
#include "job.h"
#include "session.h"
#include "source_file.h"

#define MAX_WORKERS	256

struct user_job;

/**
 * struct user_engine - a pool of threads
 * @engine: what all engines have
 * @lock: see above
 * @work: there may be chunks to take, or the engine stops
 * @stopped_cond: @stopped was set
 * @jobs: oldest unfinished job
 * @tail: where the next job is linked
 * @stopping: no jobs are taken any more; the workers end
 * @stopped: the workers have ended
 * @threads: the workers
 */
struct user_engine {
	struct engine engine;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t stopped_cond;
	struct user_job *jobs;
	struct user_job **tail;
	bool stopping;
	bool stopped;
	pthread_t threads[];
};

/**
 * struct user_job - a job of this engine
 * @job: what all jobs have
 * @owner: the engine
 * @next: a younger unfinished job
 * @source: what is read
 * @blocks: copy of the caller's
 * @partition: @blocks, cut
 * @bytes_total: bytes to load
 * @bytes_done: bytes loaded
 * @cursor: next chunk to be taken, may be past the last one
 * @halted: no more chunks are to be taken
 * @cancelled: nor those that were taken to be loaded to their end
 * @finished: @done was set
 * @users: workers that take chunks or load them
 * @done: no worker will ever look at the job again
 * @error: the error at the first byte that was not loaded, 0: none so far
 * @error_chunk: the chunk of that byte
 * @error_block: its block
 * @error_at: its offset in the block
 */
struct user_job {
	struct ramload_job job;
	struct user_engine *owner;
	struct user_job *next;
	struct source_file source;
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

static struct user_engine *to_engine(struct engine *engine)
{
	return (struct user_engine *)engine;
}

static struct user_job *to_job(struct ramload_job *job)
{
	return (struct user_job *)job;
}

/* Load [*@at, @end) of a block; *@at is left at the first byte not loaded. */
static int load_run(struct user_job *job, const struct ramload_block *block,
		    uint64_t *at, uint64_t end)
{
	while (*at < end) {
		ssize_t got;

		if (atomic_load(&job->cancelled))
			return -ECANCELED;
		got = source_file_read(&job->source, (char *)block->dest + *at,
				  min_u64(end - *at, SOURCE_READ_MAX),
				  block->file_offset + *at);
		if (got < 0)
			return got;
		if (!got)
			return -ENODATA;
		*at += got;
		atomic_fetch_add(&job->bytes_done, got);
	}
	return 0;
}

/*
 * Load the runs of @g by one read. False if that is not to be had: they are read
 * one after the other then, which also finds the place of an error.
 */
static bool load_gathered(struct user_job *job, const struct gather *g,
			  const struct ramload_block *block, uint64_t *at)
{
	if (atomic_load(&job->cancelled) ||
	    !source_file_read_at_once(&job->source, g->iov, g->nr,
				      g->end - g->start,
				      block->file_offset + g->start))
		return false;
	atomic_fetch_add(&job->bytes_done, g->wanted);
	*at = g->end;
	return true;
}

/* Has the device read all runs while the first of them is waited for. */
static void read_ahead(struct user_job *job, const struct ramload_block *block,
		       uint64_t at, uint64_t end)
{
	uint64_t run_end = block_next_run(block, &at, end);

	if (run_end >= end ||
	    !source_file_may_read_ahead(&job->source, block->file_offset + at,
					end - at))
		return;
	while (at < end) {
		source_file_read_ahead(&job->source, block->file_offset + at,
				       run_end - at);
		at = run_end;
		run_end = block_next_run(block, &at, end);
	}
}

static int load_runs(struct user_job *job, struct gather *g,
		     const struct partition_chunk *chunk, uint64_t *at)
{
	const struct ramload_block *block = &job->blocks[chunk->block];
	uint64_t end = chunk->offset + chunk->length;
	bool gathers = source_file_is_direct(&job->source);
	int err = 0;

	*at = chunk->offset;
	if (!gathers)
		read_ahead(job, block, *at, end);
	while (!err && *at < end) {
		uint64_t run_end;

		if (gathers && gather_runs(g, block, *at, end)) {
			gathers = load_gathered(job, g, block, at);
			continue;
		}
		run_end = block_next_run(block, at, end);
		err = load_run(job, block, at, run_end);
	}
	return err;
}

/* Load a chunk; *@at is left at the first byte not loaded. */
static int load_chunk(struct user_job *job, struct gather *g,
		      const struct partition_chunk *chunk, uint64_t *at)
{
	const struct ramload_block *block = &job->blocks[chunk->block];
	uint64_t offset = block->file_offset + chunk->offset;
	int err;

	err = load_runs(job, g, chunk, at);
	source_file_drop_cache(&job->source, offset, offset + chunk->length);
	return err;
}

/* Called with the engine's lock held. */
static void set_error(struct user_job *job, int error, uint64_t i,
		      size_t block, uint64_t at)
{
	if (job->error && job->error_chunk < i)
		return;
	job->error = error;
	job->error_chunk = i;
	job->error_block = block;
	job->error_at = at;
}

static void take_chunks(struct user_job *job, struct gather *g)
{
	while (!atomic_load(&job->halted)) {
		uint64_t i = atomic_fetch_add(&job->cursor, 1);
		struct partition_chunk chunk;
		uint64_t at;
		int err;

		if (i >= job->partition.nr_chunks)
			return;
		chunk = partition_chunk(&job->partition, i);
		err = load_chunk(job, g, &chunk, &at);
		if (!err)
			continue;
		atomic_store(&job->halted, true);
		pthread_mutex_lock(&job->owner->lock);
		set_error(job, err, i, chunk.block, at);
		pthread_mutex_unlock(&job->owner->lock);
	}
}

static bool has_chunks(struct user_job *job)
{
	return !atomic_load(&job->halted) &&
	       atomic_load(&job->cursor) < job->partition.nr_chunks;
}

/*
 * A cancelled job failed only if there was something left to load: chunks that
 * were not taken may have no page in them.
 */
static void find_cancelled(struct user_job *job)
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
 * Called with the engine's lock held, when no worker is in the job and none
 * will come. After the lock is released the job may be gone.
 */
static void finish_job(struct user_job *job)
{
	struct user_engine *engine = job->owner;
	struct user_job **link = &engine->jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	if (!job->next)
		engine->tail = link;
	find_cancelled(job);
	job->done = true;
	pthread_cond_broadcast(&job->finished);
	eventfd_write(job->job.fd, 1);
}

/* Called with the engine's lock held. */
static void cancel_job(struct user_job *job)
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
static struct user_job *find_job(struct user_engine *engine)
{
	struct user_job *job = engine->jobs;

	while (job && !has_chunks(job))
		job = job->next;
	return job;
}

/*
 * Called with the engine's lock held. Chunks are left neither for this worker nor
 * for others, so the last one in a job is alone there.
 */
static void leave_job(struct user_engine *engine, struct user_job *job)
{
	if (job->users == 1 && !atomic_load(&job->cancelled)) {
		pthread_mutex_unlock(&engine->lock);
		source_file_drop_cache(&job->source, 0, UINT64_MAX);
		pthread_mutex_lock(&engine->lock);
	}
	if (!--job->users)
		finish_job(job);
}

static void *worker(void *arg)
{
	struct user_engine *engine = arg;
	struct gather gather = { 0 };
	struct user_job *job;

	pthread_mutex_lock(&engine->lock);
	while (!engine->stopping) {
		job = find_job(engine);
		if (!job) {
			pthread_cond_wait(&engine->work, &engine->lock);
			continue;
		}
		job->users++;
		pthread_mutex_unlock(&engine->lock);
		take_chunks(job, &gather);
		pthread_mutex_lock(&engine->lock);
		leave_job(engine, job);
	}
	pthread_mutex_unlock(&engine->lock);
	gather_free(&gather);
	return NULL;
}

/* Signals are for the caller's threads. */
static int start_workers(struct user_engine *engine, unsigned int nr)
{
	sigset_t all, old;
	int err = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (!err && engine->engine.workers < nr) {
		pthread_t *thread = &engine->threads[engine->engine.workers];

		err = pthread_create(thread, NULL, worker, engine);
		if (!err) {
			pthread_setname_np(*thread, "ramload");
			engine->engine.workers++;
		}
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

static void user_stop(struct engine *engine)
{
	struct user_engine *self = to_engine(engine);
	struct user_job *next;
	bool first;

	pthread_mutex_lock(&self->lock);
	first = !self->stopping;
	self->stopping = true;
	for (struct user_job *job = self->jobs; job; job = next) {
		next = job->next;
		cancel_job(job);
	}
	pthread_cond_broadcast(&self->work);
	while (!first && !self->stopped)
		pthread_cond_wait(&self->stopped_cond, &self->lock);
	pthread_mutex_unlock(&self->lock);
	if (!first)
		return;
	for (unsigned int i = 0; i < engine->workers; i++)
		pthread_join(self->threads[i], NULL);
	pthread_mutex_lock(&self->lock);
	self->stopped = true;
	pthread_cond_broadcast(&self->stopped_cond);
	pthread_mutex_unlock(&self->lock);
}

static void user_close(struct engine *engine)
{
	struct user_engine *self = to_engine(engine);

	pthread_cond_destroy(&self->stopped_cond);
	pthread_cond_destroy(&self->work);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

static int user_open(const char *device, unsigned int workers,
		     struct engine **engine)
{
	struct user_engine *new;
	int err;

	(void)device;
	if (!workers)
		workers = default_workers();
	if (workers > MAX_WORKERS)
		return -EINVAL;
	new = calloc(1, sizeof(*new) + workers * sizeof(new->threads[0]));
	if (!new)
		return -ENOMEM;
	new->engine.ops = &engine_user;
	new->engine.threads = true;
	new->tail = &new->jobs;
	pthread_mutex_init(&new->lock, NULL);
	pthread_cond_init(&new->work, NULL);
	pthread_cond_init(&new->stopped_cond, NULL);
	err = start_workers(new, workers);
	if (err) {
		user_stop(&new->engine);
		user_close(&new->engine);
		return err;
	}
	*engine = &new->engine;
	return 0;
}

static int user_result(struct ramload_job *job, struct ramload_result *result)
{
	struct user_job *self = to_job(job);

	*result = (struct ramload_result){ .bytes_total = self->bytes_total };
	pthread_mutex_lock(&self->owner->lock);
	result->done = self->done;
	result->bytes_done = atomic_load(&self->bytes_done);
	if (self->done && self->error) {
		result->error = self->error;
		result->error_block = self->error_block;
		result->error_offset = self->error_at +
			self->blocks[self->error_block].file_offset;
	}
	pthread_mutex_unlock(&self->owner->lock);
	return 0;
}

static int user_wait(struct ramload_job *job)
{
	struct user_job *self = to_job(job);

	pthread_mutex_lock(&self->owner->lock);
	while (!self->done)
		pthread_cond_wait(&self->finished, &self->owner->lock);
	pthread_mutex_unlock(&self->owner->lock);
	return 0;
}

static void user_cancel(struct ramload_job *job)
{
	struct user_job *self = to_job(job);

	pthread_mutex_lock(&self->owner->lock);
	cancel_job(self);
	pthread_mutex_unlock(&self->owner->lock);
}

static void user_free(struct ramload_job *job)
{
	struct user_job *self = to_job(job);

	source_file_close(&self->source);
	close(job->fd);
	pthread_cond_destroy(&self->finished);
	partition_destroy(&self->partition);
	free(self->blocks);
	free(self);
}

static int copy_blocks(struct user_job *job, const struct load_request *request)
{
	size_t size = sizeof(*job->blocks);

	job->blocks = calloc(request->nr_blocks, size);
	if (!job->blocks)
		return -ENOMEM;
	memcpy(job->blocks, request->blocks, request->nr_blocks * size);
	job->bytes_total = blocks_bytes(job->blocks, request->nr_blocks);
	return 0;
}

static int open_source(struct source_file *source,
		       const struct load_request *request)
{
	uint64_t start = UINT64_MAX;
	uint64_t end = 0;
	int err;

	err = source_file_open(source, request->fd, request->io);
	if (err || !request->dontcache)
		return err;
	for (size_t i = 0; i < request->nr_blocks; i++) {
		const struct ramload_block *block = &request->blocks[i];

		start = min_u64(start, block->file_offset);
		end = max_u64(end, block->file_offset + block->length);
	}
	err = source_file_note_cache(source, start, end);
	if (err)
		source_file_close(source);
	return err;
}

/* Takes request->partition, but on error. */
static int make_job(struct user_engine *engine, struct load_request *request,
		    struct user_job **job)
{
	struct user_job *new;
	int err = -ENOMEM;

	new = calloc(1, sizeof(*new));
	if (!new)
		return err;
	new->job.ops = &engine_user;
	new->owner = engine;
	if (copy_blocks(new, request))
		goto out_free;
	err = open_source(&new->source, request);
	if (err)
		goto out_blocks;
	new->job.fd = eventfd(0, EFD_CLOEXEC);
	if (new->job.fd < 0) {
		err = -errno;
		goto out_source;
	}
	pthread_cond_init(&new->finished, NULL);
	new->partition = request->partition;
	request->partition = (struct partition){ 0 };
	*job = new;
	return 0;

out_source:
	source_file_close(&new->source);
out_blocks:
	free(new->blocks);
out_free:
	free(new);
	return err;
}

static int submit(struct user_engine *engine, struct user_job *job)
{
	int err = 0;

	pthread_mutex_lock(&engine->lock);
	if (engine->stopping) {
		err = -ESHUTDOWN;
		goto out;
	}
	*engine->tail = job;
	engine->tail = &job->next;
	if (has_chunks(job))
		pthread_cond_broadcast(&engine->work);
	else
		finish_job(job);
out:
	pthread_mutex_unlock(&engine->lock);
	return err;
}

static int user_load(struct engine *engine, struct load_request *request,
		     struct ramload_job **job)
{
	struct user_engine *self = to_engine(engine);
	struct user_job *new = NULL;
	int err;

	err = make_job(self, request, &new);
	if (err)
		return err;
	err = submit(self, new);
	if (err) {
		user_free(&new->job);
		return err;
	}
	*job = &new->job;
	return 0;
}

const struct engine_ops engine_user = {
	.type = RAMLOAD_ENGINE_USER,
	.open = user_open,
	.stop = user_stop,
	.close = user_close,
	.load = user_load,
	.result = user_result,
	.wait = user_wait,
	.cancel = user_cancel,
	.free = user_free,
};
