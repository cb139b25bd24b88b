// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* What the module tells through generic netlink. */

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "netlink_ask.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_process.h"

#define LENGTH	MIB(2)
#define WORKERS	2
#define NOBODY	65533
#define MANY	300
#define CROWD	60
#define CROWDS	5
#define MANY_CONTEXTS	250

/* Of children: not possible on this machine. */
#define UNABLE	251

#define NS_PER_S	1000000000ULL

FIXTURE(netlink)
{
	int fd;
	int src;
	struct memory m;
	struct ask ask;
	struct answer answer;
	struct ramload_job_result result;
	struct fuse_source *source;
};

FIXTURE_SETUP(netlink)
{
	struct reason why;
	int err;

	OPEN_DEVICE(self->fd);
	if (geteuid())
		SKIP(return, "not root");
	err = ask_open(&self->ask);
	ASSERT_EQ(0, err);
	test_setup(self->fd, WORKERS);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, LENGTH, &why));
	self->src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->src);
}

FIXTURE_TEARDOWN(netlink)
{
	if (self->source)
		fuse_source_stop(self->source);
	close(self->fd);
	close(self->src);
	memory_unmap(&self->m);
	ask_close(&self->ask);
}

typedef struct _test_data_netlink netlink_t;

static uint64_t boottime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* The fd of a job of all of the memory, or -1. */
static int start_job(netlink_t *self, int src)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);

	return start_range(self->fd, src, RAMLOAD_DIRECT_OFF, &range);
}

static int run_job_of(netlink_t *self, int src)
{
	int job = start_job(self, src);

	while (job >= 0 &&
	       raw_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result))
		if (errno != EINTR)
			return -1;
	return job;
}

static int run_job(netlink_t *self)
{
	return run_job_of(self, self->src);
}

TEST_F(netlink, context)
{
	struct answer by_id;
	uint32_t id;
	char comm[32] = "";
	FILE *f;

	id = ask_context(&self->ask, &self->answer);
	ASSERT_NE(0, id);
	f = fopen("/proc/self/comm", "r");
	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(comm, sizeof(comm), f));
	fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
	ASSERT_STREQ(comm, self->answer.comm);
	ASSERT_EQ(WORKERS, VALUE(&self->answer, CONTEXT, WORKERS));
	ASSERT_EQ(0, VALUE(&self->answer, CONTEXT, JOBS));
	ASSERT_LT(0, VALUE(&self->answer, CONTEXT, START_TIME));
	ASSERT_GT(boottime(), VALUE(&self->answer, CONTEXT, START_TIME));

	ASSERT_EQ(0, ask_one(&self->ask, RAMLOAD_NL_CMD_CONTEXT_GET,
			     RAMLOAD_A_CONTEXT_ID, id, &by_id));
	ASSERT_EQ(0, memcmp(&by_id, &self->answer, sizeof(by_id)));

	/* It goes with its fd. */
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	ASSERT_EQ(-ENOENT, ask_one(&self->ask, RAMLOAD_NL_CMD_CONTEXT_GET,
				   RAMLOAD_A_CONTEXT_ID, id, &by_id));
	ASSERT_NE('\0', self->ask.text[0]);
}

