// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Proof of the shmem fill: loads of a memfd on one CPU, over and over, while
 * the other does what its documentation (kmod/fill_shmem.c) says is harmless.
 * Free memory is poisoned all the time. After each load every byte is
 * compared; at any moment a looker sees nothing but zeros, what was there
 * before, and what is loaded.
 *
 * RAMLOAD_SECONDS says how long each test goes on. See shmem_held.c for the
 * same with certainty instead of chance.
 */

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "poison.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"
#include "test_run.h"

#define LENGTH	MIB(2)
#define WORDS	(LENGTH / 8)

/* A load is in a window of the memory, at another place each time. */
#define WINDOW	KIB(64)
#define PAGES	(WINDOW / PAGE)

/* What a range leaves of the window's ends, or ranges of each page's end. */
#define HEAD	512
#define TAIL	1024
#define OWN	64
#define LOADED	(PAGE - OWN)

FIXTURE(shmem_fill)
{
	int fd;
	int src;
	struct memory m;
	struct reason why;
	struct poisoner poisoner;
	pthread_t disturber;
	pthread_t looker;
	pthread_mutex_t turn;	/* held while the disturber does something */
	atomic_bool stop;
	atomic_bool loading;
	atomic_ulong turns;
	atomic_ulong looks;
	atomic_long bad;	/* offset of a byte that must not be, or -1 */
	unsigned long rounds;
	unsigned long failed;
	size_t at;		/* of the window */
	size_t pages;		/* that are loaded of it */
	struct rnd random;
	int other;		/* the disturber's context, userfaultfd or file */
	const struct kind *kind;
	uint64_t *right;
	uint64_t *old;
	char *expected;
	uint64_t own[PAGES];
	bool own_loaded;
	struct ramload_range ranges[PAGES];
	struct ramload_job_result result;
};

FIXTURE_VARIANT(shmem_fill)
{
	enum memory_kind kind;
	uint32_t direct;
};

FIXTURE_VARIANT_ADD(shmem_fill, cached)
{
	.kind = MEMORY_MEMFD,
	.direct = RAMLOAD_DIRECT_OFF,
};

FIXTURE_VARIANT_ADD(shmem_fill, direct)
{
	.kind = MEMORY_MEMFD,
	.direct = RAMLOAD_DIRECT_ON,
};

FIXTURE_VARIANT_ADD(shmem_fill, huge)
{
	.kind = MEMORY_TMPFS_HUGE,
	.direct = RAMLOAD_DIRECT_OFF,
};

typedef struct _test_data_shmem_fill fill_t;

enum {
	DISCARDS = 1,		/* what is loaded may read as zeros then */
	PER_PAGE = 2,		/* loads leave the end of each page */
	NO_ACCESS = 4,		/* the mapping may not be touched meanwhile */
	MAY_FAIL = 8,		/* a load may */
};

struct kind {
	void (*turn)(fill_t *self, unsigned long nr);
	int flags;
	int (*start)(fill_t *self);	/* on the disturber's CPU, or NULL */
};

static int make_source(uint32_t direct, struct reason *why)
{
	int dir;

	if (direct == RAMLOAD_DIRECT_OFF)
		return memfd_create_pattern(SEED_SOURCE, LENGTH);
	dir = fs_open("ext4", NULL, why);
	return dir < 0 ? -1 : file_create_pattern(dir, SEED_SOURCE, LENGTH);
}

FIXTURE_SETUP(shmem_fill)
{
	struct ramload_info info;
	uint64_t seed;

	OPEN_DEVICE(self->fd);
	test_info(self->fd, &info);
	if (!(info.out_features & RAMLOAD_FEATURE_SHMEM_FILL))
		SKIP(return, "this kernel has no shmem fill");
	self->src = make_source(variant->direct, &self->why);
	if (self->src < 0)
		SKIP(return, "%s", self->why.text);
	if (memory_map(&self->m, variant->kind, LENGTH, &self->why))
		SKIP(return, "%s", self->why.text);
	pin_to_cpu(0);
	/* Workers run where the thread does that makes them. */
	test_setup(self->fd, 1);
	pthread_mutex_init(&self->turn, NULL);
	seed = run_seed();
	printf("# RAMLOAD_SEED=%llu\n", (unsigned long long)seed);
	self->random = rnd_make(seed, 0);
	self->other = -1;
	self->bad = -1;
	self->right = malloc(2 * LENGTH + WINDOW);
	ASSERT_NE(NULL, self->right);
	self->old = self->right + WORDS;
	self->expected = (char *)(self->old + WORDS);
	pattern_fill(self->right, SEED_SOURCE, 0, LENGTH);
	pattern_fill(self->old, SEED_OLD, 0, LENGTH);
	poison_is_visible();
	ASSERT_EQ(0, poisoner_start(&self->poisoner, 1));
}

