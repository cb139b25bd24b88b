// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* A process that loads with several threads, and one that disturbs them. */

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stress.h"
#include "test_files.h"

void stress_fail(struct stress *st, const char *format, ...)
{
	bool already = atomic_exchange(&st->failed, true);
	va_list args;

	if (already)
		return;
	va_start(args, format);
	vsnprintf(st->failure, sizeof(st->failure), format, args);
	va_end(args);
	st->stop = true;
}

/*
 * What may be where
 */

static const char *slot_source_bytes(const struct slot *s, size_t at)
{
	return s->loader->st->source_bytes + s->shift + at;
}

static void fail_at(struct slot *s, size_t at, const char *what)
{
	const unsigned char *map = (unsigned char *)slot_memory(s)->map;

	stress_fail(s->loader->st,
		    "%s: at %#zx of %s: %02x; source %u direct %u shift %#zx old %d",
		    what, at, memory_name(s->kind), map[at], s->source,
		    s->direct, s->shift, s->old);
}

/* Each byte is the source's, zero if @zero, or what was there if @old. */
static bool bytes_are(struct slot *s, size_t from, size_t to, bool zero,
		      bool old)
{
	const struct stress *st = s->loader->st;
	const char *map = slot_memory(s)->map;
	const char *source = slot_source_bytes(s, 0);
	size_t i;

	for (i = from; i < to; i++) {
		if (map[i] == source[i] || (zero && !map[i]))
			continue;
		if (old && map[i] == (s->old ? st->old_bytes[i] : 0))
			continue;
		fail_at(s, i, old ? "foreign byte" : "not loaded");
		return false;
	}
	return true;
}

static bool is_all(struct slot *s, size_t at, size_t length, bool old)
{
	const struct stress *st = s->loader->st;
	const char *map = slot_memory(s)->map + at;

	if (!memcmp(map, slot_source_bytes(s, at), length))
		return true;
	if (!old)
		return false;
	return s->old ? !memcmp(map, st->old_bytes + at, length) :
	       all_zero(map, length);
}

/* The same, faster where pages are all one or the other. */
static bool range_is(struct slot *s, size_t from, size_t to, bool old)
{
	bool zero = stress_has(s->loader->st, DISCARDS);
	size_t next;

	for (; from < to; from = next) {
		next = (from + PAGE) & ~(PAGE - 1);
		if (next > to)
			next = to;
		if (!is_all(s, from, next - from, old) &&
		    !bytes_are(s, from, next, zero, old))
			return false;
	}
	return true;
}

/* Nothing was loaded there. */
static bool gap_is(struct slot *s, size_t from, size_t to)
{
	const struct stress *st = s->loader->st;
	bool zero = !s->old || stress_has(st, DISCARDS);
	const char *map = slot_memory(s)->map;
	size_t i;

	if (from < to && !s->old && all_zero(map + from, to - from))
		return true;
	for (i = from; i < to; i++) {
		if ((zero && !map[i]) || (s->old && map[i] == st->old_bytes[i]))
			continue;
		fail_at(s, i, "byte outside of all ranges");
		return false;
	}
	return true;
}

static size_t known_length(const struct slot *s, unsigned int range,
			   const struct ramload_job_result *result)
{
	const struct ramload_range *r = &s->ranges[range];

	if (!result || result->out_state == RAMLOAD_JOB_RUNNING)
		return 0;
	if (!result->out_error || range < result->out_error_range)
		return r->length;
	if (range > result->out_error_range)
		return 0;
	return result->out_error_offset - r->file_offset;
}

void stress_check(struct slot *s, const struct ramload_job_result *result)
{
	char *map = slot_memory(s)->map;
	size_t at = 0, start, known;
	unsigned int i;

	for (i = 0; i < s->nr_ranges; i++) {
		start = (char *)(uintptr_t)s->ranges[i].dest - map;
		known = known_length(s, i, result);
		if (known > s->ranges[i].length) {
			stress_fail(s->loader->st, "error outside of its range");
			return;
		}
		if (!gap_is(s, at, start) ||
		    !range_is(s, start, start + known, false) ||
		    !range_is(s, start + known, start + s->ranges[i].length,
			      true))
			return;
		at = start + s->ranges[i].length;
	}
	gap_is(s, at, STRESS_LENGTH);
}

/*
 * A load
 */

