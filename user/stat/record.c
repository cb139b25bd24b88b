// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include "record.h"

enum field_type {
	FIELD_NONE,
	FIELD_U32,
	FIELD_S32,
	FIELD_U64,
	FIELD_COMM,
	FIELD_COUNTERS,
};

/* How an attribute is kept, at which offset of the struct. */
struct field {
	enum field_type type;
	size_t offset;
};

/* Fields are indexed by attribute; @has is at the start of each struct. */
struct layout {
	const struct field *fields;
	unsigned int nr;
};

#define FIELD(kind, of, member) \
	{ FIELD_##kind, offsetof(struct ramload_stat_##of, member) }

static const struct field context_fields[] = {
	[RAMLOAD_A_CONTEXT_ID] = FIELD(U32, context, id),
	[RAMLOAD_A_CONTEXT_PID] = FIELD(U32, context, pid),
	[RAMLOAD_A_CONTEXT_COMM] = FIELD(COMM, context, comm),
	[RAMLOAD_A_CONTEXT_WORKERS] = FIELD(U32, context, workers),
	[RAMLOAD_A_CONTEXT_JOBS] = FIELD(U32, context, jobs),
	[RAMLOAD_A_CONTEXT_START_TIME] = FIELD(U64, context, start_time),
};

static const struct field worker_fields[] = {
	[RAMLOAD_A_WORKER_CONTEXT] = FIELD(U32, worker, context),
	[RAMLOAD_A_WORKER_INDEX] = FIELD(U32, worker, index),
	[RAMLOAD_A_WORKER_TID] = FIELD(U32, worker, tid),
	[RAMLOAD_A_WORKER_STATE] = FIELD(U32, worker, state),
	[RAMLOAD_A_WORKER_JOB] = FIELD(U32, worker, job),
	[RAMLOAD_A_WORKER_CHUNKS] = FIELD(U64, worker, chunks),
	[RAMLOAD_A_WORKER_BYTES] = FIELD(U64, worker, bytes),
	[RAMLOAD_A_WORKER_BUSY_TIME] = FIELD(U64, worker, busy_time),
};

static const struct field job_fields[] = {
	[RAMLOAD_A_JOB_ID] = FIELD(U32, job, id),
	[RAMLOAD_A_JOB_CONTEXT] = FIELD(U32, job, context),
	[RAMLOAD_A_JOB_PID] = FIELD(U32, job, pid),
	[RAMLOAD_A_JOB_COMM] = FIELD(COMM, job, comm),
	[RAMLOAD_A_JOB_STATE] = FIELD(U32, job, state),
	[RAMLOAD_A_JOB_ERROR] = FIELD(S32, job, error),
	[RAMLOAD_A_JOB_ERROR_RANGE] = FIELD(U32, job, error_range),
	[RAMLOAD_A_JOB_ERROR_OFFSET] = FIELD(U64, job, error_offset),
	[RAMLOAD_A_JOB_RANGES] = FIELD(U32, job, ranges),
	[RAMLOAD_A_JOB_CHUNKS] = FIELD(U32, job, chunks),
	[RAMLOAD_A_JOB_CHUNKS_TAKEN] = FIELD(U32, job, chunks_taken),
	[RAMLOAD_A_JOB_BYTES_TOTAL] = FIELD(U64, job, bytes_total),
	[RAMLOAD_A_JOB_BYTES_DONE] = FIELD(U64, job, bytes_done),
	[RAMLOAD_A_JOB_START_TIME] = FIELD(U64, job, start_time),
	[RAMLOAD_A_JOB_QUEUE_TIME] = FIELD(U64, job, queue_time),
	[RAMLOAD_A_JOB_SERVICE_TIME] = FIELD(U64, job, service_time),
	[RAMLOAD_A_JOB_COUNTERS] = { FIELD_COUNTERS, 0 },
};

static const struct field totals_fields[] = {
	[RAMLOAD_A_TOTALS_CONTEXTS] = FIELD(U32, totals, contexts),
	[RAMLOAD_A_TOTALS_WORKERS] = FIELD(U32, totals, workers),
	[RAMLOAD_A_TOTALS_RUNNING] = FIELD(U64, totals, running),
	[RAMLOAD_A_TOTALS_SUBMITTED] = FIELD(U64, totals, submitted),
	[RAMLOAD_A_TOTALS_DONE] = FIELD(U64, totals, done),
	[RAMLOAD_A_TOTALS_FAILED] = FIELD(U64, totals, failed),
	[RAMLOAD_A_TOTALS_CANCELLED] = FIELD(U64, totals, cancelled),
	[RAMLOAD_A_TOTALS_QUEUE_TIME] = FIELD(U64, totals, queue_time),
	[RAMLOAD_A_TOTALS_SERVICE_TIME] = FIELD(U64, totals, service_time),
	[RAMLOAD_A_TOTALS_BYTES_DONE] = FIELD(U64, totals, bytes_done),
	[RAMLOAD_A_TOTALS_COUNTERS] = { FIELD_COUNTERS, 0 },
};

static const struct field counters_fields[] = {
	[RAMLOAD_A_COUNTERS_SHMEM] = FIELD(U64, counters, shmem),
	[RAMLOAD_A_COUNTERS_USER] = FIELD(U64, counters, user),
	[RAMLOAD_A_COUNTERS_PINNED] = FIELD(U64, counters, pinned),
	[RAMLOAD_A_COUNTERS_CACHED] = FIELD(U64, counters, cached),
	[RAMLOAD_A_COUNTERS_DIRECT] = FIELD(U64, counters, direct),
	[RAMLOAD_A_COUNTERS_GAPS] = FIELD(U64, counters, gaps),
	[RAMLOAD_A_COUNTERS_READS] = FIELD(U64, counters, reads),
	[RAMLOAD_A_COUNTERS_NOT_DIRECT] = FIELD(U64, counters, not_direct),
	[RAMLOAD_A_COUNTERS_AGAIN] = FIELD(U64, counters, again),
};

#define LAYOUT(fields)	{ fields, sizeof(fields) / sizeof((fields)[0]) }

static const struct layout layouts[] = {
	[RECORD_CONTEXT] = LAYOUT(context_fields),
	[RECORD_WORKER] = LAYOUT(worker_fields),
	[RECORD_JOB] = LAYOUT(job_fields),
	[RECORD_TOTALS] = LAYOUT(totals_fields),
};

static const struct layout counters_layout = LAYOUT(counters_fields);

static enum record_kind kind_of(uint8_t cmd)
{
	switch (cmd) {
	case RAMLOAD_NL_CMD_CONTEXT_GET:
		return RECORD_CONTEXT;
	case RAMLOAD_NL_CMD_WORKER_GET:
		return RECORD_WORKER;
	case RAMLOAD_NL_CMD_JOB_GET:
	case RAMLOAD_NL_CMD_JOB_STARTED:
	case RAMLOAD_NL_CMD_JOB_PROGRESS:
	case RAMLOAD_NL_CMD_JOB_DONE:
		return RECORD_JOB;
	case RAMLOAD_NL_CMD_TOTALS_GET:
		return RECORD_TOTALS;
	default:
		return RECORD_UNKNOWN;
	}
}

static bool store_number(void *at, enum field_type type,
			 const struct attribute *a)
{
	uint64_t value;
	uint32_t narrow;

	if (!attribute_number(a, &value))
		return false;
	if (type == FIELD_U64) {
		memcpy(at, &value, sizeof(value));
		return true;
	}
	/* What has no room is left out, like what has another size. */
	if (value > UINT32_MAX)
		return false;
	narrow = value;
	memcpy(at, &narrow, sizeof(narrow));
	return true;
}

static bool store(void *object, const struct field *field,
		  const struct attribute *a)
{
	void *at = (char *)object + field->offset;

	if (field->type != FIELD_COMM)
		return store_number(at, field->type, a);
	attribute_string(a, at, RAMLOAD_STAT_COMM);
	return true;
}

static void mark(void *object, unsigned int attribute)
{
	uint64_t *has = object;

	*has |= UINT64_C(1) << attribute;
}

static int parse_folios(struct ramload_stat_counters *counters,
			struct bytes nest)
{
	uint64_t order = RAMLOAD_STAT_ORDERS, count = 0;
	struct attribute a;
	int ret;

	while ((ret = attribute_next(&nest, &a)) > 0) {
		if (a.type == RAMLOAD_A_FOLIOS_ORDER)
			attribute_number(&a, &order);
		else if (a.type == RAMLOAD_A_FOLIOS_COUNT)
			attribute_number(&a, &count);
	}
	if (!ret && order < RAMLOAD_STAT_ORDERS) {
		counters->folios[order] = count;
		mark(counters, RAMLOAD_A_COUNTERS_FOLIOS);
	}
	return ret;
}

/* Folios of any order may be left out, and all of them. */
static int parse_counters(struct ramload_stat_counters *counters,
			  struct bytes nest)
{
	struct attribute a;
	int ret;

	while ((ret = attribute_next(&nest, &a)) > 0) {
		if (a.type == RAMLOAD_A_COUNTERS_FOLIOS) {
			if (parse_folios(counters, a.value))
				return -EPROTO;
		} else if (a.type < counters_layout.nr &&
			   counters_fields[a.type].type != FIELD_NONE &&
			   store(counters, &counters_fields[a.type], &a)) {
			mark(counters, a.type);
		}
	}
	return ret;
}

static int parse_attribute(struct record *record, const struct attribute *a)
{
	const struct layout *layout = &layouts[record->kind];
	const struct field *field;

	if (a->type >= layout->nr)
		return 0;
	field = &layout->fields[a->type];
	if (field->type == FIELD_NONE)
		return 0;
	if (field->type == FIELD_COUNTERS) {
		if (parse_counters(&record->counters, a->value))
			return -EPROTO;
	} else if (!store(&record->context, field, a)) {
		return 0;
	}
	mark(&record->context, a->type);
	return 0;
}

int record_parse(const struct message *message, struct record *record)
{
	struct attribute a;
	struct bytes b;
	int ret = message_genl(message, &b);

	memset(record, 0, sizeof(*record));
	if (ret < 0)
		return ret;
	record->cmd = ret;
	record->kind = kind_of(record->cmd);
	if (record->kind == RECORD_UNKNOWN)
		return 0;
	record_link(record);
	while ((ret = attribute_next(&b, &a)) > 0) {
		ret = parse_attribute(record, &a);
		if (ret)
			break;
	}
	if (ret)
		memset(record, 0, sizeof(*record));
	return ret;
}

void record_link(struct record *record)
{
	if (record->kind == RECORD_JOB)
		record->job.counters = &record->counters;
	else if (record->kind == RECORD_TOTALS)
		record->totals.counters = &record->counters;
}
