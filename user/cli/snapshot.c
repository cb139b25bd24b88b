// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "figure.h"
#include "message.h"
#include "snapshot.h"

#define MODULE_FOLDER	"/sys/module/ramload"

enum list {
	LIST_CONTEXTS,
	LIST_WORKERS,
	LIST_JOBS,
};

/*
 * A module that is being removed refuses to tell (EPROTONOSUPPORT), then its family is gone
 * (ENOENT), and its folder goes last.
 */
static bool module_is_live(void)
{
	int fd = open(MODULE_FOLDER "/initstate", O_RDONLY | O_CLOEXEC);
	char state[4];
	bool live;

	live = read(fd, state, 4) == 4 && !memcmp(state, "live", 4);
	close(fd);
	return live;
}

static void no_connection(int err, unsigned int version)
{
	if (err == -ENOENT && !module_is_live())
		message("the ramload module is not loaded");
	else if (err == -ENOENT)
		message("the ramload module is older than this tool: it tells nothing");
	else if (err == -EPROTO && version)
		message("the ramload module tells in version %u, this tool knows version %d",
			version, RAMLOAD_NL_FAMILY_VERSION);
	else
		message("netlink: %s", strerror(-err));
}

struct ramload_stat *snapshot_connect(void)
{
	struct ramload_stat *stat;
	unsigned int version;
	int err = ramload_stat_open(&stat, &version);

	if (err)
		no_connection(err, version);
	return stat;
}

void snapshot_problem(const struct ramload_stat *stat, int err)
{
	const char *text = ramload_stat_text(stat);

	if (err == -EPROTONOSUPPORT || (err == -ENOENT && !module_is_live()))
		message("the ramload module was removed");
	else if (*text)
		message("the ramload module: %s: %s", strerror(-err), text);
	else
		message("the ramload module: %s", strerror(-err));
}

/* Room for each of a list, of @size bytes. One more, as 0 might give NULL. */
static int make_room(void *array, const struct ramload_stat_list *list,
		     size_t size)
{
	void *new = calloc(ramload_stat_list_length(list) + 1, size);

	memcpy(array, &new, sizeof(new));
	return new ? 0 : -ENOMEM;
}

static int take_contexts(struct snapshot *s, const struct stat_filter *filter)
{
	const struct ramload_stat_list *list = s->lists[LIST_CONTEXTS];
	const struct ramload_stat_context *c;
	size_t i;

	if (make_room(&s->contexts, list, sizeof(*s->contexts)))
		return -ENOMEM;
	for (i = 0; (c = ramload_stat_context_at(list, i)); i++) {
		if (stat_filter_takes(filter, c->pid, c->id))
			s->contexts[s->nr_contexts++] = c;
	}
	return 0;
}

/* Contexts and workers come by rising id of the context. */
static int take_workers(struct snapshot *s)
{
	const struct ramload_stat_list *list = s->lists[LIST_WORKERS];
	const struct ramload_stat_worker *w;
	size_t i, context = 0;

	if (make_room(&s->workers, list, sizeof(*s->workers)))
		return -ENOMEM;
	for (i = 0; (w = ramload_stat_worker_at(list, i)); i++) {
		while (context < s->nr_contexts &&
		       s->contexts[context]->id < w->context)
			context++;
		if (context < s->nr_contexts &&
		    s->contexts[context]->id == w->context)
			s->workers[s->nr_workers++] = w;
	}
	return 0;
}

static int take_jobs(struct snapshot *s, const struct stat_filter *filter)
{
	const struct ramload_stat_list *list = s->lists[LIST_JOBS];
	const struct ramload_stat_job *job;
	size_t i;

	if (make_room(&s->jobs, list, sizeof(*s->jobs)))
		return -ENOMEM;
	for (i = 0; (job = ramload_stat_job_at(list, i)); i++) {
		if (!stat_filter_takes(filter, job->pid, job->context))
			continue;
		s->jobs[s->nr_jobs].job = job;
		s->jobs[s->nr_jobs].rate = job_rate(job);
		s->nr_jobs++;
	}
	return 0;
}

static int take_totals(struct snapshot *s, struct ramload_stat *stat)
{
	int err = ramload_stat_get_totals(stat, &s->totals);

	s->own = err == -EPERM;
	/* What an older module does not have is done without. */
	return err == -EPERM || err == -EOPNOTSUPP ? 0 : err;
}

static int take_lists(struct snapshot *s, struct ramload_stat *stat)
{
	size_t i;
	int err;

	err = ramload_stat_dump_contexts(stat, &s->lists[LIST_CONTEXTS]);
	if (!err)
		err = ramload_stat_dump_workers(stat, 0,
						&s->lists[LIST_WORKERS]);
	if (!err)
		err = ramload_stat_dump_jobs(stat, 0, &s->lists[LIST_JOBS]);
	for (i = 0; !err && i <= LIST_JOBS; i++)
		s->interrupted |= ramload_stat_list_interrupted(s->lists[i]);
	return err;
}

int snapshot_take(struct snapshot *snapshot, struct ramload_stat *stat,
		  const struct stat_filter *filter)
{
	struct timespec now;
	int err;

	memset(snapshot, 0, sizeof(*snapshot));
	clock_gettime(CLOCK_BOOTTIME, &now);
	snapshot->now = now.tv_sec * NS_PER_S + now.tv_nsec;
	err = take_lists(snapshot, stat);
	/* The last request: what it answers is gone with the next. */
	if (!err)
		err = take_totals(snapshot, stat);
	if (!err)
		err = take_contexts(snapshot, filter);
	if (!err)
		err = take_workers(snapshot);
	if (!err)
		err = take_jobs(snapshot, filter);
	return err;
}

void snapshot_free(struct snapshot *snapshot)
{
	size_t i;

	free(snapshot->contexts);
	free(snapshot->workers);
	free(snapshot->jobs);
	for (i = 0; i <= LIST_JOBS; i++)
		ramload_stat_list_free(snapshot->lists[i]);
	memset(snapshot, 0, sizeof(*snapshot));
}
