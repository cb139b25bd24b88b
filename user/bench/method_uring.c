// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Peers that read through io_uring: each worker has a ring of its own and up to
 * DEPTH reads in flight
 */
#ifdef RAMLOAD_HAVE_URING
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "bits.h"
#include "method.h"

#define DEPTH		64
#define READ_MAX	(UINT64_C(256) << 10)
#define BUFFER_MAX	(UINT64_C(1) << 30)

/**
 * struct ring_read - a read in flight
 * @block: of this block
 * @at: what is left of it
 * @end: its end
 */
struct ring_read {
	size_t block;
	uint64_t at;
	uint64_t end;
};

/**
 * struct ring_state - of a worker
 * @ring: its ring
 * @fixed: the memory is registered with it
 * @in_flight: reads that have not completed
 * @reads: those in flight, and free ones
 * @free: indices of the free ones
 */
struct ring_state {
	struct io_uring ring;
	bool fixed;
	unsigned int in_flight;
	struct ring_read reads[DEPTH];
	unsigned int free[DEPTH];
};

static int start_ring(struct bench_worker *worker)
{
	struct ring_state *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -ENOMEM;
	err = io_uring_queue_init(DEPTH, &state->ring,
				  IORING_SETUP_SINGLE_ISSUER |
				  IORING_SETUP_COOP_TASKRUN);
	if (err) {
		free(state);
		return err == -ENOSYS || err == -EPERM ? -EOPNOTSUPP : err;
	}
	/* A registered file is not looked up for each read. */
	err = io_uring_register_files(&state->ring, &worker->load->fd, 1);
	for (unsigned int i = 0; i < DEPTH; i++)
		state->free[i] = i;
	worker->state = state;
	return err;
}

static void stop_ring(struct bench_worker *worker)
{
	struct ring_state *state = worker->state;

	if (!state)
		return;
	io_uring_queue_exit(&state->ring);
	free(state);
}

/* To register memory faults it in and pins it: that is part of the load. */
static int register_memory(struct bench_worker *worker)
{
	struct ring_state *state = worker->state;
	size_t nr = worker->load->setup->image->nr_blocks;
	struct iovec *iov = calloc(nr, sizeof(*iov));
	int err;

	if (!iov)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		iov[i].iov_base = worker->load->memories[i].address;
		iov[i].iov_len = bench_block(worker->load, i)->length;
		if (iov[i].iov_len > BUFFER_MAX) {
			free(iov);
			return -EOPNOTSUPP;
		}
	}
	err = io_uring_register_buffers(&state->ring, iov, nr);
	free(iov);
	state->fixed = !err;
	return err == -ENOMEM ? -EOPNOTSUPP : err;
}

static void prepare_read(struct bench_worker *worker, unsigned int i)
{
	struct ring_state *state = worker->state;
	struct ring_read *read = &state->reads[i];
	const struct ramload_block *block = bench_block(worker->load,
							read->block);
	char *to = worker->load->memories[read->block].address + read->at;
	uint64_t from = block->file_offset + read->at;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&state->ring);

	if (state->fixed)
		io_uring_prep_read_fixed(sqe, 0, to, read->end - read->at,
					 from, read->block);
	else
		io_uring_prep_read(sqe, 0, to, read->end - read->at, from);
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data64(sqe, i);
}

/* A read has completed: it is over, or what it lacks is read again. */
static int complete_read(struct bench_worker *worker, struct io_uring_cqe *cqe)
{
	struct ring_state *state = worker->state;
	unsigned int i = io_uring_cqe_get_data64(cqe);
	struct ring_read *read = &state->reads[i];
	int got = cqe->res;

	io_uring_cqe_seen(&state->ring, cqe);
	if (got <= 0)
		return got ? got : -ENODATA;
	read->at += got;
	if (read->at < read->end) {
		prepare_read(worker, i);
		return 0;
	}
	state->in_flight--;
	state->free[state->in_flight] = i;
	return 0;
}

/* Submit what there is and take what has completed, at least so many. */
static int turn_ring(struct bench_worker *worker, unsigned int wait)
{
	struct ring_state *state = worker->state;
	struct io_uring_cqe *cqe;
	int err = io_uring_submit_and_wait(&state->ring, wait);

	if (err < 0)
		return err;
	while (!io_uring_peek_cqe(&state->ring, &cqe)) {
		err = complete_read(worker, cqe);
		if (err)
			return err;
	}
	return 0;
}

static int run_ring(struct bench_worker *worker, size_t block, uint64_t at,
		    uint64_t end)
{
	struct ring_state *state = worker->state;
	int err = 0;

	for (; !err && at < end; at += READ_MAX) {
		unsigned int i = state->free[state->in_flight++];

		state->reads[i] = (struct ring_read){
			block, at, min_u64(end, at + READ_MAX)
		};
		prepare_read(worker, i);
		/* Half of the ring at a time: few system calls, never dry. */
		if (state->in_flight == DEPTH)
			err = turn_ring(worker, DEPTH / 2);
		while (!err && state->in_flight == DEPTH)
			err = turn_ring(worker, 1);
	}
	return err;
}

static int run_ring_fixed(struct bench_worker *worker, size_t block,
			  uint64_t at, uint64_t end)
{
	struct ring_state *state = worker->state;
	int err = state->fixed ? 0 : register_memory(worker);

	return err ? err : run_ring(worker, block, at, end);
}

static int drain_ring(struct bench_worker *worker)
{
	struct ring_state *state = worker->state;
	int err = 0;

	while (!err && state->in_flight)
		err = turn_ring(worker, 1);
	return err;
}

const struct bench_method bench_method_uring = {
	.name = "io_uring",
	.help = "io_uring, 64 reads of up to 256 KiB in flight",
	.flags = BENCH_CAN_READ_DIRECT,
	.start = start_ring,
	.run = run_ring,
	.drain = drain_ring,
	.stop = stop_ring,
};

const struct bench_method bench_method_uring_fixed = {
	.name = "io_uring-fixed",
	.help = "the same with the memory registered, which pins it",
	.flags = BENCH_CAN_READ_DIRECT,
	.start = start_ring,
	.run = run_ring_fixed,
	.drain = drain_ring,
	.stop = stop_ring,
};
#endif
