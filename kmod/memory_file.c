// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: memory_file
 *
 * Memory made for loading: files like those of memfd_create(2), but on a tmpfs
 * mount of the module's own that has huge pages, whatever shmem_enabled says of
 * memfds (but "deny"). To load 2 MiB into one folio costs one allocation,
 * charge and insertion instead of 512; and the guest's page tables get huge
 * entries, as do those of KVM.
 *
 * It is ordinary shmem: swapped, charged to the memory cgroup of who fills it,
 * with seals, and with the memory policy that mbind(2) gives its mapping. Where
 * no huge folio can be had, shmem takes smaller ones. So nothing here knows
 * how it is filled; that is fill_shmem's, as for any other memfd.
 *
 * The mount is made when the module is loaded, in no mount namespace. Its files
 * hold it: they, and the memory in them, outlive the module, of which they
 * use no code. Like the mount of memfds it has no limit of size. It is set once
 * and needs no lock.
 */

#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>

#include "memory_file.h"

/* As with MFD_NOEXEC_SEAL. Older kernels do not have the seal. */
#ifdef F_SEAL_EXEC
#define SEALS_NOEXEC	F_SEAL_EXEC
#else
#define SEALS_NOEXEC	0
#endif

static struct vfsmount *memory_mnt;

static bool has_huge(void)
{
	return IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) &&
	       has_transparent_hugepage();
}

/**
 * memory_file_folio_size() - how large the folios are where they can be had
 *
 * Return: bytes.
 */
u64 memory_file_folio_size(void)
{
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	if (has_huge())
		return HPAGE_PMD_SIZE;
#endif
	return PAGE_SIZE;
}

/**
 * memory_file_create() - make a file of memory
 * @length: bytes
 * @sealing: fcntl(F_ADD_SEALS) is allowed
 *
 * Nothing in it can be executed, neither as a program nor from a mapping.
 *
 * Context: process context; the file is the caller's.
 * Return: the file, or ERR_PTR() of -EFBIG, -ENOMEM, -ENFILE.
 */
struct file *memory_file_create(u64 length, bool sealing)
{
	struct inode *inode;
	struct file *file;

	if (length > MAX_LFS_FILESIZE || length > rlimit(RLIMIT_FSIZE))
		return ERR_PTR(-EFBIG);
	file = shmem_file_setup_with_mnt(memory_mnt, "ramload-memory", length,
					 SHMEM_FILE_NORESERVE);
	if (IS_ERR(file))
		return file;
	inode = file_inode(file);
	inode->i_mode &= ~0111;
	SHMEM_I(inode)->seals = SEALS_NOEXEC | (sealing ? 0 : F_SEAL_SEAL);
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	file->f_flags |= O_LARGEFILE;
	return file;
}

int memory_file_init(void)
{
	/* Built in: there is no reference to be dropped. */
	struct file_system_type *tmpfs = get_fs_type("tmpfs");
	/* Not "always": memory of an odd size is to take no more than that. */
	char options[] = "huge=within_size";

	if (!tmpfs)
		return -ENODEV;
	memory_mnt = vfs_kern_mount(tmpfs, SB_KERNMOUNT, "ramload",
				    has_huge() ? options : NULL);
	if (IS_ERR(memory_mnt))
		return PTR_ERR(memory_mnt);
	/* Whatever becomes of the mode: this is memory of guests. */
	memory_mnt->mnt_sb->s_iflags |= SB_I_NOEXEC;
	return 0;
}

void memory_file_exit(void)
{
	kern_unmount(memory_mnt);
}
