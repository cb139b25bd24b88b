// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What the module counts: each byte once, for the fill that has loaded it and
 * for the way it was read, whatever a job meets.
 */

#include <stdlib.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "netlink_ask.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define LENGTH	MIB(2)
#define PIECES	(LENGTH / PAGE / 2)

FIXTURE(counters)
{
	int fd;
	int src;
	uint32_t context;
	struct memory m;
	struct ask ask;
	struct answer answer;
	struct ramload_job_result result;
	struct fuse_source *source;
};

FIXTURE_SETUP(counters)
{
	OPEN_DEVICE(self->fd);
	if (geteuid())
		SKIP(return, "not root");
	self->src = -1;
	ASSERT_EQ(0, ask_open(&self->ask));
	test_setup(self->fd, 2);
	self->context = ask_context(&self->ask, &self->answer);
	ASSERT_NE(0, self->context);
}

FIXTURE_TEARDOWN(counters)
{
	if (self->source)
		fuse_source_stop(self->source);
	close(self->fd);
	close(self->src);
	memory_unmap(&self->m);
	ask_close(&self->ask);
}

typedef struct _test_data_counters counters_t;

/* A file on a disk, and memory. Returns 0, or -1 and why not. */
static int prepare(counters_t *self, enum memory_kind kind, struct reason *why)
{
	int dir = fs_open("ext4", NULL, why);

	if (dir < 0)
		return -1;
	self->src = file_create_pattern(dir, SEED_SOURCE, LENGTH);
	if (self->src < 0 || !file_can_direct(self->src)) {
		snprintf(why->text, sizeof(why->text), "no direct I/O");
		return -1;
	}
	file_evict(self->src);
	return memory_map(&self->m, kind, LENGTH, why);
}

/* Loads, and takes what was counted. The job's fd, or -1. */
static int count_job(counters_t *self, struct ramload_load *load)
{
	if (raw_load(self->fd, load) ||
	    raw_result(load->out_job_fd, RAMLOAD_JOB_RESULT_WAIT,
		       &self->result) ||
	    !ask_last_job(&self->ask, self->context, &self->answer))
		return -1;
	return load->out_job_fd;
}

static int count_range(counters_t *self, uint32_t direct)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1, .direct = direct,
					.chunk_size = KIB(64));

	return count_job(self, &load);
}

static uint64_t loaded(const struct answer *a)
{
	return COUNTER(a, SHMEM) + COUNTER(a, USER) + COUNTER(a, PINNED);
}

TEST_F(counters, direct_pinned)
{
	struct reason why;
	int job;

	if (prepare(self, MEMORY_ANON, &why))
		SKIP(return, "%s", why.text);
	job = count_range(self, RAMLOAD_DIRECT_ON);
	ASSERT_LE(0, job);
	ASSERT_EQ(0, self->result.out_error);
	ASSERT_EQ(LENGTH, COUNTER(&self->answer, PINNED));
	ASSERT_EQ(LENGTH, loaded(&self->answer));
	ASSERT_EQ(LENGTH, COUNTER(&self->answer, DIRECT));
	ASSERT_EQ(0, COUNTER(&self->answer, CACHED));
	ASSERT_EQ(0, COUNTER(&self->answer, GAPS));
	ASSERT_EQ(0, COUNTER(&self->answer, NOT_DIRECT));
	ASSERT_LE(LENGTH / KIB(64), COUNTER(&self->answer, READS));
	close(job);
}

TEST_F(counters, cached_user)
{
	struct reason why;
	int job;

	if (prepare(self, MEMORY_ANON, &why))
		SKIP(return, "%s", why.text);
	job = count_range(self, RAMLOAD_DIRECT_OFF);
	ASSERT_LE(0, job);
	ASSERT_EQ(0, self->result.out_error);
	ASSERT_EQ(LENGTH, COUNTER(&self->answer, USER));
	ASSERT_EQ(LENGTH, loaded(&self->answer));
	ASSERT_EQ(LENGTH, COUNTER(&self->answer, CACHED));
	ASSERT_EQ(0, COUNTER(&self->answer, DIRECT));
	close(job);
}

/* What is copied out of the page cache into a huge folio, without a read. */
TEST_F(counters, copied)
{
	static char buf[LENGTH];
	struct ramload_range range;
	struct ramload_load load;
	struct ramload_info info;
	struct reason why;
	int job;

	test_info(self->fd, &info);
	if (!(info.out_features & RAMLOAD_FEATURE_SHMEM_FILL))
		SKIP(return, "no shmem fill");
	if (prepare(self, MEMORY_TMPFS_HUGE, &why))
		SKIP(return, "%s", why.text);
	ASSERT_EQ(LENGTH, pread(self->src, buf, LENGTH, 0));
	range = RANGE(0, LENGTH, self->m.map);
	load = LOAD(self->src, &range, 1);
	job = count_job(self, &load);
	ASSERT_LE(0, job);
	ASSERT_EQ(0, self->result.out_error);
	ASSERT_EQ(LENGTH, COUNTER(&self->answer, SHMEM));
	ASSERT_EQ(LENGTH, loaded(&self->answer));
	ASSERT_EQ(LENGTH, COUNTER(&self->answer, CACHED));
	ASSERT_EQ(0, COUNTER(&self->answer, DIRECT));
	ASSERT_EQ(0, COUNTER(&self->answer, READS));
	ASSERT_EQ(1, self->answer.folios[9]);
	close(job);
}

