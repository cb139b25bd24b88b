// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Images in pieces that are not in the page cache: several reads of a worker
 * are under way at a time, and small gaps are read with what lies around them,
 * to nowhere.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "fault_disk.h"
#include "fuse_source.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_process.h"

#define LENGTH		MIB(4)
#define DISK_SIZE	MIB(320)
#define PAGES		(LENGTH / PAGE)

/* The module reads through the first, not the second. */
#define SMALL_GAP	PAGE
#define LARGE_GAP	KIB(64)

enum destination { MEMFD, ANON, TMPFS_HUGE, MADE, DESTINATIONS };

static const uint32_t directs[] = {
	RAMLOAD_DIRECT_ON, RAMLOAD_DIRECT_AUTO, RAMLOAD_DIRECT_OFF,
};

/* Returns 0, or -1 if the machine has no such memory. */
static int map_destination(int fd, struct memory *m, enum destination dest,
			   struct reason *why)
{
	static const enum memory_kind kinds[] = {
		MEMORY_MEMFD, MEMORY_ANON, MEMORY_TMPFS_HUGE,
	};

	if (dest != MADE)
		return memory_map(m, kinds[dest], LENGTH, why);
	return memory_map_file(m, raw_create_memory(fd, LENGTH, 0), MAP_SHARED,
			       LENGTH, why);
}

/* Pieces of a file that go to the same offset of the memory. */
struct pieces {
	struct ramload_range ranges[PAGES];
	unsigned int nr;
	uint64_t bytes;
};

static void add_piece(struct pieces *p, const struct memory *m, uint64_t at,
		      uint64_t length)
{
	p->ranges[p->nr++] = RANGE(at, length, m->map + at);
	p->bytes += length;
}

static void add_pieces(struct pieces *p, const struct memory *m,
		       uint64_t length, uint64_t gap)
{
	uint64_t at;

	*p = (struct pieces){};
	for (at = 0; at + length <= LENGTH; at += length + gap)
		add_piece(p, m, at, length);
}

/* Pieces and gaps of 1 to 9 of @unit. */
static void add_random_pieces(struct pieces *p, const struct memory *m,
			      uint64_t unit)
{
	uint64_t at = unit * (random() % 9);
	uint64_t length;

	*p = (struct pieces){};
	while (p->nr < PAGES) {
		length = unit * (1 + random() % 9);
		if (at + length > LENGTH)
			break;
		add_piece(p, m, at, length);
		at += length + unit * (1 + random() % 9);
	}
}

/* Is what the pieces say loaded, and are @old bytes between them? */
static bool is_loaded(const struct pieces *p, const struct memory *m,
		      bool old)
{
	uint64_t end = 0;
	unsigned int i;

	for (i = 0; i <= p->nr; i++) {
		const struct ramload_range *r = &p->ranges[i];
		uint64_t at = i < p->nr ? r->file_offset : LENGTH;

		if (old ? !pattern_matches(m->map + end, SEED_OLD, end,
					   at - end) :
			  !all_zero(m->map + end, at - end))
			return false;
		if (i == p->nr)
			break;
		end = at + r->length;
		if (!pattern_matches(m->map + at, SEED_SOURCE, at, r->length))
			return false;
	}
	return true;
}

static int load_pieces(int fd, int src, const struct pieces *p,
		       uint32_t direct, struct ramload_job_result *result)
{
	struct ramload_load load = LOAD(src, p->ranges, p->nr,
					.direct = direct);

	file_evict(src);
	return load_wait(fd, &load, result);
}

/*
 * The first number that the kernel tells of a disk: of its "stat", reads that
 * it has answered; of "inflight", those that it has not.
 */
static long disk_count(int disk, const char *what)
{
	struct stat st;
	char path[64];
	long count = -1;
	FILE *file;

	if (fstat(disk, &st))
		return -1;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s",
		 major(st.st_rdev), minor(st.st_rdev), what);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%ld", &count) != 1)
		count = -1;
	fclose(file);
	return count;
}

