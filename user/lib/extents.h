/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Extents: which pages of a file hold data, and which are in its holes
 */
#ifndef RAMLOAD_EXTENTS_H
#define RAMLOAD_EXTENTS_H

#include <stdint.h>

#define EXTENTS_PAGE	4096ULL

/**
 * struct extents - pages of a part of a file
 * @bitmap: a bit for each page, 0: all of it is in a hole. NULL: there are no
 *	holes, or none that can be seen. To be freed by the caller.
 * @unknown: 0, or why holes cannot be seen, a negative errno
 * @split: UINT64_MAX, or where in the part a page is that begins or ends with
 *	a hole but has data
 */
struct extents {
	uint8_t *bitmap;
	int unknown;
	uint64_t split;
};

/**
 * extents_find() - look for the holes of a file
 * @fd: the file; its file position is neither used nor changed
 * @start: where the part begins
 * @length: bytes, at least a page; what is left over after the last whole page
 *	is not looked at
 *
 * Return: 0 or -ENOMEM
 */
int extents_find(struct extents *extents, int fd, uint64_t start,
		 uint64_t length);

#endif /* RAMLOAD_EXTENTS_H */
