// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: stats
 *
 * What is counted. A worker counts in a struct of its own while it is in a
 * chunk, and needs no lock for that; at the end of the chunk, what it has
 * counted goes to its job and to the totals, which outlive contexts and jobs.
 *
 * Locking: none. Each CPU has totals of its own, which nobody else writes.
 */

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/percpu.h>
#include <linux/stddef.h>

#include "stats.h"

#define NR_TOTALS	(sizeof(struct totals) / sizeof(u64))

static DEFINE_PER_CPU(struct totals, totals);

void stats_add_all(struct stats *to, const struct stats *from)
{
	unsigned int i;

	for (i = 0; i < NR_STAT_ITEMS; i++)
		to->counts[i] += from->counts[i];
}

void totals_add_submitted(void)
{
	this_cpu_inc(totals.submitted);
}

/**
 * totals_add_loaded() - a worker is through with a chunk, or pauses
 * @stats: what it has counted
 * @bytes: bytes it has loaded
 */
void totals_add_loaded(const struct stats *stats, u64 bytes)
{
	unsigned int i;

	for (i = 0; i < NR_STAT_ITEMS; i++)
		if (stats->counts[i])
			this_cpu_add(totals.stats.counts[i], stats->counts[i]);
	this_cpu_add(totals.bytes_done, bytes);
}

/**
 * totals_add_ended() - a job is done
 * @error: 0 or a negative errno
 * @queue_ns: how long it waited for a worker
 * @service_ns: how long it took after that
 */
void totals_add_ended(int error, u64 queue_ns, u64 service_ns)
{
	if (!error)
		this_cpu_inc(totals.done);
	else if (error == -ECANCELED)
		this_cpu_inc(totals.cancelled);
	else
		this_cpu_inc(totals.failed);
	this_cpu_add(totals.queue_ns, queue_ns);
	this_cpu_add(totals.service_ns, service_ns);
}

static u64 sum(unsigned int i)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(((u64 *)per_cpu_ptr(&totals, cpu))[i]);
	return sum;
}

/**
 * totals_read() - add up what all CPUs have
 * @t: filled in
 *
 * While jobs run, one number may be newer than another; no number is ever less
 * than it was. The jobs that were submitted are read last: they are never less
 * than those that have ended.
 */
void totals_read(struct totals *t)
{
	unsigned int i;

	BUILD_BUG_ON(offsetof(struct totals, submitted));
	for (i = NR_TOTALS; i--;) {
		((u64 *)t)[i] = sum(i);
		/* A job was submitted before it ended. */
		smp_rmb();
	}
}
