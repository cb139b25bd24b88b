// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What may happen in the middle of a load: fds are closed, processes end,
 * fork or execute something else, memory is sealed. The source is a FUSE file
 * whose reads are held, so that it is certainly the middle.
 */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"
#include "test_process.h"

#define LENGTH	MIB(4)
#define GATE	MIB(1)
#define WORKERS	2

FIXTURE(midload)
{
	int fd;
	int job;
	struct ramload_info info;
	struct memory m;
	struct fuse_source *slow;
	struct ramload_range range;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(midload)
{
	enum memory_kind kind;
	uint32_t direct;
};

FIXTURE_VARIANT_ADD(midload, memfd_cached)
{
	.kind = MEMORY_MEMFD,
	.direct = RAMLOAD_DIRECT_OFF,
};

FIXTURE_VARIANT_ADD(midload, memfd_direct)
{
	.kind = MEMORY_MEMFD,
	.direct = RAMLOAD_DIRECT_ON,
};

FIXTURE_VARIANT_ADD(midload, anon_cached)
{
	.kind = MEMORY_ANON,
	.direct = RAMLOAD_DIRECT_OFF,
};

FIXTURE_VARIANT_ADD(midload, anon_direct)
{
	.kind = MEMORY_ANON,
	.direct = RAMLOAD_DIRECT_ON,
};

FIXTURE_SETUP(midload)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_info(self->fd, &self->info);
	test_setup(self->fd, WORKERS);
	if (memory_map(&self->m, variant->kind, LENGTH, &why))
		SKIP(return, "%s", why.text);
	self->slow = fuse_source_start(LENGTH, GATE, &why);
	if (!self->slow)
		SKIP(return, "%s", why.text);
	self->range = RANGE(0, LENGTH, self->m.map);
}

FIXTURE_TEARDOWN(midload)
{
	fuse_source_stop(self->slow);
	close(self->fd);
	memory_unmap(&self->m);
}

#define ASSERT_LOADED(from, length)					\
	ASSERT_EQ(length, pattern_mismatch(self->m.map + (from),	\
					   SEED_SOURCE, from, length))

#define START_HELD()							\
	do {								\
		self->job = start_range(self->fd, self->slow->fd,	\
					variant->direct, &self->range);	\
		ASSERT_LE(0, self->job);				\
		fuse_source_wait_held(self->slow);			\
	} while (0)

/* True if nobody stores to memory any more. */
static bool is_left_alone(struct memory *m)
{
	int i;

	pattern_fill(m->map, SEED_LATER, 0, m->length);
	for (i = 0; i < 5; i++) {
		usleep(5000);
		if (!pattern_matches(m->map, SEED_LATER, 0, m->length))
			return false;
	}
	return true;
}

struct closer {
	pthread_t thread;
	int fd;
	atomic_int tid;
	atomic_bool done;
};

static void *close_thread(void *arg)
{
	struct closer *c = arg;

	c->tid = gettid();
	close(c->fd);
	c->done = true;
	return NULL;
}

static int start_closing(struct closer *c, int fd)
{
	c->fd = fd;
	c->tid = 0;
	c->done = false;
	return pthread_create(&c->thread, NULL, close_thread, c);
}

/* Until what ends with the fd is told to, which comes before any sleep. */
static void wait_closing(struct closer *c)
{
	while (!c->done && (!c->tid || fcntl(c->fd, F_GETFD) >= 0 ||
			    !strchr("SD", process_state(getpid(), c->tid))))
		usleep(1000);
}

/*
 * A direct read that is held stores to memory when it is answered, so closing
 * has to wait for it.
 */
TEST_F_TIMEOUT(midload, job_is_closed, TIMEOUT)
{
	struct closer c;

	START_HELD();
	ASSERT_EQ(0, start_closing(&c, self->job));
	wait_closing(&c);
	if (variant->direct == RAMLOAD_DIRECT_ON)
		ASSERT_FALSE(atomic_load(&c.done));
	fuse_source_release(self->slow);
	pthread_join(c.thread, NULL);
	ASSERT_TRUE(is_left_alone(&self->m));
	/* The context goes on. */
	ASSERT_EQ(0, load_range(self->fd, self->slow->fd, &self->range, NULL));
	ASSERT_LOADED(0, LENGTH);
}

