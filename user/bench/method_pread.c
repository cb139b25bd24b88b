// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Peers that read(2) straight into the memory
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bits.h"
#include "method.h"

/* What QEMU reads at most in one call, in its mapped-ram loader. */
#define QEMU_READ_MAX	(UINT64_C(1) << 20)

/*
 * A whole run in one call, 2 MiB at most: fewer system calls than any smaller
 * read, and never more than a huge page in one.
 */
static int run_pread(struct bench_worker *worker, size_t i, uint64_t at,
		     uint64_t end)
{
	struct bench_load *load = worker->load;
	const struct ramload_block *block = bench_block(load, i);

	while (at < end) {
		ssize_t got = pread(load->fd, load->memories[i].address + at,
				    end - at, block->file_offset + at);

		if (got <= 0)
			return got ? -errno : -ENODATA;
		at += got;
	}
	return 0;
}

/* One preadv() of one iovec for each run, as qemu_get_buffer_at() does. */
static int run_preadv(struct bench_worker *worker, size_t i, uint64_t at,
		      uint64_t end)
{
	struct bench_load *load = worker->load;
	const struct ramload_block *block = bench_block(load, i);

	while (at < end) {
		struct iovec iov = {
			.iov_base = load->memories[i].address + at,
			.iov_len = min_u64(end - at, QEMU_READ_MAX),
		};
		ssize_t got = preadv(load->fd, &iov, 1,
				     block->file_offset + at);

		if (got <= 0)
			return got ? -errno : -ENODATA;
		at += got;
	}
	return 0;
}

/* Fault all of it in for writing before the time counts. */
static int prepare_limit(struct bench_load *load)
{
	const struct bench_image *image = load->setup->image;

	for (size_t i = 0; i < image->nr_blocks; i++)
		memset(load->memories[i].address, 1, image->blocks[i].length);
	return 0;
}

const struct bench_method bench_method_pread = {
	.name = "pread",
	.help = "threads that pread() runs of up to 2 MiB",
	.flags = BENCH_CAN_READ_DIRECT,
	.run = run_pread,
};

const struct bench_method bench_method_preadv = {
	.name = "preadv",
	.help = "the same as QEMU does it: preadv() of up to 1 MiB",
	.flags = BENCH_CAN_READ_DIRECT,
	.run = run_preadv,
};

const struct bench_method bench_method_processes = {
	.name = "processes",
	.help = "processes that pread(): no mmap_lock between them",
	.flags = BENCH_PROCESSES | BENCH_CAN_READ_DIRECT,
	.run = run_pread,
};

const struct bench_method bench_method_limit = {
	.name = "limit",
	.help = "pread() into memory that was faulted in before: the copy alone",
	.flags = BENCH_LIMIT | BENCH_CAN_READ_DIRECT,
	.prepare = prepare_limit,
	.run = run_pread,
};
