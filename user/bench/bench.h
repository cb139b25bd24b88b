/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What is measured: one load of an image into memory by a method
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <ramload.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"

struct bench_method;

/**
 * enum bench_touch - which pages get a first write after the load
 * @BENCH_TOUCH_ALL: all of the guest's
 * @BENCH_TOUCH_PRESENT: those that the image has
 * @BENCH_TOUCH_NONE: none
 */
enum bench_touch {
	BENCH_TOUCH_ALL,
	BENCH_TOUCH_PRESENT,
	BENCH_TOUCH_NONE,
};

/**
 * struct bench_setup - what all methods of a comparison have in common
 * @image: what is loaded
 * @dest: into which memory
 * @cold: nothing of the file is in the page cache
 * @direct: methods that can read past the page cache do so
 * @workers: threads or processes
 * @touch: see enum bench_touch
 */
struct bench_setup {
	const struct bench_image *image;
	enum ramload_memory_kind dest;
	bool cold;
	bool direct;
	unsigned int workers;
	enum bench_touch touch;
};

/**
 * struct bench_sample - what one load took
 * @load: seconds until all bytes were there
 * @touch: seconds for the first write to each page after that
 * @cpu: CPU seconds of both, of the process, its children, and the module
 * @faults: page faults of both
 * @extra: bytes of memory that went, but those of the guest
 */
struct bench_sample {
	double load;
	double touch;
	double cpu;
	uint64_t faults;
	int64_t extra;
};

static inline double bench_total(const struct bench_sample *s)
{
	return s->load + s->touch;
}

/**
 * bench_run() - load once
 * @method: how
 * @setup: what
 * @sample: filled in
 *
 * Memory and workers are made before the time counts; the bytes are compared
 * with those of the file afterwards.
 *
 * Return: 0; -EOPNOTSUPP: the method cannot do that here; -EILSEQ: wrong bytes;
 * another negative errno
 */
int bench_run(const struct bench_method *method,
	      const struct bench_setup *setup, struct bench_sample *sample);

#endif /* BENCH_BENCH_H */