TEST_F(netlink, workers)
{
	struct answer workers[WORKERS + 1] = { 0 };
	uint64_t bytes = 0, chunks = 0, busy = 0;
	uint32_t context;
	struct ramload_info info;
	char tid[32];
	int job, i;

	test_info(self->fd, &info);
	context = ask_context(&self->ask, &self->answer);
	job = run_job(self);
	ASSERT_LE(0, job);
	/* Another may have done it all before one has been running at all. */
	do {
		ASSERT_EQ(WORKERS, ask_all(&self->ask,
					   RAMLOAD_NL_CMD_WORKER_GET,
					   RAMLOAD_A_WORKER_CONTEXT, context,
					   workers, WORKERS + 1));
	} while (!VALUE(&workers[0], WORKER, TID) ||
		 !VALUE(&workers[1], WORKER, TID));
	for (i = 0; i < WORKERS; i++) {
		ASSERT_EQ(context, VALUE(&workers[i], WORKER, CONTEXT));
		ASSERT_EQ(i, VALUE(&workers[i], WORKER, INDEX));
		ASSERT_EQ(RAMLOAD_WORKER_IDLE, VALUE(&workers[i], WORKER, STATE));
		ASSERT_FALSE(workers[i].has[RAMLOAD_A_WORKER_JOB]);
		bytes += VALUE(&workers[i], WORKER, BYTES);
		chunks += VALUE(&workers[i], WORKER, CHUNKS);
		busy += VALUE(&workers[i], WORKER, BUSY_TIME);
		snprintf(tid, sizeof(tid), "%lu",
			 (unsigned long)VALUE(&workers[i], WORKER, TID));
		if (info.out_features & RAMLOAD_FEATURE_THREADS) {
			ASSERT_TRUE(process_is_worker(getpid(), tid));
		}
	}
	ASSERT_EQ(LENGTH, bytes);
	ASSERT_EQ(LENGTH / KIB(64), chunks);
	ASSERT_LT(0, busy);
	close(job);
}

/* What comes behind the last worker of a context is nobody's. */
TEST_F(netlink, workers_before_a_closed_context)
{
	static struct answer workers[MANY];
	uint32_t context = ask_context(&self->ask, &self->answer);
	int fd = self->fd;
	int job, nr, i, mine = 0;

	/* Its job keeps it, its workers have ended. */
	self->fd = open_device();
	ASSERT_LE(0, self->fd);
	test_setup(self->fd, WORKERS);
	job = run_job(self);
	ASSERT_LE(0, job);
	ASSERT_EQ(0, close(self->fd));
	self->fd = fd;

	ASSERT_EQ(WORKERS, ask_all(&self->ask, RAMLOAD_NL_CMD_WORKER_GET,
				   RAMLOAD_A_WORKER_CONTEXT, context, workers,
				   MANY));
	nr = ask_all(&self->ask, RAMLOAD_NL_CMD_WORKER_GET, 0, 0, workers,
		     MANY);
	ASSERT_LE(WORKERS, nr);
	for (i = 0; i < nr && i < MANY; i++)
		mine += VALUE(&workers[i], WORKER, CONTEXT) == context;
	ASSERT_EQ(WORKERS, mine);
	close(job);
}

/* Workers that go away are missed, whoever keeps their context. */
TEST_F_TIMEOUT(netlink, workers_that_end, TIMEOUT)
{
	static struct answer workers[MANY];
	int fds[CROWDS], fd = self->fd;
	int i, job, ret;
	struct ask a;

	for (i = 0; i < CROWDS; i++) {
		fds[i] = open_device();
		ASSERT_LE(0, fds[i]);
		test_setup(fds[i], CROWD);
	}
	self->fd = fds[CROWDS - 1];
	job = run_job(self);
	self->fd = fd;
	ASSERT_LE(0, job);
	/* A new socket: the kernel has not seen how much is read at a time. */
	ASSERT_EQ(0, ask_open(&a));
	ASSERT_EQ(0, ask_dump(&a, RAMLOAD_NL_CMD_WORKER_GET, 0, 0));
	ret = ask_next(&a, workers, MANY);
	ASSERT_LT(0, ret);
	ASSERT_GT((CROWDS - 1) * CROWD, ret);
	ASSERT_EQ(0, close(fds[CROWDS - 1]));
	do {
		ret = ask_next(&a, workers, MANY);
		ASSERT_LE(0, ret);
	} while (ret);
	ASSERT_TRUE(a.interrupted);
	ask_close(&a);
	close(job);
	for (i = 0; i < CROWDS - 1; i++)
		close(fds[i]);
}

