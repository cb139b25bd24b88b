// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Part of arch/um/kernel/skas/uaccess.c of the kernel that selftests/vm/uml
 * builds.
 *
 * UML copies to and from user memory by the kernel's address of the page, which
 * it looks up in the page tables without a lock or a reference. Another CPU may
 * unmap the page meanwhile: the bytes then go to whoever gets it next. And a
 * fault that runs out of memory leaves no entry to look at. Where a fault may be
 * waited for, the page is held.
 */

static int op_on_held_page(unsigned long addr, int len, int is_write,
			   int (*op)(unsigned long addr, int len, void *arg),
			   void *arg)
{
	struct page *page;
	int n;

	if (!current->mm ||
	    get_user_pages_unlocked(addr & PAGE_MASK, 1, &page,
				    is_write ? FOLL_WRITE : 0) != 1)
		return -1;
	n = (*op)((unsigned long)page_address(page) + (addr & ~PAGE_MASK), len,
		  arg);
	if (is_write)
		set_page_dirty_lock(page);
	put_page(page);
	return n;
}
