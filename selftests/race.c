// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Loads beside threads that change the very memory, file or context, for a
 * number of rounds. What must hold: memory never has anything but zeros or
 * what was loaded; nothing is lost that nobody discarded.
 */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "disturb.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define LENGTH	MIB(2)
#define HALF	(LENGTH / 2)
#define ROUNDS	8
#define WORKERS	2

FIXTURE(race)
{
	int fd;
	int src;
	struct memory m;
	int kind;
	pthread_t thread;
	atomic_bool stop;
	atomic_ulong turns;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(race)
{
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(race, memfd) { .kind = MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(race, tmpfs_huge) { .kind = MEMORY_TMPFS_HUGE };
FIXTURE_VARIANT_ADD(race, anonymous) { .kind = MEMORY_ANON };
FIXTURE_VARIANT_ADD(race, thp) { .kind = MEMORY_THP };

FIXTURE_SETUP(race)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, WORKERS);
	self->src = memfd_create_pattern(SEED_SOURCE, 2 * LENGTH);
	ASSERT_LE(0, self->src);
	self->kind = variant->kind;
	if (memory_map(&self->m, variant->kind, LENGTH, &why))
		SKIP(return, "%s", why.text);
}

FIXTURE_TEARDOWN(race)
{
	close(self->fd);
	memory_unmap(&self->m);
}

typedef struct _test_data_race race_t;

static bool is_file(race_t *self)
{
	return self->m.fd >= 0;
}

/*
 * What the other thread does, once or many times while a load runs
 */

enum {
	DISCARDS = 1,		/* what is loaded may read as zeros then */
	MAY_FAULT = 2,		/* a load may fail with EFAULT */
	NEEDS_FILE = 4,
};

struct disturbance {
	disturb_fn turn;
	int flags;
};

struct disturber {
	race_t *self;
	const struct disturbance *what;
};

static void *disturb(void *arg)
{
	struct disturber *d = arg;

	while (!d->self->stop)
		d->what->turn(&d->self->m, d->self->turns++);
	return NULL;
}

/* After a fault, only what lies before it is known. */
static size_t known_length(race_t *self, int err)
{
	return err ? self->result.out_error_offset : LENGTH;
}

static void race_against(struct __test_metadata *_metadata, race_t *self,
			 const struct disturbance *what)
{
	struct disturber d = { self, what };
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1,
					.chunk_size = KIB(64));
	int round, err;
	size_t known;

	if (what->flags & NEEDS_FILE && !is_file(self))
		SKIP(return, "no file is mapped");
	for (round = 0; round < ROUNDS; round++) {
		if (round % 2)
			pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
		else
			memory_discard(&self->m);
		self->stop = false;
		ASSERT_EQ(0, pthread_create(&self->thread, NULL, disturb, &d));
		err = load_wait(self->fd, &load, &self->result);
		self->stop = true;
		pthread_join(self->thread, NULL);
		ASSERT_TRUE(!err || (err == -EFAULT && what->flags & MAY_FAULT));
		known = known_length(self, err);
		/* What is discarded in mid-page is half there, as by read(2). */
		if (!(what->flags & DISCARDS)) {
			ASSERT_EQ(known, pattern_mismatch(self->m.map,
							  SEED_SOURCE, 0,
							  known));
		} else {
			ASSERT_TRUE(bytes_zero_or_pattern(self->m.map,
							  SEED_SOURCE, 0,
							  known));
		}
	}
	ASSERT_EQ(0, load_wait(self->fd, &load, &self->result));
	ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0, LENGTH));
}

#define RACE_TEST(name, function, what)					\
	TEST_F_TIMEOUT(race, name, TIMEOUT)				\
	{								\
		const struct disturbance d = { function, what };	\
									\
		race_against(_metadata, self, &d);			\
	}

RACE_TEST(unmap, disturb_remap, DISCARDS | MAY_FAULT)
RACE_TEST(drop, disturb_drop, DISCARDS)
RACE_TEST(punch_holes, disturb_punch, DISCARDS | NEEDS_FILE)
RACE_TEST(truncate, disturb_truncate, DISCARDS | MAY_FAULT | NEEDS_FILE)
RACE_TEST(protect, disturb_protect, MAY_FAULT)
RACE_TEST(move, disturb_move, MAY_FAULT)
RACE_TEST(look, disturb_look, 0)
RACE_TEST(page_out, disturb_page_out, 0)
RACE_TEST(collapse, disturb_collapse, 0)
RACE_TEST(compact, disturb_compact, 0)
RACE_TEST(fork, disturb_fork, 0)
RACE_TEST(read, disturb_read, NEEDS_FILE)
RACE_TEST(allocate, disturb_allocate, NEEDS_FILE)

