// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Files that a file system keeps in a way of its own: inside the inode, with
 * blocks that several files share, with a hash of each block, or not on the
 * disk yet; and files that are none.
 */

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/fuse.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "cached_pages.h"
#include "fuse_source.h"
#include "ramload_util.h"
#include "test_cgroup.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH	MIB(2)
#define BAD	(MIB(1) + 5 * PAGE)

FIXTURE(special)
{
	int fd;
	int dir;
	struct memory m[3];
	struct ramload_job_result result;
};

FIXTURE_VARIANT(special)
{
	const char *fs;
};

#define ADD_VARIANT(name, type)						\
	FIXTURE_VARIANT_ADD(special, name) { .fs = type };

ADD_VARIANT(ext4_inline, "ext4-inline")
ADD_VARIANT(ext4_verity, "ext4-verity")
ADD_VARIANT(xfs, "xfs")
ADD_VARIANT(btrfs, "btrfs")

FIXTURE_SETUP(special)
{
	static const enum memory_kind kinds[] = {
		MEMORY_MEMFD, MEMORY_TMPFS_HUGE, MEMORY_ANON
	};
	struct reason why;
	int i;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 3);
	self->dir = fs_open(variant->fs, NULL, &why);
	if (self->dir < 0)
		SKIP(return, "%s", why.text);
	for (i = 0; i < 3; i++)
		if (memory_map(&self->m[i], kinds[i], LENGTH, &why))
			SKIP(return, "%s", why.text);
}

FIXTURE_TEARDOWN(special)
{
	int i;

	close(self->fd);
	for (i = 0; i < 3; i++)
		memory_unmap(&self->m[i]);
}

/* One way to read into one kind of memory, which has old contents. */
static int load(struct _test_data_special *self, int src, size_t length,
		int way)
{
	char *map = self->m[way / 3].map;
	struct ramload_range range = RANGE(0, length, map);
	struct ramload_load load = LOAD(src, &range, 1, .direct = way % 3,
					.chunk_size = KIB(64));

	pattern_fill(map, SEED_OLD, 0, LENGTH);
	file_evict(src);
	return load_wait(self->fd, &load, &self->result);
}

/* A file that can do no direct I/O is refused with that error. */
static bool refused(int err, int way)
{
	return way % 3 == RAMLOAD_DIRECT_ON && err == -EINVAL;
}

static void check(struct __test_metadata *_metadata,
		  struct _test_data_special *self, int src, uint64_t seed,
		  size_t length)
{
	int way, err;

	for (way = 0; way < 9; way++) {
		char *map = self->m[way / 3].map;

		err = load(self, src, length, way);
		if (refused(err, way))
			continue;
		ASSERT_EQ(0, err);
		ASSERT_EQ(length, pattern_mismatch(map, seed, 0, length));
		ASSERT_TRUE(pattern_matches(map + length, SEED_OLD, length,
					    LENGTH - length));
	}
}

#define CHECK(src, seed, length)					\
	check(_metadata, self, src, seed, length)

/* ext4 with inline_data and btrfs keep these beside the inode. */
TEST_F_TIMEOUT(special, small, TIMEOUT)
{
	static const size_t sizes[] = { 1, 60, 100, 2000, 4095, 4097 };
	int i, src;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		src = file_create_pattern(self->dir, SEED_SOURCE, sizes[i]);
		ASSERT_LE(0, src);
		CHECK(src, SEED_SOURCE, sizes[i]);
		ASSERT_EQ(-ENODATA, load(self, src, sizes[i] + 1, 0));
		ASSERT_EQ(sizes[i], self->result.out_error_offset);
		close(src);
	}
}

/* Written, but without a place on the disk. */
TEST_F_TIMEOUT(special, not_on_the_disk, TIMEOUT)
{
	char *buf = malloc(LENGTH);
	int way, src;

	pattern_fill(buf, SEED_SOURCE, 0, LENGTH);
	for (way = 0; way < 9; way++) {
		src = file_create(self->dir);
		ASSERT_LE(0, src);
		ASSERT_EQ(LENGTH, pwrite(src, buf, LENGTH, 0));
		ASSERT_EQ(0, load(self, src, LENGTH, way));
		ASSERT_EQ(LENGTH, pattern_mismatch(self->m[way / 3].map,
						   SEED_SOURCE, 0, LENGTH));
		close(src);
	}
	free(buf);
}

