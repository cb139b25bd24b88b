/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Random numbers that can be had again, and values that tend to break things.
 */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

/* What call @call of thread @thread draws depends on nothing else. */
void random_seed(struct random *r, uint64_t seed, uint64_t thread,
		 uint64_t call);

uint64_t random_next(struct random *r);

/* From 0 to @n - 1. */
uint32_t random_below(struct random *r, uint32_t n);

bool one_in(struct random *r, uint32_t n);

/* A number at the edge of something, or any. */
uint64_t random_value(struct random *r);

/* Change one member of a struct of 4 and 8 byte members. */
void random_mutate(struct random *r, void *buf, size_t size);

#endif /* FUZZ_RANDOM_H */