/*
 * A thread stores to the end of each page while the rest of it is loaded.
 * Nothing it stores may be lost, though the pages are fresh.
 */
#define LOADED_OF_PAGE	(PAGE - 64)

static void *count_in_each_page(void *arg)
{
	race_t *self = arg;
	unsigned long nr;
	size_t i;

	for (nr = 1; nr <= 20; nr++)
		for (i = 0; i < LENGTH; i += PAGE)
			(*(volatile unsigned long *)
			 (self->m.map + i + LOADED_OF_PAGE))++;
	return NULL;
}

TEST_F_TIMEOUT(race, stores_beside_a_range, TIMEOUT)
{
	const size_t pages = LENGTH / PAGE;
	struct ramload_range *r = calloc(pages, sizeof(*r));
	struct ramload_load load = LOAD(self->src, r, pages,
					.chunk_size = KIB(64));
	unsigned long count;
	int round;
	size_t i;

	for (i = 0; i < pages; i++)
		r[i] = RANGE(i * PAGE, LOADED_OF_PAGE, self->m.map + i * PAGE);
	for (round = 0; round < ROUNDS; round++) {
		memory_discard(&self->m);
		ASSERT_EQ(0, pthread_create(&self->thread, NULL,
					    count_in_each_page, self));
		ASSERT_EQ(0, load_wait(self->fd, &load, NULL));
		pthread_join(self->thread, NULL);
		for (i = 0; i < LENGTH; i += PAGE) {
			memcpy(&count, self->m.map + i + LOADED_OF_PAGE,
			       sizeof(count));
			ASSERT_EQ(20, count);
			ASSERT_TRUE(pattern_matches(self->m.map + i,
						    SEED_SOURCE, i,
						    LOADED_OF_PAGE));
		}
	}
	free(r);
}

/* Two contexts load different parts of the same fresh pages. */
struct second_loader {
	race_t *self;
	int fd;
	int err;
};

static void load_parts(struct second_loader *l, size_t from, size_t to)
{
	const size_t pages = LENGTH / PAGE;
	struct ramload_range *r = calloc(pages, sizeof(*r));
	struct ramload_load load = LOAD(l->self->src, r, pages,
					.chunk_size = KIB(64));
	size_t i;

	for (i = 0; i < pages; i++)
		r[i] = RANGE(i * PAGE + from, to - from,
			     l->self->m.map + i * PAGE + from);
	l->err = load_wait(l->fd, &load, NULL);
	free(r);
}

static void *load_ends_of_pages(void *arg)
{
	load_parts(arg, 1500, PAGE);
	return NULL;
}

TEST_F_TIMEOUT(race, two_contexts_in_the_same_pages, TIMEOUT)
{
	struct second_loader first = { .self = self, .fd = self->fd };
	struct second_loader second = { .self = self, .fd = open_device() };
	int round;

	test_setup(second.fd, 1);
	for (round = 0; round < ROUNDS; round++) {
		memory_discard(&self->m);
		ASSERT_EQ(0, pthread_create(&self->thread, NULL,
					    load_ends_of_pages, &second));
		load_parts(&first, 0, 1500);
		pthread_join(self->thread, NULL);
		ASSERT_EQ(0, first.err);
		ASSERT_EQ(0, second.err);
		ASSERT_EQ(LENGTH, pattern_mismatch(self->m.map, SEED_SOURCE, 0,
						   LENGTH));
	}
	close(second.fd);
}

/*
 * The file changes its size while it is read: at least it never gets longer
 * than what belongs to it.
 */
static void *truncate_source(void *arg)
{
	race_t *self = arg;
	static char buf[HALF];

	pattern_fill(buf, SEED_SOURCE, HALF, HALF);
	while (!self->stop)
		if (ftruncate(self->src, HALF + 100) ||
		    pwrite(self->src, buf, HALF, HALF) != HALF)
			break;
	return NULL;
}

TEST_F_TIMEOUT(race, source_is_truncated, TIMEOUT)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1,
					.chunk_size = KIB(64));
	int round, err;

	ASSERT_EQ(0, ftruncate(self->src, LENGTH));
	for (round = 0; round < ROUNDS; round++) {
		memory_discard(&self->m);
		self->stop = false;
		ASSERT_EQ(0, pthread_create(&self->thread, NULL,
					    truncate_source, self));
		err = load_wait(self->fd, &load, &self->result);
		self->stop = true;
		pthread_join(self->thread, NULL);
		if (err) {
			ASSERT_EQ(-ENODATA, err);
			ASSERT_LE(HALF, self->result.out_error_offset);
		}
		ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0, HALF));
	}
}