TEST_F_TIMEOUT(special, shared_blocks, TIMEOUT)
{
	int one = file_create_pattern(self->dir, SEED_SOURCE, LENGTH);
	int other = file_create(self->dir);
	char *buf = malloc(LENGTH);

	ASSERT_LE(0, one);
	ASSERT_LE(0, other);
	if (ioctl(other, FICLONE, one))
		SKIP(return, "%s has no shared blocks", variant->fs);
	CHECK(other, SEED_SOURCE, LENGTH);
	/* Written and not on the disk yet, where the blocks are shared. */
	pattern_fill(buf, SEED_LATER, 0, LENGTH);
	ASSERT_EQ(LENGTH, pwrite(one, buf, LENGTH, 0));
	CHECK(one, SEED_LATER, LENGTH);
	CHECK(other, SEED_SOURCE, LENGTH);
	ASSERT_EQ(0, fsync(one));
	CHECK(one, SEED_LATER, LENGTH);
	CHECK(other, SEED_SOURCE, LENGTH);
	free(buf);
	close(one);
	close(other);
}

/* Returns the file, open for reading only, or -1. */
static int make_verity(int dir)
{
	struct fsverity_enable_arg arg = {
		.version = 1,
		.hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = PAGE,
	};
	int writer = file_create_pattern(dir, SEED_SOURCE, LENGTH), fd;

	fd = file_reopen(writer, O_RDONLY);
	close(writer);
	if (fd >= 0 && ioctl(fd, FS_IOC_ENABLE_VERITY, &arg)) {
		close(fd);
		return -1;
	}
	return fd;
}

TEST_F_TIMEOUT(special, verity, TIMEOUT)
{
	int src = make_verity(self->dir);

	if (src < 0)
		SKIP(return, "%s has no fs-verity: %s", variant->fs,
		     strerror(errno));
	CHECK(src, SEED_SOURCE, LENGTH);
	close(src);
}

/* Where the byte at @offset is on the disk; 0 if that cannot be said. */
static uint64_t find_on_disk(int fd, uint64_t offset)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent;
	} arg = {
		.map = {
			.fm_start = offset,
			.fm_length = 1,
			.fm_flags = FIEMAP_FLAG_SYNC,
			.fm_extent_count = 1,
		},
	};

	if (ioctl(fd, FS_IOC_FIEMAP, &arg) || !arg.map.fm_mapped_extents)
		return 0;
	return arg.extent.fe_physical + offset - arg.extent.fe_logical;
}

/* Overwrites a block of the disk that the file is on. */
static int write_on_disk(int fd, uint64_t at)
{
	char path[] = "/tmp/ramload-disk.XXXXXX";
	char block[PAGE] __attribute__((aligned(PAGE)));
	struct stat st;
	int disk, err;

	memset(block, 0x5a, PAGE);
	if (fstat(fd, &st) || !mkdtemp(path) || rmdir(path) ||
	    mknod(path, S_IFBLK | 0600, st.st_dev))
		return -1;
	disk = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
	err = pwrite(disk, block, PAGE, at) == PAGE ? 0 : -1;
	close(disk);
	unlink(path);
	return err;
}

/* A block whose hash is wrong, in the middle of the file. */
TEST_F_TIMEOUT(special, verity_fails, TIMEOUT)
{
	int src = make_verity(self->dir);
	uint64_t at = src < 0 ? 0 : find_on_disk(src, BAD);
	int way, err;

	if (!at || strcmp(variant->fs, "ext4-verity"))
		SKIP(return, "no fs-verity on a disk that can be written to");
	ASSERT_EQ(0, write_on_disk(src, at));
	drop_cached_pages(src, LENGTH);
	for (way = 0; way < 9; way++) {
		char *map = self->m[way / 3].map;
		size_t end;

		err = load(self, src, LENGTH, way);
		if (refused(err, way))
			continue;
		ASSERT_EQ(-EIO, err);
		end = self->result.out_error_offset;
		ASSERT_GE(BAD, end);
		ASSERT_EQ(end, pattern_mismatch(map, SEED_SOURCE, 0, end));
		/* Nothing of the block, good or bad. */
		ASSERT_TRUE(pattern_matches(map + BAD, SEED_OLD, BAD, PAGE));
		/* Around it, all can be loaded. */
		ASSERT_EQ(0, load(self, src, MIB(1), way));
	}
	close(src);
}

/*
 * What can be opened and read like a file but is none
 */

FIXTURE(no_file)
{
	int fd;
	char *page;
};

