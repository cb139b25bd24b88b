/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * ramload: load ranges of files into the memory of the calling process
 */
#ifndef _UAPI_LINUX_RAMLOAD_H
#define _UAPI_LINUX_RAMLOAD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: ramload ioctl interface
 *
 * /dev/ramload loads ranges of files into memory of the process that opened
 * it. An open of the device is a *context*. It is bound to the memory (mm) of
 * the process that opened it, owns its *workers* (kernel threads), and ends
 * with its last file descriptor. A load makes a *job*; a job has one fd and
 * one result.
 *
 * Call order: open("/dev/ramload", O_RDWR | O_CLOEXEC), RAMLOAD_INFO if
 * limits or features matter, RAMLOAD_SETUP once, RAMLOAD_LOAD as often as
 * needed, close.
 *
 * **Structs.** Every argument struct starts with @size, which the caller sets
 * to the size of the struct it was built with, and @flags. A struct may grow
 * at its end; zero in a new member always means the old behaviour. Members
 * called out_* are written by the kernel, their value on entry is ignored.
 * Members called __reserved must be zero. Pointers are passed as __u64.
 *
 * **Units.** All offsets, lengths and addresses are in bytes. None of them
 * has to be aligned, except those of a range with a bitmap (see
 * struct ramload_range). Loads whose file offset and destination agree modulo
 * the logical block size of the source, and whose destination agrees modulo
 * 2 MiB with that of the mapping's huge pages, are the fast ones.
 *
 * **What may be loaded.** The source is a regular file or a block device,
 * open for reading, on any file system that can read into kernel pages. The
 * destination is any writable mapping of the context's mm in which read(2)
 * could store. What read(2) would refuse is refused here: write-only fds,
 * mappings without PROT_WRITE, holes in the address space. Memory protection
 * keys are not looked at, as with process_vm_writev(2), but for shared mappings
 * of files on a disk.
 *
 * **Order.** Ranges are cut into chunks, which are started in the order of the
 * array and, in a range, of rising offsets, but run side by side: while a job
 * runs, nothing may be assumed about which bytes are there. If ranges overlap
 * in their destination, what is seen there afterwards is not defined. If
 * another thread writes to a page while it is being loaded, the result is
 * that of a write racing with read(2). The destination is looked up by
 * address when a worker comes to it; a mapping that is replaced during a job
 * may receive the bytes or not.
 *
 * **End of file.** A range must lie inside the file. Where the file ends
 * before the range does, the bytes before its end are loaded and the job
 * fails with ENODATA at the offset of the end; the destination behind it is
 * not touched. The end is where read(2) would find it: before 6.13, that of
 * tmpfs, met by a truncate, may go on to the end of the page that the file
 * ended in. Holes of a sparse file are loaded as zeros.
 *
 * **Partial progress.** If a job fails or is cancelled, what was loaded stays.
 * The result gives the number of bytes loaded in all, and the first position
 * (in the order above) that was not: its range and file offset, and the error
 * met there. Every byte before that position is loaded.
 *
 * **Completion.** The job fd becomes readable (POLLIN) when the job is done
 * and RAMLOAD_JOB_RESULT reads the outcome. Closing the last job fd cancels
 * the job and waits until no worker touches the destination any more; closing
 * the context does so for all its jobs, and ends the workers. The wait ends
 * early if the process gets a fatal signal; at any signal, the wait for the
 * end of the workers does, that for the jobs does not. No job that ends waits
 * for a worker that is stopped, by SIGSTOP or a debugger. Only the context's
 * process waits: where the last close happens elsewhere (in another process
 * that was passed the fd, or at exit), the job is cancelled without a wait.
 *
 * **Sources that do not answer.** A cancel asks workers to stop; one that waits
 * for a device or a server goes on waiting until it answers, and the job is
 * done then. A fatal signal ends the wait of a read through the page cache at
 * once. A direct read waits uninterruptibly, as that of pread(2) does, and so
 * does one of a FUSE file without a page cache, once the daemon has taken it:
 * the process then stays until there is an answer. Nobody else waits for it.
 *
 * **Memory.** What a job needs (ranges, bitmaps, its chunk table) is charged
 * to the caller's memory cgroup, pages of the destination to the cgroup of
 * the context's process. A job that is done holds none of it.
 *
 * **Limits** of a context are those that RAMLOAD_INFO tells. A user, the one
 * who opened the device, has limits for all contexts together: workers, and
 * memory of unfinished jobs. All uids of a user namespace count as the owner
 * of the outermost one. They are parameters of the module.
 *
 * **Workers** are threads of the process that called RAMLOAD_SETUP where
 * RAMLOAD_FEATURE_THREADS is set: they count in its cgroup and against its
 * RLIMIT_NPROC, and end with it. Like any thread they make the process
 * multi-threaded, which unshare(CLONE_NEWUSER) and setns(2) refuse. Elsewhere
 * they are kernel threads that take on the mm of the caller of RAMLOAD_SETUP:
 * their CPU time, their reads, and page tables they make count in the root
 * cgroup.
 *
 * **Credentials.** The source is read, and memory is allocated, with the
 * credentials that the caller of RAMLOAD_LOAD had then: what pread(2) would
 * have been denied is denied to the job.
 *
 * **Errors.** Checks come in this order. Each ioctl adds its own below.
 *
 * ==========  ==============================================================
 * ENOTTY      unknown ioctl
 * EPERM       the caller's mm is not the one that opened the device (a
 *             forked child, another process, a process after execve(2));
 *             RAMLOAD_INFO alone is allowed
 * EFAULT      @size or the struct cannot be read or written
 * EINVAL      @size is smaller than the first version of the struct
 * E2BIG       @size is over a page, or the struct has non-zero bytes that
 *             this kernel does not know
 * EOPNOTSUPP  unknown bit in @flags, non-zero reserved member
 * EINVAL      a member has a value outside its documented range
 * EOVERFLOW   a sum of offset and length does not fit
 * ==========  ==============================================================
 */

