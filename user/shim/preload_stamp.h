/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_STAMP_H
#define PRELOAD_STAMP_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/**
 * struct preload_stamp - which file it is, and as it was when
 * @dev: its file system
 * @ino: its inode
 * @size: its length
 * @mtime: when its bytes were changed last
 * @ctime: when anything of it was
 *
 * An fd says nothing: numbers are reused, and a channel of QEMU is a duplicate
 * or another open of the same path.
 */
struct preload_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	struct timespec ctime;
};

bool preload_stamp_take(int fd, struct preload_stamp *stamp);
bool preload_stamp_is_old(const struct preload_stamp *stamp);
bool preload_stamp_same_file(const struct preload_stamp *a,
			     const struct preload_stamp *b);
bool preload_stamp_equal(const struct preload_stamp *a,
			 const struct preload_stamp *b);

#endif /* PRELOAD_STAMP_H */
