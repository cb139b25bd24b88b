/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Comparisons: methods side by side, of one setup
 */
#ifndef BENCH_COMPARISON_H
#define BENCH_COMPARISON_H

#include "bench.h"

/**
 * struct bench_row - what a method took
 * @method: the method
 * @err: 0, or why it has no samples
 * @samples: of each round
 * @nr: how many
 * @order: indices of the samples, by total time
 */
struct bench_row {
	const struct bench_method *method;
	int err;
	struct bench_sample *samples;
	unsigned int nr;
	unsigned int *order;
};

/**
 * struct bench_comparison - methods side by side
 * @setup: what they have in common
 * @rows: of each method
 * @nr: how many
 */
struct bench_comparison {
	struct bench_setup setup;
	struct bench_row *rows;
	size_t nr;
};

/**
 * bench_comparison_run() - let all methods load, round by round
 * @comparison: filled in, but @setup, which is set
 * @methods: which, ended by NULL
 * @rounds: how often each; they take turns
 *
 * Return: 0; or a negative errno after which nothing can be said. What a method
 * fails with is in its row.
 */
int bench_comparison_run(struct bench_comparison *comparison,
			 const struct bench_method *const *methods,
			 unsigned int rounds);

void bench_comparison_free(struct bench_comparison *comparison);

/** bench_row_median() - the sample in the middle, by total time; NULL if none */
const struct bench_sample *bench_row_median(const struct bench_row *row);

/** bench_row_fastest(), bench_row_slowest() - the first and the last */
const struct bench_sample *bench_row_fastest(const struct bench_row *row);
const struct bench_sample *bench_row_slowest(const struct bench_row *row);

/** bench_comparison_peer() - the best peer: no engine, no limit; or NULL */
const struct bench_row *
bench_comparison_peer(const struct bench_comparison *comparison);

/** bench_comparison_limit() - the row of the limit, or NULL */
const struct bench_row *
bench_comparison_limit(const struct bench_comparison *comparison);

#endif /* BENCH_COMPARISON_H */
