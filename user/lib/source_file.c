// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: source_file
 *
 * The file that a job of the user engine reads, through the page cache or past
 * it. It does not change after it was opened; workers read it side by side.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bits.h"
#include "direct_io.h"
#include "file_error.h"
#include "source_cache.h"
#include "source_file.h"

/*
 * RAMLOAD_IO_AUTO reads directly only what is at least as long as the kernel's
 * usual readahead: below that, readahead is faster.
 */
#define DIRECT_MIN	(UINT64_C(128) << 10)

static uint64_t file_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return 0;
	return S_ISBLK(st.st_mode) ? UINT64_MAX : (uint64_t)st.st_size;
}

/*
 * A direct read of NFS that is killed returns while the server may still answer into
 * memory, which may be shared and used by others since. NFS may be below overlayfs.
 */
static bool may_be_on_nfs(int fd)
{
	struct statfs fs;
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && !fstatfs(fd, &fs) &&
	       (fs.f_type == NFS_SUPER_MAGIC ||
		fs.f_type == OVERLAYFS_SUPER_MAGIC);
}

/* Whether direct reads make sense at all. */
static bool find_alignment(struct source_file *source)
{
	source->size = file_size(source->fd);
	return !may_be_on_nfs(source->fd) &&
	       direct_io_alignment(source->fd, &source->offset_align,
				   &source->dest_align) &&
	       source->offset_align <= SOURCE_READ_MAX;
}

void source_file_close(struct source_file *source)
{
	source_cache_free(source->before);
	close(source->fd);
	if (source->direct_fd >= 0)
		close(source->direct_fd);
}

static int duplicate(int fd)
{
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int source_file_open(struct source_file *source, int fd, enum ramload_io io)
{
	int flags = fcntl(fd, F_GETFL);

	source->direct_fd = -1;
	source->ask_cache = io == RAMLOAD_IO_AUTO;
	source->before = NULL;
	if (flags & O_DIRECT)
		source->fd = direct_io_reopen(fd, O_RDONLY);
	else
		source->fd = duplicate(fd);
	if (source->fd < 0)
		return source->fd;
	if (io == RAMLOAD_IO_BUFFERED)
		return 0;
	if (find_alignment(source))
		source->direct_fd = direct_io_reopen(fd, O_RDONLY | O_DIRECT);
	if (io == RAMLOAD_IO_DIRECT && source->direct_fd < 0) {
		source_file_close(source);
		return -EINVAL;
	}
	return 0;
}

static ssize_t read_at(int fd, char *dest, uint64_t length, uint64_t offset)
{
	ssize_t got;

	do {
		got = pread(fd, dest, length, offset);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? file_error() : got;
}

/*
 * How much of a read at @offset can be direct. *@head is what has to be read
 * before that, so that offset and destination are aligned. A direct read across
 * the end of the file would overwrite what lies behind it in memory.
 */
static uint64_t direct_length(const struct source_file *source, const char *dest,
			      uint64_t length, uint64_t offset, uint64_t *head)
{
	*head = -offset & (source->offset_align - 1);
	length = offset < source->size ?
		min_u64(length, source->size - offset) : 0;
	if (source->direct_fd < 0 || *head >= length ||
	    (((uintptr_t)dest + *head) & (source->dest_align - 1)))
		return 0;
	return round_down(length - *head, source->offset_align);
}

/*
 * One read of at most @length bytes. Returns how many it got, 0 at the end of
 * the file, or a negative errno.
 */
ssize_t source_file_read(const struct source_file *source, char *dest,
			   uint64_t length, uint64_t offset)
{
	uint64_t head, direct;
	ssize_t got;

	direct = direct_length(source, dest, length, offset, &head);
	if (source->ask_cache && direct < DIRECT_MIN)
		direct = 0;
	if (direct && head)
		return read_at(source->fd, dest, head, offset);
	if (!direct || (source->ask_cache &&
			source_cache_has(source->fd, offset, direct)))
		return read_at(source->fd, dest, length, offset);
	got = read_at(source->direct_fd, dest, direct, offset);
	/*
	 * EINVAL: an alignment that was not known. EFAULT: a direct read may
	 * fail as a whole where a part of the destination can be written.
	 */
	if (got == -EINVAL || got == -EFAULT)
		got = read_at(source->fd, dest, direct, offset);
	return got;
}

/* Is all read past the page cache that can be? */
bool source_file_is_direct(const struct source_file *source)
{
	return source->direct_fd >= 0 && !source->ask_cache;
}

/*
 * One read past the page cache into several places. Returns false if not all of
 * it was read; then some may have been.
 */
bool source_file_read_at_once(const struct source_file *source,
			      const struct iovec *iov, unsigned int nr,
			      uint64_t length, uint64_t offset)
{
	uint64_t bits = offset | length;
	uintptr_t dest_bits = 0;
	ssize_t got;

	for (unsigned int i = 0; i < nr; i++)
		dest_bits |= (uintptr_t)iov[i].iov_base | iov[i].iov_len;
	if (bits & (source->offset_align - 1) ||
	    dest_bits & (source->dest_align - 1) ||
	    offset > source->size || length > source->size - offset)
		return false;
	do {
		got = preadv(source->direct_fd, iov, nr, offset);
	} while (got < 0 && errno == EINTR);
	return got == (ssize_t)length;
}

/*
 * Leave the page cache as it is now, of a part of the file that will be read.
 * Returns 0 or -ENOMEM.
 */
int source_file_note_cache(struct source_file *source, uint64_t start,
			   uint64_t end)
{
	end = min_u64(end, file_size(source->fd));
	source->before = source_cache_note(source->fd, start, end);
	return source->before ? 0 : -ENOMEM;
}

/* A part was read, or all of it. */
void source_file_drop_cache(const struct source_file *source, uint64_t start,
			    uint64_t end)
{
	if (source->before)
		source_cache_drop(source->before, source->fd, start, end);
}

/* Whether little of a part of a file is in the page cache */
bool source_file_may_read_ahead(const struct source_file *source,
				uint64_t offset, uint64_t length)
{
	return !source_file_is_direct(source) &&
	       !source_cache_has(source->fd, offset,
				 min_u64(length, SOURCE_CACHE_PART));
}

/* Begin to read into the page cache; not what will be read past it */
void source_file_read_ahead(const struct source_file *source, uint64_t offset,
			    uint64_t length)
{
	if (source->direct_fd < 0 || length < DIRECT_MIN)
		posix_fadvise(source->fd, offset, length, POSIX_FADV_WILLNEED);
}
