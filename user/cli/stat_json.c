// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include "output.h"
#include "stat_report.h"

static void add_number(struct json_object *object, const char *key, bool has,
		       uint64_t value)
{
	if (has)
		json_add_number(object, key, value);
	else
		json_object_object_add(object, key, NULL);
}

/* A member of a struct, whose attribute is that of its name. */
#define ADD(json, from, set, attribute, member)				\
	add_number(json, #member,					\
		   RAMLOAD_STAT_HAS(from, RAMLOAD_A_##set##_##attribute), \
		   (from)->member)

static struct json_object *json_folios(const struct ramload_stat_counters *c)
{
	struct json_object *folios = json_object_new_array();
	size_t order;

	for (order = 0; order < RAMLOAD_STAT_ORDERS; order++) {
		struct json_object *f;

		if (!c->folios[order])
			continue;
		f = json_object_new_object();
		json_add_number(f, "order", order);
		json_add_number(f, "count", c->folios[order]);
		json_object_array_add(folios, f);
	}
	return folios;
}

static struct json_object *json_counters(const struct ramload_stat_counters *c)
{
	struct json_object *json = json_object_new_object();

	ADD(json, c, COUNTERS, SHMEM, shmem);
	ADD(json, c, COUNTERS, USER, user);
	ADD(json, c, COUNTERS, PINNED, pinned);
	ADD(json, c, COUNTERS, CACHED, cached);
	ADD(json, c, COUNTERS, DIRECT, direct);
	ADD(json, c, COUNTERS, GAPS, gaps);
	ADD(json, c, COUNTERS, READS, reads);
	ADD(json, c, COUNTERS, NOT_DIRECT, not_direct);
	ADD(json, c, COUNTERS, AGAIN, again);
	json_object_object_add(json, "folios", json_folios(c));
	return json;
}

static struct json_object *json_totals(const struct ramload_stat_totals *t)
{
	struct json_object *json = json_object_new_object();

	ADD(json, t, TOTALS, CONTEXTS, contexts);
	ADD(json, t, TOTALS, WORKERS, workers);
	ADD(json, t, TOTALS, RUNNING, running);
	ADD(json, t, TOTALS, SUBMITTED, submitted);
	ADD(json, t, TOTALS, DONE, done);
	ADD(json, t, TOTALS, FAILED, failed);
	ADD(json, t, TOTALS, CANCELLED, cancelled);
	ADD(json, t, TOTALS, QUEUE_TIME, queue_time);
	ADD(json, t, TOTALS, SERVICE_TIME, service_time);
	ADD(json, t, TOTALS, BYTES_DONE, bytes_done);
	json_object_object_add(json, "counters", json_counters(t->counters));
	return json;
}

static struct json_object *json_context(const struct ramload_stat_context *c)
{
	struct json_object *json = json_object_new_object();

	ADD(json, c, CONTEXT, ID, id);
	ADD(json, c, CONTEXT, PID, pid);
	json_add_string(json, "comm", c->comm);
	ADD(json, c, CONTEXT, WORKERS, workers);
	ADD(json, c, CONTEXT, JOBS, jobs);
	ADD(json, c, CONTEXT, START_TIME, start_time);
	return json;
}

static struct json_object *json_worker(const struct ramload_stat_worker *w)
{
	struct json_object *json = json_object_new_object();

	ADD(json, w, WORKER, CONTEXT, context);
	ADD(json, w, WORKER, INDEX, index);
	ADD(json, w, WORKER, TID, tid);
	json_add_string(json, "state", worker_state_name(w->state));
	ADD(json, w, WORKER, JOB, job);
	ADD(json, w, WORKER, CHUNKS, chunks);
	ADD(json, w, WORKER, BYTES, bytes);
	ADD(json, w, WORKER, BUSY_TIME, busy_time);
	return json;
}

static struct json_object *json_job(const struct ramload_stat_job *j)
{
	struct json_object *json = json_object_new_object();

	ADD(json, j, JOB, ID, id);
	ADD(json, j, JOB, CONTEXT, context);
	ADD(json, j, JOB, PID, pid);
	json_add_string(json, "comm", j->comm);
	json_add_string(json, "state", job_state_name(j->state));
	json_object_object_add(json, "error", json_object_new_int(j->error));
	ADD(json, j, JOB, ERROR_RANGE, error_range);
	ADD(json, j, JOB, ERROR_OFFSET, error_offset);
	ADD(json, j, JOB, RANGES, ranges);
	ADD(json, j, JOB, CHUNKS, chunks);
	ADD(json, j, JOB, CHUNKS_TAKEN, chunks_taken);
	ADD(json, j, JOB, BYTES_TOTAL, bytes_total);
	ADD(json, j, JOB, BYTES_DONE, bytes_done);
	ADD(json, j, JOB, START_TIME, start_time);
	ADD(json, j, JOB, QUEUE_TIME, queue_time);
	ADD(json, j, JOB, SERVICE_TIME, service_time);
	json_object_object_add(json, "counters", json_counters(j->counters));
	return json;
}

static void add_lists(struct json_object *json, const struct snapshot *s)
{
	struct json_object *contexts = json_object_new_array();
	struct json_object *workers = json_object_new_array();
	struct json_object *jobs = json_object_new_array();
	size_t i;

	for (i = 0; i < s->nr_contexts; i++)
		json_object_array_add(contexts, json_context(s->contexts[i]));
	for (i = 0; i < s->nr_workers; i++)
		json_object_array_add(workers, json_worker(s->workers[i]));
	for (i = 0; i < s->nr_jobs; i++)
		json_object_array_add(jobs, json_job(s->jobs[i].job));
	json_object_object_add(json, "contexts", contexts);
	json_object_object_add(json, "workers", workers);
	json_object_object_add(json, "jobs", jobs);
}

struct json_object *stat_report_json(const struct snapshot *s)
{
	struct json_object *json = json_object_new_object();

	json_add_string(json, "view", s->own ? "own" : "all");
	json_add_bool(json, "interrupted", s->interrupted);
	json_add_number(json, "now", s->now);
	json_object_object_add(json, "totals",
			       s->totals ? json_totals(s->totals) : NULL);
	add_lists(json, s);
	return json;
}
