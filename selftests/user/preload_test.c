// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * The shim under a program that loads as QEMU does: what it answers, and what
 * it must leave alone. Whatever happens, each read has the outcome that it has
 * without the shim, and memory is written to by nobody but reads.
 */
#include <sys/time.h>

#include "preload_util.h"
#include "../../user/shim/preload_options.h"
#include "kselftest_harness.h"

#define LENGTH		(80 * MiB)
#define PAGES		(LENGTH / PAGE)
/* More slices than are loaded ahead */
#define LONG		(288 * MiB)
#define TIMEOUT_MS	100000
/* Machines are slow where a CPU is emulated. */
#define TEST_SECONDS	600

/* Before the constructor of the shim */
__attribute__((constructor(101))) static void set_environment(void)
{
	setenv("RAMLOAD_PRELOAD", "on", 1);
}

FIXTURE(preload)
{
	struct image image;
	uint8_t *block;
	int summary;
	char line[512];
};

FIXTURE_VARIANT(preload)
{
	enum ramload_engine engine;
};

FIXTURE_VARIANT_ADD(preload, user)
{
	.engine = RAMLOAD_ENGINE_USER,
};

FIXTURE_VARIANT_ADD(preload, kernel)
{
	.engine = RAMLOAD_ENGINE_KERNEL,
};

FIXTURE_SETUP(preload)
{
	int pipes[2];

	if (variant->engine == RAMLOAD_ENGINE_KERNEL &&
	    access("/dev/ramload", R_OK | W_OK))
		SKIP(return, "no ramload module");
	ASSERT_TRUE(preload_options.on);
	ASSERT_EQ(0, pipe(pipes));
	preload_options.engine = variant->engine;
	preload_options.summary_fd = pipes[1];
	self->summary = pipes[0];
	ASSERT_EQ(0, make_image(&self->image, 0, LENGTH, ALTERNATING, 1));
	self->block = map_block(LENGTH);
	ASSERT_NE(NULL, self->block);
}

FIXTURE_TEARDOWN(preload)
{
	unmap_block(self->block, LENGTH);
	free_image(&self->image);
}

static bool next_summary(FIXTURE_DATA(preload) *self)
{
	ssize_t n;

	if (!is_readable(self->summary, TIMEOUT_MS))
		return false;
	n = read(self->summary, self->line, sizeof(self->line) - 1);
	self->line[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static long value(FIXTURE_DATA(preload) *self, const char *word)
{
	return summary_value(self->line, word);
}

/* The image anew, with another pattern or place. */
static int other_image(FIXTURE_DATA(preload) *self, uint64_t start,
		       enum pattern pattern)
{
	free_image(&self->image);
	return make_image(&self->image, start, LENGTH, pattern, 1);
}

/* A read that no library sees */
static ssize_t bare_pread(int fd, void *to, size_t length, off_t at)
{
	return syscall(SYS_pread64, fd, to, length, at);
}

static const enum pattern patterns[] = { DENSE, ALTERNATING, RUNS };

TEST_F_TIMEOUT(preload, same_bytes, TEST_SECONDS)
{
	long reads;

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, other_image(self, i * 4097, patterns[i]));
		unmap_block(self->block, LENGTH);
		self->block = map_block(LENGTH);
		ASSERT_EQ(0, begin_load(&self->image));
		reads = load_rest(&self->image, self->block, 0);
		ASSERT_LT(0, reads);
		ASSERT_TRUE(image_holds(&self->image, self->block));
		ASSERT_TRUE(next_summary(self));
		EXPECT_EQ(reads, value(self, "answered")) {
			TH_LOG("%s", self->line);
		}
		EXPECT_EQ(1, value(self, "blocks"));
		for (const char *const *word = (const char *const []){ "again",
		     "failed", "late", "other", "changed", "remapped", NULL };
		     *word; word++)
			EXPECT_EQ(0, value(self, *word));
	}
}

struct channel {
	const struct image *image;
	uint8_t *block;
	_Atomic uint64_t *next;
	int fd;
	bool ok;
};

