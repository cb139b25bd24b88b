// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Jobs and their fds, limits, and what other processes may do with a context.
 * Most tests look at a job that is certainly not done: its source is a FUSE
 * file whose reads are held.
 */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define LENGTH	MIB(4)
#define GATE	MIB(1)
#define WORKERS	2

FIXTURE(job)
{
	int fd;
	struct ramload_info info;
	struct memory m;
	struct fuse_source *slow;
	struct ramload_range range;	/* of the slow source */
	int quick;			/* a source that never waits */
};

FIXTURE_SETUP(job)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_info(self->fd, &self->info);
	test_setup(self->fd, WORKERS);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, LENGTH, &why));
	self->quick = memfd_create_pattern(SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->quick);
	self->slow = fuse_source_start(LENGTH, GATE, &why);
	if (!self->slow)
		SKIP(return, "%s", why.text);
	self->range = RANGE(0, LENGTH, self->m.map);
}

FIXTURE_TEARDOWN(job)
{
	fuse_source_stop(self->slow);
	close(self->fd);
}

/* A job whose reads are being held. */
#define START_HELD(job)							\
	do {								\
		job = start_range(self->fd, self->slow->fd,		\
				  RAMLOAD_DIRECT_OFF, &self->range);	\
		ASSERT_LE(0, job);					\
		fuse_source_wait_held(self->slow);			\
	} while (0)

#define ASSERT_LOADED(from, length)					\
	ASSERT_EQ(length, pattern_mismatch(self->m.map + (from),	\
					   SEED_SOURCE, from, length))

static void *release_later(void *slow)
{
	usleep(50000);
	fuse_source_release(slow);
	return NULL;
}

TEST_F_TIMEOUT(job, runs_and_is_done, TIMEOUT)
{
	struct ramload_job_result result, again;
	int job;

	START_HELD(job);
	ASSERT_FALSE(job_is_done(job));
	test_result(job, 0, &result);
	ASSERT_EQ(RAMLOAD_JOB_RUNNING, result.out_state);
	ASSERT_EQ(0, result.out_error);
	ASSERT_EQ(LENGTH, result.out_bytes_total);
	ASSERT_GT(LENGTH, result.out_bytes_done);

	fuse_source_release(self->slow);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_EQ(0, result.out_error);
	ASSERT_EQ(LENGTH, result.out_bytes_total);
	ASSERT_EQ(LENGTH, result.out_bytes_done);
	ASSERT_TRUE(job_is_done(job));
	ASSERT_LOADED(0, LENGTH);
	/* It can be read as often as wanted, and stays. */
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &again);
	again.flags = result.flags;
	ASSERT_EQ(0, memcmp(&result, &again, sizeof(result)));
	close(job);
}

TEST_F_TIMEOUT(job, poll_wakes_up, TIMEOUT)
{
	struct pollfd pfd = { .events = POLLIN };
	struct ramload_job_result result;
	pthread_t thread;

	START_HELD(pfd.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, release_later, self->slow));
	ASSERT_EQ(1, poll(&pfd, 1, -1));
	ASSERT_TRUE(pfd.revents & POLLIN);
	ASSERT_FALSE(pfd.revents & (POLLNVAL | POLLHUP));
	test_result(pfd.fd, 0, &result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	/* It is readable for good. */
	ASSERT_EQ(1, poll(&pfd, 1, -1));
	pthread_join(thread, NULL);
}

TEST_F_TIMEOUT(job, progress_only_grows, TIMEOUT)
{
	struct ramload_job_result result;
	uint64_t before = 0;
	pthread_t thread;
	int job;

	START_HELD(job);
	ASSERT_EQ(0, pthread_create(&thread, NULL, release_later, self->slow));
	do {
		test_result(job, 0, &result);
		ASSERT_LE(before, result.out_bytes_done);
		ASSERT_GE(LENGTH, result.out_bytes_done);
		before = result.out_bytes_done;
	} while (result.out_state == RAMLOAD_JOB_RUNNING);
	ASSERT_EQ(LENGTH, before);
	pthread_join(thread, NULL);
}

