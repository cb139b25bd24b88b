// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Sources that end too early, fail, are what they are loaded into, or need it
 * in order to be read.
 */

#include <sys/mman.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH	MIB(2)

/* Every kind of fill with every way to read. */
#define ADD_VARIANTS(fixture)						\
	ADD_VARIANT(fixture, memfd_auto, MEMORY_MEMFD, RAMLOAD_DIRECT_AUTO) \
	ADD_VARIANT(fixture, memfd_direct, MEMORY_MEMFD, RAMLOAD_DIRECT_ON) \
	ADD_VARIANT(fixture, memfd_cached, MEMORY_MEMFD, RAMLOAD_DIRECT_OFF) \
	ADD_VARIANT(fixture, huge_auto, MEMORY_TMPFS_HUGE, RAMLOAD_DIRECT_AUTO) \
	ADD_VARIANT(fixture, huge_direct, MEMORY_TMPFS_HUGE, RAMLOAD_DIRECT_ON) \
	ADD_VARIANT(fixture, huge_cached, MEMORY_TMPFS_HUGE, RAMLOAD_DIRECT_OFF) \
	ADD_VARIANT(fixture, anon_auto, MEMORY_ANON, RAMLOAD_DIRECT_AUTO) \
	ADD_VARIANT(fixture, anon_direct, MEMORY_ANON, RAMLOAD_DIRECT_ON) \
	ADD_VARIANT(fixture, anon_cached, MEMORY_ANON, RAMLOAD_DIRECT_OFF)

#define ADD_VARIANT(fixture, name, memory_kind, how)			\
	FIXTURE_VARIANT_ADD(fixture, name) { .kind = memory_kind, .direct = how };

#define ASSERT_LOADED(at, offset, length)				\
	ASSERT_EQ(length, pattern_mismatch(at, SEED_SOURCE, offset, length))

static size_t page_up(size_t n)
{
	return (n + PAGE - 1) & ~(PAGE - 1);
}

/*
 * Files that end before the range does
 */

FIXTURE(short_file)
{
	int fd;
	int dir;
	struct memory m;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(short_file)
{
	enum memory_kind kind;
	uint32_t direct;
};

ADD_VARIANTS(short_file)

FIXTURE_SETUP(short_file)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 3);
	self->dir = fs_open("ext4", NULL, &why);
	if (self->dir < 0 || memory_map(&self->m, variant->kind, LENGTH, &why))
		SKIP(return, "%s", why.text);
}

FIXTURE_TEARDOWN(short_file)
{
	close(self->fd);
	memory_unmap(&self->m);
}

/* Loads one range of @src in the variant's way. */
#define LOAD_RANGE(src, range)						\
	({								\
		struct ramload_range __r = range;			\
		struct ramload_load __l = LOAD(src, &__r, 1,		\
					       .direct = variant->direct, \
					       .chunk_size = KIB(64));	\
									\
		load_wait(self->fd, &__l, &self->result);		\
	})

/*
 * Loads LENGTH bytes from @offset of a file of @size bytes to @dest, fresh
 * memory or not, and checks all of the memory and the result.
 */
static void check_short(struct __test_metadata *_metadata,
			struct _test_data_short_file *self,
			const struct _fixture_variant_short_file *variant,
			size_t size, size_t offset, size_t at, bool fresh)
{
	int src = file_create_pattern(self->dir, SEED_SOURCE, size);
	size_t have = size > offset ? size - offset : 0;
	size_t end = at + have, rest;

	ASSERT_LE(0, src);
	if (variant->direct == RAMLOAD_DIRECT_ON && !file_can_direct(src))
		SKIP(return, "the file system has no direct I/O");
	file_evict(src);
	if (!fresh)
		pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);

	ASSERT_EQ(-ENODATA, LOAD_RANGE(src, RANGE(offset, LENGTH - at,
						  self->m.map + at)));
	ASSERT_EQ(RAMLOAD_JOB_FAILED, self->result.out_state);
	ASSERT_EQ(0, self->result.out_error_range);
	ASSERT_EQ(offset + have, self->result.out_error_offset);
	ASSERT_EQ(have, self->result.out_bytes_done);
	ASSERT_LOADED(self->m.map + at, offset, have);
	rest = LENGTH - end;
	if (fresh) {
		ASSERT_TRUE(all_zero(self->m.map, at));
		ASSERT_TRUE(all_zero(self->m.map + end, rest));
	} else {
		ASSERT_TRUE(pattern_matches(self->m.map, SEED_OLD, 0, at));
		ASSERT_TRUE(pattern_matches(self->m.map + end, SEED_OLD, end,
					    rest));
	}
	close(src);
}