/* As multifd does: whoever is free takes the next run. */
static void *run_channel(void *arg)
{
	struct channel *channel = arg;
	const uint64_t step = 64;
	uint64_t page;

	channel->ok = true;
	while ((page = atomic_fetch_add(channel->next, step)) < PAGES)
		if (load_pages(channel->image, channel->fd, channel->block,
			       page, page + step) < 0)
			channel->ok = false;
	return NULL;
}

static bool run_channels(FIXTURE_DATA(preload) *self, int flags)
{
	struct channel channels[4];
	pthread_t threads[4];
	_Atomic uint64_t next = 0;
	char path[40];
	bool ok = true;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->image.fd);
	for (int i = 0; i < 4; i++) {
		channels[i] = (struct channel){
			.image = &self->image,
			.block = self->block,
			.next = &next,
			.fd = open(path, O_RDONLY | O_CLOEXEC | flags),
		};
		pthread_create(&threads[i], NULL, run_channel, &channels[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		close(channels[i].fd);
		ok = ok && channels[i].ok;
	}
	return ok;
}

TEST_F_TIMEOUT(preload, threads, TEST_SECONDS)
{
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_TRUE(run_channels(self, 0));
	EXPECT_TRUE(image_holds(&self->image, self->block));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(PAGES / 2, value(self, "answered")) {
		TH_LOG("%s", self->line);
	}
}

TEST_F_TIMEOUT(preload, threads_direct, TEST_SECONDS)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->image.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (fd < 0)
		SKIP(return, "no direct I/O on this file system");
	close(fd);
	fsync(self->image.fd);
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_TRUE(run_channels(self, O_DIRECT));
	EXPECT_TRUE(image_holds(&self->image, self->block));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(PAGES / 2, value(self, "answered"));
}

/* Alignment is refused as the file system does. */
TEST_F_TIMEOUT(preload, direct_unaligned, TEST_SECONDS)
{
	struct iovec iov = { self->block + 512, PAGE };
	ssize_t want, got;
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->image.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (fd < 0)
		SKIP(return, "no direct I/O on this file system");
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	got = preadv(fd, &iov, 1, self->image.pages_at + 100);
	want = bare_pread(fd, iov.iov_base, iov.iov_len,
			  self->image.pages_at + 100);
	EXPECT_EQ(want, got);
	close(fd);
}

/* QEMU without a block's advice: nothing is a block. */
TEST_F_TIMEOUT(preload, memory_that_is_no_block, TEST_SECONDS)
{
	ASSERT_EQ(0, madvise(self->block, LENGTH, MADV_DOFORK));
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	usleep(100000);
	EXPECT_TRUE(pages_hold(&self->image, self->block, 0, 1));
	for (uint64_t page = 1; page < PAGES; page++)
		ASSERT_TRUE(page_is_zero(self->block + page * PAGE));
	ASSERT_LT(0, load_rest(&self->image, self->block, 1));
	EXPECT_TRUE(image_holds(&self->image, self->block));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(0, value(self, "answered"));
	EXPECT_EQ(0, value(self, "blocks"));
}

/* A bounce buffer that is too short to be the block, with canaries around it */
TEST_F_TIMEOUT(preload, short_buffer, TEST_SECONDS)
{
	uint8_t *buffer = map_block(8 * MiB);

	ASSERT_NE(NULL, buffer);
	memset(buffer, FRESH, 8 * MiB);
	ASSERT_EQ(0, begin_load(&self->image));
	for (uint64_t page = 0; page < PAGES; page += 2) {
		ASSERT_EQ(PAGE, read_page_to(&self->image, self->image.fd, page,
					     buffer));
		ASSERT_TRUE(page_holds(buffer, 1, page));
	}
	EXPECT_TRUE(is_fresh(buffer + PAGE, 8 * MiB - PAGE));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(0, value(self, "answered"));
	unmap_block(buffer, 8 * MiB);
}

