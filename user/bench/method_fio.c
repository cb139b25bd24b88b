// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What the disk can do, by fio: the file from its beginning to its end, direct,
 * requests of 1 MiB, 32 under way. No memory is loaded; the time is that for as
 * many bytes as the image has, at the rate that fio reports.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "method.h"

#define OUTPUT_MAX	(256 << 10)
/* What a shell says of a program that is not there. */
#define NOT_FOUND	127
#define OPTIONS		"--name=limit --readonly --rw=read --bs=1M --direct=1 " \
			"--ioengine=io_uring --iodepth=32 --output-format=json"

/* Its output, as a string; more than fits is lost, but read. */
static int run_fio(int fd, char *text, size_t room)
{
	char *command, rest[4096];
	FILE *fio;
	int status;

	/* The file may have no name. */
	if (asprintf(&command, "command -v fio >/dev/null || exit %d; "
		     "exec fio " OPTIONS " --filename=/proc/%d/fd/%d",
		     NOT_FOUND, getpid(), fd) < 0)
		return -ENOMEM;
	fio = popen(command, "re");
	free(command);
	if (!fio)
		return -errno;
	text[fread(text, 1, room - 1, fio)] = '\0';
	while (fread(rest, 1, sizeof(rest), fio))
		;
	status = pclose(fio);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
		return -EOPNOTSUPP;
	return status ? -EIO : 0;
}

/* Bytes a second, or 0. There may be notes before the JSON. */
static double rate_of(const char *text)
{
	const char *start = strchr(text, '{');
	struct json_object *top, *jobs, *read, *rate;
	double value = 0;

	top = start ? json_tokener_parse(start) : NULL;
	if (json_object_object_get_ex(top, "jobs", &jobs) &&
	    json_object_is_type(jobs, json_type_array) &&
	    json_object_object_get_ex(json_object_array_get_idx(jobs, 0),
				      "read", &read) &&
	    json_object_object_get_ex(read, "bw_bytes", &rate))
		value = json_object_get_double(rate);
	json_object_put(top);
	return value;
}

static int load_fio(struct bench_load *load)
{
	static char text[OUTPUT_MAX];
	const struct bench_image *image = load->setup->image;
	double rate;
	int err;

	err = run_fio(image->fd, text, sizeof(text));
	if (err)
		return err;
	rate = rate_of(text);
	if (rate <= 0)
		return -EPROTO;
	load->seconds = image->present / rate;
	return 0;
}

const struct bench_method bench_method_fio = {
	.name = "fio",
	.help = "what fio says that the disk can do, direct; loads nothing",
	.flags = BENCH_LIMIT | BENCH_NEEDS_COLD | BENCH_LOADS_NOTHING |
		 BENCH_CAN_READ_DIRECT,
	.load = load_fio,
};
