/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * How long a test runs, and the random numbers it takes: $RAMLOAD_SECONDS and
 * $RAMLOAD_SEED say so. What was taken is printed, so that it can be repeated.
 */
#ifndef TEST_RUN_H
#define TEST_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* For tests that run as long as they are told; they watch for hangs. */
#define LONG_TIMEOUT	7200

static inline double run_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static inline unsigned int run_seconds(unsigned int if_not_told)
{
	const char *text = getenv("RAMLOAD_SECONDS");

	return text && *text ? strtoul(text, NULL, 0) : if_not_told;
}

/* Of so many cases, $RAMLOAD_STEP, one is run. */
static inline int run_step(void)
{
	const char *text = getenv("RAMLOAD_STEP");

	return text ? atoi(text) : 1;
}

static inline uint64_t run_seed(void)
{
	const char *text = getenv("RAMLOAD_SEED");
	struct timespec ts;

	if (text && *text)
		return strtoull(text, NULL, 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

struct rnd {
	uint64_t state;
};

/* A stream of numbers for each seed and @stream. */
static inline struct rnd rnd_make(uint64_t seed, uint64_t stream)
{
	uint64_t x = seed + (stream + 1) * 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return (struct rnd){ x ^ (x >> 31) ?: 1 };
}

/* 0 to @limit - 1 */
static inline uint32_t rnd_below(struct rnd *r, uint32_t limit)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (r->state >> 32) % limit;
}

static inline bool rnd_chance(struct rnd *r, uint32_t one_in)
{
	return !rnd_below(r, one_in);
}

#endif /* TEST_RUN_H */
