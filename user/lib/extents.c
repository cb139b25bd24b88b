// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: extents
 *
 * The file may change while it is looked at, and what lseek() says of it may
 * then be anything: so each step goes ahead by a page at least, and nothing is
 * marked past the end. A page is data if any byte of it is.
 *
 * lseek() moves the position of an open file, which belongs to the caller; so
 * the file is opened once more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bitmap.h"
#include "extents.h"

/*
 * A bitmap of 512 MiB. Nobody has memory for a larger image anyway, but a file
 * of 2^63 bytes costs nothing to make.
 */
#define MAX_PAGES	(UINT64_C(1) << 32)

/**
 * struct scan - how far a file has been looked at
 * @fd: our own
 * @start: where in the file the part begins
 * @end: where its last whole page ends
 * @at: what lies before has been looked at
 */
struct scan {
	int fd;
	uint64_t start;
	uint64_t end;
	uint64_t at;
};

static int open_again(int fd)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/*
 * Where data, or a hole, begins: at *@found, scan->end if not before. Returns 0
 * or a negative errno.
 */
static int seek(const struct scan *scan, uint64_t at, int whence,
		uint64_t *found)
{
	off_t to = lseek(scan->fd, at, whence);

	/* Past the last data, or past the end of a file that became shorter. */
	if (to < 0 && errno == ENXIO)
		to = scan->end;
	if (to < 0)
		return -errno;
	*found = max_u64(at, min_u64(to, scan->end));
	return 0;
}

static uint64_t page_of(const struct scan *scan, uint64_t at)
{
	return (at - scan->start) / EXTENTS_PAGE;
}

static void mark(struct extents *extents, const struct scan *scan,
		 uint64_t from, uint64_t to)
{
	uint64_t last = page_of(scan, to - 1);

	if (extents->split == UINT64_MAX) {
		if ((from - scan->start) % EXTENTS_PAGE)
			extents->split = from - scan->start;
		else if ((to - scan->start) % EXTENTS_PAGE)
			extents->split = to - scan->start;
	}
	bitmap_set(extents->bitmap, page_of(scan, from), last + 1);
}

/* Returns 0 with the next data, none if there is no more, or an errno. */
static int next_data(const struct scan *scan, uint64_t *from, uint64_t *to)
{
	int err = seek(scan, scan->at, SEEK_DATA, from);

	*to = scan->end;
	if (err || *from == scan->end)
		return err;
	return seek(scan, *from, SEEK_HOLE, to);
}

/* Returns 0, with a bitmap if there is a hole, or a negative errno. */
static int find(struct extents *extents, struct scan *scan)
{
	uint64_t pages = page_of(scan, scan->end), from = 0, to = 0, last;
	int err;

	while (scan->at < scan->end) {
		err = next_data(scan, &from, &to);
		if (err)
			return err;
		if (!extents->bitmap && from == scan->start && to == scan->end)
			return 0;
		if (!extents->bitmap) {
			extents->bitmap = calloc(1, (pages + 7) / 8);
			if (!extents->bitmap)
				return -ENOMEM;
		}
		if (from < to)
			mark(extents, scan, from, to);
		last = page_of(scan, max_u64(from + 1, to) - 1);
		scan->at = scan->start + (last + 1) * EXTENTS_PAGE;
	}
	return 0;
}

int extents_find(struct extents *extents, int fd, uint64_t start,
		 uint64_t length)
{
	struct scan scan = {
		.start = start,
		.end = start + length / EXTENTS_PAGE * EXTENTS_PAGE,
		.at = start,
	};
	int err = -EFBIG;

	*extents = (struct extents){ .split = UINT64_MAX };
	scan.fd = open_again(fd);
	if (scan.fd < 0) {
		extents->unknown = scan.fd;
		return 0;
	}
	if (length / EXTENTS_PAGE <= MAX_PAGES)
		err = find(extents, &scan);
	close(scan.fd);
	if (!err)
		return 0;
	free(extents->bitmap);
	extents->bitmap = NULL;
	if (err != -ENOMEM)
		extents->unknown = err;
	return err == -ENOMEM ? err : 0;
}
