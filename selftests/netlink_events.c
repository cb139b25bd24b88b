// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* What the module tells those who listen, and that nobody pays for it. */

#include <grp.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <netlink/socket.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "netlink_ask.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define LENGTH	MIB(2)
#define WORKERS	2
#define NOBODY	65533
#define MANY	300

/* Of children: not possible on this machine. */
#define UNABLE	251

#define NS_PER_S	1000000000ULL

FIXTURE(events)
{
	int fd;
	int src;
	struct memory m;
	struct answer answer;
	struct ramload_job_result result;
	struct fuse_source *source;
};

FIXTURE_SETUP(events)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	if (geteuid())
		SKIP(return, "not root");
	test_setup(self->fd, WORKERS);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, LENGTH, &why));
	self->src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->src);
}

FIXTURE_TEARDOWN(events)
{
	if (self->source)
		fuse_source_stop(self->source);
	close(self->fd);
	close(self->src);
	memory_unmap(&self->m);
}

typedef struct _test_data_events events_t;

static uint64_t now_by(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* The fd of a job of all of the memory, or -1. */
static int start_job(events_t *self, int src)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);

	return start_range(self->fd, src, RAMLOAD_DIRECT_OFF, &range);
}

static int run_job(events_t *self)
{
	int job = start_job(self, self->src);

	if (job >= 0 && raw_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result))
		return -1;
	return job;
}

/* Until the clock that the module's ticks come from has gone on by @ns. */
static void pass_ticks(uint64_t ns)
{
	uint64_t end = now_by(CLOCK_MONOTONIC_COARSE) + ns;

	while (now_by(CLOCK_MONOTONIC_COARSE) <= end)
		usleep(1000);
}

static bool is_own(const struct answer *answer)
{
	return VALUE(answer, JOB, PID) == (uint64_t)getpid();
}

/* An event of a job of this process, however late. */
static void wait_own(struct __test_metadata *_metadata, events_t *self,
		     struct ask *events)
{
	do {
		ASSERT_EQ(1, ask_event(events, &self->answer, -1));
	} while (!is_own(&self->answer));
}

static int be_nobody(void)
{
	return syscall(SYS_setgroups, 0, NULL) ||
	       syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) ||
	       syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
}

/* What is done while somebody listens, and how it ended. */
TEST_F_TIMEOUT(events, of_a_job, TIMEOUT)
{
	unsigned int started = 0, progress = 0;
	uint64_t start = now_by(CLOCK_BOOTTIME);
	struct ask events;
	uint64_t done = 0;
	int job;

	ASSERT_EQ(0, ask_open(&events));
	ASSERT_EQ(0, ask_listen(&events));
	job = run_job(self);
	ASSERT_LE(0, job);
	/* Two workers may tell of their progress in another order. */
	do {
		wait_own(_metadata, self, &events);
		done = VALUE(&self->answer, JOB, BYTES_DONE);
		ASSERT_GE(LENGTH, done);
		started += self->answer.cmd == RAMLOAD_NL_CMD_JOB_STARTED;
		progress += self->answer.cmd == RAMLOAD_NL_CMD_JOB_PROGRESS;
	} while (self->answer.cmd != RAMLOAD_NL_CMD_JOB_DONE);
	ASSERT_EQ(1, started);
	ASSERT_LE(progress, 2 + (now_by(CLOCK_BOOTTIME) - start) /
			    (NS_PER_S / 10));
	ASSERT_EQ(RAMLOAD_JOB_DONE, VALUE(&self->answer, JOB, STATE));
	ASSERT_EQ(LENGTH, done);
	ASSERT_EQ(LENGTH, COUNTER(&self->answer, CACHED));
	ASSERT_EQ(0, ask_event(&events, &self->answer, 0));
	close(job);
	ask_close(&events);
}