#define CHECK_SHORT(size, offset, at, fresh)				\
	check_short(_metadata, self, variant, size, offset, at, fresh)

TEST_F_TIMEOUT(short_file, ends_in_a_page, TIMEOUT)
{
	CHECK_SHORT(MIB(1) + 5 * PAGE + 1234, 0, 0, true);
	CHECK_SHORT(MIB(1) + 5 * PAGE + 1234, 0, 0, false);
}

TEST_F_TIMEOUT(short_file, ends_in_a_sector_of_an_unaligned_range, TIMEOUT)
{
	CHECK_SHORT(MIB(1) + 77, 4099, 12345, true);
	CHECK_SHORT(MIB(1) + 77, 4099, 12345, false);
}

TEST_F_TIMEOUT(short_file, ends_in_the_head_of_a_congruent_range, TIMEOUT)
{
	CHECK_SHORT(3 * PAGE + 300, 2 * PAGE + 111, 5 * PAGE + 111, true);
	CHECK_SHORT(3 * PAGE + 300, 2 * PAGE + 111, 5 * PAGE + 111, false);
}

TEST_F_TIMEOUT(short_file, ends_with_a_page, TIMEOUT)
{
	CHECK_SHORT(MIB(1) + 5 * PAGE, 0, 0, true);
	CHECK_SHORT(MIB(1) + 5 * PAGE, 0, 0, false);
}

TEST_F_TIMEOUT(short_file, ends_with_a_chunk, TIMEOUT)
{
	CHECK_SHORT(MIB(1), 0, 0, true);
}

TEST_F_TIMEOUT(short_file, one_byte_short, TIMEOUT)
{
	CHECK_SHORT(LENGTH - 1, 0, 0, true);
	CHECK_SHORT(LENGTH - 1, 0, 0, false);
}

TEST_F_TIMEOUT(short_file, range_begins_at_the_end, TIMEOUT)
{
	CHECK_SHORT(5 * PAGE, 5 * PAGE, 0, true);
	CHECK_SHORT(5 * PAGE + 33, 5 * PAGE + 33, 33, false);
}

TEST_F_TIMEOUT(short_file, range_begins_behind_the_end, TIMEOUT)
{
	CHECK_SHORT(5 * PAGE + 1, MIB(7), 0, true);
	CHECK_SHORT(5 * PAGE + 1, MIB(7) + 1, 1, false);
}

TEST_F_TIMEOUT(short_file, empty, TIMEOUT)
{
	CHECK_SHORT(0, 0, 0, true);
	CHECK_SHORT(0, 0, 0, false);
}

TEST_F_TIMEOUT(short_file, second_range_is_too_long, TIMEOUT)
{
	const size_t size = 20 * PAGE + 9;
	int src = file_create_pattern(self->dir, SEED_SOURCE, size);
	struct ramload_range ranges[3] = {
		RANGE(0, size, self->m.map),
		RANGE(10 * PAGE, 30 * PAGE, self->m.map + MIB(1)),
		RANGE(9, size, self->m.map + MIB(1) + 30 * PAGE),
	};
	struct ramload_load load = LOAD(src, ranges, 3,
					.direct = variant->direct);

	ASSERT_LE(0, src);
	ASSERT_EQ(-ENODATA, load_wait(self->fd, &load, &self->result));
	ASSERT_EQ(1, self->result.out_error_range);
	ASSERT_EQ(size, self->result.out_error_offset);
	ASSERT_LE(size + 10 * PAGE + 9, self->result.out_bytes_done);
	ASSERT_LOADED(self->m.map, 0, size);
	ASSERT_LOADED(self->m.map + MIB(1), 10 * PAGE, 10 * PAGE + 9);
	close(src);
}