/*
 * Sealed at any moment
 */

FIXTURE(context)
{
	int fd;
	int src;
	struct memory m;
	atomic_int running;
	atomic_bool stop;
};

FIXTURE_SETUP(context)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, WORKERS);
	self->src = memfd_create_pattern(SEED_SOURCE, 2 * LENGTH);
	ASSERT_LE(0, self->src);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, 8 * LENGTH, &why));
}

FIXTURE_TEARDOWN(context)
{
	close(self->fd);
	memory_unmap(&self->m);
}

typedef struct _test_data_context context_t;

TEST_F_TIMEOUT(context, sealed_at_any_moment, TIMEOUT)
{
	const size_t length = 4 * LENGTH;
	char *sealed = malloc(length), *later = malloc(length);
	int src = memfd_create_pattern(SEED_SOURCE, length);
	struct ramload_job_result result;
	struct ramload_range range;
	struct ramload_load load = LOAD(src, &range, 1,
					.chunk_size = MIB(1024));
	struct memory m;
	struct reason why;
	int round;

	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, memory_map(&m, MEMORY_MEMFD, length, &why));
		range = RANGE(0, length, m.map);
		test_load(self->fd, &load);
		usleep(round * 100);
		ASSERT_EQ(0, munmap(m.map, length));
		while (fcntl(m.fd, F_ADD_SEALS, F_SEAL_WRITE))
			ASSERT_EQ(EBUSY, errno);
		ASSERT_EQ(length, pread(m.fd, sealed, length, 0));
		test_result(load.out_job_fd, RAMLOAD_JOB_RESULT_WAIT, &result);
		ASSERT_EQ(length, pread(m.fd, later, length, 0));
		ASSERT_EQ(0, memcmp(sealed, later, length));
		close(load.out_job_fd);
		memory_unmap(&m);
	}
	free(sealed);
	free(later);
}

/*
 * Many jobs
 */

TEST_F_TIMEOUT(context, thousands_of_jobs_one_by_one, TIMEOUT)
{
	const size_t pages = LENGTH / PAGE;
	struct ramload_range range;
	size_t i;

	for (i = 0; i < 3000; i++) {
		size_t at = i % pages * PAGE;

		range = RANGE(at + i % 5, PAGE, self->m.map + at);
		ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
		ASSERT_TRUE(pattern_matches(self->m.map + at, SEED_SOURCE,
					    at + i % 5, PAGE));
	}
}

TEST_F_TIMEOUT(context, thousands_of_jobs_at_once, TIMEOUT)
{
	const size_t pages = LENGTH / PAGE;
	struct ramload_job_result result;
	struct ramload_range range;
	int jobs[64];
	size_t i;

	memset(jobs, -1, sizeof(jobs));
	for (i = 0; i < 3000 + ARRAY_SIZE(jobs); i++) {
		int *job = &jobs[i % ARRAY_SIZE(jobs)];

		if (*job >= 0) {
			test_result(*job, RAMLOAD_JOB_RESULT_WAIT, &result);
			ASSERT_EQ(RAMLOAD_JOB_DONE, result.out_state);
			close(*job);
		}
		if (i >= 3000)
			continue;
		range = RANGE(i % pages * PAGE, PAGE,
			      self->m.map + i % pages * PAGE);
		*job = start_range(self->fd, self->src, 0, &range);
		ASSERT_LE(0, *job);
	}
	ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0, LENGTH));
}

/* Closed, cancelled or left alone as soon as they are there. */
TEST_F_TIMEOUT(context, jobs_that_are_given_up_at_once, TIMEOUT)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct ramload_job_result result;
	int i, job;

	for (i = 0; i < 300; i++) {
		job = start_range(self->fd, self->src, 0, &range);
		ASSERT_LE(0, job);
		if (i % 3 == 1) {
			test_cancel(job);
			test_result(job, RAMLOAD_JOB_RESULT_WAIT, &result);
			ASSERT_TRUE(result.out_state == RAMLOAD_JOB_DONE ||
				    result.out_state == RAMLOAD_JOB_CANCELLED);
		}
		close(job);
		if (i % 3)
			continue;
		/* Nothing is stored once close has returned. */
		self->m.map[LENGTH - 1] = 42;
		self->m.map[0] = 42;
		usleep(100);
		ASSERT_EQ(42, self->m.map[0]);
		ASSERT_EQ(42, self->m.map[LENGTH - 1]);
	}
}

