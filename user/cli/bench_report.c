// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../bench/method.h"
#include "bench_report.h"
#include "message.h"
#include "output.h"
#include "size.h"

const char *const bench_cache_names[] = { "warm", "cold", "cold-direct", NULL };

const char *const bench_touch_names[] = {
	[BENCH_TOUCH_ALL] = "all",
	[BENCH_TOUCH_PRESENT] = "present",
	[BENCH_TOUCH_NONE] = "none",
	NULL
};

const char *bench_cache_name(const struct bench_setup *setup)
{
	return bench_cache_names[setup->cold + setup->direct];
}

/* How many times as fast as @other, 0 if that cannot be said. */
static double factor(const struct bench_row *row, const struct bench_row *other)
{
	double total;

	if (!other || !row->nr)
		return 0;
	total = bench_total(bench_row_median(row));
	return total > 0 ? bench_total(bench_row_median(other)) / total : 0;
}

static double rate(const struct bench_setup *setup,
		   const struct bench_sample *sample)
{
	double total = bench_total(sample);

	return total > 0 ? setup->image->present / total / 1e9 : 0;
}

static const char *why_not(const struct bench_row *row)
{
	if (row->err == -EOPNOTSUPP)
		return "cannot be done here";
	return row->err == -EILSEQ ? "WRONG BYTES" : strerror(-row->err);
}

/* Text */

static void text_begin(const struct bench_machine *machine)
{
	const char *warning;

	printf("kernel %s, %u CPUs, %s%s; init_on_alloc %s; THP %s, of shmem %s\n",
	       machine->kernel, machine->cpus,
	       machine->cpu[0] ? machine->cpu : "?",
	       machine->emulated ? " (emulated)" : "", machine->init_on_alloc,
	       machine->thp, machine->shmem_thp);
	for (unsigned int i = 0;
	     (warning = bench_machine_warning(machine, i)); i++)
		printf("warning: %s\n", warning);
}

static void text_factor(double value)
{
	if (value > 0)
		printf(" %7.2f", value);
	else
		printf(" %7s", "-");
}

static void text_row(const struct bench_comparison *comparison,
		     const struct bench_row *row)
{
	const struct bench_sample *median = bench_row_median(row);
	double slowest, fastest;

	printf("%-15s", row->method->name);
	if (!median) {
		printf(" %s\n", why_not(row));
		return;
	}
	fastest = bench_total(bench_row_fastest(row));
	slowest = bench_total(bench_row_slowest(row));
	printf(" %8.4f %8.4f %8.4f %5.1f%% %6.2f %8.4f %8" PRIu64 " %7.1f",
	       median->load, median->touch, bench_total(median),
	       fastest > 0 ? 100 * (slowest - fastest) / fastest : 0,
	       rate(&comparison->setup, median), median->cpu, median->faults,
	       median->extra / 1048576.0);
	text_factor(factor(row, bench_comparison_peer(comparison)));
	text_factor(factor(row, bench_comparison_limit(comparison)));
	putchar('\n');
}

static void text_comparison(const struct bench_comparison *comparison)
{
	const struct bench_setup *setup = &comparison->setup;
	const struct bench_image *image = setup->image;

	printf("\n%s image of %s, %s present in %" PRIu64 " runs; %s memory, %s, %u workers, touched: %s\n",
	       image->name, size_text(image->length).text,
	       size_text(image->present).text, image->runs,
	       ramload_memory_kind_name(setup->dest), bench_cache_name(setup),
	       setup->workers, bench_touch_names[setup->touch]);
	printf("%-15s %8s %8s %8s %6s %6s %8s %8s %7s %7s %7s\n", "method",
	       "load s", "touch s", "total s", "spread", "GB/s", "CPU s",
	       "faults", "MiB", "x peer", "x limit");
	for (size_t i = 0; i < comparison->nr; i++)
		text_row(comparison, &comparison->rows[i]);
}

static void text_end(void)
{
	puts("\nx peer, x limit: how many times as fast as the best peer and as the limit,\n"
	     "by the medians of all rounds; GB/s: present bytes by total time; MiB: memory\n"
	     "used on top of the guest's.");
}

const struct bench_form bench_form_text = {
	text_begin, text_comparison, text_end
};

/* JSON */

static struct json_object *json;
static struct json_object *json_comparisons;

static void json_begin(const struct bench_machine *machine)
{
	struct json_object *object = json_object_new_object();
	struct json_object *warnings = json_object_new_array();
	const char *warning;

	json_add_string(object, "kernel", machine->kernel);
	json_add_string(object, "cpu", machine->cpu);
	json_add_number(object, "cpus", machine->cpus);
	json_add_bool(object, "emulated", machine->emulated);
	json_add_bool(object, "uml", machine->uml);
	json_add_bool(object, "erms", machine->erms);
	json_add_bool(object, "fsrm", machine->fsrm);
	json_add_string(object, "init_on_alloc", machine->init_on_alloc);
	json_add_string(object, "thp", machine->thp);
	json_add_string(object, "shmem_thp", machine->shmem_thp);
	for (unsigned int i = 0;
	     (warning = bench_machine_warning(machine, i)); i++)
		json_object_array_add(warnings,
				      json_object_new_string(warning));
	json_object_object_add(object, "warnings", warnings);
	json = json_object_new_object();
	json_object_object_add(json, "machine", object);
	json_comparisons = json_object_new_array();
	json_object_object_add(json, "comparisons", json_comparisons);
}