/* Every other page, which several direct reads go across. */
static int count_pieces(counters_t *self)
{
	struct ramload_range ranges[PIECES];
	struct ramload_load load = LOAD(self->src, ranges, PIECES,
					.direct = RAMLOAD_DIRECT_ON);
	unsigned int i;

	for (i = 0; i < PIECES; i++)
		ranges[i] = RANGE(2 * i * PAGE, PAGE,
				  self->m.map + 2 * i * PAGE);
	return count_job(self, &load);
}

TEST_F(counters, gaps)
{
	static const enum memory_kind kinds[] = { MEMORY_ANON, MEMORY_MEMFD };
	struct ramload_info info;
	struct reason why;
	size_t i;
	int job;

	test_info(self->fd, &info);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (prepare(self, kinds[i], &why))
			SKIP(return, "%s", why.text);
		job = count_pieces(self);
		ASSERT_LE(0, job);
		ASSERT_EQ(0, self->result.out_error);
		ASSERT_EQ(PIECES, VALUE(&self->answer, JOB, RANGES));
		ASSERT_EQ(PIECES * PAGE, VALUE(&self->answer, JOB, BYTES_DONE));
		ASSERT_EQ(PIECES * PAGE, loaded(&self->answer));
		ASSERT_EQ(PIECES * PAGE, COUNTER(&self->answer, DIRECT));
		ASSERT_EQ(0, COUNTER(&self->answer, CACHED));
		ASSERT_EQ(0, COUNTER(&self->answer, NOT_DIRECT));
		/* Kernel threads have no memory for gaps. */
		if (info.out_features & RAMLOAD_FEATURE_THREADS) {
			ASSERT_LT(0, COUNTER(&self->answer, GAPS));
			ASSERT_GT(PIECES, COUNTER(&self->answer, READS));
		}
		ASSERT_GE(PIECES * PAGE, COUNTER(&self->answer, GAPS));
		close(job);
		close(self->src);
		memory_unmap(&self->m);
		self->m = (struct memory){};
	}
	self->src = -1;
}

/* A store that cannot be done ends a job; what came before it counts. */
TEST_F(counters, fault_in_the_middle)
{
	struct reason why;
	int job;

	if (prepare(self, MEMORY_ANON, &why))
		SKIP(return, "%s", why.text);
	ASSERT_EQ(0, munmap(self->m.map + LENGTH / 2, LENGTH / 2));
	job = count_range(self, RAMLOAD_DIRECT_OFF);
	ASSERT_LE(0, job);
	ASSERT_EQ(-EFAULT, self->result.out_error);
	ASSERT_EQ(RAMLOAD_JOB_FAILED, VALUE(&self->answer, JOB, STATE));
	ASSERT_EQ(self->result.out_bytes_done, loaded(&self->answer));
	ASSERT_EQ(LENGTH / 2, VALUE(&self->answer, JOB, ERROR_OFFSET));
	close(job);
}

/* Counted once as cancelled, with what was loaded before. */
TEST_F_TIMEOUT(counters, cancelled, TIMEOUT)
{
	struct answer before, after;
	struct ramload_range range;
	struct reason why;
	int job;

	self->source = fuse_source_start(LENGTH, LENGTH / 2, &why);
	if (!self->source)
		SKIP(return, "%s", why.text);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_ANON, LENGTH, &why));
	ASSERT_EQ(0, ask_one(&self->ask, RAMLOAD_NL_CMD_TOTALS_GET, 0, 0,
			     &before));
	range = RANGE(0, LENGTH, self->m.map);
	job = start_range(self->fd, self->source->fd, RAMLOAD_DIRECT_OFF,
			  &range);
	ASSERT_LE(0, job);
	fuse_source_wait_held(self->source);
	test_cancel(job);
	fuse_source_release(self->source);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(-ECANCELED, self->result.out_error);
	ASSERT_NE(0, ask_last_job(&self->ask, self->context, &self->answer));
	ASSERT_EQ(RAMLOAD_JOB_CANCELLED, VALUE(&self->answer, JOB, STATE));
	ASSERT_EQ(-ECANCELED, (int32_t)VALUE(&self->answer, JOB, ERROR));
	ASSERT_EQ(self->result.out_bytes_done, loaded(&self->answer));
	ASSERT_EQ(0, ask_one(&self->ask, RAMLOAD_NL_CMD_TOTALS_GET, 0, 0,
			     &after));
	ASSERT_LE(1, VALUE(&after, TOTALS, CANCELLED) -
		     VALUE(&before, TOTALS, CANCELLED));
	ASSERT_LE(self->result.out_bytes_done,
		  VALUE(&after, TOTALS, BYTES_DONE) -
		  VALUE(&before, TOTALS, BYTES_DONE));
	close(job);
}

TEST_HARNESS_MAIN