/* As in a mapped-ram file whose last pages were zero. */
TEST_F_TIMEOUT(short_file, only_absent_pages_lie_behind_the_end, TIMEOUT)
{
	const size_t size = 17 * PAGE;
	int src = file_create_pattern(self->dir, SEED_SOURCE, size);
	unsigned char bits[4] = { 0, 0, 1, 0 };
	struct ramload_range range = RANGE(0, 32 * PAGE, self->m.map,
					   .bitmap = (uintptr_t)bits,
					   .page_size = PAGE);

	ASSERT_LE(0, src);
	ASSERT_EQ(0, LOAD_RANGE(src, range));
	ASSERT_LOADED(self->m.map + 16 * PAGE, 16 * PAGE, PAGE);
	ASSERT_TRUE(all_zero(self->m.map, 16 * PAGE));
	/* One that is present is one too many. */
	bits[3] = 0x20;
	ASSERT_EQ(-ENODATA, LOAD_RANGE(src, range));
	ASSERT_EQ(29 * PAGE, self->result.out_error_offset);
	ASSERT_EQ(PAGE, self->result.out_bytes_done);
	close(src);
}

TEST_F_TIMEOUT(short_file, holes_are_zeros, TIMEOUT)
{
	int src = file_create(self->dir);
	char page[PAGE];

	pattern_fill(page, SEED_SOURCE, 9 * PAGE, PAGE);
	ASSERT_LE(0, src);
	ASSERT_EQ(PAGE, pwrite(src, page, PAGE, 9 * PAGE));
	ASSERT_EQ(0, ftruncate(src, LENGTH));
	ASSERT_EQ(0, fsync(src));
	file_evict(src);
	pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
	ASSERT_EQ(0, LOAD_RANGE(src, RANGE(0, LENGTH, self->m.map)));
	ASSERT_TRUE(all_zero(self->m.map, 9 * PAGE));
	ASSERT_LOADED(self->m.map + 9 * PAGE, 9 * PAGE, PAGE);
	ASSERT_TRUE(all_zero(self->m.map + 10 * PAGE, LENGTH - 10 * PAGE));
	close(src);
}

/* What was written is loaded, whether it has reached the disk or not. */
TEST_F_TIMEOUT(short_file, not_written_back_yet, TIMEOUT)
{
	int src = file_create(self->dir);
	char *buf = malloc(LENGTH);

	pattern_fill(buf, SEED_SOURCE, 0, LENGTH);
	ASSERT_EQ(LENGTH, pwrite(src, buf, LENGTH, 0));
	ASSERT_EQ(0, LOAD_RANGE(src, RANGE(0, LENGTH, self->m.map)));
	ASSERT_LOADED(self->m.map, 0, LENGTH);
	free(buf);
	close(src);
}

/*
 * Sources made of the destination
 */

FIXTURE(same_file)
{
	int fd;
	struct memory m;
	char *old;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(same_file)
{
	enum memory_kind kind;
	uint32_t direct;
};

ADD_VARIANT(same_file, memfd_auto, MEMORY_MEMFD, RAMLOAD_DIRECT_AUTO)
ADD_VARIANT(same_file, memfd_cached, MEMORY_MEMFD, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(same_file, huge_auto, MEMORY_TMPFS_HUGE, RAMLOAD_DIRECT_AUTO)
ADD_VARIANT(same_file, private, MEMORY_MEMFD_PRIVATE, RAMLOAD_DIRECT_AUTO)
ADD_VARIANT(same_file, ext4_auto, MEMORY_FILE_SHARED, RAMLOAD_DIRECT_AUTO)
ADD_VARIANT(same_file, ext4_direct, MEMORY_FILE_SHARED, RAMLOAD_DIRECT_ON)
ADD_VARIANT(same_file, ext4_cached, MEMORY_FILE_SHARED, RAMLOAD_DIRECT_OFF)
ADD_VARIANT(same_file, ext4_private, MEMORY_FILE_PRIVATE, RAMLOAD_DIRECT_ON)

FIXTURE_SETUP(same_file)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 3);
	if (memory_map(&self->m, variant->kind, LENGTH, &why))
		SKIP(return, "%s", why.text);
	if (variant->direct == RAMLOAD_DIRECT_ON && !file_can_direct(self->m.fd))
		SKIP(return, "the file system has no direct I/O");
	self->old = malloc(LENGTH);
	pattern_fill(self->old, SEED_SOURCE, 0, LENGTH);
}

FIXTURE_TEARDOWN(same_file)
{
	close(self->fd);
	memory_unmap(&self->m);
}

static int write_all(int fd, const char *buf)
{
	return pwrite(fd, buf, LENGTH, 0) == LENGTH ? fsync(fd) : -1;
}