static atomic_int signals;

static void count_signal(int nr)
{
	signals++;
}

struct interrupter {
	pthread_t victim;
	atomic_bool stop;
};

/* Signals until it is told to stop: the victim may not wait yet. */
static void *interrupt(void *arg)
{
	struct interrupter *i = arg;

	while (!i->stop) {
		pthread_kill(i->victim, SIGUSR1);
		usleep(20000);
	}
	return NULL;
}

static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = count_signal };

	sigaction(SIGUSR1, &action, NULL);
}

TEST_F_TIMEOUT(job, waiting_for_a_result_is_interrupted, TIMEOUT)
{
	struct interrupter i = { .victim = pthread_self() };
	struct ramload_job_result result;
	pthread_t thread;
	int job;

	catch_signals();
	START_HELD(job);
	ASSERT_EQ(0, pthread_create(&thread, NULL, interrupt, &i));
	test_err_result(EINTR, job, RAMLOAD_JOB_RESULT_WAIT, &result);
	while (signals < 3)
		raw_result(job, RAMLOAD_JOB_RESULT_WAIT, &result);
	i.stop = true;
	pthread_join(thread, NULL);
	test_result(job, 0, &result);
	ASSERT_EQ(RAMLOAD_JOB_RUNNING, result.out_state);
	fuse_source_release(self->slow);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_LOADED(0, LENGTH);
}

/* It gives the caller a job to wait for, and the job goes on. */
TEST_F_TIMEOUT(job, waiting_load_is_interrupted, TIMEOUT)
{
	struct interrupter i = { .victim = pthread_self() };
	struct ramload_load load = LOAD(self->slow->fd, &self->range, 1,
					.flags = RAMLOAD_LOAD_WAIT);
	struct ramload_job_result result;
	pthread_t thread;

	catch_signals();
	ASSERT_EQ(0, pthread_create(&thread, NULL, interrupt, &i));
	test_err_load(EINTR, self->fd, &load);
	i.stop = true;
	pthread_join(thread, NULL);
	ASSERT_LE(0, load.out_job_fd);
	ASSERT_EQ(FD_CLOEXEC, fcntl(load.out_job_fd, F_GETFD));
	test_result(load.out_job_fd, 0, &result);
	ASSERT_EQ(RAMLOAD_JOB_RUNNING, result.out_state);
	fuse_source_release(self->slow);
	test_result(load.out_job_fd, RAMLOAD_JOB_RESULT_WAIT, &result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_LOADED(0, LENGTH);
}

#define STOP_LOADS	1024

/* Loads the same again and again; a thread that waits for it must stop. */
static int load_and_be_stopped(int src, char *map)
{
	static struct ramload_range ranges[STOP_LOADS];
	struct ramload_load load = LOAD(src, ranges, STOP_LOADS,
					.flags = RAMLOAD_LOAD_WAIT);
	struct ramload_job_result result;
	int fd = open_device();

	for (int i = 0; i < STOP_LOADS; i++)
		ranges[i] = RANGE(0, LENGTH, map);
	if (fd < 0 || raw_setup(fd, WORKERS))
		return 2;
	if (!raw_load(fd, &load))
		return 0;
	if (errno != EINTR)
		return 3;
	while (raw_result(load.out_job_fd, RAMLOAD_JOB_RESULT_WAIT, &result))
		if (errno != EINTR)
			return 4;
	return result.out_state == RAMLOAD_JOB_DONE ? 0 : 5;
}

TEST_F_TIMEOUT(job, process_is_stopped_while_it_waits, TIMEOUT)
{
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child)
		_exit(load_and_be_stopped(self->quick, self->m.map));
	for (int i = 0; i < 5; i++) {
		usleep(20000);
		ASSERT_EQ(0, kill(child, SIGSTOP));
		ASSERT_EQ(child, waitpid(child, &status, WUNTRACED));
		if (!WIFSTOPPED(status))
			break;
		ASSERT_EQ(0, kill(child, SIGCONT));
	}
	if (WIFSTOPPED(status))
		ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	ASSERT_EQ(0, WEXITSTATUS(status));
	ASSERT_LOADED(0, LENGTH);
}

