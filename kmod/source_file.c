// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: source_file
 *
 * The file a job reads: what may be one, and a read of it into kernel pages,
 * through the page cache or past it.
 *
 * The job holds a reference to the file from the ioctl until it is done, so
 * the caller may close its fd at any time. The file's own position and flags
 * are never used, nor changed: each read has a kiocb of its own. Everything
 * here is immutable after source_file_open() and needs no lock.
 *
 * Permissions are those of pread(2): the fd must be open for reading, and
 * vfs_iocb_iter_read() calls the LSM and fsnotify hooks for each read, in the
 * worker, which has the credentials of the job's submitter. It may be a
 * kthread, in the namespaces of init: files of procfs, such as
 * /proc/sys/kernel/hostname, and lists of processes are refused.
 *
 * No lock of ours and no folio lock is held during a read. A read may
 * therefore sleep for as long as the file system likes, and may need pages
 * that are being loaded.
 *
 * A *copy* is the exception: it takes what is in the page cache as a mapping
 * of the file would, by looking it up (see filemap_map_pages()), and waits for
 * nothing, so that a folio may be locked. It calls nothing of the file system,
 * whose read_iter() may wait in spite of IOCB_NOWAIT; so it is for file systems
 * on a block device, and block devices, where what is in the page cache and
 * uptodate needs no leave of a server. What else a read does, it does while no
 * folio is locked: the hooks of LSMs and fanotify before, the update of atime
 * and the event after.
 */

#include <linux/blkdev.h>
#include <linux/fadvise.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/log2.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/stat.h>
#include <linux/swap.h>
#include <linux/uio.h>

#include "fallback.h"
#include "fault_point.h"
#include "source_cache.h"
#include "source_file.h"
#include "stats.h"
#include "trace.h"

/*
 * Below this, AUTO does not read directly: one wait for the device for each
 * small read costs more than readahead and a copy.
 */
#define DIRECT_MIN	SZ_64K

/* Of overlayfs, what is below. The dentry holds it as long as we hold the file. */
static struct inode *real_inode(const struct file *file)
{
	return S_ISREG(file_inode(file)->i_mode) ?
		d_real_inode(file->f_path.dentry) : file_inode(file);
}

static bool is_overlay(const struct file *file)
{
	return real_inode(file) != file_inode(file);
}

/* A FUSE file system whose files may be others' of which it is not asked again. */
static bool may_pass_through(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISREG(inode->i_mode) &&
	       inode->i_sb->s_magic == FUSE_SUPER_MAGIC &&
	       inode->i_sb->s_stack_depth;
}

/*
 * These read the file below directly if, and only if, the fd has O_DIRECT (or, of
 * FUSE, had it when it was opened): what a kiocb says does not count, so neither
 * alignment nor NFS could be seen to. Who opens one of FUSE so and clears the flag
 * gets past us: his reads end as those of read(2) would.
 */
static bool goes_by_flags(const struct file *file)
{
	return is_overlay(file) || may_pass_through(file);
}

/* Below overlayfs, no NFS: O_DIRECT can be set at any time. */
static bool is_refused_for_flags(const struct file *file)
{
	if (goes_by_flags(file) && READ_ONCE(file->f_flags) & O_DIRECT)
		return true;
	return is_overlay(file) &&
	       real_inode(file)->i_sb->s_magic == NFS_SUPER_MAGIC;
}

static bool is_refused(const struct super_block *sb)
{
	switch (sb->s_magic) {
	/* What some of their files say depends on the namespaces of the reader. */
	case PROC_SUPER_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case RDTGROUP_SUPER_MAGIC:
		return true;
#ifdef RAMLOAD_SMB_READS_STRAY
	case CIFS_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
		return true;
#endif
	default:
		return false;
	}
}

static int check_type(const struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	if (S_ISDIR(mode))
		return -EISDIR;
	if (S_ISFIFO(mode) || S_ISSOCK(mode))
		return -ESPIPE;
	if (!S_ISREG(mode) && !S_ISBLK(mode))
		return -EINVAL;
	if (is_refused(real_inode(file)->i_sb) || is_refused_for_flags(file))
		return -EINVAL;
	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (!(file->f_mode & FMODE_PREAD))
		return -ESPIPE;
	if (!(file->f_mode & FMODE_CAN_READ) || !file->f_op->read_iter)
		return -EINVAL;
	return 0;
}

