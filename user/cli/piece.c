// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include "bitmap.h"
#include "bits.h"
#include "piece.h"

static uint64_t pieces_of(const struct ramload_image_block *block)
{
	return (block->length + PIECE_LENGTH - 1) / PIECE_LENGTH;
}

uint64_t piece_count(const struct ramload_image *image)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(image); i++)
		count += pieces_of(ramload_image_block(image, i));
	return count;
}

void piece_seek(struct piece *piece, const struct ramload_image *image,
		uint64_t nr)
{
	const struct ramload_image_block *block;
	size_t i = 0;

	block = ramload_image_block(image, i);
	while (nr >= pieces_of(block)) {
		nr -= pieces_of(block);
		block = ramload_image_block(image, ++i);
	}
	if (i != piece->block)
		piece->skip = 0;
	piece->block = i;
	piece->offset = nr * PIECE_LENGTH;
	piece->length = min_u64(PIECE_LENGTH, block->length - piece->offset);
}

/* Cuts @part to the piece; false if nothing of it is there. */
static bool cut(const struct piece *piece,
		const struct ramload_image_part *part, char *dest,
		struct ramload_block *block)
{
	uint64_t from = max_u64(piece->offset, part->offset);
	uint64_t to = min_u64(piece->offset + piece->length,
			      part->offset + part->length);
	uint64_t skipped = from - part->offset;

	if (from >= to)
		return false;
	*block = (struct ramload_block){
		.file_offset = part->file_offset + skipped,
		.length = to - from,
		.dest = dest + (from - piece->offset),
		.page_size = part->page_size,
	};
	if (!part->bitmap)
		return true;
	block->bitmap = part->bitmap + skipped / part->page_size / 8;
	return bitmap_count(block->bitmap, block->length / part->page_size);
}

size_t piece_blocks(struct piece *piece, const struct ramload_image *image,
		    size_t file, void *dest, struct ramload_block *blocks)
{
	const struct ramload_image_block *block;
	struct ramload_block cut_part;
	size_t i, nr = 0;

	block = ramload_image_block(image, piece->block);
	while (piece->skip < block->nr_parts &&
	       block->parts[piece->skip].offset +
	       block->parts[piece->skip].length <= piece->offset)
		piece->skip++;
	for (i = piece->skip; i < block->nr_parts; i++) {
		const struct ramload_image_part *part = &block->parts[i];

		if (part->offset >= piece->offset + piece->length)
			break;
		if (part->file != file || !cut(piece, part, dest, &cut_part))
			continue;
		if (blocks)
			blocks[nr] = cut_part;
		nr++;
	}
	return nr;
}