FIXTURE_TEARDOWN(shmem_fill)
{
	poisoner_stop(&self->poisoner);
	close(self->other);
	close(self->fd);
	memory_unmap(&self->m);
	free(self->right);
}

static char *window(fill_t *self)
{
	return self->m.map + self->at;
}

static int punch(fill_t *self, size_t from, size_t length)
{
	return fallocate(self->m.fd, FALLOC_FL_PUNCH_HOLE |
			 FALLOC_FL_KEEP_SIZE, from, length);
}

/*
 * The looker
 */

static bool bytes_allowed(fill_t *self, uint64_t word, size_t i)
{
	const char *byte = (char *)&word;
	const char *right = (char *)&self->right[i];
	const char *old = (char *)&self->old[i];
	int b;

	for (b = 0; b < 8; b++)
		if (byte[b] && byte[b] != right[b] && byte[b] != old[b])
			return false;
	return true;
}

static bool word_allowed(fill_t *self, uint64_t word, size_t i)
{
	if (!word || word == self->right[i] || word == self->old[i])
		return true;
	if (word == POISON_WORD)
		return false;
	if (self->kind->flags & PER_PAGE && i * 8 % PAGE >= LOADED)
		return true;
	return bytes_allowed(self, word, i);
}

static void look_at(fill_t *self, const volatile uint64_t *words, size_t from)
{
	size_t i;

	for (i = 0; i < PAGES * PAGE / 8; i++)
		if (!word_allowed(self, words[i], from / 8 + i))
			self->bad = from + i * 8;
}

static void *looker(void *arg)
{
	static uint64_t buf[WINDOW / 8];
	fill_t *self = arg;
	size_t at;

	for (; !self->stop; self->looks++) {
		at = self->at;
		if (self->looks % 2 || self->kind->flags & NO_ACCESS) {
			memset(buf, 0, sizeof(buf));
			if (pread(self->m.fd, buf, WINDOW, at) > 0)
				look_at(self, buf, at);
		} else {
			look_at(self, (void *)(self->m.map + at), at);
		}
		usleep(100);
	}
	return NULL;
}

/*
 * The disturber
 */

static void *disturber(void *arg)
{
	fill_t *self = arg;

	pin_to_cpu(1);
	while (!self->stop) {
		pthread_mutex_lock(&self->turn);
		if (self->loading)
			self->kind->turn(self, self->turns++);
		pthread_mutex_unlock(&self->turn);
		sched_yield();
	}
	return NULL;
}

/* Faults: the pages are unmapped, and mapped again. */
static void touch(fill_t *self, unsigned long nr)
{
	volatile char *at = window(self);
	size_t i;

	madvise(window(self), WINDOW, MADV_DONTNEED);
	for (i = 0; i < WINDOW; i += PAGE)
		(void)at[i];
}

/* Stores to what the ranges leave of each page. */
static void store(fill_t *self, unsigned long nr)
{
	char *at = window(self) + LOADED;
	size_t i;

	for (i = 0; i < PAGES; i++) {
		(*(volatile uint64_t *)(at + i * PAGE))++;
		self->own[i]++;
	}
}

static void write_own(fill_t *self, unsigned long nr)
{
	size_t i;

	for (i = nr % 3; i < PAGES; i += 3) {
		self->own[i]++;
		if (pwrite(self->m.fd, &self->own[i], 8,
			   self->at + i * PAGE + LOADED) != 8)
			self->bad = self->at + i * PAGE;
	}
}

static void punch_somewhere(fill_t *self, unsigned long nr)
{
	size_t at = self->at + nr * 3 * PAGE % WINDOW;

	punch(self, at + nr % 5 * 8, nr % 2 ? PAGE : KIB(32));
}

