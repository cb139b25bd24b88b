/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_IMAGE_H
#define PRELOAD_IMAGE_H

#include <ramload.h>

#include "preload_block.h"

/**
 * struct preload_image - a mapped-ram file that is open
 * @image: its blocks; owns their bitmaps
 * @fd: the file, read-only, of our own
 * @stamp: as it was before the first byte was read
 */
struct preload_image {
	struct ramload_image *image;
	int fd;
	struct preload_stamp stamp;
};

const char *preload_image_open(struct preload_image *image, int fd,
			       const struct preload_stamp *stamp,
			       uint64_t start);
void preload_image_close(struct preload_image *image);
bool preload_image_part(const struct preload_image *image, size_t i,
			struct preload_part *part);

#endif /* PRELOAD_IMAGE_H */
