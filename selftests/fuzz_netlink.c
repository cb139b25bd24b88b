// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Fuzzes the module's netlink family, for $RAMLOAD_SECONDS, with numbers of
 * $RAMLOAD_SEED. Some threads load, in contexts and jobs that come and go; some
 * ask, as root or as nobody, what is right, broken, or given up in the middle;
 * one listens on and off.
 *
 * What is checked: errors are those that the UAPI header tells of; dumps end,
 * go by rising id, and say each thing once; what is told agrees with itself;
 * totals never go down. It is for the kernel's own checks to find what it does
 * wrong inside.
 */

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/socket.h>

#include "fuzz_random.h"
#include "kselftest.h"
#include "netlink_ask.h"
#include "test_run.h"
#include "test_setting.h"

#define HANG		120
#define ROOM		512
#define JOBS		8
#define NOBODY		65533
#define MAX_BYTES	256
#define ENDLESS		100000

enum role { LOADS, ASKS, ASKS_AS_NOBODY, LISTENS };

static const enum role roles[] = {
	LOADS, LOADS, ASKS, ASKS, ASKS_AS_NOBODY, LISTENS,
};

#define THREADS	(sizeof(roles) / sizeof(roles[0]))

struct fuzzer {
	pthread_t thread;
	enum role role;
	struct random random;
	struct ask ask;
	struct answer answers[ROOM];
	struct answer totals;
	uint32_t seen_id;	/* of anything */
	unsigned long calls;
	unsigned long messages;
};

static struct fuzzer fuzzers[THREADS];
static atomic_bool failed;
static double deadline;
static int source;
static char *memory;

static void fail(const char *format, ...)
{
	va_list args;

	if (atomic_exchange(&failed, true))
		return;
	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts("");
}

static bool go_on(void)
{
	return !failed && run_now() < deadline;
}

/* Loads */

static void end_job(struct random *r, int *job)
{
	struct ramload_job_result result;

	if (*job < 0)
		return;
	if (one_in(r, 3))
		raw_cancel(*job);
	if (one_in(r, 2))
		raw_result(*job, RAMLOAD_JOB_RESULT_WAIT, &result);
	close(*job);
	*job = -1;
}

/* Some are past the end of the source, and fail. */
static int start_some_job(struct random *r, int fd)
{
	uint64_t offset = random_below(r, LENGTH / PAGE) * PAGE;
	uint64_t length = one_in(r, 2) ? PAGE :
			  (1 + random_below(r, LENGTH / PAGE)) * PAGE;
	struct ramload_range range = RANGE(offset, length, memory);

	return start_range(fd, source, RAMLOAD_DIRECT_AUTO, &range);
}

static void load_some(struct fuzzer *f)
{
	int jobs[JOBS] = { [0 ... JOBS - 1] = -1 };
	struct random *r = &f->random;
	unsigned int i, nr = random_below(r, 100);
	int fd = open_device();

	if (fd < 0 || raw_setup(fd, 1 + random_below(r, 3)))
		fail("no context: %s", strerror(errno));
	for (i = 0; i < nr; i++) {
		int *job = &jobs[random_below(r, JOBS)];

		end_job(r, job);
		*job = start_some_job(r, fd);
		f->calls++;
	}
	if (one_in(r, 2)) {
		close(fd);
		fd = -1;
	}
	for (i = 0; i < JOBS; i++)
		end_job(r, &jobs[i]);
	if (fd >= 0)
		close(fd);
}

/* What is told */

static bool is_sound_job(const struct answer *a)
{
	uint32_t state = VALUE(a, JOB, STATE);
	int32_t error = VALUE(a, JOB, ERROR);

	return VALUE(a, JOB, ID) && VALUE(a, JOB, CONTEXT) && a->comm[0] &&
	       VALUE(a, JOB, BYTES_DONE) <= VALUE(a, JOB, BYTES_TOTAL) &&
	       VALUE(a, JOB, CHUNKS_TAKEN) <= VALUE(a, JOB, CHUNKS) &&
	       VALUE(a, JOB, QUEUE_TIME) < HANG * 1000000000ULL &&
	       VALUE(a, JOB, SERVICE_TIME) < HANG * 1000000000ULL &&
	       state >= RAMLOAD_JOB_RUNNING && state <= RAMLOAD_JOB_CANCELLED &&
	       !error == (state == RAMLOAD_JOB_RUNNING ||
			  state == RAMLOAD_JOB_DONE) &&
	       (state != RAMLOAD_JOB_DONE ||
		VALUE(a, JOB, BYTES_DONE) == VALUE(a, JOB, BYTES_TOTAL));
}

static bool is_sound_worker(const struct answer *a)
{
	return VALUE(a, WORKER, CONTEXT) &&
	       VALUE(a, WORKER, STATE) <= RAMLOAD_WORKER_ENDED &&
	       a->has[RAMLOAD_A_WORKER_JOB] == !!VALUE(a, WORKER, JOB);
}

