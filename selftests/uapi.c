// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * The ioctls on a context as <linux/ramload.h> documents them: values, the
 * order of checks, and each errno.
 *
 * What cannot be provoked here without harm to the machine or by certain
 * means: EINTR of RAMLOAD_SETUP (a signal that is pending is delivered before
 * the ioctl starts), ENOMEM of all of them (a memory cgroup at its limit calls
 * the OOM killer first), ENFILE (the machine has no files left).
 */

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_setting.h"

/*
 * Calls on a context
 */

FIXTURE(context)
{
	struct setting s;
};

FIXTURE_SETUP(context)
{
	OPEN_DEVICE(self->s.fd);
	ASSERT_TRUE(setting_make(&self->s));
}

FIXTURE_TEARDOWN(context)
{
	close(self->s.fd);
}

#define RANGE0(...) RANGE(0, PAGE, self->s.dest, ##__VA_ARGS__)

/* Load one range, with more members of the load given, and expect an errno. */
#define TEST_BAD_RANGE(err, bad, ...)					\
	do {								\
		struct ramload_range __range = bad;			\
		struct ramload_load __load = LOAD(self->s.src, &__range, 1, \
			.flags = RAMLOAD_LOAD_WAIT, ##__VA_ARGS__);	\
									\
		test_err_load(err, self->s.fd, &__load);		\
	} while (0)

#define TEST_BAD_LOAD(err, ...) TEST_BAD_RANGE(err, RANGE0(), ##__VA_ARGS__)

TEST_F_TIMEOUT(context, unknown_ioctls, TIMEOUT)
{
	char arg[256] = {};
	int nr;

	for (nr = 0; nr < 256; nr++) {
		/* The VFS knows some of type 0, so only our type is tried. */
		unsigned int cmd = _IO(RAMLOAD_IOC_TYPE, nr);

		if (nr < RAMLOAD_CMD_INFO || nr > RAMLOAD_CMD_CREATE_MEMORY)
			TEST_ERRNO(ENOTTY, ioctl(self->s.fd, cmd, arg));
	}
	TEST_ERRNO(ENOTTY, ioctl(self->s.fd, _IO(RAMLOAD_IOC_TYPE - 1,
						 RAMLOAD_CMD_INFO), arg));
	TEST_ERRNO(ENOTTY, ioctl(self->s.fd, _IO(RAMLOAD_IOC_TYPE + 1,
						 RAMLOAD_CMD_INFO), arg));
	TEST_ERRNO(ENOTTY, ioctl(self->s.fd,
				 _IOWR(RAMLOAD_IOC_TYPE, RAMLOAD_CMD_INFO,
				       struct ramload_info), arg));
	TEST_ERRNO(ENOTTY, ioctl(self->s.fd, 0x5401 /* TCGETS */, arg));
	TEST_ERRNO(ENOTTY, ioctl(self->s.fd, RAMLOAD_JOB_RESULT, arg));
}

TEST_F_TIMEOUT(context, reserved_members, TIMEOUT)
{
	struct ramload_setup setup = { .size = sizeof(setup), .workers = 1 };
	struct ramload_job_result result = { .size = sizeof(result) };
	struct ramload_range range = RANGE0();
	int job = start_range(self->s.fd, self->s.src, 0, &range);
	uint32_t bit;

	for (bit = 1; bit; bit <<= 1) {
		setup.__reserved = bit;
		TEST_ERRNO(EOPNOTSUPP, ioctl(self->s.fd, RAMLOAD_SETUP,
					     &setup));
		result.__reserved = bit;
		TEST_ERRNO(EOPNOTSUPP, ioctl(job, RAMLOAD_JOB_RESULT, &result));
	}
	close(job);
}

TEST_F_TIMEOUT(context, outputs_on_entry_are_ignored, TIMEOUT)
{
	struct ramload_info info;
	struct ramload_job_result result;
	struct ramload_range range = RANGE0();
	struct ramload_load load = LOAD(self->s.src, &range, 1,
					.out_job_fd = INT_MIN);

	memset(&info, 0xff, sizeof(info));
	info.size = sizeof(info);
	info.flags = 0;
	ASSERT_EQ(0, ioctl(self->s.fd, RAMLOAD_INFO, &info));
	ASSERT_EQ(0, memcmp(&info, &self->s.info, sizeof(info)));
	test_load(self->s.fd, &load);
	memset(&result, 0xff, sizeof(result));
	result.size = sizeof(result);
	result.flags = RAMLOAD_JOB_RESULT_WAIT;
	result.__reserved = 0;
	ASSERT_EQ(0, ioctl(load.out_job_fd, RAMLOAD_JOB_RESULT, &result));
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_EQ(0, result.out_error);
	ASSERT_EQ(PAGE, result.out_bytes_total);
	ASSERT_EQ(PAGE, result.out_bytes_done);
	close(load.out_job_fd);
}

/* Who cannot be told of a job must not be left with its fd. */
TEST_F_TIMEOUT(context, no_fd_is_left_after_an_error, TIMEOUT)
{
	struct ramload_load *load = map_anonymous(PAGE, PROT_READ | PROT_WRITE);
	struct ramload_range range = RANGE0();
	int before = dup(0), after;

	close(before);
	*load = LOAD(self->s.src, &range, 1);
	ASSERT_EQ(0, mprotect(load, PAGE, PROT_READ));
	test_err_load(EFAULT, self->s.fd, load);
	after = dup(0);
	ASSERT_EQ(before, after);
	close(after);
}

TEST_F_TIMEOUT(context, no_other_calls, TIMEOUT)
{
	char buf[8] = {};

	ASSERT_EQ(-1, read(self->s.fd, buf, sizeof(buf)));
	ASSERT_EQ(-1, write(self->s.fd, buf, sizeof(buf)));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
				   self->s.fd, 0));
}