static void set_fd(struct slot *s, enum stress_fd which, int fd)
{
	if (fd < 0)
		return;
	dup3(fd, slot_fd(s, which), O_CLOEXEC);
	close(fd);
}

static void choose_memory(struct slot *s)
{
	bool files = stress_has(s->loader->st, FILES_ONLY);

	do {
		s->kind = rnd_below(&s->rnd, MEMORY_KINDS);
	} while (!slot_memory(s)->map || (files && slot_memory(s)->fd < 0));
}

static void choose_source(struct slot *s)
{
	struct stress *st = s->loader->st;

	do {
		s->source = rnd_below(&s->rnd, STRESS_SOURCES);
	} while (st->sources[s->source] < 0);
	s->direct = rnd_chance(&s->rnd, 3) ? RAMLOAD_DIRECT_OFF :
		    RAMLOAD_DIRECT_AUTO;
	if (s->source == SOURCE_EXT4 && rnd_chance(&s->rnd, 2))
		s->direct = RAMLOAD_DIRECT_ON;
	s->flags = rnd_chance(&s->rnd, 4) ? RAMLOAD_LOAD_DONTCACHE : 0;
	if (s->source == SOURCE_EXT4 && rnd_chance(&s->rnd, 2))
		file_evict(st->sources[s->source]);
	set_fd(s, FD_SOURCE, dup(st->sources[s->source]));
}

static void choose_ranges(struct slot *s)
{
	struct rnd *rnd = &s->rnd;
	unsigned int i;
	size_t from, to;

	s->shift = rnd_below(rnd, STRESS_SHIFT);
	if (rnd_chance(rnd, 2))
		s->shift &= ~(PAGE - 1);
	s->nr_ranges = 1 + rnd_below(rnd, STRESS_RANGES);
	for (i = 0; i < s->nr_ranges; i++) {
		from = STRESS_LENGTH * i / s->nr_ranges;
		to = STRESS_LENGTH * (i + 1) / s->nr_ranges;
		if (rnd_chance(rnd, 2))
			from += rnd_below(rnd, 2 * PAGE);
		if (rnd_chance(rnd, 2))
			to -= rnd_below(rnd, 2 * PAGE);
		s->ranges[i] = RANGE(s->shift + from, to - from,
				     slot_memory(s)->map + from);
	}
}

static void open_context(struct slot *s)
{
	unsigned int workers = 1 + rnd_below(&s->rnd, STRESS_WORKERS);
	int fd = open_device(), err = 0;

	/* Those of processes that have ended count until they are reaped. */
	while (fd >= 0 && (err = raw_setup(fd, workers)) && errno == EAGAIN &&
	       !s->loader->st->stop)
		usleep(1000);
	if (err) {
		close(fd);
		fd = -1;
	}
	set_fd(s, FD_CONTEXT, fd);
}

static void prepare(struct slot *s)
{
	struct stress *st = s->loader->st;

	s->loading = false;
	choose_memory(s);
	choose_source(s);
	choose_ranges(s);
	s->old = rnd_chance(&s->rnd, 2);
	memory_discard(slot_memory(s));
	if (s->old)
		memcpy(slot_memory(s)->map, st->old_bytes, STRESS_LENGTH);
	if (stress_has(st, OWN_CONTEXT))
		open_context(s);
	s->loading = true;
}

/* Another thread may do so while we load. */
static void check_now(struct slot *s, const struct ramload_job_result *result)
{
	pthread_mutex_lock(&s->lock);
	stress_check(s, result);
	pthread_mutex_unlock(&s->lock);
}

/* Returns 0 if there is a result; else the job was closed by somebody. */
static int wait_for_end(struct slot *s, struct ramload_job_result *result)
{
	bool never = stress_has(s->loader->st, NEVER_WAIT);
	struct pollfd pfd = { .fd = slot_fd(s, FD_JOB), .events = POLLIN };
	double limit = run_now() + STRESS_HANG;

	if (!never && rnd_chance(&s->rnd, 2)) {
		while (raw_result(pfd.fd, RAMLOAD_JOB_RESULT_WAIT, result))
			if (errno != EINTR)
				return -1;
		return 0;
	}
	while (poll(&pfd, 1, never ? 0 : 10) <= 0) {
		if (run_now() > limit)
			stress_fail(s->loader->st, "a job does not end");
		if (rnd_chance(&s->rnd, 4))
			check_now(s, NULL);
		else if (never)
			usleep(50);
	}
	return raw_result(pfd.fd, 0, result);
}

