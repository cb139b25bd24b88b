// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Who watches memory for what is stored to it finds loads as he finds stores: a
 * checkpoint by soft-dirty pages, a backup by the times of a file. See
 * userfault.c for userfaultfd.
 */

#include <sys/stat.h>
#include <time.h>

#include "kselftest_harness.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH		MIB(4)
#define PAGES		(LENGTH / PAGE)
#define SOFT_DIRTY	(1ULL << 55)

FIXTURE(watched)
{
	int fd;
	int src;
	struct memory m;
};

FIXTURE_VARIANT(watched)
{
	enum memory_kind kind;
	uint32_t direct;
};

#define ADD_VARIANT(name, memory, how)					\
	FIXTURE_VARIANT_ADD(watched, name)				\
	{								\
		.kind = memory,						\
		.direct = how,						\
	};

ADD_VARIANT(memfd_cached, MEMORY_MEMFD, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(memfd_direct, MEMORY_MEMFD, RAMLOAD_DIRECT_ON)
ADD_VARIANT(huge_cached, MEMORY_TMPFS_HUGE, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(huge_direct, MEMORY_TMPFS_HUGE, RAMLOAD_DIRECT_ON)
ADD_VARIANT(anon_cached, MEMORY_ANON, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(anon_direct, MEMORY_ANON, RAMLOAD_DIRECT_ON)

FIXTURE_SETUP(watched)
{
	struct reason why;
	int dir;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 2);
	dir = fs_open("ext4", NULL, &why);
	if (dir < 0)
		SKIP(return, "%s", why.text);
	self->src = file_create_pattern(dir, SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->src);
	if (memory_map(&self->m, variant->kind, LENGTH, &why))
		SKIP(return, "%s", why.text);
}

FIXTURE_TEARDOWN(watched)
{
	memory_unmap(&self->m);
	close(self->src);
	close(self->fd);
}

/* Odd ends: a part of the first and of the last page is not loaded. */
#define LOAD_MOST()							\
	do {								\
		struct ramload_range range = RANGE(PAGE / 2,		\
						   LENGTH - PAGE,	\
						   self->m.map + PAGE / 2); \
		struct ramload_load load = LOAD(self->src, &range, 1,	\
						.direct = variant->direct); \
									\
		ASSERT_EQ(0, load_wait(self->fd, &load, NULL));		\
		ASSERT_TRUE(pattern_matches(self->m.map + PAGE / 2,	\
					    SEED_SOURCE, PAGE / 2,	\
					    LENGTH - PAGE));		\
	} while (0)

/* From here on the kernel notes which pages are stored to. */
static int start_tracking(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	ssize_t n = write(fd, "4", 1);

	close(fd);
	return n == 1 ? 0 : -1;
}

/* Returns how many pages of the memory were stored to, or -1. */
static long soft_dirty_pages(const char *map)
{
	static uint64_t entries[PAGES];
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, entries, sizeof(entries),
			  (uintptr_t)map / PAGE * sizeof(*entries));
	long i, dirty = 0;

	close(fd);
	if (n != sizeof(entries))
		return -1;
	for (i = 0; i < PAGES; i++)
		dirty += !!(entries[i] & SOFT_DIRTY);
	return dirty;
}

/* What is mapped already needs no fault to be loaded. */
TEST_F_TIMEOUT(watched, pages_are_soft_dirty, TIMEOUT)
{
	if (soft_dirty_pages(self->m.map) != PAGES)
		SKIP(return, "stores are not tracked");
	pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
	ASSERT_EQ(0, start_tracking());
	ASSERT_EQ(0, soft_dirty_pages(self->m.map));
	LOAD_MOST();
	ASSERT_EQ(PAGES, soft_dirty_pages(self->m.map));
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec :
					a->tv_nsec < b->tv_nsec;
}

/* Sleeps until what is stored to a file gets another time. */
static void await_another_time(const struct timespec *time)
{
	struct timespec now;

	do {
		usleep(1000);
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (!is_before(time, &now));
}

TEST_F_TIMEOUT(watched, file_gets_a_new_time, TIMEOUT)
{
	struct stat before, after;

	if (self->m.fd < 0)
		SKIP(return, "no file");
	ASSERT_EQ(0, fstat(self->m.fd, &before));
	await_another_time(&before.st_mtim);
	await_another_time(&before.st_ctim);
	LOAD_MOST();
	ASSERT_EQ(0, fstat(self->m.fd, &after));
	ASSERT_TRUE(is_before(&before.st_mtim, &after.st_mtim));
	ASSERT_TRUE(is_before(&before.st_ctim, &after.st_ctim));
}

TEST_HARNESS_MAIN