FIXTURE(fragmented)
{
	int fd;
	struct fault_disk disk;
	int dir;
	int src;
	struct memory m;
	struct pieces p;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(fragmented)
{
	const char *fs;		/* NULL: none, the disk itself is read */
};

FIXTURE_VARIANT_ADD(fragmented, raw) { .fs = NULL };
FIXTURE_VARIANT_ADD(fragmented, ext4) { .fs = "ext4" };
FIXTURE_VARIANT_ADD(fragmented, btrfs) { .fs = "btrfs" };

typedef struct _test_data_fragmented fragmented_t;

FIXTURE_SETUP(fragmented)
{
	struct reason why;

	self->dir = -1;
	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 1);
	if (fault_disk_make(&self->disk, DISK_SIZE, &why))
		SKIP(return, "%s", why.text);
	if (variant->fs) {
		self->dir = fault_disk_mount(&self->disk, variant->fs, &why);
		if (self->dir < 0)
			SKIP(return, "%s", why.text);
	}
	self->src = fault_disk_source(&self->disk, self->dir, LENGTH);
	ASSERT_LE(0, self->src);
}

FIXTURE_TEARDOWN(fragmented)
{
	if (self->disk.fd >= 0)
		fault_disk_set_bad(&self->disk, "error", 0, 0);
	close(self->fd);
	close(self->src);
	close(self->dir);
	memory_unmap(&self->m);
	fault_disk_remove(&self->disk);
}

static int64_t place(const fragmented_t *self, uint64_t offset)
{
	return fault_disk_where(self->src, offset);
}

#define MAP(dest)							\
	do {								\
		struct reason _why;					\
									\
		ASSERT_EQ(0, map_destination(self->fd, &self->m, dest,	\
					     &_why));			\
	} while (0)

#define ASSERT_LOADS(direct, old)					\
	do {								\
		ASSERT_EQ(0, load_pieces(self->fd, self->src, &self->p,	\
					 direct, &self->result));	\
		ASSERT_EQ(self->p.bytes, self->result.out_bytes_done);	\
		ASSERT_TRUE(is_loaded(&self->p, &self->m, old));	\
	} while (0)

TEST_F_TIMEOUT(fragmented, what_lies_between_is_not_touched, TIMEOUT)
{
	struct ramload_info info;
	enum destination dest;
	struct reason why;
	unsigned int i;

	test_info(self->fd, &info);
	srandom(1);
	for (dest = 0; dest < DESTINATIONS; dest++) {
		if (dest == MADE &&
		    !(info.out_features & RAMLOAD_FEATURE_MEMORY))
			continue;
		for (i = 0; i < ARRAY_SIZE(directs) * 4; i++) {
			bool old = i & 2;

			if (map_destination(self->fd, &self->m, dest, &why))
				break;
			if (old)
				pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
			add_random_pieces(&self->p, &self->m,
					  i & 1 ? PAGE : 512);
			ASSERT_LOADS(directs[i / 4], old);
			memory_unmap(&self->m);
		}
	}
}

/* Ranges that do not go on in memory where they go on in the file, and turn. */
TEST_F_TIMEOUT(fragmented, pieces_in_another_order, TIMEOUT)
{
	unsigned int i;
	uint64_t from;

	MAP(MEMFD);
	for (i = 0; i < PAGES; i++)
		self->p.ranges[i] = RANGE((PAGES - 1 - i) * PAGE, PAGE,
					  self->m.map + i * PAGE);
	self->p.nr = PAGES;
	ASSERT_EQ(0, load_pieces(self->fd, self->src, &self->p,
				 RAMLOAD_DIRECT_ON, &self->result));
	for (i = 0; i < PAGES; i++) {
		from = (PAGES - 1 - i) * PAGE;
		ASSERT_TRUE(pattern_matches(self->m.map + i * PAGE,
					    SEED_SOURCE, from, PAGE));
	}
}

/* Returns how many reads a load of the pieces is. */
static long count_reads(fragmented_t *self, uint64_t gap)
{
	long before;

	add_pieces(&self->p, &self->m, PAGE, gap);
	before = disk_count(self->disk.fd, "stat");
	if (load_pieces(self->fd, self->src, &self->p, RAMLOAD_DIRECT_ON,
			NULL) || !is_loaded(&self->p, &self->m, false))
		return -1;
	return disk_count(self->disk.fd, "stat") - before;
}

