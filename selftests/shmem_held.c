// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What others may do to pages of a memfd while a file is being read into
 * them. The source is a FUSE file whose reads are held, so that it certainly
 * happens then; free memory is poisoned, so that a byte that nobody cleared is
 * seen. All of the memory is compared, through the mapping and by read(2).
 *
 * See also midload.c (closing, ending, F_SEAL_WRITE), source.c (sources that
 * need the destination) and shmem_fill.c (the same at random moments).
 */

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "poison.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_run.h"

#define LENGTH	MIB(2)

/* What is loaded: one chunk, with parts of its first and last page. */
#define FROM	(KIB(64) + 104)
#define TO	(KIB(128) - 200)
#define FIRST	(FROM & ~(PAGE - 1))
#define LAST	(TO & ~(PAGE - 1))

FIXTURE(held)
{
	int fd;
	int job;
	struct ramload_info info;
	struct memory m;
	struct fuse_source *src;
	struct ramload_range range;
	struct ramload_job_result result;
	char *expected;
	char *buf;
};

FIXTURE_VARIANT(held)
{
	enum memory_kind kind;
	uint32_t direct;
	bool old;		/* it has contents before the load */
	bool large;		/* its folios are of 64 KiB */
};

#define ADD_VARIANT(name, memory, how, has_old, is_large)		\
	FIXTURE_VARIANT_ADD(held, name)					\
	{								\
		.kind = memory,						\
		.direct = how,						\
		.old = has_old,						\
		.large = is_large,					\
	};

ADD_VARIANT(fresh_cached, MEMORY_MEMFD, RAMLOAD_DIRECT_OFF, false, false)
ADD_VARIANT(fresh_direct, MEMORY_MEMFD, RAMLOAD_DIRECT_ON, false, false)
ADD_VARIANT(fresh_large, MEMORY_MEMFD, RAMLOAD_DIRECT_ON, false, true)
ADD_VARIANT(fresh_huge, MEMORY_TMPFS_HUGE, RAMLOAD_DIRECT_ON, false, false)
ADD_VARIANT(old_direct, MEMORY_MEMFD, RAMLOAD_DIRECT_ON, true, false)
ADD_VARIANT(old_huge, MEMORY_TMPFS_HUGE, RAMLOAD_DIRECT_ON, true, false)

typedef struct _test_data_held held_t;

#define LARGE_FOLIOS							\
	"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/shmem_enabled"

static int use_large_folios(const char *when)
{
	int fd = open(LARGE_FOLIOS, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, when, strlen(when));

	close(fd);
	return n < 0 ? -1 : 0;
}

FIXTURE_SETUP(held)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_info(self->fd, &self->info);
	if (!(self->info.out_features & RAMLOAD_FEATURE_SHMEM_FILL))
		SKIP(return, "this kernel has no shmem fill");
	test_setup(self->fd, 1);
	self->src = fuse_source_start(LENGTH, 0, &why);
	if (!self->src)
		SKIP(return, "%s", why.text);
	if (variant->large && use_large_folios("always"))
		SKIP(return, "no folios of 64 KiB");
	poison_is_visible();
	poison_free_memory(MIB(64));
	if (memory_map(&self->m, variant->kind, LENGTH, &why))
		SKIP(return, "%s", why.text);
	self->expected = calloc(2, LENGTH);
	ASSERT_NE(NULL, self->expected);
	self->buf = self->expected + LENGTH;
	if (variant->old) {
		pattern_fill(self->expected, SEED_OLD, 0, LENGTH);
		memcpy(self->m.map, self->expected, LENGTH);
	}
	self->range = RANGE(FROM, TO - FROM, self->m.map + FROM);
}

FIXTURE_TEARDOWN(held)
{
	if (variant->large)
		use_large_folios("never");
	if (self->src)
		fuse_source_stop(self->src);
	close(self->fd);
	memory_unmap(&self->m);
	free(self->expected);
}

/* Pages that are visible before they are loaded: a huge one always is. */
static bool in_place(const struct _fixture_variant_held *variant)
{
	return variant->old || variant->kind == MEMORY_TMPFS_HUGE;
}

#define START_HELD()							\
	do {								\
		self->job = start_range(self->fd, self->src->fd,	\
					variant->direct, &self->range);	\
		ASSERT_LE(0, self->job);				\
		fuse_source_wait_held(self->src);			\
	} while (0)

