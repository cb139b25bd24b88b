// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fill_user
 *
 * The fill for every writable mapping that the shmem fill does not take:
 * anonymous memory and THP, private mappings, hugetlb, files of other file
 * systems, ranges with a userfaultfd; and shmem where shmem_get_folio() is not
 * exported.
 *
 * The worker has the mm of the destination, so the source is read as read(2)
 * would: the page cache is copied to the address, and a page that is not there
 * is faulted in on the way, still in the CPU's cache when it is overwritten. To
 * pin it first costs more than it saves.
 *
 * All checks are those of a store: VM_WRITE, copy on write, i_size, hardware
 * poison, userfaultfd; faults are charged to the mm. mmap_lock is taken by the
 * fault handler alone. What a store cannot do, fill_pinned gets a try at, but
 * not for shared mappings of files that are written back: see target_vma.
 *
 * Pages are visible to the process while they are read into, as with read(2):
 * they hold what the fault put there, never foreign data.
 */

#include <linux/errno.h>
#include <linux/uio.h>

#include "fill.h"
#include "source_file.h"

/* So that a cancel is not waited for longer than with the other fills. */
#define FILL_USER_BYTES	SZ_2M

/*
 * A fault tells why a store failed. If it does not fail, the store is tried
 * again; but it may be the source that said so.
 */
static int find_reason(struct fill *f, unsigned long addr)
{
	if (f->faulted == addr)
		return -EFAULT;
	f->faulted = addr;
	return target_vma_fault(f->mm, addr);
}

ssize_t fill_user(struct fill *f, const struct source_file *src)
{
	const struct load_segment *seg = &f->segs[f->seg];
	struct iov_iter iter;
	ssize_t ret;

	iov_iter_ubuf(&iter, ITER_DEST, (void __user *)seg->dest,
		      min_t(size_t, fill_bytes(f), FILL_USER_BYTES));
	ret = source_file_read_cached(src, seg->file_offset, &iter, &f->stats);
	if (ret == -EFAULT && !f->target.written_back)
		return fill_pinned(f, src);
	if (ret == -EFAULT)
		return find_reason(f, seg->dest);
	return fill_loaded(f, STAT_USER, ret) ?: -ENODATA;
}
