// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Destinations that are registered with userfaultfd: the handler sees a load
 * as it would see stores. One that tracks what is written, or brings pages
 * from elsewhere, must not be bypassed.
 */

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define LENGTH	MIB(2)
#define PAGES	(LENGTH / PAGE)

enum resolution { COPY, ZERO, UNPROTECT, CONTINUE };

FIXTURE(userfault)
{
	int fd;
	int src;
	struct memory m;
	int uffd;
	int control;
	pthread_t thread;
	atomic_bool held;	/* faults are not resolved yet */
	atomic_uint nr_faults;
	atomic_bool failed;
	enum resolution how;
	unsigned char seen[PAGES];
	struct ramload_range range;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(userfault)
{
	enum memory_kind kind;
	enum resolution how;
};

FIXTURE_VARIANT_ADD(userfault, memfd_missing)
{
	.kind = MEMORY_MEMFD,
	.how = COPY,
};

FIXTURE_VARIANT_ADD(userfault, memfd_missing_zero)
{
	.kind = MEMORY_MEMFD,
	.how = ZERO,
};

FIXTURE_VARIANT_ADD(userfault, memfd_minor)
{
	.kind = MEMORY_MEMFD,
	.how = CONTINUE,
};

FIXTURE_VARIANT_ADD(userfault, memfd_write_protected)
{
	.kind = MEMORY_MEMFD,
	.how = UNPROTECT,
};

FIXTURE_VARIANT_ADD(userfault, anon_missing)
{
	.kind = MEMORY_ANON,
	.how = COPY,
};

FIXTURE_VARIANT_ADD(userfault, anon_missing_zero)
{
	.kind = MEMORY_ANON,
	.how = ZERO,
};

FIXTURE_VARIANT_ADD(userfault, anon_write_protected)
{
	.kind = MEMORY_ANON,
	.how = UNPROTECT,
};

typedef struct _test_data_userfault userfault_t;

/* What the resolution stands for: the mode, and the feature it needs. */
static const struct {
	uint64_t mode;
	uint64_t feature;
} needs[] = {
	[COPY] = { UFFDIO_REGISTER_MODE_MISSING, 0 },
	[ZERO] = { UFFDIO_REGISTER_MODE_MISSING, 0 },
	[UNPROTECT] = { UFFDIO_REGISTER_MODE_WP,
			UFFD_FEATURE_PAGEFAULT_FLAG_WP },
	[CONTINUE] = { UFFDIO_REGISTER_MODE_MINOR, UFFD_FEATURE_MINOR_SHMEM },
};

static int open_userfaultfd(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int register_range(userfault_t *self, char *at, size_t length)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)at, length },
		.mode = needs[self->how].mode,
	};
	struct uffdio_writeprotect protect = {
		.range = reg.range,
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	if (ioctl(self->uffd, UFFDIO_REGISTER, &reg))
		return -1;
	return self->how == UNPROTECT ?
	       ioctl(self->uffd, UFFDIO_WRITEPROTECT, &protect) : 0;
}

/*
 * Protection and minor faults are met by pages that are there; the latter by
 * pages that are not mapped.
 */
static void make_present(userfault_t *self)
{
	if (self->how == CONTINUE) {
		char *other = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
				   MAP_SHARED, self->m.fd, 0);

		pattern_fill(other, SEED_OLD, 0, LENGTH);
		munmap(other, LENGTH);
	} else if (self->how == UNPROTECT) {
		pattern_fill(self->m.map, SEED_OLD, 0, LENGTH);
	}
}

