// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <inttypes.h>

#include "figure.h"
#include "name.h"
#include "stat_report.h"

/* Orders that are always told of, so that a first folio shows as a rise. */
#define ORDERS	16

#define COMM_SHOWN	(RAMLOAD_STAT_COMM * 4)

static void head(FILE *out, const char *name, const char *type,
		 const char *help)
{
	fprintf(out, "# HELP ramload_%s %s\n# TYPE ramload_%s %s\n", name, help,
		name, type);
}

/* One sample, with a label unless @label is NULL. */
static void sample(FILE *out, const char *name, const char *label,
		   const char *value, uint64_t number)
{
	if (label)
		fprintf(out, "ramload_%s{%s=\"%s\"} %" PRIu64 "\n", name,
			label, value, number);
	else
		fprintf(out, "ramload_%s %" PRIu64 "\n", name, number);
}

static void metric(FILE *out, bool has, const char *name, const char *type,
		   const char *help, uint64_t number)
{
	if (!has)
		return;
	head(out, name, type, help);
	sample(out, name, NULL, NULL, number);
}

/* Nanoseconds, as seconds. */
static void metric_seconds(FILE *out, bool has, const char *name,
			   const char *help, uint64_t ns)
{
	if (!has)
		return;
	head(out, name, "counter", help);
	fprintf(out, "ramload_%s %" PRIu64 ".%09u\n", name, ns / NS_PER_S,
		(unsigned int)(ns % NS_PER_S));
}

#define T(t, attribute)	RAMLOAD_STAT_HAS(t, RAMLOAD_A_TOTALS_##attribute)
#define C(c, attribute)	RAMLOAD_STAT_HAS(c, RAMLOAD_A_COUNTERS_##attribute)

static void print_jobs(const struct ramload_stat_totals *t, FILE *out)
{
	static const char finished[] = "jobs_finished_total";

	metric(out, T(t, CONTEXTS), "contexts", "gauge",
	       "Open contexts that have workers.", t->contexts);
	metric(out, T(t, WORKERS), "workers", "gauge",
	       "Workers of open contexts.", t->workers);
	metric(out, T(t, RUNNING), "jobs_running", "gauge",
	       "Jobs that were submitted and are not done.", t->running);
	metric(out, T(t, SUBMITTED), "jobs_submitted_total", "counter",
	       "Jobs that were submitted.", t->submitted);
	if (T(t, DONE) || T(t, FAILED) || T(t, CANCELLED)) {
		head(out, finished, "counter",
		     "Jobs that are not running any more, by how they ended.");
		sample(out, finished, "result", "done", t->done);
		sample(out, finished, "result", "failed", t->failed);
		sample(out, finished, "result", "cancelled", t->cancelled);
	}
	metric_seconds(out, T(t, QUEUE_TIME), "job_queue_seconds_total",
		       "Time that finished jobs waited for a worker.",
		       t->queue_time);
	metric_seconds(out, T(t, SERVICE_TIME), "job_service_seconds_total",
		       "Time that finished jobs took from their first chunk.",
		       t->service_time);
	metric(out, T(t, BYTES_DONE), "loaded_bytes_total", "counter",
	       "Bytes loaded.", t->bytes_done);
}

static void print_bytes(const struct ramload_stat_counters *c, FILE *out)
{
	static const char filled[] = "filled_bytes_total";
	static const char read[] = "read_bytes_total";

	if (C(c, SHMEM) || C(c, USER) || C(c, PINNED)) {
		head(out, filled, "counter",
		     "Bytes loaded, by the way they came into memory.");
		sample(out, filled, "fill", "shmem", c->shmem);
		sample(out, filled, "fill", "user", c->user);
		sample(out, filled, "fill", "pinned", c->pinned);
	}
	if (C(c, CACHED) || C(c, DIRECT)) {
		head(out, read, "counter",
		     "Bytes read of sources, through their page cache or past it.");
		sample(out, read, "source", "cached", c->cached);
		sample(out, read, "source", "direct", c->direct);
	}
	metric(out, C(c, GAPS), "gap_bytes_total", "counter",
	       "Bytes between ranges that were read with them.", c->gaps);
	metric(out, C(c, READS), "reads_total", "counter",
	       "Reads of sources.", c->reads);
	metric(out, C(c, NOT_DIRECT), "direct_fallbacks_total", "counter",
	       "Direct reads that were done through the page cache instead.",
	       c->not_direct);
	metric(out, C(c, AGAIN), "batches_again_total", "counter",
	       "Batches of the shmem fill of which some was read again.",
	       c->again);
}

static void print_folios(const struct ramload_stat_counters *c, FILE *out)
{
	static const char name[] = "folios_total";
	unsigned int order;
	char text[16];

	head(out, name, "counter",
	     "Folios of the shmem fill, by the binary logarithm of their pages.");
	for (order = 0; order < RAMLOAD_STAT_ORDERS; order++) {
		if (order >= ORDERS && !c->folios[order])
			continue;
		snprintf(text, sizeof(text), "%u", order);
		sample(out, name, "order", text, c->folios[order]);
	}
}

/* Text with what the format asks to be escaped. */
static void put_escaped(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

/* Names are made printable first: they need not be UTF-8, labels must be. */
static void context_sample(FILE *out, const char *name,
			   const struct ramload_stat_context *c,
			   uint32_t number)
{
	char comm[COMM_SHOWN];

	fprintf(out, "ramload_%s{context=\"%u\",pid=\"%u\",comm=\"", name,
		c->id, c->pid);
	put_escaped(name_show(comm, sizeof(comm), c->comm), out);
	fprintf(out, "\"} %u\n", number);
}

static void print_contexts(const struct snapshot *s, FILE *out)
{
	size_t i;

	head(out, "context_workers", "gauge", "Workers of a context.");
	for (i = 0; i < s->nr_contexts; i++)
		context_sample(out, "context_workers", s->contexts[i],
			       s->contexts[i]->workers);
	head(out, "context_jobs", "gauge",
	     "Jobs of a context that are not done.");
	for (i = 0; i < s->nr_contexts; i++)
		context_sample(out, "context_jobs", s->contexts[i],
			       s->contexts[i]->jobs);
}

void stat_report_prometheus(const struct snapshot *s, FILE *out)
{
	if (s->totals) {
		print_jobs(s->totals, out);
		print_bytes(s->totals->counters, out);
		if (T(s->totals, COUNTERS))
			print_folios(s->totals->counters, out);
	}
	if (s->nr_contexts)
		print_contexts(s, out);
}
