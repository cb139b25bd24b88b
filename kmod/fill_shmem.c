// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fill_shmem
 *
 * The fill for shared writable mappings of memfd and tmpfs files: the file is
 * read straight into folios of the destination's page cache. No page table is
 * touched, no fault taken, no page cleared that is overwritten anyway, and a
 * huge page is one piece. (Only where huge pages are to be had by advice alone,
 * one is faulted in, cleared: still cheaper than 512 small ones.)
 *
 * A batch has as many segments as fit, of what adjoins in memory or not; in the
 * source, pieces that adjoin are one read. It goes through three steps.
 *
 * collect: shmem_get_folio(SGP_WRITE) finds or makes a folio and returns it
 * locked. A folio that is not uptodate is *fresh*: it may hold foreign data,
 * and shmem clears it before it is mapped, read or swapped out, as it does
 * with those of fallocate(2). We keep a reference and unlock it.
 *
 * read: the source is read into the folios. **No folio lock is held**: a FUSE
 * daemon or loop device behind the source may need the very folio, and could
 * wait for us for ever, unkillably. Our reference keeps the folio's memory
 * ours, and keeps reclaim, migration and splitting away from it. What others
 * may do meanwhile, each under the folio lock:
 *
 * - a fault, write(2), another loader: make the fresh folio uptodate, having
 *   cleared what they did not write, maybe over what we read
 * - truncate, hole punch, a failed fallocate: take it out of the page cache
 * - truncate or hole punch of a part of it: clear that part
 *
 * commit: lock the folio again and look what happened. Still fresh: clear what
 * we did not read, then mark it uptodate and dirty; only now does anybody see
 * it. Taken out, or made uptodate meanwhile: what we read may be gone, so that and
 * the rest of the batch is read again, *in place*: folios are made visible first,
 * cleared, and are then overwritten as read(2) would. What of the rest was fresh
 * leaves the page cache until then, for that may never come.
 *
 * A folio that was uptodate from the start is overwritten in place, too. It is
 * marked dirty before, so that no truncate of its other part drops it as clean
 * when our reference keeps it from being split. Who takes it out meanwhile
 * discards what was loaded, as after a direct read(2); so a batch is read
 * twice at most, whatever others do.
 *
 * A huge folio is never fresh, see may_be_mapped(): it has to be visible when
 * it is unlocked, its bytes cleared or loaded. So it is loaded while it is
 * locked, as far as the source is in the page cache and can be copied without
 * waiting for anything (source_file_copy()): all segments that lie in it, at
 * once, and only what is between them is cleared. The rest of it is cleared,
 * and loaded in place.
 *
 * If the read fails, a fresh folio that is there for our sake leaves the page
 * cache again: a hole stays one, for the next fault, for userfaultfd, and in
 * st_blocks. One that cannot be taken out stays not uptodate and reads as
 * zeros; and one that is read in place, because somebody interfered, is a page
 * of zeros then.
 *
 * SGP_WRITE does not check i_size. It is checked when a folio is collected, so
 * a fill beyond the end of the file fails as a store would (-EFAULT), and again
 * at commit, so that what a truncate has cleared does not come back. A folio
 * that is made in the moment of a truncate may stay behind the end of the
 * file, not uptodate, like one of fallocate(FALLOC_FL_KEEP_SIZE).
 *
 * Locking: folio locks, one at a time, none while anything else is waited
 * for; under one, source_file_copy(). The file, and with it the mapping, is held by the target_vma.
 */

