/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * A session of each engine and a file to load from, by each way to read it. The
 * kernel engine is skipped where there is no module.
 */
#ifndef LOAD_FIXTURE_H
#define LOAD_FIXTURE_H

#include "load_util.h"
#include "patient_harness.h"

#define LENGTH	(12 * MiB + 1234)

FIXTURE(load)
{
	struct ramload_session *session;
	int fd;
	int cleaned;
	struct ramload_load_options options;
};

FIXTURE_VARIANT(load)
{
	enum ramload_engine engine;
	enum ramload_io io;
};

FIXTURE_VARIANT_ADD(load, user_auto)
{
	.engine = RAMLOAD_ENGINE_USER,
	.io = RAMLOAD_IO_AUTO,
};

FIXTURE_VARIANT_ADD(load, user_direct)
{
	.engine = RAMLOAD_ENGINE_USER,
	.io = RAMLOAD_IO_DIRECT,
};

FIXTURE_VARIANT_ADD(load, user_buffered)
{
	.engine = RAMLOAD_ENGINE_USER,
	.io = RAMLOAD_IO_BUFFERED,
};

FIXTURE_VARIANT_ADD(load, kernel_auto)
{
	.engine = RAMLOAD_ENGINE_KERNEL,
	.io = RAMLOAD_IO_AUTO,
};

FIXTURE_VARIANT_ADD(load, kernel_direct)
{
	.engine = RAMLOAD_ENGINE_KERNEL,
	.io = RAMLOAD_IO_DIRECT,
};

FIXTURE_VARIANT_ADD(load, kernel_buffered)
{
	.engine = RAMLOAD_ENGINE_KERNEL,
	.io = RAMLOAD_IO_BUFFERED,
};

static void clean_up(void *user)
{
	++*(int *)user;
}

/* Whether the file system of the test program can do direct I/O at all. */
static bool has_direct(int fd)
{
	char path[40];
	int direct;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	direct = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (direct < 0)
		return false;
	close(direct);
	return true;
}

FIXTURE_SETUP(load)
{
	int err;

	self->fd = -1;
	err = open_session(variant->engine, 4, &self->session);
	if (is_no_module(err) && variant->engine == RAMLOAD_ENGINE_KERNEL)
		SKIP(return, "no ramload module");
	ASSERT_EQ(0, err);
	self->options = (struct ramload_load_options){
		.size = sizeof(self->options),
		.io = variant->io,
		.user = &self->cleaned,
		.cleanup = clean_up,
	};
	self->fd = disk_file();
	ASSERT_LE(0, self->fd);
	if (variant->io == RAMLOAD_IO_DIRECT && !has_direct(self->fd))
		SKIP(return, "no direct I/O on this file system");
	ASSERT_EQ(0, fill_file(self->fd, LENGTH));
	if (variant->io != RAMLOAD_IO_BUFFERED)
		drop_cache(self->fd);
}

FIXTURE_TEARDOWN(load)
{
	ramload_session_close(self->session);
	close(self->fd);
}

/* Submit, wait, free; returns the job's error or why it was refused. */
static inline int load_all(struct ramload_session *session, int fd,
		    const struct ramload_block *blocks, size_t nr_blocks,
		    const struct ramload_load_options *options,
		    struct ramload_result *result)
{
	struct ramload_job *job;
	int err;

	memset(result, 0xff, sizeof(*result));
	err = ramload_load(session, fd, blocks, nr_blocks, options, &job);
	if (err)
		return err;
	err = ramload_job_wait(job, result);
	if (!is_readable(ramload_job_fd(job), 0))
		err = -EPROTO;
	ramload_job_free(job);
	return err;
}

#endif /* LOAD_FIXTURE_H */
