// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: engine_kernel
 *
 * Hands loads to the module. The engine is a context, that is an open
 * /dev/ramload; its jobs have the job fds of the module, which are all they
 * need: they can be waited for, asked and cancelled without the engine.
 *
 * kernel_engine.lock protects the device fd and the list of jobs. It is held
 * while a job is submitted, so that none can appear once the engine is stopped.
 * It is not held while a job is waited for, except by stop, which has cancelled
 * the job before. A job leaves the list when it is done, right before its fd is
 * closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ramload.h>

#include "bits.h"
#include "job.h"
#include "session.h"

#define CHUNK_MIN	(UINT64_C(64) << 10)
#define CHUNK_MAX	(UINT64_C(1) << 30)

struct kernel_job;

struct kernel_engine {
	struct engine engine;
	struct ramload_info info;
	pthread_mutex_t lock;
	int fd;				/* -1: stopped */
	struct kernel_job *jobs;
};

/**
 * struct kernel_job - a job of the module
 * @job: what all jobs have
 * @owner: the engine
 * @prev: the pointer to this job: the engine's list head, or another's @next
 * @next: next job in the engine's list
 * @empty: nothing to load: the module does not know of this job, and its fd is
 *	an eventfd
 * @block_of: index of the block that each range is in
 */
struct kernel_job {
	struct ramload_job job;
	struct kernel_engine *owner;
	struct kernel_job **prev;
	struct kernel_job *next;
	bool empty;
	uint32_t block_of[];
};

static struct kernel_engine *to_engine(struct engine *engine)
{
	return (struct kernel_engine *)engine;
}

static struct kernel_job *to_job(struct ramload_job *job)
{
	return (struct kernel_job *)job;
}

static int get_info(struct kernel_engine *engine)
{
	struct ramload_info *info = &engine->info;

	info->size = sizeof(*info);
	if (ioctl(engine->fd, RAMLOAD_INFO, info))
		/* Another device, or a module that does not know its manual. */
		return -EPROTO;
	if (!(info->out_features & RAMLOAD_FEATURE_BITMAP) ||
	    !info->out_max_workers || !info->out_max_jobs ||
	    !info->out_max_ranges)
		return -EPROTO;
	engine->engine.threads = info->out_features & RAMLOAD_FEATURE_THREADS;
	return 0;
}

static int set_up(struct kernel_engine *engine, unsigned int workers)
{
	struct ramload_setup setup = {
		.size = sizeof(setup),
		.workers = workers,
	};

	if (!workers)
		setup.workers = min_u64(default_workers(),
					engine->info.out_max_workers);
	if (setup.workers > engine->info.out_max_workers)
		return -EINVAL;
	while (ioctl(engine->fd, RAMLOAD_SETUP, &setup))
		if (errno != EINTR)
			return -errno;
	engine->engine.workers = setup.workers;
	return 0;
}

static int kernel_open(const char *device, unsigned int workers,
		       struct engine **engine)
{
	struct kernel_engine *new;
	int err;

	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->engine.ops = &engine_kernel;
	new->fd = open(device, O_RDWR | O_CLOEXEC);
	if (new->fd < 0) {
		err = -errno;
		goto out_free;
	}
	err = get_info(new);
	if (err)
		goto out_close;
	err = set_up(new, workers);
	if (err)
		goto out_close;
	pthread_mutex_init(&new->lock, NULL);
	*engine = &new->engine;
	return 0;

out_close:
	close(new->fd);
out_free:
	free(new);
	return err;
}

static void kernel_cancel(struct ramload_job *job)
{
	struct ramload_job_cancel cancel = { .size = sizeof(cancel) };

	if (!to_job(job)->empty)
		ioctl(job->fd, RAMLOAD_JOB_CANCEL, &cancel);
}

