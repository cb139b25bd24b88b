/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_FILL_H
#define RAMLOAD_FILL_H

#include <linux/bvec.h>
#include <linux/types.h>

#include "load_request.h"
#include "target_vma.h"

struct folio;
struct load_job;
struct mm_struct;
struct page;
struct source_file;

/*
 * A batch of the pinned fill: what the fault handler has just cleared should
 * still be in the cache when the read overwrites it.
 */
#define FILL_PINNED_PAGES	64

/* A batch of the shmem fill: pieces, and bytes. */
#define FILL_SHMEM_PIECES	256
#define FILL_SHMEM_BYTES	SZ_2M

/**
 * struct shmem_piece - the part of a folio that a batch loads
 * @folio: a reference
 * @offset: where in the folio it starts
 * @length: its length
 * @fresh: the folio was not uptodate: nobody sees what is in it
 * @copied: it is loaded
 */
struct shmem_piece {
	struct folio *folio;
	size_t offset;
	size_t length;
	bool fresh;
	bool copied;
};

/**
 * struct fill - what a worker needs to fill pages
 * @mm: the mm of the destination; the caller sees to it that it has users
 * @pos: where in the request it is; a chunk may be left and taken up again
 * @end: end of the chunk
 * @seg: what is left of the segment that it is at
 * @target: the mapping filled last, kept from one segment to the next
 * @in_place: somebody interfered with the last batch of the shmem fill: make
 *	the folios of the next one visible before they are read into
 * @bvecs: the pages of a batch, as the source takes them
 * @pieces: the folios of a batch of the shmem fill
 * @pages: the pages of a batch of the pinned fill
 *
 * Made once for a worker, so that no chunk allocates.
 */
struct fill {
	struct mm_struct *mm;
	struct load_position pos;
	struct load_position end;
	struct load_segment seg;
	struct target_vma target;
	bool in_place;
	struct bio_vec bvecs[FILL_SHMEM_PIECES];
	union {
		struct shmem_piece pieces[FILL_SHMEM_PIECES];
		struct page *pages[FILL_PINNED_PAGES];
	};
};

void fill_start(struct fill *f, const struct load_job *job, u32 chunk);
bool fill_run(struct fill *f, struct load_job *job);
void fill_abandon(struct fill *f, struct load_job *job);

/*
 * The fills load the start of [addr, addr + bytes), which lies in @f->target,
 * from @pos on. They return the number of bytes loaded, which may be less than
 * asked for; 0 if somebody interfered and the same is to be tried again;
 * -ENODATA if the file ends at @pos; or another errno. Process context, no
 * locks held.
 */
ssize_t fill_shmem(struct fill *f, const struct source_file *src,
		   unsigned long addr, loff_t pos, size_t bytes);
ssize_t fill_pinned(struct fill *f, const struct source_file *src,
		    unsigned long addr, loff_t pos, size_t bytes);

#endif /* RAMLOAD_FILL_H */