TEST_F_TIMEOUT(midload, context_is_closed, TIMEOUT)
{
	struct closer c;

	START_HELD();
	ASSERT_EQ(0, start_closing(&c, self->fd));
	wait_closing(&c);
	if (variant->direct == RAMLOAD_DIRECT_ON)
		ASSERT_FALSE(atomic_load(&c.done));
	fuse_source_release(self->slow);
	pthread_join(c.thread, NULL);
	self->fd = -1;
	ASSERT_TRUE(is_left_alone(&self->m));
	/* The job can still be asked what became of it. */
	test_result(self->job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_CANCELLED, self->result.out_state);
	ASSERT_EQ(-ECANCELED, self->result.out_error);
	ASSERT_TRUE(job_is_done(self->job));
	test_cancel(self->job);
	close(self->job);
}

TEST_F_TIMEOUT(midload, context_with_many_jobs_is_closed, TIMEOUT)
{
	struct closer c;
	int jobs[20], i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		START_HELD();
		jobs[i] = self->job;
	}
	for (i = 0; i < ARRAY_SIZE(jobs); i += 2)
		test_cancel(jobs[i]);
	ASSERT_EQ(0, start_closing(&c, self->fd));
	wait_closing(&c);
	fuse_source_release(self->slow);
	pthread_join(c.thread, NULL);
	self->fd = -1;
	ASSERT_TRUE(is_left_alone(&self->m));
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		test_result(jobs[i], 0, &self->result);
		ASSERT_EQ(RAMLOAD_JOB_CANCELLED, self->result.out_state);
		close(jobs[i]);
	}
}

struct waiter {
	pthread_t thread;
	int fd;
	struct ramload_load load;
	int err;
};

static void *wait_thread(void *arg)
{
	struct waiter *w = arg;

	w->err = load_wait(w->fd, &w->load, NULL);
	return NULL;
}

/* An fd is in use as long as a call on it lasts. */
TEST_F_TIMEOUT(midload, context_is_closed_while_a_thread_waits, TIMEOUT)
{
	struct waiter w = {
		.fd = self->fd,
		.load = LOAD(self->slow->fd, &self->range, 1,
			     .direct = variant->direct),
	};
	struct closer c;

	ASSERT_EQ(0, pthread_create(&w.thread, NULL, wait_thread, &w));
	fuse_source_wait_held(self->slow);
	ASSERT_EQ(0, start_closing(&c, self->fd));
	usleep(20000);
	fuse_source_release(self->slow);
	pthread_join(c.thread, NULL);
	pthread_join(w.thread, NULL);
	self->fd = -1;
	if (!w.err) {
		ASSERT_LOADED(0, LENGTH);
	} else {
		ASSERT_EQ(-ECANCELED, w.err);
	}
	ASSERT_TRUE(is_left_alone(&self->m));
}

static void *setup_and_start(void *arg)
{
	struct _test_data_midload *self = arg;

	self->fd = open_device();
	if (raw_setup(self->fd, WORKERS))
		return NULL;
	self->job = start_range(self->fd, self->slow->fd, RAMLOAD_DIRECT_OFF,
				&self->range);
	return NULL;
}

/* Workers belong to the process, not to the thread that asked for them. */
TEST_F_TIMEOUT(midload, thread_that_made_the_workers_ends, TIMEOUT)
{
	pthread_t thread;

	close(self->fd);
	self->job = -1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, setup_and_start, self));
	pthread_join(thread, NULL);
	ASSERT_LE(0, self->job);
	fuse_source_wait_held(self->slow);
	fuse_source_release(self->slow);
	test_result(self->job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, self->result.out_state);
	ASSERT_LOADED(0, LENGTH);
}

