// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later

#include <string.h>

#include <linux/ramload.h>

#include "fuzz_random.h"

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* splitmix64 */
uint64_t random_next(struct random *r)
{
	uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void random_seed(struct random *r, uint64_t seed, uint64_t thread,
		 uint64_t call)
{
	r->state = seed;
	r->state = random_next(r) ^ thread << 48 ^ call;
	random_next(r);
}

uint32_t random_below(struct random *r, uint32_t n)
{
	return (random_next(r) >> 32) * n >> 32;
}

bool one_in(struct random *r, uint32_t n)
{
	return !random_below(r, n);
}

static const uint64_t edges[] = {
	0, 1, 2, 3, 7, 8, 23, 24, 25, 511, 512, 4095, 4096, 4097, 65535, 65536,
	1 << 20, 1 << 21, 1 << 22, (1 << 22) + 1, 1 << 30, INT32_MAX,
	1U << 31, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 44,
	(UINT64_C(1) << 47) - 4096, UINT64_C(1) << 47, INT64_MAX,
	UINT64_C(1) << 63, UINT64_MAX - 4095, UINT64_MAX,
	sizeof(struct ramload_info), sizeof(struct ramload_setup),
	sizeof(struct ramload_range), sizeof(struct ramload_load),
	sizeof(struct ramload_job_result), sizeof(struct ramload_job_cancel),
};

uint64_t random_value(struct random *r)
{
	uint64_t edge = edges[random_below(r, ARRAY_LENGTH(edges))];

	switch (random_below(r, 8)) {
	case 0:
		return random_next(r);
	case 1:
		return random_next(r) >> random_below(r, 64);
	case 2:
		return UINT64_C(1) << random_below(r, 64);
	case 3:
		return edge - 1;
	case 4:
		return edge + 1;
	default:
		return edge;
	}
}

static uint64_t mutated(struct random *r, uint64_t value)
{
	switch (random_below(r, 4)) {
	case 0:
		return value ^ UINT64_C(1) << random_below(r, 64);
	case 1:
		return value + random_below(r, 33) - 16;
	default:
		return random_value(r);
	}
}

void random_mutate(struct random *r, void *buf, size_t size)
{
	uint64_t big = 0;
	uint32_t small;
	char *at;

	if (size >= 8 && one_in(r, 2)) {
		at = (char *)buf + random_below(r, size / 8) * 8;
		memcpy(&big, at, sizeof(big));
		big = mutated(r, big);
		memcpy(at, &big, sizeof(big));
		return;
	}
	at = (char *)buf + random_below(r, size / 4) * 4;
	memcpy(&small, at, sizeof(small));
	big = mutated(r, small);
	small = one_in(r, 8) ? big >> 32 : big;
	if (one_in(r, 8))
		small ^= 1U << random_below(r, 32);
	memcpy(at, &small, sizeof(small));
}
