// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: source_batch
 *
 * What a worker reads at a time: parts of the source, in the order they are
 * wanted in, and the pages they go to. Parts that adjoin are one read.
 *
 * A device is slow to answer, and fast if it is asked for much at once. So
 * where a batch needs several direct reads, up to SOURCE_BATCH_READS of them
 * are under way together (asynchronous kiocbs), and a small gap between two
 * parts is read, too, into memory that nobody looks at: one long read is cheaper
 * for the CPU and for the device than two short ones. A page of that memory is
 * used once in a batch: a file system or a device that has checksums looks at
 * what it has read. Through the page cache, gaps are not read: there is no
 * device to wait for, and a copy from memory saves only a call.
 *
 * Reads are asynchronous where the file is on a block device. There, a direct
 * read cannot be interrupted anyway, so to wait for all of them, as is done
 * before a batch is left, is no worse; a network file system or FUSE can give
 * up a read whose reader is killed, and gets one after the other. What a device
 * is given at a time it limits itself: who submits waits for its queue.
 *
 * After one that fails, or is short, what is left of the batch is read one after
 * the other and without gaps, by source_file_read(), which knows what to do.
 *
 * Lifetime: the kiocbs, iterators and bvecs lie in the batch, which stays as
 * long as its worker; the pages are the caller's. No source_batch_read()
 * returns while a read is under way, whatever happens. The last one to end
 * completes @all_done and touches nothing after that.
 */

#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "source_batch.h"
#include "source_file.h"
#include "stats.h"

#define SINK_BYTES	(SOURCE_BATCH_SINKS * SOURCE_BATCH_SINK)

/* So that nobody takes a slow device for a hung task. */
#define WAIT_JIFFIES	(30 * HZ)

/**
 * source_batch_end() - free what batches have used
 * @b: zeroed, or used
 */
void source_batch_end(struct source_batch *b)
{
	unsigned int i;

	for (i = 0; i < SOURCE_BATCH_SINKS && b->sinks[i]; i++) {
		folio_put(b->sinks[i]);
		b->sinks[i] = NULL;
	}
}

/* The memory of a kernel thread would be charged to nobody. */
static bool may_have_sinks(void)
{
	return !(current->flags & PF_KTHREAD);
}

/**
 * source_batch_start() - begin a batch
 * @b: zeroed, or used
 * @src: what is to be read
 * @stats: where to count
 * @direct: it is many parts that are to be read directly
 */
void source_batch_start(struct source_batch *b, const struct source_file *src,
			struct stats *stats, bool direct)
{
	b->src = src;
	b->stats = stats;
	b->direct = direct;
	b->nr = 0;
	b->at = 0;
	b->ended = false;
	b->sink_used = may_have_sinks() ? 0 : SINK_BYTES;
	bitmap_zero(b->is_gap, SOURCE_BATCH_BVECS);
}

static loff_t end_of(const struct source_batch *b, unsigned int i)
{
	return b->from[i] + b->bvecs[i].bv_len;
}

static void append(struct source_batch *b, loff_t from, struct page *page,
		   size_t offset, size_t length)
{
	b->from[b->nr] = from;
	b->bvecs[b->nr] = (struct bio_vec){
		.bv_page = page,
		.bv_len = length,
		.bv_offset = offset,
	};
	b->nr++;
}

/*
 * A folio that has room for a gap, or NULL. It is asked for with little effort,
 * as a caller may hold mmap_lock, and only once.
 */
static struct folio *find_sink(struct source_batch *b, size_t gap)
{
	size_t room = -b->sink_used & (SOURCE_BATCH_SINK - 1);
	unsigned int i;

	if (room < gap)
		b->sink_used += room;
	i = b->sink_used / SOURCE_BATCH_SINK;
	if (i == SOURCE_BATCH_SINKS)
		return NULL;
	if (!b->sinks[i])
		b->sinks[i] = folio_alloc(GFP_NOWAIT | __GFP_ACCOUNT |
					  __GFP_NOWARN,
					  get_order(SOURCE_BATCH_SINK));
	if (!b->sinks[i])
		b->sink_used = SINK_BYTES;
	return b->sinks[i];
}

static void append_gap(struct source_batch *b, loff_t from, size_t gap)
{
	struct folio *sink = find_sink(b, gap);
	size_t offset = b->sink_used % SOURCE_BATCH_SINK;

	if (!sink)
		return;
	__set_bit(b->nr, b->is_gap);
	append(b, from, folio_page(sink, offset / PAGE_SIZE),
	       offset_in_page(offset), gap);
	b->sink_used += gap;
}

/* Is the gap between what there is and @from to be read? */
static bool is_read_through(const struct source_batch *b, loff_t from)
{
	loff_t end = end_of(b, b->nr - 1);

	return from > end && from - end <= SOURCE_BATCH_GAP &&
	       source_file_is_aligned(b->src, end, from);
}

/**
 * source_batch_add() - add some bytes
 * @b: a batch that is not full
 * @from: where in the source they are
 * @page: where they go to: a page, or pages of a folio that begin with it; to
 *	be held by the caller until source_batch_read() has returned
 * @offset: in @page
 * @length: how many
 */
void source_batch_add(struct source_batch *b, loff_t from, struct page *page,
		      size_t offset, size_t length)
{
	if (b->direct && b->nr && is_read_through(b, from)) {
		loff_t end = end_of(b, b->nr - 1);

		append_gap(b, end, from - end);
	}
	append(b, from, page, offset, length);
}

