// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Heavy load: very many processes, jobs, ranges, bytes at once. Every job
 * ends, in its turn, and whoever polls hears of it; each process gets on; and
 * of what the module took nothing is left when they are gone.
 * $RAMLOAD_SECONDS says how long; from 60 on, with memory to match, a job is
 * of 16 GiB for real.
 */

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ramload_util.h"
#include "test_cgroup.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_process.h"
#include "test_run.h"

#define PROCESSES	64
#define JOBS		4
#define LENGTH		KIB(256)
/* A wait this long has missed its end. */
#define HANG		300
#define GIB(n)		((size_t)(n) << 30)

struct shared {
	atomic_bool stop;
	atomic_ulong batches[PROCESSES];
};

FIXTURE(load)
{
	int fd;
	int src;
	struct ramload_info info;
	struct shared *shared;
};

FIXTURE_SETUP(load)
{
	OPEN_DEVICE(self->fd);
	test_info(self->fd, &self->info);
	self->src = memfd_create_pattern(SEED_SOURCE, MIB(2));
	ASSERT_LE(0, self->src);
	self->shared = mmap(NULL, sizeof(*self->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

FIXTURE_TEARDOWN(load)
{
	close(self->fd);
	close(self->src);
}

typedef struct _test_data_load load_t;

/*
 * What is left of the module's things
 */

/* Lines of @path that hold @text; -1 if it cannot be read. */
static int count_lines(const char *path, const char *text)
{
	FILE *f = fopen(path, "re");
	char line[512];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	fclose(f);
	return n;
}

static int count_workers_of(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		n += process_is_worker(pid, entry->d_name);
	if (dir)
		closedir(dir);
	return n;
}

/* Workers, of whatever process. */
static int count_workers(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name))
			n += count_workers_of(atoi(entry->d_name));
	if (dir)
		closedir(dir);
	return n;
}

static long module_users(void)
{
	return read_value("/sys/module/ramload/refcnt", "");
}

/*
 * Threads of processes that were killed are reaped a little later; of the program
 * before, too, so there may be less users now.
 */
static bool is_all_gone(long users)
{
	double limit = run_now() + HANG;

	while (count_workers() || module_users() > users) {
		if (run_now() > limit)
			return false;
		usleep(10000);
	}
	return count_lines("/proc/vmallocinfo", "[ramload]") <= 0;
}

/*
 * Many processes
 */

static int submit_all(int fd, int src, char *dest, struct pollfd *pfds,
		      size_t shift)
{
	struct ramload_range range;
	int i;

	for (i = 0; i < JOBS; i++) {
		range = RANGE(shift, LENGTH, dest + i * LENGTH);
		pfds[i].events = POLLIN;
		pfds[i].fd = start_range(fd, src, RAMLOAD_DIRECT_OFF, &range);
		if (pfds[i].fd < 0)
			return errno;
	}
	return 0;
}

/* One worker does one job after another. */
static bool is_in_order(const struct pollfd *pfds)
{
	int i;

	for (i = JOBS - 1; i > 0; i--)
		if (job_is_done(pfds[i].fd))
			break;
	while (--i >= 0)
		if (!job_is_done(pfds[i].fd))
			return false;
	return true;
}

static int wait_for_all(const struct pollfd *pfds, bool in_order)
{
	struct ramload_job_result result;
	struct pollfd pfd;
	int i;

	/* From the last: the others are not looked at before it is done. */
	for (i = JOBS - 1; i >= 0; i--) {
		if (in_order && !is_in_order(pfds))
			return ERANGE;
		pfd = pfds[i];
		if (poll(&pfd, 1, HANG * 1000) != 1)
			return job_is_done(pfd.fd) ? ENOMSG : ETIME;
		if (raw_result(pfd.fd, 0, &result) ||
		    result.out_state != RAMLOAD_JOB_DONE)
			return EPROTO;
	}
	return 0;
}

static int load_batch(int fd, int src, char *dest, size_t shift, bool in_order)
{
	struct pollfd pfds[JOBS];
	int err = submit_all(fd, src, dest, pfds, shift);
	int i;

	if (!err)
		err = wait_for_all(pfds, in_order);
	for (i = 0; i < JOBS && !err; i++) {
		close(pfds[i].fd);
		if (!pattern_matches(dest + i * LENGTH, SEED_SOURCE, shift,
				     LENGTH))
			err = EILSEQ;
	}
	return err;
}

static void process_main(load_t *self, unsigned int nr)
{
	atomic_ulong *batches = &self->shared->batches[nr];
	unsigned int workers = 1 + nr % 2;
	struct reason why;
	struct memory m;
	int fd, err = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open_device();
	if (memory_map(&m, nr % 4 < 2 ? MEMORY_MEMFD : MEMORY_ANON, MIB(2),
		       &why) || raw_setup(fd, workers))
		_exit(errno);
	do {
		err = load_batch(fd, self->src, m.map,
				 *batches % 256 * PAGE, workers == 1);
		if (!err)
			++*batches;
	} while (!err && !self->shared->stop);
	_exit(err);
}

static unsigned long sum_of_batches(load_t *self, unsigned long *least,
				    unsigned long *most)
{
	unsigned long n, sum = 0;
	int i;

	*least = -1UL;
	*most = 0;
	for (i = 0; i < PROCESSES; i++) {
		n = self->shared->batches[i];
		*least = n < *least ? n : *least;
		*most = n > *most ? n : *most;
		sum += n;
	}
	return sum;
}

TEST_F_TIMEOUT(load, many_processes, LONG_TIMEOUT)
{
	unsigned int seconds = run_seconds(5);
	unsigned long least, most, sum;
	long users = module_users();
	pid_t pids[PROCESSES];
	int i, status;

	for (i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (!pids[i])
			process_main(self, i);
		ASSERT_LT(0, pids[i]);
	}
	sleep(seconds);
	self->shared->stop = true;
	for (i = 0; i < PROCESSES; i++) {
		if (!process_wait(pids[i], &status, 0, HANG)) {
			process_show(pids[i]);
			kill(pids[i], SIGKILL);
			status = SIGKILL;
		}
		EXPECT_EQ(0, status);
	}
	sum = sum_of_batches(self, &least, &most);
	printf("# many_processes: %d processes, %lu jobs, %u s; %lu to %lu jobs each\n",
	       PROCESSES, sum * JOBS, seconds, least * JOBS, most * JOBS);
	fflush(stdout);
	/* Nobody is left behind. */
	EXPECT_LE(1, least);
	EXPECT_TRUE(is_all_gone(users));
}

/*
 * What is charged to a cgroup is there again when jobs and contexts are gone.
 */

/* Each load is a context, two workers, a job, many ranges. */
static void load_into_static_memory(load_t *self, int nr)
{
	static struct ramload_range ranges[512];
	static char dest[512];
	struct ramload_load load = LOAD(self->src, ranges, 512);
	int i, fd;

	for (i = 0; i < 512; i++)
		ranges[i] = RANGE(i, 1, dest + i);
	while (nr--) {
		fd = open_device();
		if (raw_setup(fd, 2) || raw_load(fd, &load))
			_exit(errno);
		close(nr % 2 ? fd : load.out_job_fd);
		close(nr % 2 ? load.out_job_fd : fd);
	}
}

/*
 * Each load is of new pages: all of them get their bytes, or the source ends
 * before, or at once.
 */
static void load_new_pages(load_t *self, enum memory_kind kind, int nr)
{
	static const size_t from[] = { 0, MIB(2) - KIB(300) - 1, MIB(2) };
	struct ramload_range range;
	struct ramload_load load = LOAD(self->src, &range, 1);
	int fd = open_device();
	struct reason why;
	struct memory m;

	if (raw_setup(fd, 1))
		_exit(errno);
	while (nr--) {
		if (memory_map(&m, kind, MIB(1), &why))
			_exit(ENOMEM);
		range = RANGE(from[nr % 3], MIB(1), m.map);
		if (load_wait(fd, &load, NULL) != (nr % 3 ? -ENODATA : 0))
			_exit(EIO);
		memory_unmap(&m);
	}
}

static void load_memfd(load_t *self, int nr)
{
	load_new_pages(self, MEMORY_MEMFD, nr);
}

static void load_anon(load_t *self, int nr)
{
	load_new_pages(self, MEMORY_ANON, nr);
}

/*
 * What a cgroup is charged, by which file and key; and how many seconds that is behind.
 * Of each load, @slack bytes may stay.
 */
struct charge {
	void (*do_loads)(load_t *self, int nr);
	const char *file;
	const char *key;
	unsigned int lag;
	uint64_t slack;
};

/* Does the loads in a process in the cgroup; 0 once that is gone. */
static int loads_in_cgroup(load_t *self, const struct charge *charge,
			   const struct cgroup *cg, int loads)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (cgroup_enter(cg))
			_exit(errno);
		charge->do_loads(self, loads);
		_exit(0);
	}
	return waitpid(pid, &status, 0) != pid || status;
}

