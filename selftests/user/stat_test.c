// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What libramload-stat makes of messages, whatever is in them. Buffers are
 * copied to the heap, so that the sanitizer sees each byte read beyond.
 */
#include <errno.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "list.h"
#include "netlink_writer.h"

/* The harness declares no prototypes for what FIXTURE_SETUP() defines. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define ALL(first, last) \
	((UINT64_C(2) << (last)) - (UINT64_C(1) << (first)))

FIXTURE(stat)
{
	struct writer w;
	struct record r;
};

FIXTURE_SETUP(stat)
{
}

FIXTURE_TEARDOWN(stat)
{
}

/* Of @size bytes of what was written. Returns what message_next() did. */
static int read_message(const struct writer *w, size_t size,
			struct message *message, uint8_t **copy)
{
	struct bytes b = { NULL, size };

	*copy = malloc(size ? size : 1);
	memcpy(*copy, w->data, size);
	b.at = *copy;
	return message_next(&b, message);
}

/* Parses the first message. Returns 0 or -EPROTO. */
static int parse(const struct writer *w, size_t size, struct record *record)
{
	struct message message;
	uint8_t *copy;
	int ret = read_message(w, size, &message, &copy);

	if (ret > 0)
		ret = record_parse(&message, record);
	free(copy);
	return ret;
}

static int outcome(const struct writer *w, size_t size, char *text,
		   size_t text_size)
{
	struct message message;
	uint8_t *copy;
	int ret = read_message(w, size, &message, &copy);

	if (ret > 0)
		ret = message_outcome(&message, text, text_size);
	free(copy);
	return ret;
}

static int family(const struct writer *w, size_t size, struct family *f)
{
	struct message message;
	uint8_t *copy;
	int ret = read_message(w, size, &message, &copy);

	if (ret > 0)
		ret = message_family(&message, RAMLOAD_NL_GROUP_EVENTS, f);
	free(copy);
	return ret;
}

/* As if the message had ended after @size bytes. */
static void set_length(struct writer *w, uint32_t size)
{
	memcpy(w->data, &size, sizeof(size));
}

TEST_F(stat, job)
{
	const struct ramload_stat_job *j = &self->r.job;

	put_job(&self->w, RAMLOAD_NL_CMD_JOB_GET);
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	ASSERT_EQ(RECORD_JOB, self->r.kind);
	EXPECT_EQ(ALL(RAMLOAD_A_JOB_ID, RAMLOAD_A_JOB_MAX), j->has);
	EXPECT_EQ(RAMLOAD_A_JOB_ID, j->id);
	EXPECT_EQ(RAMLOAD_A_JOB_CONTEXT, j->context);
	EXPECT_EQ(RAMLOAD_A_JOB_PID, j->pid);
	EXPECT_STREQ("qemu", j->comm);
	EXPECT_EQ(RAMLOAD_A_JOB_STATE, j->state);
	EXPECT_EQ(-61, j->error);
	EXPECT_EQ(RAMLOAD_A_JOB_ERROR_RANGE, j->error_range);
	EXPECT_EQ(RAMLOAD_A_JOB_ERROR_OFFSET, j->error_offset);
	EXPECT_EQ(RAMLOAD_A_JOB_RANGES, j->ranges);
	EXPECT_EQ(RAMLOAD_A_JOB_CHUNKS, j->chunks);
	EXPECT_EQ(RAMLOAD_A_JOB_CHUNKS_TAKEN, j->chunks_taken);
	EXPECT_EQ(RAMLOAD_A_JOB_BYTES_TOTAL, j->bytes_total);
	EXPECT_EQ(RAMLOAD_A_JOB_BYTES_DONE, j->bytes_done);
	EXPECT_EQ(RAMLOAD_A_JOB_START_TIME, j->start_time);
	EXPECT_EQ(RAMLOAD_A_JOB_QUEUE_TIME, j->queue_time);
	EXPECT_EQ(RAMLOAD_A_JOB_SERVICE_TIME, j->service_time);
	EXPECT_EQ(&self->r.counters, j->counters);
	EXPECT_TRUE(RAMLOAD_STAT_HAS(j, RAMLOAD_A_JOB_ERROR));
	EXPECT_FALSE(RAMLOAD_STAT_HAS(j, RAMLOAD_A_JOB_PAD));
}

