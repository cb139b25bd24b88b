// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * The page queue: which jobs it makes of which pages, with a load function that
 * keeps a record; and what comes of real jobs.
 */
#include "load_util.h"
#include "queue.h"
#include "patient_harness.h"

#define LENGTH	(4 * MiB)
#define PAGE	4096
#define MAX_RECORDS	4096

/* What the queue submitted, by job and by range. */
static struct {
	unsigned int jobs;
	unsigned int ranges;
	unsigned int job_of[MAX_RECORDS];
	struct ramload_block range[MAX_RECORDS];
	unsigned int refuse;	/* so many loads are refused with @error */
	int error;
	const struct ramload_queue *busy;	/* not NULL: if that has jobs */
	unsigned int attempts;
} record;

static int recording_load(struct ramload_session *session, int fd,
			  const struct ramload_block *blocks, size_t nr_blocks,
			  const struct ramload_load_options *options,
			  struct ramload_job **job)
{
	int err;

	record.attempts++;
	if (record.refuse && (!record.busy || record.busy->nr_jobs)) {
		record.refuse--;
		return record.error;
	}
	err = ramload_load(session, fd, blocks, nr_blocks, options, job);
	if (err)
		return err;
	for (size_t i = 0; i < nr_blocks; i++) {
		record.job_of[record.ranges] = record.jobs;
		record.range[record.ranges++] = blocks[i];
	}
	record.jobs++;
	return 0;
}

FIXTURE(queue)
{
	struct ramload_session *session;
	struct ramload_queue *queue;
	struct ramload_block blocks[2];
	int fd;
};

FIXTURE_VARIANT(queue)
{
	enum ramload_engine engine;
};

FIXTURE_VARIANT_ADD(queue, user)
{
	.engine = RAMLOAD_ENGINE_USER,
};

FIXTURE_VARIANT_ADD(queue, kernel)
{
	.engine = RAMLOAD_ENGINE_KERNEL,
};

static int open_queue(struct ramload_session *session, int fd, uint64_t bytes,
		      unsigned int ranges, struct ramload_queue **queue)
{
	struct ramload_queue_options options = {
		.size = sizeof(options),
		.batch_bytes = bytes,
		.batch_ranges = ranges,
	};
	int err = ramload_queue_open(session, fd, &options, queue);

	if (!err)
		(*queue)->load = recording_load;
	return err;
}

FIXTURE_SETUP(queue)
{
	int err = open_session(variant->engine, 2, &self->session);

	if (is_no_module(err) && variant->engine == RAMLOAD_ENGINE_KERNEL)
		SKIP(return, "no ramload module");
	ASSERT_EQ(0, err);
	self->fd = content_file(2 * LENGTH);
	ASSERT_LE(0, self->fd);
	for (unsigned int i = 0; i < 2; i++)
		self->blocks[i] = (struct ramload_block){
			.file_offset = i * LENGTH,
			.length = LENGTH,
			.dest = map_dest(LENGTH, 0),
		};
	ASSERT_EQ(0, open_queue(self->session, self->fd, 0, 0, &self->queue));
}

FIXTURE_TEARDOWN(queue)
{
	ramload_queue_close(self->queue);
	ramload_session_close(self->session);
	close(self->fd);
	for (unsigned int i = 0; i < 2; i++)
		unmap_dest(self->blocks[i].dest, LENGTH, 0);
}

static bool range_is(unsigned int i, const struct ramload_block *block,
		     uint64_t offset, uint64_t length)
{
	const struct ramload_block *range = &record.range[i];

	return range->file_offset == block->file_offset + offset &&
	       range->dest == (char *)block->dest + offset &&
	       range->length == length && !range->bitmap;
}

static int queue_pages(struct ramload_queue *queue,
		       const struct ramload_block *block, uint64_t first,
		       uint64_t end, uint64_t step)
{
	int err = 0;

	for (uint64_t p = first; !err && p < end; p += step)
		err = ramload_queue_page(queue, block, p * PAGE, PAGE);
	return err;
}

