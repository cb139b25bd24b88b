/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Runs: present bytes that adjoin in file and memory, and the reads they take
 */
#ifndef CLI_RUNS_H
#define CLI_RUNS_H

#include <stdint.h>

#include "ramload.h"

/* Lengths from 2^i pages on, up to those of the next; the last has no end. */
#define RUNS_LENGTHS 20

/**
 * struct runs - runs of blocks
 * @nr: how many
 * @by_length: how many of each length, in pages of RUNS_PAGE
 * @reads_page: reads, if each is of a page
 * @reads_run: if each is of a run, but of no more than 1 MiB, as QEMU does
 * @reads_gap: the same, where gaps of up to 16 KiB are read through, as the
 *	engines do past the page cache
 */
struct runs {
	uint64_t nr;
	uint64_t by_length[RUNS_LENGTHS];
	uint64_t reads_page;
	uint64_t reads_run;
	uint64_t reads_gap;
};

/* Of parts without a bitmap, which have no page size. */
#define RUNS_PAGE 4096

/** runs_count() - add the runs of a block */
void runs_count(struct runs *runs, const struct ramload_image_block *block);

/** runs_of() - the runs of all blocks of an image */
struct runs runs_of(const struct ramload_image *image);

#endif /* CLI_RUNS_H */
