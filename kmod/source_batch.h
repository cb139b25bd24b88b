/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_SOURCE_BATCH_H
#define RAMLOAD_SOURCE_BATCH_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/uio.h>

struct folio;
struct page;
struct source_batch;
struct source_file;
struct stats;

#define SOURCE_BATCH_BVECS	512U

/* Direct reads of a worker that are under way at a time. */
#define SOURCE_BATCH_READS	32

/*
 * A gap of so many bytes is read with what lies around it, if that is read
 * directly. A rule of thumb: a device of 1 GB/s transfers it in 16 us; in a
 * network, or limited by the number of reads, it needs longer for another one.
 */
#define SOURCE_BATCH_GAP	SZ_16K

/* Where gaps go: so many folios of this size, as far as they are needed. */
#define SOURCE_BATCH_SINKS	16
#define SOURCE_BATCH_SINK	SZ_64K

/**
 * struct source_read - a direct read that is under way, or was
 * @batch: the batch it is of
 * @kiocb: for the file system
 * @iter: the pages
 * @first: index of its first bvec
 * @end: index behind the last
 * @bytes: how many it is to read
 * @queued: it was asynchronous
 * @ret: how many it has read, or an errno
 */
struct source_read {
	struct source_batch *batch;
	struct kiocb kiocb;
	struct iov_iter iter;
	unsigned int first;
	unsigned int end;
	size_t bytes;
	bool queued;
	ssize_t ret;
};

/**
 * struct source_batch - parts of the source that are to be read, and pages
 * @src: the source
 * @stats: where to count
 * @direct: it is many parts: they are read directly, several at a time, and
 *	gaps with them
 * @nr: number of bvecs
 * @at: index of the first that has not been read
 * @ended: what is at @at cannot be read
 * @sink_used: bytes of @sinks that have gaps
 * @under_way: reads, and one more while they are started
 * @all_done: when they are
 * @reads: reads
 * @is_gap: bit for each bvec that leads to @sinks
 * @from: for each bvec, where in the source it is
 * @bvecs: the pages
 * @sinks: memory nobody looks at
 *
 * Belongs to one worker and needs no lock.
 */
struct source_batch {
	const struct source_file *src;
	struct stats *stats;
	bool direct;
	unsigned int nr;
	unsigned int at;
	bool ended;
	size_t sink_used;
	atomic_t under_way;
	struct completion all_done;
	struct source_read reads[SOURCE_BATCH_READS];
	DECLARE_BITMAP(is_gap, SOURCE_BATCH_BVECS);
	loff_t from[SOURCE_BATCH_BVECS];
	struct bio_vec bvecs[SOURCE_BATCH_BVECS];
	struct folio *sinks[SOURCE_BATCH_SINKS];
};

void source_batch_end(struct source_batch *b);
void source_batch_start(struct source_batch *b, const struct source_file *src,
			struct stats *stats, bool direct);
void source_batch_add(struct source_batch *b, loff_t from, struct page *page,
		      size_t offset, size_t length);
void source_batch_extend(struct source_batch *b, size_t length);
ssize_t source_batch_read(struct source_batch *b);

/* How many bvecs are sure to fit: there may be a gap before the next one. */
static inline unsigned int source_batch_room(const struct source_batch *b)
{
	if (!b->nr)
		return SOURCE_BATCH_BVECS;
	return SOURCE_BATCH_BVECS - min(b->nr + 1, SOURCE_BATCH_BVECS);
}

/* Is there nothing more to read? */
static inline bool source_batch_done(const struct source_batch *b)
{
	return b->ended || b->at == b->nr;
}

#endif /* RAMLOAD_SOURCE_BATCH_H */
