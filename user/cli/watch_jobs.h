/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Jobs that are watched: from dumps and events, in whatever order these come
 */
#ifndef CLI_WATCH_JOBS_H
#define CLI_WATCH_JOBS_H

#include <ramload_stat.h>
#include <stdbool.h>
#include <stddef.h>

#include "job_row.h"

/**
 * struct watch_job - a job that is or was there
 * @job: how it stood last; without counters
 * @rate: bytes a second that it loads now; when it has ended, its mean
 * @sample_bytes: how many bytes it had where the measurement of @rate starts
 * @sample_time: how many nanoseconds after its submission that was
 * @sampled: one was complete; before, @rate is the mean
 * @ended: when it was found to have ended, in seconds; 0: it has not
 * @present: the last dump had it
 * @missing: the last dump did not
 * @gone: it was not seen to end, but is not there any more
 * @news: it began or ended since it was shown
 * @changed: it was not shown as it is
 */
struct watch_job {
	struct ramload_stat_job job;
	double rate;
	uint64_t sample_bytes;
	uint64_t sample_time;
	bool sampled;
	double ended;
	bool present;
	bool missing;
	bool gone;
	bool news;
	bool changed;
};

/** struct watch_jobs - all of them; all zero at first */
struct watch_jobs {
	struct watch_job *jobs;
	size_t nr;
	size_t room;
};

/**
 * watch_jobs_event() - a job as an event tells of it
 * @now: a clock, in seconds
 *
 * Return: 0 or -ENOMEM
 */
int watch_jobs_event(struct watch_jobs *jobs,
		     const struct ramload_stat_job *job, double now);

/**
 * watch_jobs_dump() - all jobs that there are
 * @filter: those that it does not take are not watched
 *
 * Those that are missing twice have ended: an event that says how may be under
 * way. Those that ended some seconds ago are forgotten when they are not there
 * any more.
 *
 * Return: 0 or -ENOMEM
 */
int watch_jobs_dump(struct watch_jobs *jobs,
		    const struct ramload_stat_list *list,
		    const struct stat_filter *filter, double now);

/** watch_job_visible() - whether to show it: not when it ended long ago */
bool watch_job_visible(const struct watch_job *job, double now);

/** watch_job_left() - seconds until it is done; -1 if that is not known */
double watch_job_left(const struct watch_job *job);

void watch_jobs_free(struct watch_jobs *jobs);

#endif /* CLI_WATCH_JOBS_H */