/**
 * DOC: fill_shmem: why it is safe
 *
 * While the source is read we hold a reference to each folio of the batch, to
 * the destination's file, and its mapping's count of writers. We hold no lock:
 * no folio lock, mmap_lock, i_rwsem or invalidate_lock. Two rules follow.
 * *(R)* The memory of a folio is neither freed nor moved while we read into it,
 * in the page cache or out of it. *(U)* A folio that is not uptodate becomes so
 * under its lock only, when all of its bytes have been written since it was
 * allocated; whoever shows bytes to anybody looks at uptodate first.
 *
 * By R, no byte goes to memory of somebody else. By U, nobody sees an
 * uncleared byte; memfd_pin_folios() alone does not look at uptodate, neither
 * here nor after fallocate(2). As we wait for nothing while we hold a lock,
 * nobody can wait for us in a circle. What is left to show is that no store is
 * lost. In brackets are the tests, of selftests/shmem_held.c (held.*,
 * registered.*: a read is held while it happens), shmem_fill.c (shmem_fill.*:
 * at random, on two CPUs, with poisoned free memory), and others where named.
 *
 * 1. *Faults.* shmem_fault() clears a fresh folio under its lock and marks it
 *    uptodate; fault-around skips what is not. A store comes after that and
 *    is to a visible folio, of which we write our own range only: at commit the
 *    folio is uptodate, so nothing is cleared, and we read again. MADV_COLLAPSE
 *    breaks U for folios of PMD size (it maps them without a look), so those
 *    are never fresh. [held.looked_at, stored_to, collapsed; shmem_fill.fault,
 *    store, collapse]
 * 2. *Truncate and hole punch* take the folio lock. A folio that is taken out
 *    has another mapping at commit: what we read goes with it, and is read
 *    again into what is there then. A large folio that our reference keeps from
 *    being split stays, its part cleared, perhaps before we read there; hence
 *    the look at i_size at commit. [held.punched, partly_punched,
 *    truncated_in_the_middle (large folios), truncated_and_grown;
 *    shmem_fill.punch, truncate]
 * 3. *Swap-out, reclaim, migration, collapse, splitting* look at the number of
 *    references under the folio lock, and give up. One that has begun before
 *    we have our reference holds the lock, and is over, the folio's mapping
 *    gone, when we get it. Afterwards the folio is dirty: it is written to
 *    swap, not dropped. A swapped page is read back by shmem_get_folio().
 *    [held.paged_out, paged_out_before, paged_out_after, dropped;
 *    shmem_fill.page_out, compact]
 * 4. *Another loader* may read into the same fresh folio. The first to commit
 *    clears what it has not read, which may be what the other has; that one
 *    finds the folio uptodate and reads again. Each writes its own range only.
 *    [held.loaded_by_another, held_by_another; shmem_fill.load]
 * 5. *write(2)* into the memfd makes a fresh folio uptodate under its lock, all
 *    but its own bytes cleared; then as 1. fallocate(2) does so too, or, if
 *    it fails, takes out folios that are fresh; then as 2. [held.written,
 *    allocated, allocated_before, allocation_is_undone; shmem_fill.write,
 *    fallocate]
 * 6. *fork* shares the mapping and copies no page of it. A child cannot load
 *    into its parent. [held.stored_to_by_a_child; shmem_fill.fork;
 *    midload.process_forks]
 * 7. *userfaultfd.* A registered range is left to the pinned fill. One that is
 *    registered meanwhile gets what is being read, which is no longer missing,
 *    and at most the rest of 2 MiB (see target_vma). A page that failed to
 *    load is missing as before, unless it was read in place.
 *    [registered.while_held, after_a_failure, after_interference;
 *    shmem_fill.userfault; userfault.c]
 * 8. *Seals.* F_SEAL_WRITE fails while we count as a writer, and after that
 *    while a reference is left. The size is never changed
 *    (F_SEAL_GROW, F_SEAL_SHRINK). [held.sealed; midload.memory_is_sealed;
 *    context.sealed_at_any_moment of race.c]
 * 9. *A source that needs the destination*, a FUSE daemon that has it mapped or
 *    a loop device on it, finds no lock of ours and meets 1 to 5. It may let
 *    us wait for ever: so may it the caller of read(2). [all of held.*, as the
 *    daemon is a thread of the test; daemon.* and same_file.* of source.c]
 *
 * What R costs: memory cannot be migrated or offlined while a source is slow,
 * as with a direct read(2).
 */

#ifdef RAMLOAD_HAVE_SHMEM_FILL

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/uio.h>

#include "fault_point.h"
#include "fill.h"
#include "source_file.h"
#include "trace.h"

/**
 * struct shmem_batch - what is loaded at a time
 * @inode: of the destination's file
 * @src: the source
 * @seg: index of the segment whose bytes are collected next
 * @done: how many of its bytes were
 * @bytes: how many were collected in all
 * @copied: the last piece is copied; so many of @bytes are in it
 * @may_copy: source_file_copy() may be called
 * @nr: pieces, in struct fill
 */
