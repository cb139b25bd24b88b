// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload
 *
 * libramload-preload.so: the functions that stand before those of libc.
 *
 * What they rest on is what QEMU 9.0 to 11 does to load a mapped-ram file, in
 * io/channel-file.c and migration/:
 *
 * * The stream is read with readv(), 32 KiB at a time, from where the file
 *   position is: 0, or what "offset=" says, for which lseek() was called.
 * * A block's bitmap is read with one preadv(); then, in order, each run of
 *   present pages, 1 MiB at most, with one preadv() of one iovec, straight into
 *   guest memory. With multifd, threads do that, each with an fd that is
 *   another open of the same path (a duplicate in 9.0), with O_DIRECT if so
 *   asked for. Without multifd, newer ones set O_DIRECT meanwhile.
 * * A path /dev/fdset/N is a duplicate of an fd that was passed.
 *
 * readv() recognises the stream by its first bytes, preadv() answers. The
 * others are here because memory may be another's after them. What none of this
 * sees is a system call that does not go through libc.
 *
 * **The way of other calls.** Until a stream was seen, each function costs one
 * comparison; while blocks are loaded, one look at each. What is passed on is
 * passed on as it came, and errno is as it leaves it.
 *
 * **Cancellation.** A read that is answered is a cancellation point as any
 * other is: it is asked for before anything is done. Nothing waits cancellably.
 *
 * **Signal handlers** may call all of these, but not those that have interrupted
 * the allocator: see preload_block, and the start of the loader, by who reads the
 * beginning of a stream first, allocates in the calling thread.
 *
 * **Memory that goes away** is looked at before the call, so that no job writes
 * to what comes in its place, and again after it, as another thread may have
 * begun to read into it in between.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ramload.h>

#include "preload_loader.h"
#include "preload_memory.h"
#include "preload_next.h"
#include "preload_options.h"
#include "preload_table.h"

#define MAGIC		"QEVM"
#define MAGIC_LENGTH	4

ssize_t __wrap_preadv64(int fd, const struct iovec *iov, int nr, off_t at);

/* What the kernel refuses is not looked at. */
static bool is_vector(const struct iovec *iov, int nr)
{
	return iov && nr > 0 && nr <= IOV_MAX;
}

static ssize_t answer(int fd, const struct iovec *iov, int nr, off_t at)
{
	if (!preload_is_live() || !is_vector(iov, nr))
		return -1;
	pthread_testcancel();
	if (!preload_table_answers(fd, iov, nr, at))
		return -1;
	return iov->iov_len;
}

RAMLOAD_API ssize_t preadv64(int fd, const struct iovec *iov, int nr,
			     off64_t at)
{
	ssize_t length = answer(fd, iov, nr, at);

	return length >= 0 ? length : preload_next()->preadv(fd, iov, nr, at);
}

RAMLOAD_API ssize_t preadv(int fd, const struct iovec *iov, int nr, off_t at)
{
	return preadv64(fd, iov, nr, at);
}

/* The library's own reads, which wait for nobody */
ssize_t __wrap_preadv64(int fd, const struct iovec *iov, int nr, off_t at)
{
	return preload_next()->preadv(fd, iov, nr, at);
}

static void vector_changes(const struct iovec *iov, int nr)
{
	for (int i = 0; i < nr; i++)
		preload_table_changes(iov[i].iov_base, iov[i].iov_len,
				      COUNT_OTHER);
}

/* @got bytes were read; is it the beginning of a stream? */
static void look_at(int fd, const struct iovec *iov, ssize_t got)
{
	off_t end;

	if (!preload_table || got < MAGIC_LENGTH ||
	    iov->iov_len < MAGIC_LENGTH ||
	    memcmp(iov->iov_base, MAGIC, MAGIC_LENGTH))
		return;
	end = lseek(fd, 0, SEEK_CUR);
	if (end >= got)
		preload_loader_notice(fd, end - got);
}

RAMLOAD_API ssize_t readv(int fd, const struct iovec *iov, int nr)
{
	ssize_t got;
	int saved;

	if (preload_is_live() && is_vector(iov, nr))
		vector_changes(iov, nr);
	got = preload_next()->readv(fd, iov, nr);
	saved = errno;
	look_at(fd, iov, got);
	errno = saved;
	return got;
}

/* Leaves errno as it is. */
static void changes(const void *start, size_t length)
{
	int saved = errno;

	if (preload_is_live())
		preload_table_changes(start, length, COUNT_REMAPPED);
	errno = saved;
}

RAMLOAD_API void *mmap64(void *addr, size_t length, int prot, int flags,
			 int fd, off64_t at)
{
	void *mapped;

	if (!(flags & MAP_FIXED))
		return preload_next()->mmap(addr, length, prot, flags, fd, at);
	changes(addr, length);
	mapped = preload_next()->mmap(addr, length, prot, flags, fd, at);
	changes(addr, length);
	return mapped;
}

RAMLOAD_API void *mmap(void *addr, size_t length, int prot, int flags, int fd,
		       off_t at)
{
	return mmap64(addr, length, prot, flags, fd, at);
}

RAMLOAD_API int munmap(void *addr, size_t length)
{
	int ret;

	changes(addr, length);
	ret = preload_next()->munmap(addr, length);
	changes(addr, length);
	return ret;
}

RAMLOAD_API void *mremap(void *addr, size_t old_length, size_t length,
			 int flags, ...)
{
	void *to = NULL, *moved;

	if (flags & MREMAP_FIXED) {
		va_list args;

		va_start(args, flags);
		to = va_arg(args, void *);
		va_end(args);
	}
	changes(addr, old_length);
	changes(to, to ? length : 0);
	moved = preload_next()->mremap(addr, old_length, length, flags, to);
	changes(addr, old_length);
	changes(to, to ? length : 0);
	return moved;
}

RAMLOAD_API int memfd_create(const char *name, unsigned int flags)
{
	if (preload_table && preload_options.memory) {
		int fd = preload_memory_create(name, flags);

		if (fd >= 0)
			return fd;
	}
	return preload_next()->memfd_create(name, flags);
}

__attribute__((constructor)) static void begin(void)
{
	preload_next();
	preload_options_read();
	if (preload_options.on && !preload_loader_init())
		preload_table_init();
}

__attribute__((destructor)) static void end(void)
{
	preload_loader_end();
}