TEST_F_TIMEOUT(same_file, one_half_to_the_other, TIMEOUT)
{
	ASSERT_EQ(0, write_all(self->m.fd, self->old));
	ASSERT_EQ(0, LOAD_RANGE(self->m.fd, RANGE(0, MIB(1),
						  self->m.map + MIB(1))));
	ASSERT_LOADED(self->m.map, 0, MIB(1));
	ASSERT_LOADED(self->m.map + MIB(1), 0, MIB(1));
}

TEST_F_TIMEOUT(same_file, onto_itself, TIMEOUT)
{
	ASSERT_EQ(0, write_all(self->m.fd, self->old));
	ASSERT_EQ(0, LOAD_RANGE(self->m.fd, RANGE(0, LENGTH, self->m.map)));
	ASSERT_LOADED(self->m.map, 0, LENGTH);
}

TEST_F_TIMEOUT(same_file, fresh_onto_itself, TIMEOUT)
{
	ASSERT_EQ(0, LOAD_RANGE(self->m.fd, RANGE(0, LENGTH, self->m.map)));
	ASSERT_TRUE(all_zero(self->m.map, LENGTH));
	ASSERT_EQ(0, LOAD_RANGE(self->m.fd, RANGE(100, LENGTH - 200,
						  self->m.map + 150)));
	ASSERT_TRUE(all_zero(self->m.map, LENGTH));
}

/* What it holds then is not defined, but no job hangs. */
TEST_F_TIMEOUT(same_file, shifted_onto_itself, TIMEOUT)
{
	static const size_t shifts[] = { 1, 511, PAGE, PAGE + 3, KIB(64) };
	int i;

	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		size_t shift = shifts[i], length = LENGTH - shift;

		ASSERT_EQ(0, write_all(self->m.fd, self->old));
		/* Private copies of the last round are not the file's. */
		madvise(self->m.map, LENGTH, MADV_DONTNEED);
		ASSERT_EQ(0, LOAD_RANGE(self->m.fd,
					RANGE(0, length,
					      self->m.map + shift)));
		ASSERT_LOADED(self->m.map, 0, shift);
		ASSERT_EQ(0, LOAD_RANGE(self->m.fd,
					RANGE(shift, length, self->m.map)));
	}
}

/* The loop device reads by a thread of the kernel what we are filling. */
TEST_F_TIMEOUT(same_file, by_a_loop_device, TIMEOUT)
{
	int loop;

	ASSERT_EQ(0, write_all(self->m.fd, self->old));
	loop = loop_attach(self->m.fd);
	if (loop < 0)
		SKIP(return, "no loop device");
	ASSERT_EQ(0, LOAD_RANGE(loop, RANGE(0, LENGTH, self->m.map)));
	ASSERT_LOADED(self->m.map, 0, LENGTH);
	ASSERT_EQ(0, LOAD_RANGE(loop, RANGE(PAGE, MIB(1),
					    self->m.map + 8 * PAGE)));
	close(loop);
}

TEST_F_TIMEOUT(same_file, fresh_by_a_loop_device, TIMEOUT)
{
	int loop = loop_attach(self->m.fd);

	if (loop < 0)
		SKIP(return, "no loop device");
	ASSERT_EQ(0, LOAD_RANGE(loop, RANGE(0, LENGTH, self->m.map)));
	ASSERT_TRUE(all_zero(self->m.map, LENGTH));
	close(loop);
}

/*
 * Sources whose reads fail, or do something first
 */

FIXTURE(daemon)
{
	int fd;
	struct ramload_info info;
	struct memory m;
	struct fuse_source *src;
	struct ramload_job_result result;
	bool stores;		/* whether look() stores to the memory */
	int discards;		/* how many times it may be discarded */
};

FIXTURE_VARIANT(daemon)
{
	enum memory_kind kind;
	uint32_t direct;
};

ADD_VARIANTS(daemon)

FIXTURE_SETUP(daemon)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_info(self->fd, &self->info);
	test_setup(self->fd, 3);
	if (memory_map(&self->m, variant->kind, LENGTH, &why))
		SKIP(return, "%s", why.text);
	self->src = fuse_source_start(LENGTH, UINT64_MAX, &why);
	if (!self->src)
		SKIP(return, "%s", why.text);
}

