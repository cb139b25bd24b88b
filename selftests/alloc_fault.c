// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Every allocation fails in turn, of the callers and of the workers, and so
 * does everything at the module's own failure points: an error comes back,
 * nothing is left behind, what was said to be loaded is there, and the next
 * load works. Needs a kernel with fault injection.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "fault_inject.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"
#include "test_run.h"

/* Hundreds of loads, on kernels that check all they do. */
#define SWEEP_TIMEOUT	(10 * TIMEOUT)

#define LENGTH		KIB(64)
#define HALF		(LENGTH / 2)
#define SECOND_AT	KIB(128)	/* in the file */
#define SRC_SIZE	KIB(256)
#define WORKERS		3

/* What a process has: nothing of it may be left after a failed call. */
struct holdings {
	int fds;
	int threads;
	int module;
};

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Contexts, jobs and pools each hold the module. */
static int module_refs(void)
{
	FILE *f = fopen("/sys/module/ramload/refcnt", "re");
	int n = -1;

	if (f) {
		if (fscanf(f, "%d", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

static struct holdings count_holdings(void)
{
	return (struct holdings){
		.fds = count_entries("/proc/self/fd"),
		.threads = count_entries("/proc/self/task"),
		.module = module_refs(),
	};
}

/* Threads end in their own time; the harness limits how long that takes. */
static void wait_for_holdings(const struct holdings *before)
{
	struct holdings now = count_holdings();

	while (now.threads > before->threads || now.module > before->module) {
		usleep(1000);
		now = count_holdings();
	}
}

#define ASSERT_HOLDS(before)						\
	do {								\
		wait_for_holdings(before);				\
		ASSERT_EQ((before)->fds, count_holdings().fds);		\
	} while (0)

/* Half of it, then what lies further on in the file. */
#define TWO_RANGES(map)							\
	{								\
		RANGE(0, HALF, map),					\
		RANGE(SECOND_AT, HALF, (map) + HALF),			\
	}

/* The first bytes of what TWO_RANGES() loads are there. */
static bool loaded(const char *map, size_t bytes)
{
	size_t first = bytes < HALF ? bytes : HALF;

	return pattern_matches(map, SEED_SOURCE, 0, first) &&
	       pattern_matches(map + HALF, SEED_SOURCE, SECOND_AT,
			       bytes - first);
}

/* The rest is what was there before: zeros; or has been loaded, too. */
static bool rest_is_clean(const char *map)
{
	return bytes_zero_or_pattern(map, SEED_SOURCE, 0, HALF) &&
	       bytes_zero_or_pattern(map + HALF, SEED_SOURCE, SECOND_AT, HALF);
}

/* How many bytes come before the place of the error; -1: it is none. */
static ssize_t bytes_before_error(const struct ramload_job_result *res)
{
	uint64_t start = res->out_error_range ? SECOND_AT : 0;

	if (res->out_error_range > 1 || res->out_error_offset < start ||
	    res->out_error_offset >= start + HALF)
		return -1;
	return res->out_error_range * HALF + res->out_error_offset - start;
}

static int open_ready(uint32_t workers)
{
	int fd = open_device();

	if (fd >= 0 && raw_setup(fd, workers)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void discard(struct memory *m)
{
	if (m->fd >= 0)
		fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			  m->length);
	madvise(m->map, m->length, MADV_DONTNEED);
}

/*
 * Callers
 */

FIXTURE(caller)
{
	int nth;
	int src;
	struct memory m;
	struct holdings before;
	unsigned int fired;
	unsigned int failed;
};

FIXTURE_SETUP(caller)
{
	struct reason why;
	int fd;

	OPEN_DEVICE(fd);
	close(fd);
	if (fault_inject_start(&why))
		SKIP(return, "%s", why.text);
	self->src = memfd_create_pattern(SEED_SOURCE, SRC_SIZE);
	ASSERT_LE(0, self->src);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, MIB(2), &why));
	self->nth = fault_nth_open(gettid());
	ASSERT_LE(0, self->nth);
	self->before = count_holdings();
}

FIXTURE_TEARDOWN(caller)
{
	fault_inject_stop();
}

typedef struct _test_data_caller caller_t;

/* With @nth failing. Returns what the ioctl or open() did; errno is set. */
#define WITH_FAULT(self, n, call)					\
	({								\
		int _ret, _err;						\
									\
		fault_nth_set((self)->nth, n);				\
		errno = 0;						\
		_ret = call;						\
		_err = errno;						\
		fault = fault_nth_fired((self)->nth);			\
		(self)->fired += fault;					\
		(self)->failed += _ret < 0;				\
		errno = _err;						\
		_ret;							\
	})

static bool next_load_works(caller_t *self, int fd)
{
	struct ramload_range ranges[] = TWO_RANGES(self->m.map);
	struct ramload_load load = LOAD(self->src, ranges, 2);

	discard(&self->m);
	return !load_wait(fd, &load, NULL) && loaded(self->m.map, LENGTH);
}

TEST_F_TIMEOUT(caller, open_context, SWEEP_TIMEOUT)
{
	bool fault = true;
	unsigned int n;
	int fd;

	for (n = 1; fault; n++) {
		fd = WITH_FAULT(self, n, open_device());
		if (fd < 0) {
			ASSERT_EQ(ENOMEM, errno);
			ASSERT_TRUE(fault);
		} else {
			close(fd);
		}
		ASSERT_HOLDS(&self->before);
	}
	TH_LOG("%u faults, %u calls failed", self->fired, self->failed);
	ASSERT_LT(0, self->failed);
}

TEST_F_TIMEOUT(caller, make_workers, SWEEP_TIMEOUT)
{
	bool fault = true;
	unsigned int n;
	int fd, ret;

	for (n = 1; fault; n = fault_next(n)) {
		fd = open_device();
		ASSERT_LE(0, fd);
		ret = WITH_FAULT(self, n, raw_setup(fd, WORKERS));
		if (ret) {
			ASSERT_TRUE(errno == ENOMEM || errno == EAGAIN);
			ASSERT_TRUE(fault);
			/* Nothing is half there. */
			test_setup(fd, WORKERS);
		}
		ASSERT_TRUE(next_load_works(self, fd));
		close(fd);
		ASSERT_HOLDS(&self->before);
	}
	TH_LOG("%u faults, %u calls failed", self->fired, self->failed);
	/* A short run may leave out the allocations of some workers. */
	ASSERT_LT(run_step() > 1 ? 0 : WORKERS, self->failed);
}

FIXTURE(load)
{
	int nth;
	int fd;
	int src;
	struct memory m;
	struct ramload_range *ranges;
	uint8_t *bitmap;
	struct holdings before;
	unsigned int fired;
	unsigned int failed;
};

FIXTURE_VARIANT(load)
{
	uint32_t flags;
	uint32_t nr;
	size_t bitmap_bytes;
	uint32_t chunk;
};

FIXTURE_VARIANT_ADD(load, wait) {
	.flags = RAMLOAD_LOAD_WAIT, .nr = 2,
};
FIXTURE_VARIANT_ADD(load, fd) {
	.nr = 2,
};
FIXTURE_VARIANT_ADD(load, bitmap) {
	.nr = 2, .bitmap_bytes = 64,
};
FIXTURE_VARIANT_ADD(load, bitmap_wait) {
	.flags = RAMLOAD_LOAD_WAIT, .nr = 2, .bitmap_bytes = 64,
};
/* Over 4 MiB, what kmalloc() can give at most. */
FIXTURE_VARIANT_ADD(load, large_ranges) {
	.nr = 120000,
};
FIXTURE_VARIANT_ADD(load, large_bitmap) {
	.flags = RAMLOAD_LOAD_WAIT, .nr = 1, .bitmap_bytes = MIB(5),
	.chunk = MIB(16),
};
FIXTURE_VARIANT_ADD(load, large_chunk_table) {
	.nr = 1, .bitmap_bytes = MIB(5), .chunk = KIB(64),
};

#define BIT_PAGE	512

/* Only the first pages are present: the bytes are those of one range. */
static void make_bitmap_range(struct _test_data_load *self, size_t bytes)
{
	self->bitmap = calloc(1, bytes);
	memset(self->bitmap, 0xff, HALF / BIT_PAGE / 8);
	self->ranges[0] = RANGE(0, bytes * 8 * BIT_PAGE, self->m.map,
				.bitmap = (uintptr_t)self->bitmap,
				.page_size = BIT_PAGE);
}

FIXTURE_SETUP(load)
{
	struct reason why;
	uint32_t i;

	OPEN_DEVICE(self->fd);
	if (fault_inject_start(&why))
		SKIP(return, "%s", why.text);
	test_setup(self->fd, 1);
	self->src = memfd_create_pattern(SEED_SOURCE, SRC_SIZE);
	ASSERT_LE(0, self->src);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, MIB(2), &why));
	self->ranges = calloc(variant->nr, sizeof(*self->ranges));
	ASSERT_NE(NULL, self->ranges);
	for (i = 0; i < variant->nr; i++)
		self->ranges[i] = variant->nr == 2 ?
			RANGE(i * SECOND_AT, HALF, self->m.map + i * HALF) :
			RANGE(i, 1, self->m.map + i);
	if (variant->bitmap_bytes)
		make_bitmap_range(self, variant->bitmap_bytes);
	self->nth = fault_nth_open(gettid());
	ASSERT_LE(0, self->nth);
	self->before = count_holdings();
}

FIXTURE_TEARDOWN(load)
{
	fault_inject_stop();
	close(self->fd);
	free(self->ranges);
	free(self->bitmap);
}

/* What the ranges of a variant load. */
static bool load_complete(struct _test_data_load *self, uint32_t nr)
{
	if (nr == 2)
		return loaded(self->m.map, LENGTH);
	return pattern_matches(self->m.map, SEED_SOURCE, 0,
			       nr == 1 ? HALF : nr);
}

/* The fate of a job that has been submitted, if the ioctl gave its fd. */
static int finish_job(const struct ramload_load *load)
{
	struct ramload_job_result res;
	int err;

	if (load->flags & RAMLOAD_LOAD_WAIT)
		return 0;
	if (raw_result(load->out_job_fd, RAMLOAD_JOB_RESULT_WAIT, &res))
		return -errno;
	err = res.out_error;
	close(load->out_job_fd);
	return err;
}

TEST_F_TIMEOUT(load, sweep, SWEEP_TIMEOUT)
{
	struct ramload_job_result res;
	bool fault = true;
	unsigned int n;
	int ret;

	for (n = 1; fault; n = fault_next(n)) {
		struct ramload_load load = LOAD(self->src, self->ranges,
						variant->nr,
						.flags = variant->flags,
						.chunk_size = variant->chunk);

		res = (struct ramload_job_result){ .size = sizeof(res) };
		if (variant->flags & RAMLOAD_LOAD_WAIT)
			load.result = (uintptr_t)&res;
		discard(&self->m);
		ret = WITH_FAULT(self, n, raw_load(self->fd, &load));
		if (ret) {
			ASSERT_EQ(ENOMEM, errno);
			ASSERT_TRUE(fault);
			/* That is no job's error: there was none. */
			ASSERT_EQ(0, res.out_state);
			ASSERT_TRUE(all_zero(self->m.map, LENGTH));
			load.out_job_fd = -2;
			test_load(self->fd, &load);
		}
		ASSERT_EQ(0, finish_job(&load));
		ASSERT_TRUE(load_complete(self, variant->nr));
		ASSERT_HOLDS(&self->before);
	}
	TH_LOG("%u faults, %u calls failed", self->fired, self->failed);
	/* The request, its ranges, its chunks, the job, the file at least. */
	ASSERT_LE(3, self->failed);
}

/* Nothing that ends a job may need memory. */
TEST_F_TIMEOUT(load, end_of_job, SWEEP_TIMEOUT)
{
	struct ramload_load load = LOAD(self->src, self->ranges, variant->nr,
					.chunk_size = variant->chunk);
	struct ramload_job_result res;
	bool fault = true;
	unsigned int n;
	int job;

	for (n = 1; fault && n < 64; n++) {
		fault = false;
		test_load(self->fd, &load);
		job = load.out_job_fd;
		ASSERT_EQ(0, WITH_FAULT(self, n, raw_result(job,
						RAMLOAD_JOB_RESULT_WAIT,
						&res)));
		ASSERT_EQ(0, res.out_error);
		ASSERT_EQ(0, WITH_FAULT(self, n, raw_cancel(job)));
		ASSERT_EQ(0, WITH_FAULT(self, n, close(job)));
		test_load(self->fd, &load);
		ASSERT_EQ(0, WITH_FAULT(self, n, close(load.out_job_fd)));
		ASSERT_HOLDS(&self->before);
	}
	ASSERT_EQ(0, self->failed);
}

/*
 * Workers
 */

enum source_kind { SOURCE_MEMFD, SOURCE_FILE, SOURCE_DIRECT };

FIXTURE(worker)
{
	int fd;
	int src;
	struct memory m;
	struct ramload_job_result result;
	unsigned int fired;
	unsigned int failed;
};

FIXTURE_VARIANT(worker)
{
	enum memory_kind kind;
	enum source_kind source;
};

FIXTURE_VARIANT_ADD(worker, memfd) {
	.kind = MEMORY_MEMFD, .source = SOURCE_MEMFD,
};
FIXTURE_VARIANT_ADD(worker, memfd_cold) {
	.kind = MEMORY_MEMFD, .source = SOURCE_FILE,
};
FIXTURE_VARIANT_ADD(worker, memfd_direct) {
	.kind = MEMORY_MEMFD, .source = SOURCE_DIRECT,
};
FIXTURE_VARIANT_ADD(worker, tmpfs_huge) {
	.kind = MEMORY_TMPFS_HUGE, .source = SOURCE_MEMFD,
};
FIXTURE_VARIANT_ADD(worker, anonymous) {
	.kind = MEMORY_ANON, .source = SOURCE_MEMFD,
};
FIXTURE_VARIANT_ADD(worker, anonymous_cold) {
	.kind = MEMORY_ANON, .source = SOURCE_FILE,
};
FIXTURE_VARIANT_ADD(worker, anonymous_direct) {
	.kind = MEMORY_ANON, .source = SOURCE_DIRECT,
};
FIXTURE_VARIANT_ADD(worker, memfd_private) {
	.kind = MEMORY_MEMFD_PRIVATE, .source = SOURCE_MEMFD,
};
FIXTURE_VARIANT_ADD(worker, file_shared) {
	.kind = MEMORY_FILE_SHARED, .source = SOURCE_MEMFD,
};

FIXTURE_SETUP(worker)
{
	struct reason why;
	int dir;

	OPEN_DEVICE(self->fd);
	if (fault_inject_start(&why))
		SKIP(return, "%s", why.text);
	test_setup(self->fd, 1);
	if (variant->source == SOURCE_MEMFD) {
		self->src = memfd_create_pattern(SEED_SOURCE, SRC_SIZE);
	} else {
		dir = fs_open("ext4", NULL, &why);
		if (dir < 0)
			SKIP(return, "%s", why.text);
		self->src = file_create_pattern(dir, SEED_SOURCE, SRC_SIZE);
	}
	ASSERT_LE(0, self->src);
	if (memory_map(&self->m, variant->kind, MIB(2), &why))
		SKIP(return, "%s", why.text);
}

FIXTURE_TEARDOWN(worker)
{
	fault_points_end();
	fault_inject_stop();
	close(self->fd);
	memory_unmap(&self->m);
}

typedef struct _test_data_worker worker_t;

static int load_two(worker_t *self, enum source_kind source)
{
	struct ramload_range ranges[] = TWO_RANGES(self->m.map);
	struct ramload_load load = LOAD(self->src, ranges, 2,
					.direct = source == SOURCE_DIRECT ?
						RAMLOAD_DIRECT_ON :
						RAMLOAD_DIRECT_OFF);

	return load_wait(self->fd, &load, &self->result);
}

/* A thread of this process that is a worker, or -1. */
static pid_t worker_tid(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	pid_t tid = -1;

	while (dir && (entry = readdir(dir))) {
		char path[300], name[16] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strcmp(name, "ramload\n"))
			tid = atoi(entry->d_name);
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return tid;
}

/* What a load that failed says, and what it has left, are true. */
static bool failed_well(worker_t *self)
{
	ssize_t before = bytes_before_error(&self->result);

	return before >= 0 && self->result.out_bytes_done >= before &&
	       self->result.out_bytes_done < LENGTH &&
	       loaded(self->m.map, before) && rest_is_clean(self->m.map);
}

static void prepare(worker_t *self, enum source_kind source)
{
	discard(&self->m);
	if (source != SOURCE_MEMFD)
		file_evict(self->src);
}

#define ASSERT_NEXT_LOAD_WORKS()					\
	do {								\
		ASSERT_EQ(0, load_two(self, variant->source));		\
		ASSERT_TRUE(loaded(self->m.map, LENGTH));		\
		ASSERT_TRUE(all_zero(self->m.map + LENGTH,		\
				     self->m.length - LENGTH));		\
	} while (0)

static bool uses_shmem_fill(worker_t *self, enum memory_kind kind)
{
	struct ramload_info info;

	return !raw_info(self->fd, &info) &&
	       info.out_features & RAMLOAD_FEATURE_SHMEM_FILL &&
	       (kind == MEMORY_MEMFD || kind == MEMORY_TMPFS_HUGE);
}

TEST_F_TIMEOUT(worker, allocations, SWEEP_TIMEOUT)
{
	bool fired = true;
	unsigned int n;
	int nth, err;

	if (worker_tid() < 0)
		SKIP(return, "workers are no threads of the process");
	nth = fault_nth_open(worker_tid());
	ASSERT_LE(0, nth);
	for (n = 1; fired; n = fault_next(n)) {
		prepare(self, variant->source);
		fault_nth_set(nth, n);
		err = load_two(self, variant->source);
		fired = fault_nth_fired(nth);
		self->fired += fired;
		self->failed += !!err;
		if (!err) {
			ASSERT_TRUE(loaded(self->m.map, LENGTH));
			continue;
		}
		ASSERT_EQ(-ENOMEM, err);
		ASSERT_TRUE(fired);
		ASSERT_TRUE(failed_well(self));
		ASSERT_NEXT_LOAD_WORKS();
	}
	TH_LOG("%u faults, %u loads failed", self->fired, self->failed);
	ASSERT_LT(0, self->fired);
	/*
	 * Where a store of the worker fails, the pinned fill gets a try. How
	 * many allocations the reads of a disk need is not the same each time,
	 * so that the one of a batch's first folio may be missed.
	 */
	if (uses_shmem_fill(self, variant->kind) &&
	    variant->source == SOURCE_MEMFD)
		ASSERT_LT(0, self->failed);
}

/* What a load ends with if that fails once. */
static int expected_error(enum fault_point point, enum source_kind source)
{
	switch (point) {
	case FAULT_FOLIO:
	case FAULT_PIN:
		return -ENOMEM;
	case FAULT_READ:
		/* A direct read that fails is done again, buffered. */
		return source == SOURCE_DIRECT ? 0 : -EIO;
	default:
		return 0;
	}
}

static bool is_met(enum fault_point point, bool shmem, enum source_kind source)
{
	switch (point) {
	case FAULT_WORKER:
		return false;
	case FAULT_FOLIO:
	case FAULT_INTERFERE:
		return shmem;
	case FAULT_PIN:
		return !shmem && source == SOURCE_DIRECT;
	case FAULT_DIRECT:
		return source == SOURCE_DIRECT;
	default:
		return true;
	}
}

TEST_F_TIMEOUT(worker, points, SWEEP_TIMEOUT)
{
	bool shmem = uses_shmem_fill(self, variant->kind);
	enum fault_point point;
	struct reason why;
	unsigned int n;
	int err, left;

	if (fault_points_available(&why))
		SKIP(return, "%s", why.text);
	for (point = 0; point < FAULT_POINTS; point++) {
		for (n = 1, left = 0; !left; n++) {
			prepare(self, variant->source);
			fault_points_set(BIT(point), n, 100, 1);
			err = load_two(self, variant->source);
			left = fault_points_end();
			/*
			 * A batch of which some can be loaded when there is no
			 * memory for the rest, or that cannot be read, is done,
			 * and the rest is tried again.
			 */
			if (err || n == 1 ||
			    (point != FAULT_FOLIO && point != FAULT_PIN &&
			     point != FAULT_READ))
				ASSERT_EQ(left ? 0 :
					  expected_error(point,
							 variant->source),
					  err);
			if (!err) {
				ASSERT_TRUE(loaded(self->m.map, LENGTH));
				continue;
			}
			ASSERT_TRUE(failed_well(self));
			ASSERT_NEXT_LOAD_WORKS();
		}
		/* The last one was not met. */
		ASSERT_EQ(is_met(point, shmem, variant->source), n > 2);
	}
}

/* Things that are no error, many of them at once, and with them errors. */
TEST_F_TIMEOUT(worker, storm, SWEEP_TIMEOUT)
{
	const unsigned int harmless = BIT(FAULT_SHORT_READ) |
		BIT(FAULT_DIRECT) | BIT(FAULT_INTERFERE) | BIT(FAULT_PAUSE);
	double end = run_now() + run_seconds(2);
	struct reason why;
	int err;

	if (fault_points_available(&why))
		SKIP(return, "%s", why.text);
	do {
		prepare(self, variant->source);
		fault_points_set(harmless, 1, 50, -1);
		ASSERT_EQ(0, load_two(self, variant->source));
		ASSERT_TRUE(loaded(self->m.map, LENGTH));

		prepare(self, variant->source);
		fault_points_set(BIT(FAULT_POINTS) - 1, 1, 20, -1);
		err = load_two(self, variant->source);
		fault_points_end();
		self->failed += !!err;
		if (err) {
			ASSERT_TRUE(err == -ENOMEM || err == -EIO);
			ASSERT_TRUE(failed_well(self));
		}
		ASSERT_NEXT_LOAD_WORKS();
	} while (run_now() < end || !self->failed);
	TH_LOG("%u loads failed", self->failed);
}

FIXTURE(setup)
{
	struct holdings before;
};

FIXTURE_SETUP(setup)
{
	struct reason why;
	int fd;

	OPEN_DEVICE(fd);
	close(fd);
	if (fault_points_available(&why))
		SKIP(return, "%s", why.text);
	self->before = count_holdings();
}

FIXTURE_TEARDOWN(setup)
{
	fault_points_end();
}

/* One worker of several cannot be made: none is left. */
TEST_F_TIMEOUT(setup, worker_fails, SWEEP_TIMEOUT)
{
	int fd, ret, left = 0;
	unsigned int n;

	for (n = 1; !left; n++) {
		fd = open_device();
		ASSERT_LE(0, fd);
		fault_points_set(BIT(FAULT_WORKER), n, 100, 1);
		ret = raw_setup(fd, WORKERS);
		left = fault_points_end();
		ASSERT_EQ(left ? 0 : -1, ret);
		if (ret)
			ASSERT_EQ(ENOMEM, errno);
		close(fd);
		ASSERT_HOLDS(&self->before);
	}
	ASSERT_EQ(WORKERS + 2, n);
	fd = open_ready(WORKERS);
	ASSERT_LE(0, fd);
	close(fd);
}

TEST_HARNESS_MAIN