/* Where the memory is not what is expected; LENGTH: nowhere. */
static size_t mismatch(held_t *self)
{
	size_t i;

	for (i = 0; i < LENGTH; i++)
		if (self->m.map[i] != self->expected[i])
			return i;
	if (pread(self->m.fd, self->buf, LENGTH, 0) != LENGTH)
		return -1;
	for (i = 0; i < LENGTH; i++)
		if (self->buf[i] != self->expected[i])
			return i;
	return LENGTH;
}

#define ASSERT_EXPECTED() ASSERT_EQ(LENGTH, mismatch(self))

static void expect_loaded(held_t *self)
{
	pattern_fill(self->expected + FROM, SEED_SOURCE, FROM, TO - FROM);
}

#define FINISH(state)							\
	do {								\
		fuse_source_release(self->src);				\
		test_result(self->job, RAMLOAD_JOB_RESULT_WAIT,		\
			    &self->result);				\
		ASSERT_EQ(state, self->result.out_state);		\
		close(self->job);					\
	} while (0)

#define FINISH_LOADED()							\
	do {								\
		FINISH(RAMLOAD_JOB_DONE);				\
		expect_loaded(self);					\
		ASSERT_EXPECTED();					\
	} while (0)

/* All of it is paged out; what was not marked dirty is dropped. */
static void page_out(held_t *self)
{
	int i;

	for (i = 0; i < 3; i++)
		madvise(self->m.map, LENGTH, MADV_PAGEOUT);
}

/* Reclaim and compaction may have a reference for a moment. */
static int seal(int fd)
{
	double end = run_now() + 30;

	while (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE))
		if (errno != EBUSY || run_now() > end)
			return -1;
	return 0;
}

/* Whoever has a reference to a page too many keeps it from being sealed. */
#define ASSERT_NO_REFERENCE_LEFT()					\
	do {								\
		if (variant->kind != MEMORY_MEMFD)			\
			break;						\
		munmap(self->m.map, LENGTH);				\
		ASSERT_EQ(0, seal(self->m.fd));				\
		ASSERT_NE(MAP_FAILED,					\
			  mmap(self->m.map, LENGTH, PROT_READ,		\
			       MAP_PRIVATE | MAP_FIXED, self->m.fd, 0));	\
		ASSERT_EXPECTED();					\
	} while (0)

TEST_F_TIMEOUT(held, left_alone, TIMEOUT)
{
	START_HELD();
	usleep(10000);
	FINISH_LOADED();
	ASSERT_NO_REFERENCE_LEFT();
}

TEST_F_TIMEOUT(held, paged_out_after, TIMEOUT)
{
	START_HELD();
	FINISH(RAMLOAD_JOB_DONE);
	expect_loaded(self);
	page_out(self);
	ASSERT_EXPECTED();
	ASSERT_NO_REFERENCE_LEFT();
}

/*
 * Faults
 */

TEST_F_TIMEOUT(held, looked_at, TIMEOUT)
{
	START_HELD();
	ASSERT_EXPECTED();
	FINISH_LOADED();
	/* A fault for reading leaves a page clean. */
	page_out(self);
	ASSERT_EXPECTED();
	ASSERT_NO_REFERENCE_LEFT();
}

TEST_F_TIMEOUT(held, read, TIMEOUT)
{
	START_HELD();
	ASSERT_EQ(LENGTH, pread(self->m.fd, self->buf, LENGTH, 0));
	ASSERT_EQ(0, memcmp(self->buf, self->expected, LENGTH));
	FINISH_LOADED();
}

/* What is stored beside the range, and what is stored where it will be. */
static void change(held_t *self, char *to)
{
	pattern_fill(to + FIRST, SEED_LATER, FIRST, FROM - FIRST);
	pattern_fill(to + FROM + PAGE, SEED_LATER, 7, 3 * PAGE);
	pattern_fill(to + TO, SEED_LATER, TO, LAST + PAGE - TO);
	pattern_fill(to + LENGTH - 77, SEED_LATER, 0, 77);
}

TEST_F_TIMEOUT(held, stored_to, TIMEOUT)
{
	START_HELD();
	change(self, self->m.map);
	change(self, self->expected);
	ASSERT_EXPECTED();
	FINISH_LOADED();
}

TEST_F_TIMEOUT(held, stored_to_by_a_child, TIMEOUT)
{
	pid_t pid;
	int status;

	START_HELD();
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (mismatch(self) != LENGTH)
			_exit(1);
		change(self, self->m.map);
		change(self, self->expected);
		_exit(mismatch(self) != LENGTH);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	change(self, self->expected);
	FINISH_LOADED();
}

