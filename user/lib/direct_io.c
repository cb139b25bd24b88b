// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Reads and writes past the page cache: what both have to know about a file
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "bits.h"
#include "direct_io.h"

#define DEFAULT_ALIGN	4096

/**
 * direct_io_reopen() - open a file once more
 * @fd: the file
 * @flags: of open()
 *
 * O_DIRECT belongs to the open file, so setting it on a duplicate of an fd
 * would change that of others.
 *
 * Return: the fd, or a negative errno
 */
int direct_io_reopen(int fd, int flags)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}

static void find_defaults(int fd, uint32_t *offset, uint32_t *memory)
{
	struct stat st;
	int size;

	*offset = DEFAULT_ALIGN;
	*memory = DEFAULT_ALIGN;
	if (fstat(fd, &st) || !S_ISBLK(st.st_mode))
		return;
	if (!ioctl(fd, BLKSSZGET, &size) && size > 0) {
		*offset = size;
		*memory = size;
	}
}

/**
 * direct_io_alignment() - what direct reads and writes are multiples of
 * @fd: the file
 * @offset: offset and length
 * @memory: the address
 *
 * What is unknown is found by trying: an EINVAL of one that should do.
 *
 * Return: false if they make no sense at all
 */
bool direct_io_alignment(int fd, uint32_t *offset, uint32_t *memory)
{
	find_defaults(fd, offset, memory);
#ifdef STATX_DIOALIGN
	struct statx stx;

	if (!statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) &&
	    (stx.stx_mask & STATX_DIOALIGN)) {
		*offset = stx.stx_dio_offset_align;
		*memory = stx.stx_dio_mem_align;
	}
#endif
	return is_power_of_2(*offset) && is_power_of_2(*memory);
}