static bool is_expected(const struct stress *st, int err)
{
	int i;

	for (i = 0; i < STRESS_ERRORS && st->kind->errors[i]; i++)
		if (err == -st->kind->errors[i])
			return true;
	return !err;
}

/*
 * Returns 0 or the errno; @result says more if its out_state is set. Signals
 * that are not for the process to handle, SIGCONT, interrupt a wait, too.
 */
static int load(struct slot *s, struct ramload_job_result *result)
{
	struct ramload_load load = LOAD(slot_fd(s, FD_SOURCE), s->ranges,
					s->nr_ranges, .direct = s->direct,
					.flags = s->flags,
					.chunk_size = KIB(64));
	bool never = stress_has(s->loader->st, NEVER_WAIT);
	int err;

	*result = (struct ramload_job_result){};
	if (!never && rnd_chance(&s->rnd, 2)) {
		err = load_wait(slot_fd(s, FD_CONTEXT), &load, result);
		if (err != -EINTR)
			return err;
	} else if (raw_load(slot_fd(s, FD_CONTEXT), &load)) {
		return -errno;
	}
	set_fd(s, FD_JOB, load.out_job_fd);
	if (wait_for_end(s, result)) {
		*result = (struct ramload_job_result){};
		return -EBADF;
	}
	return result->out_error;
}

static void load_round(struct slot *s)
{
	struct stress *st = s->loader->st;
	struct ramload_job_result result;
	int err;

	pthread_mutex_lock(&s->lock);
	prepare(s);
	pthread_mutex_unlock(&s->lock);
	err = load(s, &result);
	pthread_mutex_lock(&s->lock);
	if (is_expected(st, err))
		stress_check(s, result.out_state ? &result : NULL);
	else
		stress_fail(st, "error %d into %s, source %u, direct %u", err,
			    memory_name(s->kind), s->source, s->direct);
	close(slot_fd(s, FD_JOB));
	close(slot_fd(s, FD_SOURCE));
	if (stress_has(st, OWN_CONTEXT))
		close(slot_fd(s, FD_CONTEXT));
	s->loading = false;
	memory_discard(slot_memory(s));
	pthread_mutex_unlock(&s->lock);
	st->loads++;
	st->good += err >= 0;
}

static void *slot_thread(void *arg)
{
	struct slot *s = arg;
	struct stress *st = s->loader->st;

	while (!st->stop) {
		load_round(s);
		if (!stress_has(st, IDLES))
			continue;
		do {
			usleep(rnd_below(&s->rnd, 20000));
		} while (stress_rests(st) && !st->stop);
	}
	return NULL;
}

static void *disturb_thread(void *arg)
{
	struct loader *l = arg;
	struct stress *st = l->st;
	struct rnd rnd = rnd_make(st->seed, l->nr * 1000 + l->generation);
	struct slot *s;

	while (!st->stop) {
		usleep(rnd_below(&rnd, 3000));
		if (stress_is_calm(st))
			continue;
		s = &l->slots[rnd_slot(&rnd)];
		pthread_mutex_lock(&s->lock);
		st->kind->inside(s, &rnd);
		pthread_mutex_unlock(&s->lock);
		st->rounds++;
	}
	return NULL;
}

static void give_contexts(struct loader *l)
{
	unsigned int i;

	for (i = 0; i < STRESS_THREADS; i++) {
		if (i && l->share_context)
			dup3(slot_fd(&l->slots[0], FD_CONTEXT),
			     slot_fd(&l->slots[i], FD_CONTEXT), O_CLOEXEC);
		else
			open_context(&l->slots[i]);
	}
}

void stress_loader_main(struct loader *l)
{
	struct stress *st = l->st;
	pthread_t disturber;
	unsigned int i;

	if (st->kind->enter && st->kind->enter(st))
		stress_fail(st, "enter: %s", strerror(errno));
	if (!stress_has(st, OWN_CONTEXT))
		give_contexts(l);
	for (i = 0; i < STRESS_THREADS; i++)
		pthread_create(&l->slots[i].thread, NULL, slot_thread,
			       &l->slots[i]);
	if (st->kind->inside)
		pthread_create(&disturber, NULL, disturb_thread, l);
	for (i = 0; i < STRESS_THREADS; i++)
		pthread_join(l->slots[i].thread, NULL);
	if (st->kind->inside)
		pthread_join(disturber, NULL);
	_exit(0);
}