/* 0xBB is unlisted in Documentation/userspace-api/ioctl/ioctl-number.rst. */
#define RAMLOAD_IOC_TYPE	0xBB

/*
 * Ioctl numbers are made without a size, so that they stay when a struct
 * grows. 0x80 up: on a context; 0xc0 up: on a job.
 */
enum {
	RAMLOAD_CMD_INFO = 0x80,
	RAMLOAD_CMD_SETUP = 0x81,
	RAMLOAD_CMD_LOAD = 0x82,
	RAMLOAD_CMD_CREATE_MEMORY = 0x83,
	RAMLOAD_CMD_JOB_RESULT = 0xc0,
	RAMLOAD_CMD_JOB_CANCEL = 0xc1,
};

/**
 * enum ramload_feature - bits of ramload_info.out_features
 * @RAMLOAD_FEATURE_SHMEM_FILL: shared mappings of memfd and tmpfs files are
 *	filled in the page cache, without page tables and without clearing
 *	(kernels that export shmem_get_folio(), 6.12 and newer); else they are
 *	loaded like any other memory
 * @RAMLOAD_FEATURE_THREADS: workers are threads of the calling process
 *	(kernels with CONFIG_VHOST_TASK, 6.10 and newer)
 * @RAMLOAD_FEATURE_BITMAP: ranges may have a bitmap
 * @RAMLOAD_FEATURE_DIRECT: RAMLOAD_DIRECT_ON and RAMLOAD_DIRECT_AUTO may
 *	read past the page cache
 * @RAMLOAD_FEATURE_MEMORY: RAMLOAD_CREATE_MEMORY is there
 * @RAMLOAD_FEATURE_DONTCACHE: RAMLOAD_LOAD_DONTCACHE is there
 */
enum ramload_feature {
	RAMLOAD_FEATURE_SHMEM_FILL = 1 << 0,
	RAMLOAD_FEATURE_THREADS = 1 << 1,
	RAMLOAD_FEATURE_BITMAP = 1 << 2,
	RAMLOAD_FEATURE_DIRECT = 1 << 3,
	RAMLOAD_FEATURE_MEMORY = 1 << 4,
	RAMLOAD_FEATURE_DONTCACHE = 1 << 5,
};