static int check_counters(const struct ramload_stat_counters *c)
{
	int i;

	if (c->has != ALL(RAMLOAD_A_COUNTERS_SHMEM, RAMLOAD_A_COUNTERS_MAX) ||
	    c->shmem != 100 + RAMLOAD_A_COUNTERS_SHMEM ||
	    c->user != 100 + RAMLOAD_A_COUNTERS_USER ||
	    c->pinned != 100 + RAMLOAD_A_COUNTERS_PINNED ||
	    c->cached != 100 + RAMLOAD_A_COUNTERS_CACHED ||
	    c->direct != 100 + RAMLOAD_A_COUNTERS_DIRECT ||
	    c->gaps != 100 + RAMLOAD_A_COUNTERS_GAPS ||
	    c->reads != 100 + RAMLOAD_A_COUNTERS_READS ||
	    c->not_direct != 100 + RAMLOAD_A_COUNTERS_NOT_DIRECT ||
	    c->again != 100 + RAMLOAD_A_COUNTERS_AGAIN)
		return -1;
	for (i = 0; i < RAMLOAD_STAT_ORDERS; i++)
		if (c->folios[i] != (i == 0 ? 7 : i == 9 ? 8 : 0))
			return -1;
	return 0;
}

TEST_F(stat, counters)
{
	put_job(&self->w, RAMLOAD_NL_CMD_JOB_DONE);
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	EXPECT_EQ(RAMLOAD_NL_CMD_JOB_DONE, self->r.cmd);
	EXPECT_EQ(0, check_counters(self->r.job.counters));
}

TEST_F(stat, context)
{
	const struct ramload_stat_context *c = &self->r.context;

	put_context(&self->w);
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	ASSERT_EQ(RECORD_CONTEXT, self->r.kind);
	EXPECT_EQ(ALL(RAMLOAD_A_CONTEXT_ID, RAMLOAD_A_CONTEXT_MAX), c->has);
	EXPECT_EQ(1, c->id);
	EXPECT_EQ(2, c->pid);
	EXPECT_STREQ("qemu", c->comm);
	EXPECT_EQ(3, c->workers);
	EXPECT_EQ(4, c->jobs);
	EXPECT_EQ(5, c->start_time);
}

TEST_F(stat, worker)
{
	const struct ramload_stat_worker *w = &self->r.worker;

	put_worker(&self->w);
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	ASSERT_EQ(RECORD_WORKER, self->r.kind);
	EXPECT_EQ(ALL(RAMLOAD_A_WORKER_CONTEXT, RAMLOAD_A_WORKER_MAX), w->has);
	EXPECT_EQ(RAMLOAD_A_WORKER_CONTEXT, w->context);
	EXPECT_EQ(RAMLOAD_A_WORKER_INDEX, w->index);
	EXPECT_EQ(RAMLOAD_A_WORKER_TID, w->tid);
	EXPECT_EQ(RAMLOAD_A_WORKER_STATE, w->state);
	EXPECT_EQ(RAMLOAD_A_WORKER_JOB, w->job);
	EXPECT_EQ(RAMLOAD_A_WORKER_CHUNKS, w->chunks);
	EXPECT_EQ(RAMLOAD_A_WORKER_BYTES, w->bytes);
	EXPECT_EQ(RAMLOAD_A_WORKER_BUSY_TIME, w->busy_time);
}

TEST_F(stat, totals)
{
	const struct ramload_stat_totals *t = &self->r.totals;

	put_totals(&self->w);
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	ASSERT_EQ(RECORD_TOTALS, self->r.kind);
	EXPECT_EQ(ALL(RAMLOAD_A_TOTALS_CONTEXTS, RAMLOAD_A_TOTALS_MAX), t->has);
	EXPECT_EQ(RAMLOAD_A_TOTALS_CONTEXTS, t->contexts);
	EXPECT_EQ(RAMLOAD_A_TOTALS_WORKERS, t->workers);
	EXPECT_EQ(RAMLOAD_A_TOTALS_RUNNING, t->running);
	EXPECT_EQ(RAMLOAD_A_TOTALS_SUBMITTED, t->submitted);
	EXPECT_EQ(RAMLOAD_A_TOTALS_DONE, t->done);
	EXPECT_EQ(RAMLOAD_A_TOTALS_FAILED, t->failed);
	EXPECT_EQ(RAMLOAD_A_TOTALS_CANCELLED, t->cancelled);
	EXPECT_EQ(RAMLOAD_A_TOTALS_QUEUE_TIME, t->queue_time);
	EXPECT_EQ(RAMLOAD_A_TOTALS_SERVICE_TIME, t->service_time);
	EXPECT_EQ(RAMLOAD_A_TOTALS_BYTES_DONE, t->bytes_done);
	EXPECT_EQ(0, check_counters(t->counters));
}