TEST_F_TIMEOUT(context, info, TIMEOUT)
{
	struct ramload_info again, *info = &self->s.info;
	int fd = open_device();

	ASSERT_EQ(sizeof(*info), info->size);
	ASSERT_TRUE(info->out_features & RAMLOAD_FEATURE_BITMAP);
	ASSERT_LE(1, info->out_max_workers);
	ASSERT_LE(1, info->out_max_jobs);
	ASSERT_LE(1, info->out_max_ranges);
	ASSERT_LE(1, info->out_max_bitmap_bytes);
	ASSERT_LE(KIB(64), info->out_default_chunk_size);
	ASSERT_GE(MIB(1024), info->out_default_chunk_size);
	ASSERT_EQ(0, info->out_default_chunk_size &
		     (info->out_default_chunk_size - 1));
	/* It is the same before RAMLOAD_SETUP. */
	test_info(fd, &again);
	ASSERT_EQ(0, memcmp(info, &again, sizeof(again)));
	close(fd);
}

TEST_F_TIMEOUT(context, setup_values, TIMEOUT)
{
	struct ramload_range range = RANGE0();
	struct ramload_load load = LOAD(self->s.src, &range, 1);
	int fd = open_device();

	test_err_load(ENXIO, fd, &load);
	test_err_setup(EINVAL, fd, 0);
	test_err_setup(EINVAL, fd, self->s.info.out_max_workers + 1);
	test_err_setup(EINVAL, fd, UINT32_MAX);
	test_setup(fd, 1);
	test_err_setup(EEXIST, fd, 1);
	ASSERT_EQ(0, load_wait(fd, &load, NULL));
	close(fd);

	fd = open_device();
	test_setup(fd, self->s.info.out_max_workers);
	ASSERT_EQ(0, load_wait(fd, &load, NULL));
	close(fd);
}

