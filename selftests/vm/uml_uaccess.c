// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Part of arch/um/kernel/skas/uaccess.c of the kernel that selftests/vm/uml
 * builds.
 *
 * UML copies to and from user memory by the kernel's address of the page, which
 * it looks up in the page tables without a lock or a reference. Another CPU may
 * unmap the page meanwhile: the bytes then go to whoever gets it next. And a
 * fault that runs out of memory leaves no entry to look at. Where a fault may be
 * waited for, the copy is made while the entry is locked, and is noted there, as
 * a CPU does.
 */

static void note_access(struct mm_struct *mm, unsigned long addr, pte_t *pte,
			int is_write)
{
	if (!pte_young(*pte) || (is_write && !pte_dirty(*pte)))
		set_ptes(mm, addr, pte,
			 pte_mkyoung(is_write ? pte_mkdirty(*pte) : *pte), 1);
}

static bool op_on_entry(unsigned long addr, int len, int is_write,
			int (*op)(unsigned long addr, int len, void *arg),
			void *arg, int *ret)
{
	struct mm_struct *mm = current->mm;
	bool done = false;
	spinlock_t *ptl;
	pte_t *pte;

	mmap_read_lock(mm);
	pte = virt_to_pte(mm, addr);
	if (pte)
		pte = pte_offset_map_lock(mm, pmd_off(mm, addr), addr, &ptl);
	if (!pte)
		goto out;
	if (pte_present(*pte) && (is_write ? pte_write(*pte) : pte_read(*pte))) {
		*ret = (*op)((unsigned long)page_address(pte_page(*pte)) +
			     (addr & ~PAGE_MASK), len, arg);
		note_access(mm, addr & PAGE_MASK, pte, is_write);
		done = true;
	}
	pte_unmap_unlock(pte, ptl);
out:
	mmap_read_unlock(mm);
	return done;
}

static int op_on_held_page(unsigned long addr, int len, int is_write,
			   int (*op)(unsigned long addr, int len, void *arg),
			   void *arg)
{
	struct page *page;
	int n;

	while (!op_on_entry(addr, len, is_write, op, arg, &n)) {
		if (get_user_pages_unlocked(addr & PAGE_MASK, 1, &page,
					    is_write ? FOLL_WRITE : 0) != 1)
			return -1;
		put_page(page);
		cond_resched();
	}
	return n;
}
