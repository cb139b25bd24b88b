// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "fuzz_call.h"

#define NOBODY	65534

void check_result(struct fuzzer *f, const struct ramload_job_result *res)
{
	int error = res->out_error;
	bool good = res->out_bytes_done <= res->out_bytes_total;

	switch (res->out_state) {
	case RAMLOAD_JOB_RUNNING:
		good &= !error;
		break;
	case RAMLOAD_JOB_DONE:
		good &= !error && res->out_bytes_done == res->out_bytes_total;
		break;
	case RAMLOAD_JOB_CANCELLED:
		good &= error == -ECANCELED;
		break;
	case RAMLOAD_JOB_FAILED:
		good &= error < 0 && error != -ECANCELED &&
			count_job_documented(-error);
		break;
	default:
		good = false;
	}
	if (!good)
		fuzz_fail(f, "state %u, error %d, %llu of %llu bytes done",
			  res->out_state, error,
			  (unsigned long long)res->out_bytes_done,
			  (unsigned long long)res->out_bytes_total);
	if (res->out_state != RAMLOAD_JOB_RUNNING)
		count_job(error);
}

/* In a page of the thread's own, or half behind it. */
static uint64_t own_address(struct fuzzer *f, size_t size)
{
	uint64_t end = (uintptr_t)f->page + PAGE;

	return end - (one_in(&f->r, 4) ? random_below(&f->r, size) & ~7 : size);
}

int fuzz_ioctl(struct fuzzer *f, enum fuzz_op op, int fd, unsigned long cmd,
	       void *arg, size_t size)
{
	struct random *r = &f->r;
	uint64_t at = (uintptr_t)arg;
	bool moved = one_in(r, 4);
	int ret;

	if (moved) {
		/* The fd that a load returns must not be overwritten. */
		at = op == OP_LOAD ? own_address(f, size) :
		     arena_address(r) & ~7;
		arena_write(f, at, arg, size);
		if (one_in(r, 16))
			at = fuzz_safe(random_value(r)) & ~7;
	}
	f->checked = !moved;
	ret = ioctl(fd, cmd, at) ? -errno : 0;
	if (moved && (!ret || ret == -EINTR))
		arena_read(f, arg, at, size);
	count_call(op, ret);
	if (ret && !count_documented(op, -ret))
		fuzz_fail(f, "ioctl %#lx on fd %d: %s is not documented", cmd,
			  fd, strerrorname_np(-ret));
	return ret;
}

/* A struct of @size bytes, of which some are changed. */
static void mutate_some(struct fuzzer *f, void *arg, size_t size)
{
	if (one_in(&f->r, 2))
		return;
	do {
		random_mutate(&f->r, arg, size);
	} while (one_in(&f->r, 2));
}

static int context_fd(struct fuzzer *f)
{
	return one_in(&f->r, 8) ? any_fd(&f->r) : pool_peek(&contexts, &f->r);
}

static int job_fd(struct fuzzer *f)
{
	return one_in(&f->r, 8) ? any_fd(&f->r) : pool_peek(&jobs, &f->r);
}

static int call_open(struct fuzzer *f)
{
	int fd = open(RAMLOAD_DEVICE, O_CLOEXEC | (one_in(&f->r, 2) ? O_RDWR :
						   O_RDONLY));

	if (fd < 0)
		return -errno;
	pool_put(&contexts, &f->r, fd);
	return 0;
}

static struct pool *any_pool(struct fuzzer *f)
{
	switch (random_below(&f->r, 6)) {
	case 0:
		return &contexts;
	case 1:
		return &sources;
	default:
		return &jobs;
	}
}

static int call_close(struct fuzzer *f)
{
	return close(pool_take(any_pool(f), &f->r)) ? -errno : 0;
}