/*
 * What is charged, as soon as it is less than @limit: threads that have ended are freed
 * by RCU, a while later. The lag is over first, else a leak would not be seen yet.
 */
static uint64_t charged(const struct charge *charge, const struct cgroup *cg,
			uint64_t limit)
{
	double end = run_now() + HANG;
	uint64_t now;

	sleep(charge->lag);
	while ((now = cgroup_get(cg, charge->file, charge->key)) >= limit &&
	       run_now() < end)
		usleep(50000);
	return now;
}

static void compare_charges(struct __test_metadata *_metadata, load_t *self,
			    const struct charge *charge)
{
	int loads = run_seconds(0) < 60 ? 800 : 2000;
	uint64_t before = UINT64_MAX, after = UINT64_MAX, limit;
	long users = module_users();
	struct reason why;
	struct cgroup cg;

	if (cgroup_make(&cg, &why))
		SKIP(return, "%s", why.text);
	if (cgroup_get(&cg, charge->file, charge->key) == UINT64_MAX) {
		cgroup_remove(&cg);
		SKIP(return, "the cgroup does not tell what it is charged");
	}
	if (!loads_in_cgroup(self, charge, &cg, loads / 10))
		before = charged(charge, &cg, UINT64_MAX);
	limit = before + charge->slack * loads;
	if (!loads_in_cgroup(self, charge, &cg, loads))
		after = charged(charge, &cg, limit);
	cgroup_remove(&cg);
	ASSERT_NE(UINT64_MAX, before);
	ASSERT_NE(UINT64_MAX, after);
	printf("# charged: %llu KiB after %d loads, %llu after %d\n",
	       (unsigned long long)before >> 10, loads / 10,
	       (unsigned long long)after >> 10, loads);
	fflush(stdout);
	EXPECT_LT(after, limit);
	EXPECT_TRUE(is_all_gone(users));
}