/*
 * write(2), truncate, hole punch, fallocate
 */

static ssize_t write_part(held_t *self, size_t from, size_t length)
{
	pattern_fill(self->expected + from, SEED_LATER, from, length);
	return pwrite(self->m.fd, self->expected + from, length, from);
}

TEST_F_TIMEOUT(held, written, TIMEOUT)
{
	START_HELD();
	ASSERT_EQ(FROM - FIRST + 33, write_part(self, FIRST, FROM - FIRST + 33));
	ASSERT_EQ(2 * PAGE, write_part(self, FIRST + 3 * PAGE, 2 * PAGE));
	ASSERT_EQ(10, write_part(self, FIRST + 7 * PAGE + 5, 10));
	ASSERT_EQ(PAGE, write_part(self, TO, PAGE));
	ASSERT_EXPECTED();
	FINISH_LOADED();
}

static int punch(held_t *self, size_t from, size_t length)
{
	memset(self->expected + from, 0, length);
	return fallocate(self->m.fd, FALLOC_FL_PUNCH_HOLE |
			 FALLOC_FL_KEEP_SIZE, from, length);
}

/*
 * What is read after the hole was punched is there. If the pages were visible
 * before, it may go with them, as with a direct read(2).
 */
#define FINISH_PUNCHED()						\
	do {								\
		FINISH(RAMLOAD_JOB_DONE);				\
		expect_loaded(self);					\
		if (in_place(variant)) {				\
			ASSERT_TRUE(bytes_zero_or_pattern(		\
					self->m.map + FIRST + PAGE,	\
					SEED_SOURCE, FIRST + PAGE,	\
					LAST - FIRST - PAGE));		\
			memcpy(self->expected + FROM,			\
			       self->m.map + FROM, TO - FROM);		\
		}							\
		ASSERT_EXPECTED();					\
	} while (0)

TEST_F_TIMEOUT(held, punched, TIMEOUT)
{
	START_HELD();
	ASSERT_EQ(0, punch(self, 0, LENGTH));
	ASSERT_EXPECTED();
	FINISH_PUNCHED();
}

TEST_F_TIMEOUT(held, partly_punched, TIMEOUT)
{
	START_HELD();
	ASSERT_EQ(0, punch(self, FIRST + 8, PAGE));
	ASSERT_EQ(0, punch(self, FIRST + 4 * PAGE, PAGE));
	ASSERT_EQ(0, punch(self, LAST - PAGE - 8, PAGE + 16));
	ASSERT_EXPECTED();
	FINISH_PUNCHED();
}

TEST_F_TIMEOUT(held, truncated_and_grown, TIMEOUT)
{
	START_HELD();
	memset(self->expected, 0, LENGTH);
	ASSERT_EQ(0, ftruncate(self->m.fd, 0));
	ASSERT_EQ(0, ftruncate(self->m.fd, LENGTH));
	FINISH_PUNCHED();
}