/* The implied block begins in the middle of memory that is advised. */
TEST_F_TIMEOUT(preload, middle_of_a_mapping, TEST_SECONDS)
{
	uint8_t *memory = map_block(LENGTH + MiB);

	ASSERT_NE(NULL, memory);
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_LT(0, load_rest(&self->image, memory + MiB, 0));
	EXPECT_TRUE(image_holds(&self->image, memory + MiB));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(0, value(self, "blocks"));
	unmap_block(memory, LENGTH + MiB);
}

/* Of blocks that lie side by side, each is its own. */
TEST_F_TIMEOUT(preload, read_only_memory, TEST_SECONDS)
{
	struct iovec iov = { self->block, PAGE };

	ASSERT_EQ(0, mprotect(self->block, LENGTH, PROT_READ));
	ASSERT_EQ(0, begin_load(&self->image));
	EXPECT_EQ(-1, preadv(self->image.fd, &iov, 1, self->image.pages_at));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, mprotect(self->block, LENGTH, PROT_READ | PROT_WRITE));
	ASSERT_LT(0, load_rest(&self->image, self->block, 0));
	EXPECT_TRUE(image_holds(&self->image, self->block));
}

/*
 * It becomes so while jobs run; what they fail to load is an error of
 * the read.
 */
TEST_F_TIMEOUT(preload, becomes_read_only, TEST_SECONDS)
{
	struct iovec iov = { self->block + 70 * MiB, PAGE };

	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	ASSERT_EQ(0, mprotect(self->block + 70 * MiB, 10 * MiB, PROT_READ));
	(void)preadv(self->image.fd, &iov, 1, self->image.pages_at + 70 * MiB);
	ASSERT_EQ(0, mprotect(self->block + 70 * MiB, 10 * MiB,
			      PROT_READ | PROT_WRITE));
	ASSERT_LT(0, load_rest(&self->image, self->block, 0));
	EXPECT_TRUE(image_holds(&self->image, self->block));
}

TEST_F_TIMEOUT(preload, other_address, TEST_SECONDS)
{
	uint8_t *to = self->block + 101 * PAGE;

	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	/* Far ahead: a job would write there later. */
	for (uint64_t page = 2; page < 2000; page += 2) {
		to = self->block + (PAGES - page) * PAGE;
		ASSERT_EQ(PAGE, read_page_to(&self->image, self->image.fd, page,
					     to));
		ASSERT_TRUE(page_holds(to, 1, page));
	}
	usleep(200000);
	for (uint64_t page = 2; page < 2000; page += 2)
		ASSERT_TRUE(page_holds(self->block + (PAGES - page) * PAGE, 1,
				       page));
}

/* What is read belongs to the reader, whatever is still loaded. */
TEST_F_TIMEOUT(preload, written_to_after_it_was_read, TEST_SECONDS)
{
	ASSERT_EQ(0, begin_load(&self->image));
	for (uint64_t page = 0; page < PAGES; page += 2) {
		ASSERT_EQ(PAGE, read_page(&self->image, self->block, page));
		ASSERT_TRUE(page_holds(self->block + page * PAGE, 1, page));
		memset(self->block + page * PAGE, FRESH, PAGE);
	}
	usleep(100000);
	for (uint64_t page = 0; page < PAGES; page += 2)
		ASSERT_TRUE(is_fresh(self->block + page * PAGE, PAGE));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(PAGES / 2, value(self, "answered"));
}

TEST_F_TIMEOUT(preload, read_again, TEST_SECONDS)
{
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(1000, load_pages(&self->image, self->image.fd, self->block, 0,
				   2000));
	memset(self->block, FRESH, 2000 * PAGE);
	for (uint64_t page = 0; page < 2000; page += 2)
		ASSERT_EQ(PAGE, read_page(&self->image, self->block, page));
	for (uint64_t page = 1; page < 2000; page += 2)
		memset(self->block + page * PAGE, 0, PAGE);
	ASSERT_LT(0, load_rest(&self->image, self->block, 2000));
	EXPECT_TRUE(image_holds(&self->image, self->block));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(1000, value(self, "again"));
	EXPECT_EQ(PAGES / 2, value(self, "answered"));
}

