// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Raw images: one block, every byte of it in the file
 */
#include <errno.h>

#include "image.h"

#define GUEST_PAGE 4096

/*
 * There is nothing to know a raw image by, so what could be none is kept out.
 * Whoever asks for raw by name gets it, whatever it holds.
 */
static int raw_probe(struct image_file *file)
{
	return !((file->size - file->start) % GUEST_PAGE);
}

static int raw_open(struct image_file *file, struct ramload_image *image)
{
	struct ramload_image_part part = {
		.length = file->size - file->start,
		.file_offset = file->start,
	};

	if (image_add_block(image, "ram", RAMLOAD_NO_ADDRESS, part.length) ||
	    image_add_part(image, &part))
		return image_fail(file, -ENOMEM, file->start, "out of memory");
	return 0;
}

const struct image_format image_raw = {
	.name = "raw",
	.probe = raw_probe,
	.open = raw_open,
};
