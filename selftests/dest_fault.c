// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Destinations that cannot take what is loaded: file systems that are full or
 * over their quota, mapped files with bad sectors below them. The place is
 * told, and what lies before it is loaded.
 */

#include <grp.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "cached_pages.h"
#include "fault_disk.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH		MIB(4)
#define ROOM		MIB(1)
#define DISK_SIZE	MIB(320)
#define SECTOR		512
#define NOBODY		65534

FIXTURE(dest)
{
	int fd;
	int src;
	struct ramload_info info;
	struct fault_disk disk;
	int dir;
	int file;
	char *map;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(dest)
{
	uint32_t workers;
};

FIXTURE_VARIANT_ADD(dest, one_worker) { .workers = 1 };
FIXTURE_VARIANT_ADD(dest, two_workers) { .workers = 2 };

FIXTURE_SETUP(dest)
{
	self->disk = (struct fault_disk){ .fd = -1, .loop = -1,
					  .watchdog_pipe = -1 };
	self->dir = -1;
	self->file = -1;
	self->map = MAP_FAILED;
	OPEN_DEVICE(self->fd);
	test_info(self->fd, &self->info);
	test_setup(self->fd, variant->workers);
	self->src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->src);
}

FIXTURE_TEARDOWN(dest)
{
	close(self->fd);
	if (self->map != MAP_FAILED)
		munmap(self->map, LENGTH);
	close(self->file);
	close(self->dir);
	fault_disk_remove(&self->disk);
}

typedef struct _test_data_dest dest_t;

static bool map_file(dest_t *self)
{
	self->map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->file, 0);
	return self->map != MAP_FAILED;
}

static int load_all(dest_t *self)
{
	struct ramload_range range = RANGE(0, LENGTH, self->map);
	struct ramload_load load = LOAD(self->src, &range, 1,
					.chunk_size = KIB(64));

	return load_wait(self->fd, &load, &self->result);
}

#define ASSERT_FAILED(err)						\
	do {								\
		ASSERT_EQ(err, load_all(self));				\
		ASSERT_EQ(0, self->result.out_error_range);		\
		ASSERT_GE(self->result.out_bytes_done,			\
			  self->result.out_error_offset);		\
		ASSERT_TRUE(pattern_matches(self->map, SEED_SOURCE, 0,	\
					    self->result.out_error_offset)); \
	} while (0)

/* Leave as much room on the file system as @room. */
static int fill_up(int dir, uint64_t room)
{
	int file = file_create(dir);
	uint64_t at = 0, step;

	for (step = MIB(64); step >= PAGE; step /= 2)
		while (!fallocate(file, 0, at, step))
			at += step;
	return ftruncate(file, at - room) || fsync(file) ? -1 : file;
}

/* Memory that is a sparse file of ext4, mapped shared: there is no block. */
TEST_F_TIMEOUT(dest, full_ext4, TIMEOUT)
{
	struct reason why;
	int rest;

	if (fault_disk_make(&self->disk, DISK_SIZE, &why))
		SKIP(return, "%s", why.text);
	self->dir = fault_disk_mount(&self->disk, "ext4", &why);
	if (self->dir < 0)
		SKIP(return, "%s", why.text);
	self->file = file_create(self->dir);
	ASSERT_EQ(0, ftruncate(self->file, LENGTH));
	rest = fill_up(self->dir, ROOM);
	ASSERT_LE(0, rest);
	ASSERT_TRUE(map_file(self));
	/* Of a store, the process would get a SIGBUS. */
	ASSERT_FAILED(-EFAULT);
	/* Some room goes for the file's own tree of extents. */
	ASSERT_GE(self->result.out_bytes_done, ROOM / 2);
	ASSERT_LE(self->result.out_bytes_done, ROOM);
	/* Where there is room, it goes on. */
	close(rest);
	ASSERT_EQ(0, syncfs(self->dir));
	ASSERT_EQ(0, load_all(self));
	ASSERT_TRUE(pattern_matches(self->map, SEED_SOURCE, 0, LENGTH));
}

/* Old contents of the destination that cannot be read. */
TEST_F_TIMEOUT(dest, bad_sector, TIMEOUT)
{
	const uint64_t bad = MIB(2) + 3 * PAGE + SECTOR;
	struct reason why;

	if (fault_disk_make(&self->disk, DISK_SIZE, &why))
		SKIP(return, "%s", why.text);
	self->dir = fault_disk_mount(&self->disk, "ext4", &why);
	if (self->dir < 0)
		SKIP(return, "%s", why.text);
	self->file = file_create_pattern(self->dir, SEED_OLD, LENGTH);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error",
					fault_disk_where(self->file, bad),
					SECTOR));
	drop_cached_pages(self->file, LENGTH);
	ASSERT_TRUE(map_file(self));
	ASSERT_FAILED(-EFAULT);
	ASSERT_LE(self->result.out_error_offset, bad);
	/* What a store to it would say is the same: it is one page. */
	ASSERT_EQ(bad - bad % PAGE, self->result.out_error_offset);
	ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error", 0, 0));
	ASSERT_EQ(0, load_all(self));
	ASSERT_TRUE(pattern_matches(self->map, SEED_SOURCE, 0, LENGTH));
}

/* As nobody: root is above quotas. What is left of the fixture is its own. */
static int load_as_nobody(dest_t *self, uint32_t workers)
{
	self->fd = open_device();
	if (self->fd < 0 || setgroups(0, NULL) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || raw_setup(self->fd, workers))
		return 100;
	return -load_all(self);
}

/* In a child, which tells its result by memory that is shared. */
static int fork_nobody(dest_t *self, uint32_t workers)
{
	dest_t *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	pid = fork();
	if (!pid) {
		status = load_as_nobody(self, workers);
		shared->result = self->result;
		_exit(status);
	}
	waitpid(pid, &status, 0);
	self->result = shared->result;
	munmap(shared, sizeof(*shared));
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EPROTO;
}

static void over_quota(struct __test_metadata *_metadata, dest_t *self,
		       uint32_t workers, const char *options)
{
	const bool shmem = self->info.out_features &
		RAMLOAD_FEATURE_SHMEM_FILL;
	struct reason why;

	self->dir = fs_open("tmpfs", options, &why);
	if (self->dir < 0)
		SKIP(return, "%s", why.text);
	self->file = file_create(self->dir);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, LENGTH));
	ASSERT_EQ(0, fchown(self->file, NOBODY, NOBODY));
	ASSERT_TRUE(map_file(self));
	ASSERT_EQ(shmem ? -EDQUOT : -EFAULT, fork_nobody(self, workers));
	ASSERT_EQ(0, self->result.out_error_range);
	ASSERT_GE(self->result.out_bytes_done, ROOM / 2);
	ASSERT_LE(self->result.out_bytes_done, ROOM);
	ASSERT_LE(self->result.out_error_offset, self->result.out_bytes_done);
	ASSERT_TRUE(pattern_matches(self->map, SEED_SOURCE, 0,
				    self->result.out_error_offset));
	ASSERT_EQ(0, ftruncate(self->file, 0));
}

TEST_F_TIMEOUT(dest, tmpfs_over_user_quota, TIMEOUT)
{
	over_quota(_metadata, self, variant->workers,
		   "usrquota,usrquota_block_hardlimit=1M");
}

TEST_F_TIMEOUT(dest, tmpfs_over_group_quota, TIMEOUT)
{
	over_quota(_metadata, self, variant->workers,
		   "grpquota,grpquota_block_hardlimit=1M");
}

TEST_HARNESS_MAIN