struct shmem_batch {
	struct inode *inode;
	const struct source_file *src;
	unsigned int seg;
	u64 done;
	size_t bytes;
	size_t copied;
	bool may_copy;
	unsigned int nr;
};

/* Bytes that are to be collected next. */
struct shmem_bytes {
	loff_t to;
	loff_t from;
	size_t length;
};

/* First offset that no store to a mapping can reach. */
static u64 mapped_end(const struct inode *inode)
{
	return round_up((u64)i_size_read(inode), PAGE_SIZE);
}

static bool is_mapped(const struct inode *inode,
		      const struct shmem_piece *piece, size_t bytes)
{
	return folio_pos(piece->folio) + piece->offset + bytes <=
	       mapped_end(inode);
}

/*
 * MADV_COLLAPSE maps a folio of this size without a look at whether it is
 * uptodate, so it cannot be fresh: its uncleared bytes could be seen, and
 * what is stored to it be lost.
 */
static bool may_be_mapped(struct folio *folio)
{
	return folio_test_pmd_mappable(folio);
}

/*
 * Nobody has seen the folio; from here on everybody may. One that is never
 * fresh holds what its allocation left, and nothing that we read.
 */
static void make_visible(struct folio *folio)
{
	if (!may_be_mapped(folio) || !want_init_on_alloc(0))
		folio_zero_range(folio, 0, folio_size(folio));
	flush_dcache_folio(folio);
	folio_mark_uptodate(folio);
}

/* False if nothing more is for this batch. */
static bool next_bytes(const struct fill *f, struct shmem_batch *b,
		       struct shmem_bytes *next)
{
	const struct load_segment *seg = &f->segs[b->seg];
	unsigned long addr;

	if (b->done == seg->length) {
		b->done = 0;
		if (++b->seg == f->nr_segs)
			return false;
		seg++;
	}
	addr = seg->dest + b->done;
	if (!fill_is_in_target(f, addr) || b->bytes == FILL_SHMEM_BYTES)
		return false;
	next->to = f->target.pos + (addr - f->target.start);
	next->from = seg->file_offset + b->done;
	next->length = min3(seg->length - b->done,
			    (u64)(f->target.end - addr),
			    (u64)(FILL_SHMEM_BYTES - b->bytes));
	return true;
}

static void take_bytes(struct shmem_batch *b, size_t bytes)
{
	b->done += bytes;
	b->bytes += bytes;
}

/*
 * Clears [@start, @end). folio_zero_segment() looks at each page of a folio to
 * flush it, whatever it clears, which is dear if it is done for each of many
 * segments.
 */
static void clear_segment(struct folio *folio, size_t start, size_t end)
{
	size_t length;

	for (; start < end; start += length) {
		length = min(end - start, PAGE_SIZE - offset_in_page(start));
		memzero_page(folio_page(folio, start / PAGE_SIZE),
			     offset_in_page(start), length);
	}
}

/* What was not loaded. The allocation of the folio may have cleared it. */
static void clear_between(struct folio *folio, size_t start, size_t end)
{
	if (!want_init_on_alloc(0))
		clear_segment(folio, start, end);
}

/* Returns how many bytes were copied; those that were not are cleared. */
static size_t copy_some(const struct shmem_batch *b, struct folio *folio,
			const struct shmem_bytes *next, size_t offset,
			size_t length)
{
	struct iov_iter iter;
	struct bio_vec bv;
	size_t copied;

	bvec_set_folio(&bv, folio, length, offset);
	iov_iter_bvec(&iter, ITER_DEST, &bv, 1, length);
	copied = source_file_copy(b->src, next->from, &iter);
	clear_segment(folio, offset + copied, offset + length);
	return copied;
}

/*
 * The same of a huge folio, of which as much is loaded before as is in the page
 * cache of the source, in order. Only the rest need be cleared.
 */
static void copy_and_make_visible(const struct fill *f, struct shmem_batch *b,
				  struct shmem_piece *piece,
				  struct shmem_bytes next)
{
	struct folio *folio = piece->folio;
	loff_t start = folio_pos(folio);
	loff_t end = min_t(u64, start + folio_size(folio),
			   mapped_end(b->inode));
	size_t clean = 0;
	size_t offset, length, copied;