/**
 * source_batch_extend() - more bytes adjoin to the last ones, here and there
 * @b: the batch
 * @length: how many
 */
void source_batch_extend(struct source_batch *b, size_t length)
{
	b->bvecs[b->nr - 1].bv_len += length;
}

/* Finds bvecs that adjoin in the source; @gaps: across gaps, too. */
static unsigned int find_run(const struct source_batch *b, unsigned int i,
			     bool gaps, size_t *bytes)
{
	*bytes = 0;
	do {
		*bytes += b->bvecs[i++].bv_len;
	} while (i < b->nr && b->from[i] == end_of(b, i - 1) &&
		 (gaps || !test_bit(i, b->is_gap)));
	return i;
}

/* Bytes of a run that are wanted. */
static size_t bytes_wanted(const struct source_batch *b,
			   const struct source_read *r)
{
	size_t bytes = r->bytes;
	unsigned int i;

	for (i = r->first; i < r->end; i++)
		if (test_bit(i, b->is_gap))
			bytes -= b->bvecs[i].bv_len;
	return bytes;
}

/* One read, up to the next gap. Returns as source_batch_read(). */
static ssize_t read_one(struct source_batch *b)
{
	unsigned int first = b->at;
	struct iov_iter iter;
	size_t bytes;
	ssize_t ret;

	if (test_bit(first, b->is_gap))
		first++;
	b->at = find_run(b, first, false, &bytes);
	iov_iter_bvec(&iter, ITER_DEST, &b->bvecs[first], b->at - first,
		      bytes);
	ret = source_file_read(b->src, b->from[first], &iter, b->stats);
	b->ended = ret != (ssize_t)bytes;
	return ret;
}

static void read_ends(struct source_batch *b)
{
	if (atomic_dec_and_test(&b->under_way))
		complete(&b->all_done);
}

/* In any context. */
static void read_has_ended(struct kiocb *kiocb, long ret)
{
	struct source_read *r = container_of(kiocb, struct source_read, kiocb);

	r->ret = ret;
	read_ends(r->batch);
}

static void start_read(struct source_batch *b, struct source_read *r)
{
	ssize_t ret;

	atomic_inc(&b->under_way);
	ret = source_file_start_read(b->src, b->from[r->first], &r->iter,
				     &r->kiocb, read_has_ended);
	r->queued = ret == -EIOCBQUEUED;
	if (r->queued)
		return;
	r->ret = ret;
	read_ends(b);
}

/* The next run. False if that is none to be started. */
static bool next_read(struct source_batch *b, struct source_read *r,
		      unsigned int first)
{
	r->batch = b;
	r->first = first;
	r->end = find_run(b, first, true, &r->bytes);
	iov_iter_bvec(&r->iter, ITER_DEST, &b->bvecs[first], r->end - first,
		      r->bytes);
	return source_file_can_queue(b->src, b->from[first], &r->iter);
}

/* Starts reads, up to one that cannot be. Returns how many. */
static unsigned int start_reads(struct source_batch *b)
{
	unsigned int first = b->at;
	struct blk_plug plug;
	unsigned int nr;

	blk_start_plug(&plug);
	for (nr = 0; nr < SOURCE_BATCH_READS && first < b->nr; nr++) {
		struct source_read *r = &b->reads[nr];

		if (!next_read(b, r, first))
			break;
		start_read(b, r);
		first = r->end;
	}
	blk_finish_plug(&plug);
	return nr;
}

static void wait_for_reads(struct source_batch *b)
{
	if (atomic_dec_and_test(&b->under_way))
		return;
	while (!wait_for_completion_io_timeout(&b->all_done, WAIT_JIFFIES))
		;
}

/* What was read of a run: all or nothing. */
static size_t take_read(struct source_batch *b, const struct source_read *r)
{
	size_t bytes;

	if (!source_file_has_read(b->src, b->from[r->first], r->bytes,
				  r->queued, r->ret)) {
		stats_add(b->stats, STAT_NOT_DIRECT, 1);
		return 0;
	}
	bytes = bytes_wanted(b, r);
	stats_add(b->stats, STAT_DIRECT, bytes);
	stats_add(b->stats, STAT_GAPS, r->bytes - bytes);
	return bytes;
}

/*
 * Several reads at once. Returns how many bytes were read; none, or only those
 * before a read that failed, if the rest must be read one after the other.
 */
static size_t read_several(struct source_batch *b)
{
	size_t done = 0;
	size_t bytes;
	unsigned int nr, i;

	init_completion(&b->all_done);
	atomic_set(&b->under_way, 1);
	nr = start_reads(b);
	wait_for_reads(b);
	stats_add(b->stats, STAT_READS, nr);
	b->direct = nr;
	for (i = 0; i < nr; i++) {
		bytes = take_read(b, &b->reads[i]);
		if (!bytes) {
			b->direct = false;
			break;
		}
		b->at = b->reads[i].end;
		done += bytes;
	}
	return done;
}

/**
 * source_batch_read() - read what comes next
 * @b: a batch with something left
 *
 * One read, or several at once, so that the caller can look in between whether
 * to go on. When source_batch_done(), there is nothing left
 * to read, or what is left cannot be.
 *
 * Context: process context, may sleep; no locks held.
 * Return: how many bytes were read, of those that source_batch_add() was told,
 * in order; 0 if the file ends there; or a negative errno.
 */
ssize_t source_batch_read(struct source_batch *b)
{
	size_t done = 0;

	if (b->direct)
		done = read_several(b);
	return done ?: read_one(b);
}