/*
 * memory.stat is brought up to date every two seconds only while little has changed
 * (mm/memcontrol.c, FLUSH_TIME); memory.current always is.
 */
#define GIVES_BACK(name, loads, from, what, late, bytes)		\
	TEST_F_TIMEOUT(load, name, LONG_TIMEOUT)			\
	{								\
		static const struct charge charge = {			\
			.do_loads = loads,				\
			.file = from,					\
			.key = what,					\
			.lag = late,					\
			.slack = bytes,					\
		};							\
									\
		compare_charges(_metadata, self, &charge);		\
	}

/* One byte in each range's entry would be more than the slack. */
GIVES_BACK(memory_is_given_back, load_into_static_memory, "memory.stat",
	   "kernel", 6, 256)
/* And here, one page of every other load that fails. */
GIVES_BACK(memfd_pages_are_given_back, load_memfd, "memory.current", NULL,
	   1, KIB(1))
GIVES_BACK(anonymous_pages_are_given_back, load_anon, "memory.current", NULL,
	   1, KIB(1))

/*
 * Large jobs
 */

#define PIECE	64

/* From all over the source, in no order; so no two ranges adjoin. */
static size_t piece_source(size_t i)
{
	return i * 37 * PIECE % MIB(2);
}

TEST_F_TIMEOUT(load, a_million_ranges, LONG_TIMEOUT)
{
	size_t nr = self->info.out_max_ranges < 1000000 ?
		    self->info.out_max_ranges : 1000000;
	size_t length = (nr * PIECE + MIB(2) - 1) & ~(MIB(2) - 1);
	struct ramload_range *r = calloc(nr, sizeof(*r));
	struct ramload_load load = LOAD(self->src, r, nr);
	char *source = malloc(MIB(2));
	struct reason why;
	struct memory m;
	size_t i;

	ASSERT_EQ(0, memory_map(&m, MEMORY_MEMFD, length, &why));
	pattern_fill(source, SEED_SOURCE, 0, MIB(2));
	for (i = 0; i < nr; i++)
		r[i] = RANGE(piece_source(i), PIECE, m.map + i * PIECE);
	test_setup(self->fd, 2);
	ASSERT_EQ(0, load_wait(self->fd, &load, NULL));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, memcmp(m.map + i * PIECE,
				    source + piece_source(i), PIECE));
	ASSERT_TRUE(all_zero(m.map + nr * PIECE, length - nr * PIECE));
	memory_unmap(&m);
	free(source);
	free(r);
}