TEST_F_TIMEOUT(netlink, many_contexts, TIMEOUT)
{
	static struct answer answers[MANY];
	int fds[MANY_CONTEXTS];
	int i, nr, mine = 0;

	for (i = 0; i < MANY_CONTEXTS; i++) {
		fds[i] = open_device();
		ASSERT_LE(0, fds[i]);
		test_setup(fds[i], 1);
	}
	/* What was closed before may go only now. */
	do {
		nr = ask_all(&self->ask, RAMLOAD_NL_CMD_CONTEXT_GET, 0, 0,
			     answers, MANY);
		ASSERT_LE(MANY_CONTEXTS + 1, nr);
		ASSERT_GE(MANY, nr);
	} while (self->ask.interrupted);
	for (i = 0; i < nr; i++) {
		mine += VALUE(&answers[i], CONTEXT, PID) == getpid();
		ASSERT_LT(i ? VALUE(&answers[i - 1], CONTEXT, ID) : 0,
			  VALUE(&answers[i], CONTEXT, ID));
	}
	ASSERT_EQ(MANY_CONTEXTS + 1, mine);
	for (i = 0; i < MANY_CONTEXTS; i++)
		close(fds[i]);
}

/* The rest of a dump that nobody reads is nobody's. */
TEST_F_TIMEOUT(netlink, reader_goes_away, TIMEOUT)
{
	struct answer workers[WORKERS + 1];
	uint32_t context = ask_context(&self->ask, &self->answer);
	struct ask a;
	int i;

	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, ask_open(&a));
		ASSERT_EQ(0, ask_dump(&a, RAMLOAD_NL_CMD_WORKER_GET, 0, 0));
		if (i % 2) {
			ASSERT_LT(0, ask_next(&a, workers, WORKERS));
		}
		ask_close(&a);
	}
	ASSERT_EQ(WORKERS, ask_all(&self->ask, RAMLOAD_NL_CMD_WORKER_GET,
				   RAMLOAD_A_WORKER_CONTEXT, context, workers,
				   WORKERS + 1));
	ASSERT_EQ(0, ask_all(&self->ask, RAMLOAD_NL_CMD_WORKER_GET,
			     RAMLOAD_A_WORKER_CONTEXT, INT32_MAX, workers,
			     WORKERS + 1));
}

static struct fuse_source *start_source(netlink_t *self, uint64_t gate,
					struct reason *why)
{
	self->source = fuse_source_start(LENGTH, gate, why);
	return self->source;
}

/* While a read is held, the job and its worker are seen at it. */
TEST_F_TIMEOUT(netlink, running_job, TIMEOUT)
{
	struct answer workers[WORKERS], *w = workers;
	struct reason why;
	uint32_t context, id;
	int job;

	if (!start_source(self, LENGTH / 2, &why))
		SKIP(return, "%s", why.text);
	job = start_job(self, self->source->fd);
	ASSERT_LE(0, job);
	fuse_source_wait_held(self->source);
	context = ask_context(&self->ask, &self->answer);
	ASSERT_EQ(1, VALUE(&self->answer, CONTEXT, JOBS));
	/* Who has taken the first chunk may not have looked at the clock yet. */
	do {
		id = ask_last_job(&self->ask, context, &self->answer);
		ASSERT_NE(0, id);
	} while (!VALUE(&self->answer, JOB, SERVICE_TIME));
	ASSERT_EQ(RAMLOAD_JOB_RUNNING, VALUE(&self->answer, JOB, STATE));
	ASSERT_EQ(LENGTH, VALUE(&self->answer, JOB, BYTES_TOTAL));
	ASSERT_GT(LENGTH, VALUE(&self->answer, JOB, BYTES_DONE));
	ASSERT_LT(0, VALUE(&self->answer, JOB, CHUNKS_TAKEN));
	ASSERT_EQ(LENGTH / KIB(64), VALUE(&self->answer, JOB, CHUNKS));
	ASSERT_FALSE(self->answer.has[RAMLOAD_A_JOB_ERROR_OFFSET]);

	ASSERT_EQ(WORKERS, ask_all(&self->ask, RAMLOAD_NL_CMD_WORKER_GET,
				   RAMLOAD_A_WORKER_CONTEXT, context, workers,
				   WORKERS));
	if (!w->has[RAMLOAD_A_WORKER_JOB])
		w++;
	ASSERT_EQ(id, VALUE(w, WORKER, JOB));
	ASSERT_EQ(RAMLOAD_WORKER_BUSY, VALUE(w, WORKER, STATE));

	fuse_source_release(self->source);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(0, ask_one(&self->ask, RAMLOAD_NL_CMD_JOB_GET,
			     RAMLOAD_A_JOB_ID, id, &self->answer));
	ASSERT_EQ(RAMLOAD_JOB_DONE, VALUE(&self->answer, JOB, STATE));
	close(job);
}