static int resolve(userfault_t *self, uint64_t page)
{
	static char old[PAGE] __attribute__((aligned(4096)));
	size_t offset = page - (uintptr_t)self->m.map;
	struct uffdio_copy copy = {
		.dst = page, .src = (uintptr_t)old, .len = PAGE,
	};
	struct uffdio_zeropage zero = { .range = { page, PAGE } };
	struct uffdio_writeprotect protect = { .range = { page, PAGE } };
	struct uffdio_continue go_on = { .range = { page, PAGE } };

	switch (self->how) {
	case COPY:
		pattern_fill(old, SEED_OLD, offset, PAGE);
		return ioctl(self->uffd, UFFDIO_COPY, &copy);
	case ZERO:
		return ioctl(self->uffd, UFFDIO_ZEROPAGE, &zero);
	case UNPROTECT:
		return ioctl(self->uffd, UFFDIO_WRITEPROTECT, &protect);
	default:
		return ioctl(self->uffd, UFFDIO_CONTINUE, &go_on);
	}
}

static void handle(userfault_t *self, const struct uffd_msg *msg)
{
	uint64_t page = msg->arg.pagefault.address & ~(uint64_t)(PAGE - 1);

	if (msg->event != UFFD_EVENT_PAGEFAULT)
		return;
	self->seen[(page - (uintptr_t)self->m.map) / PAGE] = 1;
	self->nr_faults++;
	while (self->held)
		usleep(1000);
	/* Two workers may fault at a page. */
	if (resolve(self, page) && errno != EEXIST)
		self->failed = true;
}

static void *handler(void *arg)
{
	userfault_t *self = arg;
	struct pollfd pfd[] = {
		{ .fd = self->uffd, .events = POLLIN },
		{ .fd = self->control, .events = POLLIN },
	};
	struct uffd_msg msg;

	while (poll(pfd, 2, -1) > 0 && !pfd[1].revents)
		if (read(self->uffd, &msg, sizeof(msg)) == sizeof(msg))
			handle(self, &msg);
	return NULL;
}

FIXTURE_SETUP(userfault)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	test_setup(self->fd, 2);
	self->how = variant->how;
	self->src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	self->control = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, self->src);
	ASSERT_LE(0, self->control);
	ASSERT_EQ(0, memory_map(&self->m, variant->kind, LENGTH, &why));
	self->range = RANGE(0, LENGTH, self->m.map);
	self->uffd = open_userfaultfd(needs[variant->how].feature);
	if (self->uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(errno));
	make_present(self);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, handler, self));
}

FIXTURE_TEARDOWN(userfault)
{
	uint64_t one = 1;

	self->held = false;
	if (write(self->control, &one, sizeof(one)) == sizeof(one))
		pthread_join(self->thread, NULL);
	close(self->uffd);
	close(self->fd);
	memory_unmap(&self->m);
}

#define REGISTER(at, length)						\
	do {								\
		if (register_range(self, at, length))			\
			SKIP(return, "userfaultfd: %s", strerror(errno)); \
	} while (0)

#define ASSERT_LOADED(from, length)					\
	ASSERT_EQ(length, pattern_mismatch(self->m.map + (from),	\
					   SEED_SOURCE, from, length))

static int pages_seen(userfault_t *self, size_t from, size_t to)
{
	int nr = 0;

	for (; from < to; from++)
		nr += self->seen[from];
	return nr;
}

TEST_F_TIMEOUT(userfault, sees_every_page, TIMEOUT)
{
	REGISTER(self->m.map, LENGTH);
	ASSERT_EQ(0, load_range(self->fd, self->src, &self->range, NULL));
	ASSERT_LOADED(0, LENGTH);
	ASSERT_EQ(PAGES, pages_seen(self, 0, PAGES));
	ASSERT_FALSE(atomic_load(&self->failed));
}

TEST_F_TIMEOUT(userfault, gives_what_a_range_leaves, TIMEOUT)
{
	size_t from = 3 * PAGE + 100, to = 9 * PAGE + 700;
	char *end = self->m.map + to;

	self->range = RANGE(from, to - from, self->m.map + from);
	REGISTER(self->m.map, LENGTH);
	ASSERT_EQ(0, load_range(self->fd, self->src, &self->range, NULL));
	ASSERT_LOADED(from, to - from);
	ASSERT_EQ(7, pages_seen(self, 3, 10));
	ASSERT_EQ(7, pages_seen(self, 0, PAGES));
	if (self->how == ZERO) {
		ASSERT_TRUE(all_zero(self->m.map + 3 * PAGE, 100));
		ASSERT_TRUE(all_zero(end, PAGE - 700));
	} else {
		ASSERT_TRUE(pattern_matches(self->m.map + 3 * PAGE, SEED_OLD,
					    3 * PAGE, 100));
		ASSERT_TRUE(pattern_matches(end, SEED_OLD, to, PAGE - 700));
	}
	ASSERT_FALSE(atomic_load(&self->failed));
}