static void check_cancelled(struct __test_metadata *_metadata,
			    struct _test_data_job *self,
			    const struct ramload_job_result *result)
{
	size_t before = result->out_error_offset;

	ASSERT_EQ(RAMLOAD_JOB_CANCELLED, result->out_state);
	ASSERT_EQ(-ECANCELED, result->out_error);
	ASSERT_EQ(0, result->out_error_range);
	ASSERT_GT(LENGTH, before);
	ASSERT_LE(before, result->out_bytes_done);
	ASSERT_GT(LENGTH, result->out_bytes_done);
	ASSERT_LOADED(0, before);
}

TEST_F_TIMEOUT(job, cancel, TIMEOUT)
{
	struct ramload_job_result result;
	int job;

	START_HELD(job);
	test_cancel(job);
	test_cancel(job);
	fuse_source_release(self->slow);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &result);
	check_cancelled(_metadata, self, &result);
	test_cancel(job);
	test_result(job, 0, &result);
	ASSERT_EQ(RAMLOAD_JOB_CANCELLED, result.out_state);
}

TEST_F_TIMEOUT(job, cancel_when_done, TIMEOUT)
{
	struct ramload_job_result result;
	int job = start_range(self->fd, self->quick, 0, &self->range);

	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &result);
	test_cancel(job);
	test_result(job, 0, &result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_EQ(0, result.out_error);
}

TEST_F_TIMEOUT(job, cancel_of_a_job_that_has_not_started, TIMEOUT)
{
	struct ramload_range range = self->range;
	struct ramload_job_result result;
	int first, second;

	START_HELD(first);
	second = start_range(self->fd, self->slow->fd, 0, &range);
	ASSERT_LE(0, second);
	test_cancel(second);
	fuse_source_release(self->slow);
	test_result(second, RAMLOAD_JOB_RESULT_WAIT, &result);
	ASSERT_EQ(RAMLOAD_JOB_CANCELLED, result.out_state);
	test_result(first, RAMLOAD_JOB_RESULT_WAIT, &result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_LOADED(0, LENGTH);
}

TEST_F_TIMEOUT(job, result_and_cancel_in_another_process, TIMEOUT)
{
	struct ramload_job_result result;
	int job, status;
	pid_t pid;

	START_HELD(job);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(raw_result(job, 0, &result) ||
		      result.out_state != RAMLOAD_JOB_RUNNING ||
		      raw_cancel(job));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	fuse_source_release(self->slow);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &result);
	check_cancelled(_metadata, self, &result);
}

