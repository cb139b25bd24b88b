// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: gather
 *
 * What is read past the page cache is cheaper in one read than in several, gaps
 * or not: each read waits for the device. Each byte of the sink is used once in
 * a read: btrfs looks at the checksums of what it has read, and reads through
 * the page cache if memory occurs twice.
 */
#include <stdlib.h>

#include "block.h"
#include "gather.h"

#define SINK_ALIGN	4096

static void add(struct gather *g, char *base, uint64_t length)
{
	g->iov[g->nr++] = (struct iovec){ base, length };
}

/* Adds a run, and the gap before it if it is not the first. */
static void add_run(struct gather *g, const struct ramload_block *block,
		    uint64_t at, uint64_t end)
{
	if (g->nr_runs)
		add(g, g->sink + (g->end - g->start), at - g->end);
	else
		g->start = at;
	add(g, (char *)block->dest + at, end - at);
	g->nr_runs++;
	g->wanted += end - at;
	g->end = end;
}

/* Does a run fit into the same read as those before it? */
static bool fits(const struct gather *g, uint64_t at, uint64_t end)
{
	return g->nr + 2 <= GATHER_IOV && at - g->end <= GATHER_GAP &&
	       end - g->start <= SOURCE_READ_MAX;
}

bool gather_runs(struct gather *g, const struct ramload_block *block,
		 uint64_t at, uint64_t end)
{
	uint64_t run_end;

	if (!g->sink)
		g->sink = aligned_alloc(SINK_ALIGN, SOURCE_READ_MAX);
	if (!g->sink)
		return false;
	g->nr = 0;
	g->nr_runs = 0;
	g->wanted = 0;
	for (; at < end; at = run_end) {
		run_end = block_next_run(block, &at, end);
		if (at >= end || (g->nr_runs && !fits(g, at, run_end)))
			break;
		add_run(g, block, at, run_end);
	}
	return g->nr_runs > 1;
}

void gather_free(struct gather *g)
{
	free(g->sink);
}
