// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * usage: fuzz_ioctl [--seed N] [--threads N] [--seconds N] [--calls N]
 *
 * Fuzzes the ioctls of /dev/ramload. Several threads share contexts, jobs,
 * sources and memory, and make calls that are right, broken, or first the one
 * and then changed in some places. Call n of thread t draws all it does from
 * (seed, t, n), so a run is repeated with its seed, threads and calls, as far
 * as the threads meet in the same way.
 *
 * What is checked: ioctls return what the UAPI header documents; results agree
 * with themselves; good loads into memory of a thread's own load exactly what
 * they should; no call takes longer than HANG seconds; fds of jobs are
 * close-on-exec; nothing is left of threads and fds. It is for the kernel's
 * own checks to find what it does wrong inside.
 */

#include <dirent.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fuzz_call.h"
#include "kselftest.h"

#define HANG		60
#define MAX_THREADS	64

uint64_t fuzz_seed;
struct fuzzer *fuzzers;
unsigned int nr_fuzzers = 4;
atomic_bool fuzz_failed;

static uint64_t max_calls;
static unsigned int seconds = 5;
static long deadline;

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

void fuzz_fail(struct fuzzer *f, const char *format, ...)
{
	char text[256];
	va_list args;

	if (atomic_exchange(&fuzz_failed, true))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# thread %u%s, call %llu: %s\n", f->id,
	       f->child ? " (child)" : "", (unsigned long long)f->call, text);
	printf("# repeat with: fuzz_ioctl --seed %llu --threads %u --calls %llu\n",
	       (unsigned long long)fuzz_seed, nr_fuzzers,
	       (unsigned long long)(f->call & 0xffffffffff) + 1000);
	fflush(stdout);
}

static bool go_on(const struct fuzzer *f)
{
	if (fuzz_failed)
		return false;
	return max_calls ? f->call < max_calls : now() < deadline;
}

static void *run_fuzzer(void *arg)
{
	struct fuzzer *f = arg;

	for (f->call = 0; go_on(f); f->call++)
		fuzz_call(f);
	return NULL;
}

static void on_signal(int signal)
{
}

/* True if a thread has been in a call for too long. */
static bool is_hanging(struct fuzzer *f)
{
	long started = f->started;

	if (!started || now() - started < HANG)
		return false;
	fuzz_fail(f, "call of kind %d takes over %d s", f->op, HANG);
	return true;
}

static void watch(void)
{
	unsigned int i, running;

	do {
		running = 0;
		for (i = 0; i < nr_fuzzers; i++) {
			if (!pthread_tryjoin_np(fuzzers[i].thread, NULL))
				fuzzers[i].joined = true;
			running += !fuzzers[i].joined;
			if (!fuzzers[i].joined && is_hanging(&fuzzers[i])) {
				ksft_test_result_fail("fuzz_ioctl\n");
				fflush(stdout);
				_exit(KSFT_FAIL);
			}
		}
		usleep(100000);
	} while (running);
}

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Workers end a moment after their context is closed. */
static void check_leaks(int fds)
{
	long end = now() + HANG;
	int tasks, now_fds;

	do {
		tasks = count_entries("/proc/self/task") - 2;
		now_fds = count_entries("/proc/self/fd");
		if (tasks == 1 && now_fds <= fds)
			return;
		usleep(10000);
	} while (now() < end);
	fuzz_fail(&fuzzers[0], "%d threads, %d fds are left, %d before",
		  tasks, now_fds, fds);
}

static void print_summary(long took)
{
	count_print();
	printf("# %llu calls, %llu loads, %ld s, %u threads, seed %llu\n",
	       (unsigned long long)count_calls(),
	       (unsigned long long)count_loads(), took, nr_fuzzers,
	       (unsigned long long)fuzz_seed);
}

static void run_fuzzers(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	unsigned int i;
	long start;
	int fds;

	if (count_init() || arena_init())
		ksft_exit_fail_msg("cannot set up: %s\n", strerror(errno));
	sigaction(SIGUSR1, &action, NULL);
	fds = count_entries("/proc/self/fd");
	for (i = 0; i < nr_fuzzers; i++) {
		fuzzers[i].id = i;
		fuzzers[i].thread = pthread_self();
		if (state_init(&fuzzers[i]))
			ksft_exit_fail_msg("cannot set up: %s\n",
					   strerror(errno));
	}
	start = now();
	deadline = start + seconds;
	for (i = 0; i < nr_fuzzers; i++)
		if (pthread_create(&fuzzers[i].thread, NULL, run_fuzzer,
				   &fuzzers[i]))
			ksft_exit_fail_msg("no thread\n");
	watch();
	arena_end();
	for (i = 0; i < nr_fuzzers; i++)
		state_end(&fuzzers[i]);
	check_leaks(fds);
	print_summary(now() - start);
}

static uint64_t from_environment(const char *name, uint64_t value)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : value;
}

static void get_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "threads", required_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 'n' },
		{ "calls", required_argument, NULL, 'c' },
		{ 0 },
	};
	int c;

	fuzz_seed = from_environment("RAMLOAD_SEED", time(NULL) ^ getpid());
	seconds = from_environment("RAMLOAD_SECONDS", seconds);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			fuzz_seed = strtoull(optarg, NULL, 0);
		else if (c == 't')
			nr_fuzzers = strtoul(optarg, NULL, 0);
		else if (c == 'n')
			seconds = strtoul(optarg, NULL, 0);
		else if (c == 'c')
			max_calls = strtoull(optarg, NULL, 0);
		else
			ksft_exit_fail_msg("bad option\n");
	}
	if (!nr_fuzzers || nr_fuzzers > MAX_THREADS)
		ksft_exit_fail_msg("1 to %d threads\n", MAX_THREADS);
}

int main(int argc, char **argv)
{
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	get_options(argc, argv);
	fd = open_device();
	if (fd < 0 && errno == ENOENT)
		ksft_exit_skip("no " RAMLOAD_DEVICE "\n");
	close(fd);
	ksft_set_plan(1);
	printf("# seed %llu\n", (unsigned long long)fuzz_seed);
	fuzzers = calloc(nr_fuzzers, sizeof(*fuzzers));
	if (!fuzzers)
		ksft_exit_fail_msg("no memory\n");
	run_fuzzers();
	ksft_test_result(!fuzz_failed, "fuzz_ioctl\n");
	ksft_finished();
}
