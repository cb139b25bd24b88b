// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Memory whose page tables have a say in a load: locked, with guard regions, or that
 * cannot be pinned. Each ends as it would with pread(2).
 */

#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH	MIB(4)
#define GUARD	(MIB(1) + 3 * PAGE)

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT		1
#endif
#ifndef __NR_memfd_secret
#define __NR_memfd_secret	447
#endif

FIXTURE(special_memory)
{
	int fd;
	int src;
	struct memory m;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(special_memory)
{
	uint32_t direct;
};

FIXTURE_VARIANT_ADD(special_memory, cached) { .direct = RAMLOAD_DIRECT_OFF };
FIXTURE_VARIANT_ADD(special_memory, direct) { .direct = RAMLOAD_DIRECT_ON };

FIXTURE_SETUP(special_memory)
{
	struct reason why;
	int dir;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 2);
	self->m.map = MAP_FAILED;
	dir = fs_open("ext4", NULL, &why);
	if (dir < 0)
		SKIP(return, "%s", why.text);
	self->src = file_create_pattern(dir, SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->src);
}

FIXTURE_TEARDOWN(special_memory)
{
	if (self->m.map != MAP_FAILED)
		memory_unmap(&self->m);
	close(self->src);
	close(self->fd);
}

#define MAP_MEMORY(kind)						\
	do {								\
		struct reason why;					\
									\
		ASSERT_EQ(0, memory_map(&self->m, kind, LENGTH, &why));	\
	} while (0)

static int load_all(struct _test_data_special_memory *self, uint32_t direct)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1, .direct = direct);

	return load_wait(self->fd, &load, &self->result);
}

#define ASSERT_LOADED(end)						\
	ASSERT_EQ(end, pattern_mismatch(self->m.map, SEED_SOURCE, 0, end))

/* Bytes of the mapping that are locked in memory, or -1. */
static long locked_bytes(const char *map)
{
	unsigned long start, end;
	bool found = false;
	long kib = -1;
	char line[512];
	FILE *f = fopen("/proc/self/smaps", "re");

	while (f && kib < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			found = start == (uintptr_t)map;
		if (found)
			sscanf(line, "Locked: %ld kB", &kib);
	}
	if (f)
		fclose(f);
	return kib < 0 ? -1 : KIB(kib);
}

/* They are locked as they are mapped, so they are mapped. */
TEST_F_TIMEOUT(special_memory, locked_on_fault, TIMEOUT)
{
	MAP_MEMORY(MEMORY_MEMFD);
	if (syscall(__NR_mlock2, self->m.map, LENGTH, MLOCK_ONFAULT))
		SKIP(return, "mlock2: %s", strerror(errno));
	ASSERT_EQ(0, locked_bytes(self->m.map));
	ASSERT_EQ(0, load_all(self, variant->direct));
	ASSERT_EQ(LENGTH, locked_bytes(self->m.map));
	ASSERT_LOADED(LENGTH);
}

/* What is in the file behind it is not reached through this mapping. */
TEST_F_TIMEOUT(special_memory, guard_region, TIMEOUT)
{
	char page[PAGE];

	MAP_MEMORY(MEMORY_MEMFD);
	pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
	if (madvise(self->m.map + GUARD, PAGE, MADV_GUARD_INSTALL))
		SKIP(return, "guard regions: %s", strerror(errno));
	ASSERT_EQ(-1, pread(self->src, self->m.map + GUARD, PAGE, 0));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(-EFAULT, load_all(self, variant->direct));
	ASSERT_EQ(GUARD, self->result.out_error_offset);
	ASSERT_LOADED(GUARD);
	ASSERT_EQ(PAGE, pread(self->m.fd, page, PAGE, GUARD));
	ASSERT_TRUE(pattern_matches(page, SEED_OLD, GUARD, PAGE));
}

/* It can be stored to, but not pinned. */
TEST_F_TIMEOUT(special_memory, secret, TIMEOUT)
{
	int fd = syscall(__NR_memfd_secret, 0);
	struct reason why;

	if (fd < 0)
		SKIP(return, "memfd_secret: %s", strerror(errno));
	ASSERT_EQ(0, memory_map_file(&self->m, fd, MAP_SHARED, LENGTH, &why))
		TH_LOG("%s", why.text);
	ASSERT_EQ(0, load_all(self, variant->direct));
	ASSERT_LOADED(LENGTH);
}

TEST_HARNESS_MAIN
