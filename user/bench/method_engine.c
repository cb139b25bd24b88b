// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * The engines of the library: what the peers are compared with
 */
#include <errno.h>
#include <stdlib.h>

#include "bits.h"
#include "method.h"

/* What a range is cut to where the module is told of each by itself. */
#define SMALL_RANGE	UINT64_C(4096)

/**
 * struct engine_state - a session, ready to load
 * @session: open, its workers wait
 * @blocks: the image's, with their destinations; or small ranges of them
 * @nr_blocks: how many
 */
struct engine_state {
	struct ramload_session *session;
	struct ramload_block *blocks;
	size_t nr_blocks;
};

static size_t count_blocks(const struct bench_image *image, uint64_t most)
{
	size_t nr = 0;

	for (size_t i = 0; i < image->nr_blocks; i++)
		nr += (image->blocks[i].length + most - 1) / most;
	return nr;
}

/* Pieces of up to @most bytes, which are all there is if they are smaller. */
static void cut_block(struct engine_state *state, struct ramload_block block,
		      uint64_t most)
{
	for (uint64_t at = 0; at < block.length; at += most) {
		struct ramload_block *piece = &state->blocks[state->nr_blocks++];

		*piece = block;
		piece->file_offset += at;
		piece->dest = (char *)block.dest + at;
		piece->length = min_u64(most, block.length - at);
	}
}

static int prepare(struct bench_load *load, enum ramload_engine engine,
		   uint64_t most)
{
	const struct bench_image *image = load->setup->image;
	struct ramload_session_options options = {
		.size = sizeof(options),
		.engine = engine,
		.workers = load->setup->workers,
	};
	struct engine_state *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -ENOMEM;
	load->state = state;
	state->blocks = calloc(count_blocks(image, most),
			       sizeof(*state->blocks));
	if (!state->blocks)
		return -ENOMEM;
	for (size_t i = 0; i < image->nr_blocks; i++) {
		struct ramload_block block = image->blocks[i];

		block.dest = load->memories[i].address;
		cut_block(state, block, most);
	}
	err = ramload_session_open(&options, &state->session);
	return err == -ENOENT || err == -ENXIO || err == -ENODEV ?
	       -EOPNOTSUPP : err;
}

static int prepare_kernel(struct bench_load *load)
{
	return prepare(load, RAMLOAD_ENGINE_KERNEL, INT64_MAX);
}

/* Bitmaps would have to be cut, too. */
static int prepare_ranges(struct bench_load *load)
{
	for (size_t i = 0; i < load->setup->image->nr_blocks; i++)
		if (bench_block(load, i)->bitmap)
			return -EOPNOTSUPP;
	return prepare(load, RAMLOAD_ENGINE_KERNEL, SMALL_RANGE);
}

static int prepare_user(struct bench_load *load)
{
	return prepare(load, RAMLOAD_ENGINE_USER, INT64_MAX);
}

static int load_image(struct bench_load *load)
{
	struct engine_state *state = load->state;
	struct ramload_load_options options = {
		.size = sizeof(options),
		.io = load->setup->direct ? RAMLOAD_IO_DIRECT :
		      load->setup->cold ? RAMLOAD_IO_BUFFERED : RAMLOAD_IO_AUTO,
	};
	struct ramload_job *job;
	int err;

	err = ramload_load(state->session, load->setup->image->fd,
			   state->blocks, state->nr_blocks, &options, &job);
	if (err)
		return err == -EINVAL && load->setup->direct ? -EOPNOTSUPP :
							       err;
	err = ramload_job_wait(job, NULL);
	ramload_job_free(job);
	return err;
}

static void finish(struct bench_load *load)
{
	struct engine_state *state = load->state;

	if (!state)
		return;
	ramload_session_close(state->session);
	free(state->blocks);
	free(state);
}

const struct bench_method bench_method_kernel = {
	.name = "kernel",
	.help = "the module",
	.flags = BENCH_RAMLOAD | BENCH_CAN_READ_DIRECT,
	.prepare = prepare_kernel,
	.load = load_image,
	.finish = finish,
};

const struct bench_method bench_method_kernel_ranges = {
	.name = "kernel-ranges",
	.help = "the module, told of each 4 KiB by a range of its own",
	.flags = BENCH_RAMLOAD | BENCH_CAN_READ_DIRECT,
	.prepare = prepare_ranges,
	.load = load_image,
	.finish = finish,
};

const struct bench_method bench_method_user = {
	.name = "user",
	.help = "the library without the module",
	.flags = BENCH_RAMLOAD | BENCH_CAN_READ_DIRECT,
	.prepare = prepare_user,
	.load = load_image,
	.finish = finish,
};
