// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: save_memory
 *
 * Saves blocks that are in memory: a job of a pool of its own, which goes with
 * the job. The save stays incomplete until each chunk was done: a cancelled job
 * has no error that a worker met, but leaves bytes owed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "save.h"
#include "worker_pool.h"

/* A cancel is seen between two pieces. */
#define PIECE	(UINT64_C(2) << 20)

/**
 * struct save_job - a job that saves
 * @job: what all jobs of a pool have
 * @save: where to
 * @memory: where the blocks are
 */
struct save_job {
	struct pool_job job;
	struct ramload_save *save;
	const char **memory;
};

static int save_chunk(struct pool_job *pool_job, unsigned int worker,
		      const struct partition_chunk *chunk, uint64_t *at)
{
	struct save_job *job = (struct save_job *)pool_job;
	const char *memory = job->memory[chunk->block];
	uint64_t end = chunk->offset + chunk->length;
	int err = 0;

	(void)worker;
	*at = chunk->offset;
	while (!err && *at < end) {
		uint64_t start = *at;

		if (atomic_load(&pool_job->cancelled))
			return -ECANCELED;
		err = save_pages(job->save, chunk->block, memory + start, at,
				 min_u64(end, start + PIECE));
		atomic_fetch_add(&pool_job->bytes_done, *at - start);
	}
	if (!err)
		atomic_fetch_sub(&job->save->owed, chunk->length);
	return err;
}

static const struct pool_job_ops save_ops = {
	.chunk = save_chunk,
};

static void save_free(struct ramload_job *job)
{
	struct save_job *self = (struct save_job *)job;
	struct worker_pool *pool = self->job.pool;

	worker_pool_stop(pool);
	pool_job_destroy(&self->job);
	worker_pool_close(pool);
	free(self->memory);
	free(self);
}

static const struct job_ops save_job_ops = {
	.result = pool_job_result,
	.wait = pool_job_wait,
	.cancel = pool_job_cancel,
	.free = save_free,
};

/*
 * Chunks are to end where pages do. They end where a destination is aligned, so
 * they are told none.
 */
static int cut(struct save_job *job)
{
	static const struct ramload_partition_rules rules;
	const struct ramload_save *save = job->save;
	struct partition partition;
	struct ramload_block *blocks;
	int err;

	blocks = calloc(save->nr_blocks, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	for (size_t i = 0; i < save->nr_blocks; i++) {
		blocks[i].file_offset = save->blocks[i].pages;
		if (job->memory[i])
			blocks[i].length = save->blocks[i].length;
	}
	err = partition_init(&partition, blocks, save->nr_blocks, &rules);
	if (!err) {
		err = pool_job_init(&job->job, blocks, save->nr_blocks,
				    &partition);
		partition_destroy(&partition);
	}
	free(blocks);
	return err;
}

static int make_job(struct ramload_save *save, const void *const *memory,
		    struct save_job **job)
{
	struct save_job *new;
	int err = -ENOMEM;

	new = calloc(1, sizeof(*new));
	if (!new)
		return err;
	new->job.job.ops = &save_job_ops;
	new->job.ops = &save_ops;
	new->save = save;
	new->memory = calloc(save->nr_blocks, sizeof(*new->memory));
	if (new->memory) {
		memcpy(new->memory, memory,
		       save->nr_blocks * sizeof(*new->memory));
		err = cut(new);
	}
	if (err) {
		free(new->memory);
		free(new);
		return err;
	}
	*job = new;
	return 0;
}

RAMLOAD_API int ramload_save_memory(struct ramload_save *save,
				    const void *const *memory,
				    struct ramload_job **job)
{
	struct worker_pool *pool;
	struct save_job *new = NULL;
	int err;

	*job = NULL;
	if (save->committed)
		return -EINVAL;
	err = worker_pool_open(save->workers, &pool);
	if (err)
		return err;
	err = make_job(save, memory, &new);
	if (err) {
		worker_pool_stop(pool);
		worker_pool_close(pool);
		return err;
	}
	atomic_fetch_add(&save->owed, new->job.bytes_total);
	/* Nobody else has the pool: it is not stopped. */
	worker_pool_submit(pool, &new->job);
	*job = &new->job.job;
	return 0;
}
