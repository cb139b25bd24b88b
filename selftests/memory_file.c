// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * RAMLOAD_CREATE_MEMORY: a memfd in all but its huge pages, and loads into it
 * of what is in the page cache of the source, or only in part, or not at all.
 */

#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH	MIB(8)
#define HUGE	MIB(2)

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC	0x0020
#endif

FIXTURE(memory_file)
{
	int fd;
	int src;
	struct memory m;
	char *right;
	uint64_t folio_size;
};

static uint64_t folio_size(int fd)
{
	struct ramload_create_memory mem = { .size = sizeof(mem), .length = 1 };

	if (ioctl(fd, RAMLOAD_CREATE_MEMORY, &mem))
		return 0;
	close(mem.out_fd);
	return mem.out_folio_size;
}

FIXTURE_SETUP(memory_file)
{
	struct reason why;
	int dir;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 2);
	self->folio_size = folio_size(self->fd);
	dir = fs_open("ext4", NULL, &why);
	if (dir < 0)
		SKIP(return, "%s", why.text);
	self->src = file_create_pattern(dir, SEED_SOURCE, LENGTH);
	ASSERT_LE(0, self->src);
	self->right = malloc(LENGTH);
	pattern_fill(self->right, SEED_SOURCE, 0, LENGTH);
	ASSERT_EQ(0, memory_map_file(&self->m,
				     raw_create_memory(self->fd, LENGTH, 0),
				     MAP_SHARED, LENGTH, &why));
}

FIXTURE_TEARDOWN(memory_file)
{
	memory_unmap(&self->m);
	free(self->right);
	close(self->src);
	close(self->fd);
}

/*
 * What it is
 */

TEST_F_TIMEOUT(memory_file, is_empty_and_not_executable, TIMEOUT)
{
	int fd = raw_create_memory(self->fd, LENGTH + 1, 0);
	struct stat st;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(LENGTH + 1, st.st_size);
	EXPECT_EQ(0, st.st_blocks);
	EXPECT_EQ(0, st.st_mode & 0111);
	EXPECT_EQ(getuid(), st.st_uid);
	EXPECT_EQ(0, st.st_nlink);
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, ftruncate(fd, PAGE));
	EXPECT_EQ(1, pwrite(fd, "x", 1, PAGE - 1));
	close(fd);
}

TEST_F_TIMEOUT(memory_file, has_seals_if_asked_for, TIMEOUT)
{
	int fd = raw_create_memory(self->fd, LENGTH,
				   RAMLOAD_CREATE_MEMORY_SEALING);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_GET_SEALS) & ~F_SEAL_EXEC);
	EXPECT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	TEST_ERRNO(EPERM, ftruncate(fd, PAGE));
	TEST_ERRNO(EPERM, ftruncate(fd, LENGTH + PAGE));
	close(fd);

	fd = raw_create_memory(self->fd, LENGTH, 0);
	EXPECT_EQ(F_SEAL_SEAL, fcntl(fd, F_GET_SEALS) & ~F_SEAL_EXEC);
	TEST_ERRNO(EPERM, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	close(fd);
}

/* A kernel without the seal lets the mode be changed, but runs nothing. */
TEST_F_TIMEOUT(memory_file, nothing_can_be_executed, TIMEOUT)
{
	char *const argv[] = { "nothing", NULL };
	uint32_t flags;
	int fd;

	for (flags = 0; flags <= RAMLOAD_CREATE_MEMORY_SEALING; flags++) {
		fd = raw_create_memory(self->fd, LENGTH, flags);
		ASSERT_LE(0, fd);
		if (fcntl(fd, F_GET_SEALS) & F_SEAL_EXEC)
			TEST_ERRNO(EPERM, fchmod(fd, 0700));
		else
			ASSERT_EQ(0, fchmod(fd, 0700));
		ASSERT_EQ(4, pwrite(fd, "#!/x", 4, 0));
		TEST_ERRNO(EACCES, fexecve(fd, argv, argv));
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_EXEC,
					   MAP_SHARED, fd, 0));
		EXPECT_EQ(EPERM, errno);
		close(fd);
	}
}