/* The child has its own memory, but holds the fds. */
TEST_F_TIMEOUT(midload, process_forks, TIMEOUT)
{
	int status, pipes[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(pipes));
	START_HELD();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pipes[1]);
		_exit(read(pipes[0], &byte, 1));
	}
	fuse_source_release(self->slow);
	test_result(self->job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, self->result.out_state);
	ASSERT_LOADED(0, LENGTH);
	/* They are not the last, so closing ours ends nothing. */
	close(self->job);
	close(pipes[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
}

/* The parent has closed everything; the child's fds are the last. */
TEST_F_TIMEOUT(midload, last_fd_is_a_childs, TIMEOUT)
{
	int status, pipes[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(pipes));
	START_HELD();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pipes[1]);
		_exit(read(pipes[0], &byte, 1) ||
		      raw_result(self->job, RAMLOAD_JOB_RESULT_WAIT,
				 &self->result) ||
		      self->result.out_state != RAMLOAD_JOB_DONE);
	}
	close(self->job);
	close(self->fd);
	self->fd = -1;
	fuse_source_release(self->slow);
	close(pipes[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_LOADED(0, LENGTH);
}

/*
 * Loaders that end
 */

enum loader_end { KILLED, EXITS, THREAD_EXITS, EXECUTES };

struct loader {
	struct ramload_range *range;
	int src;
	uint32_t direct;
	int ready;		/* a pipe, to write to */
	int go;			/* a pipe, to read from */
	bool wait;		/* in RAMLOAD_LOAD */
};

static void *exit_group_thread(void *unused)
{
	_exit(0);
}

static void start_in_child(const struct loader *l)
{
	struct ramload_load load = LOAD(l->src, l->range, 1,
					.direct = l->direct,
					.chunk_size = KIB(64));
	int fd = open_device();

	if (raw_setup(fd, WORKERS))
		_exit(252);
	if (l->wait)
		load.flags |= RAMLOAD_LOAD_WAIT;
	if (write(l->ready, "r", 1) != 1 || raw_load(fd, &load))
		_exit(251);
}

/* The child: loads, waits for the word, and ends. */
static void loader_main(const struct loader *l, enum loader_end end)
{
	pthread_t thread;
	char byte;

	start_in_child(l);
	if (read(l->go, &byte, 1) != 1)
		_exit(250);
	switch (end) {
	case KILLED:
		pause();
		break;
	case EXITS:
		_exit(0);
	case THREAD_EXITS:
		pthread_create(&thread, NULL, exit_group_thread, NULL);
		pause();
		break;
	case EXECUTES:
		execute_helper();
	}
	_exit(249);
}

/*
 * A child loads, into memory we share with it if that is a memfd, and ends.
 * What it leaves behind is looked at when it is gone: threads of it are gone
 * too then; a kernel thread may be busy a little longer.
 */
static void end_loader(struct __test_metadata *_metadata,
		       struct _test_data_midload *self,
		       const struct _fixture_variant_midload *variant,
		       enum loader_end end, bool wait)
{
	int ready[2], go[2], status;
	struct loader l = {
		.range = &self->range,
		.src = self->slow->fd,
		.direct = variant->direct,
		.wait = wait,
	};
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	l.ready = ready[1];
	l.go = go[0];
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		loader_main(&l, end);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	fuse_source_wait_held(self->slow);
	ASSERT_EQ(1, write(go[1], "g", 1));
	if (end == KILLED)
		ASSERT_EQ(0, kill(pid, SIGKILL));
	usleep(50000);
	fuse_source_release(self->slow);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(end == KILLED ? SIGKILL : 0, status);
	if (self->info.out_features & RAMLOAD_FEATURE_THREADS && end != EXECUTES)
		ASSERT_TRUE(is_left_alone(&self->m));
	/* The module works on. */
	ASSERT_EQ(0, load_range(self->fd, self->slow->fd, &self->range, NULL));
	if (self->info.out_features & RAMLOAD_FEATURE_THREADS)
		ASSERT_LOADED(0, LENGTH);
}

#define END_LOADER(end, wait) end_loader(_metadata, self, variant, end, wait)

TEST_F_TIMEOUT(midload, process_is_killed, TIMEOUT)
{
	END_LOADER(KILLED, false);
}

TEST_F_TIMEOUT(midload, waiting_process_is_killed, TIMEOUT)
{
	END_LOADER(KILLED, true);
}

TEST_F_TIMEOUT(midload, process_exits, TIMEOUT)
{
	END_LOADER(EXITS, false);
}

TEST_F_TIMEOUT(midload, thread_exits_the_process, TIMEOUT)
{
	END_LOADER(THREAD_EXITS, false);
}

TEST_F_TIMEOUT(midload, process_executes, TIMEOUT)
{
	END_LOADER(EXECUTES, false);
}

/* Nobody answers the read any more that the loader waits for. */
TEST_F_TIMEOUT(midload, source_is_aborted, TIMEOUT)
{
	struct waiter w = {
		.fd = self->fd,
		.load = LOAD(self->slow->fd, &self->range, 1,
			     .direct = variant->direct),
	};
	int device = self->slow->device, nothing;

	ASSERT_EQ(0, pthread_create(&w.thread, NULL, wait_thread, &w));
	fuse_source_wait_held(self->slow);
	/* With its last fd, the connection ends. The daemon sees an error. */
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_EQ(device, dup3(nothing, device, O_CLOEXEC));
	fuse_source_release(self->slow);
	pthread_join(w.thread, NULL);
	ASSERT_NE(0, w.err);
	ASSERT_NE(-ECANCELED, w.err);
	ASSERT_TRUE(pages_zero_or_pattern(self->m.map, SEED_SOURCE, 0, LENGTH));
	close(nothing);
}

/*
 * A worker is stopped, by a debugger, in the middle of a chunk. Nobody needs
 * it to run again to end its job.
 */

struct stopped {
	pid_t pid;
	pid_t worker;
	int words[2];		/* a socket pair: ours, the child's */
	int job;
	int context;
	struct ramload_range range;
};

static void ignore_signal(int signal)
{
}

/* The child: loads with one worker, and does what it is told. */
static void stopped_main(struct stopped *s, int src)
{
	struct sigaction action = {
		.sa_handler = ignore_signal,
		.sa_flags = SA_RESTART,
	};
	char word;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &action, NULL);
	s->context = open_device();
	if (raw_setup(s->context, 1))
		_exit(1);
	s->job = start_range(s->context, src, RAMLOAD_DIRECT_OFF, &s->range);
	while (write(s->words[1], "d", 1) == 1 &&
	       read(s->words[1], &word, 1) == 1)
		close(word == 'j' ? s->job : s->context);
	_exit(0);
}