/* From the end to the beginning, a page of each slice by turns */
TEST_F_TIMEOUT(preload, out_of_order, TEST_SECONDS)
{
	for (uint64_t i = 0; i < 2; i++) {
		ASSERT_EQ(0, begin_load(&self->image));
		for (uint64_t n = PAGES / 2; n--;) {
			uint64_t page = i ? n * 2 : n * 7919 % (PAGES / 2) * 2;

			ASSERT_EQ(PAGE, read_page(&self->image, self->block,
						  page));
		}
		EXPECT_TRUE(image_holds(&self->image, self->block));
		ASSERT_TRUE(next_summary(self));
		EXPECT_EQ(PAGES / 2, value(self, "answered"));
		unmap_block(self->block, LENGTH);
		self->block = map_block(LENGTH);
	}
}

TEST_F_TIMEOUT(preload, odd_reads, TEST_SECONDS)
{
	const uint64_t at = self->image.pages_at;
	struct iovec iov[2] = { { self->block + 4 * PAGE, 100 },
				{ self->block + 4 * PAGE + 100, 200 } };
	uint8_t want[3 * PAGE];

	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	ASSERT_EQ(300, preadv(self->image.fd, iov, 2, at + 4 * PAGE));
	ASSERT_EQ(300, bare_pread(self->image.fd, want, 300, at + 4 * PAGE));
	EXPECT_EQ(0, memcmp(want, self->block + 4 * PAGE, 300));

	/* Two present pages, and what the file has for the absent one */
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	iov[0] = (struct iovec){ self->block + 8 * PAGE, 3 * PAGE };
	ASSERT_EQ(3 * PAGE, preadv(self->image.fd, iov, 1, at + 8 * PAGE));
	ASSERT_EQ(3 * PAGE, bare_pread(self->image.fd, want, 3 * PAGE,
				       at + 8 * PAGE));
	EXPECT_EQ(0, memcmp(want, self->block + 8 * PAGE, 3 * PAGE));

	iov[0] = (struct iovec){ self->block, 0 };
	EXPECT_EQ(0, preadv(self->image.fd, iov, 1, at));
	EXPECT_EQ(0, preadv(self->image.fd, iov, 0, at));

	ASSERT_EQ(0, begin_load(&self->image));
	iov[0] = (struct iovec){ self->block + 4 * PAGE, 100 };
	ASSERT_EQ(100, preadv(self->image.fd, iov, 1, at + 4 * PAGE));
	memset(self->block + 4 * PAGE, FRESH, 100);
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	usleep(100000);
	EXPECT_TRUE(is_fresh(self->block + 4 * PAGE, 100));
}

/* The compiler knows too much of preadv(). */
static ssize_t (*volatile wrong_preadv)(int fd, const struct iovec *iov, int nr,
					off_t at) = preadv;

TEST_F_TIMEOUT(preload, errors, TEST_SECONDS)
{
	struct iovec iov = { self->block + 2 * PAGE, PAGE };
	const uint64_t at = self->image.pages_at + 2 * PAGE;
	static const int flags[] = { O_WRONLY, O_PATH };
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->image.fd);
	for (int i = 0; i < 4; i++) {
		int fd = i < 2 ? open(path, flags[i] | O_CLOEXEC) : -1;

		ASSERT_EQ(0, begin_load(&self->image));
		ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
		errno = 0;
		EXPECT_EQ(-1, i == 3 ? preadv(self->image.fd, &iov, 1, -1) :
			  preadv(fd, &iov, 1, at));
		EXPECT_EQ(i == 3 ? EINVAL : EBADF, errno);
		if (fd >= 0)
			close(fd);
	}
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	EXPECT_EQ(-1, wrong_preadv(self->image.fd, NULL, 1, at));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, wrong_preadv(self->image.fd, &iov, -1, at));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, wrong_preadv(self->image.fd, &iov, 100000, at));
	EXPECT_EQ(EINVAL, errno);
	iov.iov_base = (void *)8;
	EXPECT_EQ(-1, preadv(self->image.fd, &iov, 1, at));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F_TIMEOUT(preload, file_changes, TEST_SECONDS)
{
	uint64_t words[PAGE / 8];

	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	/* All is loaded by then, or nearly so. */
	usleep(200000);
	make_page(words, 2, PAGES - 2);
	ASSERT_EQ(PAGE, pwrite(self->image.fd, words, PAGE,
			       self->image.pages_at + (PAGES - 2) * PAGE));
	ASSERT_LT(0, load_rest(&self->image, self->block, 1));
	EXPECT_TRUE(page_holds(self->block + (PAGES - 2) * PAGE, 2, PAGES - 2));
	EXPECT_TRUE(pages_hold(&self->image, self->block, 0, PAGES - 2));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(1, value(self, "answered"));
	EXPECT_EQ(1, value(self, "changed"));
}

