// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Loads: any, and good ones whose bytes are compared.
 */

#include <stdio.h>

#include "fuzz_call.h"

#define MAX_RANGES	32
#define UNTOUCHED	0x5a

/* Loads of many chunks take memory; few at a time. */
static atomic_int large_loads;

static void draw_bitmap(struct fuzzer *f, struct ramload_range *range)
{
	struct random *r = &f->r;

	range->page_size = 512U << random_below(r, one_in(r, 4) ? 22 : 5);
	range->length = range->page_size * (uint64_t)random_below(r, 600);
	range->bitmap = arena_address(r);
}

static void draw_range(struct fuzzer *f, struct ramload_range *range)
{
	struct random *r = &f->r;

	*range = (struct ramload_range){
		.file_offset = random_below(r, SOURCE_LENGTH),
		.length = 1 + random_below(r, one_in(r, 4) ? MIB(3) : KIB(16)),
		.dest = arena_address(r),
	};
	if (one_in(r, 4))
		range->file_offset &= ~(PAGE - 1);
	if (one_in(r, 4))
		range->dest &= ~(PAGE - 1);
	if (one_in(r, 4))
		draw_bitmap(f, range);
}

static void draw_ranges(struct fuzzer *f, struct ramload_range *ranges,
			struct ramload_load *load)
{
	struct random *r = &f->r;
	size_t size = load->nr_ranges * sizeof(*ranges), i;

	for (i = 0; i < load->nr_ranges; i++)
		draw_range(f, &ranges[i]);
	if (one_in(r, 2))
		for (i = random_below(r, 4); i; i--)
			random_mutate(r, ranges, size);
	fuzz_safe_words(ranges, size);
	/* Elements of the first version. */
	if (one_in(r, 8)) {
		load->range_size = RAMLOAD_RANGE_SIZE_VER0;
		for (i = 1; i < load->nr_ranges; i++)
			memmove((char *)ranges + i * load->range_size,
				&ranges[i], load->range_size);
	}
	load->ranges = (uintptr_t)ranges;
	if (one_in(r, 2)) {
		load->ranges = arena_address(r) & ~7;
		arena_write(f, load->ranges, ranges, size);
	}
}

static void draw_load(struct fuzzer *f, struct ramload_load *load)
{
	struct random *r = &f->r;

	*load = (struct ramload_load){
		.size = sizeof(*load),
		.flags = random_below(r, 4),
		.source_fd = any_fd(r),
		.direct = random_below(r, 3),
		.nr_ranges = 1 + random_below(r, MAX_RANGES),
		.range_size = sizeof(struct ramload_range),
		.chunk_size = one_in(r, 2) ? 0 : KIB(64) << random_below(r, 6),
	};
	if (one_in(r, 3))
		load->source_fd = f->src[one_in(r, 2)];
}

/* Pointers to what is not the arena stay as they are. */
static void mutate_load(struct fuzzer *f, struct ramload_load *load)
{
	struct ramload_load old = *load;
	unsigned int n = random_below(&f->r, 3);

	while (n--)
		random_mutate(&f->r, load, sizeof(*load));
	if (load->ranges != old.ranges)
		load->ranges = fuzz_safe(load->ranges) & ~7;
	if (load->result != old.result)
		load->result = fuzz_safe(load->result) & ~7;
}

/* How many chunks there will be at most, if nobody changes the ranges. */
static uint64_t count_chunks(const struct ramload_load *load,
			     const struct ramload_range *ranges, size_t nr)
{
	uint64_t chunk = load->chunk_size >= KIB(64) ? load->chunk_size :
			 KIB(64), n = 0;
	size_t i;

	for (i = 0; i < nr; i++)
		if (ranges[i].length < UINT64_C(1) << 47)
			n += ranges[i].length / chunk;
	return n;
}

static void put_job(struct fuzzer *f, int fd, bool large)
{
	struct ramload_job_result res;
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0 || !(flags & FD_CLOEXEC))
		fuzz_fail(f, "job fd %d has flags %d", fd, flags);
	if (!raw_result(fd, 0, &res))
		check_result(f, &res);
	else
		fuzz_fail(f, "no result of job fd %d: %d", fd, errno);
	if (large)
		close(fd);
	else
		pool_put(&jobs, &f->r, fd);
}

/* The result is where the kernel can write without doing harm. */
static void draw_result(struct fuzzer *f, struct ramload_load *load)
{
	struct ramload_job_result res = { .size = sizeof(res) };
	struct random *r = &f->r;

	if (!(load->flags & RAMLOAD_LOAD_WAIT) || one_in(r, 4))
		return;
	while (one_in(r, 6))
		random_mutate(r, &res, sizeof(res));
	load->result = arena_address(r) & ~7;
	arena_write(f, load->result, &res, sizeof(res));
}

int fuzz_load(struct fuzzer *f)
{
	struct ramload_range ranges[MAX_RANGES];
	struct ramload_load load;
	size_t nr;
	bool large;
	int fd, ret;

	fd = one_in(&f->r, 8) ? any_fd(&f->r) :
	     one_in(&f->r, f->child ? 2 : 4) ? f->ctx :
	     pool_peek(&contexts, &f->r);
	draw_load(f, &load);
	draw_result(f, &load);
	nr = load.nr_ranges;
	draw_ranges(f, ranges, &load);
	if (one_in(&f->r, 2))
		mutate_load(f, &load);
	large = count_chunks(&load, ranges, nr) > 1 << 16;
	if (large && atomic_fetch_add(&large_loads, 1)) {
		large_loads--;
		return -EAGAIN;
	}
	load.out_job_fd = -2;
	ret = fuzz_ioctl(f, OP_LOAD, fd, RAMLOAD_LOAD, &load, sizeof(load));
	if ((!ret || ret == -EINTR) && load.out_job_fd >= 0)
		put_job(f, load.out_job_fd, large);
	if (large)
		large_loads--;
	return ret;
}