TEST_F_TIMEOUT(context, contexts_come_and_go, TIMEOUT)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	int i, fd;

	for (i = 0; i < 150; i++) {
		fd = open_device();
		ASSERT_LE(0, fd);
		if (i % 3)
			test_setup(fd, 1 + i % 8);
		if (i % 3 == 1)
			start_range(fd, self->src, 0, &range);
		else if (i % 3 == 2)
			ASSERT_EQ(0, load_range(fd, self->src, &range, NULL));
		close(fd);
	}
}

struct user {
	pthread_t thread;
	context_t *self;
	size_t at;
	unsigned int seed;
	int err;
};

static unsigned int next_random(struct user *u, unsigned int limit)
{
	u->seed = u->seed * 1103515245 + 12345;
	return (u->seed >> 8) % limit;
}

/* Loads pieces of any size to any place of its own part of the memory. */
static void *use_context(void *arg)
{
	struct user *u = arg;
	char *dest = u->self->m.map + u->at;
	int i;

	for (i = 0; i < 60 && !u->err; i++) {
		size_t to = next_random(u, LENGTH), from = next_random(u, LENGTH);
		size_t length = 1 + next_random(u, LENGTH - to);
		struct ramload_range range = RANGE(from, length, dest + to);
		struct ramload_load load = LOAD(u->self->src, &range, 1,
						.chunk_size = KIB(64));

		u->err = load_wait(u->self->fd, &load, NULL);
		if (!u->err && !pattern_matches(dest + to, SEED_SOURCE, from,
						length))
			u->err = -EILSEQ;
	}
	return NULL;
}

TEST_F_TIMEOUT(context, eight_threads, TIMEOUT)
{
	struct user users[8];
	int i;

	for (i = 0; i < 8; i++) {
		users[i] = (struct user){
			.self = self,
			.at = i * LENGTH,
			.seed = i + 1,
		};
		ASSERT_EQ(0, pthread_create(&users[i].thread, NULL,
					    use_context, &users[i]));
	}
	for (i = 0; i < 8; i++) {
		pthread_join(users[i].thread, NULL);
		ASSERT_EQ(0, users[i].err);
	}
}

static void *load_until_closed(void *arg)
{
	struct user *u = arg;
	struct ramload_range range = RANGE(0, KIB(256),
					   u->self->m.map + u->at);

	while (!u->err)
		u->err = load_range(u->self->running, u->self->src, &range,
				    NULL);
	return NULL;
}

TEST_F_TIMEOUT(context, closed_while_threads_load, TIMEOUT)
{
	struct user users[4];
	int i, round;

	for (round = 0; round < 20; round++) {
		self->running = open_device();
		test_setup(self->running, WORKERS);
		for (i = 0; i < 4; i++) {
			users[i] = (struct user){
				.self = self,
				.at = i * LENGTH,
			};
			ASSERT_EQ(0, pthread_create(&users[i].thread, NULL,
						    load_until_closed,
						    &users[i]));
		}
		usleep(1000 * round);
		close(self->running);
		for (i = 0; i < 4; i++) {
			pthread_join(users[i].thread, NULL);
			ASSERT_TRUE(users[i].err == -EBADF ||
				    users[i].err == -ECANCELED);
		}
	}
}

static void *load_for_ever(void *arg)
{
	struct user *u = arg;

	for (;;)
		use_context(u);
	return NULL;
}

static void child_of_many_threads(context_t *self, int round)
{
	struct user users[4] = {};
	int i;

	self->fd = open_device();
	if (raw_setup(self->fd, WORKERS))
		_exit(1);
	for (i = 0; i < 4; i++) {
		users[i].self = self;
		users[i].at = i * LENGTH;
		users[i].seed = round * 4 + i;
		pthread_create(&users[i].thread, NULL, load_for_ever,
			       &users[i]);
	}
	/* Some leave by themselves. */
	if (round % 2) {
		usleep(1000 * round);
		_exit(0);
	}
	pause();
}

TEST_F_TIMEOUT(context, processes_end_at_any_moment, TIMEOUT)
{
	int round, status;
	pid_t pid;

	for (round = 0; round < 30; round++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			child_of_many_threads(self, round);
		usleep(2000 * round);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(!status || status == SIGKILL);
	}
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);

	ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
}

TEST_HARNESS_MAIN