TEST_F_TIMEOUT(preload, file_truncated, TEST_SECONDS)
{
	uint64_t end = self->image.pages_at + 60 * MiB + 1000;
	struct iovec iov = { self->block + 60 * MiB, PAGE };

	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	usleep(200000);
	ASSERT_EQ(0, ftruncate(self->image.fd, end));
	EXPECT_EQ(1000, preadv(self->image.fd, &iov, 1,
			       self->image.pages_at + 60 * MiB));
	iov.iov_base = self->block + 61 * MiB;
	EXPECT_EQ(0, preadv(self->image.fd, &iov, 1,
			    self->image.pages_at + 61 * MiB));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(1, value(self, "changed"));
}

/* Nobody can say of such a file whether it changes. */
TEST_F_TIMEOUT(preload, file_from_the_future, TEST_SECONDS)
{
	struct timespec times[2];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec += 3600;
	times[1] = times[0];
	ASSERT_EQ(0, futimens(self->image.fd, times));
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_LT(0, load_rest(&self->image, self->block, 0));
	EXPECT_TRUE(image_holds(&self->image, self->block));
	ASSERT_TRUE(next_summary(self));
	EXPECT_NE(NULL, strstr(self->line, "unused"));
}

TEST_F_TIMEOUT(preload, fd_of_another_file, TEST_SECONDS)
{
	struct image other;
	int kept;

	ASSERT_EQ(0, make_image(&other, 0, LENGTH, ALTERNATING, 2));
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	usleep(200000);
	kept = dup(self->image.fd);
	ASSERT_EQ(self->image.fd, dup2(other.fd, self->image.fd));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, PAGES - 2));
	EXPECT_TRUE(page_holds(self->block + (PAGES - 2) * PAGE, 2,
			       PAGES - 2));
	/* The file itself, on another number, and the block is given up. */
	ASSERT_EQ(PAGE, read_page_to(&self->image, kept, 2,
				     self->block + 2 * PAGE));
	EXPECT_TRUE(page_holds(self->block + 2 * PAGE, 1, 2));
	usleep(100000);
	EXPECT_TRUE(page_holds(self->block + (PAGES - 2) * PAGE, 2,
			       PAGES - 2));
	close(kept);
	free_image(&other);
}

TEST_F_TIMEOUT(preload, duplicates, TEST_SECONDS)
{
	ASSERT_EQ(0, begin_load(&self->image));
	for (uint64_t page = 0; page < PAGES; page += 2) {
		int fd = dup(self->image.fd);

		ASSERT_EQ(PAGE, read_page_to(&self->image, fd, page,
					     self->block + page * PAGE));
		close(fd);
	}
	EXPECT_TRUE(image_holds(&self->image, self->block));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(PAGES / 2, value(self, "answered"));
}