/* Nothing of what was read behind the end comes back when the file grows. */
static void truncate_held(struct __test_metadata *_metadata, held_t *self,
			  const struct _fixture_variant_held *variant,
			  size_t end)
{
	START_HELD();
	ASSERT_EQ(0, ftruncate(self->m.fd, end));
	memset(self->expected + end, 0, LENGTH - end);
	fuse_source_release(self->src);
	test_result(self->job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	close(self->job);
	/* A visible page is taken out, and loaded all the same. */
	if (!in_place(variant)) {
		ASSERT_EQ(-EFAULT, self->result.out_error);
		ASSERT_EQ(end > FROM ? end : FROM,
			  self->result.out_error_offset);
	}
	ASSERT_EQ(0, ftruncate(self->m.fd, LENGTH));
	expect_loaded(self);
	memset(self->expected + end, 0, LENGTH - end);
	ASSERT_EXPECTED();
}

TEST_F_TIMEOUT(held, truncated_in_the_middle, TIMEOUT)
{
	truncate_held(_metadata, self, variant, FIRST + 5 * PAGE);
}

TEST_F_TIMEOUT(held, truncated_before, TIMEOUT)
{
	truncate_held(_metadata, self, variant, FIRST);
}

TEST_F_TIMEOUT(held, truncated_to_nothing, TIMEOUT)
{
	truncate_held(_metadata, self, variant, 0);
}

/* Its pages are not cleared either. */
TEST_F_TIMEOUT(held, allocated_before, TIMEOUT)
{
	ASSERT_EQ(0, fallocate(self->m.fd, 0, 0, LENGTH));
	START_HELD();
	FINISH_LOADED();
	ASSERT_NO_REFERENCE_LEFT();
}

TEST_F_TIMEOUT(held, allocated, TIMEOUT)
{
	START_HELD();
	ASSERT_EQ(0, fallocate(self->m.fd, 0, FIRST + PAGE, LENGTH - MIB(1)));
	ASSERT_EXPECTED();
	FINISH_LOADED();
}

static void wait_for_blocks(int fd, size_t bytes)
{
	struct stat st;

	while (!fstat(fd, &st) && st.st_blocks < (blkcnt_t)(bytes / 512))
		usleep(1000);
}

/*
 * A fallocate(2) that is killed takes out what it has allocated, and with it
 * the pages that are being loaded, though nobody wants them discarded.
 */
TEST_F_TIMEOUT(held, allocation_is_undone, TIMEOUT)
{
	int status;
	pid_t pid;

	if (variant->old || variant->large || variant->kind != MEMORY_MEMFD)
		SKIP(return, "nothing is undone there");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(fallocate(self->m.fd, FALLOC_FL_KEEP_SIZE, 0, MIB(512)));
	wait_for_blocks(self->m.fd, LENGTH);
	START_HELD();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (status != SIGKILL)
		SKIP(return, "fallocate was too fast");
	FINISH_LOADED();
	ASSERT_NO_REFERENCE_LEFT();
}

/*
 * Reclaim and huge pages
 */

TEST_F_TIMEOUT(held, paged_out, TIMEOUT)
{
	START_HELD();
	page_out(self);
	FINISH(RAMLOAD_JOB_DONE);
	page_out(self);
	expect_loaded(self);
	ASSERT_EXPECTED();
}

TEST_F_TIMEOUT(held, paged_out_before, TIMEOUT)
{
	page_out(self);
	START_HELD();
	FINISH_LOADED();
	ASSERT_NO_REFERENCE_LEFT();
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "3", 1) < 0)
		perror("# drop_caches");
	close(fd);
}

TEST_F_TIMEOUT(held, dropped, TIMEOUT)
{
	START_HELD();
	drop_caches();
	FINISH(RAMLOAD_JOB_DONE);
	drop_caches();
	expect_loaded(self);
	ASSERT_EXPECTED();
}

TEST_F_TIMEOUT(held, collapsed, TIMEOUT)
{
	START_HELD();
	madvise(self->m.map, LENGTH, MADV_HUGEPAGE);
	madvise(self->m.map, LENGTH, MADV_COLLAPSE);
	ASSERT_EXPECTED();
	FINISH(RAMLOAD_JOB_DONE);
	madvise(self->m.map, LENGTH, MADV_COLLAPSE);
	expect_loaded(self);
	ASSERT_EXPECTED();
}

/*
 * Other loaders
 */

static int load_too(held_t *self, size_t from, size_t to)
{
	int src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	struct ramload_range range = RANGE(from, to - from, self->m.map + from);
	int fd = open_device();
	int err = raw_setup(fd, 1) ? -errno :
		  load_range(fd, src, &range, NULL);

	close(fd);
	close(src);
	pattern_fill(self->expected + from, SEED_SOURCE, from, to - from);
	return err;
}

TEST_F_TIMEOUT(held, loaded_by_another, TIMEOUT)
{
	START_HELD();
	ASSERT_EQ(0, load_too(self, FIRST + 16, FROM));
	ASSERT_EQ(0, load_too(self, FIRST + 2 * PAGE + 9, FIRST + 4 * PAGE));
	ASSERT_EQ(0, load_too(self, TO, TO + 2 * PAGE));
	ASSERT_EXPECTED();
	FINISH_LOADED();
	ASSERT_NO_REFERENCE_LEFT();
}

/* Of two that are in the same pages at once, both are right. */
TEST_F_TIMEOUT(held, held_by_another, TIMEOUT)
{
	struct ramload_range range = RANGE(FIRST, PAGE, self->m.map + FIRST);
	int fd = open_device(), job;

	test_setup(fd, 1);
	START_HELD();
	job = start_range(fd, self->src->fd, variant->direct, &range);
	ASSERT_LE(0, job);
	usleep(20000);
	fuse_source_release(self->src);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, self->result.out_state);
	pattern_fill(self->expected + FIRST, SEED_SOURCE, FIRST, PAGE);
	FINISH_LOADED();
	close(job);
	close(fd);
}

