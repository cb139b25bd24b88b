/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Calls of the ramload ioctls for tests. Each comes in three forms:
 *
 *	raw_NAME()	returns what the ioctl returned
 *	test_NAME()	asserts that it succeeds
 *	test_err_NAME()	asserts that it fails with one errno
 */
#ifndef RAMLOAD_UTIL_H
#define RAMLOAD_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ramload.h>

#define RAMLOAD_DEVICE	"/dev/ramload"

/* Tests that hang are ended by the harness; nothing depends on how long. */
#define TIMEOUT		120

#define KIB(n)		((size_t)(n) << 10)
#define MIB(n)		((size_t)(n) << 20)
#define PAGE		((size_t)4096)

#define TEST_ERRNO(err, call)						\
	do {								\
		errno = 0;						\
		ASSERT_EQ(-1, call);					\
		ASSERT_EQ(err, errno);					\
	} while (0)

static inline int open_device(void)
{
	return open(RAMLOAD_DEVICE, O_RDWR | O_CLOEXEC);
}

/* First statement of a fixture's set-up. */
#define OPEN_DEVICE(fd)							\
	do {								\
		fd = open_device();					\
		if (fd < 0 && errno == ENOENT)				\
			SKIP(return, "no " RAMLOAD_DEVICE);		\
		ASSERT_LE(0, fd);					\
	} while (0)

static inline int raw_info(int fd, struct ramload_info *info)
{
	*info = (struct ramload_info){ .size = sizeof(*info) };
	return ioctl(fd, RAMLOAD_INFO, info);
}

#define test_info(fd, info) ASSERT_EQ(0, raw_info(fd, info))
#define test_err_info(err, fd, info) TEST_ERRNO(err, raw_info(fd, info))

static inline int raw_setup(int fd, uint32_t workers)
{
	struct ramload_setup setup = {
		.size = sizeof(setup),
		.workers = workers,
	};

	return ioctl(fd, RAMLOAD_SETUP, &setup);
}

#define test_setup(fd, workers) ASSERT_EQ(0, raw_setup(fd, workers))
#define test_err_setup(err, fd, workers) TEST_ERRNO(err, raw_setup(fd, workers))

/* Returns the fd, or -1. */
static inline int raw_create_memory(int fd, uint64_t length, uint32_t flags)
{
	struct ramload_create_memory mem = {
		.size = sizeof(mem),
		.flags = flags,
		.length = length,
		.out_fd = -1,
	};

	return ioctl(fd, RAMLOAD_CREATE_MEMORY, &mem) ? -1 : mem.out_fd;
}

#define test_err_create_memory(err, fd, length, flags)			\
	TEST_ERRNO(err, raw_create_memory(fd, length, flags))

/* A struct ramload_load of @nr ranges; more members may be given. */
#define LOAD(src, range_array, nr, ...)					\
	(struct ramload_load){						\
		.size = sizeof(struct ramload_load),			\
		.source_fd = src,					\
		.ranges = (uintptr_t)(range_array),			\
		.nr_ranges = nr,					\
		.range_size = sizeof(struct ramload_range),		\
		.out_job_fd = -2,					\
		__VA_ARGS__						\
	}

#define RANGE(offset, len, address, ...)				\
	(struct ramload_range){						\
		.file_offset = offset,					\
		.length = len,						\
		.dest = (uintptr_t)(address),				\
		__VA_ARGS__						\
	}

static inline int raw_load(int fd, struct ramload_load *load)
{
	return ioctl(fd, RAMLOAD_LOAD, load);
}

#define test_load(fd, load) ASSERT_EQ(0, raw_load(fd, load))
#define test_err_load(err, fd, load) TEST_ERRNO(err, raw_load(fd, load))

static inline int raw_result(int job, uint32_t flags,
			     struct ramload_job_result *result)
{
	*result = (struct ramload_job_result){
		.size = sizeof(*result),
		.flags = flags,
	};
	return ioctl(job, RAMLOAD_JOB_RESULT, result);
}

#define test_result(job, flags, result)					\
	ASSERT_EQ(0, raw_result(job, flags, result))
#define test_err_result(err, job, flags, result)			\
	TEST_ERRNO(err, raw_result(job, flags, result))

static inline int raw_cancel(int job)
{
	struct ramload_job_cancel cancel = { .size = sizeof(cancel) };

	return ioctl(job, RAMLOAD_JOB_CANCEL, &cancel);
}

#define test_cancel(job) ASSERT_EQ(0, raw_cancel(job))
#define test_err_cancel(err, job) TEST_ERRNO(err, raw_cancel(job))

/*
 * Load and wait. Returns 0 or the errno, negative; @result may be NULL. That
 * it agrees with what the ioctl returned is part of every test.
 */
static inline int load_wait(int fd, struct ramload_load *load,
			    struct ramload_job_result *result)
{
	struct ramload_job_result unused;
	int err;

	if (!result)
		result = &unused;
	*result = (struct ramload_job_result){ .size = sizeof(*result) };
	load->flags |= RAMLOAD_LOAD_WAIT;
	load->result = (uintptr_t)result;
	err = raw_load(fd, load) ? -errno : 0;
	if (result->out_state && result->out_error != err)
		return -EPROTO;
	return err;
}

static inline int load_range(int fd, int src, const struct ramload_range *range,
			     struct ramload_job_result *result)
{
	struct ramload_load load = LOAD(src, range, 1);

	return load_wait(fd, &load, result);
}

/* Submit one range; returns the job's fd or -1. */
static inline int start_range(int fd, int src, uint32_t direct,
			      const struct ramload_range *range)
{
	struct ramload_load load = LOAD(src, range, 1, .direct = direct,
					.chunk_size = KIB(64));

	return raw_load(fd, &load) ? -1 : load.out_job_fd;
}

static inline bool job_is_done(int job)
{
	struct pollfd pfd = { .fd = job, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1 && pfd.revents & POLLIN;
}

#endif /* RAMLOAD_UTIL_H */