	do {
		if (next.to < start + (loff_t)clean || next.to >= end)
			break;
		offset = next.to - start;
		length = min_t(u64, next.length, end - next.to);
		copied = copy_some(b, folio, &next, offset, length);
		clear_between(folio, clean, offset);
		clean = offset + length;
		take_bytes(b, copied);
		b->copied += copied;
	} while (copied == length && next_bytes(f, b, &next));
	clear_between(folio, clean, folio_size(folio));
	flush_dcache_folio(folio);
	folio_mark_uptodate(folio);
}

/* The folio of the piece is locked; it is to be read into when it is not. */
static void prepare_piece(const struct fill *f, struct shmem_batch *b,
			  struct shmem_piece *piece,
			  const struct shmem_bytes *next)
{
	struct folio *folio = piece->folio;

	if (folio_test_uptodate(folio))
		goto out;
	if (may_be_mapped(folio) && b->may_copy && !f->in_place)
		copy_and_make_visible(f, b, piece, *next);
	else if (may_be_mapped(folio) || f->in_place)
		make_visible(folio);
out:
	piece->fresh = !folio_test_uptodate(folio);
	if (!piece->fresh)
		folio_mark_dirty(folio);
}

/*
 * Small segments often lie in one folio, which need not be looked up again. It
 * was visible and in the file when it was; who takes it out discards what is
 * loaded, whenever that is.
 */
static struct folio *last_folio(const struct fill *f,
				const struct shmem_batch *b, loff_t pos)
{
	const struct shmem_piece *last;

	if (!b->nr)
		return NULL;
	last = &f->pieces[b->nr - 1];
	if (last->fresh || pos < folio_pos(last->folio) ||
	    pos >= folio_pos(last->folio) + (loff_t)folio_size(last->folio) ||
	    READ_ONCE(last->folio->mapping) != b->inode->i_mapping)
		return NULL;
	return last->folio;
}

static void set_piece(struct shmem_piece *piece, struct folio *folio,
		      const struct shmem_bytes *next)
{
	piece->folio = folio;
	piece->offset = offset_in_folio(folio, next->to);
	piece->length = min(next->length, folio_size(folio) - piece->offset);
	piece->fresh = false;
}

/*
 * Is the folio in the page cache for our sake only? One that is dirty was asked for
 * by fallocate(2), one that is pinned is a device's (memfd_pin_folios()). Who is
 * about to pin it, and has a reference only, cannot be told from others that have
 * one for a moment: he gets memory that is no longer in the file.
 */
static bool is_ours(struct folio *folio)
{
	return !folio_test_uptodate(folio) && !folio_test_dirty(folio) &&
	       !folio_maybe_dma_pinned(folio);
}

/* Is it a page that we have just added, where the process has asked for huge ones? */
static bool is_too_small(struct folio *folio)
{
	return !folio_test_large(folio) && is_ours(folio);
}

/* Not inlined: see tell_fallback() in source_file.c. */
static noinline void tell_no_huge(const struct shmem_bytes *next)
{
	trace_fallback(next->from, min(next->length, PMD_SIZE),
		       FALLBACK_NO_HUGE, 0);
}

/* The first page of what could have been a huge one says so for all. */
static noinline void tell_if_small(const struct shmem_batch *b,
				   struct folio *folio,
				   const struct shmem_bytes *next)
{
	if (!(next->to & ~PMD_MASK) && is_too_small(folio) &&
	    mapping_large_folio_support(b->inode->i_mapping))
		tell_no_huge(next);
}