/*
 * Seals. For F_SEAL_WRITE, which waits for the load, see midload.c.
 */

TEST_F_TIMEOUT(held, sealed, TIMEOUT)
{
	if (variant->kind != MEMORY_MEMFD)
		SKIP(return, "memory cannot be sealed");
	START_HELD();
	TEST_ERRNO(EBUSY, fcntl(self->m.fd, F_ADD_SEALS, F_SEAL_WRITE));
	ASSERT_EQ(0, fcntl(self->m.fd, F_ADD_SEALS, F_SEAL_GROW |
			   F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE));
	FINISH_LOADED();
	ASSERT_EQ(LENGTH, lseek(self->m.fd, 0, SEEK_END));
	/* The mapping can still be written, so it can be loaded. */
	ASSERT_EQ(0, load_too(self, 0, LENGTH));
	ASSERT_EXPECTED();
	ASSERT_NO_REFERENCE_LEFT();
}

/*
 * Reads that fail or end early
 */

TEST_F_TIMEOUT(held, fails, TIMEOUT)
{
	struct stat before, after;

	ASSERT_EQ(0, fstat(self->m.fd, &before));
	START_HELD();
	self->src->fail_at = 0;
	FINISH(RAMLOAD_JOB_FAILED);
	ASSERT_EQ(-EIO, self->result.out_error);
	ASSERT_EQ(FROM, self->result.out_error_offset);
	ASSERT_EQ(0, self->result.out_bytes_done);
	/* A hole is a hole still. */
	ASSERT_EQ(0, fstat(self->m.fd, &after));
	if (variant->kind == MEMORY_MEMFD)
		ASSERT_EQ(before.st_blocks, after.st_blocks);
	ASSERT_EXPECTED();
	ASSERT_NO_REFERENCE_LEFT();
}

/* Only what was read is loaded, and what was not is as it was. */
TEST_F_TIMEOUT(held, ends_early, TIMEOUT)
{
	const size_t end = FIRST + 6 * PAGE + 1000;

	START_HELD();
	self->src->size = end;
	FINISH(RAMLOAD_JOB_FAILED);
	ASSERT_EQ(-ENODATA, self->result.out_error);
	ASSERT_EQ(end, self->result.out_error_offset);
	ASSERT_EQ(end - FROM, self->result.out_bytes_done);
	pattern_fill(self->expected + FROM, SEED_SOURCE, FROM, end - FROM);
	ASSERT_EXPECTED();
	ASSERT_NO_REFERENCE_LEFT();
}

/* What does not fit into the file is not loaded, nor kept for later. */
TEST_F_TIMEOUT(held, memory_is_longer_than_its_file, TIMEOUT)
{
	const size_t end = FIRST + 6 * PAGE;
	struct stat before, after;

	ASSERT_EQ(0, ftruncate(self->m.fd, end - 10));
	memset(self->expected + end - 10, 0, LENGTH - end + 10);
	ASSERT_EQ(0, fstat(self->m.fd, &before));
	START_HELD();
	FINISH(RAMLOAD_JOB_FAILED);
	ASSERT_EQ(-EFAULT, self->result.out_error);
	ASSERT_EQ(end, self->result.out_error_offset);
	ASSERT_EQ(0, fstat(self->m.fd, &after));
	ASSERT_EQ(before.st_size, after.st_size);
	if (variant->kind == MEMORY_MEMFD && !variant->large)
		ASSERT_GE(end / 512, after.st_blocks);
	ASSERT_EQ(0, ftruncate(self->m.fd, LENGTH));
	expect_loaded(self);
	memset(self->expected + end, 0, LENGTH - end);
	ASSERT_EXPECTED();
}

/*
 * userfaultfd. See userfault.c for memory that is registered before.
 */

#define LONG	MIB(8)
#define SOON	MIB(2)		/* from here on, a load knows */

FIXTURE(registered)
{
	int fd;
	int job;
	struct ramload_info info;
	struct memory m;
	struct fuse_source *src;
	struct ramload_job_result result;
	int uffd;
	pthread_t thread;
	atomic_bool stop;
	unsigned char seen[LONG / PAGE];
};

typedef struct _test_data_registered registered_t;

static int open_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int register_missing(registered_t *self)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)self->m.map, LONG },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	return ioctl(self->uffd, UFFDIO_REGISTER, &reg);
}