/* An error is known some time after the page that it is about. */
static int queue_until_error(struct ramload_queue *queue,
			     const struct ramload_block blocks[2])
{
	int err = 0;

	for (unsigned int i = 0; !err && i < 10000; i++) {
		err = ramload_queue_page(queue, &blocks[i % 2], 0, PAGE);
		usleep(1000);
	}
	return err;
}

TEST_F(queue, adjoining_pages_are_one_range)
{
	struct ramload_block *block = &self->blocks[0];
	struct ramload_result result;

	EXPECT_EQ(0, queue_pages(self->queue, block, 3, 100, 1));
	EXPECT_EQ(0, record.jobs);
	EXPECT_EQ(0, ramload_queue_sync(self->queue, &result));
	EXPECT_EQ(1, record.jobs);
	EXPECT_EQ(1, record.ranges);
	EXPECT_TRUE(range_is(0, block, 3 * PAGE, 97 * PAGE));
	EXPECT_TRUE(result.done);
	EXPECT_EQ(97 * PAGE, result.bytes_total);
	EXPECT_EQ(97 * PAGE, result.bytes_done);
	EXPECT_TRUE(holds((uint8_t *)block->dest + 3 * PAGE, 97 * PAGE,
			  3 * PAGE));
	EXPECT_TRUE(is_fresh(block->dest, 3 * PAGE));
	EXPECT_TRUE(is_fresh((uint8_t *)block->dest + 100 * PAGE, PAGE));
}

TEST_F(queue, gaps_make_ranges)
{
	struct ramload_block *block = &self->blocks[0];

	EXPECT_EQ(0, queue_pages(self->queue, block, 0, 10, 2));
	EXPECT_EQ(0, queue_pages(self->queue, block, 11, 12, 1));
	EXPECT_EQ(0, ramload_queue_page(self->queue, block, 12 * PAGE, 7));
	EXPECT_EQ(0, ramload_queue_page(self->queue, block, 12 * PAGE + 7, 9));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, NULL));
	EXPECT_EQ(1, record.jobs);
	ASSERT_EQ(6, record.ranges);
	for (unsigned int i = 0; i < 5; i++)
		EXPECT_TRUE(range_is(i, block, 2 * i * PAGE, PAGE));
	EXPECT_TRUE(range_is(5, block, 11 * PAGE, PAGE + 16));
}

TEST_F(queue, descending_pages)
{
	struct ramload_block *block = &self->blocks[0];

	for (uint64_t p = 100; p-- > 0;)
		EXPECT_EQ(0, ramload_queue_page(self->queue, block, p * PAGE,
						PAGE));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, NULL));
	EXPECT_EQ(1, record.jobs);
	EXPECT_EQ(100, record.ranges);
	EXPECT_TRUE(holds(block->dest, 100 * PAGE, 0));
}

TEST_F(queue, pages_in_random_order)
{
	struct ramload_block *block = &self->blocks[1];
	uint64_t pages = LENGTH / PAGE;

	for (uint64_t i = 0; i < pages; i++)
		ASSERT_EQ(0, ramload_queue_page(self->queue, block,
						i * 389 % pages * PAGE, PAGE));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, NULL));
	EXPECT_EQ(pages, record.ranges);
	EXPECT_TRUE(block_holds(block, LENGTH));
	EXPECT_TRUE(guards_are_fresh(block->dest, LENGTH));
}

/* The end of a block adjoins the start of the next one in the file. */
TEST_F(queue, another_block_submits)
{
	uint64_t last = LENGTH / PAGE - 1;

	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[0], last, last + 1,
				 1));
	EXPECT_EQ(0, record.jobs);
	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[1], 0, 5, 1));
	EXPECT_EQ(1, record.jobs);
	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[0], 0, 1, 1));
	EXPECT_EQ(2, record.jobs);
	EXPECT_EQ(0, ramload_queue_sync(self->queue, NULL));
	EXPECT_EQ(3, record.jobs);
	ASSERT_EQ(3, record.ranges);
	EXPECT_TRUE(range_is(0, &self->blocks[0], last * PAGE, PAGE));
	EXPECT_TRUE(range_is(1, &self->blocks[1], 0, 5 * PAGE));
	EXPECT_TRUE(range_is(2, &self->blocks[0], 0, PAGE));
}

