// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Something is done, again and again and at random moments, to processes that
 * load with several threads, into memory and from files of several kinds:
 * $RAMLOAD_SECONDS for each kind of disturbance, with the numbers that
 * $RAMLOAD_SEED gives. One of them alone: stress -v KIND.
 *
 * What must hold: the memory never has anything but zeros, what it held before
 * and what was loaded to that place; everything before the position that a
 * job reports is loaded; all jobs and processes end; the module lives.
 *
 * One more process fills memory with a marker and frees it, so that a page
 * that was not cleared is seen, if the kernel runs with init_on_alloc=0.
 */

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "stress.h"
#include "test_files.h"
#include "test_mounts.h"
#include "test_process.h"

#define POISON	0xd7

static const enum memory_kind destinations[] = {
	MEMORY_MEMFD, MEMORY_TMPFS_HUGE, MEMORY_ANON, MEMORY_THP,
	MEMORY_FILE_SHARED,
};

static void poison_main(void)
{
	const size_t length = MIB(4);
	unsigned int i;
	char *map;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0;; i++) {
		map = mmap(NULL, length, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		madvise(map, length, i % 2 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		memset(map, POISON, length);
		munmap(map, length);
		usleep(10000);
	}
}

/*
 * Loaders
 */

static int map_memory(struct stress *st, struct memory *m,
		      enum memory_kind kind, struct reason *why)
{
	if (kind == MEMORY_FILE_SHARED && st->dir >= 0)
		return memory_map_file(m, file_create(st->dir), MAP_SHARED,
				       STRESS_LENGTH, why);
	return memory_map(m, kind, STRESS_LENGTH, why);
}

static void make_memory(struct slot *s)
{
	struct reason why;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(destinations); i++) {
		struct memory *m = &s->memory[destinations[i]];

		memory_unmap(m);
		if (map_memory(s->loader->st, m, destinations[i], &why))
			m->map = NULL;
	}
}

static void init_slot(struct slot *s)
{
	const struct loader *l = s->loader;

	pthread_mutex_init(&s->lock, NULL);
	s->rnd = rnd_make(l->st->seed, s->nr * 1000000 + l->generation);
	s->loading = false;
}

static void start_loader(struct loader *l)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < STRESS_THREADS; i++)
		init_slot(&l->slots[i]);
	l->share_context = l->generation % 2;
	l->generation++;
	/* Not into shared memory: the child has another answer. */
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stress_loader_main(l);
	}
	l->pid = pid;
	l->ended = pid < 0;
	if (pid < 0)
		stress_fail(l->st, "fork: %s", strerror(errno));
}

static void make_loader(struct stress *st, unsigned int nr)
{
	struct loader *l = &st->loaders[nr];
	unsigned int i;

	l->st = st;
	l->nr = nr;
	l->generation = nr;
	for (i = 0; i < STRESS_THREADS; i++) {
		l->slots[i].loader = l;
		l->slots[i].nr = nr * STRESS_THREADS + i;
		make_memory(&l->slots[i]);
	}
}

/*
 * With the process, its threads are gone: what is in its memory stays so. A
 * kernel thread may be busy a little longer, in memory that nobody uses then.
 */
static void check_remains(struct slot *s)
{
	if (s->loading && slot_memory(s)->fd >= 0)
		stress_check(s, NULL);
	if (!(s->loader->st->info.out_features & RAMLOAD_FEATURE_THREADS))
		make_memory(s);
}

static void loader_ended(struct loader *l, int status)
{
	struct stress *st = l->st;
	unsigned int i;

	if (status && !(status == SIGKILL && stress_has(st, MORTAL)))
		stress_fail(st, "a loader ended with status %#x", status);
	else if (!st->stop && !stress_has(st, MORTAL))
		stress_fail(st, "a loader has left");
	for (i = 0; i < STRESS_THREADS; i++)
		check_remains(&l->slots[i]);
	if (st->stop)
		l->ended = true;
	else
		start_loader(l);
}

/* Returns how many loaders there are. */
static unsigned int look_after(struct stress *st)
{
	unsigned int i, nr = 0;
	int status;

	for (i = 0; i < STRESS_PROCESSES; i++) {
		struct loader *l = &st->loaders[i];

		if (!l->ended && waitpid(l->pid, &status, WNOHANG) > 0) {
			st->rounds += st->kind->outside != NULL;
			loader_ended(l, status);
		}
		nr += !l->ended;
	}
	return nr;
}

