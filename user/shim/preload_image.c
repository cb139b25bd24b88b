// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_image
 *
 * The image whose stream a program has begun to read. It is opened anew, so
 * that O_DIRECT, which QEMU 10.1 sets on its own while it reads pages, is not
 * set on ours; where that is not allowed, the fd is duplicated.
 *
 * Used by the loader's thread alone. The parts point into the image: it is
 * closed when no slot has one any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bits.h"
#include "preload_image.h"

#define PAGE_SIZE_MIN	4096
/*
 * Out of the way of programs that count on the lowest number, but in the table
 * that a process begins with: to make that larger takes an RCU grace period if
 * there are threads.
 */
#define FD_MIN		40
/* Less than that is read sooner than it is asked for. */
#define PRESENT_MIN	(UINT64_C(4) << 20)

#define OLD_TRIES	10
#define OLD_STEP_NS	10000000L

static int open_own(int fd)
{
	char path[40];
	int own, high;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (own < 0)
		return fcntl(fd, F_DUPFD_CLOEXEC, FD_MIN);
	high = fcntl(own, F_DUPFD_CLOEXEC, FD_MIN);
	if (high < 0)
		return own;
	close(own);
	return high;
}

static bool is_same(int fd, const struct preload_stamp *stamp)
{
	struct preload_stamp now;

	return preload_stamp_take(fd, &now) && preload_stamp_equal(&now, stamp);
}

static bool becomes_old(const struct preload_stamp *stamp)
{
	struct timespec step = { .tv_nsec = OLD_STEP_NS };

	for (int i = 0; i < OLD_TRIES; i++) {
		if (preload_stamp_is_old(stamp))
			return true;
		nanosleep(&step, NULL);
	}
	return false;
}

static const char *open_image(struct preload_image *image, uint64_t start)
{
	struct ramload_image_error error;

	if (!becomes_old(&image->stamp))
		return "the file changed a moment ago";
	if (!is_same(image->fd, &image->stamp))
		return "the file changes";
	if (ramload_image_open(image->fd, start, "mapped-ram", &image->image,
			       &error))
		return "not a mapped-ram image";
	if (is_same(image->fd, &image->stamp))
		return NULL;
	ramload_image_close(image->image);
	return "the file changes";
}

/* Returns NULL, or why it cannot be used; nothing is left open then. */
const char *preload_image_open(struct preload_image *image, int fd,
			       const struct preload_stamp *stamp,
			       uint64_t start)
{
	const char *why;

	image->stamp = *stamp;
	image->image = NULL;
	image->fd = open_own(fd);
	if (image->fd < 0)
		return "the file cannot be opened";
	why = open_image(image, start);
	if (why)
		close(image->fd);
	return why;
}

void preload_image_close(struct preload_image *image)
{
	ramload_image_close(image->image);
	close(image->fd);
}

/* The i-th block, if it is worth to be loaded. */
bool preload_image_part(const struct preload_image *image, size_t i,
			struct preload_part *part)
{
	const struct ramload_image_block *block;
	const struct ramload_image_part *pages;

	block = ramload_image_block(image->image, i);
	if (block->present < PRESENT_MIN || block->nr_parts != 1)
		return false;
	pages = block->parts;
	if (!pages->bitmap || pages->page_size < PAGE_SIZE_MIN)
		return false;
	*part = (struct preload_part){
		.stamp = image->stamp,
		.offset = pages->file_offset,
		.length = block->length,
		.page_size = pages->page_size,
		.bitmap = pages->bitmap,
		.present = block->present,
	};
	return true;
}