static int count_threads(void)
{
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");
	int nr = -1;

	while (f && nr < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "Threads: %d", &nr);
	if (f)
		fclose(f);
	return nr;
}

TEST_F_TIMEOUT(context, workers_are_threads, TIMEOUT)
{
	int fd = open_device();
	int before = count_threads();

	if (!(self->s.info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "workers are kernel threads here");
	test_setup(fd, 3);
	ASSERT_EQ(before + 3, count_threads());
	close(fd);
	/* A thread that has ended may be seen for a moment. */
	while (count_threads() != before)
		usleep(1000);
}

static int setup_as_nobody(void)
{
	const struct rlimit limit = { 2, 2 };
	int fd = open_device();

	if (fd < 0 || setrlimit(RLIMIT_NPROC, &limit) ||
	    setresuid(65533, 65533, 65533))
		return 255;
	return raw_setup(fd, 8) ? errno : 0;
}

TEST_F_TIMEOUT(context, setup_over_rlimit, TIMEOUT)
{
	int status;
	pid_t pid;

	if (!(self->s.info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "workers are kernel threads here");
	if (geteuid())
		SKIP(return, "not root");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(setup_as_nobody());
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	ASSERT_EQ(EAGAIN, WEXITSTATUS(status));
}

TEST_F_TIMEOUT(context, number_of_ranges, TIMEOUT)
{
	uint32_t max = self->s.info.out_max_ranges;

	TEST_BAD_LOAD(EINVAL, .nr_ranges = 0);
	TEST_BAD_LOAD(E2BIG, .nr_ranges = max + 1);
	TEST_BAD_LOAD(E2BIG, .nr_ranges = UINT32_MAX);
	TEST_BAD_LOAD(EFAULT, .ranges = 0);
	TEST_BAD_LOAD(EFAULT, .ranges = UINT64_MAX - 7);
	TEST_BAD_LOAD(EFAULT, .ranges = (uintptr_t)1 << 63);
}

TEST_F_TIMEOUT(context, ranges_partly_readable, TIMEOUT)
{
	char *pages = map_anonymous(2 * PAGE, PROT_READ | PROT_WRITE);
	struct ramload_range *r = (void *)(pages + PAGE);
	struct ramload_load load = LOAD(self->s.src, r - 2, 2);

	r[-1] = r[-2] = RANGE0();
	ASSERT_EQ(0, mprotect(r, PAGE, PROT_NONE));
	ASSERT_EQ(0, load_wait(self->s.fd, &load, NULL));
	load.nr_ranges = 3;
	ASSERT_EQ(-EFAULT, load_wait(self->s.fd, &load, NULL));
}

TEST_F_TIMEOUT(context, element_size, TIMEOUT)
{
	static const uint32_t good[] = { 24, 32, 40, 48, 56, 4096 };
	static const uint32_t bad[] = { 0, 8, 16, 23, 25, 39, 41, 44 };
	char *array = map_anonymous(3 * PAGE, PROT_READ | PROT_WRITE);
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		TEST_BAD_LOAD(EINVAL, .range_size = bad[i]);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		struct ramload_load load = LOAD(self->s.src, array, 2,
						.range_size = good[i]);
		struct ramload_range second = RANGE(PAGE, PAGE,
						    self->s.dest + PAGE);

		memset(array, 0, 3 * PAGE);
		memset(self->s.dest, 0, 2 * PAGE);
		memcpy(array, &RANGE0(), 24);
		memcpy(array + good[i], &second, 24);
		ASSERT_EQ(0, load_wait(self->s.fd, &load, NULL));
		ASSERT_TRUE(pattern_matches(self->s.dest, SEED_SOURCE, 0,
					    2 * PAGE));
	}
}

TEST_F_TIMEOUT(context, element_with_garbage, TIMEOUT)
{
	char array[2][48] = {};
	struct ramload_load load = LOAD(self->s.src, array, 2,
					.range_size = 48);

	memcpy(array[0], &RANGE0(), 40);
	memcpy(array[1], &RANGE0(), 40);
	ASSERT_EQ(0, load_wait(self->s.fd, &load, NULL));
	array[1][47] = 1;
	test_err_load(E2BIG, self->s.fd, &load);
	array[1][47] = 0;
	array[0][40] = 1;
	test_err_load(E2BIG, self->s.fd, &load);
	/* The first version of the struct ends before the bitmap. */
	memset(array[0], 0, sizeof(array));
	memcpy(array[0], &RANGE0(), 24);
	memcpy(array[0] + 24, &RANGE0(), 24);
	load.range_size = RAMLOAD_RANGE_SIZE_VER0;
	ASSERT_EQ(0, load_wait(self->s.fd, &load, NULL));
}

TEST_F_TIMEOUT(context, range_values, TIMEOUT)
{
	TEST_BAD_RANGE(EINVAL, RANGE(0, 0, self->s.dest));
	TEST_BAD_RANGE(EOPNOTSUPP, RANGE0(.flags = 1));
	TEST_BAD_RANGE(EOPNOTSUPP, RANGE0(.flags = 1U << 31));
	TEST_BAD_RANGE(EOPNOTSUPP, RANGE(0, 0, self->s.dest, .flags = 1));
	TEST_BAD_RANGE(EINVAL, RANGE0(.page_size = 4096));
	TEST_BAD_RANGE(EINVAL, RANGE(UINT64_MAX, 0, UINT64_MAX));
}

TEST_F_TIMEOUT(context, bad_range_is_found_anywhere, TIMEOUT)
{
	struct ramload_range ranges[300];
	struct ramload_load load = LOAD(self->s.src, ranges, 300);
	int i;

	for (i = 0; i < 300; i++)
		ranges[i] = RANGE(i, 1, self->s.dest + i);
	for (i = 0; i < 300; i += 23) {
		ranges[i].length = 0;
		test_err_load(EINVAL, self->s.fd, &load);
		ranges[i].length = 1;
	}
	/* Nothing was loaded. */
	ASSERT_TRUE(all_zero(self->s.dest, 300));
	ASSERT_EQ(0, load_wait(self->s.fd, &load, NULL));
	ASSERT_TRUE(pattern_matches(self->s.dest, SEED_SOURCE, 0, 300));
}

TEST_F_TIMEOUT(context, overflow, TIMEOUT)
{
	uint64_t max = INT64_MAX;

	TEST_BAD_RANGE(EOVERFLOW, RANGE(max, 1, self->s.dest));
	TEST_BAD_RANGE(EOVERFLOW, RANGE(max - PAGE + 1, PAGE, self->s.dest));
	TEST_BAD_RANGE(EOVERFLOW, RANGE(1ULL << 63, 1, self->s.dest));
	TEST_BAD_RANGE(EOVERFLOW, RANGE(UINT64_MAX, 1, self->s.dest));
	TEST_BAD_RANGE(EOVERFLOW, RANGE(0, 1ULL << 63, self->s.dest));
	TEST_BAD_RANGE(EOVERFLOW, RANGE(1, max, self->s.dest));
	TEST_BAD_RANGE(EOVERFLOW, RANGE(0, UINT64_MAX, self->s.dest));
	TEST_BAD_RANGE(EOVERFLOW, RANGE(0, 2, UINT64_MAX));
	TEST_BAD_RANGE(EOVERFLOW, RANGE(0, PAGE, -PAGE + 1));
	/* The last byte that may be asked for: the file is shorter. */
	TEST_BAD_RANGE(ENODATA, RANGE(max - 1, 1, self->s.dest));
}

TEST_F_TIMEOUT(context, sum_of_lengths, TIMEOUT)
{
	const size_t nr = 70000;
	struct ramload_range *r = calloc(nr, sizeof(*r));
	struct ramload_load load = LOAD(self->s.src, r, nr);
	size_t i;

	if (self->s.info.out_max_ranges < nr)
		SKIP(return, "fewer ranges are allowed");
	/* The stack is near the end of the address space: about 2^47. */
	for (i = 0; i < nr; i++)
		r[i] = RANGE(0, (uintptr_t)&i - KIB(64), KIB(64));
	test_err_load(EOVERFLOW, self->s.fd, &load);
	free(r);
}

TEST_F_TIMEOUT(context, destination_outside_of_user_space, TIMEOUT)
{
	uint64_t max = ~(uint64_t)0;

	TEST_BAD_RANGE(EFAULT, RANGE(0, PAGE, 0xffff800000000000));
	TEST_BAD_RANGE(EFAULT, RANGE(0, PAGE, 0xffffffff81000000));
	TEST_BAD_RANGE(EFAULT, RANGE(0, PAGE, 1ULL << 63));
	TEST_BAD_RANGE(EFAULT, RANGE(0, PAGE - 1, max - PAGE + 1));
	TEST_BAD_RANGE(EFAULT, RANGE(0, 1ULL << 62, self->s.dest));
}

TEST_F_TIMEOUT(context, chunk_size, TIMEOUT)
{
	static const uint32_t bad[] = {
		1, 4096, KIB(32), KIB(64) - 1, KIB(64) + 1, 3 * KIB(64),
		1U << 31, UINT32_MAX,
	};
	struct ramload_range range = RANGE(0, LENGTH, self->s.dest);
	struct ramload_load load = LOAD(self->s.src, &range, 1);
	uint32_t size;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		TEST_BAD_LOAD(EINVAL, .chunk_size = bad[i]);
	for (size = KIB(64); size <= MIB(1024); size *= 2) {
		load.chunk_size = size;
		memset(self->s.dest, 0, LENGTH);
		ASSERT_EQ(0, load_wait(self->s.fd, &load, NULL));
		ASSERT_TRUE(pattern_matches(self->s.dest, SEED_SOURCE, 0,
					    LENGTH));
	}
}

TEST_F_TIMEOUT(context, direct_values, TIMEOUT)
{
	TEST_BAD_LOAD(EINVAL, .direct = 3);
	TEST_BAD_LOAD(EINVAL, .direct = UINT32_MAX);
}

TEST_F_TIMEOUT(context, bad_values_before_overflow, TIMEOUT)
{
	TEST_BAD_RANGE(EINVAL, RANGE(UINT64_MAX, 1, self->s.dest), .direct = 3);
	TEST_BAD_RANGE(EINVAL, RANGE(UINT64_MAX, 1, self->s.dest,
				     .page_size = 1));
	TEST_BAD_LOAD(EINVAL, .direct = 3, .source_fd = -1);
	TEST_BAD_LOAD(EINVAL, .nr_ranges = 0, .source_fd = -1);
	TEST_BAD_LOAD(EINVAL, .range_size = 25, .source_fd = -1);
}

TEST_F_TIMEOUT(context, bitmap_values, TIMEOUT)
{
	static const uint32_t bad[] = {
		0, 1, 256, 511, 513, 4095, 12288, 1U << 31, UINT32_MAX,
	};
	unsigned char bits[64] = { 1 };
	char *hole = map_anonymous(PAGE, PROT_NONE);
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		TEST_BAD_RANGE(EINVAL, RANGE0(.bitmap = (uintptr_t)bits,
					      .page_size = bad[i]));
	TEST_BAD_RANGE(EINVAL, RANGE(0, PAGE + 1, self->s.dest,
				     .bitmap = (uintptr_t)bits,
				     .page_size = 4096));
	TEST_BAD_RANGE(EINVAL, RANGE(0, 512, self->s.dest,
				     .bitmap = (uintptr_t)bits,
				     .page_size = 4096));
	TEST_BAD_RANGE(EFAULT, RANGE0(.bitmap = (uintptr_t)hole,
				      .page_size = 4096));
	TEST_BAD_RANGE(EFAULT, RANGE0(.bitmap = UINT64_MAX,
				      .page_size = 4096));
}

TEST_F_TIMEOUT(context, bitmaps_over_the_limit, TIMEOUT)
{
	uint64_t most = self->s.info.out_max_bitmap_bytes;
	char *bits = map_anonymous(PAGE, PROT_READ);
	struct ramload_range r[2];
	struct ramload_load load = LOAD(self->s.src, r, 2);

	TEST_BAD_RANGE(E2BIG, RANGE(0, (most + 1) * 8 * 512, self->s.dest,
				    .bitmap = (uintptr_t)bits,
				    .page_size = 512));
	r[0] = r[1] = RANGE(0, (most / 2 + 8) * 8 * 512, KIB(64),
			    .bitmap = (uintptr_t)bits, .page_size = 512);
	test_err_load(E2BIG, self->s.fd, &load);
}

TEST_F_TIMEOUT(context, result_member, TIMEOUT)
{
	struct ramload_job_result result = { .size = sizeof(result) };
	char *hole = map_anonymous(PAGE, PROT_NONE);

	TEST_BAD_LOAD(EINVAL, .flags = 0, .result = (uintptr_t)&result);
	TEST_BAD_LOAD(EFAULT, .result = 1);
	TEST_BAD_LOAD(EFAULT, .result = (uintptr_t)hole);
	result.size--;
	TEST_BAD_LOAD(EINVAL, .result = (uintptr_t)&result);
	result.size = 0;
	TEST_BAD_LOAD(EINVAL, .result = (uintptr_t)&result);
	result.size = PAGE + 1;
	TEST_BAD_LOAD(E2BIG, .result = (uintptr_t)&result);
	result.size = sizeof(result);
	result.flags = 1U << 31;
	TEST_BAD_LOAD(EOPNOTSUPP, .result = (uintptr_t)&result);
	result.flags = 0;
	result.__reserved = 1;
	TEST_BAD_LOAD(EOPNOTSUPP, .result = (uintptr_t)&result);
}

TEST_F_TIMEOUT(context, wait_gives_no_fd_and_a_result, TIMEOUT)
{
	struct ramload_job_result result = { .size = sizeof(result) };
	struct ramload_range range = RANGE(1, LENGTH - 1, self->s.dest);
	struct ramload_load load = LOAD(self->s.src, &range, 1,
					.flags = RAMLOAD_LOAD_WAIT,
					.result = (uintptr_t)&result);

	test_load(self->s.fd, &load);
	ASSERT_EQ(-1, load.out_job_fd);
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_EQ(0, result.out_error);
	ASSERT_EQ(LENGTH - 1, result.out_bytes_total);
	ASSERT_EQ(LENGTH - 1, result.out_bytes_done);
	/* A result need not be asked for. */
	load.result = 0;
	test_load(self->s.fd, &load);
	/* An error is told in both ways. */
	load.result = (uintptr_t)&result;
	range.file_offset = LENGTH / 2;
	test_err_load(ENODATA, self->s.fd, &load);
	ASSERT_EQ(RAMLOAD_JOB_FAILED, result.out_state);
	ASSERT_EQ(-ENODATA, result.out_error);
	ASSERT_EQ(LENGTH, result.out_error_offset);
	ASSERT_EQ(0, result.out_error_range);
	ASSERT_EQ(LENGTH / 2, result.out_bytes_done);
}

/*
 * Sources
 */

TEST_F_TIMEOUT(context, source_not_open_for_reading, TIMEOUT)
{
	char path[32];
	int fd = dup(self->s.src);

	close(fd);
	TEST_BAD_LOAD(EBADF, .source_fd = fd);
	TEST_BAD_LOAD(EBADF, .source_fd = -1);
	TEST_BAD_LOAD(EBADF, .source_fd = -100 /* AT_FDCWD */);
	TEST_BAD_LOAD(EBADF, .source_fd = INT_MAX);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->s.src);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	TEST_BAD_LOAD(EBADF, .source_fd = fd);
	close(fd);
	fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	ASSERT_LE(0, fd);
	TEST_BAD_LOAD(EBADF, .source_fd = fd);
	close(fd);
}

