// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * On which node of a NUMA machine loaded pages are: on that of the memory
 * policy of the mapping, as if the process had stored to it. To be run where
 * there are two nodes with memory.
 */

#include <linux/mempolicy.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH	MIB(8)
#define PAGES	(LENGTH / PAGE)
#define NODES	2

FIXTURE(numa)
{
	int fd;
	int src;
	struct memory m;
	int nodes[PAGES];
	struct ramload_info info;
};

FIXTURE_VARIANT(numa)
{
	enum memory_kind kind;	/* MEMORY_KINDS: made by the module */
	uint32_t direct;
};

FIXTURE_VARIANT_ADD(numa, memfd) {
	.kind = MEMORY_MEMFD, .direct = RAMLOAD_DIRECT_OFF,
};
FIXTURE_VARIANT_ADD(numa, memfd_direct) {
	.kind = MEMORY_MEMFD, .direct = RAMLOAD_DIRECT_ON,
};
FIXTURE_VARIANT_ADD(numa, anon) {
	.kind = MEMORY_ANON, .direct = RAMLOAD_DIRECT_OFF,
};
FIXTURE_VARIANT_ADD(numa, anon_direct) {
	.kind = MEMORY_ANON, .direct = RAMLOAD_DIRECT_ON,
};
FIXTURE_VARIANT_ADD(numa, thp) {
	.kind = MEMORY_THP, .direct = RAMLOAD_DIRECT_OFF,
};
FIXTURE_VARIANT_ADD(numa, tmpfs_huge) {
	.kind = MEMORY_TMPFS_HUGE, .direct = RAMLOAD_DIRECT_OFF,
};
FIXTURE_VARIANT_ADD(numa, made) {
	.kind = MEMORY_KINDS, .direct = RAMLOAD_DIRECT_OFF,
};

typedef struct _test_data_numa numa_t;

FIXTURE_SETUP(numa)
{
	struct reason why;
	int dir, err;

	OPEN_DEVICE(self->fd);
	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "there is one node");
	test_info(self->fd, &self->info);
	if (variant->kind == MEMORY_KINDS) {
		if (!(self->info.out_features & RAMLOAD_FEATURE_MEMORY))
			SKIP(return, "no RAMLOAD_CREATE_MEMORY");
		err = memory_map_file(&self->m,
				      raw_create_memory(self->fd, LENGTH, 0),
				      MAP_SHARED, LENGTH, &why);
	} else {
		err = memory_map(&self->m, variant->kind, LENGTH, &why);
	}
	if (err)
		SKIP(return, "%s", why.text);
	dir = fs_open("ext4", NULL, &why);
	if (dir < 0)
		SKIP(return, "%s", why.text);
	self->src = file_create_pattern(dir, SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->src);
}

FIXTURE_TEARDOWN(numa)
{
	close(self->src);
	close(self->fd);
	memory_unmap(&self->m);
}

static int load_all(numa_t *self, uint32_t direct)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1,
					.direct = direct,
					.chunk_size = MIB(1));

	return load_wait(self->fd, &load, NULL);
}

static int bind_memory(void *at, size_t length, int mode, unsigned long nodes)
{
	return syscall(SYS_mbind, at, length, mode, &nodes, 8 * sizeof(nodes),
		       0);
}

/* Counts the pages of each node; returns -1 if one is elsewhere or nowhere. */
static int count_nodes(numa_t *self, unsigned int count[NODES])
{
	static void *pages[PAGES];
	size_t i;

	for (i = 0; i < PAGES; i++)
		pages[i] = self->m.map + i * PAGE;
	memset(count, 0, NODES * sizeof(*count));
	if (syscall(SYS_move_pages, 0, PAGES, pages, NULL, self->nodes, 0))
		return -1;
	for (i = 0; i < PAGES; i++) {
		if (self->nodes[i] < 0 || self->nodes[i] >= NODES)
			return -1;
		count[self->nodes[i]]++;
	}
	return 0;
}

#define ASSERT_LOADED_ON(count)						\
	do {								\
		ASSERT_EQ(0, load_all(self, variant->direct));		\
		ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0, \
					    LENGTH));			\
		ASSERT_EQ(0, count_nodes(self, count));			\
	} while (0)

TEST_F_TIMEOUT(numa, memory_is_bound, TIMEOUT)
{
	unsigned int count[NODES];
	int node;

	test_setup(self->fd, 2);
	for (node = 0; node < NODES; node++) {
		ASSERT_EQ(0, bind_memory(self->m.map, LENGTH, MPOL_BIND,
					 1ul << node));
		ASSERT_LOADED_ON(count);
		ASSERT_EQ(PAGES, count[node]);
		memory_discard(&self->m);
	}
}

TEST_F_TIMEOUT(numa, halves_are_bound, TIMEOUT)
{
	unsigned int count[NODES];
	size_t i;

	test_setup(self->fd, 2);
	for (i = 0; i < NODES; i++)
		ASSERT_EQ(0, bind_memory(self->m.map + i * LENGTH / NODES,
					 LENGTH / NODES, MPOL_BIND, 1ul << i));
	ASSERT_LOADED_ON(count);
	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(i / (PAGES / NODES), self->nodes[i]);
}

TEST_F_TIMEOUT(numa, memory_is_interleaved, TIMEOUT)
{
	unsigned int count[NODES];

	test_setup(self->fd, 2);
	ASSERT_EQ(0, bind_memory(self->m.map, LENGTH, MPOL_INTERLEAVE, 3));
	ASSERT_LOADED_ON(count);
	ASSERT_LE(PAGES / 4, count[0]);
	ASSERT_LE(PAGES / 4, count[1]);
}

/* Threads of the process begin with its policy. */
TEST_F_TIMEOUT(numa, process_is_bound, TIMEOUT)
{
	unsigned long nodes = 2;
	unsigned int count[NODES];

	if (!(self->info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "workers are kernel threads");
	ASSERT_EQ(0, syscall(SYS_set_mempolicy, MPOL_BIND, &nodes,
			     8 * sizeof(nodes)));
	test_setup(self->fd, 2);
	ASSERT_LOADED_ON(count);
	ASSERT_EQ(PAGES, count[1]);
}

TEST_HARNESS_MAIN