/* The block is not there in a child, which reads elsewhere. */
static int child_reads(const struct image *image, uint8_t *block)
{
	struct iovec iov = { block + 2 * PAGE, PAGE };
	uint8_t page[PAGE];

	if (preadv(image->fd, &iov, 1, image->pages_at + 2 * PAGE) != -1 ||
	    errno != EFAULT)
		return 1;
	for (uint64_t i = 0; i < PAGES; i += 2)
		if (read_page_to(image, image->fd, i, page) != PAGE ||
		    !page_holds(page, image->seed, i))
			return 2;
	/* New memory in the place of the block is memory as any other. */
	if (mmap(block, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != block ||
	    load_rest(image, block, 0) < 0 || !image_holds(image, block))
		return 3;
	return 0;
}

static int status_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

TEST_F_TIMEOUT(preload, fork, TEST_SECONDS)
{
	pid_t pid;

	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	pid = fork();
	if (!pid)
		_exit(child_reads(&self->image, self->block));
	ASSERT_LT(0, load_rest(&self->image, self->block, 1));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_TRUE(image_holds(&self->image, self->block));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(PAGES / 2, value(self, "answered"));
}

/* A clone that no handler of fork is told of */
TEST_F_TIMEOUT(preload, bare_clone, TEST_SECONDS)
{
	pid_t pid;

	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (!pid)
		_exit(child_reads(&self->image, self->block));
	EXPECT_EQ(0, status_of(pid));
}

/* As with -daemonize: the child loads. Its parent did, too. */
TEST_F_TIMEOUT(preload, child_loads, TEST_SECONDS)
{
	pid_t pid;

	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_LT(0, load_rest(&self->image, self->block, 0));
	ASSERT_TRUE(next_summary(self));
	pid = fork_settled();
	if (!pid) {
		uint8_t *block = map_block(LENGTH);

		if (begin_load(&self->image) ||
		    load_rest(&self->image, block, 0) < 0)
			_exit(1);
		_exit(!image_holds(&self->image, block) ||
		      !is_readable(self->summary, TIMEOUT_MS));
	}
	EXPECT_EQ(0, status_of(pid));
	ASSERT_TRUE(next_summary(self));
	EXPECT_EQ(PAGES / 2, value(self, "answered"));
}

static struct {
	const struct image *image;
	uint8_t *block;
	uint64_t page;
	volatile unsigned int calls;
	bool bad;
} in_handler;

/* Reads a page of its own, and one of the block. */
static void handle_signal(int signal)
{
	uint8_t page[PAGE];
	uint64_t own = in_handler.page / 2 * 2;

	(void)signal;
	in_handler.calls++;
	in_handler.page = (in_handler.page + 7919) % PAGES;
	if (read_page_to(in_handler.image, in_handler.image->fd, own, page) !=
	    PAGE || !page_holds(page, in_handler.image->seed, own))
		in_handler.bad = true;
	if (read_page(in_handler.image, in_handler.block, own) != PAGE ||
	    !page_holds(in_handler.block + own * PAGE, in_handler.image->seed,
			own))
		in_handler.bad = true;
}

TEST_F_TIMEOUT(preload, signals, TEST_SECONDS)
{
	struct sigaction action = { .sa_handler = handle_signal };
	struct itimerval often = { { 0, 300 }, { 0, 300 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };

	in_handler.image = &self->image;
	in_handler.block = self->block;
	ASSERT_EQ(0, begin_load(&self->image));
	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &often, NULL);
	for (uint64_t page = 0; page < PAGES; page += 2) {
		while (read_page(&self->image, self->block, page) != PAGE)
			ASSERT_EQ(EINTR, errno);
		free(malloc(page));
	}
	while (in_handler.calls < 100)
		;
	setitimer(ITIMER_PROF, &never, NULL);
	EXPECT_FALSE(in_handler.bad);
	EXPECT_TRUE(image_holds(&self->image, self->block));
}

static void *read_and_be_cancelled(void *arg)
{
	FIXTURE_DATA(preload) *self = arg;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	read_page(&self->image, self->block, 2);
	return self;
}

TEST_F_TIMEOUT(preload, cancellation_point, TEST_SECONDS)
{
	pthread_t thread;
	sigset_t set;
	void *result;

	sigemptyset(&set);
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(PAGE, read_page(&self->image, self->block, 0));
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_create(&thread, NULL, read_and_be_cancelled, self);
	pthread_join(thread, &result);
	EXPECT_EQ(self, result);
	ASSERT_LT(0, load_rest(&self->image, self->block, 4));
	EXPECT_TRUE(image_holds(&self->image, self->block));
}

static bool is_zero(const uint8_t *p, uint64_t length)
{
	for (uint64_t at = 0; at < length; at += PAGE)
		if (!page_is_zero(p + at))
			return false;
	return true;
}

enum change {
	UNMAPPED,
	MAPPED_OVER,
	MOVED_AWAY,
	MOVED_OVER,
};

/* Afterwards there is fresh memory at @at. */
static bool change_memory(enum change change, uint8_t *at, uint64_t length)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	int rights = PROT_READ | PROT_WRITE;
	uint8_t *other = mmap(NULL, length, rights, flags, -1, 0);

	switch (change) {
	case UNMAPPED:
		munmap(at, length);
		break;
	case MAPPED_OVER:
		return mmap(at, length, rights, flags | MAP_FIXED, -1, 0) == at;
	case MOVED_AWAY:
		mremap(at, length, length, MREMAP_MAYMOVE | MREMAP_FIXED,
		       other);
		break;
	case MOVED_OVER:
		return mremap(other, length, length,
			      MREMAP_MAYMOVE | MREMAP_FIXED, at) == at;
	}
	return mmap(at, length, rights, flags | MAP_FIXED_NOREPLACE, -1, 0) ==
	       at;
}