static void kill_loaders(struct stress *st)
{
	unsigned int i;

	for (i = 0; i < STRESS_PROCESSES; i++) {
		if (st->loaders[i].ended)
			continue;
		stress_fail(st, "a loader has hung");
		process_show(st->loaders[i].pid);
		kill(st->loaders[i].pid, SIGKILL);
	}
}

/*
 * However slow the machine: something is done, and something is loaded. When the time is
 * over, what is missing is given room.
 */
static bool is_enough(struct stress *st, double end)
{
	double now = run_now();

	st->over = now > end;
	if (stress_is_calm(st) && st->kind->calm)
		st->kind->calm(st);
	return now > end + STRESS_HANG || (stress_is_calm(st) && st->good);
}

static void run_loaders(struct stress *st, unsigned int seconds)
{
	struct rnd rnd = rnd_make(st->seed, 123456789);
	double end = run_now() + seconds;
	unsigned int i;

	for (i = 0; i < STRESS_PROCESSES; i++)
		start_loader(&st->loaders[i]);
	while (!st->stop && !is_enough(st, end)) {
		usleep(rnd_below(&rnd, 3000));
		if (st->kind->outside && !stress_is_calm(st))
			st->kind->outside(st, &rnd);
		look_after(st);
	}
	st->stop = true;
	end = run_now() + STRESS_HANG;
	while (look_after(st) && run_now() < end)
		usleep(1000);
	kill_loaders(st);
}

FIXTURE(stress)
{
	struct stress *st;
	pid_t helper;
};

FIXTURE_VARIANT(stress)
{
	const struct stress_kind *kind;
	const char *name;
};

#define KIND(_name)							\
	FIXTURE_VARIANT_ADD(stress, _name)				\
	{								\
		.kind = &stress_##_name,				\
		.name = #_name,						\
	}

KIND(munmap);
KIND(mremap);
KIND(mprotect);
KIND(dontneed);
KIND(fork);
KIND(exec);
KIND(exit);
KIND(sigkill);
KIND(sigstop);
KIND(sigstop_close);
KIND(close_context);
KIND(close_job);
KIND(close_source);
KIND(truncate_source);
KIND(truncate_dest);
KIND(punch);
KIND(direct_flag);
KIND(cancel);
KIND(rmmod);
KIND(cgroup_oom);
KIND(swap);
KIND(fsfreeze);

static void *map_shared(size_t length)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static const char *make_bytes(uint64_t seed, size_t length)
{
	char *bytes = map_shared(length);

	pattern_fill(bytes, seed, 0, length);
	return bytes;
}

static void make_sources(struct stress *st)
{
	struct reason why;
	int dir = st->dir >= 0 ? st->dir : fs_open("ext4", NULL, &why);

	st->sources[SOURCE_MEMFD] = memfd_create_pattern(SEED_SOURCE,
							 STRESS_SOURCE);
	st->sources[SOURCE_EXT4] = dir < 0 ? -1 :
		file_create_pattern(dir, SEED_SOURCE, STRESS_SOURCE);
}

FIXTURE_SETUP(stress)
{
	struct stress *st = map_shared(sizeof(*st));
	struct reason why;
	unsigned int i;
	int fd;

	OPEN_DEVICE(fd);
	test_info(fd, &st->info);
	close(fd);
	self->st = st;
	st->seed = run_seed();
	st->dir = -1;
	st->kind = variant->kind;
	if (st->kind->begin && st->kind->begin(st, &why))
		SKIP(return, "%s", why.text);
	st->source_bytes = make_bytes(SEED_SOURCE, STRESS_SOURCE);
	st->old_bytes = make_bytes(SEED_OLD, STRESS_LENGTH);
	make_sources(st);
	for (i = 0; i < STRESS_PROCESSES; i++)
		make_loader(st, i);
	self->helper = fork();
	if (!self->helper)
		poison_main();
}

FIXTURE_TEARDOWN(stress)
{
	struct stress *st = self->st;

	if (self->helper <= 0)
		return;
	kill(self->helper, SIGKILL);
	waitpid(self->helper, NULL, 0);
	if (st->kind->end)
		st->kind->end(st);
}

TEST_F_TIMEOUT(stress, race, LONG_TIMEOUT)
{
	struct stress *st = self->st;
	unsigned int seconds = run_seconds(2);

	run_loaders(st, seconds);
	printf("# %s: %lu rounds, %lu loads, %u s, seed %llu; %lu ended early\n",
	       variant->name, st->rounds, st->loads, seconds,
	       (unsigned long long)st->seed, st->loads - st->good);
	fflush(stdout);
	EXPECT_STREQ("", st->failure);
	EXPECT_LT(0, st->rounds);
	EXPECT_LT(0, st->good);
}

TEST_HARNESS_MAIN
