// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What libramload-stat makes of answers that come from a script, in place of
 * the kernel: other versions, interrupted dumps, errors, what others have sent,
 * and events that were lost. The linker has its calls come here.
 */
#include <errno.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "list.h"
#include "netlink_writer.h"
#include "socket.h"

/* The harness declares no prototypes for what FIXTURE_SETUP() defines. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define MAX_STEPS	32

/* What a read gives: an errno, or a datagram from a port. */
struct step {
	int err;
	uint32_t port;
	size_t length;
	struct writer w;
};

static struct step script[MAX_STEPS];
static size_t nr_steps, next_step;
static struct request requests[MAX_STEPS];
static size_t nr_requests;

int __wrap_socket_send(struct socket *s, const struct request *request)
{
	s->seq = SEQ;
	requests[nr_requests++ % MAX_STEPS] = *request;
	return 0;
}

int __wrap_socket_join(struct socket *s, uint32_t group)
{
	return s->nl && group == 6 ? 0 : -EINVAL;
}

ssize_t __wrap_recvfrom(int fd, void *buffer, size_t size, int flags,
			struct sockaddr *from, socklen_t *from_length)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct step *step = &script[next_step];

	/* A read that nothing answers would wait for ever. */
	if (fd < 0 || !(flags & MSG_TRUNC) || next_step == nr_steps) {
		errno = flags & MSG_DONTWAIT ? EAGAIN : ENOTCONN;
		return -1;
	}
	next_step++;
	errno = step->err;
	if (step->err)
		return -1;
	address.nl_pid = step->port;
	memcpy(from, &address, sizeof(address));
	*from_length = sizeof(address);
	memcpy(buffer, step->w.data, step->w.size < size ? step->w.size : size);
	return step->length ? step->length : step->w.size;
}

static struct writer *answer(void)
{
	return &script[nr_steps++].w;
}

static void begin(void)
{
	memset(script, 0, sizeof(script));
	nr_steps = 0;
	next_step = 0;
	nr_requests = 0;
}

static void put_end(struct writer *w, int32_t err)
{
	size_t start = put_message(w, NLMSG_DONE, NLM_F_MULTI);

	put(w, &err, sizeof(err));
	end_message(w, start);
}

/* The flags of the first message of a datagram. */
static void set_flags(struct writer *w, uint16_t flags)
{
	memcpy(w->data + offsetof(struct nlmsghdr, nlmsg_flags), &flags, 2);
}

static void set_seq(struct writer *w, uint32_t seq)
{
	memcpy(w->data + offsetof(struct nlmsghdr, nlmsg_seq), &seq, 4);
}

FIXTURE(answer)
{
	struct ramload_stat *stat;
	struct ramload_stat_list *list;
	const struct ramload_stat_totals *totals;
	const struct ramload_stat_job *job;
	const struct ramload_stat_event *event;
	unsigned int version;
};

static int open_version(struct ramload_stat **stat, uint16_t id,
			uint32_t family_version, unsigned int *version)
{
	struct writer *w;

	begin();
	w = answer();
	put_family(w, id, family_version);
	put_error(w, 0, NLM_F_CAPPED, 0, NULL);
	return ramload_stat_open(stat, version);
}

FIXTURE_SETUP(answer)
{
	int err = open_version(&self->stat, FAMILY, 1, &self->version);

	if (err == -EPERM || err == -EACCES || err == -EAFNOSUPPORT ||
	    err == -EPROTONOSUPPORT)
		SKIP(return, "no netlink here");
	ASSERT_EQ(0, err);
	ASSERT_EQ(1, self->version);
	begin();
}

FIXTURE_TEARDOWN(answer)
{
	ramload_stat_list_free(self->list);
	ramload_stat_close(self->stat);
}

TEST_F(answer, other_version)
{
	struct ramload_stat *stat = self->stat;

	EXPECT_EQ(-EPROTO, open_version(&stat, FAMILY, 2, &self->version));
	EXPECT_EQ(NULL, stat);
	EXPECT_EQ(2, self->version);
	EXPECT_EQ(-EPROTO, open_version(&stat, FAMILY, 2, NULL));
	EXPECT_EQ(-EPROTO, open_version(&stat, 0, 1, NULL));
}

TEST_F(answer, no_family)
{
	struct ramload_stat *stat;

	put_error(answer(), -ENOENT, NLM_F_CAPPED, 0, NULL);
	EXPECT_EQ(-ENOENT, ramload_stat_open(&stat, &self->version));
	EXPECT_EQ(0, self->version);
}