TEST_F_TIMEOUT(fragmented, small_gaps_are_read_through, TIMEOUT)
{
	struct ramload_info info;
	enum destination dest;
	long reads;

	test_info(self->fd, &info);
	if (!(info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "what kernel threads read to is charged to nobody");
	for (dest = 0; dest <= ANON; dest++) {
		MAP(dest);
		reads = count_reads(self, LARGE_GAP);
		TH_LOG("%ld reads of %u pieces far apart", reads, self->p.nr);
		ASSERT_GE(reads, self->p.nr);
		memory_unmap(&self->m);
		MAP(dest);
		reads = count_reads(self, SMALL_GAP);
		TH_LOG("%ld reads of %u pieces close together", reads,
		       self->p.nr);
		ASSERT_LT(0, reads);
		ASSERT_LT(reads, self->p.nr / 4);
		memory_unmap(&self->m);
	}
}

/* A gap that cannot be read does not matter. */
TEST_F_TIMEOUT(fragmented, bad_sector_in_a_gap, TIMEOUT)
{
	enum destination dest;

	for (dest = 0; dest <= ANON; dest++) {
		MAP(dest);
		add_pieces(&self->p, &self->m, PAGE, PAGE);
		ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error",
						place(self, 301 * PAGE),
						PAGE));
		ASSERT_LOADS(RAMLOAD_DIRECT_ON, false);
		memory_unmap(&self->m);
	}
}

static void bad_piece(struct __test_metadata *_metadata, fragmented_t *self,
		      uint64_t gap)
{
	enum destination dest;
	unsigned int i, bad;

	for (dest = 0; dest <= ANON; dest++) {
		MAP(dest);
		add_pieces(&self->p, &self->m, PAGE, gap);
		bad = self->p.nr / 2 + 3;
		ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error",
						place(self, self->p.ranges[bad]
						      .file_offset), PAGE));
		ASSERT_EQ(-EIO, load_pieces(self->fd, self->src, &self->p,
					    RAMLOAD_DIRECT_ON, &self->result));
		ASSERT_EQ(bad, self->result.out_error_range);
		ASSERT_EQ(self->p.ranges[bad].file_offset,
			  self->result.out_error_offset);
		for (i = 0; i < bad; i++)
			ASSERT_TRUE(pattern_matches((char *)(uintptr_t)
						    self->p.ranges[i].dest,
						    SEED_SOURCE,
						    self->p.ranges[i]
						    .file_offset, PAGE));
		ASSERT_TRUE(pages_zero_or_pattern(self->m.map, SEED_SOURCE, 0,
						  LENGTH));
		ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error", 0, 0));
		ASSERT_LOADS(RAMLOAD_DIRECT_ON, false);
		memory_unmap(&self->m);
	}
}

TEST_F_TIMEOUT(fragmented, bad_sector_among_small_gaps, TIMEOUT)
{
	bad_piece(_metadata, self, PAGE);
}

TEST_F_TIMEOUT(fragmented, bad_sector_among_large_gaps, TIMEOUT)
{
	bad_piece(_metadata, self, LARGE_GAP);
}

/* The file ends where pieces are still to come. */
TEST_F_TIMEOUT(fragmented, file_is_shorter, TIMEOUT)
{
	const uint64_t end = MIB(1) + 3 * PAGE + 100;
	enum destination dest;
	unsigned int i;

	if (self->dir < 0)
		SKIP(return, "a disk does not get shorter");
	ASSERT_EQ(0, close(self->src));
	self->src = file_create_pattern(self->dir, SEED_SOURCE, end);
	for (dest = 0; dest <= ANON; dest++) {
		MAP(dest);
		add_pieces(&self->p, &self->m, 2 * PAGE, PAGE);
		ASSERT_EQ(-ENODATA, load_pieces(self->fd, self->src, &self->p,
						RAMLOAD_DIRECT_ON,
						&self->result));
		for (i = 0; i < self->p.nr; i++)
			if (self->p.ranges[i].file_offset + 2 * PAGE > end)
				break;
		ASSERT_EQ(i, self->result.out_error_range);
		ASSERT_EQ(end, self->result.out_error_offset);
		ASSERT_EQ(i * 2 * PAGE +
			  (end - self->p.ranges[i].file_offset),
			  self->result.out_bytes_done);
		ASSERT_TRUE(bytes_zero_or_pattern(self->m.map, SEED_SOURCE, 0,
						  LENGTH));
		memory_unmap(&self->m);
	}
}

