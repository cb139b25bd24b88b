/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_NEXT_H
#define PRELOAD_NEXT_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/**
 * struct preload_next - the functions that ours stand before
 *
 * Those of libc, or of whatever library else comes after this one.
 */
struct preload_next {
	ssize_t (*preadv)(int fd, const struct iovec *iov, int nr, off_t at);
	ssize_t (*readv)(int fd, const struct iovec *iov, int nr);
	void *(*mmap)(void *addr, size_t length, int prot, int flags, int fd,
		      off_t at);
	int (*munmap)(void *addr, size_t length);
	void *(*mremap)(void *addr, size_t old_length, size_t length, int flags,
			...);
	int (*memfd_create)(const char *name, unsigned int flags);
};

const struct preload_next *preload_next(void);

#endif /* PRELOAD_NEXT_H */