/*
 * A direct read of NFS that is killed returns while the server may still answer
 * into its pages: after the end of the job.
 */
static bool do_direct_reads_stray(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISREG(inode->i_mode) && inode->i_sb->s_magic == NFS_SUPER_MAGIC;
}

/*
 * What a direct read must be aligned to. File systems that say so through
 * statx() are believed; else the block size serves, of the device if the
 * source is one, of the file system otherwise.
 */
static void find_alignment(struct source_file *src)
{
	struct file *file = src->file;
	struct inode *inode = file->f_mapping->host;
	struct kstat stat = {};
	u32 align;

	if (!(file->f_mode & FMODE_CAN_ODIRECT) || goes_by_flags(file) ||
	    do_direct_reads_stray(file))
		return;
	if (!vfs_getattr(&file->f_path, &stat, STATX_DIOALIGN,
			 AT_STATX_DONT_SYNC) &&
	    stat.result_mask & STATX_DIOALIGN) {
		src->offset_align = stat.dio_offset_align;
		src->mem_align = stat.dio_mem_align;
	} else {
		align = S_ISBLK(inode->i_mode) ?
			bdev_logical_block_size(I_BDEV(inode)) :
			i_blocksize(inode);
		src->offset_align = align;
		src->mem_align = align;
	}
	if (!is_power_of_2(src->offset_align) || !is_power_of_2(src->mem_align))
		src->offset_align = 0;
}

/* Is the file filled by a listener of fanotify, part by part as it is read? */
static bool is_filled_on_access(const struct file *file)
{
#ifdef FMODE_FSNOTIFY_HSM
	return FMODE_FSNOTIFY_HSM(file->f_mode);
#else
	return false;
#endif
}

/* That of fuseblk is on one, but its daemon is asked. */
static bool is_on_disk(const struct file *file)
{
	struct inode *inode = file_inode(file);
	const struct super_block *sb = inode->i_sb;

	if (!S_ISBLK(inode->i_mode) &&
	    (!(sb->s_type->fs_flags & FS_REQUIRES_DEV) ||
	     sb->s_magic == FUSE_SUPER_MAGIC))
		return false;
	return !IS_DAX(inode) && !is_filled_on_access(file);
}

/*
 * Can a direct read be asynchronous? Those that file systems with a direct_IO()
 * of their own have may want to do something when it has ended, and do it only
 * if they waited for that: exfat and ntfs3 clear what was never written.
 */
static bool may_queue(const struct file *file)
{
	const struct address_space_operations *ops = file->f_mapping->a_ops;

	return S_ISBLK(file_inode(file)->i_mode) || !ops->direct_IO ||
	       ops->direct_IO == noop_direct_IO;
}

static struct address_space *find_page_cache(const struct file *file)
{
	return is_overlay(file) ? real_inode(file)->i_mapping : file->f_mapping;
}

/**
 * source_file_open() - take a file as the source of a job
 * @src: filled in
 * @fd: the caller's fd
 * @direct: when to read past the page cache
 *
 * Return: 0, -EBADF, -EISDIR, -ESPIPE or -EINVAL as documented at
 * struct ramload_load.
 */
int source_file_open(struct source_file *src, int fd,
		     enum ramload_direct direct)
{
	int err;

	*src = (struct source_file){ .direct = direct };
	src->file = fget(fd);
	if (!src->file)
		return -EBADF;
	err = check_type(src->file);
	if (err) {
		pr_debug("%pD cannot be a source: %d\n", src->file, err);
		goto err_put;
	}
	if (direct != RAMLOAD_DIRECT_OFF)
		find_alignment(src);
	if (direct == RAMLOAD_DIRECT_ON && !src->offset_align) {
		pr_debug("%pD can do no direct I/O\n", src->file);
		err = -EINVAL;
		goto err_put;
	}
	src->page_cache = find_page_cache(src->file);
	src->on_disk = is_on_disk(src->file);
	src->may_queue = src->on_disk && src->offset_align &&
			 may_queue(src->file);
	return 0;

err_put:
	source_file_close(src, false);
	return err;
}

/**
 * source_file_close() - close the source
 * @src: any number of times, from any threads
 * @restore: leave its page cache as it was, if that was asked for; takes a while
 *
 * Context: process context, may sleep; no locks held.
 */
