// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fill_pinned
 *
 * The fill for what fill_user would take, where the source is read past the
 * page cache: the device writes to pages that stay where they are, also if the
 * process forks meanwhile. (Before 6.5, direct reads into user memory may
 * lose a page to a child.) And for what a worker cannot store to, but the
 * process may want loaded: memory protection keys are not looked at here.
 *
 * A batch of pages is faulted in for writing and pinned, read into, marked
 * dirty and unpinned. get_user_pages does the checks that a store would
 * meet: VM_WRITE, copy on write, i_size, hardware poison. Its faults are those
 * of the destination's mm, and are charged to that.
 *
 * A pin is short: it lasts for one read of at most FILL_PINNED_PAGES pages, as
 * for a direct read(2). mmap_lock is dropped before the read, so nothing that
 * the read may need (a fault of a FUSE daemon, say) waits for us. If the
 * mapping goes while its pages are pinned, the bytes go where those of a
 * read(2) would: into pages that nobody sees any more.
 *
 * Pages are visible to the process while they are read into, again as with
 * read(2): they hold what the fault put there, never foreign data.
 */

#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "fault_point.h"
#include "fill.h"
#include "source_file.h"

static long pin(struct fill *f, unsigned long addr, unsigned long nr)
{
	int locked = 1;
	long pinned;

	if (fault_point(FAULT_PIN))
		return -ENOMEM;
	if (mmap_read_lock_killable(f->mm))
		return -EINTR;
	pinned = pin_user_pages_remote(f->mm, addr, nr, FOLL_WRITE, f->pages,
				       &locked);
	if (locked)
		mmap_read_unlock(f->mm);
	return pinned ?: -EFAULT;
}

/* Pages that adjoin in a folio become one bvec. Returns the number of bvecs. */
static unsigned int make_bvecs(struct fill *f, long nr, size_t offset,
			       size_t bytes)
{
	struct bio_vec *bv = f->bvecs - 1;
	struct page *prev = NULL;
	long i;

	for (i = 0; i < nr; i++) {
		struct page *page = f->pages[i];
		size_t len = min_t(size_t, bytes, PAGE_SIZE - offset);

		if (prev && page == prev + 1 &&
		    page_folio(page) == page_folio(prev)) {
			bv->bv_len += len;
		} else {
			bv++;
			bv->bv_page = page;
			bv->bv_len = len;
			bv->bv_offset = offset;
		}
		prev = page;
		bytes -= len;
		offset = 0;
	}
	return bv - f->bvecs + 1;
}

ssize_t fill_pinned(struct fill *f, const struct source_file *src)
{
	const struct load_segment *seg = &f->segs[f->seg];
	unsigned long addr = seg->dest;
	size_t offset = offset_in_page(addr);
	size_t bytes = fill_bytes(f);
	struct iov_iter iter;
	unsigned int nr_bvecs;
	ssize_t ret;
	long nr;

	bytes = min_t(size_t, bytes, FILL_PINNED_PAGES * PAGE_SIZE - offset);
	nr = pin(f, addr - offset, DIV_ROUND_UP(offset + bytes, PAGE_SIZE));
	if (nr < 0)
		return nr;
	bytes = min_t(size_t, bytes, nr * PAGE_SIZE - offset);
	nr_bvecs = make_bvecs(f, nr, offset, bytes);

	iov_iter_bvec(&iter, ITER_DEST, f->bvecs, nr_bvecs, bytes);
	ret = source_file_read(src, seg->file_offset, &iter);
	unpin_user_pages_dirty_lock(f->pages, nr, true);
	return ret ?: -ENODATA;
}
