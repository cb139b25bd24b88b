// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "comparison.h"
#include "method.h"

static double total_at(const struct bench_row *row, unsigned int i)
{
	return bench_total(&row->samples[row->order[i]]);
}

/* Few rounds: the sample is put where it belongs. */
static void add_sample(struct bench_row *row, struct bench_sample sample)
{
	unsigned int i = row->nr++;

	row->samples[i] = sample;
	row->order[i] = i;
	for (; i && total_at(row, i - 1) > total_at(row, i); i--) {
		unsigned int other = row->order[i - 1];

		row->order[i - 1] = row->order[i];
		row->order[i] = other;
	}
}

static void run_row(struct bench_row *row, const struct bench_setup *setup)
{
	struct bench_sample sample;

	if (row->err)
		return;
	row->err = bench_run(row->method, setup, &sample);
	if (!row->err)
		add_sample(row, sample);
	else
		row->nr = 0;
}

static int make_rows(struct bench_comparison *comparison,
		     const struct bench_method *const *methods,
		     unsigned int rounds)
{
	size_t nr = 0;

	while (methods[nr])
		nr++;
	comparison->rows = calloc(nr + 1, sizeof(*comparison->rows));
	if (!comparison->rows)
		return -ENOMEM;
	comparison->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		struct bench_row *row = &comparison->rows[i];

		row->method = methods[i];
		row->samples = calloc(rounds, sizeof(*row->samples));
		row->order = calloc(rounds, sizeof(*row->order));
		if (!row->samples || !row->order)
			return -ENOMEM;
	}
	return 0;
}

int bench_comparison_run(struct bench_comparison *comparison,
			 const struct bench_method *const *methods,
			 unsigned int rounds)
{
	int err = make_rows(comparison, methods, rounds);

	for (unsigned int round = 0; !err && round < rounds; round++) {
		for (size_t i = 0; i < comparison->nr; i++)
			run_row(&comparison->rows[i], &comparison->setup);
	}
	return err;
}

void bench_comparison_free(struct bench_comparison *comparison)
{
	for (size_t i = 0; i < comparison->nr; i++) {
		free(comparison->rows[i].samples);
		free(comparison->rows[i].order);
	}
	free(comparison->rows);
	comparison->rows = NULL;
	comparison->nr = 0;
}

static const struct bench_sample *sample_at(const struct bench_row *row,
					    unsigned int i)
{
	return row->nr ? &row->samples[row->order[i]] : NULL;
}

const struct bench_sample *bench_row_median(const struct bench_row *row)
{
	return sample_at(row, row->nr / 2);
}

const struct bench_sample *bench_row_fastest(const struct bench_row *row)
{
	return sample_at(row, 0);
}

const struct bench_sample *bench_row_slowest(const struct bench_row *row)
{
	return sample_at(row, row->nr - 1);
}

const struct bench_row *
bench_comparison_peer(const struct bench_comparison *comparison)
{
	const struct bench_row *best = NULL;

	for (size_t i = 0; i < comparison->nr; i++) {
		const struct bench_row *row = &comparison->rows[i];

		if (!row->nr ||
		    row->method->flags & (BENCH_RAMLOAD | BENCH_LIMIT))
			continue;
		if (!best || bench_total(bench_row_median(row)) <
				     bench_total(bench_row_median(best)))
			best = row;
	}
	return best;
}

const struct bench_row *
bench_comparison_limit(const struct bench_comparison *comparison)
{
	for (size_t i = 0; i < comparison->nr; i++) {
		const struct bench_row *row = &comparison->rows[i];

		if (row->nr && row->method->flags & BENCH_LIMIT)
			return row;
	}
	return NULL;
}