/* No job writes to memory that has come in the place of the block's. */
TEST_F_TIMEOUT(preload, memory_changes, TEST_SECONDS)
{
	struct image image;

	ASSERT_EQ(0, make_image(&image, 0, LONG, DENSE, 3));
	for (int change = UNMAPPED; change <= MOVED_OVER; change++) {
		uint8_t *block = map_block(LONG);
		uint8_t *half = block + LONG / 2;

		ASSERT_EQ(0, begin_load(&image));
		ASSERT_EQ(PAGE, read_page(&image, block, 0));
		ASSERT_TRUE(change_memory(change, half, LONG / 2));
		ASSERT_TRUE(is_zero(half, LONG / 2));
		usleep(100000);
		ASSERT_TRUE(is_zero(half, LONG / 2)) {
			TH_LOG("change %d", change);
		}
		ASSERT_LT(0, load_rest(&image, block, 1));
		EXPECT_TRUE(image_holds(&image, block));
		ASSERT_TRUE(next_summary(self));
		EXPECT_EQ(1, value(self, "remapped"));
		unmap_block(block, LONG);
	}
	free_image(&image);
}

/*
 * Something else is read into the block's memory, by readv() and by preadv():
 * to where one of the jobs that may be under way comes last.
 */
TEST_F_TIMEOUT(preload, foreign_reads, TEST_SECONDS)
{
	const uint64_t length = 64 * KiB;
	struct image image, foreign;

	ASSERT_EQ(0, make_image(&image, 0, LONG, DENSE, 3));
	ASSERT_EQ(0, make_image(&foreign, 0, length, DENSE, 4));
	for (int i = 1; i < 7; i++) {
		uint8_t *block = map_block(LONG);
		uint8_t *end = block + (i + 1) * 32 * MiB - length;
		struct iovec iov = { end, length };
		off_t at = foreign.pages_at;

		ASSERT_EQ(0, begin_load(&image));
		ASSERT_EQ(at, lseek(foreign.fd, at, SEEK_SET));
		ASSERT_EQ(PAGE, read_page(&image, block, 0));
		ASSERT_EQ(length, i % 2 ? preadv(foreign.fd, &iov, 1, at) :
			  readv(foreign.fd, &iov, 1));
		usleep(300000);
		EXPECT_TRUE(pages_hold(&foreign, end, 0, length / PAGE));
		unmap_block(block, LONG);
	}
	free_image(&foreign);
	free_image(&image);
}

/* Again into the same memory, after a load that ended early or did not */
TEST_F_TIMEOUT(preload, second_load, TEST_SECONDS)
{
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_LT(0, load_pages(&self->image, self->image.fd, self->block, 0,
				PAGES / 3));
	for (int i = 0; i < 2; i++) {
		for (uint64_t page = 0; page < PAGES; page += 2)
			memset(self->block + page * PAGE, FRESH, PAGE);
		ASSERT_EQ(0, begin_load(&self->image));
		if (!i) {
			ASSERT_TRUE(next_summary(self));
			EXPECT_EQ((PAGES / 3 + 1) / 2, value(self, "answered"));
		}
		ASSERT_LT(0, load_rest(&self->image, self->block, 0));
		EXPECT_TRUE(image_holds(&self->image, self->block));
		ASSERT_TRUE(next_summary(self));
		EXPECT_EQ(PAGES / 2, value(self, "answered"));
	}
}

