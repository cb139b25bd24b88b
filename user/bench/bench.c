// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bits.h"
#include "mark.h"
#include "meter.h"
#include "method.h"
#include "pool.h"

#define PAGE	UINT64_C(4096)

static bool loads(const struct bench_method *method)
{
	return !(method->flags & BENCH_LOADS_NOTHING);
}

static int allocate(struct bench_load *load)
{
	const struct bench_image *image = load->setup->image;
	int err = 0;

	load->memories = calloc(image->nr_blocks, sizeof(*load->memories));
	if (!load->memories)
		return -ENOMEM;
	for (size_t i = 0; i < image->nr_blocks && !err; i++) {
		struct bench_memory *m = &load->memories[i];

		err = ramload_memory_alloc(load->setup->dest,
					   image->blocks[i].length, &m->memory);
		if (err)
			break;
		m->address = ramload_memory_address(m->memory);
		m->fd = ramload_memory_fd(m->memory);
	}
	return err;
}

static void release(struct bench_load *load)
{
	if (!load->memories)
		return;
	for (size_t i = 0; i < load->setup->image->nr_blocks; i++)
		ramload_memory_free(load->memories[i].memory);
	free(load->memories);
}

static int touch_run(void *arg, size_t block, uint64_t at, uint64_t end)
{
	const struct bench_load *load = arg;
	char *start = load->memories[block].address;

	for (; at < end; at += PAGE)
		*(volatile char *)(start + at) = start[at];
	return 0;
}

/* What a guest does next: write to its pages, one after the other. */
static void touch(struct bench_load *load)
{
	const struct bench_image *image = load->setup->image;

	switch (load->setup->touch) {
	case BENCH_TOUCH_ALL:
		for (size_t i = 0; i < image->nr_blocks; i++)
			touch_run(load, i, 0, image->blocks[i].length);
		break;
	case BENCH_TOUCH_PRESENT:
		bench_image_walk(image, touch_run, load);
		break;
	case BENCH_TOUCH_NONE:
		break;
	}
}

static int compare_run(void *arg, size_t i, uint64_t at, uint64_t end)
{
	static char buffer[1 << 20];
	const struct bench_load *load = arg;
	const struct ramload_block *block = bench_block(load, i);

	while (at < end) {
		ssize_t got = pread(load->setup->image->fd, buffer,
				    min_u64(sizeof(buffer), end - at),
				    block->file_offset + at);

		if (got <= 0)
			return got ? -errno : -ENODATA;
		if (memcmp(buffer, load->memories[i].address + at, got))
			return -EILSEQ;
		at += got;
	}
	return 0;
}

static int load_image(struct bench_load *load)
{
	const struct bench_method *method = load->method;
	int err = method->load ? method->load(load) : bench_pool_run(load);

	if (!err && method->complete)
		err = method->complete(load);
	return err;
}

/* Workers that are processes tell their CPU time when they have ended. */
static int run_measured(struct bench_load *load, struct bench_sample *sample)
{
	struct bench_meter before, after;
	double loaded;
	int err;

	bench_meter_begin(&before);
	bench_mark(BENCH_MARK_BEGIN);
	err = load_image(load);
	loaded = bench_clock();
	if (!err && loads(load->method))
		touch(load);
	bench_mark(BENCH_MARK_END);
	after.seconds = bench_clock();
	sample->load = load->seconds ? load->seconds : loaded - before.seconds;
	sample->touch = after.seconds - loaded;
	if (load->pool)
		bench_pool_stop(load);
	bench_meter_end(&after);
	sample->cpu = after.cpu - before.cpu;
	sample->faults = after.faults - before.faults;
	return err;
}

static int make_cache(const struct bench_setup *setup)
{
	return setup->cold ? bench_image_chill(setup->image) :
			     bench_image_warm(setup->image);
}

static int prepare(struct bench_load *load)
{
	int err = allocate(load);

	if (!err && load->method->prepare)
		err = load->method->prepare(load);
	if (!err && load->method->run)
		err = bench_pool_start(load);
	return err;
}

static uint64_t guest_bytes(const struct bench_setup *setup)
{
	if (setup->dest == RAMLOAD_MEMORY_HUGETLB)
		return 0;
	return setup->touch == BENCH_TOUCH_ALL ? setup->image->length :
						 setup->image->present;
}

int bench_run(const struct bench_method *method,
	      const struct bench_setup *setup, struct bench_sample *sample)
{
	struct bench_load load = {
		.setup = setup,
		.method = method,
		.fd = setup->direct ? setup->image->direct_fd :
				      setup->image->fd,
	};
	int64_t used;
	int err;

	if (!bench_method_fits(method, setup) || load.fd < 0)
		return -EOPNOTSUPP;
	err = make_cache(setup);
	used = bench_memory_used();
	if (!err)
		err = prepare(&load);
	if (!err)
		err = run_measured(&load, sample);
	sample->extra = bench_memory_used() - used -
			(loads(method) ? guest_bytes(setup) : 0);
	if (!err && loads(method))
		err = bench_image_walk(setup->image, compare_run, &load);
	if (method->finish)
		method->finish(&load);
	release(&load);
	return err;
}
