// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * How workers end, and what they do when they are not where the module wants
 * them: in the close of somebody's file, stopped by a debugger, at work for a
 * process that is gone.
 */

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#ifdef RAMLOAD_HAVE_URING
#include <liburing.h>
#endif

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "netlink_ask.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_process.h"

#define LENGTH	MIB(4)
#define GATE	MIB(1)
#define WORKERS	2
#define JOBS	32
#define SETUPS	200

FIXTURE(worker_end)
{
	int fd;
	struct ramload_info info;
	struct memory m;
	struct fuse_source *slow;
	struct ask ask;
	struct ramload_range range;
	struct ramload_job_result result;
};

FIXTURE_SETUP(worker_end)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_info(self->fd, &self->info);
	ASSERT_EQ(0, ask_open(&self->ask));
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_ANON, LENGTH, &why));
	self->slow = fuse_source_start_writable(LENGTH, GATE, &why);
	if (!self->slow)
		SKIP(return, "%s", why.text);
	self->range = RANGE(0, LENGTH, self->m.map);
}

FIXTURE_TEARDOWN(worker_end)
{
	fuse_source_stop(self->slow);
	ask_close(&self->ask);
	close(self->fd);
	memory_unmap(&self->m);
}

/* A process that has these fds, too: it closes some, and others when told. */
static pid_t fork_closer(int now[2], int later[2], int words)
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	close(now[0]);
	close(now[1]);
	if (write(words, "d", 1) != 1 || read(words, &byte, 1) != 1)
		_exit(1);
	close(later[0]);
	close(later[1]);
	_exit(0);
}

static int ask_workers(struct ask *a, uint32_t context,
		       struct answer workers[WORKERS + 1])
{
	return ask_all(a, RAMLOAD_NL_CMD_WORKER_GET, RAMLOAD_A_WORKER_CONTEXT,
		       context, workers, WORKERS + 1);
}

static int count_workers(struct ask *a, uint32_t context)
{
	struct answer workers[WORKERS + 1];

	return ask_workers(a, context, workers);
}

/*
 * The last reference to the source is a worker's, and to close the file takes
 * as long as its daemon likes. The worker has not ended until then, and nobody
 * may wait for it.
 */
TEST_F_TIMEOUT(worker_end, source_takes_long_to_close, TIMEOUT)
{
	int fds[2], files[2], words[2], status, i;
	struct answer answer;
	uint32_t context;
	pid_t pid;
	char byte;

	if (!(self->info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "a kthread's files are closed by another");
	test_setup(self->fd, 1);
	context = ask_context(&self->ask, &answer);
	files[0] = self->slow->fd;
	files[1] = file_reopen(self->slow->fd, O_RDWR);
	ASSERT_LE(0, files[1]);
	/* Direct: what is held is read by the worker, not ahead of it. */
	fds[0] = start_range(self->fd, files[1], RAMLOAD_DIRECT_ON,
			     &self->range);
	fds[1] = self->fd;
	ASSERT_LE(0, fds[0]);
	fuse_source_wait_held(self->slow);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, words));
	pid = fork_closer(files, fds, words[0]);
	ASSERT_LE(0, pid);
	ASSERT_EQ(1, read(words[1], &byte, 1));
	close(files[1]);
	close(fds[0]);
	close(fds[1]);
	self->fd = -1;

	ASSERT_EQ(PAGE, pwrite(self->slow->fd, self->m.map, PAGE, 0));
	ASSERT_EQ(1, write(words[1], "c", 1));
	EXPECT_TRUE(process_wait(pid, &status, 0, 60));
	EXPECT_EQ(0, status);
	fuse_source_release(self->slow);
	fuse_source_wait_setattr(self->slow);
	for (i = 0; i < 20; i++) {
		usleep(10000);
		EXPECT_EQ(1, count_workers(&self->ask, context));
	}
	fuse_source_release_setattr(self->slow);
	for (i = 0; count_workers(&self->ask, context) > 0 && i < 6000; i++)
		usleep(10000);
	ASSERT_GT(6000, i);
	close(words[0]);
	close(words[1]);
}

/* What the child tells. */
struct told {
	atomic_int ready;
	int fd;
	int jobs[JOBS];
};