FIXTURE_TEARDOWN(daemon)
{
	fuse_source_stop(self->src);
	close(self->fd);
	memory_unmap(&self->m);
}

#define LOAD_ALL()							\
	LOAD_RANGE(self->src->fd, RANGE(0, LENGTH, self->m.map))

TEST_F_TIMEOUT(daemon, is_like_any_file, TIMEOUT)
{
	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_LOADED(self->m.map, 0, LENGTH);
}

/*
 * Direct reads fail as a whole, so the position may lie before the first byte
 * that cannot be read. What is not loaded reads as before.
 */
TEST_F_TIMEOUT(daemon, fails_in_the_middle, TIMEOUT)
{
	const size_t bad = MIB(1) + 5 * PAGE;
	size_t at;

	self->src->fail_at = bad;
	ASSERT_EQ(-EIO, LOAD_ALL());
	ASSERT_EQ(-EIO, self->result.out_error);
	at = self->result.out_error_offset;
	ASSERT_GE(bad, at);
	if (variant->direct == RAMLOAD_DIRECT_OFF)
		ASSERT_EQ(bad, at);
	ASSERT_LOADED(self->m.map, 0, at);
	at = page_up(at);
	ASSERT_TRUE(pages_zero_or_pattern(self->m.map + at, SEED_SOURCE, at,
					  LENGTH - at));
	ASSERT_TRUE(all_zero(self->m.map + bad, LENGTH - bad));
}

TEST_F_TIMEOUT(daemon, fails_with_old_contents, TIMEOUT)
{
	const size_t bad = MIB(1) + 5 * PAGE;

	pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
	self->src->fail_at = bad;
	ASSERT_EQ(-EIO, LOAD_ALL());
	ASSERT_GE(bad, self->result.out_error_offset);
	ASSERT_LOADED(self->m.map, 0, self->result.out_error_offset);
	ASSERT_TRUE(pattern_matches(self->m.map + bad, SEED_OLD, bad,
				    LENGTH - bad));
	/* It can be loaded when the source has recovered. */
	self->src->fail_at = UINT64_MAX;
	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_LOADED(self->m.map, 0, LENGTH);
}

/*
 * A daemon may be any process. Here it needs the very page that a worker
 * waits for with its read: no worker may hold a lock across a read.
 */
static void look(void *arg, uint64_t offset, uint32_t size)
{
	struct _test_data_daemon *self = arg;
	volatile char *at = self->m.map + offset;

	while (size && offset < LENGTH) {
		(void)*at;
		if (self->stores)
			*at = 1;
		at += PAGE;
		offset += PAGE;
		size -= size < PAGE ? size : PAGE;
	}
}

TEST_F_TIMEOUT(daemon, looks_at_the_destination, TIMEOUT)
{
	fuse_source_set_hook(self->src, look, self);
	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_LOADED(self->m.map, 0, LENGTH);
}

/* A store that races with a load is lost or not, all else is loaded. */
TEST_F_TIMEOUT(daemon, stores_to_the_destination, TIMEOUT)
{
	size_t i;

	fuse_source_set_hook(self->src, look, self);
	self->stores = true;
	ASSERT_EQ(0, LOAD_ALL());
	for (i = 0; i < LENGTH; i += PAGE)
		ASSERT_LOADED(self->m.map + i + 1, i + 1, PAGE - 1);
}

/* The address space can be changed meanwhile. */
static void map_something(void *arg, uint64_t offset, uint32_t size)
{
	struct _test_data_daemon *self = arg;
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(self->m.map, PAGE, PROT_READ);
	mprotect(self->m.map, PAGE, PROT_READ | PROT_WRITE);
	munmap(p, PAGE);
}

TEST_F_TIMEOUT(daemon, maps_something, TIMEOUT)
{
	int err;

	fuse_source_set_hook(self->src, map_something, self);
	err = LOAD_ALL();
	/* The first page may be met when it is read-only. */
	if (!err) {
		ASSERT_LOADED(self->m.map, 0, LENGTH);
	} else {
		ASSERT_EQ(-EFAULT, err);
	}
}

/*
 * Each page may have to be read again, but not for as long as somebody is
 * there to discard it.
 */
#define MAX_DISCARDS	(20 * LENGTH / PAGE)

