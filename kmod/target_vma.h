/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_TARGET_VMA_H
#define RAMLOAD_TARGET_VMA_H

#include <linux/types.h>

struct file;
struct mm_struct;
struct pid;

/**
 * struct target_vma - where a piece of the destination lies
 * @start: first address it speaks of
 * @end: behind the last; @start == @end: of nothing
 * @file: for the shmem fill, the mapped file; else NULL: use another
 * @advised: the process would like huge pages in @file: once, see
 *	target_vma_fault()
 * @userfault: a userfaultfd is registered: use the pinned fill
 * @written_back: a shared mapping of a file that is written back: do not use it
 * @pos: offset of @start in @file
 */
struct target_vma {
	unsigned long start;
	unsigned long end;
	struct file *file;
	bool advised;
	bool userfault;
	bool written_back;
	loff_t pos;
};

int target_vma_get(struct target_vma *t, struct mm_struct *mm,
		   unsigned long addr);
int target_vma_fault(struct mm_struct *mm, unsigned long addr);
void target_vma_put(struct target_vma *t);
bool target_is_gone(const struct mm_struct *mm, struct pid *process);

#endif /* RAMLOAD_TARGET_VMA_H */