TEST_F_TIMEOUT(userfault, one_page_in_the_middle, TIMEOUT)
{
	REGISTER(self->m.map + 77 * PAGE, PAGE);
	ASSERT_EQ(0, load_range(self->fd, self->src, &self->range, NULL));
	ASSERT_LOADED(0, LENGTH);
	ASSERT_EQ(1, pages_seen(self, 0, PAGES));
	ASSERT_EQ(1, self->seen[77]);
}

static void wait_for_fault(userfault_t *self)
{
	while (!self->nr_faults)
		usleep(1000);
}

/* A job whose worker waits for the handler of [@at, @at + @length). */
#define START_IN_FAULT(job, at, length)					\
	do {								\
		self->held = true;					\
		REGISTER(at, length);					\
		job = start_range(self->fd, self->src, 0, &self->range); \
		ASSERT_LE(0, job);					\
		wait_for_fault(self);					\
	} while (0)

TEST_F_TIMEOUT(userfault, takes_its_time, TIMEOUT)
{
	int job;

	START_IN_FAULT(job, self->m.map + 77 * PAGE, PAGE);
	usleep(20000);
	ASSERT_FALSE(job_is_done(job));
	self->held = false;
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, self->result.out_state);
	ASSERT_LOADED(0, LENGTH);
}

TEST_F_TIMEOUT(userfault, cancelled_in_a_fault, TIMEOUT)
{
	int job;

	START_IN_FAULT(job, self->m.map, LENGTH);
	test_cancel(job);
	self->held = false;
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_CANCELLED, self->result.out_state);
	ASSERT_EQ(-ECANCELED, self->result.out_error);
	close(job);
	/* It can be loaded again. */
	ASSERT_EQ(0, load_range(self->fd, self->src, &self->range, NULL));
	ASSERT_LOADED(0, LENGTH);
}

/* Who waits for a handler that is gone, goes on. */
TEST_F_TIMEOUT(userfault, unregistered_in_a_fault, TIMEOUT)
{
	struct uffdio_range all = { (uintptr_t)self->m.map, LENGTH };
	int job;

	START_IN_FAULT(job, self->m.map, LENGTH);
	ASSERT_EQ(0, ioctl(self->uffd, UFFDIO_UNREGISTER, &all));
	/* That wakes only those that wait for a missing page. */
	ASSERT_EQ(0, ioctl(self->uffd, UFFDIO_WAKE, &all));
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(RAMLOAD_JOB_DONE, self->result.out_state);
	ASSERT_LOADED(0, LENGTH);
}

/* Nobody handles its faults. */
static void child_without_handler(userfault_t *self, int ready)
{
	int fd = open_device();
	int job;

	self->uffd = open_userfaultfd(needs[self->how].feature);
	if (raw_setup(fd, 2) || register_range(self, self->m.map, LENGTH))
		_exit(1);
	job = start_range(fd, self->src, 0, &self->range);
	if (job < 0 || write(ready, "r", 1) != 1)
		_exit(2);
	raw_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	_exit(3);
}

TEST_F_TIMEOUT(userfault, killed_in_a_fault, TIMEOUT)
{
	int status, pipes[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		child_without_handler(self, pipes[1]);
	close(pipes[1]);
	if (read(pipes[0], &byte, 1) != 1)
		SKIP(return, "the child cannot register its memory");
	usleep(50000);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(SIGKILL, status);
	ASSERT_EQ(0, load_range(self->fd, self->src, &self->range, NULL));
	ASSERT_LOADED(0, LENGTH);
}

TEST_HARNESS_MAIN