TEST_F(answer, totals)
{
	struct writer *w = answer();

	put_totals(w);
	put_error(answer(), 0, NLM_F_CAPPED, 0, NULL);
	ASSERT_EQ(0, ramload_stat_get_totals(self->stat, &self->totals));
	EXPECT_EQ(RAMLOAD_A_TOTALS_DONE, self->totals->done);
	EXPECT_EQ(100 + RAMLOAD_A_COUNTERS_DIRECT,
		  self->totals->counters->direct);
	EXPECT_EQ(RAMLOAD_NL_CMD_TOTALS_GET, requests[0].cmd);
	EXPECT_EQ(0, requests[0].length);
	EXPECT_EQ(NLM_F_ACK, requests[0].flags);
}

TEST_F(answer, text)
{
	put_error(answer(), -EPERM, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0, "no");
	ASSERT_EQ(-EPERM, ramload_stat_get_totals(self->stat, &self->totals));
	EXPECT_EQ(NULL, self->totals);
	EXPECT_STREQ("no", ramload_stat_text(self->stat));
	/* It is that of the last. */
	put_error(answer(), -EPERM, NLM_F_CAPPED, 0, NULL);
	ASSERT_EQ(-EPERM, ramload_stat_get_totals(self->stat, &self->totals));
	EXPECT_STREQ("", ramload_stat_text(self->stat));
}

/* Acknowledged, but not answered; answered with something else. */
TEST_F(answer, nothing)
{
	struct writer *w;

	put_error(answer(), 0, NLM_F_CAPPED, 0, NULL);
	EXPECT_EQ(-EPROTO, ramload_stat_get_job(self->stat, 3, &self->job));
	EXPECT_EQ(NULL, self->job);
	w = answer();
	put_context(w);
	put_error(w, 0, NLM_F_CAPPED, 0, NULL);
	EXPECT_EQ(-EPROTO, ramload_stat_get_job(self->stat, 3, &self->job));
	/* There is no such id. */
	EXPECT_EQ(-ENOENT, ramload_stat_get_job(self->stat, 0, &self->job));
	EXPECT_EQ(2, nr_requests);
}

/* What was for an earlier request, and what the kernel has not sent. */
TEST_F(answer, strangers)
{
	struct writer *w = answer();

	put_error(w, -EIO, NLM_F_CAPPED, 0, NULL);
	set_seq(w, SEQ - 1);
	script[nr_steps].port = 4711;
	put_error(answer(), -EIO, NLM_F_CAPPED, 0, NULL);
	script[nr_steps++].err = EINTR;
	w = answer();
	put_job(w, RAMLOAD_NL_CMD_JOB_GET);
	put_error(w, 0, NLM_F_CAPPED, 0, NULL);
	ASSERT_EQ(0, ramload_stat_get_job(self->stat, 3, &self->job));
	EXPECT_EQ(RAMLOAD_A_JOB_ID, self->job->id);
	EXPECT_EQ(4, next_step);
}

TEST_F(answer, malformed)
{
	struct writer *w = answer();

	put(w, "\5", 1);
	EXPECT_EQ(-EPROTO, ramload_stat_get_totals(self->stat, &self->totals));
	/* More than the buffer takes. */
	put_totals(answer());
	script[1].length = SOCKET_BUFFER + 1;
	EXPECT_EQ(-EPROTO, ramload_stat_get_totals(self->stat, &self->totals));
	script[nr_steps++].err = ENOBUFS;
	EXPECT_EQ(-ENOBUFS, ramload_stat_get_totals(self->stat, &self->totals));
}

TEST_F(answer, dump)
{
	struct writer *w = answer();
	size_t i;

	for (i = 0; i < 5; i++)
		put_job(w, RAMLOAD_NL_CMD_JOB_GET);
	put_job(answer(), RAMLOAD_NL_CMD_JOB_GET);
	put_end(answer(), 0);
	ASSERT_EQ(0, ramload_stat_dump_jobs(self->stat, 7, &self->list));
	EXPECT_EQ(6, ramload_stat_list_length(self->list));
	EXPECT_FALSE(ramload_stat_list_interrupted(self->list));
	ASSERT_EQ(1, nr_requests);
	EXPECT_EQ(NLM_F_DUMP, requests[0].flags);
	EXPECT_EQ(RAMLOAD_A_JOB_CONTEXT, requests[0].attribute);
	EXPECT_EQ(4, requests[0].length);
}