static bool stop_worker(struct stopped *s)
{
	int status;

	s->worker = process_worker(s->pid);
	if (!s->worker || ptrace(PTRACE_SEIZE, s->worker, 0, 0))
		return false;
	/*
	 * What the daemon holds was read ahead, perhaps. Then the worker is on
	 * its way to it, and stops before.
	 */
	while (!ptrace(PTRACE_INTERRUPT, s->worker, 0, 0)) {
		if (!process_wait(s->worker, &status, __WALL, 0))
			return true;
		ptrace(PTRACE_CONT, s->worker, 0, 0);
		usleep(10000);
	}
	return false;
}

/* Has the child done what it was told? */
static bool has_done(struct stopped *s, int seconds)
{
	struct pollfd pfd = { .fd = s->words[0], .events = POLLIN };
	char word;

	return poll(&pfd, 1, seconds * 1000) == 1 &&
	       read(s->words[0], &word, 1) == 1;
}

static void tell(struct stopped *s, const char *word)
{
	if (write(s->words[0], word, 1) != 1)
		abort();
}

static void end_stopped(struct stopped *s)
{
	int status;

	kill(s->pid, SIGKILL);
	process_wait(s->worker, &status, __WALL, 20);
	process_wait(s->pid, &status, 0, 20);
	close(s->words[0]);
	close(s->words[1]);
}