/**
 * struct ramload_info - ioctl(RAMLOAD_INFO)
 * @size: sizeof(struct ramload_info)
 * @flags: must be 0
 * @out_features: bits of enum ramload_feature
 * @out_max_workers: most workers a context may have
 * @out_max_jobs: most unfinished jobs a context may have
 * @out_max_ranges: most ranges in a load
 * @out_default_chunk_size: ramload_load.chunk_size taken if it is 0
 * @out_max_bitmap_bytes: most bytes of bitmaps in a load, all ranges together
 *
 * What this kernel's module can do and its limits, which are module
 * parameters. Allowed to every caller that has the device open.
 *
 * Return: 0, or -1 with errno as in the table above.
 */
struct ramload_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_features;
	__u32 out_max_workers;
	__u32 out_max_jobs;
	__u32 out_max_ranges;
	__u32 out_default_chunk_size;
	__aligned_u64 out_max_bitmap_bytes;
};

#define RAMLOAD_INFO _IO(RAMLOAD_IOC_TYPE, RAMLOAD_CMD_INFO)

/**
 * struct ramload_setup - ioctl(RAMLOAD_SETUP)
 * @size: sizeof(struct ramload_setup)
 * @flags: must be 0
 * @workers: number of workers, 1 to ramload_info.out_max_workers
 * @__reserved: must be 0
 *
 * Start the workers of a context. Once for each context. They sleep while
 * there is no job.
 *
 * Return: 0, or -1 with errno as in the table above, or
 *
 * * EINVAL: @workers is 0 or over the limit
 * * EEXIST: the context has workers
 * * EAGAIN: RLIMIT_NPROC, the pids cgroup or the module's limit on workers of
 *   a user, or of all users, does not allow as many
 * * ENOMEM: no memory
 */
struct ramload_setup {
	__u32 size;
	__u32 flags;
	__u32 workers;
	__u32 __reserved;
};

#define RAMLOAD_SETUP _IO(RAMLOAD_IOC_TYPE, RAMLOAD_CMD_SETUP)

/**
 * struct ramload_range - one element of ramload_load.ranges
 * @file_offset: where in the source the range starts
 * @length: bytes, at least 1
 * @dest: address of the destination
 * @bitmap: 0: all of the range is loaded. Else the address of a bitmap with
 *	one bit for each @page_size bytes of the range: page p is loaded if
 *	bit (p % 8) of byte (p / 8) is set. Of the file, page p is at
 *	@file_offset + p * @page_size; of memory, at @dest + p * @page_size.
 *	Pages whose bit is clear are not touched, neither in the file nor in
 *	memory. The bitmap is copied before the ioctl returns: its
 *	DIV_ROUND_UP(@length / @page_size, 8) bytes, bits past the last page
 *	are ignored. This is the layout of a mapped-ram file of QEMU saved on
 *	a little-endian host.
 * @page_size: with a bitmap, a power of two from 512 to 2^30, and @length
 *	must be a multiple of it; without one, 0
 * @flags: must be 0
 *
 * The first three members are the first version of the struct; a caller that
 * needs no bitmap may pass elements of 24 bytes.
 */
struct ramload_range {
	__aligned_u64 file_offset;
	__aligned_u64 length;
	__aligned_u64 dest;
	__aligned_u64 bitmap;
	__u32 page_size;
	__u32 flags;
};

/* Size of the first version of struct ramload_range. */
#define RAMLOAD_RANGE_SIZE_VER0	24

/**
 * enum ramload_load_flags - bits of ramload_load.flags
 * @RAMLOAD_LOAD_WAIT: return when the job is done, without a job fd. If a
 *	signal comes first, the ioctl fails with EINTR and the job goes on:
 *	out_job_fd is its fd, with which RAMLOAD_JOB_RESULT can wait on, or
 *	close(2) cancel. A caller that dies cancels the job.
 * @RAMLOAD_LOAD_DONTCACHE: leave the page cache of the source as it was. The
 *	file, from the first byte of all ranges to the last, is divided into
 *	16384 regions, of 64 KiB at least; what is loaded of those of which
 *	nothing was cached when the job was submitted is dropped again, with
 *	what was read ahead around it: most of it by the workers meanwhile, the
 *	rest by who learns from RAMLOAD_LOAD_WAIT or RAMLOAD_JOB_RESULT that the
 *	job is done, or closes it. What others use then stays, and what is still
 *	being read ahead; what others have read in these regions meanwhile goes,
 *	too. Of regions that are partly cached, nothing is dropped. It does not
 *	change what is read directly. Nothing is dropped of files whose only
 *	place is memory.
 */
