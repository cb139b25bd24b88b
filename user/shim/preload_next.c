// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_next
 *
 * The functions that ours stand before are looked up once, all of them: by the
 * constructor, or by whoever calls one of ours earlier.
 *
 * dlsym(3) may allocate, and an allocator that is not libc's may call mmap(2)
 * for that, which is ours: whoever comes while the table is filled, be it this
 * thread or another one, is served by the bare system call. Nobody waits.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload_next.h"

_Static_assert(sizeof(off_t) == 8 && sizeof(long) == 8,
	       "preadv and preadv64 are one function");

static ssize_t raw_preadv(int fd, const struct iovec *iov, int nr, off_t at)
{
	return syscall(SYS_preadv, fd, iov, nr, at, 0L);
}

static ssize_t raw_readv(int fd, const struct iovec *iov, int nr)
{
	return syscall(SYS_readv, fd, iov, nr);
}

static void *raw_mmap(void *addr, size_t length, int prot, int flags, int fd,
		      off_t at)
{
	return (void *)syscall(SYS_mmap, addr, length, prot, flags, fd, at);
}

static int raw_munmap(void *addr, size_t length)
{
	return syscall(SYS_munmap, addr, length);
}

static void *raw_mremap(void *addr, size_t old_length, size_t length,
			int flags, ...)
{
	va_list args;
	void *to;

	va_start(args, flags);
	to = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
	va_end(args);
	return (void *)syscall(SYS_mremap, addr, old_length, length, flags, to);
}

static int raw_memfd_create(const char *name, unsigned int flags)
{
	return syscall(SYS_memfd_create, name, flags);
}

static const struct preload_next raw = {
	.preadv = raw_preadv,
	.readv = raw_readv,
	.mmap = raw_mmap,
	.munmap = raw_munmap,
	.mremap = raw_mremap,
	.memfd_create = raw_memfd_create,
};

static struct preload_next next;

enum {
	EMPTY,
	FILLING,
	READY,
};

static atomic_int state = EMPTY;

/* ISO C knows no pointer to data that is one to a function; POSIX does. */
static void look_up(void *function, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found)
		*(void **)function = found;
}

static void fill(void)
{
	next = raw;
	look_up(&next.preadv, "preadv64");
	look_up(&next.readv, "readv");
	look_up(&next.mmap, "mmap64");
	look_up(&next.munmap, "munmap");
	look_up(&next.mremap, "mremap");
	look_up(&next.memfd_create, "memfd_create");
}

const struct preload_next *preload_next(void)
{
	int seen = atomic_load_explicit(&state, memory_order_acquire);

	if (seen == READY)
		return &next;
	if (seen == FILLING ||
	    !atomic_compare_exchange_strong(&state, &seen, FILLING))
		return &raw;
	fill();
	atomic_store_explicit(&state, READY, memory_order_release);
	return &next;
}
