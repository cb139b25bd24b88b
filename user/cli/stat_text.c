// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <inttypes.h>
#include <string.h>

#include "figure.h"
#include "name.h"
#include "size.h"
#include "stat_report.h"
#include "table.h"

#define COMM_SHOWN	(RAMLOAD_STAT_COMM * 4)
#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static const struct table_column context_columns[] = {
	{ "CONTEXT", true }, { "PID", true }, { "COMMAND", false },
	{ "WORKERS", true }, { "JOBS", true }, { "AGE", true },
};

static const struct table_column worker_columns[] = {
	{ "CONTEXT", true }, { "WORKER", true }, { "TID", true },
	{ "STATE", false }, { "JOB", true }, { "CHUNKS", true },
	{ "LOADED", true }, { "BUSY", true },
};

static const struct table_column job_columns[] = {
	{ "JOB", true }, { "CONTEXT", true }, { "PID", true },
	{ "COMMAND", false }, { "DONE", true }, { "OF", true },
	{ "%", true }, { "RATE", true }, { "QUEUED", true }, { "TIME", true },
	{ "STATE", false },
};

static void print_counters(const struct ramload_stat_counters *c, FILE *out)
{
	size_t order;
	const char *between = "folios    ";

	fprintf(out, "filled    %s shmem, %s user, %s pinned\n",
		size_text(c->shmem).text, size_text(c->user).text,
		size_text(c->pinned).text);
	fprintf(out, "read      %s cached, %s direct, %s gaps\n",
		size_text(c->cached).text, size_text(c->direct).text,
		size_text(c->gaps).text);
	fprintf(out, "reads     %" PRIu64 ", %" PRIu64 " not direct; %" PRIu64
		" batches again\n", c->reads, c->not_direct, c->again);
	for (order = 0; order < RAMLOAD_STAT_ORDERS; order++) {
		if (!c->folios[order])
			continue;
		fprintf(out, "%s%" PRIu64 " of order %zu", between,
			c->folios[order], order);
		between = ", ";
	}
	if (*between == ',')
		fputc('\n', out);
}

static void print_totals(const struct ramload_stat_totals *t, FILE *out)
{
	fprintf(out, "contexts  %u, with %u workers\n", t->contexts,
		t->workers);
	fprintf(out, "jobs      %" PRIu64 " submitted: %" PRIu64 " running, %"
		PRIu64 " done, %" PRIu64 " failed, %" PRIu64 " cancelled\n",
		t->submitted, t->running, t->done, t->failed, t->cancelled);
	fprintf(out, "loaded    %s\n", size_text(t->bytes_done).text);
	fprintf(out, "time      %s queued, %s loading, of jobs that ended\n",
		figure_seconds(t->queue_time).text,
		figure_seconds(t->service_time).text);
	print_counters(t->counters, out);
}

static void print_table(struct table *table, FILE *out)
{
	fputc('\n', out);
	table_print(table, out);
	table_free(table);
}

static void print_contexts(const struct snapshot *s, FILE *out)
{
	struct table table = {
		.columns = context_columns, .nr_columns = NR(context_columns),
	};
	char name[COMM_SHOWN];
	size_t i;

	for (i = 0; i < s->nr_contexts; i++) {
		const struct ramload_stat_context *c = s->contexts[i];
		uint64_t age = s->now - c->start_time;

		table_add(&table, "%u", c->id);
		table_add(&table, "%u", c->pid);
		table_add(&table, "%s", name_show(name, sizeof(name), c->comm));
		table_add(&table, "%u", c->workers);
		table_add(&table, "%u", c->jobs);
		/* It may have been made after we looked at the clock. */
		table_add(&table, "%s", s->now < c->start_time ? "0:00" :
			  figure_clock(age / NS_PER_S).text);
	}
	print_table(&table, out);
}

static void print_workers(const struct snapshot *s, FILE *out)
{
	struct table table = {
		.columns = worker_columns, .nr_columns = NR(worker_columns),
	};
	size_t i;

	for (i = 0; i < s->nr_workers; i++) {
		const struct ramload_stat_worker *w = s->workers[i];

		table_add(&table, "%u", w->context);
		table_add(&table, "%u", w->index);
		table_add(&table, "%u", w->tid);
		table_add(&table, "%s", worker_state_name(w->state));
		if (w->job)
			table_add(&table, "%u", w->job);
		else
			table_add(&table, "-");
		table_add(&table, "%" PRIu64, w->chunks);
		table_add(&table, "%s", size_text(w->bytes).text);
		table_add(&table, "%s", figure_seconds(w->busy_time).text);
	}
	print_table(&table, out);
}

static void add_state(struct table *table, const struct ramload_stat_job *job)
{
	const char *name = job_state_name(job->state);

	if (!job->error || job->state == RAMLOAD_JOB_CANCELLED)
		table_add(table, "%s", name);
	else
		table_add(table, "%s: %s in range %u at %" PRIu64, name,
			  strerror(-job->error), job->error_range,
			  job->error_offset);
}

static void print_jobs(const struct snapshot *s, FILE *out)
{
	struct table table = {
		.columns = job_columns, .nr_columns = NR(job_columns),
	};
	char name[COMM_SHOWN];
	size_t i;

	for (i = 0; i < s->nr_jobs; i++) {
		const struct ramload_stat_job *j = s->jobs[i].job;

		table_add(&table, "%u", j->id);
		table_add(&table, "%u", j->context);
		table_add(&table, "%u", j->pid);
		table_add(&table, "%s", name_show(name, sizeof(name), j->comm));
		table_add(&table, "%s", size_text(j->bytes_done).text);
		table_add(&table, "%s", size_text(j->bytes_total).text);
		table_add(&table, "%u",
			  figure_percent(j->bytes_done, j->bytes_total));
		table_add(&table, "%s", figure_rate(s->jobs[i].rate).text);
		table_add(&table, "%s", figure_seconds(j->queue_time).text);
		table_add(&table, "%s", figure_seconds(j->service_time).text);
		add_state(&table, j);
	}
	print_table(&table, out);
}

void stat_report_text(const struct snapshot *s, FILE *out)
{
	if (s->totals)
		print_totals(s->totals, out);
	if (s->nr_contexts)
		print_contexts(s, out);
	if (s->nr_workers)
		print_workers(s, out);
	if (s->nr_jobs)
		print_jobs(s, out);
}
