// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Destinations that cannot be loaded, or only in part, or that are unusual;
 * and ranges that meet in memory.
 */

#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH	MIB(2)
#define HOLE	(MIB(1) + 5 * PAGE)

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x0010
#endif

FIXTURE(target)
{
	int fd;
	int src;
	struct memory m;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(target)
{
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(target, memfd) { .kind = MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(target, memfd_private) { .kind = MEMORY_MEMFD_PRIVATE };
FIXTURE_VARIANT_ADD(target, tmpfs_huge) { .kind = MEMORY_TMPFS_HUGE };
FIXTURE_VARIANT_ADD(target, anonymous) { .kind = MEMORY_ANON };
FIXTURE_VARIANT_ADD(target, thp) { .kind = MEMORY_THP };
FIXTURE_VARIANT_ADD(target, file_shared) { .kind = MEMORY_FILE_SHARED };

FIXTURE_SETUP(target)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 3);
	self->src = memfd_create_pattern(SEED_SOURCE, 2 * LENGTH);
	ASSERT_LE(0, self->src);
	if (memory_map(&self->m, variant->kind, LENGTH, &why))
		SKIP(return, "%s", why.text);
}

FIXTURE_TEARDOWN(target)
{
	close(self->fd);
	memory_unmap(&self->m);
}

static int protect(struct memory *m, size_t offset, size_t length, int prot)
{
	return mprotect(m->map + offset, length, prot);
}

/* Loads all of the memory; more members of the load may be given. */
#define LOAD_ALL(...)							\
	({								\
		struct ramload_range __r = RANGE(0, LENGTH, self->m.map); \
		struct ramload_load __l = LOAD(self->src, &__r, 1,	\
					       ##__VA_ARGS__);		\
									\
		load_wait(self->fd, &__l, &self->result);		\
	})

#define ASSERT_LOADED(at, offset, length)				\
	ASSERT_EQ(length, pattern_mismatch(at, SEED_SOURCE, offset, length))

#define ASSERT_FAILED(err, range, offset)				\
	do {								\
		ASSERT_EQ(RAMLOAD_JOB_FAILED, self->result.out_state);	\
		ASSERT_EQ(err, self->result.out_error);			\
		ASSERT_EQ(range, self->result.out_error_range);		\
		ASSERT_EQ(offset, self->result.out_error_offset);	\
	} while (0)

TEST_F_TIMEOUT(target, all_can_be_loaded, TIMEOUT)
{
	char *buf = malloc(LENGTH);

	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_LOADED(self->m.map, 0, LENGTH);
	/* What is mapped shared has got it for good. */
	if (variant->kind == MEMORY_MEMFD || variant->kind == MEMORY_TMPFS_HUGE ||
	    variant->kind == MEMORY_FILE_SHARED) {
		munmap(self->m.map, LENGTH);
		ASSERT_EQ(0, fsync(self->m.fd));
		file_evict(self->m.fd);
		ASSERT_EQ(LENGTH, pread(self->m.fd, buf, LENGTH, 0));
		ASSERT_LOADED(buf, 0, LENGTH);
	}
	free(buf);
}

TEST_F_TIMEOUT(target, inaccessible, TIMEOUT)
{
	char *outside = self->m.map + LENGTH;
	struct ramload_range range = RANGE(4711, 3 * PAGE, outside);

	/* A reservation without access, */
	ASSERT_EQ(-EFAULT, load_range(self->fd, self->src, &range,
				      &self->result));
	ASSERT_FAILED(-EFAULT, 0, 4711);
	ASSERT_EQ(0, self->result.out_bytes_done);
	/* nothing at all, */
	ASSERT_EQ(0, munmap(outside, MIB(2)));
	ASSERT_EQ(-EFAULT, load_range(self->fd, self->src, &range,
				      &self->result));
	ASSERT_FAILED(-EFAULT, 0, 4711);
	/* and the page that is never mapped. */
	range.dest = 0;
	ASSERT_EQ(-EFAULT, load_range(self->fd, self->src, &range,
				      &self->result));
	ASSERT_FAILED(-EFAULT, 0, 4711);
	mmap(outside, MIB(2), PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

TEST_F_TIMEOUT(target, not_writable, TIMEOUT)
{
	static const int prots[] = { PROT_NONE, PROT_READ,
				     PROT_READ | PROT_EXEC };
	int i;

	for (i = 0; i < ARRAY_SIZE(prots); i++) {
		if (protect(&self->m, 0, LENGTH, prots[i]))
			continue;	/* the mount may be noexec */
		ASSERT_EQ(-EFAULT, LOAD_ALL());
		ASSERT_FAILED(-EFAULT, 0, 0);
		ASSERT_EQ(0, protect(&self->m, 0, LENGTH, PROT_READ));
		ASSERT_TRUE(all_zero(self->m.map, LENGTH));
	}
	/* So too when there is something that was written before. */
	ASSERT_EQ(0, protect(&self->m, 0, LENGTH, PROT_READ | PROT_WRITE));
	pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
	ASSERT_EQ(0, protect(&self->m, 0, LENGTH, PROT_READ));
	ASSERT_EQ(-EFAULT, LOAD_ALL());
	ASSERT_TRUE(pattern_matches(self->m.map, SEED_OLD, 0, LENGTH));
}

/* Stores need no right to read. */
TEST_F_TIMEOUT(target, write_only, TIMEOUT)
{
	ASSERT_EQ(0, protect(&self->m, 0, LENGTH, PROT_WRITE));
	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_EQ(0, protect(&self->m, 0, LENGTH, PROT_READ));
	ASSERT_LOADED(self->m.map, 0, LENGTH);
}

/* What is loaded ends where the mapping does, to the byte. */
TEST_F_TIMEOUT(target, hole_in_the_middle, TIMEOUT)
{
	static const uint32_t chunk_sizes[] = { KIB(64), 0 };
	int i;

	ASSERT_EQ(0, protect(&self->m, HOLE, PAGE, PROT_NONE));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(-EFAULT, LOAD_ALL(.chunk_size = chunk_sizes[i]));
		ASSERT_FAILED(-EFAULT, 0, HOLE);
		ASSERT_LE(HOLE, self->result.out_bytes_done);
		ASSERT_GE(LENGTH - PAGE, self->result.out_bytes_done);
		ASSERT_LOADED(self->m.map, 0, HOLE);
	}
	ASSERT_EQ(0, protect(&self->m, HOLE, PAGE, PROT_READ));
	ASSERT_TRUE(all_zero(self->m.map + HOLE, PAGE));
	ASSERT_TRUE(pages_zero_or_pattern(self->m.map + HOLE + PAGE,
					  SEED_SOURCE, HOLE + PAGE,
					  LENGTH - HOLE - PAGE));
}

TEST_F_TIMEOUT(target, hole_met_by_an_unaligned_range, TIMEOUT)
{
	size_t before = HOLE - 12345;
	struct ramload_range range = RANGE(777, before + 2 * PAGE,
					   self->m.map + 12345);

	ASSERT_EQ(0, munmap(self->m.map + HOLE, PAGE));
	ASSERT_EQ(-EFAULT, load_range(self->fd, self->src, &range,
				      &self->result));
	ASSERT_FAILED(-EFAULT, 0, 777 + before);
	ASSERT_LOADED(self->m.map + 12345, 777, before);
	ASSERT_TRUE(all_zero(self->m.map, 12345));
}

TEST_F_TIMEOUT(target, first_of_several_errors_is_told, TIMEOUT)
{
	static const size_t holes[] = { 3, 90, 91, 200, 333, 511 };
	int i, round;

	for (i = 0; i < ARRAY_SIZE(holes); i++)
		ASSERT_EQ(0, protect(&self->m, holes[i] * PAGE, PAGE,
				     PROT_NONE));
	/* With each round, one hole less. */
	for (round = 0; round < ARRAY_SIZE(holes); round++) {
		size_t first = holes[round] * PAGE;

		for (i = 0; i < 20; i++) {
			ASSERT_EQ(-EFAULT, LOAD_ALL(.chunk_size = KIB(64)));
			ASSERT_FAILED(-EFAULT, 0, first);
			ASSERT_LE(first, self->result.out_bytes_done);
		}
		ASSERT_LOADED(self->m.map, 0, first);
		ASSERT_EQ(0, protect(&self->m, first, PAGE,
				     PROT_READ | PROT_WRITE));
	}
	ASSERT_EQ(0, LOAD_ALL());
}

TEST_F_TIMEOUT(target, range_of_an_error_is_told, TIMEOUT)
{
	struct ramload_range ranges[64];
	struct ramload_load load = LOAD(self->src, ranges, 64);
	int i;

	for (i = 0; i < 64; i++)
		ranges[i] = RANGE(i * PAGE, PAGE, self->m.map + i * PAGE);
	ranges[41].dest += LENGTH;
	ranges[50].dest += LENGTH;
	ASSERT_EQ(-EFAULT, load_wait(self->fd, &load, &self->result));
	ASSERT_FAILED(-EFAULT, 41, 41 * PAGE);
	ASSERT_LOADED(self->m.map, 0, 41 * PAGE);
	ASSERT_TRUE(all_zero(self->m.map + 41 * PAGE, PAGE));
}

/* A range may go from one mapping to the next, whatever they are. */
TEST_F_TIMEOUT(target, several_mappings, TIMEOUT)
{
	char *at = self->m.map;
	int fd = memfd_create("middle", MFD_CLOEXEC);

	ASSERT_EQ(0, ftruncate(fd, LENGTH));
	ASSERT_NE(MAP_FAILED, mmap(at + 3 * PAGE, 5 * PAGE,
				   PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_FIXED, fd, 7 * PAGE));
	ASSERT_NE(MAP_FAILED, mmap(at + 8 * PAGE, 5 * PAGE,
				   PROT_READ | PROT_WRITE, MAP_PRIVATE |
				   MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_NE(MAP_FAILED, mmap(at + MIB(1), MIB(1), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_FIXED, fd, MIB(1)));
	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_LOADED(at, 0, LENGTH);
	/* The file got what its shared mapping shows. */
	at = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, at);
	ASSERT_TRUE(all_zero(at, 7 * PAGE));
	ASSERT_LOADED(at + 7 * PAGE, 3 * PAGE, 5 * PAGE);
	ASSERT_TRUE(all_zero(at + 12 * PAGE, LENGTH - 12 * PAGE));
	close(fd);
}

/*
 * Ranges that meet
 */

TEST_F_TIMEOUT(target, ranges_that_overlap, TIMEOUT)
{
	const size_t shift = 100 * PAGE + 11;
	struct ramload_range ranges[2] = {
		RANGE(0, LENGTH, self->m.map),
		RANGE(shift, LENGTH, self->m.map),
	};
	struct ramload_load load = LOAD(self->src, ranges, 2,
					.chunk_size = KIB(64));
	char *a = malloc(LENGTH), *b = malloc(LENGTH);
	size_t i, wrong = 0;

	pattern_fill(a, SEED_SOURCE, 0, LENGTH);
	pattern_fill(b, SEED_SOURCE, shift, LENGTH);
	ASSERT_EQ(0, load_wait(self->fd, &load, &self->result));
	ASSERT_EQ(2 * LENGTH, self->result.out_bytes_done);
	for (i = 0; i < LENGTH; i++)
		wrong += self->m.map[i] != a[i] && self->m.map[i] != b[i];
	ASSERT_EQ(0, wrong);
	free(a);
	free(b);
}

TEST_F_TIMEOUT(target, same_range_many_times, TIMEOUT)
{
	const int nr = 200;
	struct ramload_range *r = calloc(nr, sizeof(*r));
	struct ramload_load load = LOAD(self->src, r, nr);
	int i;

	for (i = 0; i < nr; i++)
		r[i] = RANGE(99, KIB(64), self->m.map + 1);
	ASSERT_EQ(0, load_wait(self->fd, &load, &self->result));
	ASSERT_EQ(nr * KIB(64), self->result.out_bytes_done);
	ASSERT_LOADED(self->m.map + 1, 99, KIB(64));
	ASSERT_EQ(0, self->m.map[0]);
	ASSERT_EQ(0, self->m.map[KIB(64) + 1]);
	free(r);
}

/*
 * Parts of one fresh page come from different ranges, chunks and workers: none
 * may clear what another loaded.
 */
TEST_F_TIMEOUT(target, neighbours_in_a_page, TIMEOUT)
{
	const size_t cuts[] = { 0, 1000, 1001, 3333, PAGE };
	const size_t pages = LENGTH / PAGE;
	struct ramload_range *r = calloc(4 * pages, sizeof(*r));
	struct ramload_load load = LOAD(self->src, r, 4 * pages,
					.chunk_size = KIB(64));
	size_t i, nr = 0, part;

	for (part = 0; part < 4; part++)
		for (i = 0; i < pages; i++) {
			size_t at = i * PAGE + cuts[part];

			r[nr++] = RANGE(at, cuts[part + 1] - cuts[part],
					self->m.map + at);
		}
	ASSERT_EQ(0, load_wait(self->fd, &load, &self->result));
	ASSERT_LOADED(self->m.map, 0, LENGTH);
	free(r);
}

TEST_F_TIMEOUT(target, single_bytes_in_any_order, TIMEOUT)
{
	const size_t nr = 3 * PAGE;
	struct ramload_range *r = calloc(nr, sizeof(*r));
	struct ramload_load load = LOAD(self->src, r, nr);
	size_t i;

	for (i = 0; i < nr; i++) {
		size_t at = i * 7 % nr;

		r[i] = RANGE(at, 1, self->m.map + at);
	}
	ASSERT_EQ(0, load_wait(self->fd, &load, &self->result));
	ASSERT_LOADED(self->m.map, 0, nr);
	ASSERT_TRUE(all_zero(self->m.map + nr, PAGE));
	free(r);
}

/* Bits of 512 bytes to 64 KiB, on memory that is aligned to no page. */
TEST_F_TIMEOUT(target, bitmaps_of_every_page_size, TIMEOUT)
{
	unsigned char bits[LENGTH / 512 / 8];
	uint32_t page_size;
	size_t i;

	for (i = 0; i < sizeof(bits); i++)
		bits[i] = i * 167 ^ i >> 3;
	for (page_size = 512; page_size <= KIB(64); page_size *= 2) {
		size_t nr = (LENGTH - PAGE) / page_size;
		char *dest = self->m.map + 513;
		struct ramload_range range = RANGE(77, nr * page_size, dest,
						   .bitmap = (uintptr_t)bits,
						   .page_size = page_size);

		memset(self->m.map, 0, LENGTH);
		ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
		for (i = 0; i < nr; i++, dest += page_size) {
			if (bits[i / 8] >> i % 8 & 1) {
				ASSERT_LOADED(dest, 77 + i * page_size,
					      page_size);
			} else {
				ASSERT_TRUE(all_zero(dest, page_size));
			}
		}
		ASSERT_TRUE(all_zero(self->m.map, 513));
		ASSERT_TRUE(all_zero(dest, PAGE - 513));
	}
}

/*
 * Memory of one kind only
 */

FIXTURE(special)
{
	int fd;
	int src;
	struct ramload_info info;
	struct memory m;
	struct ramload_job_result result;
};

FIXTURE_SETUP(special)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_info(self->fd, &self->info);
	/* With one worker it is certain which page is the last there is. */
	test_setup(self->fd, 1);
	self->src = memfd_create_pattern(SEED_SOURCE, MIB(16));
	ASSERT_LE(0, self->src);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, LENGTH, &why));
}

FIXTURE_TEARDOWN(special)
{
	close(self->fd);
	memory_unmap(&self->m);
}

TEST_F_TIMEOUT(special, beyond_the_end_of_the_mapped_file, TIMEOUT)
{
	ASSERT_EQ(0, ftruncate(self->m.fd, HOLE));
	ASSERT_EQ(-EFAULT, LOAD_ALL());
	ASSERT_FAILED(-EFAULT, 0, HOLE);
	ASSERT_LOADED(self->m.map, 0, HOLE);
	/* The file did not grow, and has nothing behind its end. */
	ASSERT_EQ(HOLE, lseek(self->m.fd, 0, SEEK_END));
	ASSERT_EQ(0, ftruncate(self->m.fd, LENGTH));
	ASSERT_TRUE(all_zero(self->m.map + HOLE, LENGTH - HOLE));
}

/* As large as a file can be: its end, rounded up to a page, is 2^63. */
TEST_F_TIMEOUT(special, largest_mapped_file, TIMEOUT)
{
	ASSERT_EQ(0, ftruncate(self->m.fd, INT64_MAX));
	self->m.map[0] = 1;
	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_LOADED(self->m.map, 0, LENGTH);
}

/* The last page of a file can be stored to, behind its end too. */
TEST_F_TIMEOUT(special, end_of_the_mapped_file_in_a_page, TIMEOUT)
{
	ASSERT_EQ(0, ftruncate(self->m.fd, HOLE - 100));
	ASSERT_EQ(-EFAULT, LOAD_ALL());
	ASSERT_EQ(RAMLOAD_JOB_FAILED, self->result.out_state);
	ASSERT_LE(HOLE - 100, self->result.out_error_offset);
	ASSERT_GE(HOLE, self->result.out_error_offset);
	ASSERT_LOADED(self->m.map, 0, HOLE - 100);
	/* What a file gets when it grows is zeros all the same. */
	ASSERT_EQ(0, ftruncate(self->m.fd, LENGTH));
	ASSERT_TRUE(all_zero(self->m.map + HOLE, LENGTH - HOLE));
}

TEST_F_TIMEOUT(special, empty_mapped_file, TIMEOUT)
{
	ASSERT_EQ(0, ftruncate(self->m.fd, 0));
	ASSERT_EQ(-EFAULT, LOAD_ALL());
	ASSERT_FAILED(-EFAULT, 0, 0);
	ASSERT_EQ(0, self->result.out_bytes_done);
}

/* It forbids new writable mappings; those that exist can be stored to. */
TEST_F_TIMEOUT(special, seal_future_write, TIMEOUT)
{
	ASSERT_EQ(0, fcntl(self->m.fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE |
			   F_SEAL_GROW | F_SEAL_SHRINK));
	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_LOADED(self->m.map, 0, LENGTH);
}

TEST_F_TIMEOUT(special, sealed_file_mapped_privately, TIMEOUT)
{
	char *private, byte;

	ASSERT_EQ(0, munmap(self->m.map, LENGTH));
	ASSERT_EQ(0, fcntl(self->m.fd, F_ADD_SEALS, F_SEAL_WRITE));
	private = mmap(self->m.map, LENGTH, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_FIXED, self->m.fd, 0);
	ASSERT_EQ(self->m.map, private);
	ASSERT_EQ(0, LOAD_ALL());
	ASSERT_LOADED(private, 0, LENGTH);
	ASSERT_EQ(1, pread(self->m.fd, &byte, 1, 8));
	ASSERT_EQ(0, byte);
	/* It can be mapped shared, but not be stored to. */
	ASSERT_EQ(self->m.map, mmap(self->m.map, LENGTH, PROT_READ,
				    MAP_SHARED | MAP_FIXED, self->m.fd, 0));
	ASSERT_EQ(-EFAULT, LOAD_ALL());
	ASSERT_TRUE(all_zero(self->m.map, LENGTH));
}

TEST_F_TIMEOUT(special, absent_pages_are_not_allocated, TIMEOUT)
{
	unsigned char bits[LENGTH / PAGE / 8] = {};
	struct ramload_range range = RANGE(0, LENGTH, self->m.map,
					   .bitmap = (uintptr_t)bits,
					   .page_size = PAGE);
	struct stat st;
	int i;

	for (i = 0; i < LENGTH / PAGE; i += 17)
		bits[i / 8] |= 1 << i % 8;
	ASSERT_EQ(0, load_range(self->fd, self->src, &range, &self->result));
	ASSERT_EQ(0, fstat(self->m.fd, &st));
	if (st.st_blksize > PAGE)
		SKIP(return, "memfd has large pages here");
	ASSERT_EQ(self->result.out_bytes_total, st.st_blocks * 512);
}

TEST_F_TIMEOUT(special, full_file_system, TIMEOUT)
{
	const size_t room = MIB(1);
	struct reason why;
	char *map;
	int dir, fd;

	dir = fs_open("tmpfs", "size=1M", &why);
	if (dir < 0)
		SKIP(return, "%s", why.text);
	fd = file_create(dir);
	ASSERT_EQ(0, ftruncate(fd, LENGTH));
	map = mmap(self->m.map, LENGTH, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, fd, 0);
	ASSERT_EQ(self->m.map, map);
	ASSERT_NE(0, LOAD_ALL());
	/* Where memory is pinned, all that is known is that it cannot be. */
	if (self->info.out_features & RAMLOAD_FEATURE_SHMEM_FILL) {
		ASSERT_FAILED(-ENOSPC, 0, room);
	} else {
		ASSERT_FAILED(-EFAULT, 0, room);
	}
	ASSERT_LOADED(map, 0, room);
	close(fd);
}

/* No page is left in the pool behind the second. */
TEST_F_TIMEOUT(special, hugetlb_pool_is_empty, TIMEOUT)
{
	struct memory m;
	struct reason why;
	long nr = hugetlb_reserve(3);
	char *map;
	size_t have;

	if (nr < 2 || nr > 6)
		SKIP(return, "the pool has %ld huge pages", nr);
	if (memory_map(&m, MEMORY_HUGETLB, (nr - 2) * MIB(2), &why))
		SKIP(return, "%s", why.text);
	map = mmap(NULL, MIB(8), PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	struct ramload_range range = RANGE(0, MIB(8), map);
	int err = load_range(self->fd, self->src, &range, &self->result);

	ASSERT_TRUE(err == -EFAULT || err == -ENOMEM);
	have = self->result.out_error_offset;
	ASSERT_EQ(MIB(4), have);
	ASSERT_LOADED(map, 0, have);
	munmap(map, MIB(8));
	memory_unmap(&m);
}

TEST_F_TIMEOUT(special, code_and_vdso, TIMEOUT)
{
	const uintptr_t targets[] = {
		getauxval(AT_SYSINFO_EHDR),
		(uintptr_t)protect,		/* code */
		(uintptr_t)"read-only data",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		struct ramload_range range = RANGE(0, 16, targets[i]);

		if (targets[i])
			ASSERT_EQ(-EFAULT, load_range(self->fd, self->src,
						      &range, &self->result));
	}
}

TEST_F_TIMEOUT(special, stack_heap_and_data, TIMEOUT)
{
	static char data[PAGE + 1];
	char stack[PAGE + 1], *heap = malloc(PAGE + 1);
	char *const targets[] = { data, stack, heap };
	int i;

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		struct ramload_range range = RANGE(5, PAGE, targets[i]);

		targets[i][PAGE] = 99;
		ASSERT_EQ(0, load_range(self->fd, self->src, &range,
					&self->result));
		ASSERT_LOADED(targets[i], 5, PAGE);
		ASSERT_EQ(99, targets[i][PAGE]);
	}
	free(heap);
}

/* The result may lie in what is being loaded; nothing else is to be seen. */
TEST_F_TIMEOUT(special, loading_over_the_arguments, TIMEOUT)
{
	struct ramload_range *range = (void *)self->m.map;
	struct ramload_load load = LOAD(self->src, range, 1,
					.flags = RAMLOAD_LOAD_WAIT);

	*range = RANGE(0, LENGTH, self->m.map);
	test_load(self->fd, &load);
	ASSERT_LOADED(self->m.map, 0, LENGTH);
}

/*
 * A child that was forked before the load shares the pages of private memory
 * until one of them stores; it must not see what its parent loads.
 */
TEST_F_TIMEOUT(special, memory_shared_with_a_forked_child, TIMEOUT)
{
	struct reason why;
	struct memory m;
	int status, pipes[2];
	pid_t pid;
	char go;

	ASSERT_EQ(0, memory_map(&m, MEMORY_ANON, LENGTH, &why));
	pattern_fill(m.map, SEED_OLD, 0, LENGTH);
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(read(pipes[0], &go, 1) != 1 ||
		      !pattern_matches(m.map, SEED_OLD, 0, LENGTH));
	struct ramload_range range = RANGE(0, LENGTH, m.map);

	ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
	ASSERT_EQ(1, write(pipes[1], "x", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_LOADED(m.map, 0, LENGTH);
	memory_unmap(&m);
}

TEST_HARNESS_MAIN