/* All but what there is now. */
static bool are_sound_totals(struct fuzzer *f, const struct answer *a)
{
	const struct answer *before = &f->totals;
	bool sound = VALUE(a, TOTALS, SUBMITTED) ==
		     VALUE(a, TOTALS, RUNNING) + VALUE(a, TOTALS, DONE) +
		     VALUE(a, TOTALS, FAILED) + VALUE(a, TOTALS, CANCELLED) &&
		     VALUE(a, TOTALS, RUNNING) < INT32_MAX;
	int i;

	for (i = RAMLOAD_A_TOTALS_SUBMITTED; i < RAMLOAD_A_TOTALS_MAX; i++)
		sound &= a->value[i] >= before->value[i];
	for (i = 0; i < (int)ASK_COUNTERS; i++)
		sound &= a->counters[i] >= before->counters[i];
	f->totals = *a;
	return sound;
}

static bool is_sound(struct fuzzer *f, const struct answer *a)
{
	f->messages++;
	switch (a->cmd) {
	case RAMLOAD_NL_CMD_CONTEXT_GET:
		return VALUE(a, CONTEXT, ID) && a->comm[0];
	case RAMLOAD_NL_CMD_WORKER_GET:
		return is_sound_worker(a);
	case RAMLOAD_NL_CMD_TOTALS_GET:
		return are_sound_totals(f, a);
	case RAMLOAD_NL_CMD_JOB_GET:
	case RAMLOAD_NL_CMD_JOB_STARTED:
	case RAMLOAD_NL_CMD_JOB_PROGRESS:
	case RAMLOAD_NL_CMD_JOB_DONE:
		return is_sound_job(a);
	default:
		return false;
	}
}

/* Where in a dump it comes: a context or job by id, a worker by both. */
static uint64_t place(const struct answer *a)
{
	switch (a->cmd) {
	case RAMLOAD_NL_CMD_CONTEXT_GET:
		return VALUE(a, CONTEXT, ID);
	case RAMLOAD_NL_CMD_WORKER_GET:
		return VALUE(a, WORKER, CONTEXT) << 16 |
		       (VALUE(a, WORKER, INDEX) + 1);
	default:
		return VALUE(a, JOB, ID);
	}
}

static bool may_be_error(int error)
{
	switch (-error) {
	case EAGAIN:	/* There is no more. */
	case EINVAL:
	case ERANGE:
	case ENOENT:
	case EPERM:
	case EOPNOTSUPP:
	case EBUSY:	/* A dump goes on. */
	case ENOBUFS:
		return true;
	default:
		return false;
	}
}

/* Reads what has come, or a few parts of it. */
static void read_answers(struct fuzzer *f, bool is_dump, unsigned int parts)
{
	uint64_t last = 0;
	unsigned int nr = 0;
	int i, ret;

	while (parts-- && (ret = ask_next(&f->ask, f->answers, ROOM)) > 0) {
		for (i = 0; i < ret && i < ROOM; i++) {
			const struct answer *a = &f->answers[i];

			if (!is_sound(f, a))
				fail("command %u: an answer is not sound",
				     a->cmd);
			if (is_dump && place(a) <= last)
				fail("a dump of command %u goes back", a->cmd);
			last = place(a);
			f->seen_id = last;
		}
		nr += ret;
		if (nr > ENDLESS)
			fail("a dump does not end");
		if (failed)
			return;
	}
	if (ret < 0 && !may_be_error(ret))
		fail("answered with %s", strerror(-ret));
}

/* Requests */

static uint32_t some_id(struct fuzzer *f)
{
	if (one_in(&f->random, 4))
		return random_value(&f->random);
	return f->seen_id + random_below(&f->random, 8) - 4;
}

static size_t add_attr(struct fuzzer *f, char *buf, size_t at, bool broken)
{
	struct random *r = &f->random;
	struct nlattr attr = {
		.nla_type = broken ? random_value(r) : random_below(r, 4),
		.nla_len = NLA_HDRLEN + sizeof(uint32_t),
	};
	uint32_t value = some_id(f);

	if (at + 64 > MAX_BYTES)
		return at;
	if (broken)
		attr.nla_len = random_below(r, 20);
	memcpy(buf + at, &attr, sizeof(attr));
	memcpy(buf + at + NLA_HDRLEN, &value, sizeof(value));
	return at + NLA_HDRLEN + (broken ? random_below(r, 24) : sizeof(value));
}

/* What is left of the answers to earlier requests. */
static void drain(struct fuzzer *f)
{
	int fd = nl_socket_get_fd(f->ask.sock);
	unsigned int nr = 0;
	char part[64];

	while (recv(fd, part, sizeof(part), 0) >= 0 || errno == ENOBUFS)
		if (++nr > ENDLESS)
			fail("what is told does not end");
}