/*
 * Good loads
 */

struct good {
	struct ramload_range ranges[8];
	uint8_t bitmaps[8][32];
	struct ramload_load load;
	char *memory;
	bool own;
};

/* The next piece of the memory, from @at on; some of it stays as it is. */
static size_t draw_piece(struct fuzzer *f, struct good *g, size_t at)
{
	struct ramload_range *range = &g->ranges[g->load.nr_ranges];
	uint8_t *bits = g->bitmaps[g->load.nr_ranges++];
	size_t length = 1 + random_below(&f->r, COMPARED / 8 - 4096), i;
	uint64_t offset = random_below(&f->r, SOURCE_LENGTH - COMPARED);

	if (one_in(&f->r, 2))
		offset = (offset & ~(PAGE - 1)) + at % PAGE;
	*range = RANGE(offset, length, g->memory + at);
	if (length < 512 || one_in(&f->r, 2))
		goto out;
	range->page_size = 512;
	range->length &= ~511;
	range->bitmap = (uintptr_t)bits;
	for (i = 0; i < 32; i++)
		bits[i] = random_next(&f->r);
out:
	return at + range->length + random_below(&f->r, 4096);
}

static void copy_piece(struct fuzzer *f, const struct good *g,
		       const struct ramload_range *range)
{
	size_t unit = range->bitmap ? range->page_size : range->length, p;
	const uint8_t *bits = (void *)(uintptr_t)range->bitmap;
	size_t at = range->dest - (uintptr_t)g->memory;

	for (p = 0; p < range->length / unit; p++)
		if (!bits || bits[p / 8] >> p % 8 & 1)
			memcpy(f->expected + at + p * unit,
			       pattern + range->file_offset + p * unit, unit);
}

static void draw_good(struct fuzzer *f, struct good *g)
{
	unsigned int nr = 1 + random_below(&f->r, 8);
	size_t at = random_below(&f->r, 4096);

	g->own = one_in(&f->r, 2);
	g->memory = f->memory[random_below(&f->r, 3)];
	g->load = LOAD(f->src[one_in(&f->r, 2)], g->ranges, 0,
		       .chunk_size = KIB(64),
		       .direct = one_in(&f->r, 2) ? RAMLOAD_DIRECT_AUTO :
		       RAMLOAD_DIRECT_OFF,
		       .flags = random_below(&f->r, 4));
	while (nr--)
		at = draw_piece(f, g, at);
}

static void wait_for_job(struct fuzzer *f, int fd,
			 struct ramload_job_result *res)
{
	while (raw_result(fd, RAMLOAD_JOB_RESULT_WAIT, res))
		if (errno != EINTR) {
			fuzz_fail(f, "a job has no result: %d", errno);
			break;
		}
}

static int finish_good(struct fuzzer *f, const struct ramload_load *load,
		       int ret)
{
	struct ramload_job_result res;

	if (load->out_job_fd < 0 || (ret && ret != -EINTR))
		return ret;
	wait_for_job(f, load->out_job_fd, &res);
	close(load->out_job_fd);
	check_result(f, &res);
	return res.out_error;
}

static void compare(struct fuzzer *f, const struct good *g)
{
	uint32_t i;

	memset(f->expected, UNTOUCHED, COMPARED);
	for (i = 0; i < g->load.nr_ranges; i++)
		copy_piece(f, g, &g->ranges[i]);
	if (!memcmp(f->expected, g->memory, COMPARED))
		return;
	for (i = 0; f->expected[i] == g->memory[i]; i++)
		;
	fuzz_fail(f, "byte %u of the memory is %02x, not %02x", i,
		  (uint8_t)g->memory[i], (uint8_t)f->expected[i]);
}

int fuzz_good_load(struct fuzzer *f)
{
	struct good g = { .own = false };
	int ret;

	draw_good(f, &g);
	memset(g.memory, UNTOUCHED, COMPARED);
	ret = raw_load(g.own ? f->ctx : pool_peek(&contexts, &f->r), &g.load) ?
	      -errno : 0;
	ret = finish_good(f, &g.load, ret);
	if (!ret)
		compare(f, &g);
	else if (g.own && !f->child && ret != -EBUSY)
		fuzz_fail(f, "a good load failed: %d", ret);
	else if (!count_documented(OP_LOAD, -ret))
		fuzz_fail(f, "a load failed: %d", ret);
	return ret;
}

/*
 * Nobody stores to the memory after that. To close the fd is not enough: a child
 * that another thread has just made may have a copy, which ours is not the last
 * of then.
 */
static void end_job(struct fuzzer *f, int fd)
{
	struct ramload_job_result res;

	raw_cancel(fd);
	wait_for_job(f, fd, &res);
	close(fd);
}

/* More jobs at once than a context may have. */
int fuzz_flood(struct fuzzer *f)
{
	int src = f->src[one_in(&f->r, 2)], fds[300], n, ret = 0;
	struct ramload_range range = RANGE(0, COMPARED,
					   f->memory[random_below(&f->r, 3)]);

	for (n = 0; n < 300; n++) {
		struct ramload_load load = LOAD(src, &range, 1);

		ret = raw_load(f->ctx, &load) ? -errno : 0;
		count_call(OP_LOAD, ret);
		if (ret)
			break;
		fds[n] = load.out_job_fd;
	}
	while (n--)
		end_job(f, fds[n]);
	return ret;
}