/* A process that loads all of the memory. */
static void load_in_child(netlink_t *self, int src)
{
	self->fd = open_device();
	if (self->fd < 0 || raw_setup(self->fd, 1))
		_exit(1);
	_exit(run_job_of(self, src) < 0 || self->result.out_error);
}

/* The state of the one worker of a process, or -1. */
static int worker_of(netlink_t *self, pid_t pid)
{
	static struct answer answers[MANY];
	struct answer worker;
	int nr = ask_all(&self->ask, RAMLOAD_NL_CMD_CONTEXT_GET, 0, 0, answers,
			 MANY);
	int i;

	for (i = 0; i < nr && i < MANY; i++)
		if (VALUE(&answers[i], CONTEXT, PID) == pid &&
		    ask_all(&self->ask, RAMLOAD_NL_CMD_WORKER_GET,
			    RAMLOAD_A_WORKER_CONTEXT,
			    VALUE(&answers[i], CONTEXT, ID), &worker, 1) == 1)
			return VALUE(&worker, WORKER, STATE);
	return -1;
}

/* Until a job is: the worker that ended it may not have let go of it yet. */
static void wait_gone(struct ask *ask, uint32_t job)
{
	struct answer answer;

	while (ask_one(ask, RAMLOAD_NL_CMD_JOB_GET, RAMLOAD_A_JOB_ID, job,
		       &answer) != -ENOENT)
		usleep(1000);
}

