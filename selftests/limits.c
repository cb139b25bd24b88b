// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What a process and a user may hold, who pays for it, and what happens one
 * past each limit. What a test does, it does in a child: that one can be in a
 * control group, another user, and its end gives everything back.
 */

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "ramload_util.h"
#include "test_cgroup.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_process.h"

#define LENGTH	MIB(16)
#define NOBODY	65532
#define SUBUID	165536		/* in the user namespace of NOBODY */
#define MODULE	"/lib/ramload.ko"

/* Bytes of kernel memory that a range takes at least. */
#define RANGE_MIN	32

#define UNABLE	251		/* exit status: not possible here */

/* In children: say what is wrong, and fail. */
#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "# %s:%d: %s (errno %d)\n",	\
				__FILE__, __LINE__, #condition, errno);	\
			return 1;					\
		}							\
	} while (0)

/*
 * Made by the parent, so that nothing of it is charged to the child.
 */
struct shared {
	struct cgroup cg;
	struct ramload_info info;
	struct ramload_range *ranges;	/* the most there may be */
	char *dest;
	int src;
	int pipes[2][2];
};

static void *map_shared(size_t length)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

/* Each loads one byte, the first of the source. */
static void make_ranges(struct shared *s)
{
	size_t nr = s->info.out_max_ranges + 1, i;

	s->dest = map_shared(LENGTH);
	s->ranges = map_shared(nr * sizeof(*s->ranges));
	for (i = 0; i < nr; i++)
		s->ranges[i] = RANGE(0, 1, s->dest + i % LENGTH);
}

static int in_child(struct shared *s, int (*entry)(struct shared *s))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(entry(s));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#define ASSERT_CHILD(entry)						\
	do {								\
		int __status = in_child(&self->s, entry);		\
									\
		if (__status == UNABLE)					\
			SKIP(return, "not possible here");		\
		ASSERT_EQ(0, __status);					\
	} while (0)

static bool have_threads(const struct shared *s)
{
	return s->info.out_features & RAMLOAD_FEATURE_THREADS;
}