static void ask_something(struct fuzzer *f, bool broken)
{
	struct random *r = &f->random;
	bool alone = one_in(r, 2);
	bool dump = one_in(r, 2);
	uint8_t cmd = broken && one_in(r, 4) ?
		      random_next(r) : 1 + random_below(r, 4);
	uint16_t flags = dump ? NLM_F_DUMP : 0;
	char buf[MAX_BYTES] = "";
	size_t bytes = 0;

	if (broken && one_in(r, 4))
		flags = random_next(r);
	while (!one_in(r, broken ? 4 : 2))
		bytes = add_attr(f, buf, bytes, broken && one_in(r, 3));
	if (alone)
		drain(f);
	if (ask_send(&f->ask, cmd, flags, buf, bytes))
		fail("cannot send: %s", strerror(errno));
	read_answers(f, alone && (flags & NLM_F_DUMP) == NLM_F_DUMP,
		     one_in(r, 4) ? random_below(r, 3) : UINT_MAX);
}

/* A few bytes, one of which is no longer what it was. */
static void ask_garbage(struct fuzzer *f)
{
	struct random *r = &f->random;
	struct {
		struct nlmsghdr head;
		struct genlmsghdr genl;
		char bytes[MAX_BYTES];
	} msg = {
		.head.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN +
				  random_below(r, MAX_BYTES),
		.head.nlmsg_flags = NLM_F_REQUEST,
		.head.nlmsg_type = f->ask.family,
		.genl.cmd = random_below(r, 10),
	};
	char *at = (char *)&msg;
	unsigned int i;

	for (i = 0; i < MAX_BYTES; i += 4)
		if (one_in(r, 2))
			memcpy(msg.bytes + i, &(uint32_t){ random_value(r) },
			       4);
	at[random_below(r, sizeof(msg))] = random_next(r);
	/* Never a request of another family. */
	msg.head.nlmsg_type = f->ask.family;
	send(nl_socket_get_fd(f->ask.sock), &msg,
	     random_below(r, sizeof(msg) + 1), 0);
	f->ask.ended = false;
	read_answers(f, false, 4);
}

static void open_ask(struct fuzzer *f)
{
	int fd;

	if (ask_open(&f->ask)) {
		fail("no socket");
		return;
	}
	fd = nl_socket_get_fd(f->ask.sock);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (one_in(&f->random, 4))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ 1 }, sizeof(int));
}

static void ask_some(struct fuzzer *f)
{
	unsigned int nr = random_below(&f->random, 30);

	open_ask(f);
	while (nr-- && go_on()) {
		if (one_in(&f->random, 6))
			ask_garbage(f);
		else
			ask_something(f, one_in(&f->random, 2));
		f->calls++;
	}
	/* Perhaps in the middle of a dump. */
	if (f->ask.sock)
		ask_close(&f->ask);
}

static void listen_some(struct fuzzer *f)
{
	unsigned int nr = random_below(&f->random, 200);

	open_ask(f);
	if (!failed && ask_listen(&f->ask))
		fail("cannot listen");
	while (nr-- && go_on()) {
		read_answers(f, false, UINT_MAX);
		if (one_in(&f->random, 4))
			usleep(random_below(&f->random, 5000));
		f->calls++;
	}
	if (f->ask.sock)
		ask_close(&f->ask);
}

static void *run(void *arg)
{
	struct fuzzer *f = arg;

	/* Of this thread alone. */
	if (f->role == ASKS_AS_NOBODY &&
	    syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY))
		fail("cannot become nobody");
	while (go_on()) {
		if (f->role == LOADS)
			load_some(f);
		else if (f->role == LISTENS)
			listen_some(f);
		else
			ask_some(f);
	}
	return NULL;
}

int main(void)
{
	unsigned int seconds = run_seconds(2);
	uint64_t seed = run_seed();
	struct ask ask;
	unsigned int i;
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	fd = open_device();
	if (fd < 0 && errno == ENOENT)
		ksft_exit_skip("no " RAMLOAD_DEVICE "\n");
	close(fd);
	if (geteuid())
		ksft_exit_skip("not root\n");
	if (ask_open(&ask))
		ksft_exit_fail_msg("no netlink family\n");
	ask_close(&ask);
	ksft_set_plan(1);
	printf("# seed %llu\n", (unsigned long long)seed);
	source = memfd_create_pattern(SEED_SOURCE, LENGTH);
	memory = map_anonymous(LENGTH, PROT_READ | PROT_WRITE);
	if (source < 0 || memory == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");
	/* One that hangs ends the program. */
	alarm(seconds + HANG);
	deadline = run_now() + seconds;
	for (i = 0; i < THREADS; i++) {
		fuzzers[i].role = roles[i];
		random_seed(&fuzzers[i].random, seed, i, 0);
		if (pthread_create(&fuzzers[i].thread, NULL, run, &fuzzers[i]))
			ksft_exit_fail_msg("no thread\n");
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(fuzzers[i].thread, NULL);
		printf("# thread %u: %lu calls, %lu messages\n", i,
		       fuzzers[i].calls, fuzzers[i].messages);
	}
	ksft_test_result(!failed, "fuzz_netlink\n");
	ksft_finished();
}
