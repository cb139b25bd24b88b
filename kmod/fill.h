/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_FILL_H
#define RAMLOAD_FILL_H

#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "load_request.h"
#include "source_batch.h"
#include "stats.h"
#include "target_vma.h"

struct folio;
struct load_job;
struct mm_struct;
struct pid;
struct page;
struct source_file;

/* A batch of the pinned fill. */
#define FILL_PINNED_PAGES	512

/* A batch of the shmem fill: pieces, and bytes. */
#define FILL_SHMEM_PIECES	256
#define FILL_SHMEM_BYTES	SZ_2M

/* The source is read ahead so far, in the segments that are looked up. */
#define FILL_AHEAD		((u64)SZ_4M)

/* Segments that are looked up at a time; a batch may have many. */
#define FILL_SEGMENTS		256

/* After so many faults for huge pages that gave none, no more are taken. */
#define FILL_SMALL_MAX		8

/* Segments that lie in more than so many times their bytes lie far apart. */
#define FILL_SPAN		8

/**
 * struct shmem_piece - the part of a folio that a batch loads
 * @folio: a reference
 * @offset: where in the folio it starts
 * @length: its length
 * @fresh: the folio was not uptodate: nobody sees what is in it
 */
struct shmem_piece {
	struct folio *folio;
	size_t offset;
	size_t length;
	bool fresh;
};

/**
 * struct fill - what a worker needs to fill pages
 * @mm: the mm of the destination; the caller sees to it that it has users
 * @process: whose mm it is
 * @job: the job of the chunk
 * @chunk: index of the chunk
 * @chunk_bytes: bytes of it that are loaded
 * @chunk_direct: of those, what was read past the page cache
 * @pos: where in the request it is; a chunk may be left and taken up again
 * @end: end of the chunk
 * @segs: segments before @pos
 * @seg: index of the one that it is at; the first bytes of that may be cut off
 * @nr_segs: how many there are
 * @cold: they are many small ones, to be read directly
 * @ahead: index of the segment that is to be read ahead next, as far as
 *	segments have been
 * @ahead_to: and where in the source
 * @ahead_bytes: bytes before that which are not loaded
 * @span: what @segs lay in, to be dropped from the page cache when they are
 *	loaded
 * @span_end: its end; 0: nothing is to be dropped
 * @target: the mapping filled last, kept from one batch to the next
 * @small: faults for huge pages that gave none, one after the other, in this job
 * @faulted: where the user fill has taken a fault, to try again
 * @in_place: somebody interfered with the last batch of the shmem fill: make
 *	the folios of the next one visible before they are read into
 * @done: bytes loaded by the last fill_run()
 * @stats: what was counted in it
 * @batch: what is read of the source
 * @pieces: the folios of a batch of the shmem fill
 * @pages: the pages of a batch of the pinned fill
 *
 * Made once for a worker, so that no chunk allocates. To be zeroed.
 */
struct fill {
	struct mm_struct *mm;
	struct pid *process;
	const struct load_job *job;
	u32 chunk;
	u64 chunk_bytes;
	u64 chunk_direct;
	struct load_position pos;
	struct load_position end;
	struct load_segment segs[FILL_SEGMENTS];
	unsigned int seg;
	unsigned int nr_segs;
	bool cold;
	unsigned int ahead;
	u64 ahead_to;
	u64 ahead_bytes;
	u64 span;
	u64 span_end;
	struct target_vma target;
	unsigned int small;
	unsigned long faulted;
	bool in_place;
	u64 done;
	struct stats stats;
	struct source_batch batch;
	union {
		struct shmem_piece pieces[FILL_SHMEM_PIECES];
		struct page *pages[FILL_PINNED_PAGES];
	};
};

void fill_start(struct fill *f, const struct load_job *job, u32 chunk);
bool fill_run(struct fill *f, struct load_job *job);
void fill_abandon(struct fill *f, struct load_job *job);

/*
 * The fills load some bytes, in order, from the segment that @f is at on, whose
 * start lies in @f->target. They return how many; 0 if somebody interfered and
 * the same is to be tried again; -ENODATA if the file ends at the first of
 * them; or another errno. Process context, no locks held.
 */
ssize_t fill_shmem(struct fill *f, const struct source_file *src);
ssize_t fill_user(struct fill *f, const struct source_file *src);
ssize_t fill_pinned(struct fill *f, const struct source_file *src);

/*
 * Reads f->batch, or its first bytes. Returns how many, 0 at the end of the file,
 * or an errno.
 */
ssize_t fill_read_batch(struct fill *f);

/* Counts what a fill has loaded; returns @ret. */
static inline ssize_t fill_loaded(struct fill *f, enum stat_item item,
				  ssize_t ret)
{
	if (ret > 0)
		stats_add(&f->stats, item, ret);
	return ret;
}

/* Does that address lie in @f->target? */
static inline bool fill_is_in_target(const struct fill *f, unsigned long addr)
{
	return addr >= f->target.start && addr < f->target.end;
}

/* Bytes of a segment, which begins in @f->target, that lie there. */
static inline u64 fill_segment_bytes(const struct fill *f,
				     const struct load_segment *seg)
{
	return min(seg->length, (u64)(f->target.end - seg->dest));
}

/* The same of the segment that @f is at. */
static inline u64 fill_bytes(const struct fill *f)
{
	return fill_segment_bytes(f, &f->segs[f->seg]);
}

#endif /* RAMLOAD_FILL_H */