/* Returns a folio with the first of the bytes, locked, or an errno. */
static int get_folio(struct fill *f, const struct shmem_batch *b,
		     const struct shmem_bytes *next, struct folio **folio)
{
	pgoff_t index = next->to >> PAGE_SHIFT;
	loff_t end = next->to + next->length;
	int err;

	if (fault_point(FAULT_FOLIO))
		return -ENOMEM;
	err = shmem_get_folio(b->inode, index, end, folio, SGP_WRITE);
	if (err || !f->target.advised)
		return err;
	f->target.advised = false;
	if (!is_too_small(*folio) || f->small == FILL_SMALL_MAX)
		return 0;
	generic_error_remove_folio(b->inode->i_mapping, *folio);
	folio_unlock(*folio);
	folio_put(*folio);
	/* If that fails, so does what follows. */
	target_vma_fault(f->mm, f->target.start + (next->to - f->target.pos));
	err = shmem_get_folio(b->inode, index, end, folio, SGP_WRITE);
	if (err)
		return err;
	f->small = folio_test_large(*folio) ? 0 : f->small + 1;
	if (f->small)
		tell_no_huge(next);
	return 0;
}

/* Of @bytes that were read, those behind @done are to be read again. */
static noinline void tell_again(const struct fill *f, u64 done, u64 bytes)
{
	const struct load_segment *seg = &f->segs[f->seg];
	u64 before = done;

	for (; before >= seg->length; seg++)
		before -= seg->length;
	trace_fallback(seg->file_offset + before, bytes - done, FALLBACK_AGAIN,
		       0);
}

/* Collects the first bytes of @next, or some more; returns 0 or an errno. */
static int collect_piece(struct fill *f, struct shmem_batch *b,
			 struct shmem_piece *piece, struct shmem_bytes *next)
{
	u64 end = mapped_end(b->inode);
	struct folio *folio;
	int err;

	if ((u64)next->to >= end)
		return -EFAULT;
	next->length = min_t(u64, next->length, end - next->to);
	folio = last_folio(f, b, next->to);
	if (folio) {
		folio_get(folio);
		set_piece(piece, folio, next);
		goto out;
	}
	err = get_folio(f, b, next, &folio);
	if (err)
		return err;
	if (folio_contain_hwpoisoned_page(folio)) {
		folio_unlock(folio);
		folio_put(folio);
		return -EFAULT;
	}
	set_piece(piece, folio, next);
	stats_add_folio(&f->stats, folio_order(folio));
	if (trace_fallback_enabled())
		tell_if_small(b, folio, next);
	prepare_piece(f, b, piece, next);
	folio_unlock(folio);
out:
	if (!b->copied)
		take_bytes(b, piece->length);
	return 0;
}

/*
 * Collects pieces up to one that is copied: whether it is, is known only when
 * it is visible. Returns 0, with at least one byte collected, or an errno.
 */
static int collect(struct fill *f, struct shmem_batch *b)
{
	struct shmem_bytes next;
	int err = 0;

	while (b->nr < FILL_SHMEM_PIECES && !b->copied &&
	       source_batch_room(&f->batch) &&
	       next_bytes(f, b, &next)) {
		struct shmem_piece *piece = &f->pieces[b->nr];

		err = collect_piece(f, b, piece, &next);
		if (err)
			break;
		b->nr++;
		if (!b->copied)
			source_batch_add(&f->batch, next.from,
					 folio_page(piece->folio,
						    piece->offset / PAGE_SIZE),
					 offset_in_page(piece->offset),
					 piece->length);
	}
	return b->bytes ? 0 : err;
}

/*
 * A visible piece has been read into, maybe more of it than is said to be. What
 * lies behind the end of the file must be zero: it may grow again.
 */
static void clear_truncated(struct inode *inode, struct shmem_piece *piece)
{
	struct folio *folio = piece->folio;
	u64 start = folio_pos(folio) + piece->offset;
	u64 mapped;

	flush_dcache_folio(folio);
	/*
	 * A truncate that is still to come clears what it has to. The bytes
	 * were written before the size is looked at.
	 */
	smp_mb();
	if (is_mapped(inode, piece, piece->length))
		return;
	folio_lock(folio);
	mapped = max(mapped_end(inode), start);
	if (folio->mapping == inode->i_mapping &&
	    mapped < start + piece->length)
		folio_zero_segment(folio, piece->offset + (mapped - start),
				   piece->offset + piece->length);
	folio_unlock(folio);
}

/* Can what was read into the folio, while it was fresh, become visible? */
static bool still_fresh(struct inode *inode, struct shmem_piece *piece,
			size_t bytes)
{
	struct folio *folio = piece->folio;

	return folio->mapping == inode->i_mapping &&
	       !folio_test_uptodate(folio) && is_mapped(inode, piece, bytes);
}