TEST_F_TIMEOUT(netlink, stopped_worker, TIMEOUT)
{
	struct ramload_info info;
	struct reason why;
	int status;
	pid_t pid;

	test_info(self->fd, &info);
	if (!(info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "workers are not stopped with their process");
	if (!start_source(self, LENGTH / 2, &why))
		SKIP(return, "%s", why.text);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		load_in_child(self, self->source->fd);
	fuse_source_wait_held(self->source);
	ASSERT_EQ(RAMLOAD_WORKER_BUSY, worker_of(self, pid));
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	process_wait_stopping(pid);
	fuse_source_release(self->source);
	while (worker_of(self, pid) != RAMLOAD_WORKER_STOPPED)
		usleep(1000);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
}

TEST_F_TIMEOUT(netlink, job, TIMEOUT)
{
	struct answer again;
	uint64_t before = boottime();
	uint32_t context, id;
	unsigned int order;
	uint64_t folios = 0;
	int job = run_job(self);

	ASSERT_LE(0, job);
	context = ask_context(&self->ask, &self->answer);
	id = ask_last_job(&self->ask, context, &self->answer);
	ASSERT_NE(0, id);
	ASSERT_EQ(context, VALUE(&self->answer, JOB, CONTEXT));
	ASSERT_EQ(getpid(), VALUE(&self->answer, JOB, PID));
	ASSERT_EQ(RAMLOAD_JOB_DONE, VALUE(&self->answer, JOB, STATE));
	ASSERT_EQ(0, VALUE(&self->answer, JOB, ERROR));
	ASSERT_EQ(1, VALUE(&self->answer, JOB, RANGES));
	ASSERT_EQ(LENGTH, VALUE(&self->answer, JOB, BYTES_DONE));
	ASSERT_LE(before, VALUE(&self->answer, JOB, START_TIME));
	ASSERT_GE(boottime(), VALUE(&self->answer, JOB, START_TIME) +
			      VALUE(&self->answer, JOB, QUEUE_TIME) +
			      VALUE(&self->answer, JOB, SERVICE_TIME));
	ASSERT_EQ(LENGTH, COUNTER(&self->answer, SHMEM) +
			  COUNTER(&self->answer, USER) +
			  COUNTER(&self->answer, PINNED));
	ASSERT_EQ(LENGTH, COUNTER(&self->answer, CACHED));
	ASSERT_EQ(0, COUNTER(&self->answer, DIRECT));
	for (order = 0; order < ASK_ORDERS; order++)
		folios += self->answer.folios[order] << order;
	if (COUNTER(&self->answer, SHMEM)) {
		ASSERT_LE(LENGTH / PAGE, folios);
	}

	/* What is done stays as it was; and goes with the fd. */
	usleep(1000);
	ASSERT_EQ(0, ask_one(&self->ask, RAMLOAD_NL_CMD_JOB_GET,
			     RAMLOAD_A_JOB_ID, id, &again));
	ASSERT_EQ(0, memcmp(&again, &self->answer, sizeof(again)));
	close(job);
	wait_gone(&self->ask, id);
}

TEST_F(netlink, failed_job)
{
	struct ramload_range range = RANGE(MIB(1), LENGTH, self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1);
	uint32_t context = ask_context(&self->ask, &self->answer);

	test_load(self->fd, &load);
	test_result(load.out_job_fd, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_NE(0, ask_last_job(&self->ask, context, &self->answer));
	ASSERT_EQ(RAMLOAD_JOB_FAILED, VALUE(&self->answer, JOB, STATE));
	ASSERT_EQ(-ENODATA, (int32_t)VALUE(&self->answer, JOB, ERROR));
	ASSERT_EQ(0, VALUE(&self->answer, JOB, ERROR_RANGE));
	ASSERT_TRUE(self->answer.has[RAMLOAD_A_JOB_ERROR_OFFSET]);
	ASSERT_EQ(LENGTH, VALUE(&self->answer, JOB, ERROR_OFFSET));
	ASSERT_EQ(MIB(1), VALUE(&self->answer, JOB, BYTES_DONE));
	close(load.out_job_fd);
}

/* Of what was there, each is told of once, in order, whatever comes and goes. */
TEST_F_TIMEOUT(netlink, many_jobs, TIMEOUT)
{
	static struct answer answers[2 * MANY];
	uint32_t context = ask_context(&self->ask, &self->answer);
	struct ask other;
	uint32_t last;
	int jobs[MANY];
	int i, nr, ret, seen;

	ASSERT_EQ(0, ask_open(&other));
	for (i = 0; i < MANY; i++) {
		jobs[i] = run_job(self);
		ASSERT_LE(0, jobs[i]);
	}
	do {
		nr = ask_all(&self->ask, RAMLOAD_NL_CMD_JOB_GET,
			     RAMLOAD_A_JOB_CONTEXT, context, answers, 2 * MANY);
		ASSERT_EQ(MANY, nr);
	} while (self->ask.interrupted);
	last = VALUE(&answers[MANY - 1], JOB, ID);
	for (i = 1; i < nr; i++)
		ASSERT_LT(VALUE(&answers[i - 1], JOB, ID),
			  VALUE(&answers[i], JOB, ID));

	ASSERT_EQ(0, ask_dump(&self->ask, RAMLOAD_NL_CMD_JOB_GET,
			      RAMLOAD_A_JOB_CONTEXT, context));
	seen = ask_next(&self->ask, answers, MANY);
	ASSERT_LT(0, seen);
	ASSERT_GT(MANY - 2, seen);
	/* One that was told of, and one that will not be. */
	close(jobs[0]);
	close(jobs[MANY - 1]);
	wait_gone(&other, last);
	ask_close(&other);
	do {
		ret = ask_next(&self->ask, answers + seen, MANY - seen);
		ASSERT_LE(0, ret);
		seen += ret;
	} while (ret);
	ASSERT_TRUE(self->ask.interrupted);
	ASSERT_LE(MANY - 1, seen);
	for (i = 1; i < seen; i++)
		ASSERT_LT(VALUE(&answers[i - 1], JOB, ID),
			  VALUE(&answers[i], JOB, ID));
	for (i = 1; i < MANY - 1; i++)
		close(jobs[i]);
}

TEST_F(netlink, totals)
{
	struct answer before, after;
	uint64_t jobs = 0;
	int job;

	ASSERT_EQ(0, ask_one(&self->ask, RAMLOAD_NL_CMD_TOTALS_GET, 0, 0,
			     &before));
	job = run_job(self);
	ASSERT_LE(0, job);
	close(job);
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	ASSERT_EQ(0, ask_one(&self->ask, RAMLOAD_NL_CMD_TOTALS_GET, 0, 0,
			     &after));
	ASSERT_LE(1, VALUE(&after, TOTALS, DONE) - VALUE(&before, TOTALS, DONE));
	ASSERT_LE(LENGTH, VALUE(&after, TOTALS, BYTES_DONE) -
			  VALUE(&before, TOTALS, BYTES_DONE));
	ASSERT_LE(LENGTH, COUNTER(&after, CACHED) - COUNTER(&before, CACHED));
	ASSERT_LT(VALUE(&before, TOTALS, SERVICE_TIME),
		  VALUE(&after, TOTALS, SERVICE_TIME));
	ASSERT_GT(VALUE(&before, TOTALS, WORKERS),
		  VALUE(&after, TOTALS, WORKERS));
	jobs = VALUE(&after, TOTALS, DONE) + VALUE(&after, TOTALS, FAILED) +
	       VALUE(&after, TOTALS, CANCELLED) +
	       VALUE(&after, TOTALS, RUNNING);
	ASSERT_EQ(jobs, VALUE(&after, TOTALS, SUBMITTED));
}

/* A child that does @fn with what it may. Returns its exit status. */
static int in_child(netlink_t *self, int (*fn)(netlink_t *self, uint32_t id),
		    uint32_t id)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn(self, id));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Nothing of others is seen. Returns 0, or the line that finds out. */
static int sees_nothing(struct ask *a, uint32_t id)
{
	struct answer answer;

	if (ask_one(a, RAMLOAD_NL_CMD_JOB_GET, RAMLOAD_A_JOB_ID, id,
		    &answer) != -ENOENT)
		return 1;
	if (ask_all(a, RAMLOAD_NL_CMD_JOB_GET, 0, 0, &answer, 1) != 0)
		return 2;
	if (ask_all(a, RAMLOAD_NL_CMD_CONTEXT_GET, 0, 0, &answer, 1) != 0)
		return 3;
	if (ask_all(a, RAMLOAD_NL_CMD_WORKER_GET, 0, 0, &answer, 1) != 0)
		return 4;
	if (ask_one(a, RAMLOAD_NL_CMD_TOTALS_GET, 0, 0, &answer) != -EPERM)
		return 5;
	return 0;
}

/* What a process has made is its own. */
static int sees_its_own(struct ask *a)
{
	struct answer answer;
	int fd = open_device();

	if (fd < 0 || raw_setup(fd, 1))
		return 10;
	if (ask_all(a, RAMLOAD_NL_CMD_CONTEXT_GET, 0, 0, &answer, 1) != 1)
		return 11;
	if (VALUE(&answer, CONTEXT, PID) != getpid())
		return 12;
	if (ask_all(a, RAMLOAD_NL_CMD_WORKER_GET, 0, 0, &answer, 1) != 1)
		return 13;
	close(fd);
	return 0;
}

static int be_nobody(void)
{
	return syscall(SYS_setgroups, 0, NULL) ||
	       syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) ||
	       syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
}