static void truncate_and_grow(fill_t *self, unsigned long nr)
{
	if (ftruncate(self->m.fd, self->at + nr * 5 * PAGE % WINDOW) ||
	    ftruncate(self->m.fd, LENGTH))
		self->bad = 0;
}

static void page_out(fill_t *self, unsigned long nr)
{
	madvise(window(self), WINDOW, MADV_PAGEOUT);
}

static void collapse(fill_t *self, unsigned long nr)
{
	madvise(self->m.map, LENGTH, MADV_COLLAPSE);
}

static void compact(fill_t *self, unsigned long nr)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) == 1)
		usleep(1000);
	close(fd);
}

static void allocate(fill_t *self, unsigned long nr)
{
	fallocate(self->m.fd, FALLOC_FL_KEEP_SIZE,
		  self->at + nr % 3 * PAGE, WINDOW / 2);
}

static void fork_looker(fill_t *self, unsigned long nr)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(poison_in(window(self), WINDOW));
	if (pid > 0 && (waitpid(pid, &status, 0) != pid || status))
		self->bad = self->at;
}

static int open_context(fill_t *self)
{
	self->other = open_device();
	return raw_setup(self->other, 1);
}

/* Another context loads what ours leaves. */
static void load_own(fill_t *self, unsigned long nr)
{
	struct ramload_range ranges[PAGES];
	struct ramload_load load = LOAD(self->src, ranges, PAGES,
					.chunk_size = KIB(64));
	size_t i;

	for (i = 0; i < PAGES; i++) {
		size_t at = self->at + i * PAGE + LOADED;

		ranges[i] = RANGE(at, OWN, self->m.map + at);
	}
	if (load_wait(self->other, &load, NULL))
		self->bad = self->at;
	self->own_loaded = true;
}

static int open_userfaultfd(fill_t *self)
{
	struct uffdio_api api = { .api = UFFD_API };

	self->other = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return self->other < 0 ? -1 : ioctl(self->other, UFFDIO_API, &api);
}

/*
 * Nobody handles its faults: who meets one waits until it is unregistered. That
 * wakes before it takes the lock of the VMA, so a fault which comes in between
 * (6.12 was seen to) would sleep for ever; all are queued when it returns.
 */
static void register_and_not(fill_t *self, unsigned long nr)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)window(self), WINDOW },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (ioctl(self->other, UFFDIO_REGISTER, &reg))
		return;
	usleep(nr % 100);
	ioctl(self->other, UFFDIO_UNREGISTER, &reg.range);
	ioctl(self->other, UFFDIO_WAKE, &reg.range);
}

/*
 * A round
 */

static bool is_fresh(fill_t *self)
{
	return self->rounds % 3 != 2;
}

static void prepare_memory(fill_t *self)
{
	self->at = rnd_below(&self->random, LENGTH / WINDOW) * WINDOW;
	self->pages = 1 + rnd_below(&self->random, PAGES);
	if (is_fresh(self))
		punch(self, 0, LENGTH);
	else
		memcpy(window(self), &self->old[self->at / 8], WINDOW);
	if (self->rounds % 3 == 1 && !(self->kind->flags & MAY_FAIL))
		fallocate(self->m.fd, 0, self->at, WINDOW);
}

static void prepare_load(fill_t *self, struct ramload_load *load)
{
	char *at = window(self);
	size_t i;

	load->nr_ranges = 1;
	self->ranges[0] = RANGE(self->at + HEAD,
				self->pages * PAGE - HEAD - TAIL, at + HEAD);
	if (!(self->kind->flags & PER_PAGE))
		return;
	load->nr_ranges = self->pages;
	for (i = 0; i < self->pages; i++)
		self->ranges[i] = RANGE(self->at + i * PAGE, LOADED,
					at + i * PAGE);
}

static void expect(fill_t *self)
{
	char *right = (char *)&self->right[self->at / 8];
	char *to = self->expected;
	size_t i, n;

	if (is_fresh(self))
		memset(to, 0, WINDOW);
	else
		memcpy(to, &self->old[self->at / 8], WINDOW);
	if (!(self->kind->flags & PER_PAGE)) {
		memcpy(to + HEAD, right + HEAD,
		       self->pages * PAGE - HEAD - TAIL);
		return;
	}
	for (i = 0; i < PAGES; i++) {
		n = i * PAGE;
		if (i < self->pages)
			memcpy(to + n, right + n, LOADED);
		if (self->own_loaded)
			memcpy(to + n + LOADED, right + n + LOADED, OWN);
		else
			memcpy(to + n + LOADED, &self->own[i], 8);
	}
}