/* An old module tells less: that reads as 0, and as not told. */
TEST_F(stat, missing)
{
	size_t start = put_genl(&self->w, RAMLOAD_NL_CMD_JOB_GET);

	put_u32(&self->w, RAMLOAD_A_JOB_ID, 3);
	end_message(&self->w, start);
	memset(&self->r, 0xff, sizeof(self->r));
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	EXPECT_EQ(UINT64_C(1) << RAMLOAD_A_JOB_ID, self->r.job.has);
	EXPECT_EQ(3, self->r.job.id);
	EXPECT_EQ(0, self->r.job.bytes_total);
	EXPECT_STREQ("", self->r.job.comm);
	EXPECT_EQ(0, self->r.job.counters->has);
	EXPECT_EQ(0, self->r.job.counters->shmem);
}

/* A new one tells more. */
TEST_F(stat, unknown_attributes)
{
	size_t start = put_genl(&self->w, RAMLOAD_NL_CMD_JOB_GET), nest;

	put_u64(&self->w, RAMLOAD_A_JOB_MAX + 1, 1);
	put_u64(&self->w, 63, 1);
	put_u64(&self->w, 64, 1);
	put_u64(&self->w, (uint16_t)NLA_TYPE_MASK, 1);
	put_u32(&self->w, RAMLOAD_A_JOB_UNSPEC, 1);
	put_attribute(&self->w, RAMLOAD_A_JOB_PAD, NULL, 0);
	nest = put_nest(&self->w, RAMLOAD_A_JOB_COUNTERS | NLA_F_NESTED);
	put_u64(&self->w, RAMLOAD_A_COUNTERS_MAX + 1, 1);
	put_u64(&self->w, RAMLOAD_A_COUNTERS_DIRECT | NLA_F_NET_BYTEORDER, 9);
	put_folios(&self->w, RAMLOAD_STAT_ORDERS, 1);
	put_folios(&self->w, UINT32_MAX, 1);
	end_nest(&self->w, nest);
	put_u32(&self->w, RAMLOAD_A_JOB_ID, 4);
	end_message(&self->w, start);
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	EXPECT_EQ(UINT64_C(1) << RAMLOAD_A_JOB_ID |
		  UINT64_C(1) << RAMLOAD_A_JOB_COUNTERS, self->r.job.has);
	EXPECT_EQ(4, self->r.job.id);
	EXPECT_EQ(UINT64_C(1) << RAMLOAD_A_COUNTERS_DIRECT,
		  self->r.counters.has);
	EXPECT_EQ(9, self->r.counters.direct);
}

TEST_F(stat, unknown_command)
{
	put_job(&self->w, RAMLOAD_NL_CMD_MAX + 1);
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	EXPECT_EQ(RECORD_UNKNOWN, self->r.kind);
}

/* Numbers may be wider or narrower, if they fit; of no other size. */
TEST_F(stat, sizes)
{
	static const uint8_t ones[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	size_t size;

	for (size = 0; size <= sizeof(ones); size++) {
		size_t start;

		self->w.size = 0;
		start = put_genl(&self->w, RAMLOAD_NL_CMD_JOB_GET);
		put_attribute(&self->w, RAMLOAD_A_JOB_ID, ones, size);
		put_attribute(&self->w, RAMLOAD_A_JOB_BYTES_DONE, ones, size);
		end_message(&self->w, start);
		ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
		EXPECT_EQ(size == 4, RAMLOAD_STAT_HAS(&self->r.job,
						      RAMLOAD_A_JOB_ID));
		EXPECT_EQ(size == 4 ? 0x1010101 : 0, self->r.job.id);
		EXPECT_EQ(size == 4 ? UINT64_C(0x1010101) :
			  size == 8 ? UINT64_C(0x101010101010101) : 0,
			  self->r.job.bytes_done);
	}
	self->w.size = 0;
	size = put_genl(&self->w, RAMLOAD_NL_CMD_JOB_GET);
	put_u64(&self->w, RAMLOAD_A_JOB_ID, 5);
	end_message(&self->w, size);
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	EXPECT_EQ(5, self->r.job.id);
}

/* Without a NUL, with several, too long, empty. */
TEST_F(stat, names)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *read;
	} names[] = {
		{ "qemu", 4, "qemu" },
		{ "qemu\0xx\0", 8, "qemu" },
		{ "", 0, "" },
		{ "", 1, "" },
		{ "0123456789012345678901234567890123456789", 40,
		  "0123456789012345678901234567890" },
		{ "0123456789012345678901234567890\0x", 33,
		  "0123456789012345678901234567890" },
	};
	size_t i, start;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		self->w.size = 0;
		start = put_genl(&self->w, RAMLOAD_NL_CMD_CONTEXT_GET);
		put_attribute(&self->w, RAMLOAD_A_CONTEXT_COMM, names[i].bytes,
			      names[i].size);
		end_message(&self->w, start);
		ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
		EXPECT_STREQ(names[i].read, self->r.context.comm);
	}
}