/* Starts jobs of the memory that it has in common with nobody, and ends. */
static void start_and_end(struct told *t, int src, bool executes,
			  struct ramload_range *range)
{
	int i;

	t->fd = open_device();
	if (raw_setup(t->fd, WORKERS))
		_exit(1);
	for (i = 0; i < JOBS; i++) {
		struct ramload_load load = LOAD(src, range, 1,
						.chunk_size = KIB(64));

		if (raw_load(t->fd, &load))
			_exit(2);
		t->jobs[i] = load.out_job_fd;
	}
	t->ready = 1;
	while (t->ready == 1)
		usleep(1000);
	if (executes)
		execute_helper();
	_exit(0);
}

/*
 * Has its first thread ended, or does it execute something else? Other threads
 * may still be with the daemon.
 */
static bool has_ended(pid_t pid)
{
	char path[64], name[32] = "", state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%31[^)]) %c", name, &state) != 2)
		state = 0;
	fclose(f);
	return state == 'Z' || (state && strcmp(name, "worker_end"));
}

/*
 * Its fds are ours, too, so nothing is closed when it ends. With more than one
 * worker, the memory is in use at any moment; and that ends.
 */
static void end_owner(struct __test_metadata *_metadata,
		      struct _test_data_worker_end *self, bool executes)
{
	struct told *t = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, i;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, t);
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	ASSERT_LE(0, pid);
	if (!pid)
		start_and_end(t, self->slow->fd, executes, &self->range);
	while (!t->ready && !has_ended(pid))
		usleep(1000);
	ASSERT_EQ(1, t->ready);
	fuse_source_wait_held(self->slow);
	t->ready = 2;
	while (!has_ended(pid))
		usleep(1000);
	fuse_source_release(self->slow);
	ASSERT_TRUE(process_wait(pid, &status, 0, 60));
	ASSERT_EQ(0, status);
	test_result(t->jobs[JOBS - 1], RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_CANCELLED, self->result.out_state);
	ASSERT_EQ(-ECANCELED, self->result.out_error);
	for (i = 0; i < JOBS; i++)
		close(t->jobs[i]);
	close(t->fd);
	munmap(t, PAGE);
}

TEST_F_TIMEOUT(worker_end, owner_exits, TIMEOUT)
{
	end_owner(_metadata, self, false);
}

/* execve() gives it fds of its own, which it closes; ours remain. */
TEST_F_TIMEOUT(worker_end, owner_executes, TIMEOUT)
{
	if (self->info.out_features & RAMLOAD_FEATURE_THREADS)
		SKIP(return, "execve(2) waits for workers that are threads");
	end_owner(_metadata, self, true);
}

#ifdef RAMLOAD_HAVE_URING
/*
 * The kernel's thread of a ring polls the job; its reference to that is the last, which
 * it drops when it is killed, while the fds of the process are still open.
 */
static void poll_and_end(int src, const struct ramload_range *range, int words,
			 bool executes)
{
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	int fd, job;
	char byte;

	fd = open_device();
	if (raw_setup(fd, 1))
		_exit(1);
	job = start_range(fd, src, RAMLOAD_DIRECT_OFF, range);
	if (job < 0)
		_exit(2);
	if (io_uring_queue_init(1, &ring, IORING_SETUP_SQPOLL))
		_exit(KSFT_SKIP);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_poll_add(sqe, job, POLLIN);
	/* Not how many: the kernel's thread may have taken it already. */
	if (io_uring_submit(&ring) < 0)
		_exit(3);
	while (io_uring_sq_ready(&ring))
		usleep(1000);
	close(job);
	if (write(words, "r", 1) != 1 || read(words, &byte, 1) != 1)
		_exit(4);
	if (executes)
		execute_helper();
	kill(getpid(), SIGKILL);
}