static size_t mismatch(fill_t *self)
{
	const char *at = window(self);
	bool discards = self->kind->flags & DISCARDS;
	size_t i;

	if (!memcmp(at, self->expected, WINDOW))
		return WINDOW;
	for (i = 0; i < WINDOW; i++)
		if (at[i] != self->expected[i] && !(discards && !at[i]))
			return i;
	return WINDOW;
}

static void start_round(fill_t *self, struct ramload_load *load)
{
	size_t i;

	prepare_memory(self);
	prepare_load(self, load);
	self->own_loaded = false;
	memset(self->own, 0, sizeof(self->own));
	for (i = 0; i < PAGES && !is_fresh(self); i++)
		memcpy(&self->own[i], window(self) + i * PAGE + LOADED, 8);
	self->loading = true;
}

static void end_round(fill_t *self)
{
	self->loading = false;
	/* No turn is left unfinished. */
	pthread_mutex_lock(&self->turn);
	pthread_mutex_unlock(&self->turn);
}

static void go_on(struct __test_metadata *_metadata, fill_t *self,
		  const struct _fixture_variant_shmem_fill *variant)
{
	double end = run_now() + run_seconds(2);
	struct ramload_load load = LOAD(self->src, self->ranges, 1,
					.direct = variant->direct,
					.chunk_size = KIB(64));
	int err;

	/* One that does not fail at least, however slow this machine is. */
	for (; run_now() < end || self->failed == self->rounds;
	     self->rounds++) {
		start_round(self, &load);
		err = load_wait(self->fd, &load, &self->result);
		end_round(self);
		ASSERT_EQ(-1, atomic_load(&self->bad));
		if (err && self->kind->flags & MAY_FAIL) {
			self->failed++;
			continue;
		}
		ASSERT_EQ(0, err);
		expect(self);
		ASSERT_EQ(WINDOW, mismatch(self));
	}
}

static void prove(struct __test_metadata *_metadata, fill_t *self,
		  const struct _fixture_variant_shmem_fill *variant,
		  const struct kind *kind)
{
	self->kind = kind;
	pin_to_cpu(1);
	if (kind->start && kind->start(self))
		SKIP(return, "%s", strerror(errno));
	pin_to_cpu(0);
	ASSERT_EQ(0, pthread_create(&self->disturber, NULL, disturber, self));
	ASSERT_EQ(0, pthread_create(&self->looker, NULL, looker, self));
	go_on(_metadata, self, variant);
	self->stop = true;
	pthread_join(self->disturber, NULL);
	pthread_join(self->looker, NULL);
	ASSERT_EQ(-1, atomic_load(&self->bad));
	printf("# %lu loads (%lu failed), %lu turns, %lu looks\n",
	       self->rounds, self->failed, atomic_load(&self->turns),
	       atomic_load(&self->looks));
}

#define PROOF(name, function, what, begin)				\
	TEST_F_TIMEOUT(shmem_fill, name, TIMEOUT + run_seconds(2))	\
	{								\
		static const struct kind kind = {			\
			.turn = function,				\
			.flags = what,					\
			.start = begin,					\
		};							\
									\
		prove(_metadata, self, variant, &kind);			\
	}

PROOF(fault, touch, 0, NULL)
PROOF(store, store, PER_PAGE, NULL)
PROOF(write, write_own, PER_PAGE, NULL)
PROOF(punch, punch_somewhere, DISCARDS, NULL)
PROOF(truncate, truncate_and_grow, DISCARDS | NO_ACCESS | MAY_FAIL, NULL)
PROOF(page_out, page_out, 0, NULL)
PROOF(collapse, collapse, 0, NULL)
PROOF(compact, compact, 0, NULL)
PROOF(fallocate, allocate, 0, NULL)
PROOF(fork, fork_looker, 0, NULL)
PROOF(load, load_own, PER_PAGE, open_context)
PROOF(userfault, register_and_not, 0, open_userfaultfd)

TEST_HARNESS_MAIN