TEST_F_TIMEOUT(memory_file, bad_arguments, TIMEOUT)
{
	const struct rlimit none = { 0, 0 }, little = { LENGTH, LENGTH };
	struct ramload_create_memory mem = {
		.size = sizeof(mem), .length = 1, .__reserved = 1
	};

	test_err_create_memory(EINVAL, self->fd, 0, 0);
	test_err_create_memory(EOPNOTSUPP, self->fd, 1, 2);
	TEST_ERRNO(EOPNOTSUPP, ioctl(self->fd, RAMLOAD_CREATE_MEMORY, &mem));
	test_err_create_memory(EFBIG, self->fd, (uint64_t)LLONG_MAX + 1, 0);
	test_err_create_memory(EFBIG, self->fd, UINT64_MAX, 0);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &little));
	test_err_create_memory(EFBIG, self->fd, LENGTH + 1, 0);
	ASSERT_LE(0, raw_create_memory(self->fd, LENGTH, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	test_err_create_memory(EMFILE, self->fd, 1, 0);
}

/* The number is written to a page that cannot be: no fd is left behind. */
TEST_F_TIMEOUT(memory_file, argument_cannot_be_written, TIMEOUT)
{
	struct ramload_create_memory *mem, good = {
		.size = sizeof(good), .length = 1
	};
	int next = dup(self->fd);

	close(next);
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*mem = good;
	ASSERT_EQ(0, mprotect(mem, PAGE, PROT_READ));
	TEST_ERRNO(EFAULT, ioctl(self->fd, RAMLOAD_CREATE_MEMORY, mem));
	EXPECT_EQ(next, dup(self->fd));
}

TEST_F_TIMEOUT(memory_file, outlives_the_context, TIMEOUT)
{
	int fd = open_device();
	int mem = raw_create_memory(fd, LENGTH, 0);
	char c;

	close(fd);
	ASSERT_EQ(1, pwrite(mem, "x", 1, LENGTH - 1));
	ASSERT_EQ(1, pread(mem, &c, 1, LENGTH - 1));
	EXPECT_EQ('x', c);
	close(mem);
}

/*
 * Loads
 */

static long huge_kib(void)
{
	return read_value("/proc/meminfo", "ShmemHugePages:");
}

TEST_F_TIMEOUT(memory_file, loads_huge_pages, TIMEOUT)
{
	const struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	long before = huge_kib();
	struct stat st;

	if (self->folio_size != HUGE)
		SKIP(return, "pages of %lu bytes", self->folio_size);
	ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
	ASSERT_LE(0, before);
	EXPECT_LE(before + (long)(LENGTH / 1024), huge_kib());
	ASSERT_EQ(0, fstat(self->m.fd, &st));
	EXPECT_EQ(LENGTH / 512, st.st_blocks);
	EXPECT_EQ(0, memcmp(self->m.map, self->right, LENGTH));
}

/* A file that has huge pages where its mapping is advised to have some. */
static int advised_file(struct reason *why)
{
	int dir = fs_open("tmpfs", "huge=advise", why);
	int fd = dir < 0 ? -1 : file_create(dir);

	return fd < 0 || ftruncate(fd, LENGTH) ? -1 : fd;
}

TEST_F_TIMEOUT(memory_file, huge_pages_by_advice, TIMEOUT)
{
	struct ramload_range range;
	struct reason why;
	long before;
	int fd;

	fd = advised_file(&why);
	if (fd < 0 || self->folio_size != HUGE)
		SKIP(return, "%s", fd < 0 ? why.text : "no huge pages");
	memory_unmap(&self->m);
	ASSERT_EQ(0, memory_map_file(&self->m, fd, MAP_SHARED, LENGTH, &why));
	range = RANGE(0, LENGTH, self->m.map);
	before = huge_kib();
	ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
	EXPECT_EQ(0, memcmp(self->m.map, self->right, LENGTH));
	EXPECT_EQ(before, huge_kib());

	memory_discard(&self->m);
	ASSERT_EQ(0, madvise(self->m.map, LENGTH, MADV_HUGEPAGE));
	ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
	EXPECT_EQ(0, memcmp(self->m.map, self->right, LENGTH));
	EXPECT_LE(before + (long)(LENGTH / 1024), huge_kib());
}

/* What is there already stays as it is; what is not loaded is zero. */
TEST_F_TIMEOUT(memory_file, huge_pages_by_advice_in_part, TIMEOUT)
{
	struct ramload_range ranges[2];
	struct reason why;
	int fd;

	fd = advised_file(&why);
	if (fd < 0)
		SKIP(return, "%s", why.text);
	memory_unmap(&self->m);
	ASSERT_EQ(0, memory_map_file(&self->m, fd, MAP_SHARED, LENGTH, &why));
	madvise(self->m.map, LENGTH, MADV_HUGEPAGE);
	/* A small page in one, fallocate() in another, a hole in the third. */
	ASSERT_EQ(PAGE, pwrite(fd, self->right, PAGE, HUGE - PAGE));
	ASSERT_EQ(0, fallocate(fd, 0, HUGE + 5 * PAGE, PAGE));
	ranges[0] = RANGE(PAGE, PAGE, self->m.map + PAGE);
	ranges[1] = RANGE(HUGE + 5 * PAGE, HUGE + 100,
			  self->m.map + HUGE + 5 * PAGE);
	struct ramload_load load = LOAD(self->src, ranges, 2);

	ASSERT_EQ(0, load_wait(self->fd, &load, NULL));
	EXPECT_TRUE(all_zero(self->m.map, PAGE));
	EXPECT_EQ(0, memcmp(self->m.map + PAGE, self->right + PAGE, PAGE));
	EXPECT_TRUE(all_zero(self->m.map + 2 * PAGE, HUGE - 3 * PAGE));
	EXPECT_EQ(0, memcmp(self->m.map + HUGE - PAGE, self->right, PAGE));
	EXPECT_TRUE(all_zero(self->m.map + HUGE, 5 * PAGE));
	EXPECT_EQ(0, memcmp(self->m.map + HUGE + 5 * PAGE,
			    self->right + HUGE + 5 * PAGE, HUGE + 100));
	EXPECT_TRUE(all_zero(self->m.map + 2 * HUGE + 5 * PAGE + 100,
			     2 * HUGE - 5 * PAGE - 100));
}

/* Drops every other of @size bytes from the page cache of the source. */
static void evict_parts(int fd, size_t size)
{
	size_t at;

	for (at = 0; at < LENGTH; at += 2 * size)
		posix_fadvise(fd, at, size, POSIX_FADV_DONTNEED);
}

static void warm(int fd)
{
	char *buf = malloc(LENGTH);

	if (pread(fd, buf, LENGTH, 0) != LENGTH)
		abort();
	free(buf);
}

TEST_F_TIMEOUT(memory_file, source_is_cached_in_part, TIMEOUT)
{
	const struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	size_t size;

	for (size = PAGE; size <= MIB(4); size *= 4) {
		warm(self->src);
		evict_parts(self->src, size);
		memory_discard(&self->m);
		ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
		ASSERT_EQ(0, memcmp(self->m.map, self->right, LENGTH));
	}
}

TEST_F_TIMEOUT(memory_file, source_is_not_cached, TIMEOUT)
{
	const struct ramload_range range = RANGE(0, LENGTH, self->m.map);

	file_evict(self->src);
	ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
	EXPECT_EQ(0, memcmp(self->m.map, self->right, LENGTH));
}

static bool is_present(const uint8_t *bitmap, size_t page)
{
	return bitmap[page / 8] >> page % 8 & 1;
}

/* What is absent is zero, not what the folio held when it was allocated. */
static bool pages_right(const struct memory *m, const char *right,
			const uint8_t *bitmap)
{
	size_t page, at;

	for (page = 0; page < LENGTH / PAGE; page++) {
		at = page * PAGE;
		if (is_present(bitmap, page) ?
		    memcmp(m->map + at, right + at, PAGE) != 0 :
		    !all_zero(m->map + at, PAGE)) {
			printf("# page %zu\n", page);
			return false;
		}
	}
	return true;
}

TEST_F_TIMEOUT(memory_file, absent_pages_are_zero, TIMEOUT)
{
	static const uint8_t patterns[] = { 0x55, 0xaa, 0x01, 0x80, 0x7e, 0x0f };
	uint8_t bitmap[LENGTH / PAGE / 8];
	size_t i, cached;

	for (i = 0; i < 2 * sizeof(patterns); i++) {
		struct ramload_range range = RANGE(0, LENGTH, self->m.map,
						   .bitmap = (uintptr_t)bitmap,
						   .page_size = PAGE);

		cached = i % 2;
		memset(bitmap, patterns[i / 2], sizeof(bitmap));
		/* Nothing of a huge page, and a bit of the next. */
		memset(bitmap + 128, 0, 64);
		bitmap[200] = 0x10;
		warm(self->src);
		if (!cached)
			evict_parts(self->src, MIB(1));
		memory_discard(&self->m);
		ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
		ASSERT_TRUE(pages_right(&self->m, self->right, bitmap));
	}
}

/* Ranges in any order, and twice, within a huge page. */
TEST_F_TIMEOUT(memory_file, ranges_in_any_order, TIMEOUT)
{
	enum { NR = 64 };
	struct ramload_range r[NR];
	size_t i, at;

	for (i = 0; i < NR; i++) {
		at = i * 37 % NR * (LENGTH / NR);
		r[i] = RANGE(at, LENGTH / NR, self->m.map + at);
	}
	struct ramload_load load = LOAD(self->src, r, NR);

	warm(self->src);
	ASSERT_EQ(0, load_wait(self->fd, &load, NULL));
	EXPECT_EQ(0, memcmp(self->m.map, self->right, LENGTH));
}

/* Ranges that adjoin are loaded as one; an error is still of one of them. */
TEST_F_TIMEOUT(memory_file, error_is_of_the_right_range, TIMEOUT)
{
	enum { NR = 16 };
	struct ramload_job_result result;
	struct ramload_range r[NR];
	size_t i;

	for (i = 0; i < NR; i++)
		r[i] = RANGE(i * PAGE, PAGE, self->m.map + i * PAGE);
	ASSERT_EQ(0, ftruncate(self->src, 10 * PAGE + 100));
	struct ramload_load load = LOAD(self->src, r, NR);

	ASSERT_EQ(-ENODATA, load_wait(self->fd, &load, &result));
	EXPECT_EQ(10, result.out_error_range);
	EXPECT_EQ(10 * PAGE + 100, result.out_error_offset);
	EXPECT_EQ(10 * PAGE + 100, result.out_bytes_done);
	EXPECT_EQ(0, memcmp(self->m.map, self->right, 10 * PAGE + 100));
}

/* Also if a range that has nothing present, or is elsewhere, is between them. */
TEST_F_TIMEOUT(memory_file, error_is_not_of_an_absent_range, TIMEOUT)
{
	static const uint8_t absent[2];
	const struct ramload_range r[] = {
		RANGE(0, PAGE, self->m.map),
		RANGE(0, 16 * PAGE, self->m.map + 32 * PAGE,
		      .bitmap = (uintptr_t)absent, .page_size = PAGE),
		RANGE(PAGE, PAGE, self->m.map + PAGE,
		      .bitmap = (uintptr_t)absent, .page_size = PAGE),
		RANGE(PAGE, PAGE, self->m.map + PAGE),
	};
	struct ramload_load load = LOAD(self->src, r, 4);
	struct ramload_job_result result;

	ASSERT_EQ(0, ftruncate(self->src, PAGE + 100));
	ASSERT_EQ(-ENODATA, load_wait(self->fd, &load, &result));
	EXPECT_EQ(3, result.out_error_range);
	EXPECT_EQ(PAGE + 100, result.out_error_offset);
	EXPECT_EQ(PAGE + 100, result.out_bytes_done);
}

/* The file has its last bytes in small pages, and nothing behind them. */
TEST_F_TIMEOUT(memory_file, length_is_odd, TIMEOUT)
{
	const size_t length = HUGE + 3 * PAGE + 5;
	const struct ramload_range range = RANGE(0, length, self->m.map);
	struct stat st;

	ASSERT_EQ(0, ftruncate(self->m.fd, length));
	ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
	EXPECT_EQ(0, memcmp(self->m.map, self->right, length));
	EXPECT_TRUE(all_zero(self->m.map + length, PAGE - 5));
	ASSERT_EQ(0, fstat(self->m.fd, &st));
	EXPECT_EQ((HUGE + 4 * PAGE) / 512, st.st_blocks);
}

TEST_HARNESS_MAIN