TEST_F_TIMEOUT(job, lives_until_its_last_fd, TIMEOUT)
{
	struct ramload_job_result result;
	int job, copy;

	START_HELD(job);
	copy = dup(job);
	close(job);
	test_result(copy, 0, &result);
	ASSERT_EQ(RAMLOAD_JOB_RUNNING, result.out_state);
	fuse_source_release(self->slow);
	test_result(copy, RAMLOAD_JOB_RESULT_WAIT, &result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_LOADED(0, LENGTH);
}

TEST_F_TIMEOUT(job, fd_is_an_ordinary_one, TIMEOUT)
{
	char arg[256] = {};
	int nr, job = start_range(self->fd, self->quick, 0, &self->range);

	ASSERT_LE(0, job);
	ASSERT_EQ(FD_CLOEXEC, fcntl(job, F_GETFD));
	ASSERT_EQ(-1, read(job, arg, 8));
	ASSERT_EQ(-1, write(job, arg, 8));
	for (nr = 0; nr < 256; nr++)
		if (nr != RAMLOAD_CMD_JOB_RESULT &&
		    nr != RAMLOAD_CMD_JOB_CANCEL)
			TEST_ERRNO(ENOTTY,
				   ioctl(job, _IO(RAMLOAD_IOC_TYPE, nr), arg));
	TEST_ERRNO(ENOTTY, ioctl(job, 0x5401 /* TCGETS */, arg));
}

TEST_F_TIMEOUT(job, caller_may_reuse_what_it_passed, TIMEOUT)
{
	unsigned char bits[LENGTH / PAGE / 8];
	struct ramload_range range = self->range;
	struct ramload_job_result result;
	int job, src = dup(self->slow->fd);

	memset(bits, 0xff, sizeof(bits));
	range.bitmap = (uintptr_t)bits;
	range.page_size = PAGE;
	job = start_range(self->fd, src, RAMLOAD_DIRECT_OFF, &range);
	ASSERT_LE(0, job);
	close(src);
	memset(bits, 0x5a, sizeof(bits));
	memset(&range, 0xa5, sizeof(range));
	fuse_source_wait_held(self->slow);
	fuse_source_release(self->slow);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_LOADED(0, LENGTH);
}

TEST_F_TIMEOUT(job, bytes_of_a_bitmap, TIMEOUT)
{
	/* 21 pages, of which 5 are present; the other bits lie behind. */
	unsigned char bits[3] = { 0x81, 0x10, 0xe0 | 0x12 };
	struct ramload_range range = RANGE(0, 21 * PAGE, self->m.map,
					   .bitmap = (uintptr_t)bits,
					   .page_size = PAGE);
	struct ramload_job_result result;
	int page;

	ASSERT_EQ(0, load_range(self->fd, self->quick, &range, &result));
	ASSERT_EQ(5 * PAGE, result.out_bytes_total);
	ASSERT_EQ(5 * PAGE, result.out_bytes_done);
	for (page = 0; page < 40; page++) {
		bool present = page < 21 && bits[page / 8] & 1 << page % 8;
		char *at = self->m.map + page * PAGE;

		ASSERT_EQ(!present, all_zero(at, PAGE));
		if (present)
			ASSERT_LOADED(page * PAGE, PAGE);
	}
	/* Nothing to do is done. */
	memset(bits, 0, sizeof(bits));
	bits[2] = 0xe0;
	ASSERT_EQ(0, load_range(self->fd, self->quick, &range, &result));
	ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	ASSERT_EQ(0, result.out_bytes_total);
}

TEST_F_TIMEOUT(job, failure_leaves_the_context_usable, TIMEOUT)
{
	struct ramload_range bad = RANGE(0, PAGE, PAGE);
	struct ramload_job_result result;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(-EFAULT, load_range(self->fd, self->quick, &bad,
					      &result));
		ASSERT_EQ(0, load_range(self->fd, self->quick, &self->range,
					&result));
	}
	ASSERT_LOADED(0, LENGTH);
}

/*
 * Limits
 */

