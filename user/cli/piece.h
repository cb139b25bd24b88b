/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Pieces: an image, block by block and some MiB at a time
 */
#ifndef CLI_PIECE_H
#define CLI_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ramload.h"

/* A piece holds whole bytes of any bitmap: eight pages of the largest. */
#define PIECE_PAGE	(UINT64_C(2) << 20)
#define PIECE_LENGTH	(8 * PIECE_PAGE)

/**
 * struct piece - a part of a block
 * @block: index of the block
 * @offset: where in the block, a multiple of PIECE_LENGTH
 * @length: bytes
 * @skip: index of the first part of the block that may reach into the piece:
 *	whoever goes on to later pieces need not look at those before it
 */
struct piece {
	size_t block;
	uint64_t offset;
	uint64_t length;
	size_t skip;
};

/** piece_count() - number of pieces of all blocks */
uint64_t piece_count(const struct ramload_image *image);

/**
 * piece_seek() - move on to the @nr-th piece
 * @piece: all zero before the first call; never moved back
 */
void piece_seek(struct piece *piece, const struct ramload_image *image,
		uint64_t nr);

/**
 * piece_blocks() - what is to be loaded of a piece from one file
 * @file: index of the file
 * @dest: where the piece goes
 * @blocks: NULL, or filled in, as by ramload_image_load()
 *
 * Return: number of elements of @blocks; 0 if nothing of it is in the file
 */
size_t piece_blocks(struct piece *piece, const struct ramload_image *image,
		    size_t file, void *dest, struct ramload_block *blocks);

#endif /* CLI_PIECE_H */