void source_file_close(struct source_file *src, bool restore)
{
	struct file *file = xchg(&src->file, NULL);

	if (!file)
		return;
	/* One of overlayfs may have been copied up. */
	if (restore && src->before && find_page_cache(file) == src->page_cache)
		source_cache_restore(src->before, file);
	source_cache_free(src->before);
	fput(file);
}

/**
 * source_file_note_cache() - leave its page cache as it is now
 * @src: the file, that nobody reads yet
 * @start: of what will be read
 * @end: of that
 *
 * Behind @end, readahead will read some more.
 *
 * Return: 0 or -ENOMEM.
 */
int source_file_note_cache(struct source_file *src, u64 start, u64 end)
{
	u64 ahead = (u64)READ_ONCE(src->file->f_ra.ra_pages) << PAGE_SHIFT;

	return source_cache_note(&src->before, src->page_cache, start,
				 end + ahead);
}

/*
 * Only the second half is looked at: the first may hold what a buffered read
 * before it has read ahead, which would make the next one buffered, too, and
 * so on to the end of a file of which nothing is cached.
 */
static bool is_cached(const struct source_file *src, loff_t pos, size_t bytes)
{
	return filemap_range_has_page(src->page_cache, pos + bytes / 2,
				      pos + bytes - 1);
}

/*
 * Cuts @bytes at @pos to what can be read directly. If that is nothing, because
 * the next ones must come through the page cache, returns why.
 */
static enum fallback cut_to_direct(const struct source_file *src, loff_t pos,
				   size_t *bytes)
{
	loff_t left = i_size_read(src->file->f_mapping->host) - pos;

	if (!src->offset_align)
		return FALLBACK_NO_DIRECT;
	if (pos & (src->offset_align - 1))
		return FALLBACK_OFFSET;
	/* A direct read across the end would overwrite what lies behind it. */
	if (left < (loff_t)src->offset_align)
		return FALLBACK_END;
	*bytes = round_down(min_t(u64, *bytes, left),
			    (size_t)src->offset_align);
	return *bytes ? FALLBACK_NONE : FALLBACK_OFFSET;
}

/* The same, also where they had better come through it. */
static enum fallback why_not_direct(const struct source_file *src, loff_t pos,
				    size_t *bytes)
{
	enum fallback why = cut_to_direct(src, pos, bytes);

	if (why || src->direct != RAMLOAD_DIRECT_AUTO)
		return why;
	if (*bytes < DIRECT_MIN)
		return FALLBACK_SMALL;
	return is_cached(src, pos, *bytes) ? FALLBACK_CACHED : FALLBACK_NONE;
}

/* Why a direct read of the first @bytes cannot go to these pages. */
static enum fallback why_not_into(const struct source_file *src,
				  const struct iov_iter *iter, size_t bytes)
{
	struct iov_iter part = *iter;

	iov_iter_truncate(&part, bytes);
	if (iov_iter_alignment(&part) & (src->mem_align - 1))
		return FALLBACK_MEMORY;
	return fault_point(FAULT_DIRECT) ? FALLBACK_FAILED : FALLBACK_NONE;
}

/*
 * How many of the bytes at @pos to read through the page cache: of an
 * unaligned head, those before the place where direct reads can start.
 */
static size_t buffered_bytes(const struct source_file *src, loff_t pos,
			     const struct iov_iter *iter)
{
	size_t bytes = iov_iter_count(iter);

	if (src->offset_align && pos & (src->offset_align - 1))
		bytes = min_t(size_t, bytes, -pos & (src->offset_align - 1));
	return bytes;
}

/*
 * Functions that tell are not inlined: who is not listened to had to save the
 * registers that they need.
 */

/* Who has asked for no direct reads, misses none. */
static noinline void tell_fallback(const struct source_file *src, loff_t pos,
				   size_t bytes, enum fallback why, int error)
{
	if (src->direct != RAMLOAD_DIRECT_OFF)
		trace_fallback(pos, bytes, why, error);
}

/*
 * The bytes are read through the page cache by who has not asked here, or did
 * before. If nothing is against a direct read of them here, it is for @reason.
 */
static noinline void tell_not_direct(const struct source_file *src, loff_t pos,
				     size_t bytes, enum fallback reason)
{
	size_t direct = bytes;
	enum fallback why = why_not_direct(src, pos, &direct);

	tell_fallback(src, pos, bytes, why ?: reason, 0);
}