static void allow_fds(unsigned int nr)
{
	struct rlimit limit = { nr + 64, nr + 64 };

	setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_F_TIMEOUT(job, too_many_jobs, TIMEOUT)
{
	unsigned int i, max = self->info.out_max_jobs;
	struct ramload_range small = RANGE(GATE, PAGE, self->m.map);
	struct ramload_load load = LOAD(self->slow->fd, &small, 1,
					.direct = RAMLOAD_DIRECT_OFF);
	struct ramload_job_result result;
	int *jobs = calloc(max, sizeof(*jobs));
	int other = open_device();

	allow_fds(max);
	for (i = 0; i < max; i++) {
		jobs[i] = start_range(self->fd, self->slow->fd,
				      RAMLOAD_DIRECT_OFF, &small);
		ASSERT_LE(0, jobs[i]);
	}
	test_err_load(EBUSY, self->fd, &load);
	load.flags = RAMLOAD_LOAD_WAIT;
	test_err_load(EBUSY, self->fd, &load);
	/* The limit is the context's. */
	test_setup(other, 1);
	ASSERT_EQ(0, load_range(other, self->quick, &small, NULL));

	fuse_source_release(self->slow);
	for (i = 0; i < max; i++) {
		test_result(jobs[i], RAMLOAD_JOB_RESULT_WAIT, &result);
		ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
	}
	/* Jobs that are done do not count. */
	ASSERT_EQ(0, load_range(self->fd, self->quick, &small, NULL));
	free(jobs);
}

TEST_F_TIMEOUT(job, no_fd_left, TIMEOUT)
{
	struct ramload_load load = LOAD(self->quick, &self->range, 1);
	struct rlimit limit, none;
	int last = dup(0);

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = (struct rlimit){ last, limit.rlim_max };
	close(last);
	/* It was the lowest that was free. */
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	test_err_load(EMFILE, self->fd, &load);
	/* Who waits may need one, too. */
	ASSERT_EQ(-EMFILE, load_wait(self->fd, &load, NULL));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	load.flags = 0;
	load.result = 0;
	test_load(self->fd, &load);
}

/*
 * Other processes
 */

FIXTURE(stranger)
{
	int fd;
	int src;
	struct ramload_info info;
	struct ramload_range range;
	char *page;
};

FIXTURE_SETUP(stranger)
{
	OPEN_DEVICE(self->fd);
	self->src = memfd_create_pattern(SEED_SOURCE, PAGE);
	self->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_LE(0, self->src);
	ASSERT_NE(MAP_FAILED, self->page);
	self->range = RANGE(0, PAGE, self->page);
	test_info(self->fd, &self->info);
}

FIXTURE_TEARDOWN(stranger)
{
	close(self->fd);
}

/* What a process with another mm gets; returns 0 if that is right. */
static int try_as_stranger(int fd, int src, struct ramload_range *range)
{
	struct ramload_load load = LOAD(src, range, 1);
	struct ramload_info info;
	char none[8] = {};

	if (raw_info(fd, &info) || !info.out_max_workers)
		return 1;
	if (!raw_setup(fd, 1) || errno != EPERM)
		return 2;
	if (!raw_load(fd, &load) || errno != EPERM)
		return 3;
	/* EPERM comes before anything of the argument is looked at, */
	if (!ioctl(fd, RAMLOAD_LOAD, NULL) || errno != EPERM)
		return 4;
	if (!ioctl(fd, RAMLOAD_SETUP, none) || errno != EPERM)
		return 5;
	/* and after unknown ioctls. */
	if (!ioctl(fd, _IO(RAMLOAD_IOC_TYPE, 0), none) || errno != ENOTTY)
		return 6;
	return 0;
}

static int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F_TIMEOUT(stranger, forked_child, TIMEOUT)
{
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(try_as_stranger(self->fd, self->src, &self->range));
	ASSERT_EQ(0, wait_for(pid));
	ASSERT_TRUE(all_zero(self->page, PAGE));
	/* It is still the parent's. */
	test_setup(self->fd, 1);
	ASSERT_EQ(0, load_range(self->fd, self->src, &self->range, NULL));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(try_as_stranger(self->fd, self->src, &self->range));
	ASSERT_EQ(0, wait_for(pid));
}

/* A child's own context is as good as any. */
TEST_F_TIMEOUT(stranger, forked_child_opens_its_own, TIMEOUT)
{
	pid_t pid = fork();
	int fd;

	ASSERT_LE(0, pid);
	if (!pid) {
		fd = open_device();
		_exit(raw_setup(fd, 1) ||
		      load_range(fd, self->src, &self->range, NULL));
	}
	ASSERT_EQ(0, wait_for(pid));
	ASSERT_TRUE(pattern_matches(self->page, SEED_SOURCE, 0, PAGE));
}

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -1;
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST_F_TIMEOUT(stranger, fd_sent_over_a_socket, TIMEOUT)
{
	int sockets[2], fd;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		fd = receive_fd(sockets[1]);
		_exit(try_as_stranger(fd, self->src, &self->range));
	}
	fd = open_device();
	test_setup(fd, 1);
	ASSERT_EQ(0, send_fd(sockets[0], fd));
	close(fd);
	ASSERT_EQ(0, wait_for(pid));
}

