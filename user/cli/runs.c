// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stddef.h>

#include "bits.h"
#include "block.h"
#include "runs.h"

#define READ_MAX	(1ULL << 20)
#define GAP_MAX		(16ULL << 10)

static uint64_t pieces(uint64_t bytes, uint64_t piece)
{
	return (bytes + piece - 1) / piece;
}

static unsigned int length_index(uint64_t bytes)
{
	uint64_t pages = pieces(bytes, RUNS_PAGE);
	unsigned int log = 63 - __builtin_clzll(pages);

	return log < RUNS_LENGTHS ? log : RUNS_LENGTHS - 1;
}

static void count_part(struct runs *runs, const struct ramload_image_part *part)
{
	const struct ramload_block block = {
		.length = part->length,
		.bitmap = part->bitmap,
		.page_size = part->page_size,
	};
	uint64_t page = part->bitmap ? part->page_size : RUNS_PAGE;
	uint64_t start = 0, last = 0, at = 0, end;

	for (; at < block.length; at = end) {
		end = block_next_run(&block, &at, block.length);
		if (at == end)
			break;
		if (last && at - last > GAP_MAX) {
			runs->reads_gap += pieces(last - start, READ_MAX);
			start = at;
		} else if (!last) {
			start = at;
		}
		last = end;
		runs->nr++;
		runs->by_length[length_index(end - at)]++;
		runs->reads_page += pieces(end - at, page);
		runs->reads_run += pieces(end - at, READ_MAX);
	}
	runs->reads_gap += pieces(last - start, READ_MAX);
}

void runs_count(struct runs *runs, const struct ramload_image_block *block)
{
	size_t i;

	for (i = 0; i < block->nr_parts; i++)
		count_part(runs, &block->parts[i]);
}

struct runs runs_of(const struct ramload_image *image)
{
	struct runs runs = { 0 };
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(image); i++)
		runs_count(&runs, ramload_image_block(image, i));
	return runs;
}