TEST_F(queue, full_batch_submits)
{
	struct ramload_queue *queue;

	ASSERT_EQ(0, open_queue(self->session, self->fd, 8 * PAGE, 5, &queue));
	EXPECT_EQ(0, queue_pages(queue, &self->blocks[0], 0, 7, 1));
	EXPECT_EQ(0, record.jobs);
	EXPECT_EQ(0, queue_pages(queue, &self->blocks[0], 7, 8, 1));
	EXPECT_EQ(1, record.jobs);
	EXPECT_EQ(1, record.ranges);
	EXPECT_EQ(0, queue_pages(queue, &self->blocks[0], 8, 16, 2));
	EXPECT_EQ(1, record.jobs);
	EXPECT_EQ(0, queue_pages(queue, &self->blocks[0], 16, 17, 1));
	EXPECT_EQ(2, record.jobs);
	EXPECT_EQ(6, record.ranges);
	EXPECT_EQ(0, ramload_queue_sync(queue, NULL));
	EXPECT_EQ(2, record.jobs);
	ramload_queue_close(queue);
}

TEST_F(queue, more_jobs_than_it_keeps)
{
	struct ramload_result result;
	struct ramload_queue *queue;
	uint64_t pages = LENGTH / PAGE;

	ASSERT_EQ(0, open_queue(self->session, self->fd, PAGE, 1, &queue));
	for (unsigned int i = 0; i < 2; i++)
		EXPECT_EQ(0, queue_pages(queue, &self->blocks[i], 0, pages, 1));
	EXPECT_GE(QUEUE_MAX_JOBS, queue->nr_jobs);
	EXPECT_EQ(0, ramload_queue_sync(queue, &result));
	EXPECT_EQ(2 * pages, record.jobs);
	EXPECT_EQ(2 * LENGTH, result.bytes_done);
	EXPECT_TRUE(block_holds(&self->blocks[0], LENGTH));
	EXPECT_TRUE(block_holds(&self->blocks[1], LENGTH));
	ramload_queue_close(queue);
}

TEST_F(queue, sync_counts_since_the_last_one)
{
	struct ramload_result result;

	EXPECT_EQ(0, ramload_queue_sync(self->queue, &result));
	EXPECT_TRUE(result.done);
	EXPECT_EQ(0, result.bytes_total);
	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[0], 0, 10, 3));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, &result));
	EXPECT_EQ(4 * PAGE, result.bytes_total);
	EXPECT_EQ(4 * PAGE, result.bytes_done);
	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[0], 10, 11, 1));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, &result));
	EXPECT_EQ(PAGE, result.bytes_total);
	EXPECT_EQ(2, record.jobs);
}

/* A bad page stays the error until sync, whatever comes after it. */
TEST_F(queue, error_stays_until_sync)
{
	struct ramload_block bad = {
		.file_offset = 2 * LENGTH - PAGE,
		.length = LENGTH,
		.dest = self->blocks[1].dest,
	};
	struct ramload_result result;
	unsigned int jobs;

	EXPECT_EQ(0, queue_pages(self->queue, &bad, 0, 1, 1));
	EXPECT_EQ(0, queue_pages(self->queue, &bad, 2, 3, 1));
	EXPECT_EQ(-ENODATA, queue_until_error(self->queue, self->blocks));
	jobs = record.jobs;
	EXPECT_EQ(-ENODATA, queue_pages(self->queue, &self->blocks[0], 5, 6,
					1));
	EXPECT_EQ(-ENODATA, queue_pages(self->queue, &self->blocks[1], 5, 6,
					1));
	EXPECT_EQ(jobs, record.jobs);
	EXPECT_EQ(-ENODATA, ramload_queue_sync(self->queue, &result));
	EXPECT_EQ(-ENODATA, result.error);
	EXPECT_TRUE(result.done);
	EXPECT_EQ(0, result.error_block);
	EXPECT_EQ(2 * LENGTH + PAGE, result.error_offset);
	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[0], 0, 9, 1));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, &result));
	EXPECT_EQ(0, result.error);
	EXPECT_EQ(9 * PAGE, result.bytes_done);
	EXPECT_TRUE(holds(self->blocks[0].dest, 9 * PAGE, 0));
}