enum ramload_load_flags {
	RAMLOAD_LOAD_WAIT = 1 << 0,
	RAMLOAD_LOAD_DONTCACHE = 1 << 1,
};

/**
 * enum ramload_direct - whether to read past the page cache of the source
 * @RAMLOAD_DIRECT_AUTO: what has pages in the page cache (in its second half:
 *	the first may have been read ahead just now) is read from there;
 *	the rest is read directly if the file system and the alignment of file
 *	offset and destination allow it, else through the page cache. So is what
 *	is shorter than 64 KiB, unless much of it is to be read and the source
 *	is a block device or on one.
 * @RAMLOAD_DIRECT_ON: read directly wherever the alignment allows it, and
 *	the unaligned head and tail of a range through the page cache. A source
 *	that can do no direct I/O at all is refused with EINVAL; so is one on
 *	NFS, where a direct read that is killed goes on storing, and on
 *	overlayfs, which goes by O_DIRECT on the fd alone. What goes to
 *	shared mappings of files on a disk or in a network is always read
 *	through the page cache.
 * @RAMLOAD_DIRECT_OFF: always read through the page cache
 *
 * The value is independent of O_DIRECT on the fd, which is ignored; but on
 * overlayfs, files with that are refused.
 *
 * Of a block device, a worker has up to 32 direct reads under way; gaps of up
 * to 16 KiB between what is to be loaded may be read, too, and what they hold
 * goes nowhere. Through the page cache, what comes next is read ahead.
 */
enum ramload_direct {
	RAMLOAD_DIRECT_AUTO = 0,
	RAMLOAD_DIRECT_ON = 1,
	RAMLOAD_DIRECT_OFF = 2,
};

/**
 * struct ramload_load - ioctl(RAMLOAD_LOAD)
 * @size: sizeof(struct ramload_load)
 * @flags: bits of enum ramload_load_flags
 * @source_fd: the file to read, open for reading. The kernel takes its own
 *	reference: the fd may be closed as soon as the ioctl returns.
 * @direct: a value of enum ramload_direct
 * @ranges: address of an array of struct ramload_range; copied before the
 *	ioctl returns
 * @nr_ranges: its number of elements, 1 to ramload_info.out_max_ranges
 * @range_size: size of an element, RAMLOAD_RANGE_SIZE_VER0 at least; a
 *	multiple of 8
 * @chunk_size: how much of the destination a worker takes at a time: a power
 *	of two from 64 KiB to 1 GiB, or 0 for the default. Chunks end where the
 *	destination is a multiple of it; small ranges share a chunk.
 * @out_job_fd: the job's fd (close-on-exec); -1 if the job is done when
 *	RAMLOAD_LOAD_WAIT returns. Not defined after an error but EINTR, or
 *	but one of the job.
 * @result: with RAMLOAD_LOAD_WAIT, 0 or the address of a
 *	struct ramload_job_result, its size set and its flags 0, that receives
 *	the result. Without, must be 0.
 *
 * Submit a job. Several jobs of a context run one after another, in the order
 * of their submission, except that workers that find no more to take from one
 * go on to the next.
 *
 * Return: 0, or -1 with errno as in the table above, or
 *
 * * EINVAL: @nr_ranges is 0; a length is 0; a bad @direct, @range_size,
 *   @chunk_size or page_size; @result without RAMLOAD_LOAD_WAIT; a source
 *   that is neither regular file nor block device, is in procfs, a cgroup
 *   or resctrl, before Linux 6.10 on SMB, on an overlayfs above NFS, or on
 *   any (or a FUSE that passes through) with O_DIRECT, or cannot be read into
 *   kernel pages; RAMLOAD_DIRECT_ON with a source that can do no direct I/O,
 *   or is on NFS, overlayfs or such a FUSE
 * * E2BIG: @nr_ranges or the bitmaps are over the limit; the ranges make more
 *   than 2^22 chunks (take a larger @chunk_size); @range_size is over a page;
 *   an element has non-zero bytes that this kernel does not know
 * * EOVERFLOW: file_offset + length of a range is over 2^63 - 1, dest +
 *   length is over 2^64 - 1, or the sum of all lengths is over 2^63 - 1
 * * EFAULT: @ranges, a bitmap or @result cannot be read; a destination is
 *   not in the address range of user space
 * * EBADF: @source_fd is not open for reading
 * * EISDIR: the source is a directory
 * * ESPIPE: the source is a pipe or a socket
 * * ENXIO: the context has no workers: RAMLOAD_SETUP was not called
 * * ESHUTDOWN: the workers have ended, because the process is ending or has
 *   called execve(2)
 * * EBUSY: the context has ramload_info.out_max_jobs unfinished jobs
 * * EMFILE, ENFILE: no fd for the job
 * * ENOMEM: no memory, or over the limit of the memory cgroup, or of what the
 *   unfinished jobs of a user may hold
 * * EINTR: with RAMLOAD_LOAD_WAIT, a signal came before the job was done,
 *   which goes on as @out_job_fd
 * * with RAMLOAD_LOAD_WAIT, any error of struct ramload_job_result; @result
 *   is then filled in
 */