FIXTURE_SETUP(no_file)
{
	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 1);
	self->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
}

FIXTURE_TEARDOWN(no_file)
{
	munmap(self->page, PAGE);
	close(self->fd);
}

static int load_page(struct _test_data_no_file *self, int src)
{
	struct ramload_range range = RANGE(0, PAGE, self->page);

	return load_range(self->fd, src, &range, NULL);
}

/* Their contents depend on who reads; a worker is not the caller. */
TEST_F_TIMEOUT(no_file, proc, TIMEOUT)
{
	static const char *const paths[] = {
		"/proc/sys/kernel/hostname", "/proc/self/maps", "/proc/version"
	};
	int i, src;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		src = open(paths[i], O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, src);
		ASSERT_EQ(-EINVAL, load_page(self, src));
		close(src);
	}
	ASSERT_TRUE(all_zero(self->page, PAGE));
}

static int load_procs(struct _test_data_no_file *self, const char *dir)
{
	char path[128];
	int src, err;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	src = open(path, O_RDONLY | O_CLOEXEC);
	if (src < 0)
		return -errno;
	err = load_page(self, src);
	close(src);
	return err;
}

/* So are ids of processes. */
TEST_F_TIMEOUT(no_file, cgroup, TIMEOUT)
{
	struct reason why;
	struct cgroup cg;
	int err;

	if (cgroup_make(&cg, &why))
		SKIP(return, "%s", why.text);
	err = load_procs(self, cg.path);
	cgroup_remove(&cg);
	ASSERT_EQ(-EINVAL, err);
}

/* Whoever looks through an overlay sees the same. */
TEST_F_TIMEOUT(no_file, cgroup_below_an_overlay, TIMEOUT)
{
	char options[128], dir[] = "/tmp/ramload-overlay.XXXXXX";
	struct reason why;
	struct cgroup cg;
	int mounted, err = 0;

	if (cgroup_make(&cg, &why))
		SKIP(return, "%s", why.text);
	load_module("overlay");
	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(options, sizeof(options), "lowerdir=%s:/dev", cg.path);
	mounted = mount("overlay", dir, "overlay", MS_RDONLY, options);
	if (!mounted) {
		err = load_procs(self, dir);
		umount(dir);
	}
	rmdir(dir);
	cgroup_remove(&cg);
	if (mounted)
		SKIP(return, "no overlay of a cgroup here");
	ASSERT_EQ(-EINVAL, err);
}

/*
 * Overlayfs goes by the flags of the fd, whatever the module asks for: so what is
 * read directly could not be chosen.
 */
TEST_F_TIMEOUT(no_file, overlay_with_o_direct, TIMEOUT)
{
	struct reason why;
	int dir = fs_open("overlay", NULL, &why);
	static char page[PAGE];
	struct ramload_range range = RANGE(0, PAGE, page);
	struct ramload_load load;
	int fd, direct;

	if (dir < 0)
		SKIP(return, "%s", why.text);
	fd = openat(dir, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	direct = openat(dir, "file", O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (direct < 0)
		SKIP(return, "no direct I/O below");
	load = LOAD(direct, &range, 1);
	EXPECT_EQ(-EINVAL, load_wait(self->fd, &load, NULL));
	load = LOAD(fd, &range, 1, .direct = RAMLOAD_DIRECT_ON);
	EXPECT_EQ(-EINVAL, load_wait(self->fd, &load, NULL));
	load = LOAD(fd, &range, 1);
	EXPECT_EQ(0, load_wait(self->fd, &load, NULL));
	close(direct);
	close(fd);
}

/*
 * A source that says what a store to the memory might have said. All kinds of
 * memory that have a fill of their own.
 */
TEST_F_TIMEOUT(no_file, answers_efault, TIMEOUT)
{
	static const enum memory_kind kinds[] = {
		MEMORY_FILE_SHARED, MEMORY_ANON, MEMORY_MEMFD,
	};
	struct pollfd pfd = { .events = POLLIN };
	struct ramload_job_result result;
	struct fuse_source *src;
	struct reason why;
	struct memory m;
	int i;

	src = fuse_source_start(PAGE, UINT64_MAX, &why);
	if (!src)
		SKIP(return, "%s", why.text);
	src->fail_with = EFAULT;
	src->fail_at = 0;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct ramload_range range;

		if (memory_map(&m, kinds[i], PAGE, &why))
			continue;
		range = RANGE(0, PAGE, m.map);
		pfd.fd = start_range(self->fd, src->fd, RAMLOAD_DIRECT_OFF,
				     &range);
		EXPECT_LE(0, pfd.fd);
		EXPECT_EQ(1, poll(&pfd, 1, 20000));
		EXPECT_EQ(0, raw_cancel(pfd.fd));
		EXPECT_EQ(0, raw_result(pfd.fd, RAMLOAD_JOB_RESULT_WAIT,
					&result));
		/* FUSE of 7.3 says EIO whatever the daemon does. */
		if (result.out_error != -EIO)
			EXPECT_EQ(-EFAULT, result.out_error);
		close(pfd.fd);
		memory_unmap(&m);
	}
	fuse_source_stop(src);
}

TEST_F_TIMEOUT(no_file, anonymous_inodes, TIMEOUT)
{
	int src = eventfd(7, EFD_CLOEXEC), err;
	uint64_t value;

	ASSERT_LE(0, src);
	err = load_page(self, src);
	ASSERT_TRUE(err == -EINVAL || err == -ESPIPE);
	/* It was not read. */
	ASSERT_EQ(8, read(src, &value, 8));
	ASSERT_EQ(7, value);
	close(src);
}

TEST_F_TIMEOUT(no_file, opened_as_a_path, TIMEOUT)
{
	int src = open("/", O_PATH | O_CLOEXEC);

	ASSERT_LE(0, src);
	ASSERT_EQ(-EBADF, load_page(self, src));
	close(src);
}

TEST_F_TIMEOUT(no_file, character_devices, TIMEOUT)
{
	int src = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, src);
	ASSERT_EQ(-EINVAL, load_page(self, src));
	ASSERT_EQ(-EINVAL, load_page(self, self->fd));
	close(src);
}