/* The read that the worker waits for is answered, then the worker stops. */
#define START_STOPPED(s)						\
	do {								\
		int _status;						\
									\
		if (!(self->info.out_features & RAMLOAD_FEATURE_THREADS)) \
			SKIP(return, "workers are not stopped");	\
		(s)->range = self->range;				\
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0,	\
					(s)->words));			\
		(s)->pid = fork();					\
		ASSERT_LE(0, (s)->pid);					\
		if (!(s)->pid)						\
			stopped_main(s, self->slow->fd);		\
		ASSERT_TRUE(has_done(s, 60));				\
		fuse_source_wait_held(self->slow);			\
		ASSERT_TRUE(stop_worker(s));				\
		fuse_source_release(self->slow);			\
		ASSERT_TRUE(process_wait((s)->worker, &_status, __WALL, 60)); \
		ASSERT_TRUE(WIFSTOPPED(_status));			\
	} while (0)

TEST_F_TIMEOUT(midload, job_of_a_stopped_worker_is_closed, TIMEOUT)
{
	struct stopped s;

	START_STOPPED(&s);
	tell(&s, "j");
	EXPECT_TRUE(has_done(&s, 20));
	end_stopped(&s);
}

/* The worker cannot end, so close waits; unless there is a signal. */
TEST_F_TIMEOUT(midload, context_of_a_stopped_worker_is_closed, TIMEOUT)
{
	struct stopped s;
	int i;

	START_STOPPED(&s);
	tell(&s, "c");
	for (i = 0; i < 20; i++) {
		kill(s.pid, SIGUSR1);
		if (has_done(&s, 1))
			break;
	}
	EXPECT_LT(i, 20);
	end_stopped(&s);
}

/*
 * A process that was passed the fds closes the context of one that is stopped.
 * It does not wait, and the job ends.
 */
TEST_F_TIMEOUT(midload, context_of_a_stopped_process_is_closed, TIMEOUT)
{
	struct { int context, job; } fds;
	struct pollfd pfd = { .events = POLLIN };
	int words[2], status, pidfd;
	struct closer c;
	pid_t pid;
	char byte;

	if (!(self->info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "workers are not stopped");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, words));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		fds.context = open_device();
		if (raw_setup(fds.context, 1))
			_exit(1);
		fds.job = start_range(fds.context, self->slow->fd,
				      variant->direct, &self->range);
		if (write(words[1], &fds, sizeof(fds)) != sizeof(fds))
			_exit(2);
		/* Ours are not the last. */
		if (read(words[1], &byte, 1) == 1) {
			close(fds.context);
			close(fds.job);
		}
		if (write(words[1], "d", 1) == 1)
			pause();
		_exit(3);
	}
	ASSERT_EQ(sizeof(fds), read(words[0], &fds, sizeof(fds)));
	fuse_source_wait_held(self->slow);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	fds.context = syscall(SYS_pidfd_getfd, pidfd, fds.context, 0);
	fds.job = syscall(SYS_pidfd_getfd, pidfd, fds.job, 0);
	ASSERT_LE(0, fds.context);
	ASSERT_LE(0, fds.job);
	ASSERT_EQ(1, write(words[0], "c", 1));
	ASSERT_EQ(1, read(words[0], &byte, 1));
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	process_wait_stopping(pid);
	fuse_source_release(self->slow);
	ASSERT_TRUE(process_wait(pid, &status, WUNTRACED, 60));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, start_closing(&c, fds.context));
	pthread_join(c.thread, NULL);
	pfd.fd = fds.job;
	EXPECT_EQ(1, poll(&pfd, 1, 20000));
	test_result(fds.job, 0, &self->result);
	EXPECT_EQ(RAMLOAD_JOB_CANCELLED, self->result.out_state);
	/* Through the page cache, what is held may be read ahead of it. */
	if (variant->direct == RAMLOAD_DIRECT_ON)
		EXPECT_LE(GATE, self->result.out_error_offset);
	if (variant->kind == MEMORY_MEMFD)
		ASSERT_LOADED(0, self->result.out_error_offset);
	close(pidfd);
	kill(pid, SIGKILL);
	ASSERT_TRUE(process_wait(pid, &status, 0, 20));
	ASSERT_EQ(SIGKILL, status);
	close(fds.job);
}

