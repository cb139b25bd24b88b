// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_summary
 *
 * One line for each image, on request: when all its blocks were read, or
 * nothing was read of it for a while, or the program ends. The counts are
 * atomic, the rest belongs to the loader's thread.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "preload_options.h"
#include "preload_summary.h"

static const char *const names[NR_COUNTS] = {
	[COUNT_ANSWERED] = "answered",
	[COUNT_AGAIN] = "again",
	[COUNT_FAILED] = "failed",
	[COUNT_LATE] = "late",
	[COUNT_OTHER] = "other",
	[COUNT_CHANGED] = "changed",
	[COUNT_REMAPPED] = "remapped",
};

void preload_summary_begin(struct preload_summary *summary)
{
	memset(summary, 0, sizeof(*summary));
	clock_gettime(CLOCK_MONOTONIC, &summary->start);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec +
	       (now.tv_nsec - start->tv_nsec) / 1e9;
}

static int format(const struct preload_summary *summary, char *line, int size)
{
	int n = snprintf(line, size, "ramload: preload: pid=%d", (int)getpid());

	if (summary->why_not)
		return n + snprintf(line + n, size - n, " unused: %s\n",
				    summary->why_not);
	n += snprintf(line + n, size - n,
		      " engine=%s workers=%u blocks=%u bytes=%llu seconds=%.3f",
		      summary->engine, summary->workers, summary->blocks,
		      (unsigned long long)summary->bytes,
		      seconds_since(&summary->start));
	for (int i = 0; i < NR_COUNTS; i++)
		n += snprintf(line + n, size - n, " %s=%llu", names[i],
			      (unsigned long long)summary->counts.of[i]);
	return n + snprintf(line + n, size - n, "\n");
}

/*
 * One write, so that lines of several processes are not mixed. Where nobody
 * reads them, they are lost: nothing waits for a summary.
 */
static void write_line(int fd, const char *line, int length)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	ssize_t done;

	if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
		return;
	done = write(fd, line, length);
	(void)done;
}

void preload_summary_print(struct preload_summary *summary)
{
	char line[512];
	int length, fd;

	if (preload_options.summary_fd < 0 && !preload_options.summary_path)
		return;
	if (atomic_exchange(&summary->printed, true))
		return;
	length = format(summary, line, sizeof(line));
	if (preload_options.summary_fd >= 0) {
		write_line(preload_options.summary_fd, line, length);
		return;
	}
	fd = open(preload_options.summary_path,
		  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK |
		  O_NOCTTY, 0600);
	if (fd < 0)
		return;
	write_line(fd, line, length);
	close(fd);
}
