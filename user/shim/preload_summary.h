/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_SUMMARY_H
#define PRELOAD_SUMMARY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "preload_counts.h"

/**
 * struct preload_summary - what was done for an image
 * @why_not: why it was not used at all, else NULL
 * @engine: name of the engine
 * @workers: how many
 * @blocks: blocks that were loaded, in whole or in part
 * @bytes: bytes that were
 * @start: when its stream was seen
 * @counts: of reads
 * @printed: it was printed: by the loader, or because the program ends
 */
struct preload_summary {
	const char *why_not;
	const char *engine;
	unsigned int workers;
	unsigned int blocks;
	uint64_t bytes;
	struct timespec start;
	struct preload_counts counts;
	atomic_bool printed;
};

void preload_summary_begin(struct preload_summary *summary);
void preload_summary_print(struct preload_summary *summary);

#endif /* PRELOAD_SUMMARY_H */