static int job_result(struct ramload_job *job, uint32_t flags,
		      struct ramload_job_result *result)
{
	*result = (struct ramload_job_result){
		.size = sizeof(*result),
		.flags = flags,
	};
	while (ioctl(job->fd, RAMLOAD_JOB_RESULT, result))
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int kernel_wait(struct ramload_job *job)
{
	struct ramload_job_result result;

	if (to_job(job)->empty)
		return 0;
	return job_result(job, RAMLOAD_JOB_RESULT_WAIT, &result);
}

static int kernel_result(struct ramload_job *job, struct ramload_result *result)
{
	struct ramload_job_result from;
	int err;

	*result = (struct ramload_result){ .done = true };
	if (to_job(job)->empty)
		return 0;
	err = job_result(job, 0, &from);
	if (err)
		return err;
	result->done = from.out_state != RAMLOAD_JOB_RUNNING;
	result->bytes_total = from.out_bytes_total;
	result->bytes_done = from.out_bytes_done;
	if (!result->done || !from.out_error)
		return 0;
	result->error = from.out_error;
	result->error_block = to_job(job)->block_of[from.out_error_range];
	result->error_offset = from.out_error_offset;
	return 0;
}

static void kernel_free(struct ramload_job *job)
{
	struct kernel_job *self = to_job(job);

	pthread_mutex_lock(&self->owner->lock);
	*self->prev = self->next;
	if (self->next)
		self->next->prev = self->prev;
	pthread_mutex_unlock(&self->owner->lock);
	close(job->fd);
	free(self);
}

static const struct job_ops kernel_job_ops = {
	.result = kernel_result,
	.wait = kernel_wait,
	.cancel = kernel_cancel,
	.free = kernel_free,
};

static void kernel_stop(struct engine *engine)
{
	struct kernel_engine *self = to_engine(engine);
	int cancel;

	/* A thread that is cancelled must not take the lock with it. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&self->lock);
	for (struct kernel_job *job = self->jobs; job; job = job->next)
		kernel_cancel(&job->job);
	for (struct kernel_job *job = self->jobs; job; job = job->next)
		kernel_wait(&job->job);
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	pthread_mutex_unlock(&self->lock);
	pthread_setcancelstate(cancel, NULL);
}

static void kernel_close(struct engine *engine)
{
	struct kernel_engine *self = to_engine(engine);

	pthread_mutex_destroy(&self->lock);
	free(self);
}

/* The range is all zero. */
static void set_range(struct ramload_range *range,
		      const struct ramload_block *block,
		      const struct partition_slice *slice)
{
	uint64_t page;

	range->file_offset = block->file_offset + slice->offset;
	range->length = slice->length;
	range->dest = (uintptr_t)block->dest + slice->offset;
	if (block->bitmap) {
		page = slice->offset / block->page_size;
		range->bitmap = (uintptr_t)(block->bitmap + page / 8);
		range->page_size = block->page_size;
	}
}

static uint32_t chunk_size(uint64_t chunk)
{
	if (!chunk)
		return 0;
	return min_u64(max_u64(chunk, CHUNK_MIN), CHUNK_MAX);
}

static uint32_t direct_mode(enum ramload_io io)
{
	switch (io) {
	case RAMLOAD_IO_DIRECT:
		return RAMLOAD_DIRECT_ON;
	case RAMLOAD_IO_BUFFERED:
		return RAMLOAD_DIRECT_OFF;
	default:
		return RAMLOAD_DIRECT_AUTO;
	}
}

static void link_job(struct kernel_engine *engine, struct kernel_job *job)
{
	job->owner = engine;
	job->next = engine->jobs;
	job->prev = &engine->jobs;
	if (job->next)
		job->next->prev = &job->next;
	engine->jobs = job;
}

static int submit(struct kernel_engine *engine, struct ramload_load *load,
		  struct kernel_job *job)
{
	int err = 0;

	pthread_mutex_lock(&engine->lock);
	if (engine->fd < 0)
		err = -ESHUTDOWN;
	else if (job->empty)
		job->job.fd = eventfd(1, EFD_CLOEXEC);
	else if (!ioctl(engine->fd, RAMLOAD_LOAD, load))
		job->job.fd = load->out_job_fd;
	if (!err && job->job.fd < 0)
		err = -errno;
	if (!err)
		link_job(engine, job);
	pthread_mutex_unlock(&engine->lock);
	return err;
}

static int make_job(struct kernel_engine *engine,
		    const struct load_request *request,
		    struct ramload_range *ranges, struct ramload_job **job)
{
	uint32_t nr_ranges = request->partition.nr_slices;
	struct ramload_load load = {
		.size = sizeof(load),
		.source_fd = request->fd,
		.direct = direct_mode(request->io),
		.flags = request->dontcache ? RAMLOAD_LOAD_DONTCACHE : 0,
		.ranges = (uintptr_t)ranges,
		.nr_ranges = nr_ranges,
		.range_size = sizeof(*ranges),
		.chunk_size = chunk_size(request->chunk),
	};
	struct kernel_job *new;
	int err;

	new = calloc(1, sizeof(*new) + nr_ranges * sizeof(new->block_of[0]));
	if (!new)
		return -ENOMEM;
	new->job.ops = &kernel_job_ops;
	new->job.fd = -1;
	new->empty = !nr_ranges;
	for (uint32_t i = 0; i < nr_ranges; i++)
		new->block_of[i] = request->partition.slices[i].block;
	err = submit(engine, &load, new);
	if (err) {
		free(new);
		return err;
	}
	*job = &new->job;
	return 0;
}

static int kernel_load(struct engine *engine, struct load_request *request,
		       struct ramload_job **job)
{
	struct kernel_engine *self = to_engine(engine);
	const struct partition *partition = &request->partition;
	struct ramload_range *ranges;
	int err;

	if (partition->nr_slices > self->info.out_max_ranges ||
	    request->nr_blocks > UINT32_MAX)
		return -E2BIG;
	if (request->dontcache &&
	    !(self->info.out_features & RAMLOAD_FEATURE_DONTCACHE))
		return -EOPNOTSUPP;
	ranges = calloc(partition->nr_slices + 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < partition->nr_slices; i++) {
		const struct partition_slice *slice = &partition->slices[i];

		set_range(&ranges[i], &request->blocks[slice->block], slice);
	}
	err = make_job(self, request, ranges, job);
	free(ranges);
	return err;
}

const struct engine_ops engine_kernel = {
	.type = RAMLOAD_ENGINE_KERNEL,
	.open = kernel_open,
	.stop = kernel_stop,
	.close = kernel_close,
	.load = kernel_load,
};
