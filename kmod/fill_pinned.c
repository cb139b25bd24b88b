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
 * A batch of pages, of many segments if they are small, is faulted in for
 * writing and pinned, read into, marked dirty and unpinned. get_user_pages does
 * the checks that a store would meet: VM_WRITE, copy on write, i_size, hardware
 * poison. Its faults are those of the destination's mm, and are charged to
 * that.
 *
 * A pin is short: it lasts for a batch of at most FILL_PINNED_PAGES pages, as
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

/* Pins some pages of a segment; returns how many, or an errno. */
static long pin(struct fill *f, unsigned long addr, unsigned int first,
		unsigned long nr, int *locked)
{
	if (fault_point(FAULT_PIN))
		return -ENOMEM;
	if (!*locked && mmap_read_lock_killable(f->mm))
		return -EINTR;
	*locked = 1;
	return pin_user_pages_remote(f->mm, addr, nr, FOLL_WRITE,
				     &f->pages[first], locked) ?: -EFAULT;
}

/* Pages that adjoin in a folio become one bvec. */
static void add_pinned(struct fill *f, loff_t from, unsigned int first,
		       long nr, size_t offset, size_t bytes)
{
	struct page *prev = NULL;
	long i;

	for (i = 0; i < nr; i++) {
		struct page *page = f->pages[first + i];
		size_t len = min_t(size_t, bytes, PAGE_SIZE - offset);

		if (prev && page == prev + 1 &&
		    page_folio(page) == page_folio(prev))
			source_batch_extend(&f->batch, len);
		else
			source_batch_add(&f->batch, from, page, offset, len);
		prev = page;
		from += len;
		bytes -= len;
		offset = 0;
	}
}

/*
 * Pins what comes first of a segment, as far as there is room, and adds it to
 * the batch. Returns the number of bytes, or an errno.
 */
static ssize_t pin_segment(struct fill *f, const struct load_segment *seg,
			   unsigned int *nr_pages, int *locked)
{
	size_t offset = offset_in_page(seg->dest);
	size_t room = source_batch_room(&f->batch);
	size_t bytes = fill_segment_bytes(f, seg);
	long nr;

	room = min_t(size_t, room, FILL_PINNED_PAGES - *nr_pages);
	bytes = min(bytes, room * PAGE_SIZE - offset);
	nr = pin(f, seg->dest - offset, *nr_pages,
		 DIV_ROUND_UP(offset + bytes, PAGE_SIZE), locked);
	if (nr < 0)
		return nr;
	bytes = min_t(size_t, bytes, nr * PAGE_SIZE - offset);
	add_pinned(f, seg->file_offset, *nr_pages, nr, offset, bytes);
	*nr_pages += nr;
	return bytes;
}

/*
 * Pins pages for the first bytes of as many segments as there is room for; of
 * one only, if somebody handles its faults, who may want to see what is loaded
 * before. Returns 0, with at least one pinned, or an errno.
 */
static int collect(struct fill *f, unsigned int *nr_pages)
{
	const struct load_segment *seg = &f->segs[f->seg];
	const struct load_segment *end = &f->segs[f->nr_segs];
	ssize_t ret;
	int locked = 0;

	do {
		ret = pin_segment(f, seg, nr_pages, &locked);
		if (ret != (ssize_t)seg->length)
			break;
	} while (!f->target.userfault && ++seg < end &&
		 fill_is_in_target(f, seg->dest) &&
		 source_batch_room(&f->batch) &&
		 *nr_pages < FILL_PINNED_PAGES);
	if (locked)
		mmap_read_unlock(f->mm);
	return *nr_pages ? 0 : ret;
}

ssize_t fill_pinned(struct fill *f, const struct source_file *src)
{
	unsigned int nr_pages = 0;
	ssize_t ret;

	source_batch_start(&f->batch, src, &f->stats, f->cold);
	ret = collect(f, &nr_pages);
	if (ret)
		return ret;
	ret = fill_read_batch(f);
	unpin_user_pages_dirty_lock(f->pages, nr_pages, true);
	return fill_loaded(f, STAT_PINNED, ret) ?: -ENODATA;
}
