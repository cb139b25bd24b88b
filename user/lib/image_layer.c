// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Images: layers over raw ones, as Firecracker's diff snapshots are
 *
 * A layer is a file as long as the image, with data where pages are newer. Of
 * each file there is one part, as long as the block, and each page is present
 * in one of them at most: taking a page from a new layer takes it from all
 * older ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "extents.h"
#include "image.h"

/* Everything that can be is allocated before the image is changed. */
static int give_bitmap(struct ramload_image_part *part)
{
	uint64_t pages = part->length / EXTENTS_PAGE;
	uint8_t *bitmap;

	if (part->bitmap)
		return 0;
	bitmap = calloc(1, (pages + 7) / 8);
	if (!bitmap)
		return -ENOMEM;
	bitmap_set(bitmap, 0, pages);
	part->bitmap = bitmap;
	part->page_size = EXTENTS_PAGE;
	return 0;
}

static void take_away(struct ramload_image_part *part,
		      const struct ramload_image_part *layer)
{
	size_t i, length = (part->length / EXTENTS_PAGE + 7) / 8;
	uint8_t *bitmap = (uint8_t *)part->bitmap;

	for (i = 0; i < length; i++)
		if (bitmap[i] & layer->bitmap[i])
			bitmap[i] &= ~layer->bitmap[i];
}

static int check_image(struct image_file *file,
		       const struct ramload_image *image)
{
	if (image->format != &image_raw)
		return image_fail(file, -ENOTSUP, 0,
				  "a layer over an image of format %s, not raw",
				  image->format->name);
	return 0;
}

static int check_layer(struct image_file *file,
		       const struct ramload_image_block *block)
{
	if (file->size != block->length)
		return image_fail(file, -EINVAL, file->size,
				  "a layer of %llu bytes over an image of %llu",
				  (unsigned long long)file->size,
				  (unsigned long long)block->length);
	if (file->size % EXTENTS_PAGE)
		return image_fail(file, -EINVAL, file->size,
				  "a layer that is not a multiple of %llu bytes long",
				  EXTENTS_PAGE);
	return 0;
}

/* Finds the pages of a layer. */
static int find_pages(struct image_file *file, struct ramload_image_part *part)
{
	struct extents extents;
	int err;

	err = extents_find(&extents, file->fd, 0, file->size);
	if (err)
		return image_fail(file, err, 0, "out of memory");
	part->bitmap = extents.bitmap;
	if (extents.bitmap)
		part->page_size = EXTENTS_PAGE;

	/* In a file without holes all pages are newer; but are there none? */
	if (extents.unknown)
		return image_fail(file, extents.unknown, 0,
				  "the holes of a layer cannot be found: %s",
				  strerrordesc_np(-extents.unknown));
	if (extents.split != UINT64_MAX)
		return image_fail(file, -EINVAL, extents.split,
				  "a layer with a hole that is not made of whole pages");
	return image_check_size(file);
}

static int add_layer(struct ramload_image *image, struct image_file *file,
		     struct ramload_image_part *part)
{
	struct ramload_image_block *block = &image->blocks[0];
	struct ramload_image_part *parts;
	size_t i;

	parts = (struct ramload_image_part *)block->parts;
	if (give_bitmap(part))
		return image_fail(file, -ENOMEM, 0, "out of memory");
	for (i = 0; i < block->nr_parts; i++) {
		if (give_bitmap(&parts[i]))
			return image_fail(file, -ENOMEM, 0, "out of memory");
	}
	if (image_add_part(image, part))
		return image_fail(file, -ENOMEM, 0, "out of memory");

	/* They may have moved. */
	parts = (struct ramload_image_part *)block->parts;
	for (i = 0; i + 1 < block->nr_parts; i++)
		take_away(&parts[i], part);
	part->bitmap = NULL;
	return 0;
}

static int read_layer(struct ramload_image *image, struct image_file *file)
{
	struct ramload_image_part part = { .file = image->nr_files };
	int err;

	err = check_image(file, image);
	if (!err)
		err = image_file_size(file);
	if (!err && file->directory)
		err = image_fail_file(file, -EISDIR, "is a directory");
	if (!err)
		err = check_layer(file, &image->blocks[0]);
	if (err)
		return err;
	part.length = file->size;
	err = find_pages(file, &part);
	if (!err)
		err = image_add_file(image, file);
	if (!err) {
		err = add_layer(image, file, &part);
		if (err)
			image_drop_file(image);
	}
	free((void *)part.bitmap);
	return err;
}

int ramload_image_add_layer(struct ramload_image *image, int fd,
			    const char *name,
			    struct ramload_image_error *error)
{
	struct ramload_image_error ignored;
	struct image_file file = {
		.fd = fd,
		.name = name,
		.error = error ? error : &ignored,
	};
	int err = read_layer(image, &file);

	if (!err)
		image_count_present(&image->blocks[0]);
	return err;
}
