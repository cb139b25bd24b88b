/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_GATHER_H
#define RAMLOAD_GATHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <ramload.h>

#include "source_file.h"

/*
 * A gap of so many bytes is read with the runs around it: see
 * SOURCE_BATCH_GAP of the module.
 */
#define GATHER_GAP	(UINT64_C(16) << 10)

#define GATHER_IOV	512

/**
 * struct gather - runs of a block that are read at once, gaps included
 * @sink: where gaps go, SOURCE_READ_MAX bytes; NULL before it is needed
 * @iov: the runs, and gaps between them
 * @nr: how many
 * @nr_runs: how many of them are runs
 * @start: in the block, where the first begins
 * @end: where the last ends
 * @wanted: bytes of the runs
 *
 * Belongs to one worker.
 */
struct gather {
	char *sink;
	struct iovec iov[GATHER_IOV];
	unsigned int nr;
	unsigned int nr_runs;
	uint64_t start;
	uint64_t end;
	uint64_t wanted;
};

/* Returns false if there are not two that lie close together. */
bool gather_runs(struct gather *g, const struct ramload_block *block,
		 uint64_t at, uint64_t end);

void gather_free(struct gather *g);

#endif /* RAMLOAD_GATHER_H */