static void init_kiocb(struct kiocb *kiocb, struct file *file, loff_t pos,
		       int direct_flag)
{
	init_sync_kiocb(kiocb, file);
	kiocb->ki_pos = pos;
	kiocb->ki_flags &= ~IOCB_DIRECT;
	kiocb->ki_flags |= direct_flag;
}

/* What a FUSE daemon answers is not to look like a cancel, nor the file's end. */
static ssize_t as_answer(ssize_t ret)
{
	return ret == -ECANCELED || ret == -ENODATA ? -EIO : ret;
}

/* Read up to @bytes and advance @iter by what was read. */
static ssize_t read_some(struct file *file, loff_t pos, struct iov_iter *iter,
			 size_t bytes, int direct_flag)
{
	struct iov_iter part = *iter;
	struct kiocb kiocb;
	ssize_t ret;

	init_kiocb(&kiocb, file, pos, direct_flag);
	iov_iter_truncate(&part, bytes);
	if (fault_point(FAULT_READ))
		return -EIO;
	ret = vfs_iocb_iter_read(file, &kiocb, &part);
	if (ret > 1 && fault_point(FAULT_SHORT_READ))
		ret /= 2;
	if (ret > 0)
		iov_iter_advance(iter, ret);
	return as_answer(ret);
}

/*
 * Read past the page cache if that is to be done here; else, and if it fails,
 * return 0: a file system may refuse direct I/O for reasons of its own, and of
 * a batch that cannot be read, a buffered read finds the very page.
 */
static ssize_t read_direct(const struct source_file *src, loff_t pos,
			   struct iov_iter *iter, struct stats *stats)
{
	size_t bytes = iov_iter_count(iter);
	enum fallback why;
	ssize_t ret;

	why = why_not_direct(src, pos, &bytes);
	if (!why)
		why = why_not_into(src, iter, bytes);
	if (why) {
		if (trace_fallback_enabled())
			tell_fallback(src, pos, buffered_bytes(src, pos, iter),
				      why, 0);
		return 0;
	}
	ret = read_some(src->file, pos, iter, bytes, IOCB_DIRECT);
	stats_add(stats, STAT_READS, 1);
	stats_add(stats, STAT_NOT_DIRECT, ret <= 0);
	if (ret <= 0)
		tell_fallback(src, pos, iov_iter_count(iter),
			      ret ? FALLBACK_FAILED : FALLBACK_END, ret);
	ret = max_t(ssize_t, 0, ret);
	stats_add(stats, STAT_DIRECT, ret);
	return ret;
}

static ssize_t read_cached(const struct source_file *src, loff_t pos,
			   struct iov_iter *iter, size_t bytes,
			   struct stats *stats)
{
	ssize_t ret = read_some(src->file, pos, iter, bytes, 0);

	stats_add(stats, STAT_READS, 1);
	stats_add(stats, STAT_CACHED, max_t(ssize_t, 0, ret));
	return ret;
}

/**
 * source_file_read() - read into pages
 * @src: the file
 * @pos: offset in it
 * @iter: bvecs of the pages; not locked, referenced by the caller
 * @stats: where to count
 *
 * Context: process context, may sleep; no locks held.
 * Return: the number of bytes read, less than asked for if the file ends or an
 * error was met behind them; 0 at the end of the file; else a negative errno.
 */
ssize_t source_file_read(const struct source_file *src, loff_t pos,
			 struct iov_iter *iter, struct stats *stats)
{
	ssize_t done = 0;
	ssize_t ret = 0;

	while (iov_iter_count(iter)) {
		ret = read_direct(src, pos + done, iter, stats);
		if (!ret)
			ret = read_cached(src, pos + done, iter,
					  buffered_bytes(src, pos + done, iter),
					  stats);
		if (ret <= 0)
			break;
		done += ret;
	}
	return done ?: ret;
}

/**
 * source_file_is_direct() - would source_file_read() read past the page cache
 * @src: the file
 * @pos: offset in it
 * @bytes: how many are to be read
 *
 * Return: true if it would, as things stand.
 */
bool source_file_is_direct(const struct source_file *src, loff_t pos,
			   size_t bytes)
{
	return !why_not_direct(src, pos, &bytes);
}

/**
 * source_file_is_aligned() - may direct reads begin and end there
 * @src: the file
 * @pos: offset in it
 * @end: another
 *
 * Return: true if they may.
 */
bool source_file_is_aligned(const struct source_file *src, loff_t pos,
			    loff_t end)
{
	return src->offset_align && !((pos | end) & (src->offset_align - 1));
}

