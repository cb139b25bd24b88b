/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Reports of 'ramload bench'
 */
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include <stdio.h>

#include "../bench/comparison.h"
#include "../bench/machine.h"

extern const char *const bench_cache_names[];
extern const char *const bench_touch_names[];

/** bench_cache_name() - of a setup: "warm", "cold" or "cold-direct" */
const char *bench_cache_name(const struct bench_setup *setup);

/**
 * struct bench_form - a form of a report
 * @begin: before the first comparison
 * @comparison: one of them
 * @end: after the last
 */
struct bench_form {
	void (*begin)(const struct bench_machine *machine);
	void (*comparison)(const struct bench_comparison *comparison);
	void (*end)(void);
};

extern const struct bench_form bench_form_text;
extern const struct bench_form bench_form_json;
extern const struct bench_form bench_form_csv;

#endif /* CLI_BENCH_REPORT_H */