static void bring_page(registered_t *self, uint64_t page)
{
	static char old[PAGE] __attribute__((aligned(4096)));
	struct uffdio_copy copy = {
		.dst = page, .src = (uintptr_t)old, .len = PAGE,
	};
	struct uffdio_range range = { page, PAGE };
	size_t offset = page - (uintptr_t)self->m.map;

	self->seen[offset / PAGE] = 1;
	pattern_fill(old, SEED_OLD, offset, PAGE);
	if (ioctl(self->uffd, UFFDIO_COPY, &copy))
		ioctl(self->uffd, UFFDIO_WAKE, &range);
}

static void *handler(void *arg)
{
	registered_t *self = arg;
	struct pollfd pfd = { .fd = self->uffd, .events = POLLIN };
	struct uffd_msg msg;

	while (!self->stop)
		if (poll(&pfd, 1, 50) > 0 &&
		    read(self->uffd, &msg, sizeof(msg)) == sizeof(msg))
			bring_page(self, msg.arg.pagefault.address &
				   ~(uint64_t)(PAGE - 1));
	return NULL;
}

FIXTURE_SETUP(registered)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_info(self->fd, &self->info);
	if (!(self->info.out_features & RAMLOAD_FEATURE_SHMEM_FILL))
		SKIP(return, "this kernel has no shmem fill");
	test_setup(self->fd, 1);
	self->uffd = open_userfaultfd();
	if (self->uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(errno));
	self->src = fuse_source_start(LONG, 0, &why);
	if (!self->src)
		SKIP(return, "%s", why.text);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, LONG, &why));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, handler, self));
}

FIXTURE_TEARDOWN(registered)
{
	if (self->thread) {
		self->stop = true;
		pthread_join(self->thread, NULL);
	}
	if (self->src)
		fuse_source_stop(self->src);
	close(self->uffd);
	close(self->fd);
	memory_unmap(&self->m);
}

static int start_long(registered_t *self)
{
	struct ramload_range range = RANGE(0, LONG, self->m.map);
	struct ramload_load load = LOAD(self->src->fd, &range, 1,
					.direct = RAMLOAD_DIRECT_ON,
					.chunk_size = MIB(1024));

	return raw_load(self->fd, &load) ? -1 : load.out_job_fd;
}

/* What is being read is not missing any more; what comes later is. */
TEST_F_TIMEOUT(registered, while_held, TIMEOUT)
{
	size_t i;

	self->job = start_long(self);
	ASSERT_LE(0, self->job);
	fuse_source_wait_held(self->src);
	if (register_missing(self))
		SKIP(return, "userfaultfd: %s", strerror(errno));
	fuse_source_release(self->src);
	test_result(self->job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, self->result.out_state);
	for (i = SOON; i < LONG; i += PAGE)
		ASSERT_EQ(1, self->seen[i / PAGE]);
	ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0, LONG));
	close(self->job);
}

/* Who falls back on userfaultfd when a load fails, misses no page. */
TEST_F_TIMEOUT(registered, after_a_failure, TIMEOUT)
{
	self->src->fail_at = 0;
	self->job = start_long(self);
	ASSERT_LE(0, self->job);
	fuse_source_wait_held(self->src);
	fuse_source_release(self->src);
	test_result(self->job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(-EIO, self->result.out_error);
	if (register_missing(self))
		SKIP(return, "userfaultfd: %s", strerror(errno));
	ASSERT_TRUE(pattern_matches(self->m.map, SEED_OLD, 0, LONG));
	close(self->job);
}

/* The same, where it would be read again what somebody has interfered with. */
TEST_F_TIMEOUT(registered, after_interference, TIMEOUT)
{
	struct stat st;

	self->job = start_long(self);
	ASSERT_LE(0, self->job);
	fuse_source_wait_held(self->src);
	self->m.map[0] = 1;
	ASSERT_EQ(0, raw_cancel(self->job));
	fuse_source_release(self->src);
	test_result(self->job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(-ECANCELED, self->result.out_error);
	ASSERT_EQ(0, self->result.out_error_offset);
	ASSERT_EQ(0, fstat(self->m.fd, &st));
	ASSERT_EQ(PAGE / 512, st.st_blocks);
	if (register_missing(self))
		SKIP(return, "userfaultfd: %s", strerror(errno));
	ASSERT_TRUE(pattern_matches(self->m.map + PAGE, SEED_OLD, PAGE,
				    LONG - PAGE));
	close(self->job);
}

TEST_HARNESS_MAIN
