// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: stats
 *
 * What is counted. A worker counts in a struct of its own while it is in a
 * chunk, and needs no lock for that; at the end of the chunk, what it has
 * counted goes to its job and to the totals, which outlive contexts and jobs.
 *
 * Locking: totals_lock protects the totals. It is a leaf.
 */

#include <linux/errno.h>
#include <linux/spinlock.h>

#include "stats.h"

static DEFINE_SPINLOCK(totals_lock);
static struct totals totals;

void stats_add_all(struct stats *to, const struct stats *from)
{
	unsigned int i;

	for (i = 0; i < NR_STAT_ITEMS; i++)
		to->counts[i] += from->counts[i];
}

void totals_add_submitted(void)
{
	spin_lock(&totals_lock);
	totals.submitted++;
	spin_unlock(&totals_lock);
}

/**
 * totals_add_loaded() - a worker is through with a chunk, or pauses
 * @stats: what it has counted
 * @bytes: bytes it has loaded
 */
void totals_add_loaded(const struct stats *stats, u64 bytes)
{
	spin_lock(&totals_lock);
	stats_add_all(&totals.stats, stats);
	totals.bytes_done += bytes;
	spin_unlock(&totals_lock);
}

/**
 * totals_add_ended() - a job is done
 * @error: 0 or a negative errno
 * @queue_ns: how long it waited for a worker
 * @service_ns: how long it took after that
 */
void totals_add_ended(int error, u64 queue_ns, u64 service_ns)
{
	spin_lock(&totals_lock);
	if (!error)
		totals.done++;
	else if (error == -ECANCELED)
		totals.cancelled++;
	else
		totals.failed++;
	totals.queue_ns += queue_ns;
	totals.service_ns += service_ns;
	spin_unlock(&totals_lock);
}

void totals_read(struct totals *t)
{
	spin_lock(&totals_lock);
	*t = totals;
	spin_unlock(&totals_lock);
}
