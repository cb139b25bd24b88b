// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdlib.h>

#include "figure.h"
#include "job_row.h"

const char *const job_key_names[] = {
	[JOB_KEY_ID] = "id",
	[JOB_KEY_PID] = "pid",
	[JOB_KEY_BYTES] = "bytes",
	[JOB_KEY_RATE] = "rate",
	[JOB_KEY_TIME] = "time",
	NULL
};

bool stat_filter_takes(const struct stat_filter *filter, uint32_t pid,
		       uint32_t context)
{
	return (!filter->pid || filter->pid == pid) &&
	       (!filter->context || filter->context == context);
}

static int rising(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_id(const void *a, const void *b)
{
	const struct job_row *x = a, *y = b;

	return rising(x->job->id, y->job->id);
}

static int by_pid(const void *a, const void *b)
{
	const struct job_row *x = a, *y = b;

	return rising(x->job->pid, y->job->pid) ?: by_id(a, b);
}

static int by_bytes(const void *a, const void *b)
{
	const struct job_row *x = a, *y = b;

	return rising(y->job->bytes_done, x->job->bytes_done) ?: by_id(a, b);
}

static int by_rate(const void *a, const void *b)
{
	const struct job_row *x = a, *y = b;
	int order = (x->rate < y->rate) - (x->rate > y->rate);

	return order ?: by_id(a, b);
}

static int by_time(const void *a, const void *b)
{
	const struct job_row *x = a, *y = b;

	return rising(y->job->queue_time + y->job->service_time,
		      x->job->queue_time + x->job->service_time) ?: by_id(a, b);
}

void job_rows_sort(struct job_row *rows, size_t nr, enum job_key key)
{
	static int (*const orders[])(const void *a, const void *b) = {
		[JOB_KEY_ID] = by_id,
		[JOB_KEY_PID] = by_pid,
		[JOB_KEY_BYTES] = by_bytes,
		[JOB_KEY_RATE] = by_rate,
		[JOB_KEY_TIME] = by_time,
	};

	if (nr)
		qsort(rows, nr, sizeof(*rows), orders[key]);
}

double job_rate(const struct ramload_stat_job *job)
{
	if (!job->service_time)
		return 0;
	return (double)job->bytes_done * NS_PER_S / job->service_time;
}

const char *job_state_name(uint32_t state)
{
	switch (state) {
	case RAMLOAD_JOB_RUNNING:
		return "running";
	case RAMLOAD_JOB_DONE:
		return "done";
	case RAMLOAD_JOB_FAILED:
		return "failed";
	case RAMLOAD_JOB_CANCELLED:
		return "cancelled";
	default:
		return "unknown";
	}
}

const char *worker_state_name(uint32_t state)
{
	switch (state) {
	case RAMLOAD_WORKER_IDLE:
		return "idle";
	case RAMLOAD_WORKER_BUSY:
		return "busy";
	case RAMLOAD_WORKER_STOPPED:
		return "stopped";
	case RAMLOAD_WORKER_ENDED:
		return "ended";
	default:
		return "unknown";
	}
}