TEST_F(queue, first_error_wins)
{
	struct ramload_block short_file = {
		.file_offset = 2 * LENGTH,
		.length = LENGTH,
		.dest = self->blocks[0].dest,
	};
	struct ramload_block bad_dest = { .length = LENGTH, .dest = NULL };

	EXPECT_EQ(0, queue_pages(self->queue, &short_file, 0, 1, 1));
	queue_pages(self->queue, &bad_dest, 0, 1, 1);
	EXPECT_EQ(-ENODATA, ramload_queue_sync(self->queue, NULL));
	EXPECT_EQ(0, queue_pages(self->queue, &bad_dest, 1, 2, 1));
	queue_pages(self->queue, &short_file, 0, 1, 1);
	EXPECT_EQ(-EFAULT, ramload_queue_sync(self->queue, NULL));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, NULL));
}

TEST_F(queue, refused_load)
{
	struct ramload_result result;

	record.refuse = 1;
	record.error = -ENOMEM;
	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[0], 7, 8, 1));
	EXPECT_EQ(-ENOMEM, queue_pages(self->queue, &self->blocks[1], 0, 1, 1));
	EXPECT_EQ(-ENOMEM, queue_pages(self->queue, &self->blocks[1], 0, 1, 1));
	EXPECT_EQ(-ENOMEM, ramload_queue_sync(self->queue, &result));
	EXPECT_EQ(7 * PAGE, result.error_offset);
	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[1], 0, 1, 1));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, NULL));
}

TEST_F(queue, waits_while_busy)
{
	struct ramload_queue *queue;

	ASSERT_EQ(0, open_queue(self->session, self->fd, PAGE, 1, &queue));
	EXPECT_EQ(0, queue_pages(queue, &self->blocks[0], 0, 1, 1));
	/* The first job may be over at any moment: nothing is busy then. */
	record.refuse = 1;
	record.error = -EBUSY;
	record.busy = queue;
	EXPECT_EQ(0, queue_pages(queue, &self->blocks[0], 1, 2, 1));
	EXPECT_EQ(2, record.jobs);
	record.busy = NULL;
	record.refuse = 0;
	EXPECT_EQ(0, ramload_queue_sync(queue, NULL));
	record.refuse = 1;
	EXPECT_EQ(-EBUSY, queue_pages(queue, &self->blocks[0], 1, 2, 1));
	EXPECT_EQ(-EBUSY, ramload_queue_sync(queue, NULL));
	ramload_queue_close(queue);
}

TEST_F(queue, bad_pages)
{
	struct ramload_block *block = &self->blocks[0];
	uint64_t top = UINT64_MAX;

	EXPECT_EQ(-EINVAL, ramload_queue_page(self->queue, block, 0, 0));
	EXPECT_EQ(-EINVAL, ramload_queue_page(self->queue, block, LENGTH, 1));
	EXPECT_EQ(-EINVAL, ramload_queue_page(self->queue, block, 1, LENGTH));
	EXPECT_EQ(-EINVAL, ramload_queue_page(self->queue, block, top, 2));
	EXPECT_EQ(-EINVAL, ramload_queue_page(self->queue, block, 2, top));
	EXPECT_EQ(0, ramload_queue_page(self->queue, block, 0, LENGTH));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, NULL));
	EXPECT_EQ(1, record.jobs);
	EXPECT_TRUE(block_holds(block, LENGTH));
}

