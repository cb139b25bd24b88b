// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "watch_jobs.h"

#define FIRST_ROOM	64

/* Rates are measured over so long, or longer if nothing is told. */
#define SAMPLE_NS	NS_PER_S

/* Seconds that a job is shown after its end. */
#define LINGER		5

/* How long after its submission a job was so. */
static uint64_t age(const struct ramload_stat_job *job)
{
	return job->queue_time + job->service_time;
}

static struct watch_job *find(struct watch_jobs *jobs, uint32_t id)
{
	size_t i;

	for (i = 0; i < jobs->nr; i++) {
		if (jobs->jobs[i].job.id == id)
			return &jobs->jobs[i];
	}
	return NULL;
}

static struct watch_job *add(struct watch_jobs *jobs)
{
	size_t room = jobs->room ? jobs->room * 2 : FIRST_ROOM;
	struct watch_job *new;

	if (jobs->nr == jobs->room) {
		new = reallocarray(jobs->jobs, room, sizeof(*new));
		if (!new)
			return NULL;
		jobs->jobs = new;
		jobs->room = room;
	}
	return &jobs->jobs[jobs->nr++];
}

static void begin(struct watch_job *w, const struct ramload_stat_job *job)
{
	*w = (struct watch_job){
		.job = *job,
		.rate = job_rate(job),
		.sample_bytes = job->bytes_done,
		.sample_time = age(job),
		.news = true,
		.changed = true,
	};
	w->job.counters = NULL;
}

static void measure(struct watch_job *w)
{
	uint64_t now = age(&w->job), then = w->sample_time;
	uint64_t bytes = w->job.bytes_done - w->sample_bytes;

	/* Until there is a sample, the mean has to do. */
	if (!w->sampled || w->ended)
		w->rate = job_rate(&w->job);
	if (w->ended || now - then < SAMPLE_NS)
		return;
	w->sampled = true;
	w->rate = (double)bytes * NS_PER_S / (now - then);
	w->sample_bytes = w->job.bytes_done;
	w->sample_time = now;
}

static void end(struct watch_job *w, double now)
{
	if (w->ended)
		return;
	w->ended = now;
	w->news = true;
	w->changed = true;
}

/*
 * How a job ended is final. Until then, what is older than what is known says
 * nothing new.
 */
static bool is_news(const struct watch_job *w,
		    const struct ramload_stat_job *job)
{
	return w->job.state == RAMLOAD_JOB_RUNNING &&
	       (job->state != RAMLOAD_JOB_RUNNING || age(job) >= age(&w->job));
}

static void update(struct watch_job *w, const struct ramload_stat_job *job)
{
	uint32_t pid = w->job.pid;

	if (!is_news(w, job))
		return;
	if (job->bytes_done != w->job.bytes_done ||
	    job->state != w->job.state)
		w->changed = true;
	w->job = *job;
	w->job.counters = NULL;
	/* In events, it may be that of another namespace. */
	if (pid)
		w->job.pid = pid;
}

static int put(struct watch_jobs *jobs, const struct ramload_stat_job *job,
	       bool present, double now)
{
	struct watch_job *w = find(jobs, job->id);

	/* Ids are used again. */
	if (w && w->job.start_time != job->start_time) {
		begin(w, job);
	} else if (w) {
		update(w, job);
	} else {
		w = add(jobs);
		if (!w)
			return -ENOMEM;
		begin(w, job);
	}
	w->present |= present;
	if (w->job.state != RAMLOAD_JOB_RUNNING) {
		w->gone = false;
		end(w, now);
	}
	measure(w);
	return 0;
}

int watch_jobs_event(struct watch_jobs *jobs,
		     const struct ramload_stat_job *job, double now)
{
	return put(jobs, job, false, now);
}

/* Ends what is not there any more, and forgets what ended long ago. */
static void sweep(struct watch_jobs *jobs, double now)
{
	size_t i, kept = 0;

	for (i = 0; i < jobs->nr; i++) {
		struct watch_job *w = &jobs->jobs[i];

		if (!w->present && !w->ended && w->missing) {
			w->gone = true;
			end(w, now);
		}
		w->missing = !w->present;
		if (w->present || watch_job_visible(w, now))
			jobs->jobs[kept++] = *w;
	}
	jobs->nr = kept;
}

int watch_jobs_dump(struct watch_jobs *jobs,
		    const struct ramload_stat_list *list,
		    const struct stat_filter *filter, double now)
{
	const struct ramload_stat_job *job;
	size_t i;
	int err;

	for (i = 0; i < jobs->nr; i++)
		jobs->jobs[i].present = false;
	for (i = 0; (job = ramload_stat_job_at(list, i)); i++) {
		if (!stat_filter_takes(filter, job->pid, job->context))
			continue;
		err = put(jobs, job, true, now);
		if (err)
			return err;
	}
	/* Some of what is missing may be there. */
	if (!ramload_stat_list_interrupted(list))
		sweep(jobs, now);
	return 0;
}

bool watch_job_visible(const struct watch_job *job, double now)
{
	return !job->ended || now < job->ended + LINGER;
}

double watch_job_left(const struct watch_job *job)
{
	if (job->ended || !(job->rate > 0))
		return -1;
	return (job->job.bytes_total - job->job.bytes_done) / job->rate;
}

void watch_jobs_free(struct watch_jobs *jobs)
{
	free(jobs->jobs);
	memset(jobs, 0, sizeof(*jobs));
}
