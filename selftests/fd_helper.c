// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * A program for tests to execute. Without an argument it succeeds.
 *
 *	load FD		loads by a context it was given
 *	setup FD	makes workers in a context it was given
 *	hold-context	opens the device
 *	hold-job	makes a job and closes all but the job's fd
 *	hold-events	listens to events
 *
 * The first two exit with the errno; the others print "ready" and wait for the
 * end of their input.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink_ask.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

static char page[PAGE];

static int load(int fd)
{
	struct ramload_range range = RANGE(0, sizeof(page), page);
	int src = memfd_create_pattern(SEED_SOURCE, sizeof(page));

	return -load_range(fd, src, &range, NULL);
}

static int hold(void)
{
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

static int hold_job(void)
{
	struct ramload_range range = RANGE(0, sizeof(page), page);
	int src = memfd_create_pattern(SEED_SOURCE, sizeof(page));
	int fd = open_device();

	if (raw_setup(fd, 1) || start_range(fd, src, 0, &range) < 0)
		return errno;
	close(fd);
	return hold();
}

static int hold_events(void)
{
	struct ask a;
	int err = ask_open(&a);

	if (!err)
		err = ask_listen(&a);
	return err ? -err : hold();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int fd = argc > 2 ? atoi(argv[2]) : -1;

	if (!strcmp(what, "load"))
		return load(fd);
	if (!strcmp(what, "setup"))
		return raw_setup(fd, 1) ? errno : 0;
	if (!strcmp(what, "hold-context"))
		return open_device() < 0 ? errno : hold();
	if (!strcmp(what, "hold-job"))
		return hold_job();
	if (!strcmp(what, "hold-events"))
		return hold_events();
	return *what != '\0';
}