/* The disk answers no more; pieces of it are to be loaded. */
static int hang(fragmented_t *self)
{
	add_pieces(&self->p, &self->m, PAGE, LARGE_GAP);
	file_evict(self->src);
	return fault_disk_hang(&self->disk);
}

/* Starts to load them. Returns the job, or -1. */
static int start_load(const fragmented_t *self, int fd)
{
	struct ramload_load load = LOAD(self->src, self->p.ranges, self->p.nr,
					.direct = RAMLOAD_DIRECT_ON);

	if (raw_load(fd, &load))
		return -1;
	usleep(50000);
	return load.out_job_fd;
}

/*
 * What is under way is waited for, and is right; what is not, does not begin.
 * Closed, a job stores to memory no more.
 */
static bool cancelled(struct __test_metadata *_metadata, fragmented_t *self,
		      enum destination dest)
{
	bool waited;
	int job;

	MAP(dest);
	ASSERT_EQ(0, hang(self));
	job = start_load(self, self->fd);
	ASSERT_LE(0, job);
	test_cancel(job);
	usleep(20000);
	waited = !job_is_done(job);
	ASSERT_EQ(0, fault_disk_answer(&self->disk));
	ASSERT_EQ(0, close(job));
	ASSERT_TRUE(pages_zero_or_pattern(self->m.map, SEED_SOURCE, 0, LENGTH));
	pattern_fill(self->m.map, SEED_LATER, 0, LENGTH);
	usleep(20000);
	ASSERT_TRUE(pattern_matches(self->m.map, SEED_LATER, 0, LENGTH));
	memory_unmap(&self->m);
	return waited;
}

/* Again, if the worker was not at the disk yet: nothing was under way then. */
TEST_F_TIMEOUT(fragmented, cancelled_while_the_disk_hangs, TIMEOUT)
{
	enum destination dest;

	for (dest = 0; dest <= ANON; dest++)
		while (!cancelled(_metadata, self, dest))
			;
}

/*
 * The memory's file becomes shorter while the disk is to write behind its new
 * end, and one of the reads before that fails. What was behind the end is zero
 * when it grows again. (If pages are pinned, that of a huge page may be what was
 * read, as after a direct read(2) of anybody.)
 */
static void truncated(struct __test_metadata *_metadata, fragmented_t *self,
		      uint64_t bad)
{
	const uint64_t end = MIB(1) + PAGE;	/* in what is under way */
	int job;

	pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
	ASSERT_EQ(0, hang(self));
	job = start_load(self, self->fd);
	ASSERT_LE(0, job);
	ASSERT_EQ(0, ftruncate(self->m.fd, end));
	/* That makes the disk answer, too. */
	ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error",
					place(self, 0), bad));
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	if (bad)
		ASSERT_EQ(-EIO, self->result.out_error);
	close(job);
	ASSERT_EQ(0, ftruncate(self->m.fd, LENGTH));
	ASSERT_TRUE(all_zero(self->m.map + end, LENGTH - end));
	ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error", 0, 0));
}

TEST_F_TIMEOUT(fragmented, truncated_while_the_disk_hangs, TIMEOUT)
{
	struct ramload_info info;
	enum destination dest;
	struct reason why;

	test_info(self->fd, &info);
	if (!(info.out_features & RAMLOAD_FEATURE_SHMEM_FILL))
		SKIP(return, "pinned pages are written to as by a direct read");
	for (dest = 0; dest < DESTINATIONS; dest++) {
		if (dest == ANON || dest == MADE ||
		    map_destination(self->fd, &self->m, dest, &why))
			continue;
		truncated(_metadata, self, 0);
		memory_discard(&self->m);
		truncated(_metadata, self, PAGE);
		memory_unmap(&self->m);
	}
}

/* The memory goes while the disk is to write to it. */
TEST_F_TIMEOUT(fragmented, unmapped_while_the_disk_hangs, TIMEOUT)
{
	enum destination dest;
	int job;

	for (dest = 0; dest <= ANON; dest++) {
		MAP(dest);
		ASSERT_EQ(0, hang(self));
		job = start_load(self, self->fd);
		ASSERT_LE(0, job);
		memory_unmap(&self->m);
		ASSERT_EQ(0, fault_disk_answer(&self->disk));
		test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
		ASSERT_TRUE(!self->result.out_error ||
			    self->result.out_error == -EFAULT);
		close(job);
	}
}

