// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fill_shmem
 *
 * The fill for shared writable mappings of memfd and tmpfs files: the file is
 * read straight into folios of the destination's page cache. No page table is
 * touched, no fault taken, no page cleared that is overwritten anyway (except
 * huge ones, see may_be_mapped()), and a huge page is one piece.
 *
 * A batch goes through three steps.
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
 * it. Taken out, or made uptodate meanwhile: what we read may be gone, so the
 * rest of the batch is read again, *in place*: folios are made visible first,
 * cleared, and are then overwritten as read(2) would.
 *
 * A folio that was uptodate from the start is overwritten in place, too. It is
 * marked dirty before, so that no truncate of its other part drops it as clean
 * when our reference keeps it from being split. Who takes it out meanwhile
 * discards what was loaded, as after a read(2); so a batch is read twice at
 * most, whatever others do.
 *
 * If the read fails, a fresh folio that is there for our sake leaves the page
 * cache again: a hole stays one, for the next fault, for userfaultfd, and in
 * st_blocks. One that cannot be taken out stays not uptodate and reads as
 * zeros.
 *
 * SGP_WRITE does not check i_size. It is checked when a folio is collected, so
 * a fill beyond the end of the file fails as a store would (-EFAULT), and again
 * at commit, so that what a truncate has cleared does not come back. A folio
 * that is made in the moment of a truncate may stay behind the end of the
 * file, not uptodate, like one of fallocate(FALLOC_FL_KEEP_SIZE).
 *
 * Locking: folio locks, one at a time, none while anything else is waited
 * for. The file, and with it the mapping, is held by the target_vma.
 */

#ifdef RAMLOAD_HAVE_SHMEM_FILL

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/uio.h>

#include "fill.h"
#include "source_file.h"

/* First offset that no store to a mapping can reach. */
static u64 mapped_end(const struct inode *inode)
{
	return round_up((u64)i_size_read(inode), PAGE_SIZE);
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

/* Returns the length of the piece at @pos, or an errno. */
static ssize_t collect_piece(struct fill *f, struct inode *inode,
			     struct shmem_piece *piece, loff_t pos,
			     size_t bytes)
{
	u64 end = mapped_end(inode);
	struct folio *folio;
	int err;

	if ((u64)pos >= end)
		return -EFAULT;
	bytes = min_t(u64, bytes, end - pos);
	err = shmem_get_folio(inode, pos >> PAGE_SHIFT, pos + bytes, &folio,
			      SGP_WRITE);
	if (err)
		return err;
	if (folio_contain_hwpoisoned_page(folio)) {
		folio_unlock(folio);
		folio_put(folio);
		return -EFAULT;
	}

	piece->folio = folio;
	piece->offset = offset_in_folio(folio, pos);
	piece->length = min(bytes, folio_size(folio) - piece->offset);
	if (!folio_test_uptodate(folio) &&
	    (f->in_place || may_be_mapped(folio)))
		make_visible(folio);
	piece->fresh = !folio_test_uptodate(folio);
	if (!piece->fresh)
		folio_mark_dirty(folio);
	folio_unlock(folio);
	return piece->length;
}

/*
 * Returns the number of bytes collected, at least one, or an errno. @nr is the
 * number of pieces.
 */
static ssize_t collect(struct fill *f, struct inode *inode, loff_t pos,
		       size_t bytes, unsigned int *nr)
{
	size_t done = 0;
	ssize_t ret = 0;

	for (*nr = 0; done < bytes && *nr < FILL_SHMEM_PIECES; (*nr)++) {
		struct shmem_piece *piece = &f->pieces[*nr];

		ret = collect_piece(f, inode, piece, pos + done, bytes - done);
		if (ret < 0)
			break;
		bvec_set_folio(&f->bvecs[*nr], piece->folio, piece->length,
			       piece->offset);
		done += ret;
	}
	return done ?: ret;
}

/* What lies behind the end of the file must be zero: it may grow again. */
static void clear_truncated(struct inode *inode, struct shmem_piece *piece,
			    size_t bytes)
{
	u64 start = folio_pos(piece->folio) + piece->offset;
	u64 mapped = max(mapped_end(inode), start);

	if (mapped < start + bytes)
		folio_zero_segment(piece->folio,
				   piece->offset + (mapped - start),
				   piece->offset + bytes);
}

/* Can what was read into the folio, while it was fresh, become visible? */
static bool still_fresh(struct inode *inode, struct shmem_piece *piece,
			size_t bytes)
{
	struct folio *folio = piece->folio;

	return folio->mapping == inode->i_mapping &&
	       !folio_test_uptodate(folio) &&
	       folio_pos(folio) + piece->offset + bytes <= mapped_end(inode);
}

/* Commits the first @bytes of a piece. False if they must be read again. */
static bool commit_piece(struct inode *inode, struct shmem_piece *piece,
			 size_t bytes)
{
	struct folio *folio = piece->folio;
	bool kept = true;

	folio_lock(folio);
	if (!piece->fresh) {
		if (folio->mapping == inode->i_mapping)
			clear_truncated(inode, piece, bytes);
		flush_dcache_folio(folio);
	} else if (still_fresh(inode, piece, bytes)) {
		folio_zero_segments(folio, 0, piece->offset,
				    piece->offset + bytes, folio_size(folio));
		flush_dcache_folio(folio);
		folio_mark_uptodate(folio);
		folio_mark_dirty(folio);
	} else {
		kept = false;
	}
	folio_unlock(folio);
	return kept;
}

/*
 * Nothing was read into the piece. If the folio is there for our sake only, it
 * leaves the page cache, so that a hole remains one; that of a fallocate is
 * dirty.
 */
static void discard_piece(struct inode *inode, struct shmem_piece *piece)
{
	struct folio *folio = piece->folio;

	if (!piece->fresh)
		return;
	folio_lock(folio);
	if (folio->mapping == inode->i_mapping &&
	    !folio_test_uptodate(folio) && !folio_test_dirty(folio))
		generic_error_remove_folio(inode->i_mapping, folio);
	folio_unlock(folio);
}

/*
 * Commits the pieces that @bytes cover, up to the first that must be read
 * again, and drops all references. Returns the number of bytes committed.
 */
static size_t commit(struct fill *f, struct inode *inode, unsigned int nr,
		     size_t bytes)
{
	bool kept = true;
	size_t done = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct shmem_piece *piece = &f->pieces[i];
		size_t part = min(bytes - done, piece->length);

		if (!part)
			discard_piece(inode, piece);
		kept = kept && part && commit_piece(inode, piece, part);
		if (kept)
			done += part;
		folio_put(piece->folio);
	}
	return done;
}

ssize_t fill_shmem(struct fill *f, const struct source_file *src,
		   unsigned long addr, loff_t pos, size_t bytes)
{
	struct inode *inode = f->target.file->f_mapping->host;
	loff_t to = f->target.pos + (addr - f->target.start);
	struct iov_iter iter;
	unsigned int nr;
	ssize_t ret;

	ret = collect(f, inode, to, min_t(size_t, bytes, FILL_SHMEM_BYTES),
		      &nr);
	if (ret < 0)
		return ret;
	iov_iter_bvec(&iter, ITER_DEST, f->bvecs, nr, ret);
	ret = source_file_read(src, pos, &iter);
	bytes = commit(f, inode, nr, max_t(ssize_t, ret, 0));
	if (ret <= 0)
		return ret ?: -ENODATA;
	f->in_place = bytes < (size_t)ret;
	return bytes;
}

#endif /* RAMLOAD_HAVE_SHMEM_FILL */