static int call_dup(struct fuzzer *f)
{
	struct pool *pool = any_pool(f);
	int fd = fcntl(pool_peek(pool, &f->r), F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	pool_put(pool, &f->r, fd);
	return 0;
}

static int call_info(struct fuzzer *f)
{
	struct {
		struct ramload_info info;
		uint64_t more[4];
	} arg = { .info.size = sizeof(arg.info) };

	mutate_some(f, &arg, sizeof(arg));
	return fuzz_ioctl(f, OP_INFO, context_fd(f), RAMLOAD_INFO, &arg,
			  sizeof(arg));
}

static int call_setup(struct fuzzer *f)
{
	struct {
		struct ramload_setup setup;
		uint64_t more[4];
	} arg = {
		.setup = {
			.size = sizeof(arg.setup),
			.workers = 1 + random_below(&f->r, 3),
		},
	};

	if (one_in(&f->r, 64))
		arg.setup.workers = 62 + random_below(&f->r, 4);
	mutate_some(f, &arg, sizeof(arg));
	return fuzz_ioctl(f, OP_SETUP, context_fd(f), RAMLOAD_SETUP, &arg,
			  sizeof(arg));
}

static int call_result(struct fuzzer *f)
{
	struct {
		struct ramload_job_result res;
		uint64_t more[4];
	} arg = {
		.res = {
			.size = sizeof(arg.res),
			.flags = one_in(&f->r, 2),
		},
	};
	int ret;

	mutate_some(f, &arg, sizeof(arg));
	arg.res.out_state = 0;
	ret = fuzz_ioctl(f, OP_RESULT, job_fd(f), RAMLOAD_JOB_RESULT, &arg,
			 sizeof(arg));
	/* In the arena, others may have overwritten it. */
	if (!ret && arg.res.out_state && arg.res.size == sizeof(arg.res) &&
	    !arg.more[0] && f->checked)
		check_result(f, &arg.res);
	return ret;
}

static int call_cancel(struct fuzzer *f)
{
	struct {
		struct ramload_job_cancel cancel;
		uint64_t more[4];
	} arg = { .cancel.size = sizeof(arg.cancel) };

	mutate_some(f, &arg, sizeof(arg));
	return fuzz_ioctl(f, OP_CANCEL, job_fd(f), RAMLOAD_JOB_CANCEL, &arg,
			  sizeof(arg));
}

/* Numbers of ramload, mixed up, and others near them. */
static int call_unknown(struct fuzzer *f)
{
	static const unsigned int known[] = {
		RAMLOAD_INFO, RAMLOAD_SETUP, RAMLOAD_LOAD, RAMLOAD_JOB_RESULT,
		RAMLOAD_JOB_CANCEL,
	};
	unsigned int cmd = known[random_below(&f->r, 5)];
	uint64_t arg = fuzz_safe(random_value(&f->r)) & ~7;
	int ret;

	if (one_in(&f->r, 2))
		cmd ^= 1U << random_below(&f->r, 8);
	if (one_in(&f->r, 2))
		cmd ^= 1U << (16 + random_below(&f->r, 16));
	ret = ioctl(one_in(&f->r, 2) ? context_fd(f) : job_fd(f), cmd, arg) ?
	      -errno : 0;
	return ret;
}

static int call_poll(struct fuzzer *f)
{
	struct pollfd fds[4];
	int i, ret;

	for (i = 0; i < 4; i++)
		fds[i] = (struct pollfd){ .fd = job_fd(f), .events = ~0 };
	ret = poll(fds, 4, random_below(&f->r, 5));
	return ret < 0 ? -errno : 0;
}

static int call_signal(struct fuzzer *f)
{
	unsigned int to = random_below(&f->r, nr_fuzzers);

	if (f->child)
		return -EPERM;
	return -pthread_kill(fuzzers[to].thread, SIGUSR1);
}

/*
 * A child works on its copy of everything: contexts that are not its own,
 * jobs that are shared, a context of its own, which it may leave in mid-load.
 */
static void run_child(struct fuzzer *f)
{
	struct rlimit few = { 0, 0 };
	int i, ret, n = 1 + random_below(&f->r, 12);

	f->child = true;
	/* What it leaves behind would store to what its parent compares. */
	f->memory[0] = mmap(NULL, COMPARED, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	f->ctx = open_device();
	switch (random_below(&f->r, 4)) {
	case 0:
		setrlimit(RLIMIT_NPROC, &few);
		if (setresuid(NOBODY, NOBODY, NOBODY))
			_exit(1);
		ret = raw_setup(f->ctx, 1) ? -errno : 0;
		count_call(OP_SETUP, ret);
		break;
	case 1:
		raw_setup(f->ctx, 2);
		setrlimit(RLIMIT_NOFILE, &few);
		break;
	default:
		raw_setup(f->ctx, 1);
	}
	pool_put(&contexts, &f->r, f->ctx);
	f->ctx = fcntl(f->ctx, F_DUPFD_CLOEXEC, 3);
	for (i = 0; i < n && !fuzz_failed; i++) {
		f->call += UINT64_C(1) << 40;
		fuzz_call(f);
	}
	fuzz_load(f);
	_exit(fuzz_failed);
}

static int call_child(struct fuzzer *f)
{
	unsigned int delay = random_below(&f->r, 3000);
	bool kill_it = one_in(&f->r, 2);
	int status;
	pid_t pid;

	if (f->child)
		return -EPERM;
	pid = fork();
	if (!pid)
		run_child(f);
	if (pid < 0)
		return -errno;
	if (kill_it) {
		usleep(delay);
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) ? WTERMSIG(status) != SIGKILL :
	    WEXITSTATUS(status))
		fuzz_fail(f, "child ended with status %#x", status);
	return 0;
}

static const struct {
	enum fuzz_op op;
	int (*call)(struct fuzzer *f);
	unsigned int weight;
} calls[] = {
	{ OP_LOAD, fuzz_load, 260 },
	{ OP_GOOD_LOAD, fuzz_good_load, 60 },
	{ OP_RESULT, call_result, 140 },
	{ OP_CANCEL, call_cancel, 60 },
	{ OP_INFO, call_info, 60 },
	{ OP_SETUP, call_setup, 100 },
	{ OP_OPEN, call_open, 30 },
	{ OP_CLOSE, call_close, 50 },
	{ OP_DUP, call_dup, 20 },
	{ OP_UNKNOWN, call_unknown, 50 },
	{ OP_POLL, call_poll, 20 },
	{ OP_MEMORY, change_memory, 70 },
	{ OP_FILE, change_file, 40 },
	{ OP_SOURCE, make_source, 25 },
	{ OP_SIGNAL, call_signal, 20 },
	{ OP_CHILD, call_child, 3 },
	{ OP_FLOOD, fuzz_flood, 1 },
};

static bool is_ioctl(enum fuzz_op op)
{
	return op >= OP_INFO && op <= OP_CANCEL;
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1;
}

void fuzz_call(struct fuzzer *f)
{
	unsigned int total = 0, i, pick;
	int ret;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		total += calls[i].weight;
	random_seed(&f->r, fuzz_seed, f->id, f->call);
	pick = random_below(&f->r, total);
	for (i = 0; pick >= calls[i].weight; i++)
		pick -= calls[i].weight;
	f->op = calls[i].op;
	f->started = now();
	ret = calls[i].call(f);
	f->started = 0;
	if (!is_ioctl(calls[i].op))
		count_call(calls[i].op, ret);
}