static void loader_main(const fragmented_t *self, int ready)
{
	int fd = open_device();

	if (raw_setup(fd, 1) || start_load(self, fd) < 0)
		_exit(1);
	if (write(ready, "r", 1) == 1)
		pause();
	_exit(1);
}

TEST_F_TIMEOUT(fragmented, killed_while_the_disk_hangs, TIMEOUT)
{
	enum destination dest;
	int status, ready[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	for (dest = 0; dest <= ANON; dest++) {
		MAP(dest);
		ASSERT_EQ(0, hang(self));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			loader_main(self, ready[1]);
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		usleep(20000);
		ASSERT_EQ(0, fault_disk_answer(&self->disk));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(SIGKILL, status);
		/* A kernel thread may be at work on a page for a moment. */
		while (!pages_zero_or_pattern(self->m.map, SEED_SOURCE, 0,
					      LENGTH))
			usleep(1000);
		memory_unmap(&self->m);
	}
}

/* A disk whose reads are held: a loop device on a file of a FUSE daemon. */
FIXTURE(held_disk)
{
	int fd;
	struct fuse_source *slow;
	int loop;
	struct memory m;
	struct pieces p;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(held_disk)
{
	enum destination dest;
	uint32_t direct;
};

FIXTURE_VARIANT_ADD(held_disk, memfd) {
	.dest = MEMFD, .direct = RAMLOAD_DIRECT_ON,
};
FIXTURE_VARIANT_ADD(held_disk, memfd_auto) {
	.dest = MEMFD, .direct = RAMLOAD_DIRECT_AUTO,
};
FIXTURE_VARIANT_ADD(held_disk, memfd_cached) {
	.dest = MEMFD, .direct = RAMLOAD_DIRECT_OFF,
};
FIXTURE_VARIANT_ADD(held_disk, anon) {
	.dest = ANON, .direct = RAMLOAD_DIRECT_ON,
};
FIXTURE_VARIANT_ADD(held_disk, anon_auto) {
	.dest = ANON, .direct = RAMLOAD_DIRECT_AUTO,
};
FIXTURE_VARIANT_ADD(held_disk, anon_cached) {
	.dest = ANON, .direct = RAMLOAD_DIRECT_OFF,
};

FIXTURE_SETUP(held_disk)
{
	struct reason why;

	self->loop = -1;
	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 1);
	ASSERT_EQ(0, map_destination(self->fd, &self->m, variant->dest, &why));
	self->slow = fuse_source_start(LENGTH, LENGTH, &why);
	if (!self->slow)
		SKIP(return, "%s", why.text);
	self->loop = loop_attach(self->slow->fd);
	if (self->loop < 0)
		SKIP(return, "no loop device on FUSE");
}

FIXTURE_TEARDOWN(held_disk)
{
	if (self->slow)
		fuse_source_release(self->slow);
	close(self->loop);
	close(self->fd);
	if (self->slow)
		fuse_source_stop(self->slow);
	memory_unmap(&self->m);
}

/* Past the page cache, or by reading ahead. */
TEST_F_TIMEOUT(held_disk, several_reads_are_under_way, TIMEOUT)
{
	struct ramload_load load;
	long reads = 0;

	add_pieces(&self->p, &self->m, PAGE, LARGE_GAP);
	load = LOAD(self->loop, self->p.ranges, self->p.nr,
		    .direct = variant->direct);
	file_evict(self->loop);
	file_evict(self->slow->fd);
	atomic_store(&self->slow->gate, 0);
	test_load(self->fd, &load);
	while (reads < 16) {
		reads = disk_count(self->loop, "inflight");
		ASSERT_LE(0, reads);
		ASSERT_FALSE(job_is_done(load.out_job_fd));
		usleep(1000);
	}
	fuse_source_release(self->slow);
	test_result(load.out_job_fd, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(0, self->result.out_error);
	ASSERT_EQ(self->p.bytes, self->result.out_bytes_done);
	ASSERT_TRUE(is_loaded(&self->p, &self->m, false));
	close(load.out_job_fd);
}

TEST_HARNESS_MAIN