/**
 * source_file_is_cold() - are small parts of it to be read directly
 * @src: the file
 * @pos: offset in it
 * @end: where the last of them ends
 *
 * AUTO reads small parts through the page cache, with readahead, unless several
 * can be under way at a time and none is in the page cache. Only the second
 * half is looked at, as by is_cached().
 *
 * Return: true if they are for source_file_start_read().
 */
bool source_file_is_cold(const struct source_file *src, loff_t pos, loff_t end)
{
	if (!src->may_queue)
		return false;
	return src->direct == RAMLOAD_DIRECT_ON ||
	       (end > pos && !is_cached(src, pos, end - pos));
}

/**
 * source_file_can_queue() - is a read one for source_file_start_read()
 * @src: the file, which source_file_is_cold()
 * @pos: offset in it
 * @iter: what is to be read
 *
 * Return: true if so: all of it can be read directly.
 */
bool source_file_can_queue(const struct source_file *src, loff_t pos,
			   const struct iov_iter *iter)
{
	size_t bytes = iov_iter_count(iter);

	return !cut_to_direct(src, pos, &bytes) &&
	       bytes == iov_iter_count(iter) &&
	       !why_not_into(src, iter, bytes);
}

/**
 * source_file_start_read() - start a direct read
 * @src: the file
 * @pos: offset in it
 * @iter: bvecs of the pages; stays, as the bvecs do, until the read has ended
 * @kiocb: for the read; stays, too
 * @has_ended: called in any context, with what was read or an errno
 *
 * For what source_file_can_queue(). The caller holds the file until it ends.
 *
 * Context: process context, may sleep; no locks held.
 * Return: -EIOCBQUEUED if @has_ended was or will be called; else as
 * source_file_read(), and it was not.
 */
ssize_t source_file_start_read(const struct source_file *src, loff_t pos,
			       struct iov_iter *iter, struct kiocb *kiocb,
			       void (*has_ended)(struct kiocb *kiocb, long ret))
{
	if (fault_point(FAULT_READ))
		return -EIO;
	init_kiocb(kiocb, src->file, pos, IOCB_DIRECT);
	kiocb->ki_complete = has_ended;
	return vfs_iocb_iter_read(src->file, kiocb, iter);
}

/* Why less was read than @bytes. */
static enum fallback why_not_all(ssize_t ret, size_t bytes)
{
	if (ret < 0)
		return FALLBACK_FAILED;
	if (!ret)
		return FALLBACK_END;
	return ret == (ssize_t)bytes ? FALLBACK_NONE : FALLBACK_SHORT;
}

/**
 * source_file_has_read() - a read has ended that was started
 * @src: the file
 * @pos: offset in it
 * @bytes: how many were to be read
 * @queued: source_file_start_read() has returned -EIOCBQUEUED
 * @ret: what its end was called with, or what was returned
 *
 * Return: true if it has read all of them.
 */
bool source_file_has_read(const struct source_file *src, loff_t pos,
			  size_t bytes, bool queued, ssize_t ret)
{
	enum fallback why;

	/* The other, vfs_iocb_iter_read() has told of. */
	if (queued && ret > 0)
		fsnotify_access(src->file);
	if (ret > 1 && fault_point(FAULT_SHORT_READ))
		ret /= 2;
	why = why_not_all(ret, bytes);
	if (why)
		tell_fallback(src, pos, bytes, why, min_t(ssize_t, 0, ret));
	return !why;
}

/**
 * source_file_read_cached() - read through the page cache
 * @src: the file, not source_file_is_direct() there, or memory not to be pinned
 * @pos: offset in it
 * @iter: where to; may be user memory
 * @stats: where to count
 *
 * Context: as source_file_read().
 * Return: as source_file_read().
 */
ssize_t source_file_read_cached(const struct source_file *src, loff_t pos,
				struct iov_iter *iter, struct stats *stats)
{
	if (trace_fallback_enabled())
		tell_not_direct(src, pos, iov_iter_count(iter),
				FALLBACK_NOT_PINNED);
	return read_cached(src, pos, iter, iov_iter_count(iter), stats);
}

/**
 * source_file_may_read_ahead() - is source_file_read_ahead() of use
 * @src: the file
 * @pos: offset in it
 *
 * A network file system and FUSE know best what to ask a server for.
 *
 * Return: true if so, as the page cache has not got what is there.
 */