TEST_F_TIMEOUT(preload, two_images, TEST_SECONDS)
{
	uint8_t *other_block = map_block(LENGTH);
	struct image other;

	/* Two streams in one file would do as well; these are two files. */
	ASSERT_EQ(0, make_image(&other, 4097, LENGTH, RUNS, 2));
	ASSERT_EQ(0, begin_load(&self->image));
	ASSERT_EQ(0, begin_load(&other));
	for (uint64_t page = 0; page < PAGES; page += 64) {
		ASSERT_LE(0, load_pages(&self->image, self->image.fd,
					self->block, page, page + 64));
		ASSERT_LE(0, load_pages(&other, other.fd, other_block, page,
					page + 64));
	}
	EXPECT_TRUE(image_holds(&self->image, self->block));
	EXPECT_TRUE(image_holds(&other, other_block));
	/* Both lines may come at once. */
	ASSERT_TRUE(next_summary(self));
	EXPECT_LT(0, value(self, "answered"));
	EXPECT_EQ(0, value(self, "other"));
	unmap_block(other_block, LENGTH);
	free_image(&other);
}

/* Not more than is promised is loaded ahead of who reads. */
TEST_F_TIMEOUT(preload, not_far_ahead, TEST_SECONDS)
{
	struct image image;
	uint8_t *block = map_block(LONG);

	ASSERT_EQ(0, make_image(&image, 0, LONG, DENSE, 3));
	ASSERT_EQ(0, begin_load(&image));
	ASSERT_EQ(PAGE, read_page(&image, block, 0));
	usleep(500000);
	for (uint64_t at = 8 * 32 * MiB; at < LONG; at += PAGE)
		ASSERT_TRUE(page_is_zero(block + at));
	ASSERT_LT(0, load_rest(&image, block, 1));
	EXPECT_TRUE(image_holds(&image, block));
	unmap_block(block, LONG);
	free_image(&image);
}

static bool is_memfd(int fd)
{
	char path[40], name[256] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, name, sizeof(name) - 1) > 0 &&
	       !strncmp(name, "/memfd:memory-backend-memfd", 27);
}

TEST_F_TIMEOUT(preload, memfd_of_a_backend, TEST_SECONDS)
{
	static const unsigned int flags[] = { 0, MFD_CLOEXEC,
		MFD_ALLOW_SEALING, MFD_CLOEXEC | MFD_ALLOW_SEALING };
	struct stat st;

	preload_options.memory = true;
	for (int i = 0; i < 4; i++) {
		int fd = memfd_create("memory-backend-memfd", flags[i]);
		int seals = F_SEAL_SHRINK | F_SEAL_GROW;

		ASSERT_LE(0, fd);
		EXPECT_EQ(variant->engine != RAMLOAD_ENGINE_KERNEL &&
			  access("/dev/ramload", R_OK | W_OK),
			  is_memfd(fd));
		EXPECT_EQ(0, fstat(fd, &st));
		EXPECT_EQ(0, st.st_size);
		EXPECT_EQ(flags[i] & MFD_CLOEXEC ? FD_CLOEXEC : 0,
			  fcntl(fd, F_GETFD));
		EXPECT_EQ(0, ftruncate(fd, 8 * MiB));
		EXPECT_EQ(flags[i] & MFD_ALLOW_SEALING ? 0 : -1,
			  fcntl(fd, F_ADD_SEALS, seals));
		close(fd);
	}
	EXPECT_TRUE(is_memfd(memfd_create("memory-backend-memfd-2", 0)));
	EXPECT_EQ(-1, memfd_create("memory-backend-memfd", ~0U));
	EXPECT_EQ(EINVAL, errno);
}

TEST_HARNESS_MAIN