static int look_as_nobody(netlink_t *self, uint32_t id)
{
	struct ask a;
	int fd = open_device();
	int ret;

	if (be_nobody() || ask_open(&a))
		return 20;
	ret = sees_nothing(&a, id);
	if (!ret && ask_listen(&a) != -EPERM)
		ret = 21;
	close(fd);
	return ret;
}

static int look_at_own_as_nobody(netlink_t *self, uint32_t id)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct ask a;

	setrlimit(RLIMIT_NPROC, &unlimited);
	if (chmod(RAMLOAD_DEVICE, 0666))
		return UNABLE;
	if (be_nobody() || ask_open(&a))
		return 20;
	return sees_its_own(&a);
}

/* Its capabilities are those of its own user namespace. */
static int look_in_user_namespace(netlink_t *self, uint32_t id)
{
	struct ask a;

	if (be_nobody() || unshare(CLONE_NEWUSER))
		return UNABLE;
	if (ask_open(&a))
		return 20;
	if (ask_listen(&a) != -EPERM)
		return 21;
	return sees_nothing(&a, id);
}

static int look_in_network_namespace(netlink_t *self, uint32_t id)
{
	struct ask a;

	if (be_nobody() || unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return UNABLE;
	if (ask_open(&a))
		return 20;
	return sees_nothing(&a, id);
}

/* The socket is of somebody who may; who uses it may not. */
static int look_with_socket_of_root(netlink_t *self, uint32_t id)
{
	if (be_nobody())
		return 20;
	return sees_nothing(&self->ask, id);
}

TEST_F_TIMEOUT(netlink, who_sees_what, TIMEOUT)
{
	static int (*const looks[])(netlink_t *self, uint32_t id) = {
		look_as_nobody,
		look_at_own_as_nobody,
		look_in_user_namespace,
		look_in_network_namespace,
		look_with_socket_of_root,
	};
	uint32_t id;
	int job = run_job(self);
	size_t i;

	ASSERT_LE(0, job);
	id = ask_context(&self->ask, &self->answer);
	id = ask_last_job(&self->ask, id, &self->answer);
	ASSERT_NE(0, id);
	for (i = 0; i < ARRAY_SIZE(looks); i++) {
		int status = in_child(self, looks[i], id);

		if (status == UNABLE)
			TH_LOG("not possible here: %zu", i);
		else
			ASSERT_EQ(0, status);
	}
	chmod(RAMLOAD_DEVICE, 0660);
	close(job);
}

/* Pids are those of the reader's namespace; there, we have none. */
static int look_in_pid_namespace(netlink_t *self, uint32_t id)
{
	struct answer answer;
	struct ask a;
	pid_t pid;
	int status;

	if (unshare(CLONE_NEWPID))
		return UNABLE;
	pid = fork();
	if (!pid) {
		if (ask_open(&a) ||
		    ask_one(&a, RAMLOAD_NL_CMD_JOB_GET, RAMLOAD_A_JOB_ID, id,
			    &answer))
			_exit(1);
		_exit(VALUE(&answer, JOB, PID) ? 2 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return UNABLE;
	return WEXITSTATUS(status);
}

TEST_F(netlink, pid_namespace)
{
	uint32_t id;
	int job = run_job(self);
	int status;

	ASSERT_LE(0, job);
	id = ask_context(&self->ask, &self->answer);
	id = ask_last_job(&self->ask, id, &self->answer);
	status = in_child(self, look_in_pid_namespace, id);
	if (status == UNABLE)
		SKIP(return, "no pid namespace");
	ASSERT_EQ(0, status);
	close(job);
}

struct attr {
	uint16_t len;
	uint16_t type;
	uint8_t data[12];
};

TEST_F_TIMEOUT(netlink, malformed, TIMEOUT)
{
	struct attr attr;
	uint32_t bytes, value;
	uint16_t type;

	/* Ids that are missing, of another size, 0, or of nothing. */
	ASSERT_EQ(-EINVAL, ask_one(&self->ask, RAMLOAD_NL_CMD_JOB_GET, 0, 0,
				   &self->answer));
	ASSERT_NE('\0', self->ask.text[0]);
	ASSERT_EQ(-EINVAL, ask_one(&self->ask, RAMLOAD_NL_CMD_CONTEXT_GET, 0, 0,
				   &self->answer));
	ASSERT_EQ(-ERANGE, ask_one(&self->ask, RAMLOAD_NL_CMD_JOB_GET,
				   RAMLOAD_A_JOB_ID, 0, &self->answer));
	ASSERT_EQ(-ENOENT, ask_one(&self->ask, RAMLOAD_NL_CMD_JOB_GET,
				   RAMLOAD_A_JOB_ID, UINT32_MAX,
				   &self->answer));
	/* An attribute that is told, not asked with. */
	ASSERT_EQ(-EINVAL, ask_one(&self->ask, RAMLOAD_NL_CMD_JOB_GET,
				   RAMLOAD_A_JOB_PID, 1, &self->answer));
	ASSERT_EQ(-EINVAL, ask_one(&self->ask, RAMLOAD_NL_CMD_TOTALS_GET,
				   RAMLOAD_A_TOTALS_DONE, 1, &self->answer));
	/* One that is for a dump, or for no dump. */
	ASSERT_EQ(-EINVAL, ask_one(&self->ask, RAMLOAD_NL_CMD_JOB_GET,
				   RAMLOAD_A_JOB_CONTEXT, 1, &self->answer));
	ASSERT_NE('\0', self->ask.text[0]);
	ASSERT_EQ(-EINVAL, ask_all(&self->ask, RAMLOAD_NL_CMD_JOB_GET,
				   RAMLOAD_A_JOB_ID, 1, &self->answer, 1));
	ASSERT_EQ(-EINVAL, ask_all(&self->ask, RAMLOAD_NL_CMD_CONTEXT_GET,
				   RAMLOAD_A_CONTEXT_ID, 1, &self->answer, 1));
	/* Commands that there are not, or not so. */
	ASSERT_EQ(-EOPNOTSUPP, ask_one(&self->ask, RAMLOAD_NL_CMD_MAX + 1, 0, 0,
				       &self->answer));
	ASSERT_EQ(-EOPNOTSUPP, ask_one(&self->ask, RAMLOAD_NL_CMD_JOB_DONE, 0, 0,
				       &self->answer));
	ASSERT_EQ(-EOPNOTSUPP, ask_one(&self->ask, RAMLOAD_NL_CMD_WORKER_GET, 0,
				       0, &self->answer));
	ASSERT_EQ(-EOPNOTSUPP, ask_all(&self->ask, RAMLOAD_NL_CMD_TOTALS_GET, 0,
				       0, &self->answer, 1));
	/* Attributes cut off anywhere, of any length and type. */
	for (type = 0; type <= RAMLOAD_A_JOB_MAX + 1; type++) {
		for (bytes = 1; bytes <= sizeof(attr); bytes++) {
			for (value = 0; value <= sizeof(attr) + 1; value++) {
				attr = (struct attr){ .len = value,
						      .type = type };
				ASSERT_GT(0, ask_raw(&self->ask,
						     RAMLOAD_NL_CMD_JOB_GET, 0,
						     &attr, bytes));
			}
		}
	}
	ASSERT_NE(0, ask_context(&self->ask, &self->answer));
}

TEST_HARNESS_MAIN