static void end_poller(struct __test_metadata *_metadata,
		       struct _test_data_worker_end *self, bool executes)
{
	int words[2], status;
	bool ended = false;
	pid_t pid;
	char byte;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, words));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		poll_and_end(self->slow->fd, &self->range, words[1], executes);
	close(words[1]);
	if (read(words[0], &byte, 1) != 1) {
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		if (WEXITSTATUS(status) == KSFT_SKIP)
			SKIP(return, "no io_uring");
		ASSERT_EQ(0, status);
	}
	fuse_source_wait_held(self->slow);
	ASSERT_EQ(1, write(words[0], "g", 1));
	/* A worker that is a thread of the process cannot leave the read. */
	if (!(self->info.out_features & RAMLOAD_FEATURE_THREADS))
		ended = process_wait(pid, &status, 0, 60);
	fuse_source_release(self->slow);
	EXPECT_TRUE(ended || self->info.out_features & RAMLOAD_FEATURE_THREADS);
	if (!ended)
		ASSERT_TRUE(process_wait(pid, &status, 0, 60));
	ASSERT_EQ(executes ? 0 : SIGKILL, status);
	close(words[0]);
}
#else
static void end_poller(struct __test_metadata *_metadata,
		       struct _test_data_worker_end *self, bool executes)
{
	SKIP(return, "built without liburing");
}
#endif

TEST_F_TIMEOUT(worker_end, ring_that_polls_is_killed, TIMEOUT)
{
	end_poller(_metadata, self, false);
}

/* The others of its threads end then. */
TEST_F_TIMEOUT(worker_end, ring_that_polls_is_of_a_process_that_executes,
	       TIMEOUT)
{
	end_poller(_metadata, self, true);
}

static pid_t first_worker(struct ask *a)
{
	struct answer answer, workers[WORKERS + 1];
	uint32_t context = ask_context(a, &answer);

	/* It has an id once it has run. */
	do {
		usleep(1000);
		if (ask_workers(a, context, workers) != WORKERS)
			return 0;
	} while (!VALUE(&workers[0], WORKER, TID));
	return VALUE(&workers[0], WORKER, TID);
}

/* Stops a thread until the process ends. Returns what it exits with. */
static int stop_thread(pid_t tid, int ready, int word)
{
	char byte;
	int status;

	if (ptrace(PTRACE_SEIZE, tid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, tid, 0, 0) ||
	    waitpid(tid, &status, __WALL) != tid)
		return 1;
	if (write(ready, "r", 1) != 1 || read(word, &byte, 1) < 0)
		return 2;
	return ptrace(PTRACE_DETACH, tid, 0, 0) != 0;
}

/* A job of one chunk is for a worker that can run. */
TEST_F_TIMEOUT(worker_end, one_is_stopped, TIMEOUT)
{
	struct ramload_range range = RANGE(0, PAGE, self->m.map);
	int ready[2], word[2], status, job;
	struct pollfd pfd = { .events = POLLIN };
	pid_t pid, tid;
	char byte;

	if (!(self->info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "workers are not stopped");
	test_setup(self->fd, WORKERS);
	tid = first_worker(&self->ask);
	ASSERT_NE(0, tid);
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(word));
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(word[1]);
		_exit(stop_thread(tid, ready[1], word[0]));
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	job = start_range(self->fd, self->slow->fd, RAMLOAD_DIRECT_OFF, &range);
	ASSERT_LE(0, job);
	pfd.fd = job;
	EXPECT_EQ(1, poll(&pfd, 1, 20000));
	close(word[1]);
	ASSERT_TRUE(process_wait(pid, &status, 0, 60));
	ASSERT_EQ(0, status);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, self->result.out_state);
	close(job);
}

static void ignore_signal(int signal)
{
}

/* A thread is not made while a signal is pending: it is tried again then. */
TEST_F_TIMEOUT(worker_end, setup_meets_signals, TIMEOUT)
{
	struct itimerval once = { 0 }, never = { 0 };
	struct sigaction action = {
		.sa_handler = ignore_signal,
		.sa_flags = SA_RESTART,
	};
	int i, fd, err = 0;

	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < SETUPS && !err; i++) {
		fd = open_device();
		once.it_value.tv_usec = 1 + i * 20;
		setitimer(ITIMER_REAL, &once, NULL);
		err = raw_setup(fd, 8);
		/* With a signal, close would not wait for the workers' end. */
		setitimer(ITIMER_REAL, &never, NULL);
		close(fd);
	}
	ASSERT_EQ(0, err);
}

TEST_HARNESS_MAIN
