// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Peers that move bytes from file to file in the kernel
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "method.h"

/* sendfile() writes at a file's own position: each worker has its own. */
static int start_sendfile(struct bench_worker *worker)
{
	size_t nr = worker->load->setup->image->nr_blocks;
	int *fds = calloc(nr, sizeof(*fds));
	char path[64];

	if (!fds)
		return -ENOMEM;
	worker->state = fds;
	for (size_t i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d",
			 worker->load->memories[i].fd);
		fds[i] = open(path, O_WRONLY | O_CLOEXEC);
	}
	return 0;
}

static void stop_sendfile(struct bench_worker *worker)
{
	int *fds = worker->state;

	for (size_t i = 0; fds && i < worker->load->setup->image->nr_blocks;
	     i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(fds);
}

static int run_sendfile(struct bench_worker *worker, size_t i, uint64_t at,
			uint64_t end)
{
	off_t from = bench_block(worker->load, i)->file_offset + at;
	int fd = ((int *)worker->state)[i];

	if (lseek(fd, at, SEEK_SET) < 0)
		return -errno;
	while (at < end) {
		ssize_t done = sendfile(fd, worker->load->fd, &from, end - at);

		if (done <= 0)
			return done ? -errno : -ENODATA;
		at += done;
	}
	return 0;
}

static int run_copy_range(struct bench_worker *worker, size_t i, uint64_t at,
			  uint64_t end)
{
	loff_t from = bench_block(worker->load, i)->file_offset + at;
	loff_t to = at;

	while (to < (loff_t)end) {
		ssize_t done = copy_file_range(worker->load->fd, &from,
					       worker->load->memories[i].fd,
					       &to, end - to, 0);

		/* From 5.19 on, only between files of the same kind. */
		if (done < 0 && (errno == EXDEV || errno == EINVAL))
			return -EOPNOTSUPP;
		if (done <= 0)
			return done ? -errno : -ENODATA;
	}
	return 0;
}

const struct bench_method bench_method_sendfile = {
	.name = "sendfile",
	.help = "sendfile() into the memory's file",
	.flags = BENCH_NEEDS_FILE | BENCH_NEEDS_SHMEM,
	.start = start_sendfile,
	.run = run_sendfile,
	.stop = stop_sendfile,
};

const struct bench_method bench_method_copy_range = {
	.name = "copy-range",
	.help = "copy_file_range() into the memory's file",
	.flags = BENCH_NEEDS_FILE | BENCH_NEEDS_SHMEM,
	.run = run_copy_range,
};
