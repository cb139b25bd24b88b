// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: target_vma
 *
 * What a destination address maps, and by which fill it can be loaded.
 *
 * The answer is taken from the VMA under mmap_lock and used after the lock is
 * dropped, for the rest of one chunk and %TARGET_BYTES at most: who registers a
 * range with userfaultfd, protects or unmaps it, has only so much of a load
 * still to come that does not know. What makes that safe:
 *
 * - For the other fills the answer is only a hint: get_user_pages or the fault
 *   handler looks the address up again, under mmap_lock, and decides.
 * - For the shmem fill the answer holds a reference to the file, and, as a
 *   shared writable mapping does, keeps the file writable
 *   (mapping_map_writable()): F_SEAL_WRITE is refused with EBUSY until
 *   target_vma_put(). So the process could store to these pages when it was
 *   asked, nobody was promised since that it cannot, and what it unmaps
 *   meanwhile is its own file that receives the bytes.
 *
 * Where tmpfs gives huge pages to those only who have asked for them with
 * madvise(2), shmem_get_folio() gives none: it is not told of the mapping. A fault
 * is. So there, one fault is taken for each 2 MiB.
 *
 * F_SEAL_FUTURE_WRITE leaves existing writable mappings writable, and F_SEAL_SHRINK
 * and F_SEAL_GROW speak of the size, which no fill changes.
 *
 * Ranges registered with userfaultfd are left to the pinned fill, whose faults
 * reach the handler just as those of read(2) would, but sleep like any wait of
 * a worker, where those of a store would be tried again and again as long as
 * there is a signal to handle.
 *
 * Nor is it for mappings that are locked, as pages become locked when they are mapped,
 * nor for those with guard regions, which are in the page tables only.
 *
 * Mappings whose stores are tracked (/proc/PID/clear_refs) are not for the shmem
 * fill, which leaves page tables alone. Another process's mapping of the file may be
 * tracked: it sees as much of a load as of a write(2), nothing.
 *
 * Shared mappings of files that are written back are not pinned: a file system
 * is told of a store by the fault, and not again when the page is unpinned. It
 * may have written the page meanwhile and be done with it; ext4 warns then. (Who
 * maps such a file in the moment of a load gets what read(2) would do.)
 */

#include <linux/backing-dev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/userfaultfd_k.h>

#include "target_vma.h"

/* A huge page, so that it remains one piece. */
#define TARGET_BYTES	SZ_2M

#ifdef RAMLOAD_HAVE_SHMEM_FILL
/* What a load has to find in the page tables, or put there. */
#define NEED_FAULTS	(VM_SPECIAL | VM_LOCKED | VM_MAYBE_GUARD)

/* Does somebody look for the pages that are stored to, in its page tables? */
static bool is_soft_dirty_tracked(const struct vm_area_struct *vma)
{
	return pgtable_supports_soft_dirty() &&
	       !(vma->vm_flags & VM_SOFTDIRTY);
}

static bool can_fill_shmem(struct vm_area_struct *vma)
{
	return vma->vm_file && vma->vm_flags & VM_SHARED &&
	       !(vma->vm_flags & NEED_FAULTS) &&
	       shmem_mapping(vma->vm_file->f_mapping) &&
	       !userfaultfd_armed(vma) && !is_soft_dirty_tracked(vma);
}
#else
static bool can_fill_shmem(struct vm_area_struct *vma)
{
	return false;
}
#endif

static bool is_written_back(const struct vm_area_struct *vma)
{
	return vma->vm_file && vma->vm_flags & VM_SHARED &&
	       mapping_can_writeback(vma->vm_file->f_mapping);
}

static unsigned long end_of_answer(const struct vm_area_struct *vma,
				   unsigned long addr)
{
	unsigned long end = round_down(addr, TARGET_BYTES) + TARGET_BYTES;

	/* Less than @addr: that was the end of the address space. */
	return end > addr ? min(end, vma->vm_end) : vma->vm_end;
}

static int take_file(struct target_vma *t, struct vm_area_struct *vma,
		     unsigned long addr)
{
	int err;

	/* Cannot fail: the VMA is such a mapping itself. */
	err = mapping_map_writable(vma->vm_file->f_mapping);
	if (err)
		return err;
	t->file = get_file(vma->vm_file);
	t->pos = ((loff_t)vma->vm_pgoff << PAGE_SHIFT) +
		 (addr - vma->vm_start);
	return 0;
}

/**
 * target_vma_get() - look an address up
 * @t: filled in; nothing to put on error
 * @mm: the mm
 * @addr: the address
 *
 * Context: process context, takes mmap_lock.
 * Return: 0, -EFAULT if nothing writable is mapped there, or -EINTR if the
 * task is dying.
 */
int target_vma_get(struct target_vma *t, struct mm_struct *mm,
		   unsigned long addr)
{
	struct vm_area_struct *vma;
	int err = -EFAULT;

	*t = (struct target_vma){};
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, addr);
	if (vma && vma->vm_flags & VM_WRITE) {
		err = can_fill_shmem(vma) ? take_file(t, vma, addr) : 0;
		if (!err) {
			t->start = addr;
			t->advised = t->file && vma->vm_flags & VM_HUGEPAGE;
			t->userfault = userfaultfd_armed(vma);
			t->written_back = is_written_back(vma);
			t->end = end_of_answer(vma, addr);
		}
	}
	mmap_read_unlock(mm);
	return err;
}

/**
 * target_vma_fault() - have the process fault a page in, as by a store
 * @mm: the mm
 * @addr: the address
 *
 * Context: process context, takes mmap_lock; no folio lock held.
 * Return: 0; -EFAULT, -ENOMEM as a store would fail, or -EINTR if the task is
 * dying.
 */
int target_vma_fault(struct mm_struct *mm, unsigned long addr)
{
	bool unlocked = false;
	int err;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	err = fixup_user_fault(mm, addr, FAULT_FLAG_WRITE, &unlocked);
	mmap_read_unlock(mm);
	return err;
}

void target_vma_put(struct target_vma *t)
{
	if (t->file) {
		mapping_unmap_writable(t->file->f_mapping);
		fput(t->file);
	}
	*t = (struct target_vma){};
}

/**
 * target_is_gone() - has the process ended, or called execve(2)
 * @mm: its mm
 * @process: the process, a thread group
 *
 * The mm may have users still: workers, as kthreads, or a process that was made
 * with CLONE_VM.
 *
 * Return: true if none of its threads has the mm.
 */
bool target_is_gone(const struct mm_struct *mm, struct pid *process)
{
	struct task_struct *leader, *t;
	bool gone = true;

	rcu_read_lock();
	leader = pid_task(process, PIDTYPE_TGID);
	if (leader) {
		for_each_thread(leader, t) {
			if (READ_ONCE(t->mm) != mm)
				continue;
			gone = false;
			break;
		}
	}
	rcu_read_unlock();
	return gone;
}