/* One page in each 2 MiB is present, another one each time. */
static size_t present_page(size_t i)
{
	return i * 512 + i * 7 % 512;
}

TEST_F_TIMEOUT(load, sixteen_gib_of_few_pages, LONG_TIMEOUT)
{
	const size_t length = GIB(16), nr = length / MIB(2);
	unsigned char *bitmap = calloc(1, length / PAGE / 8);
	int src = memfd_create("source", MFD_CLOEXEC);
	struct ramload_job_result result;
	struct ramload_range range;
	struct ramload_load load = LOAD(src, &range, 1);
	char page[PAGE];
	struct reason why;
	struct memory m;
	size_t i, at;

	ASSERT_EQ(0, ftruncate(src, length));
	ASSERT_EQ(0, memory_map(&m, MEMORY_MEMFD, length, &why));
	for (i = 0; i < nr; i++) {
		at = present_page(i);
		bitmap[at / 8] |= 1 << at % 8;
		pattern_fill(page, SEED_SOURCE, at * PAGE, PAGE);
		ASSERT_EQ(PAGE, pwrite(src, page, PAGE, at * PAGE));
	}
	range = RANGE(0, length, m.map, .bitmap = (uintptr_t)bitmap,
		      .page_size = PAGE);
	test_setup(self->fd, 2);
	ASSERT_EQ(0, load_wait(self->fd, &load, &result));
	ASSERT_EQ(nr * PAGE, result.out_bytes_done);
	for (i = 0; i < nr; i++) {
		at = present_page(i) * PAGE;
		ASSERT_TRUE(pattern_matches(m.map + at, SEED_SOURCE, at, PAGE));
	}
	struct stat st;

	/* Pages that are not present were not made, either. */
	ASSERT_EQ(0, fstat(m.fd, &st));
	ASSERT_EQ(nr * PAGE, st.st_blocks * 512);
	memory_unmap(&m);
	close(src);
	free(bitmap);
}

/* The same memory is mapped again and again. */
TEST_F_TIMEOUT(load, sixteen_gib_for_real, LONG_TIMEOUT)
{
	const size_t length = GIB(16), part = MIB(512);
	struct ramload_range *r = calloc(length / part, sizeof(*r));
	struct ramload_job_result result;
	struct reason why;
	struct memory m;
	size_t i;
	int src;

	if (run_seconds(0) < 60)
		SKIP(return, "takes RAMLOAD_SECONDS of 60 and more");
	if (read_value("/proc/meminfo", "MemAvailable:") < 1536 << 10)
		SKIP(return, "takes 1.5 GiB of memory");
	src = memfd_create_pattern(SEED_SOURCE, part);
	ASSERT_LE(0, src);
	ASSERT_EQ(0, memory_map(&m, MEMORY_MEMFD, length, &why));
	ASSERT_EQ(0, ftruncate(m.fd, part));
	for (i = 0; i < length / part; i++) {
		ASSERT_NE(MAP_FAILED, mmap(m.map + i * part, part, PROT_READ |
					   PROT_WRITE, MAP_SHARED | MAP_FIXED,
					   m.fd, 0));
		r[i] = RANGE(0, part, m.map + i * part);
	}
	struct ramload_load load = LOAD(src, r, length / part);

	test_setup(self->fd, 2);
	ASSERT_EQ(0, load_wait(self->fd, &load, &result));
	ASSERT_EQ(length, result.out_bytes_done);
	ASSERT_TRUE(pattern_matches(m.map, SEED_SOURCE, 0, part));
	memory_unmap(&m);
	close(src);
	free(r);
}

TEST_HARNESS_MAIN