/* A part of it is; the whole is repeated. */
TEST_F(answer, interrupted_dump)
{
	struct writer *w = answer();

	put_job(w, RAMLOAD_NL_CMD_JOB_GET);
	w = answer();
	put_job(w, RAMLOAD_NL_CMD_JOB_GET);
	set_flags(w, NLM_F_MULTI | NLM_F_DUMP_INTR);
	put_end(w, 0);
	w = answer();
	put_job(w, RAMLOAD_NL_CMD_JOB_GET);
	put_end(w, 0);
	ASSERT_EQ(0, ramload_stat_dump_jobs(self->stat, 0, &self->list));
	EXPECT_EQ(1, ramload_stat_list_length(self->list));
	EXPECT_FALSE(ramload_stat_list_interrupted(self->list));
	EXPECT_EQ(2, nr_requests);
	EXPECT_EQ(0, requests[1].length);
}

TEST_F(answer, dump_that_is_always_interrupted)
{
	size_t i;

	for (i = 0; i < MAX_STEPS; i++) {
		struct writer *w = answer();

		put_context(w);
		put_end(w, 0);
		set_flags(w, NLM_F_MULTI | NLM_F_DUMP_INTR);
	}
	ASSERT_EQ(0, ramload_stat_dump_contexts(self->stat, &self->list));
	EXPECT_EQ(1, ramload_stat_list_length(self->list));
	EXPECT_TRUE(ramload_stat_list_interrupted(self->list));
	EXPECT_LT(1, nr_requests);
	EXPECT_GT(10, nr_requests);
}

/* One that fails is read to its end: it would be in the way of the next. */
TEST_F(answer, dump_that_fails)
{
	struct writer *w;
	size_t start;

	w = answer();
	start = put_genl(w, RAMLOAD_NL_CMD_WORKER_GET);
	put(w, "\1\0\1\0", 4);
	end_message(w, start);
	put_worker(answer());
	put_end(answer(), 0);
	EXPECT_EQ(-EPROTO, ramload_stat_dump_workers(self->stat, 0,
						     &self->list));
	EXPECT_EQ(NULL, self->list);
	EXPECT_EQ(3, next_step);
	put_worker(answer());
	put_end(answer(), -ENOMEM);
	EXPECT_EQ(-ENOMEM, ramload_stat_dump_workers(self->stat, 0,
						     &self->list));
	put_error(answer(), -EOPNOTSUPP, NLM_F_CAPPED, 0, NULL);
	EXPECT_EQ(-EOPNOTSUPP, ramload_stat_dump_workers(self->stat, 0,
							 &self->list));
	EXPECT_EQ(NULL, self->list);
}

TEST_F(answer, events)
{
	struct writer *w;

	EXPECT_EQ(-1, ramload_stat_event_fd(self->stat));
	EXPECT_EQ(-EINVAL, ramload_stat_next_event(self->stat, &self->event));
	ASSERT_EQ(0, ramload_stat_listen(self->stat));
	EXPECT_EQ(-EALREADY, ramload_stat_listen(self->stat));
	EXPECT_LE(0, ramload_stat_event_fd(self->stat));
	EXPECT_EQ(0, ramload_stat_next_event(self->stat, &self->event));
	EXPECT_EQ(NULL, self->event);

	w = answer();
	put_job(w, RAMLOAD_NL_CMD_JOB_STARTED);
	put_job(w, RAMLOAD_NL_CMD_MAX + 1);
	put_context(w);
	put_job(w, RAMLOAD_NL_CMD_JOB_PROGRESS);
	script[nr_steps].port = 4711;
	put_job(answer(), RAMLOAD_NL_CMD_JOB_STARTED);
	script[nr_steps++].err = ENOBUFS;
	put(answer(), "\5", 1);
	put_job(answer(), RAMLOAD_NL_CMD_JOB_DONE);
	ASSERT_EQ(1, ramload_stat_next_event(self->stat, &self->event));
	EXPECT_EQ(RAMLOAD_STAT_JOB_STARTED, self->event->kind);
	EXPECT_EQ(RAMLOAD_A_JOB_ID, self->event->job->id);
	ASSERT_EQ(1, ramload_stat_next_event(self->stat, &self->event));
	EXPECT_EQ(RAMLOAD_STAT_JOB_PROGRESS, self->event->kind);
	EXPECT_EQ(-ENOBUFS, ramload_stat_next_event(self->stat, &self->event));
	EXPECT_EQ(NULL, self->event);
	EXPECT_EQ(-EPROTO, ramload_stat_next_event(self->stat, &self->event));
	ASSERT_EQ(1, ramload_stat_next_event(self->stat, &self->event));
	EXPECT_EQ(RAMLOAD_STAT_JOB_DONE, self->event->kind);
	EXPECT_EQ(0, ramload_stat_next_event(self->stat, &self->event));
}

TEST_HARNESS_MAIN