static void discard(void *arg, uint64_t offset, uint32_t size)
{
	struct _test_data_daemon *self = arg;

	if (offset >= LENGTH || self->discards <= 0)
		return;
	self->discards--;
	if (self->m.fd >= 0)
		fallocate(self->m.fd, FALLOC_FL_PUNCH_HOLE |
			  FALLOC_FL_KEEP_SIZE, offset, size);
	madvise(self->m.map + offset, page_up(size), MADV_DONTNEED);
}

TEST_F_TIMEOUT(daemon, discards_the_destination, TIMEOUT)
{
	int round;

	fuse_source_set_hook(self->src, discard, self);
	for (round = 0; round < 3; round++) {
		self->discards = MAX_DISCARDS;
		ASSERT_EQ(0, LOAD_ALL());
		ASSERT_LT(0, self->discards);
		ASSERT_TRUE(bytes_zero_or_pattern(self->m.map, SEED_SOURCE, 0,
						  LENGTH));
	}
}

static void unmap(void *arg, uint64_t offset, uint32_t size)
{
	struct _test_data_daemon *self = arg;

	if (offset > LENGTH / 2)
		mmap(self->m.map, LENGTH, PROT_NONE, MAP_PRIVATE |
		     MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

TEST_F_TIMEOUT(daemon, unmaps_the_destination, TIMEOUT)
{
	int err;

	fuse_source_set_hook(self->src, unmap, self);
	err = LOAD_ALL();
	ASSERT_TRUE(!err || err == -EFAULT);
}

/* Once, in the middle of the memory and of the read. */
static void shrink(void *arg, uint64_t offset, uint32_t size)
{
	struct _test_data_daemon *self = arg;

	if (offset < LENGTH / 2 || offset + PAGE >= LENGTH || !self->discards)
		return;
	self->discards = 0;
	if (ftruncate(self->m.fd, page_up(offset) + PAGE))
		self->discards = -1;
}

/*
 * Nothing of what was loaded behind the end of the file comes back, except
 * where a huge page cannot be split because it is pinned. A direct read(2)
 * does that, too.
 */
static void load_and_shrink(struct __test_metadata *_metadata,
			    struct _test_data_daemon *self,
			    const struct _fixture_variant_daemon *variant)
{
	size_t end;
	int err;

	self->discards = 1;
	fuse_source_set_hook(self->src, shrink, self);
	err = LOAD_ALL();
	/* The daemon may still be asked for what is read ahead. */
	fuse_source_set_hook(self->src, NULL, NULL);
	ASSERT_EQ(0, self->discards);
	ASSERT_TRUE(!err || err == -EFAULT);
	end = page_up(lseek(self->m.fd, 0, SEEK_END));
	ASSERT_EQ(0, ftruncate(self->m.fd, LENGTH));
	if (variant->kind == MEMORY_MEMFD ||
	    self->info.out_features & RAMLOAD_FEATURE_SHMEM_FILL)
		ASSERT_TRUE(all_zero(self->m.map + end, LENGTH - end));
}

TEST_F_TIMEOUT(daemon, truncates_the_destination, TIMEOUT)
{
	if (self->m.fd < 0)
		SKIP(return, "no file is mapped");
	load_and_shrink(_metadata, self, variant);
	ASSERT_TRUE(bytes_zero_or_pattern(self->m.map, SEED_SOURCE, 0,
					  LENGTH));
}

TEST_F_TIMEOUT(daemon, truncates_old_contents, TIMEOUT)
{
	int round;

	if (self->m.fd < 0)
		SKIP(return, "no file is mapped");
	for (round = 0; round < 5; round++) {
		file_evict(self->src->fd);
		pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
		load_and_shrink(_metadata, self, variant);
	}
}

/* The same memory is loaded by two contexts, one within the other. */
static void load_too(void *arg, uint64_t offset, uint32_t size)
{
	struct _test_data_daemon *self = arg;
	int src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	struct ramload_range range = RANGE(offset, KIB(64),
					   self->m.map + offset);
	int fd = open_device();

	if (offset < LENGTH && !raw_setup(fd, 1))
		load_range(fd, src, &range, NULL);
	close(fd);
	close(src);
}

TEST_F_TIMEOUT(daemon, loads_into_the_destination, TIMEOUT)
{
	fuse_source_set_hook(self->src, load_too, self);
	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_LOADED(self->m.map, 0, LENGTH);
}

TEST_HARNESS_MAIN