/*
 * Makes a fresh piece visible, of which @bytes were read. False if they must be
 * read again.
 */
static bool commit_fresh(struct inode *inode, struct shmem_piece *piece,
			 size_t bytes)
{
	struct folio *folio = piece->folio;
	bool kept;

	flush_dcache_folio(folio);
	/* As in clear_truncated(). */
	smp_mb();
	folio_lock(folio);
	if (!folio_test_uptodate(folio) && fault_point(FAULT_INTERFERE))
		make_visible(folio);
	kept = still_fresh(inode, piece, bytes);
	if (kept) {
		folio_zero_segments(folio, 0, piece->offset,
				    piece->offset + bytes, folio_size(folio));
		folio_mark_uptodate(folio);
		folio_mark_dirty(folio);
	}
	folio_unlock(folio);
	return kept;
}

/*
 * Nothing that counts was read into the fresh piece, or behind the end. If the
 * folio is there for our sake only, it leaves the page cache, so that a hole
 * remains one.
 */
static void discard_fresh(struct inode *inode, struct shmem_piece *piece)
{
	struct folio *folio = piece->folio;

	folio_lock(folio);
	if (folio->mapping == inode->i_mapping && is_ours(folio))
		generic_error_remove_folio(inode->i_mapping, folio);
	folio_unlock(folio);
}

/* Commits the first @bytes of a piece. False if they must be read again. */
static bool commit_piece(struct inode *inode, struct shmem_piece *piece,
			 size_t bytes)
{
	if (!piece->fresh) {
		clear_truncated(inode, piece);
		return true;
	}
	if (bytes && commit_fresh(inode, piece, bytes))
		return true;
	discard_fresh(inode, piece);
	return !bytes;
}

/* How many pieces are to be read. */
static unsigned int pieces_to_read(const struct shmem_batch *b)
{
	return b->nr - !!b->copied;
}

/*
 * Commits the pieces that @bytes cover, up to the first that must be read
 * again, and drops all references. Returns the number of bytes committed.
 */
static size_t commit(struct fill *f, const struct shmem_batch *b, size_t bytes)
{
	bool kept = true;
	size_t done = 0;
	unsigned int i;

	for (i = 0; i < pieces_to_read(b); i++) {
		struct shmem_piece *piece = &f->pieces[i];
		size_t part = min(bytes - done, piece->length);

		/* Of what is fresh after one that is to be read again, nothing. */
		kept &= commit_piece(b->inode, piece, kept ? part : 0);
		if (kept)
			done += part;
		folio_put(piece->folio);
	}
	if (b->copied) {
		source_file_copied(b->src);
		folio_put(f->pieces[i].folio);
		if (done + b->copied == b->bytes)
			done = b->bytes;
	}
	return done;
}

ssize_t fill_shmem(struct fill *f, const struct source_file *src)
{
	const struct load_segment *seg = &f->segs[f->seg];
	struct inode *inode = f->target.file->f_mapping->host;
	struct shmem_batch b = {
		.inode = inode,
		.src = src,
		.seg = f->seg,
	};
	ssize_t ret;
	size_t done;

	source_batch_start(&f->batch, src, &f->stats, f->cold);
	b.may_copy = mapping_large_folio_support(inode->i_mapping) &&
		     source_file_may_copy(src, seg->file_offset,
					  fill_bytes(f));
	ret = collect(f, &b);
	if (ret)
		return ret;
	if (pieces_to_read(&b))
		ret = fill_read_batch(f);
	done = commit(f, &b, max_t(ssize_t, ret, 0));
	f->in_place = ret > 0 && done < (size_t)ret;
	stats_add(&f->stats, STAT_CACHED, b.copied);
	stats_add(&f->stats, STAT_AGAIN, f->in_place);
	if (trace_fallback_enabled() && f->in_place)
		tell_again(f, done, ret);
	if (!done && pieces_to_read(&b))
		return f->in_place ? 0 : ret ?: -ENODATA;
	/* As a fault for a store does. */
	file_update_time(f->target.file);
	return fill_loaded(f, STAT_SHMEM, done);
}

#endif /* RAMLOAD_HAVE_SHMEM_FILL */
