// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * A program for tests to execute. Without an argument it succeeds.
 *
 *	load FD		loads by a context it was given
 *	setup FD	makes workers in a context it was given
 *	hold-context	opens the device
 *	hold-job	makes a job and closes all but the job's fd
 *	hold-events	listens to events
 *	hold-jobs N	makes so many jobs, which are done soon
 *	hold-reads	makes a file, whose name it prints; until a line of input,
 *			reads of its second half are held; exits with 4 if this
 *			machine cannot have it
 *
 * The first two exit with the errno; the others print "ready" and wait for the
 * end of their input.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuse_source.h"
#include "netlink_ask.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define HELD_LENGTH	MIB(16)

static char page[PAGE];
static struct ramload_job_result result;

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

static int hold_jobs(int nr)
{
	struct ramload_range range = RANGE(0, sizeof(page), page);
	int src = memfd_create_pattern(SEED_SOURCE, sizeof(page));
	int fd = open_device();

	if (raw_setup(fd, 1))
		return errno;
	while (nr--) {
		int job = start_range(fd, src, 0, &range);

		if (job < 0 || raw_result(job, RAMLOAD_JOB_RESULT_WAIT, &result))
			return errno;
	}
	close(fd);
	return hold();
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

static int hold_reads(void)
{
	struct fuse_source *source;
	struct reason why;

	source = fuse_source_start(HELD_LENGTH, HELD_LENGTH / 2, &why);
	if (!source) {
		printf("%s\n", why.text);
		return 4;
	}
	printf("/proc/%d/fd/%d ready\n", getpid(), source->fd);
	fflush(stdout);
	while (getchar() != '\n')
		if (feof(stdin))
			return 0;
	fuse_source_release(source);
	return hold();
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
	if (!strcmp(what, "hold-jobs") && fd > 0)
		return hold_jobs(fd);
	if (!strcmp(what, "hold-reads"))
		return hold_reads();
	return *what != '\0';
}
