// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: job
 *
 * What is the same for the jobs of all engines: a load is checked and cut here,
 * so that every engine refuses the same things with the same errors; and the
 * caller's cleanup function is called here, in the only two places where it can
 * be: a load that is refused, and the end of a job. A thread that is cancelled
 * meanwhile ends after that, or what a job has would be leaked, or freed twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bitmap.h"
#include "block.h"
#include "job.h"
#include "session.h"

#define PAGE_SIZE_MIN	512
#define PAGE_SIZE_MAX	(UINT32_C(1) << 30)

/* What the module would refuse with EINVAL. */
static bool block_is_valid(const struct ramload_block *block)
{
	if (!block->bitmap)
		return !block->page_size;
	return is_power_of_2(block->page_size) &&
	       block->page_size >= PAGE_SIZE_MIN &&
	       block->page_size <= PAGE_SIZE_MAX &&
	       !(block->length % block->page_size);
}

static int check_blocks(const struct ramload_block *blocks, size_t nr_blocks)
{
	uint64_t sum = 0;

	if (!nr_blocks)
		return -EINVAL;
	for (size_t i = 0; i < nr_blocks; i++)
		if (!block_is_valid(&blocks[i]))
			return -EINVAL;
	for (size_t i = 0; i < nr_blocks; i++) {
		if (block_wraps(&blocks[i]))
			return -EOVERFLOW;
		sum += blocks[i].length;
		if (sum > INT64_MAX)
			return -EOVERFLOW;
	}
	return 0;
}

/** blocks_bytes() - bytes to load: of blocks with a bitmap, what is present */
uint64_t blocks_bytes(const struct ramload_block *blocks, size_t nr_blocks)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < nr_blocks; i++) {
		const struct ramload_block *block = &blocks[i];
		uint64_t page_size = block->page_size;

		if (block->bitmap)
			sum += page_size *
			       bitmap_count(block->bitmap,
					    block->length / page_size);
		else
			sum += block->length;
	}
	return sum;
}

static int check_file(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st))
		return -errno;
	if (flags & O_PATH)
		return -EBADF;
	if ((flags & O_ACCMODE) != O_RDONLY && (flags & O_ACCMODE) != O_RDWR)
		return -EBADF;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		return -ESPIPE;
	return -EINVAL;
}

static int load(struct ramload_session *session, struct load_request *request,
		const struct ramload_partition_rules *rules,
		struct ramload_job **job)
{
	struct engine *engine = session->engine;
	int err;

	if (request->io > RAMLOAD_IO_BUFFERED)
		return -EINVAL;
	err = check_blocks(request->blocks, request->nr_blocks);
	if (err)
		return err;
	err = partition_init(&request->partition, request->blocks,
			     request->nr_blocks, rules);
	if (err)
		return err;
	err = check_file(request->fd);
	if (!err)
		err = engine->ops->load(engine, request, job);
	partition_destroy(&request->partition);
	return err;
}

RAMLOAD_API int ramload_load(struct ramload_session *session, int fd,
			     const struct ramload_block *blocks,
			     size_t nr_blocks,
			     const struct ramload_load_options *options,
			     struct ramload_job **job)
{
	struct ramload_load_options opts;
	struct load_request request = {
		.fd = fd,
		.blocks = blocks,
		.nr_blocks = nr_blocks,
	};
	int cancel, err;

	*job = NULL;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	err = options_copy(&opts, sizeof(opts), options);
	if (!err) {
		request.io = opts.io;
		request.dontcache = opts.dontcache;
		request.chunk = opts.rules.chunk;
		err = load(session, &request, &opts.rules, job);
	}
	if (!err) {
		(*job)->user = opts.user;
		(*job)->cleanup = opts.cleanup;
	} else if (opts.cleanup) {
		opts.cleanup(opts.user);
	}
	pthread_setcancelstate(cancel, NULL);
	return err;
}

RAMLOAD_API int ramload_job_fd(const struct ramload_job *job)
{
	return job->fd;
}

RAMLOAD_API int ramload_job_result(struct ramload_job *job,
				   struct ramload_result *result)
{
	return job->ops->result(job, result);
}

RAMLOAD_API int ramload_job_wait(struct ramload_job *job,
				 struct ramload_result *result)
{
	struct ramload_result own;
	int err;

	err = job->ops->wait(job);
	if (!err)
		err = job->ops->result(job, &own);
	if (err)
		return err;
	if (result)
		*result = own;
	return own.error;
}

RAMLOAD_API void ramload_job_cancel(struct ramload_job *job)
{
	job->ops->cancel(job);
}

RAMLOAD_API void *ramload_job_user(const struct ramload_job *job)
{
	return job->user;
}

RAMLOAD_API void ramload_job_free(struct ramload_job *job)
{
	void (*cleanup)(void *user);
	void *user;
	int cancel;

	if (!job)
		return;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	cleanup = job->cleanup;
	user = job->user;
	job->ops->cancel(job);
	job->ops->wait(job);
	job->ops->free(job);
	if (cleanup)
		cleanup(user);
	pthread_setcancelstate(cancel, NULL);
}
