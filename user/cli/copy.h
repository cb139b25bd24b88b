/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Copies: an image read and saved piece by piece, by threads
 */
#ifndef CLI_COPY_H
#define CLI_COPY_H

#include "load.h"

/**
 * struct copy - a copy of all blocks
 * @load: the image, open, and its session
 * @save: where they go; block by block as in the image
 * @path: of the save, for messages
 * @page_size: of the save: blocks are filled up with zeros to a multiple of it
 */
struct copy {
	struct load *load;
	struct ramload_save *save;
	const char *path;
	uint32_t page_size;
};

/**
 * copy_blocks() - copy all that is present
 *
 * Return: 0; -EINTR if interrupted; or a negative errno after a message
 */
int copy_blocks(struct copy *copy);

/** copy_bytes() - append a part of the image's first file to the save; the same */
int copy_bytes(struct copy *copy, uint64_t offset, uint64_t length);

/** copy_failed() - say what is wrong with the save; returns @err */
int copy_failed(const struct copy *copy, int err);

#endif /* CLI_COPY_H */