struct ramload_load {
	__u32 size;
	__u32 flags;
	__s32 source_fd;
	__u32 direct;
	__aligned_u64 ranges;
	__u32 nr_ranges;
	__u32 range_size;
	__u32 chunk_size;
	__s32 out_job_fd;
	__aligned_u64 result;
};

#define RAMLOAD_LOAD _IO(RAMLOAD_IOC_TYPE, RAMLOAD_CMD_LOAD)

/**
 * enum ramload_create_memory_flags - bits of ramload_create_memory.flags
 * @RAMLOAD_CREATE_MEMORY_SEALING: fcntl(F_ADD_SEALS) is allowed, as with
 *	MFD_ALLOW_SEALING; else the file has F_SEAL_SEAL
 */
enum ramload_create_memory_flags {
	RAMLOAD_CREATE_MEMORY_SEALING = 1 << 0,
};

/**
 * struct ramload_create_memory - ioctl(RAMLOAD_CREATE_MEMORY)
 * @size: sizeof(struct ramload_create_memory)
 * @flags: bits of enum ramload_create_memory_flags
 * @length: bytes, at least 1; ftruncate(2) may change it
 * @out_fd: the fd (close-on-exec), open for reading and writing
 * @__reserved: must be 0
 * @out_folio_size: how large its pages are where memory allows, in bytes:
 *	the size of a transparent huge page (2 MiB on x86-64), or that of a page
 *	where the kernel has none
 *
 * Make memory to load into: a file as of memfd_create(2), empty, of which
 * nothing can be executed or mapped PROT_EXEC. Its memory comes in huge pages
 * wherever they can be had, whatever
 * /sys/kernel/mm/transparent_hugepage/shmem_enabled says, unless that is
 * "deny". To be mapped MAP_SHARED, at an address that is a multiple of
 * @out_folio_size, and used as memory of the guest. Where memory is
 * fragmented, smaller pages are taken; what lies behind the last multiple of
 * @out_folio_size is made of small pages.
 *
 * In all else it is a memfd: swapped, locked by mlock(2), placed by mbind(2),
 * charged to the memory cgroup of who touches or loads it, passed to other
 * processes; nothing is allocated or reserved before that. It is not tied to
 * the context, and stays until its last fd and mapping are gone, though
 * the module may be unloaded earlier.
 *
 * Return: 0, or -1 with errno as in the table above, or
 *
 * * EINVAL: @length is 0
 * * EFBIG: @length is over RLIMIT_FSIZE, or no file may be so long
 * * EMFILE, ENFILE: no fd
 * * ENOMEM: no memory for the file itself
 */
struct ramload_create_memory {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__s32 out_fd;
	__u32 __reserved;
	__aligned_u64 out_folio_size;
};

#define RAMLOAD_CREATE_MEMORY _IO(RAMLOAD_IOC_TYPE, RAMLOAD_CMD_CREATE_MEMORY)