TEST_F_TIMEOUT(context, source_is_a_directory, TIMEOUT)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	TEST_BAD_LOAD(EISDIR, .source_fd = fd);
	close(fd);
}

TEST_F_TIMEOUT(context, source_cannot_seek, TIMEOUT)
{
	int pipes[2], sockets[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	TEST_BAD_LOAD(ESPIPE, .source_fd = pipes[0]);
	TEST_BAD_LOAD(ESPIPE, .source_fd = sockets[0]);
}

TEST_F_TIMEOUT(context, source_is_no_file, TIMEOUT)
{
	static const char *const paths[] = {
		"/dev/zero", "/dev/null", "/dev/full", "/proc/self/mem",
		"/proc/self/pagemap", RAMLOAD_DEVICE,
	};
	int i, fd;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		fd = open(paths[i], O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		TH_LOG("%s", paths[i]);
		TEST_BAD_LOAD(EINVAL, .source_fd = fd);
		close(fd);
	}
	TEST_BAD_LOAD(EINVAL, .source_fd = self->s.fd);
	TEST_BAD_LOAD(EINVAL, .source_fd = eventfd(1, EFD_CLOEXEC));
	TEST_BAD_LOAD(EINVAL, .source_fd = epoll_create1(EPOLL_CLOEXEC));
	TEST_BAD_LOAD(EINVAL, .source_fd = timerfd_create(CLOCK_MONOTONIC, 0));
}

TEST_F_TIMEOUT(context, source_is_a_job, TIMEOUT)
{
	struct ramload_range range = RANGE0();
	int job = start_range(self->s.fd, self->s.src, 0, &range);

	ASSERT_LE(0, job);
	TEST_BAD_LOAD(EINVAL, .source_fd = job);
}

/* Files without a size in their inode must not be taken for long ones. */
TEST_F_TIMEOUT(context, source_is_a_file_of_proc, TIMEOUT)
{
	struct ramload_range range = RANGE(0, LENGTH, self->s.dest);
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	int err = load_range(self->s.fd, fd, &range, NULL);

	ASSERT_TRUE(err == -EINVAL || err == -ENODATA);
}

TEST_F_TIMEOUT(context, source_without_direct_io, TIMEOUT)
{
	struct ramload_range range = RANGE(0, LENGTH, self->s.dest);
	struct ramload_load load = LOAD(self->s.src, &range, 1,
					.direct = RAMLOAD_DIRECT_ON);
	int expected = file_can_direct(self->s.src) ? 0 : -EINVAL;

	ASSERT_EQ(expected, load_wait(self->s.fd, &load, NULL));
	load.direct = RAMLOAD_DIRECT_AUTO;
	ASSERT_EQ(0, load_wait(self->s.fd, &load, NULL));
	ASSERT_TRUE(pattern_matches(self->s.dest, SEED_SOURCE, 0, LENGTH));
}

TEST_F_TIMEOUT(context, position_of_the_fd_does_not_matter, TIMEOUT)
{
	struct ramload_range range = RANGE(0, LENGTH, self->s.dest);

	ASSERT_EQ(777, lseek(self->s.src, 777, SEEK_SET));
	ASSERT_EQ(0, load_range(self->s.fd, self->s.src, &range, NULL));
	ASSERT_TRUE(pattern_matches(self->s.dest, SEED_SOURCE, 0, LENGTH));
	ASSERT_EQ(777, lseek(self->s.src, 0, SEEK_CUR));
}

TEST_HARNESS_MAIN
