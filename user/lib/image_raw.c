// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Images: raw ones, one block as long as the file
 *
 * What is in a hole of the file is zeros, and absent: memory that it is loaded
 * into has to be fresh. Holes are seen page by page; what is left over after
 * the last whole page is a part of its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "extents.h"
#include "image.h"

/*
 * There is nothing to know a raw image by, so what could be none is kept out.
 * Whoever asks for raw by name gets it, whatever it holds.
 */
static int raw_probe(struct image_file *file)
{
	return !((file->size - file->start) % EXTENTS_PAGE);
}

static int add_part(struct image_file *file, struct ramload_image *image,
		    const struct ramload_image_part *part)
{
	if (!image_add_part(image, part))
		return 0;
	free((void *)part->bitmap);
	return image_fail(file, -ENOMEM, file->start, "out of memory");
}

/* Returns 0, and a bitmap where there are holes. */
static int find_holes(struct image_file *file, struct ramload_image_part *part)
{
	struct extents extents;
	int err;

	if (part->length < EXTENTS_PAGE)
		return 0;
	err = extents_find(&extents, file->fd, file->start, part->length);
	if (err)
		return image_fail(file, err, file->start, "out of memory");
	if (extents.bitmap) {
		part->bitmap = extents.bitmap;
		part->page_size = EXTENTS_PAGE;
		part->length -= part->length % EXTENTS_PAGE;
	}

	/* What it has lost looks like a hole. */
	err = image_check_size(file);
	if (err)
		free(extents.bitmap);
	return err;
}

static int raw_open(struct image_file *file, struct ramload_image *image)
{
	uint64_t length = file->size - file->start;
	struct ramload_image_part part = {
		.length = length,
		.file_offset = file->start,
	};
	int err;

	err = find_holes(file, &part);
	if (err)
		return err;
	if (image_add_block(image, "ram", RAMLOAD_NO_ADDRESS, length)) {
		free((void *)part.bitmap);
		return image_fail(file, -ENOMEM, file->start, "out of memory");
	}
	err = add_part(file, image, &part);
	if (err || part.length == length)
		return err;
	part = (struct ramload_image_part){
		.offset = part.length,
		.length = length - part.length,
		.file_offset = file->start + part.length,
	};
	return add_part(file, image, &part);
}

const struct image_format image_raw = {
	.name = "raw",
	.probe = raw_probe,
	.open = raw_open,
};