/* A message that ends early, and a buffer that ends before its message. */
TEST_F(stat, truncated)
{
	struct writer whole;
	uint32_t size;
	int whole_attributes = 0;

	put_job(&self->w, RAMLOAD_NL_CMD_JOB_GET);
	whole = self->w;
	for (size = 1; size < whole.size; size++) {
		ASSERT_EQ(-EPROTO, parse(&whole, size, &self->r));
		set_length(&self->w, size);
		if (parse(&self->w, self->w.size, &self->r)) {
			if (size >= sizeof(struct nlmsghdr)) {
				EXPECT_EQ(RECORD_UNKNOWN, self->r.kind);
			}
			continue;
		}
		/* What is read is right. */
		whole_attributes++;
		EXPECT_EQ(RECORD_JOB, self->r.kind);
		EXPECT_EQ(0, self->r.job.has &
			  ~ALL(RAMLOAD_A_JOB_ID, RAMLOAD_A_JOB_MAX));
		EXPECT_TRUE(!self->r.job.bytes_done ||
			    self->r.job.bytes_done == RAMLOAD_A_JOB_BYTES_DONE);
	}
	/* Where attributes end, padded or not. */
	EXPECT_LE(RAMLOAD_A_JOB_MAX - 2, whole_attributes);
	EXPECT_GE(2 * RAMLOAD_A_JOB_MAX, whole_attributes);
	ASSERT_EQ(0, parse(&whole, 0, &self->r));
}

/* Any length of an attribute, also inside of nests. */
TEST_F(stat, lengths)
{
	struct writer whole;
	uint32_t value;
	size_t at;

	put_totals(&self->w);
	whole = self->w;
	for (at = sizeof(struct nlmsghdr); at + 2 <= whole.size; at += 2) {
		static const uint16_t values[] = {
			0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 15, 16, 17, 127,
			255, 256, 0x7fff, 0x8000, 0xfffb, 0xfffc, 0xffff,
		};

		for (value = 0; value < sizeof(values) / 2; value++) {
			int ret;

			self->w = whole;
			memcpy(self->w.data + at, &values[value], 2);
			ret = parse(&self->w, self->w.size, &self->r);
			ASSERT_TRUE(ret == 0 || ret == -EPROTO);
		}
	}
}

TEST_F(stat, headers)
{
	struct message message;
	struct bytes b = { self->w.data, 0 };
	uint32_t i;

	put_context(&self->w);
	put_worker(&self->w);
	b.left = self->w.size;
	ASSERT_EQ(1, message_next(&b, &message));
	EXPECT_EQ(FAMILY, message.type);
	EXPECT_EQ(SEQ, message.seq);
	ASSERT_EQ(0, record_parse(&message, &self->r));
	EXPECT_EQ(RECORD_CONTEXT, self->r.kind);
	ASSERT_EQ(1, message_next(&b, &message));
	ASSERT_EQ(0, record_parse(&message, &self->r));
	EXPECT_EQ(RECORD_WORKER, self->r.kind);
	ASSERT_EQ(0, message_next(&b, &message));
	for (i = 0; i < sizeof(struct nlmsghdr); i++) {
		set_length(&self->w, i);
		b = (struct bytes){ self->w.data, self->w.size };
		ASSERT_EQ(-EPROTO, message_next(&b, &message));
		ASSERT_EQ(0, message_next(&b, &message));
	}
	for (i = 0; i < 4; i++) {
		set_length(&self->w, UINT32_MAX - i);
		b = (struct bytes){ self->w.data, self->w.size };
		ASSERT_EQ(-EPROTO, message_next(&b, &message));
	}
}

