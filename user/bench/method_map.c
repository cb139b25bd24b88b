// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Peers that have the file mapped
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bits.h"
#include "method.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif

#define PAGE	UINT64_C(4096)

/**
 * struct map_state - the file, mapped
 * @maps: of each block, its bytes in the file
 * @uffd: userfaultfd of the destination, or -1
 */
struct map_state {
	char **maps;
	int uffd;
};

static int map_block(struct bench_load *load, size_t i, char **map)
{
	const struct ramload_block *block = bench_block(load, i);

	/* The start of a page in the file is one of a page in the block. */
	if (block->file_offset % PAGE)
		return -EOPNOTSUPP;
	*map = mmap(NULL, block->length, PROT_READ, MAP_SHARED, load->fd,
		    block->file_offset);
	return *map == MAP_FAILED ? -errno : 0;
}

static int prepare_map(struct bench_load *load)
{
	size_t nr = load->setup->image->nr_blocks;
	struct map_state *state = calloc(1, sizeof(*state));
	int err = 0;

	if (!state)
		return -ENOMEM;
	load->state = state;
	state->uffd = -1;
	state->maps = calloc(nr, sizeof(*state->maps));
	if (!state->maps)
		return -ENOMEM;
	for (size_t i = 0; i < nr && !err; i++)
		err = map_block(load, i, &state->maps[i]);
	return err;
}

static void finish_map(struct bench_load *load)
{
	struct map_state *state = load->state;

	if (!state)
		return;
	for (size_t i = 0; state->maps && i < load->setup->image->nr_blocks;
	     i++) {
		if (state->maps[i] && state->maps[i] != MAP_FAILED)
			munmap(state->maps[i], bench_block(load, i)->length);
	}
	if (state->uffd >= 0)
		close(state->uffd);
	free(state->maps);
	free(state);
}

static char *source(const struct bench_worker *worker, size_t i)
{
	return ((struct map_state *)worker->load->state)->maps[i];
}

/* One call maps all pages of a run, where faults would map 16 at a time. */
static void populate(char *start, uint64_t length)
{
	if (length > 16 * PAGE)
		madvise(start, length, MADV_POPULATE_READ);
}

static int run_memcpy(struct bench_worker *worker, size_t i, uint64_t at,
		      uint64_t end)
{
	populate(source(worker, i) + at, end - at);
	memcpy(worker->load->memories[i].address + at, source(worker, i) + at,
	       end - at);
	return 0;
}

/* The kernel copies from the mapping into pages that it need not clear. */
static int run_pwrite(struct bench_worker *worker, size_t i, uint64_t at,
		      uint64_t end)
{
	populate(source(worker, i) + at, end - at);
	while (at < end) {
		ssize_t done = pwrite(worker->load->memories[i].fd,
				      source(worker, i) + at, end - at, at);

		if (done <= 0)
			return done ? -errno : -EIO;
		at += done;
	}
	return 0;
}

static int register_memory(struct bench_load *load, int uffd)
{
	for (size_t i = 0; i < load->setup->image->nr_blocks; i++) {
		struct uffdio_register reg = {
			.range = {
				.start = (uintptr_t)load->memories[i].address,
				.len = round_up(bench_block(load, i)->length,
						PAGE),
			},
			.mode = UFFDIO_REGISTER_MODE_MISSING,
		};

		if (ioctl(uffd, UFFDIO_REGISTER, &reg))
			return -errno;
	}
	return 0;
}

static int prepare_uffd(struct bench_load *load)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct map_state *state;
	int err;

	err = prepare_map(load);
	if (err)
		return err;
	state = load->state;
	state->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (state->uffd < 0 || ioctl(state->uffd, UFFDIO_API, &api))
		return -EOPNOTSUPP;
	return register_memory(load, state->uffd);
}

static int run_uffd(struct bench_worker *worker, size_t i, uint64_t at,
		    uint64_t end)
{
	struct map_state *state = worker->load->state;

	populate(source(worker, i) + at, end - at);
	while (at < end) {
		struct uffdio_copy copy = {
			.dst = (uintptr_t)worker->load->memories[i].address + at,
			.src = (uintptr_t)source(worker, i) + at,
			.len = end - at,
		};

		if (ioctl(state->uffd, UFFDIO_COPY, &copy) &&
		    (errno != EAGAIN || copy.copy <= 0))
			return -errno;
		at += copy.copy;
	}
	return 0;
}

/* From now on absent pages come as zeros. */
static int complete_uffd(struct bench_load *load)
{
	struct map_state *state = load->state;

	close(state->uffd);
	state->uffd = -1;
	return 0;
}

/*
 * What Firecracker does: guest memory is a private mapping of the file, whose
 * pages are copied when they are first written. Nothing is loaded at all; all
 * of the price is in the touch.
 */
static int load_private(struct bench_load *load)
{
	for (size_t i = 0; i < load->setup->image->nr_blocks; i++) {
		const struct ramload_block *block = bench_block(load, i);

		if (block->file_offset % PAGE)
			return -EOPNOTSUPP;
		if (mmap(load->memories[i].address, block->length,
			 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
			 load->fd, block->file_offset) == MAP_FAILED)
			return -errno;
	}
	return 0;
}

const struct bench_method bench_method_memcpy = {
	.name = "memcpy",
	.help = "the file mapped, memcpy() from it",
	.prepare = prepare_map,
	.run = run_memcpy,
	.finish = finish_map,
};

const struct bench_method bench_method_pwrite = {
	.name = "pwrite",
	.help = "the file mapped, pwrite() into the memory's file",
	.flags = BENCH_NEEDS_FILE | BENCH_NEEDS_SHMEM,
	.prepare = prepare_map,
	.run = run_pwrite,
	.finish = finish_map,
};

const struct bench_method bench_method_uffd = {
	.name = "uffd",
	.help = "the file mapped, UFFDIO_COPY from it",
	.prepare = prepare_uffd,
	.run = run_uffd,
	.complete = complete_uffd,
	.finish = finish_map,
};

const struct bench_method bench_method_private = {
	.name = "private",
	.help = "a private mapping of the file as memory, as Firecracker has it",
	.load = load_private,
};