/*
 * The owner closes the source when it reads the result: a worker that did so
 * later would keep a file system busy whose user has all its results. A lease
 * tells whether the file is open for writing.
 */
TEST_F_TIMEOUT(midload, source_is_closed_with_the_result, TIMEOUT)
{
	struct ramload_load load = LOAD(-1, &self->range, 1,
					.chunk_size = KIB(64));
	struct reason why;
	int dir = fs_open("tmpfs", NULL, &why), i, src, reader;
	char path[32];

	if (dir < 0)
		SKIP(return, "%s", why.text);
	for (i = 0; i < 20; i++) {
		src = file_create_pattern(dir, SEED_SOURCE, LENGTH);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", src);
		reader = open(path, O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, reader);
		load.source_fd = src;
		test_load(self->fd, &load);
		TEST_ERRNO(EAGAIN, fcntl(reader, F_SETLEASE, F_RDLCK));
		close(src);
		test_result(load.out_job_fd, RAMLOAD_JOB_RESULT_WAIT,
			    &self->result);
		ASSERT_EQ(0, fcntl(reader, F_SETLEASE, F_RDLCK));
		ASSERT_LOADED(0, LENGTH);
		close(load.out_job_fd);
		close(reader);
	}
}

/*
 * Sealing. Whoever seals a memfd against writes must first unmap it, and from
 * then on may trust its contents.
 */
static bool read_all(int fd, char *buf)
{
	return pread(fd, buf, LENGTH, 0) == LENGTH;
}

TEST_F_TIMEOUT(midload, memory_is_sealed, TIMEOUT)
{
	char *sealed = malloc(LENGTH), *later = malloc(LENGTH);
	bool released = false;

	if (variant->kind != MEMORY_MEMFD)
		SKIP(return, "memory cannot be sealed");
	START_HELD();
	TEST_ERRNO(EBUSY, fcntl(self->m.fd, F_ADD_SEALS, F_SEAL_WRITE));
	ASSERT_EQ(0, munmap(self->m.map, LENGTH));
	while (fcntl(self->m.fd, F_ADD_SEALS, F_SEAL_WRITE)) {
		ASSERT_EQ(EBUSY, errno);
		if (!released)
			fuse_source_release(self->slow);
		released = true;
	}
	ASSERT_TRUE(read_all(self->m.fd, sealed));
	if (!released)
		fuse_source_release(self->slow);
	test_result(self->job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_TRUE(read_all(self->m.fd, later));
	ASSERT_EQ(0, memcmp(sealed, later, LENGTH));
	ASSERT_TRUE(pages_zero_or_pattern(later, SEED_SOURCE, 0, LENGTH));
	free(sealed);
	free(later);
}

/* Unmapped and mapped elsewhere: what is there then is not touched. */
TEST_F_TIMEOUT(midload, memory_is_replaced, TIMEOUT)
{
	char *fresh;

	START_HELD();
	fresh = mmap(self->m.map, LENGTH, PROT_READ, MAP_PRIVATE |
		     MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(self->m.map, fresh);
	fuse_source_release(self->slow);
	test_result(self->job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_FAILED, self->result.out_state);
	ASSERT_EQ(-EFAULT, self->result.out_error);
	ASSERT_TRUE(all_zero(fresh, LENGTH));
}

TEST_HARNESS_MAIN