/* A context with workers. */
static int new_context(uint32_t workers)
{
	int fd = open_device();

	if (fd >= 0 && raw_setup(fd, workers)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A job of the first @nr ranges; its fd, or -1. */
static int start_ranges(struct shared *s, int fd, int src, size_t nr)
{
	struct ramload_load load = LOAD(src, s->ranges, nr);

	return raw_load(fd, &load) ? -1 : load.out_job_fd;
}

static int finish(int job)
{
	struct ramload_job_result result;

	if (raw_result(job, RAMLOAD_JOB_RESULT_WAIT, &result))
		return -1;
	return result.out_error;
}

/*
 * Control groups
 */

FIXTURE(charge)
{
	struct shared s;
};

FIXTURE_SETUP(charge)
{
	struct reason why;
	int fd;

	OPEN_DEVICE(fd);
	if (geteuid())
		SKIP(return, "not root");
	test_info(fd, &self->s.info);
	close(fd);
	self->s.src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->s.src);
	make_ranges(&self->s);
	if (cgroup_make(&self->s.cg, &why))
		SKIP(return, "%s", why.text);
}

FIXTURE_TEARDOWN(charge)
{
	cgroup_remove(&self->s.cg);
}

static uint64_t memory_stat(struct shared *s, const char *key)
{
	return cgroup_get(&s->cg, "memory.stat", key);
}

/* Statistics are late; nothing depends on how late. */
#define WAIT_FOR(condition)						\
	do {								\
		while (!(condition))					\
			usleep(20000);					\
	} while (0)

static int ranges_charged(struct shared *s)
{
	const size_t nr = s->info.out_max_ranges;
	struct fuse_source *slow;
	struct reason why;
	uint64_t before;
	int fd, job;

	CHECK(!cgroup_enter(&s->cg));
	fd = new_context(1);
	CHECK(fd >= 0);
	slow = fuse_source_start(PAGE, 0, &why);
	if (!slow)
		return UNABLE;
	before = memory_stat(s, "kernel");
	CHECK(before != UINT64_MAX);
	job = start_ranges(s, fd, slow->fd, nr);
	CHECK(job >= 0);
	fuse_source_wait_held(slow);
	WAIT_FOR(memory_stat(s, "kernel") >= before + nr * RANGE_MIN);
	CHECK(cgroup_get(&s->cg, "memory.current", NULL) >= nr * RANGE_MIN);
	fuse_source_release(slow);
	CHECK(finish(job) == 0);
	/* The fd of the job is still there. */
	WAIT_FOR(memory_stat(s, "kernel") < before + MIB(2));
	CHECK(pattern_matches(s->dest, SEED_SOURCE, 0, 1));
	return 0;
}

TEST_F_TIMEOUT(charge, ranges_while_the_job_runs, TIMEOUT)
{
	ASSERT_CHILD(ranges_charged);
}

static int destination_charged(struct shared *s, enum memory_kind kind,
			       const char *key)
{
	struct ramload_range range;
	struct reason why;
	struct memory m;
	uint64_t before;
	int fd;

	CHECK(!cgroup_enter(&s->cg));
	fd = new_context(2);
	CHECK(fd >= 0);
	if (memory_map(&m, kind, LENGTH, &why))
		return UNABLE;
	before = memory_stat(s, key);
	range = RANGE(0, LENGTH, m.map);
	CHECK(!load_range(fd, s->src, &range, NULL));
	CHECK(pattern_matches(m.map, SEED_SOURCE, 0, LENGTH));
	WAIT_FOR(memory_stat(s, key) >= before + LENGTH - MIB(1));
	memory_unmap(&m);
	WAIT_FOR(memory_stat(s, key) < before + MIB(1));
	return 0;
}

static int memfd_charged(struct shared *s)
{
	return destination_charged(s, MEMORY_MEMFD, "shmem");
}

static int anonymous_charged(struct shared *s)
{
	return destination_charged(s, MEMORY_ANON, "anon");
}

TEST_F_TIMEOUT(charge, memfd_as_destination, TIMEOUT)
{
	ASSERT_CHILD(memfd_charged);
}

TEST_F_TIMEOUT(charge, anonymous_memory_as_destination, TIMEOUT)
{
	ASSERT_CHILD(anonymous_charged);
}

/*
 * At the limit of a cgroup, a page that is copied, or was reclaimed and is read again,
 * would call the OOM killer. Nothing of this process is shared any more, nor leaves.
 */
static pid_t start_sleeper(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mlockall(MCL_CURRENT) || write(ready[1], "r", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return -1;
	close(ready[0]);
	return pid;
}

static int ranges_over_the_limit(struct shared *s)
{
	char limit[32];
	int fd, job, way_out = cgroup_way_out();
	uint64_t used;
	pid_t other;

	CHECK(way_out >= 0);
	CHECK(!cgroup_enter(&s->cg));
	fd = new_context(1);
	CHECK(fd >= 0);
	other = start_sleeper();
	CHECK(other > 0);
	CHECK(!mlockall(MCL_CURRENT));
	CHECK(start_ranges(s, fd, -1, 1) < 0);
	used = cgroup_get(&s->cg, "memory.current", NULL);
	snprintf(limit, sizeof(limit), "%llu",
		 (unsigned long long)used + MIB(16));
	cgroup_set(&s->cg, "memory.swap.max", "0");
	CHECK(!cgroup_set(&s->cg, "memory.max", limit));
	CHECK(s->info.out_max_ranges * RANGE_MIN > MIB(16));
	CHECK(start_ranges(s, fd, s->src, s->info.out_max_ranges) < 0);
	CHECK(errno == ENOMEM);
	CHECK(!cgroup_leave(way_out));
	CHECK(cgroup_get(&s->cg, "memory.events", "max") > 0);
	CHECK(cgroup_get(&s->cg, "memory.events", "oom_kill") == 0);
	CHECK(waitpid(other, NULL, WNOHANG) == 0);
	/* From 6.18 on, what was allocated in vain is freed a bit later. */
	WAIT_FOR(cgroup_get(&s->cg, "memory.current", NULL) < used + MIB(8));
	CHECK(!cgroup_enter(&s->cg));
	/* A smaller one works, and the same one once there is memory. */
	job = start_ranges(s, fd, s->src, 1000);
	CHECK(job >= 0 && finish(job) == 0);
	CHECK(!cgroup_set(&s->cg, "memory.max", "max"));
	job = start_ranges(s, fd, s->src, s->info.out_max_ranges);
	CHECK(job >= 0 && finish(job) == 0);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	return 0;
}

TEST_F_TIMEOUT(charge, ranges_over_the_limit, TIMEOUT)
{
	ASSERT_CHILD(ranges_over_the_limit);
}

static uint64_t own_cpu_time(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000ULL +
	       u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

/* CPU time in the group that is not of the thread that waits. */
static int cpu_charged(struct shared *s)
{
	const struct ramload_range range = RANGE(0, LENGTH, s->dest);
	uint64_t before, own;
	int fd;

	CHECK(!cgroup_enter(&s->cg));
	fd = new_context(2);
	CHECK(fd >= 0);
	own = own_cpu_time();
	before = cgroup_get(&s->cg, "cpu.stat", "usage_usec");
	CHECK(before != UINT64_MAX);
	do {
		CHECK(!load_range(fd, s->src, &range, NULL));
	} while (cgroup_get(&s->cg, "cpu.stat", "usage_usec") - before <
		 2 * (own_cpu_time() - own) + 50000);
	return 0;
}

TEST_F_TIMEOUT(charge, cpu_time_of_workers, TIMEOUT)
{
	if (!have_threads(&self->s))
		SKIP(return, "workers are kernel threads here");
	ASSERT_CHILD(cpu_charged);
}

static int workers_over_pids_max(struct shared *s)
{
	int fd;

	CHECK(!cgroup_enter(&s->cg));
	CHECK(!cgroup_set(&s->cg, "pids.max", "4"));
	fd = open_device();
	CHECK(fd >= 0);
	CHECK(raw_setup(fd, 4) && errno == EAGAIN);
	/* Those that were made end by themselves. */
	WAIT_FOR(cgroup_get(&s->cg, "pids.current", NULL) == 1);
	CHECK(!raw_setup(fd, 3));
	CHECK(cgroup_get(&s->cg, "pids.current", NULL) == 4);
	CHECK(new_context(1) < 0 && errno == EAGAIN);
	close(fd);
	WAIT_FOR(cgroup_get(&s->cg, "pids.current", NULL) == 1);
	return 0;
}

TEST_F_TIMEOUT(charge, workers_over_pids_max, TIMEOUT)
{
	if (!have_threads(&self->s))
		SKIP(return, "workers are kernel threads here");
	ASSERT_CHILD(workers_over_pids_max);
}

/*
 * Resource limits
 */

/* Does not outlive its parent. */
static int become(uid_t uid)
{
	return setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	       setresuid(uid, uid, uid) || prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int workers_over_nproc(struct shared *s)
{
	const struct rlimit limit = { 4, 4 };
	int fd = open_device();
	int second = open_device();

	CHECK(!setrlimit(RLIMIT_NPROC, &limit) && !become(NOBODY));
	CHECK(raw_setup(fd, 4) && errno == EAGAIN);
	WAIT_FOR(!process_worker(getpid()));
	CHECK(!raw_setup(fd, 3));
	CHECK(raw_setup(second, 1) && errno == EAGAIN);
	close(fd);
	WAIT_FOR(!raw_setup(second, 3) || errno != EAGAIN);
	return 0;
}

TEST_F_TIMEOUT(charge, workers_over_rlimit_nproc, TIMEOUT)
{
	if (!have_threads(&self->s))
		SKIP(return, "workers are kernel threads here");
	ASSERT_CHILD(workers_over_nproc);
}

static int fds_over_nofile(struct shared *s)
{
	struct rlimit limit = { 64, 64 };
	int fd, jobs = 0;

	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	fd = new_context(1);
	CHECK(fd >= 0);
	while (start_ranges(s, fd, s->src, 1) >= 0)
		CHECK(++jobs < 64);
	CHECK(errno == EMFILE || (errno == EBUSY && jobs));
	WAIT_FOR(start_ranges(s, fd, s->src, 1) < 0 && errno == EMFILE);
	CHECK(open_device() < 0 && errno == EMFILE);
	return 0;
}

TEST_F_TIMEOUT(charge, fds_over_rlimit_nofile, TIMEOUT)
{
	ASSERT_CHILD(fds_over_nofile);
}

/* All at once, each with several contexts; none is refused or forgotten. */
#define PROCESSES	8
#define CONTEXTS	8

static int use_contexts(struct shared *s)
{
	int fds[CONTEXTS], jobs[CONTEXTS], i;

	for (i = 0; i < CONTEXTS; i++) {
		fds[i] = new_context(2);
		CHECK(fds[i] >= 0);
		jobs[i] = start_ranges(s, fds[i], s->src, 10000);
		CHECK(jobs[i] >= 0);
	}
	for (i = 0; i < CONTEXTS; i++)
		CHECK(finish(jobs[i]) == 0);
	return 0;
}

TEST_F_TIMEOUT(charge, many_processes_with_many_contexts, TIMEOUT)
{
	pid_t pids[PROCESSES];
	int i, status;

	for (i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(use_contexts(&self->s));
	}
	for (i = 0; i < PROCESSES; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		ASSERT_EQ(0, status);
	}
}

/*
 * Parameters of the module
 */

FIXTURE(parameters)
{
	struct shared s;
};

/* Returns 0, or -1 with errno set. */
static int reload(const char *parameters)
{
	int fd, err, tries = 1200;

	/* What was closed may take a moment to let go. */
	while (syscall(SYS_delete_module, "ramload", O_NONBLOCK) &&
	       errno == EAGAIN && --tries)
		usleep(50000);
	fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	err = syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return err;
}

/* With parameters of its own for each test. Others may use it, too. */
#define RELOAD(parameters)						\
	do {								\
		if (reload(parameters))					\
			SKIP(return, "the module is in use");		\
		ASSERT_EQ(0, chmod(RAMLOAD_DEVICE, 0666));		\
	} while (0)

FIXTURE_SETUP(parameters)
{
	int i;

	if (access(RAMLOAD_DEVICE, F_OK))
		SKIP(return, "no " RAMLOAD_DEVICE);
	if (geteuid() || access(MODULE, R_OK))
		SKIP(return, "the module cannot be loaded again");
	self->s.info.out_max_ranges = 65536;
	self->s.src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	make_ranges(&self->s);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pipe(self->s.pipes[i]));
}

FIXTURE_TEARDOWN(parameters)
{
	if (!geteuid() && !access(MODULE, R_OK))
		reload("");
}

static int each_limit(struct shared *s)
{
	struct fuse_source *slow;
	struct reason why;
	int fd = open_device(), jobs[3], i;

	CHECK(!raw_info(fd, &s->info));
	CHECK(s->info.out_max_workers == 2 && s->info.out_max_jobs == 3);
	CHECK(s->info.out_max_ranges == 5);
	CHECK(s->info.out_max_bitmap_bytes == MIB(1));
	CHECK(raw_setup(fd, 3) && errno == EINVAL);
	CHECK(!raw_setup(fd, 2));
	slow = fuse_source_start(PAGE, 0, &why);
	if (!slow)
		return UNABLE;
	CHECK(start_ranges(s, fd, slow->fd, 6) < 0 && errno == E2BIG);
	for (i = 0; i < 3; i++) {
		jobs[i] = start_ranges(s, fd, slow->fd, 5);
		CHECK(jobs[i] >= 0);
	}
	CHECK(start_ranges(s, fd, slow->fd, 1) < 0 && errno == EBUSY);
	/* Another context has its own. */
	i = new_context(1);
	CHECK(start_ranges(s, i, s->src, 5) >= 0);
	fuse_source_release(slow);
	for (i = 0; i < 3; i++)
		CHECK(finish(jobs[i]) == 0);
	CHECK(start_ranges(s, fd, s->src, 5) >= 0);
	return 0;
}

static int bitmap_limit(struct shared *s)
{
	const size_t bytes = MIB(1);
	void *bitmap = calloc(2, bytes);
	struct ramload_range range = RANGE(0, 8 * bytes * 512, PAGE,
					   .bitmap = (uintptr_t)bitmap,
					   .page_size = 512);
	int fd = new_context(1);

	CHECK(load_range(fd, s->src, &range, NULL) == 0);
	range.length += 512;
	CHECK(load_range(fd, s->src, &range, NULL) == -E2BIG);
	return 0;
}

TEST_F_TIMEOUT(parameters, of_a_context, TIMEOUT)
{
	RELOAD("max_workers=2 max_jobs=3 max_ranges=5 max_bitmap_mib=1");
	ASSERT_CHILD(each_limit);
	ASSERT_CHILD(bitmap_limit);
}

/* Values that make no sense become the nearest that do. */
static int clamped_low(struct shared *s)
{
	CHECK(!raw_info(open_device(), &s->info));
	CHECK(s->info.out_max_workers == 1 && s->info.out_max_jobs == 1);
	CHECK(s->info.out_max_ranges == 1);
	CHECK(s->info.out_max_bitmap_bytes == MIB(1));
	CHECK(new_context(1) < 0 && errno == EAGAIN);
	return 0;
}

static int clamped_high(struct shared *s)
{
	CHECK(!raw_info(open_device(), &s->info));
	CHECK(s->info.out_max_workers == 1024);
	CHECK(s->info.out_max_jobs == 65536);
	CHECK(s->info.out_max_ranges == 16 << 20);
	CHECK(s->info.out_max_bitmap_bytes == 1 << 30);
	return use_contexts(s);
}

TEST_F_TIMEOUT(parameters, without_sense, TIMEOUT)
{
	RELOAD("max_workers=0 max_jobs=0 max_ranges=0 max_bitmap_mib=0 "
	       "max_user_workers=0 max_workers_total=0 max_user_mib=0");
	ASSERT_CHILD(clamped_low);
	RELOAD("max_workers=4294967295 max_jobs=4294967295 "
	       "max_ranges=4294967295 max_bitmap_mib=4294967295 "
	       "max_user_workers=4294967295 max_workers_total=4294967295 "
	       "max_user_mib=4294967295");
	ASSERT_CHILD(clamped_high);
}

/* A child of NOBODY takes what it can, tells how much, and is then ended. */
static int workers_of_nobody(struct shared *s, int parents)
{
	uint32_t got = 0;

	close(parents);
	CHECK(!become(NOBODY));
	/* What one had that was killed comes back when it has been reaped. */
	do {
		while (new_context(1) >= 0)
			CHECK(++got < 100);
		CHECK(errno == EAGAIN);
	} while (got < 2 && !usleep(20000));
	CHECK(write(s->pipes[0][1], &got, sizeof(got)) == sizeof(got));
	pause();
	return 0;
}

static int workers_of_users(struct shared *s)
{
	uint32_t got;
	pid_t pid;
	int fd;

	fd = new_context(4);
	CHECK(fd >= 0);
	CHECK(new_context(2) < 0 && errno == EAGAIN);
	CHECK(new_context(1) >= 0);
	CHECK(new_context(1) < 0 && errno == EAGAIN);
	/* Five of root; of the seven there are, two are left for others. */
	pid = fork();
	if (!pid)
		_exit(workers_of_nobody(s, fd));
	CHECK(read(s->pipes[0][0], &got, sizeof(got)) == sizeof(got));
	CHECK(got == 2);
	close(fd);
	fd = new_context(4);
	CHECK(fd >= 0);
	/* Whoever ends gives back what it had. */
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
	pid = fork();
	if (!pid)
		_exit(workers_of_nobody(s, fd));
	CHECK(read(s->pipes[0][0], &got, sizeof(got)) == sizeof(got));
	CHECK(got == 2);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}

TEST_F_TIMEOUT(parameters, workers_of_a_user, TIMEOUT)
{
	RELOAD("max_workers=4 max_user_workers=5 max_workers_total=7");
	ASSERT_CHILD(workers_of_users);
}

static int write_map(pid_t pid, const char *name)
{
	char path[64], map[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = snprintf(map, sizeof(map), "0 %d 1\n1 %d 1\n", NOBODY, SUBUID);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, map, n) != n)
		n = -1;
	close(fd);
	return fd < 0 || n < 0 ? -1 : 0;
}

/* As another uid than its owner, in a user namespace of NOBODY. */
static int workers_in_a_namespace(struct shared *s)
{
	uint32_t got = 0;
	char go;

	CHECK(!become(NOBODY) && !prctl(PR_SET_DUMPABLE, 1));
	if (unshare(CLONE_NEWUSER))
		return UNABLE;
	CHECK(write(s->pipes[0][1], &go, 1) == 1);
	CHECK(read(s->pipes[1][0], &go, 1) == 1);
	CHECK(!setresuid(1, 1, 1));
	while (new_context(1) >= 0)
		CHECK(++got < 100);
	CHECK(errno == EAGAIN);
	CHECK(write(s->pipes[0][1], &got, sizeof(got)) == sizeof(got));
	return 0;
}

static int namespace_of_nobody(struct shared *s)
{
	uint32_t got;
	int status;
	pid_t pid;
	char go;

	pid = fork();
	if (!pid)
		_exit(workers_in_a_namespace(s));
	CHECK(read(s->pipes[0][0], &go, 1) == 1);
	CHECK(!write_map(pid, "uid_map") && !write_map(pid, "gid_map"));
	CHECK(write(s->pipes[1][1], &go, 1) == 1);
	CHECK(read(s->pipes[0][0], &got, sizeof(got)) == sizeof(got));
	CHECK(waitpid(pid, &status, 0) == pid && !status);
	/* Its owner has three, of which two are taken. */
	CHECK(got == 1);
	return 0;
}

static int workers_of_nobody_and_its_namespace(struct shared *s)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		CHECK(!become(NOBODY) && new_context(2) >= 0);
		CHECK(write(s->pipes[0][1], "x", 1) == 1);
		pause();
	}
	CHECK(read(s->pipes[0][0], &status, 1) == 1);
	status = namespace_of_nobody(s);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return status;
}

