// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * libFuzzer target: what libramload-stat makes of netlink messages
 *
 * Whatever is in a buffer, each message of it is read in each way. Nothing
 * outside of it is read; what is refused leaves nothing behind; of what is not,
 * members that were not told are 0, and no bit is set of what there is not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_check.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALL(first, last) \
	((UINT64_C(2) << (last)) - (UINT64_C(1) << (first)))

/* Names end, and nothing is behind the end. */
static void check_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	CHECK(length < size);
	for (; length < size; length++)
		CHECK(!text[length]);
}

static void check_counters(const struct ramload_stat_counters *c)
{
	unsigned int i;

	CHECK(!(c->has & ~ALL(RAMLOAD_A_COUNTERS_SHMEM,
			      RAMLOAD_A_COUNTERS_MAX)));
	CHECK(RAMLOAD_STAT_HAS(c, RAMLOAD_A_COUNTERS_SHMEM) || !c->shmem);
	CHECK(RAMLOAD_STAT_HAS(c, RAMLOAD_A_COUNTERS_AGAIN) || !c->again);
	for (i = 0; i < RAMLOAD_STAT_ORDERS; i++)
		CHECK(RAMLOAD_STAT_HAS(c, RAMLOAD_A_COUNTERS_FOLIOS) ||
		      !c->folios[i]);
}

static void check_job(const struct record *r)
{
	const struct ramload_stat_job *j = &r->job;

	CHECK(j->counters == &r->counters);
	CHECK(!(j->has & ~ALL(RAMLOAD_A_JOB_ID, RAMLOAD_A_JOB_MAX)));
	CHECK(RAMLOAD_STAT_HAS(j, RAMLOAD_A_JOB_ID) || !j->id);
	CHECK(RAMLOAD_STAT_HAS(j, RAMLOAD_A_JOB_ERROR) || !j->error);
	CHECK(RAMLOAD_STAT_HAS(j, RAMLOAD_A_JOB_COMM) || !*j->comm);
	CHECK(RAMLOAD_STAT_HAS(j, RAMLOAD_A_JOB_SERVICE_TIME) ||
	      !j->service_time);
	CHECK(RAMLOAD_STAT_HAS(j, RAMLOAD_A_JOB_COUNTERS) || !r->counters.has);
	check_text(j->comm, sizeof(j->comm));
	check_counters(j->counters);
}

static void check_record(const struct record *r)
{
	switch (r->kind) {
	case RECORD_CONTEXT:
		CHECK(!(r->context.has & ~ALL(RAMLOAD_A_CONTEXT_ID,
					      RAMLOAD_A_CONTEXT_MAX)));
		check_text(r->context.comm, sizeof(r->context.comm));
		break;
	case RECORD_WORKER:
		CHECK(!(r->worker.has & ~ALL(RAMLOAD_A_WORKER_CONTEXT,
					     RAMLOAD_A_WORKER_MAX)));
		break;
	case RECORD_JOB:
		check_job(r);
		break;
	case RECORD_TOTALS:
		CHECK(r->totals.counters == &r->counters);
		CHECK(!(r->totals.has & ~ALL(RAMLOAD_A_TOTALS_CONTEXTS,
					     RAMLOAD_A_TOTALS_MAX)));
		check_counters(r->totals.counters);
		break;
	case RECORD_UNKNOWN:
		break;
	default:
		CHECK(0);
	}
}

static void read_message(const struct message *message)
{
	struct record record;
	struct family family;
	char text[16];
	int err;

	memset(&record, 0xff, sizeof(record));
	err = record_parse(message, &record);
	CHECK(!err || err == -EPROTO);
	CHECK(!err || record.kind == RECORD_UNKNOWN);
	check_record(&record);

	memset(text, 0xff, sizeof(text));
	err = message_outcome(message, text, sizeof(text));
	CHECK(err <= 0);
	check_text(text, sizeof(text));

	err = message_family(message, RAMLOAD_NL_GROUP_EVENTS, &family);
	CHECK(!err || err == -EPROTO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* On the heap, and no larger than it is, so that it is watched. */
	uint8_t *copy = malloc(size ? size : 1);
	struct bytes b = { copy, size };
	struct message message;
	int ret;

	memcpy(copy, data, size);
	while ((ret = message_next(&b, &message)) > 0) {
		CHECK(message.payload.at >= copy);
		CHECK(message.payload.left <= size);
		CHECK(message.payload.at + message.payload.left <= copy + size);
		read_message(&message);
	}
	CHECK(!ret || ret == -EPROTO);
	CHECK(!b.left);
	free(copy);
	return 0;
}
