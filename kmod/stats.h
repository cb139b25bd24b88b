/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_STATS_H
#define RAMLOAD_STATS_H

#include <linux/minmax.h>
#include <linux/types.h>

/* Folios of this order and above count together; none are so large today. */
#define STATS_ORDERS	16

/**
 * enum stat_item - what is counted
 * @STAT_SHMEM: bytes loaded by fill_shmem
 * @STAT_USER: bytes loaded by fill_user
 * @STAT_PINNED: bytes loaded by fill_pinned
 * @STAT_CACHED: bytes read through the page cache of the source
 * @STAT_DIRECT: bytes read past it, without gaps
 * @STAT_GAPS: bytes of gaps that were read
 * @STAT_READS: reads of the source
 * @STAT_NOT_DIRECT: direct reads that failed, and were done otherwise
 * @STAT_AGAIN: batches of fill_shmem of which some was read again
 * @STAT_FOLIOS: folios of order 0 of fill_shmem; those of other orders follow
 * @NR_STAT_ITEMS: how many there are
 */
enum stat_item {
	STAT_SHMEM,
	STAT_USER,
	STAT_PINNED,
	STAT_CACHED,
	STAT_DIRECT,
	STAT_GAPS,
	STAT_READS,
	STAT_NOT_DIRECT,
	STAT_AGAIN,
	STAT_FOLIOS,
	NR_STAT_ITEMS = STAT_FOLIOS + STATS_ORDERS,
};

/**
 * struct stats - counts
 * @counts: one for each enum stat_item
 */
struct stats {
	u64 counts[NR_STAT_ITEMS];
};

/**
 * struct totals - what was done since the module was loaded
 * @submitted: jobs that were submitted; it comes first, see totals_read()
 * @done: jobs that are done without an error
 * @failed: jobs that are done with one
 * @cancelled: jobs that were cancelled
 * @queue_ns: how long those that are done waited for a worker
 * @service_ns: how long they took after that
 * @bytes_done: bytes loaded
 * @stats: of all jobs
 */
struct totals {
	u64 submitted;
	u64 done;
	u64 failed;
	u64 cancelled;
	u64 queue_ns;
	u64 service_ns;
	u64 bytes_done;
	struct stats stats;
};

static inline void stats_add(struct stats *s, enum stat_item item, u64 nr)
{
	s->counts[item] += nr;
}

static inline void stats_add_folio(struct stats *s, unsigned int order)
{
	s->counts[STAT_FOLIOS + min(order, STATS_ORDERS - 1U)]++;
}

void stats_add_all(struct stats *to, const struct stats *from);

void totals_add_submitted(void);
void totals_add_loaded(const struct stats *stats, u64 bytes);
void totals_add_ended(int error, u64 queue_ns, u64 service_ns);
void totals_read(struct totals *t);

#endif /* RAMLOAD_STATS_H */
