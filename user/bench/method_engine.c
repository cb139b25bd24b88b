// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * The engines of the library: what the peers are compared with
 */
#include <errno.h>
#include <stdlib.h>

#include "method.h"

/**
 * struct engine_state - a session, ready to load
 * @session: open, its workers wait
 * @blocks: the image's, with their destinations
 */
struct engine_state {
	struct ramload_session *session;
	struct ramload_block *blocks;
};

static int prepare(struct bench_load *load, enum ramload_engine engine)
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
	state->blocks = calloc(image->nr_blocks, sizeof(*state->blocks));
	if (!state->blocks)
		return -ENOMEM;
	for (size_t i = 0; i < image->nr_blocks; i++) {
		state->blocks[i] = image->blocks[i];
		state->blocks[i].dest = load->memories[i].address;
	}
	err = ramload_session_open(&options, &state->session);
	return err == -ENOENT || err == -ENXIO || err == -ENODEV ?
	       -EOPNOTSUPP : err;
}

static int prepare_kernel(struct bench_load *load)
{
	return prepare(load, RAMLOAD_ENGINE_KERNEL);
}

static int prepare_user(struct bench_load *load)
{
	return prepare(load, RAMLOAD_ENGINE_USER);
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
			   state->blocks, load->setup->image->nr_blocks,
			   &options, &job);
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

const struct bench_method bench_method_user = {
	.name = "user",
	.help = "the library without the module",
	.flags = BENCH_RAMLOAD | BENCH_CAN_READ_DIRECT,
	.prepare = prepare_user,
	.load = load_image,
	.finish = finish,
};