TEST_F_TIMEOUT(parameters, workers_of_a_user_namespace, TIMEOUT)
{
	RELOAD("max_user_workers=3");
	ASSERT_CHILD(workers_of_nobody_and_its_namespace);
}

/* Most ranges that a MiB has room for, if a range takes @bytes. */
#define RANGES_OF_MIB(bytes)	(MIB(1) / (bytes))

static int start_as_nobody(struct shared *s)
{
	int fd;

	CHECK(!become(NOBODY));
	fd = new_context(1);
	CHECK(fd >= 0);
	CHECK(start_ranges(s, fd, s->src, RANGES_OF_MIB(64)) >= 0);
	return 0;
}

static int memory_of_user(struct shared *s)
{
	struct fuse_source *slow;
	struct reason why;
	int fds[2], jobs[2], i;

	for (i = 0; i < 2; i++)
		fds[i] = new_context(1);
	slow = fuse_source_start(PAGE, 0, &why);
	if (!slow)
		return UNABLE;
	CHECK(start_ranges(s, fds[0], s->src, RANGES_OF_MIB(RANGE_MIN)) < 0 &&
	      errno == ENOMEM);
	jobs[0] = start_ranges(s, fds[0], slow->fd, RANGES_OF_MIB(64));
	CHECK(jobs[0] >= 0);
	/* Contexts of a user have it together, another user its own. */
	CHECK(start_ranges(s, fds[1], s->src, RANGES_OF_MIB(64)) < 0 &&
	      errno == ENOMEM);
	CHECK(in_child(s, start_as_nobody) == 0);
	jobs[1] = start_ranges(s, fds[1], slow->fd, RANGES_OF_MIB(64) / 4);
	CHECK(jobs[1] >= 0);
	fuse_source_release(slow);
	CHECK(finish(jobs[0]) == 0 && finish(jobs[1]) == 0);
	/* A job that is done has nothing, though its fd is open. */
	CHECK(start_ranges(s, fds[1], s->src, RANGES_OF_MIB(64)) >= 0);
	return 0;
}

TEST_F_TIMEOUT(parameters, memory_of_a_user, TIMEOUT)
{
	RELOAD("max_user_mib=1");
	ASSERT_CHILD(memory_of_user);
}

TEST_HARNESS_MAIN