/* A context that is closed while it is in flight has no process to wait. */
TEST_F_TIMEOUT(stranger, fd_left_in_a_socket, TIMEOUT)
{
	int sockets[2], fd, job;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	fd = open_device();
	test_setup(fd, 2);
	job = start_range(fd, self->src, 0, &self->range);
	ASSERT_LE(0, job);
	ASSERT_EQ(0, send_fd(sockets[0], fd));
	ASSERT_EQ(0, send_fd(sockets[0], job));
	close(fd);
	close(job);
	close(sockets[0]);
	close(sockets[1]);
	test_setup(self->fd, 1);
	ASSERT_EQ(0, load_range(self->fd, self->src, &self->range, NULL));
}

static int exec_helper(const char *what, int fd)
{
	char path[4096], number[16];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	char *slash;

	if (n < 0)
		return 254;
	path[n] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash + 1, "fd_helper");
	snprintf(number, sizeof(number), "%d", fd);
	execl(path, path, what, number, NULL);
	return 253;
}

static int exec_with_context(const char *what, bool with_workers)
{
	int fd = open(RAMLOAD_DEVICE, O_RDWR);

	if (fd < 0 || (with_workers && raw_setup(fd, 1)))
		return 255;
	return exec_helper(what, fd);
}

TEST_F_TIMEOUT(stranger, own_context_after_exec, TIMEOUT)
{
	static const char *const what[] = { "load", "setup" };
	int i;

	for (i = 0; i < 4; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			_exit(exec_with_context(what[i % 2], i / 2));
		ASSERT_EQ(EPERM, wait_for(pid));
	}
}

/*
 * A process that shares the mm, but is not the one that called RAMLOAD_SETUP.
 */
static int setup_and_exit(void *arg)
{
	const int *fd = arg;

	_exit(raw_setup(*fd, 2) ? errno : 0);
}

TEST_F_TIMEOUT(stranger, workers_end_with_their_process, TIMEOUT)
{
	static char stack[KIB(64)] __attribute__((aligned(16)));
	int expected = -ESHUTDOWN;
	pid_t pid;

	/* A kthread finds out when it is to load. */
	if (!(self->info.out_features & RAMLOAD_FEATURE_THREADS))
		expected = -ECANCELED;
	pid = clone(setup_and_exit, stack + sizeof(stack),
		    CLONE_VM | CLONE_FILES | SIGCHLD, &self->fd);
	ASSERT_LE(0, pid);
	ASSERT_EQ(0, wait_for(pid));
	ASSERT_EQ(expected, load_range(self->fd, self->src, &self->range,
				       NULL));
	ASSERT_EQ(-ESHUTDOWN, load_range(self->fd, self->src, &self->range,
					 NULL));
	test_err_setup(EEXIST, self->fd, 1);
}

/* The other way round: the mm is the same, so it may load. */
static int load_and_exit(void *arg)
{
	struct _test_data_stranger *self = arg;

	_exit(-load_range(self->fd, self->src, &self->range, NULL));
}

TEST_F_TIMEOUT(stranger, process_that_shares_the_mm, TIMEOUT)
{
	static char stack[KIB(64)] __attribute__((aligned(16)));
	pid_t pid;

	test_setup(self->fd, 2);
	pid = clone(load_and_exit, stack + sizeof(stack), CLONE_VM | SIGCHLD,
		    self);
	ASSERT_LE(0, pid);
	ASSERT_EQ(0, wait_for(pid));
	ASSERT_TRUE(pattern_matches(self->page, SEED_SOURCE, 0, PAGE));
}

TEST_HARNESS_MAIN
