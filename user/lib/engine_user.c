// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: engine_user
 *
 * Threads of this process (worker_pool.c) that pread() straight into the
 * destination. It is what runs where there is no module, and what the module is
 * compared with.
 *
 * **Cold files.** Of a chunk with several runs that is not in the page cache, all
 * are read ahead; past the page cache, those that lie close together are one
 * preadv(), and gaps go to a sink (gather.c). Runs that are cached are read one
 * after the other: a gap that is copied, too, saves a call but costs memory
 * bandwidth.
 */
#include <errno.h>
#include <stdlib.h>

#include "block.h"
#include "gather.h"
#include "source_file.h"
#include "worker_pool.h"

/**
 * struct user_engine - a pool of threads
 * @engine: what all engines have
 * @pool: the threads
 * @gathers: of each worker
 */
struct user_engine {
	struct engine engine;
	struct worker_pool *pool;
	struct gather *gathers;
};

/**
 * struct user_job - a job of this engine
 * @job: what all jobs of a pool have
 * @engine: the engine
 * @source: what is read
 */
struct user_job {
	struct pool_job job;
	struct user_engine *engine;
	struct source_file source;
};

static struct user_engine *to_engine(struct engine *engine)
{
	return (struct user_engine *)engine;
}

static struct user_job *to_job(struct pool_job *job)
{
	return (struct user_job *)job;
}

/* Load [*@at, @end) of a block; *@at is left at the first byte not loaded. */
static int load_run(struct user_job *job, const struct ramload_block *block,
		    uint64_t *at, uint64_t end)
{
	while (*at < end) {
		ssize_t got;

		if (atomic_load(&job->job.cancelled))
			return -ECANCELED;
		got = source_file_read(&job->source, (char *)block->dest + *at,
				  min_u64(end - *at, SOURCE_READ_MAX),
				  block->file_offset + *at);
		if (got < 0)
			return got;
		if (!got)
			return -ENODATA;
		*at += got;
		atomic_fetch_add(&job->job.bytes_done, got);
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
	if (atomic_load(&job->job.cancelled) ||
	    !source_file_read_at_once(&job->source, g->iov, g->nr,
				      g->end - g->start,
				      block->file_offset + g->start))
		return false;
	atomic_fetch_add(&job->job.bytes_done, g->wanted);
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
	const struct ramload_block *block = &job->job.blocks[chunk->block];
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

static int load_chunk(struct pool_job *pool_job, unsigned int worker,
		      const struct partition_chunk *chunk, uint64_t *at)
{
	struct user_job *job = to_job(pool_job);
	const struct ramload_block *block = &pool_job->blocks[chunk->block];
	uint64_t offset = block->file_offset + chunk->offset;
	int err;

	err = load_runs(job, &job->engine->gathers[worker], chunk, at);
	source_file_drop_cache(&job->source, offset, offset + chunk->length);
	return err;
}

static void drop_rest(struct pool_job *job)
{
	source_file_drop_cache(&to_job(job)->source, 0, UINT64_MAX);
}

static const struct pool_job_ops load_ops = {
	.chunk = load_chunk,
	.last = drop_rest,
};

static void user_stop(struct engine *engine)
{
	worker_pool_stop(to_engine(engine)->pool);
}

static void user_close(struct engine *engine)
{
	struct user_engine *self = to_engine(engine);

	worker_pool_close(self->pool);
	for (unsigned int i = 0; i < engine->workers; i++)
		gather_free(&self->gathers[i]);
	free(self->gathers);
	free(self);
}

static int user_open(const char *device, unsigned int workers,
		     struct engine **engine)
{
	struct user_engine *new;
	int err;

	(void)device;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	err = worker_pool_open(workers, &new->pool);
	if (err) {
		free(new);
		return err;
	}
	new->engine.ops = &engine_user;
	new->engine.threads = true;
	new->engine.workers = worker_pool_workers(new->pool);
	new->gathers = calloc(new->engine.workers, sizeof(*new->gathers));
	if (!new->gathers) {
		new->engine.workers = 0;
		user_stop(&new->engine);
		user_close(&new->engine);
		return -ENOMEM;
	}
	*engine = &new->engine;
	return 0;
}

static void user_free(struct ramload_job *job)
{
	struct user_job *self = (struct user_job *)job;

	source_file_close(&self->source);
	pool_job_destroy(&self->job);
	free(self);
}

static const struct job_ops user_job_ops = {
	.result = pool_job_result,
	.wait = pool_job_wait,
	.cancel = pool_job_cancel,
	.free = user_free,
};

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
	int err;

	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->job.job.ops = &user_job_ops;
	new->job.ops = &load_ops;
	new->engine = engine;
	err = open_source(&new->source, request);
	if (err)
		goto out_free;
	err = pool_job_init(&new->job, request->blocks, request->nr_blocks,
			    &request->partition);
	if (err)
		goto out_source;
	*job = new;
	return 0;

out_source:
	source_file_close(&new->source);
out_free:
	free(new);
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
	err = worker_pool_submit(self->pool, &new->job);
	if (err) {
		user_free(&new->job.job);
		return err;
	}
	*job = &new->job.job;
	return 0;
}

const struct engine_ops engine_user = {
	.type = RAMLOAD_ENGINE_USER,
	.open = user_open,
	.stop = user_stop,
	.close = user_close,
	.load = user_load,
};
