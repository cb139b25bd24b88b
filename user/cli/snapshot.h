/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Snapshots: what the module tells at one time
 */
#ifndef CLI_SNAPSHOT_H
#define CLI_SNAPSHOT_H

#include <ramload_stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job_row.h"

/**
 * struct snapshot - what there is
 * @now: nanoseconds of CLOCK_BOOTTIME
 * @totals: NULL if they are not to be had
 * @own: only what belongs to this process is seen
 * @interrupted: so much began and ended that something may be missing
 * @contexts: those that the filter takes
 * @workers: theirs
 * @jobs: those that the filter takes
 * @nr_contexts: how many
 * @nr_workers: how many
 * @nr_jobs: how many
 * @lists: what it points into
 */
struct snapshot {
	uint64_t now;
	const struct ramload_stat_totals *totals;
	bool own;
	bool interrupted;
	const struct ramload_stat_context **contexts;
	const struct ramload_stat_worker **workers;
	struct job_row *jobs;
	size_t nr_contexts;
	size_t nr_workers;
	size_t nr_jobs;
	struct ramload_stat_list *lists[3];
};

/**
 * snapshot_connect() - connect to the module
 *
 * Return: the connection; NULL after a message
 */
struct ramload_stat *snapshot_connect(void);

/** snapshot_problem() - say that @stat has failed with the errno @err */
void snapshot_problem(const struct ramload_stat *stat, int err);

/**
 * snapshot_take() - take one, which is to be freed whatever comes of it
 *
 * It is valid until @stat is used again.
 *
 * Return: 0 or a negative errno
 */
int snapshot_take(struct snapshot *snapshot, struct ramload_stat *stat,
		  const struct stat_filter *filter);

/** snapshot_free() - free one, or one that is all zero */
void snapshot_free(struct snapshot *snapshot);

#endif /* CLI_SNAPSHOT_H */
