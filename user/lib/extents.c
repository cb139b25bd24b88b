// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: extents
 *
 * The file may change while it is looked at, and what lseek() says of it may
 * then be anything: so each step goes ahead by a page at least, and nothing is
 * marked past the end. A page is data if any byte of it is.
 *
 * lseek() moves the position of an open file, which belongs to the caller; so
 * the file is opened once more. Each hole takes two calls of it: a long file is
 * cut, and looked at by several threads, each with an open file of its own. They
 * mark different bytes of the bitmap.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
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

/* Pages that are worth a thread, and how many threads at most. */
#define SCAN_PAGES	(UINT64_C(1) << 16)
#define MAX_SCANS	8

/**
 * struct scan - some of the pages, and how far they have been looked at
 * @thread: who looks, if @threaded
 * @fd: our own
 * @start: where in the file the part begins
 * @end: where the last page of the scan ends
 * @at: where the next one begins; what lies before has been looked at
 * @bitmap: of the part
 * @split: see struct extents
 * @err: 0 or a negative errno
 */
struct scan {
	pthread_t thread;
	bool threaded;
	int fd;
	uint64_t start;
	uint64_t end;
	uint64_t at;
	uint8_t *bitmap;
	uint64_t split;
	int err;
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

static void note_split(struct scan *scan, uint64_t at)
{
	if ((at - scan->start) % EXTENTS_PAGE && scan->split == UINT64_MAX)
		scan->split = at - scan->start;
}

/* Marks the next data and goes past it; with no more data, to the end. */
static int step(struct scan *scan)
{
	uint64_t from = scan->end, to = scan->end, last;
	int err;

	err = seek(scan, scan->at, SEEK_DATA, &from);
	if (!err && from < scan->end)
		err = seek(scan, from, SEEK_HOLE, &to);
	if (err || from == scan->end) {
		scan->at = scan->end;
		return err;
	}
	note_split(scan, from);
	note_split(scan, to);
	last = page_of(scan, max_u64(from + 1, to) - 1);
	if (from < to)
		bitmap_set(scan->bitmap, page_of(scan, from), last + 1);
	scan->at = scan->start + (last + 1) * EXTENTS_PAGE;
	return 0;
}

static void *run_scan(void *arg)
{
	struct scan *scan = arg;

	while (scan->at < scan->end && !scan->err)
		scan->err = step(scan);
	return NULL;
}

/* Has a thread look; without one, end_scan() does. */
static void start_scan(struct scan *scan, int fd)
{
	sigset_t all, old;

	scan->fd = open_again(fd);
	if (scan->fd < 0) {
		scan->err = scan->fd;
		return;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	scan->threaded = !pthread_create(&scan->thread, NULL, run_scan, scan);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void end_scan(struct scan *scan, struct extents *extents)
{
	if (scan->threaded)
		pthread_join(scan->thread, NULL);
	else
		run_scan(scan);
	if (scan->fd >= 0)
		close(scan->fd);
	extents->split = min_u64(extents->split, scan->split);
	if (!extents->unknown)
		extents->unknown = scan->err;
}

static unsigned int nr_scans(uint64_t pages)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t nr = min_u64(pages / SCAN_PAGES, MAX_SCANS);

	return max_u64(1, min_u64(nr, cpus > 0 ? cpus : 1));
}

/* Cuts @whole, whose fd is closed; the caller's thread looks at the first. */
static void scan_all(struct extents *extents, const struct scan *whole)
{
	uint64_t pages = page_of(whole, whole->end), each;
	unsigned int nr = nr_scans(pages), i;
	struct scan scans[MAX_SCANS];

	each = round_up((pages + nr - 1) / nr, 8) * EXTENTS_PAGE;
	for (i = 0; i < nr; i++) {
		scans[i] = *whole;
		scans[i].at = min_u64(whole->end, whole->start + i * each);
		scans[i].end = min_u64(whole->end, scans[i].at + each);
		if (i)
			start_scan(&scans[i], whole->fd);
	}
	for (i = nr; i--;)
		end_scan(&scans[i], extents);
}

/* Without a hole, there is nothing to be marked. */
static int find(struct extents *extents, struct scan *whole)
{
	uint64_t pages = page_of(whole, whole->end), hole = 0;

	if (pages > MAX_PAGES)
		extents->unknown = -EFBIG;
	else
		extents->unknown = seek(whole, whole->at, SEEK_HOLE, &hole);
	if (extents->unknown || hole == whole->end) {
		close(whole->fd);
		return 0;
	}
	whole->bitmap = calloc(1, (pages + 7) / 8);
	if (!whole->bitmap) {
		close(whole->fd);
		return -ENOMEM;
	}
	scan_all(extents, whole);
	if (extents->unknown)
		free(whole->bitmap);
	else
		extents->bitmap = whole->bitmap;
	return 0;
}

int extents_find(struct extents *extents, int fd, uint64_t start,
		 uint64_t length)
{
	struct scan whole = {
		.fd = open_again(fd),
		.start = start,
		.end = start + length / EXTENTS_PAGE * EXTENTS_PAGE,
		.at = start,
		.split = UINT64_MAX,
	};

	*extents = (struct extents){ .split = UINT64_MAX };
	if (whole.fd >= 0)
		return find(extents, &whole);
	extents->unknown = whole.fd;
	return 0;
}