/* A file of 2 to the 64 bytes has no page behind its end that is its first one. */
TEST_F(queue, block_that_wraps)
{
	struct ramload_block far = {
		.file_offset = -PAGE,
		.length = 2 * PAGE,
		.dest = self->blocks[0].dest,
	};
	struct ramload_block high = {
		.length = 2 * PAGE,
		.dest = (void *)-(uintptr_t)PAGE,
	};

	EXPECT_EQ(-EOVERFLOW, ramload_queue_page(self->queue, &far, PAGE, PAGE));
	EXPECT_EQ(-EOVERFLOW, ramload_queue_page(self->queue, &high, PAGE, PAGE));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, NULL));
}

TEST_F(queue, quit)
{
	struct ramload_queue *other = (void *)-1;

	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[0], 0, 1, 1));
	ramload_session_stop(self->session);
	EXPECT_EQ(-ESHUTDOWN, queue_pages(self->queue, &self->blocks[0], 1, 2,
					  1));
	EXPECT_EQ(-ESHUTDOWN, queue_pages(self->queue, &self->blocks[1], 1, 2,
					  1));
	EXPECT_EQ(-ESHUTDOWN, ramload_queue_sync(self->queue, NULL));
	EXPECT_EQ(-ESHUTDOWN, queue_pages(self->queue, &self->blocks[0], 1, 2,
					  1));
	EXPECT_EQ(0, ramload_queue_sync(self->queue, NULL));
	EXPECT_EQ(-ESHUTDOWN, open_queue(self->session, self->fd, 0, 0,
					 &other));
	EXPECT_EQ(NULL, other);
}

/* What was submitted but not loaded when the session is stopped is lost. */
TEST_F(queue, quit_with_jobs)
{
	struct ramload_block block = { .length = 8 * GiB };
	int err;

	ASSERT_EQ(0, ftruncate(self->fd, 8 * GiB));
	block.dest = map_memory(8 * GiB);
	ASSERT_NE(NULL, block.dest);
	EXPECT_EQ(0, ramload_queue_page(self->queue, &block, 0, 8 * GiB));
	ramload_session_stop(self->session);
	err = ramload_queue_page(self->queue, &block, 0, 1);
	EXPECT_EQ(-ESHUTDOWN, err);
	EXPECT_EQ(-ESHUTDOWN, ramload_queue_sync(self->queue, NULL));
	munmap(block.dest, 8 * GiB);
}

TEST_F(queue, close_cancels)
{
	struct ramload_block block = { .length = 8 * GiB };

	ASSERT_EQ(0, ftruncate(self->fd, 8 * GiB));
	block.dest = map_memory(8 * GiB);
	ASSERT_NE(NULL, block.dest);
	EXPECT_EQ(0, ramload_queue_page(self->queue, &block, 0, 8 * GiB));
	EXPECT_EQ(0, queue_pages(self->queue, &self->blocks[0], 0, 1, 1));
	ramload_queue_close(self->queue);
	self->queue = NULL;
	memset(block.dest, FRESH, 16 * MiB);
	usleep(20000);
	EXPECT_TRUE(is_fresh(block.dest, 16 * MiB));
	munmap(block.dest, 8 * GiB);
}

TEST_F(queue, bad_options)
{
	struct ramload_queue_options options = { .size = sizeof(options) };
	struct ramload_queue *queue;

	options.io = 3;
	EXPECT_EQ(-EINVAL, ramload_queue_open(self->session, self->fd,
					      &options, &queue));
	options.io = RAMLOAD_IO_BUFFERED;
	options.size = 8;
	EXPECT_EQ(-EINVAL, ramload_queue_open(self->session, self->fd,
					      &options, &queue));
	EXPECT_EQ(NULL, queue);
	ASSERT_EQ(0, ramload_queue_open(self->session, -1, NULL, &queue));
	EXPECT_EQ(0, queue_pages(queue, &self->blocks[0], 0, 1, 1));
	EXPECT_EQ(-EBADF, ramload_queue_sync(queue, NULL));
	ramload_queue_close(queue);
	ramload_queue_close(NULL);
}

TEST_HARNESS_MAIN