static void json_add_factor(struct json_object *object, const char *key,
			    double value)
{
	if (value > 0)
		json_add_seconds(object, key, value);
	else
		json_object_object_add(object, key, NULL);
}

static struct json_object *json_samples(const struct bench_row *row)
{
	struct json_object *samples = json_object_new_array();

	for (unsigned int i = 0; i < row->nr; i++) {
		const struct bench_sample *sample = &row->samples[i];
		struct json_object *object = json_object_new_object();

		json_add_seconds(object, "load_seconds", sample->load);
		json_add_seconds(object, "touch_seconds", sample->touch);
		json_add_seconds(object, "cpu_seconds", sample->cpu);
		json_add_number(object, "faults", sample->faults);
		json_object_object_add(object, "extra_bytes",
				       json_object_new_int64(sample->extra));
		json_object_array_add(samples, object);
	}
	return samples;
}

static struct json_object *json_row(const struct bench_comparison *comparison,
				    const struct bench_row *row)
{
	struct json_object *object = json_object_new_object();
	const struct bench_sample *median = bench_row_median(row);

	json_add_string(object, "method", row->method->name);
	json_add_bool(object, "peer", !(row->method->flags &
					(BENCH_RAMLOAD | BENCH_LIMIT)));
	json_add_string(object, "error", row->err ? why_not(row) : NULL);
	if (median) {
		json_add_seconds(object, "load_seconds", median->load);
		json_add_seconds(object, "touch_seconds", median->touch);
		json_add_seconds(object, "total_seconds", bench_total(median));
		json_add_seconds(object, "cpu_seconds", median->cpu);
	}
	json_add_factor(object, "factor_peer",
			factor(row, bench_comparison_peer(comparison)));
	json_add_factor(object, "factor_limit",
			factor(row, bench_comparison_limit(comparison)));
	json_object_object_add(object, "samples", json_samples(row));
	return object;
}

static void json_comparison(const struct bench_comparison *comparison)
{
	const struct bench_setup *setup = &comparison->setup;
	struct json_object *object = json_object_new_object();
	struct json_object *rows = json_object_new_array();

	json_add_string(object, "image", setup->image->name);
	json_add_number(object, "length", setup->image->length);
	json_add_number(object, "present", setup->image->present);
	json_add_number(object, "runs", setup->image->runs);
	json_add_string(object, "dest", ramload_memory_kind_name(setup->dest));
	json_add_string(object, "cache", bench_cache_name(setup));
	json_add_number(object, "workers", setup->workers);
	json_add_string(object, "touch", bench_touch_names[setup->touch]);
	for (size_t i = 0; i < comparison->nr; i++)
		json_object_array_add(rows, json_row(comparison,
						     &comparison->rows[i]));
	json_object_object_add(object, "methods", rows);
	json_object_array_add(json_comparisons, object);
}

static void json_end(void)
{
	output_json(json);
}

const struct bench_form bench_form_json = {
	json_begin, json_comparison, json_end
};

/* CSV */

static void csv_begin(const struct bench_machine *machine)
{
	const char *warning;

	for (unsigned int i = 0;
	     (warning = bench_machine_warning(machine, i)); i++)
		message("warning: %s", warning);
	puts("image,length,present,runs,dest,cache,workers,touch,method,round,load_seconds,touch_seconds,cpu_seconds,faults,extra_bytes,error");
}

/* A name of a file may hold anything. */
static void csv_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void csv_key(const struct bench_setup *setup,
		    const struct bench_row *row)
{
	csv_string(setup->image->name);
	printf(",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s,%s,%u,%s,%s",
	       setup->image->length, setup->image->present, setup->image->runs,
	       ramload_memory_kind_name(setup->dest), bench_cache_name(setup),
	       setup->workers, bench_touch_names[setup->touch],
	       row->method->name);
}

static void csv_row(const struct bench_setup *setup,
		    const struct bench_row *row)
{
	for (unsigned int i = 0; i < row->nr; i++) {
		const struct bench_sample *sample = &row->samples[i];

		csv_key(setup, row);
		printf(",%u,%.6f,%.6f,%.6f,%" PRIu64 ",%" PRId64 ",\n", i + 1,
		       sample->load, sample->touch, sample->cpu,
		       sample->faults, sample->extra);
	}
	if (row->err) {
		csv_key(setup, row);
		printf(",,,,,,,");
		csv_string(why_not(row));
		putchar('\n');
	}
}

static void csv_comparison(const struct bench_comparison *comparison)
{
	for (size_t i = 0; i < comparison->nr; i++)
		csv_row(&comparison->setup, &comparison->rows[i]);
}

static void csv_end(void)
{
}

const struct bench_form bench_form_csv = {
	csv_begin, csv_comparison, csv_end
};
