/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels the module supports, 6.1 and newer. This
 * is the only place that looks at the kernel's version. The driver is written
 * for the newest kernel; what an older one lacks is supplied from here.
 * Included before every source file by Kbuild.
 */
#ifndef RAMLOAD_COMPAT_H
#define RAMLOAD_COMPAT_H

/* Before any other header, so it is here. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/version.h>
#include <linux/kconfig.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "ramload needs Linux 6.1 or newer"
#endif

#if !IS_ENABLED(CONFIG_SHMEM) || !IS_ENABLED(CONFIG_TMPFS)
#error "ramload needs CONFIG_SHMEM and CONFIG_TMPFS"
#endif

/*
 * Workers can be threads of the caller. vhost_task came with 6.4; before 6.10
 * it has no handle_sigkill() and leaves a killed process waiting for its
 * owner, so kthreads serve there.
 */
#if IS_ENABLED(CONFIG_VHOST_TASK) && \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define RAMLOAD_HAVE_VHOST_TASK 1
#endif

/*
 * shmem_get_folio() is exported and takes the end of the write, so that it can
 * choose the size of a new folio.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define RAMLOAD_HAVE_SHMEM_FILL 1
#endif

/*
 * A read of SMB into kernel pages that is killed returns while the server may
 * still answer into them, before netfs does these reads; from 6.3 on into an
 * array of the caller's, too. With cache=none, all reads are such.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define RAMLOAD_SMB_READS_STRAY 1
#endif

/* Where struct folio_batch is. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#include <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif

/* How shmem_file_setup_with_mnt() is told not to reserve memory. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define SHMEM_FILE_NORESERVE mk_vma_flags(VMA_NORESERVE_BIT)
#else
#define SHMEM_FILE_NORESERVE VM_NORESERVE
#endif

#include <linux/mm.h>

/*
 * Mappings with guard regions say so. Shared ones can have them since 6.15, and
 * this is newer: between, the shmem fill does not notice them.
 */
#ifndef VM_MAYBE_GUARD
#define VM_MAYBE_GUARD VM_NONE
#endif

/* Are there page tables that say what was stored to? */
#ifndef pgtable_supports_soft_dirty
#define pgtable_supports_soft_dirty() IS_ENABLED(CONFIG_MEM_SOFT_DIRTY)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static inline long compat_pin_user_pages_remote(struct mm_struct *mm,
						unsigned long start,
						unsigned long nr_pages,
						unsigned int gup_flags,
						struct page **pages,
						int *locked)
{
	return pin_user_pages_remote(mm, start, nr_pages, gup_flags, pages,
				     NULL, locked);
}

#define pin_user_pages_remote compat_pin_user_pages_remote
#endif

/* The attributes that a dump was asked for with. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define genl_dump_attrs(cb) (genl_info_dump(cb)->attrs)
#else
#define genl_dump_attrs(cb) (genl_dumpit_info(cb)->attrs)
#endif

#endif /* RAMLOAD_COMPAT_H */