/* A file of a daemon that has no page cache, whatever the caller asks for. */
TEST_F_TIMEOUT(no_file, fuse_without_cache, TIMEOUT)
{
	struct ramload_job_result result;
	struct fuse_source *s;
	struct reason why;
	int direct;

	s = fuse_source_start_flags(MIB(1) + 777, UINT64_MAX, FOPEN_DIRECT_IO,
				    &why);
	if (!s)
		SKIP(return, "%s", why.text);
	for (direct = 0; direct < 6; direct++) {
		struct memory m;
		struct ramload_range range = { .length = MIB(1) + 778 };
		struct ramload_load load = LOAD(s->fd, &range, 1,
						.direct = direct % 3);

		ASSERT_EQ(0, memory_map(&m, direct < 3 ? MEMORY_MEMFD :
					MEMORY_ANON, MIB(2), &why));
		range.dest = (uintptr_t)m.map + 99;
		ASSERT_EQ(-ENODATA, load_wait(self->fd, &load, &result));
		ASSERT_EQ(MIB(1) + 777, result.out_error_offset);
		ASSERT_TRUE(pattern_matches(m.map + 99, SEED_SOURCE, 0,
					    MIB(1) + 777));
		ASSERT_TRUE(all_zero(m.map + 99 + MIB(1) + 777, PAGE));
		memory_unmap(&m);
	}
	fuse_source_stop(s);
}

/* What it answers may be what the module itself would say of something else. */
TEST_F_TIMEOUT(no_file, fuse_answers_what_is_ours, TIMEOUT)
{
	static const int answers[] = { ENODATA, ECANCELED };
	struct ramload_job_result result;
	struct fuse_source *s;
	struct reason why;
	unsigned int i;

	s = fuse_source_start_flags(MIB(1), UINT64_MAX, FOPEN_DIRECT_IO, &why);
	if (!s)
		SKIP(return, "%s", why.text);
	s->fail_at = 0;
	for (i = 0; i < 12; i++) {
		struct memory m;
		struct ramload_range range = { .length = MIB(1) };
		struct ramload_load load = LOAD(s->fd, &range, 1,
						.direct = i % 3);

		s->fail_with = answers[i / 6];
		ASSERT_EQ(0, memory_map(&m, i % 6 < 3 ? MEMORY_MEMFD :
					MEMORY_ANON, MIB(1), &why));
		range.dest = (uintptr_t)m.map;
		ASSERT_EQ(-EIO, load_wait(self->fd, &load, &result));
		ASSERT_EQ(RAMLOAD_JOB_FAILED, result.out_state);
		ASSERT_EQ(0, result.out_bytes_done);
		memory_unmap(&m);
	}
	fuse_source_stop(s);
}

TEST_HARNESS_MAIN