bool source_file_may_read_ahead(const struct source_file *src, loff_t pos)
{
	return src->on_disk && src->direct != RAMLOAD_DIRECT_ON &&
	       !filemap_range_has_page(src->page_cache, pos, pos);
}

/**
 * source_file_read_ahead() - begin to read into the page cache
 * @src: the file
 * @pos: offset in it
 * @bytes: how many
 *
 * Does nothing for what will be read directly.
 *
 * Context: process context, may sleep, but not for the device; no locks held.
 */
void source_file_read_ahead(const struct source_file *src, loff_t pos,
			    size_t bytes)
{
	size_t to_read = bytes;

	if (why_not_direct(src, pos, &to_read))
		vfs_fadvise(src->file, pos, bytes, POSIX_FADV_WILLNEED);
}

#ifdef RAMLOAD_HAVE_SHMEM_FILL

/**
 * source_file_may_copy() - before a folio is locked for source_file_copy()
 * @src: the file
 * @pos: offset in it
 * @bytes: how many may be copied
 *
 * Context: process context, may sleep; no locks held.
 * Return: true if it may be called.
 */
bool source_file_may_copy(const struct source_file *src, loff_t pos,
			  size_t bytes)
{
	return src->on_disk && src->direct != RAMLOAD_DIRECT_ON &&
	       !rw_verify_area(READ, src->file, &pos, bytes);
}

/* Returns the number of bytes copied from the folio, 0 if it has none. */
static size_t copy_folio(struct address_space *mapping, struct folio *folio,
			 loff_t pos, struct iov_iter *iter)
{
	size_t offset = offset_in_folio(folio, pos);
	size_t bytes = folio_size(folio) - offset;
	loff_t size;

	if (!folio_test_uptodate(folio) || folio_contain_hwpoisoned_page(folio))
		return 0;
	/* After that: a folio that is uptodate is zero behind the end. */
	size = i_size_read(mapping->host);
	if (pos >= size)
		return 0;
	folio_mark_accessed(folio);
	bytes = min3((u64)bytes, (u64)iov_iter_count(iter), (u64)(size - pos));
	return copy_folio_to_iter(folio, offset, bytes, iter);
}

/* The same from some folios that adjoin. */
static size_t copy_folios(struct address_space *mapping, loff_t pos,
			  struct iov_iter *iter)
{
	loff_t last = pos + iov_iter_count(iter) - 1;
	pgoff_t index = pos >> PAGE_SHIFT;
	struct folio_batch fbatch;
	size_t done = 0;
	size_t copied = 1;
	unsigned int i;

	folio_batch_init(&fbatch);
	filemap_get_folios_contig(mapping, &index, last >> PAGE_SHIFT, &fbatch);
	for (i = 0; i < folio_batch_count(&fbatch); i++) {
		struct folio *folio = fbatch.folios[i];

		/* One that does not go on where the last one ended is new. */
		if (copied && folio_pos(folio) <= pos + (loff_t)done &&
		    pos + (loff_t)done <
		    folio_pos(folio) + (loff_t)folio_size(folio))
			copied = copy_folio(mapping, folio, pos + done, iter);
		else
			copied = 0;
		done += copied;
		folio_put(folio);
	}
	return done;
}

/**
 * source_file_copy() - read what is in the page cache
 * @src: the file, after source_file_may_copy()
 * @pos: offset in it
 * @iter: bvecs of the pages, which may be locked
 *
 * Context: process context; waits for nothing.
 * Return: the number of bytes copied.
 */
size_t source_file_copy(const struct source_file *src, loff_t pos,
			struct iov_iter *iter)
{
	size_t done = 0;
	size_t copied;

	while (iov_iter_count(iter)) {
		copied = copy_folios(src->file->f_mapping, pos + done, iter);
		if (copied > 1 && fault_point(FAULT_SHORT_READ)) {
			done += copied / 2;
			break;
		}
		if (!copied)
			break;
		done += copied;
	}
	if (trace_fallback_enabled() && done)
		tell_not_direct(src, pos, done, FALLBACK_CACHED);
	return done;
}

/**
 * source_file_copied() - when the folio is unlocked after source_file_copy()
 * @src: the file
 */
void source_file_copied(const struct source_file *src)
{
	file_accessed(src->file);
	fsnotify_access(src->file);
}

#endif /* RAMLOAD_HAVE_SHMEM_FILL */