/**
 * enum ramload_job_state - ramload_job_result.out_state
 * @RAMLOAD_JOB_RUNNING: not done: waiting for workers, or running
 * @RAMLOAD_JOB_DONE: all bytes are loaded
 * @RAMLOAD_JOB_FAILED: an error ended the job
 * @RAMLOAD_JOB_CANCELLED: cancelled before all bytes were loaded
 */
enum ramload_job_state {
	RAMLOAD_JOB_RUNNING = 1,
	RAMLOAD_JOB_DONE = 2,
	RAMLOAD_JOB_FAILED = 3,
	RAMLOAD_JOB_CANCELLED = 4,
};

/**
 * enum ramload_job_result_flags - bits of ramload_job_result.flags
 * @RAMLOAD_JOB_RESULT_WAIT: wait until the job is done
 */
enum ramload_job_result_flags {
	RAMLOAD_JOB_RESULT_WAIT = 1 << 0,
};

/**
 * struct ramload_job_result - ioctl(RAMLOAD_JOB_RESULT) on a job fd
 * @size: sizeof(struct ramload_job_result)
 * @flags: bits of enum ramload_job_result_flags
 * @out_state: a value of enum ramload_job_state
 * @out_error: 0, or the error as a negative errno, once the job is done
 * @out_bytes_total: bytes to load: lengths of all ranges, present pages only
 *	where there is a bitmap
 * @out_bytes_done: bytes loaded so far; only ever grows
 * @out_error_offset: if @out_error, the offset in the source of the first
 *	byte that was not loaded. Of a device with a bad sector, that is the
 *	start of what the file system reads as a whole: a page, or a large
 *	folio.
 * @out_error_range: if @out_error, the index of the range it is in
 * @__reserved: must be 0
 *
 * Read the result, or the progress, of a job. May be called from any process
 * that has the fd, as often as wanted.
 *
 * Return: 0, also if the job has failed; or -1 with errno as in the table
 * above (but EPERM), or
 *
 * * EINTR: a signal came while waiting; the job goes on
 *
 * @out_error of a job that is done may be
 *
 * * -ENODATA: the file ends at @out_error_offset
 * * -EFAULT: the destination is not mapped, not writable, or beyond the end
 *   of the file it maps; or a store to it would get SIGBUS, also because a
 *   file system on a disk is full or the hugetlb pool is empty
 * * -ECANCELED: cancelled: by RAMLOAD_JOB_CANCEL, by closing the job or the
 *   context, or because the process ended
 * * -ENOMEM: no memory for the destination, or over its memory cgroup's limit
 * * -ENOSPC: with RAMLOAD_FEATURE_SHMEM_FILL, a tmpfs of the destination is
 *   full, or memory of a memfd may not be committed
 *   (vm.overcommit_memory = 2); elsewhere that is -EFAULT
 * * -EDQUOT: likewise, what the owner may have in a tmpfs is used up
 * * -EIO and whatever else read(2) of the source gives; -EIO also in place
 *   of -ENODATA and -ECANCELED, if a file system answers that, and where a
 *   page of the destination cannot be read from swap
 */
struct ramload_job_result {
	__u32 size;
	__u32 flags;
	__u32 out_state;
	__s32 out_error;
	__aligned_u64 out_bytes_total;
	__aligned_u64 out_bytes_done;
	__aligned_u64 out_error_offset;
	__u32 out_error_range;
	__u32 __reserved;
};

#define RAMLOAD_JOB_RESULT _IO(RAMLOAD_IOC_TYPE, RAMLOAD_CMD_JOB_RESULT)

/**
 * struct ramload_job_cancel - ioctl(RAMLOAD_JOB_CANCEL) on a job fd
 * @size: sizeof(struct ramload_job_cancel)
 * @flags: must be 0
 *
 * Ask for the end of a job. Returns at once; the job is done, and its
 * destination no longer touched, when the fd becomes readable. A job that is
 * done stays as it is.
 *
 * Return: 0, or -1 with errno as in the table above (but EPERM).
 */
struct ramload_job_cancel {
	__u32 size;
	__u32 flags;
};

#define RAMLOAD_JOB_CANCEL _IO(RAMLOAD_IOC_TYPE, RAMLOAD_CMD_JOB_CANCEL)

#endif /* _UAPI_LINUX_RAMLOAD_H */