/* What goes on for long is told of before it is done. */
TEST_F_TIMEOUT(events, progress, TIMEOUT)
{
	unsigned int progress = 0;
	struct reason why;
	struct ask events;
	int job;

	self->source = fuse_source_start(LENGTH, LENGTH / 2, &why);
	if (!self->source)
		SKIP(return, "%s", why.text);
	ASSERT_EQ(0, ask_open(&events));
	ASSERT_EQ(0, ask_listen(&events));
	job = start_job(self, self->source->fd);
	ASSERT_LE(0, job);
	fuse_source_wait_held(self->source);
	pass_ticks(NS_PER_S / 5);
	fuse_source_release(self->source);
	do {
		wait_own(_metadata, self, &events);
		progress += self->answer.cmd == RAMLOAD_NL_CMD_JOB_PROGRESS;
	} while (self->answer.cmd != RAMLOAD_NL_CMD_JOB_DONE);
	ASSERT_LE(1, progress);
	close(job);
	ask_close(&events);
}

/*
 * Listens in a network namespace of its own, where it may. Returns 0 if it
 * hears nothing until its input ends, or what went wrong.
 */
static int listen_elsewhere(int in, int out)
{
	struct answer answer;
	struct ask a;
	int on = 1;
	char c;

	if (be_nobody() || unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return UNABLE;
	if (ask_open(&a) || ask_listen(&a))
		return 30;
	/* It asks for more than it may have. */
	setsockopt(nl_socket_get_fd(a.sock), SOL_NETLINK,
		   NETLINK_LISTEN_ALL_NSID, &on, sizeof(on));
	if (write(out, "", 1) != 1 || read(in, &c, 1) != 1)
		return 31;
	return ask_event(&a, &answer, 0) ? 32 : 0;
}

/* It hears nothing, and takes nothing from those who do. */
TEST_F_TIMEOUT(events, listener_elsewhere, TIMEOUT)
{
	unsigned int i, done = 0;
	struct ask events;
	int to[2], from[2];
	int status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(to));
	ASSERT_EQ(0, pipe(from));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(to[1]);
		close(from[0]);
		_exit(listen_elsewhere(to[0], from[1]));
	}
	close(from[1]);
	if (read(from[0], &c, 1) == 1) {
		/* Nobody is told of these. */
		for (i = 0; i < 10; i++)
			close(run_job(self));
		ASSERT_EQ(0, ask_open(&events));
		ASSERT_EQ(0, ask_listen(&events));
		/* That nobody listens is remembered for a moment. */
		while (done < 10) {
			close(run_job(self));
			while (ask_event(&events, &self->answer, 0) == 1)
				done += is_own(&self->answer) &&
					self->answer.cmd ==
					RAMLOAD_NL_CMD_JOB_DONE;
		}
		ask_close(&events);
		ASSERT_EQ(1, write(to[1], "", 1));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	close(to[0]);
	close(to[1]);
	close(from[0]);
	if (WEXITSTATUS(status) == UNABLE)
		SKIP(return, "no network namespace");
	ASSERT_EQ(0, status);
}

/* A listener that reads nothing loses some, and no load fails or waits. */
TEST_F_TIMEOUT(events, full_socket, TIMEOUT)
{
	struct ask events;
	int i, job, ret, nr = 0, lost = 0;

	ASSERT_EQ(0, ask_open(&events));
	nl_socket_set_buffer_size(events.sock, 1, 1);
	ASSERT_EQ(0, ask_listen(&events));
	for (i = 0; i < MANY; i++) {
		job = run_job(self);
		ASSERT_LE(0, job);
		ASSERT_EQ(0, self->result.out_error);
		close(job);
	}
	while ((ret = ask_event(&events, &self->answer, 0))) {
		ASSERT_TRUE(ret == 1 || ret == -ENOBUFS);
		nr += ret == 1;
		lost += ret == -ENOBUFS;
	}
	TH_LOG("%d of at least %d events came", nr, 2 * MANY);
	ASSERT_LT(0, lost);
	ASSERT_GT(2 * MANY, nr);
	ask_close(&events);
}

TEST_HARNESS_MAIN