TEST_F(stat, errors)
{
	char text[8];

	put_error(&self->w, -ENOENT, 0, 20, NULL);
	EXPECT_EQ(-ENOENT, outcome(&self->w, self->w.size, text, 8));
	EXPECT_STREQ("", text);
	self->w.size = 0;
	put_error(&self->w, 0, NLM_F_CAPPED, 20, NULL);
	EXPECT_EQ(0, outcome(&self->w, self->w.size, text, 8));
	self->w.size = 0;
	put_error(&self->w, -EPERM, NLM_F_CAPPED | NLM_F_ACK_TLVS, 20, "no");
	EXPECT_EQ(-EPERM, outcome(&self->w, self->w.size, text, 8));
	EXPECT_STREQ("no", text);
	self->w.size = 0;
	put_error(&self->w, -EPERM, NLM_F_ACK_TLVS, 21, "not allowed");
	EXPECT_EQ(-EPERM, outcome(&self->w, self->w.size, text, 8));
	EXPECT_STREQ("not all", text);
	/* No errno. */
	self->w.size = 0;
	put_error(&self->w, 1, 0, 0, NULL);
	EXPECT_EQ(-EPROTO, outcome(&self->w, self->w.size, text, 8));
}

TEST_F(stat, errors_truncated)
{
	struct writer whole;
	uint32_t size;
	char text[8];
	int ret;

	put_error(&self->w, -EPERM, NLM_F_ACK_TLVS, 21, "no");
	whole = self->w;
	for (size = sizeof(struct nlmsghdr); size < whole.size; size++) {
		ASSERT_EQ(-EPROTO, outcome(&whole, size, text, 8));
		set_length(&self->w, size);
		ret = outcome(&self->w, self->w.size, text, 8);
		EXPECT_TRUE(ret == -EPROTO || ret == -EPERM);
	}
	/* A request of more bytes than there are. */
	for (size = 0; size < 100; size++) {
		self->w = whole;
		memcpy(self->w.data + sizeof(struct nlmsghdr) + 4, &size, 4);
		ret = outcome(&self->w, self->w.size, text, 8);
		EXPECT_TRUE(ret == -EPROTO || ret == -EPERM);
		size += size < 16 ? 0 : 3;
	}
}

/* NLMSG_DONE has an error and a text, but repeats no request. */
TEST_F(stat, done)
{
	size_t start = put_message(&self->w, NLMSG_DONE, NLM_F_ACK_TLVS);
	int32_t err = -ENOMEM;
	char text[8];

	put(&self->w, &err, sizeof(err));
	put_text(&self->w, NLMSGERR_ATTR_MSG, "no room");
	end_message(&self->w, start);
	EXPECT_EQ(-ENOMEM, outcome(&self->w, self->w.size, text, 8));
	EXPECT_STREQ("no room", text);
}

TEST_F(stat, family)
{
	struct writer whole;
	struct family f;
	uint32_t size;
	int ret;

	put_family(&self->w, FAMILY, 2);
	ASSERT_EQ(0, family(&self->w, self->w.size, &f));
	EXPECT_EQ(FAMILY, f.id);
	EXPECT_EQ(2, f.version);
	EXPECT_EQ(6, f.group);
	whole = self->w;
	for (size = sizeof(struct nlmsghdr); size < whole.size; size++) {
		ASSERT_EQ(-EPROTO, family(&whole, size, &f));
		set_length(&self->w, size);
		ret = family(&self->w, self->w.size, &f);
		EXPECT_TRUE(ret == -EPROTO || !ret);
		EXPECT_TRUE(!f.group || f.group == 6);
	}
}

/* Pointers of records point into them, wherever the list has moved them. */
TEST_F(stat, list)
{
	struct ramload_stat_list *list = list_new(RECORD_JOB);
	const struct ramload_stat_job *job;
	size_t i;

	put_job(&self->w, RAMLOAD_NL_CMD_JOB_GET);
	ASSERT_EQ(0, parse(&self->w, self->w.size, &self->r));
	for (i = 0; i < 1000; i++) {
		self->r.job.id = i;
		self->r.counters.shmem = i;
		ASSERT_EQ(0, list_add(list, &self->r));
	}
	self->r.kind = RECORD_CONTEXT;
	ASSERT_EQ(0, list_add(list, &self->r));
	list_link(list);
	ASSERT_EQ(1000, ramload_stat_list_length(list));
	for (i = 0; i < 1000; i++) {
		job = ramload_stat_job_at(list, i);
		ASSERT_EQ(i, job->id);
		ASSERT_EQ(i, job->counters->shmem);
	}
	EXPECT_EQ(NULL, ramload_stat_job_at(list, 1000));
	EXPECT_EQ(NULL, ramload_stat_context_at(list, 0));
	EXPECT_EQ(NULL, ramload_stat_worker_at(list, 0));
	ramload_stat_list_free(list);
	ramload_stat_list_free(NULL);
	ramload_stat_close(NULL);
}

TEST_HARNESS_MAIN
