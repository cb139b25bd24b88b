// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_memory
 *
 * Memory made for loading in place of the memfds of QEMU's memory backends,
 * which tell by their name. It is a memfd in all else: empty at first, so that
 * the caller's ftruncate(2) gives it its length; with seals if they are
 * asked for.
 *
 * No state, no locks.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ramload.h>

#include "preload_memory.h"

#define DEVICE		"/dev/ramload"
#define BACKEND		"memory-backend-memfd"

static int create(unsigned int flags)
{
	struct ramload_create_memory memory = {
		.size = sizeof(memory),
		.flags = flags & MFD_ALLOW_SEALING ?
			 RAMLOAD_CREATE_MEMORY_SEALING : 0,
		.length = 1,
	};
	int device = open(DEVICE, O_RDWR | O_CLOEXEC);
	int err;

	if (device < 0)
		return -1;
	err = ioctl(device, RAMLOAD_CREATE_MEMORY, &memory);
	close(device);
	return err ? -1 : memory.out_fd;
}

static int finish(int fd, unsigned int flags)
{
	if (ftruncate(fd, 0) ||
	    (!(flags & MFD_CLOEXEC) && fcntl(fd, F_SETFD, 0))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Returns the fd, or -1, errno untouched: libc's memfd is wanted then. */
int preload_memory_create(const char *name, unsigned int flags)
{
	int saved = errno;
	int fd;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING) ||
	    strcmp(name, BACKEND))
		return -1;
	fd = create(flags);
	if (fd >= 0)
		fd = finish(fd, flags);
	errno = saved;
	return fd;
}
