// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What the disk can do, by fio: the file from its beginning to its end, direct,
 * requests of 1 MiB, 32 under way. No memory is loaded; the time is that for as
 * many bytes as the image has, at the rate that fio reports.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "method.h"

#define OUTPUT_MAX	(256 << 10)

extern char **environ;

/* What it prints is to be read from *@out. */
static int start_fio(int fd, pid_t *pid, int *out)
{
	char file[64];
	const char *const argv[] = {
		"fio", "--name=limit", "--readonly", "--rw=read", "--bs=1M",
		"--direct=1", "--ioengine=io_uring", "--iodepth=32",
		"--output-format=json", file, NULL,
	};
	posix_spawn_file_actions_t actions;
	int pipes[2], err;

	/* The file may have no name, and the fd is closed when fio starts. */
	snprintf(file, sizeof(file), "--filename=/proc/%d/fd/%d", getpid(), fd);
	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	err = posix_spawn_file_actions_init(&actions);
	if (!err) {
		err = posix_spawn_file_actions_adddup2(&actions, pipes[1],
						       STDOUT_FILENO);
		if (!err)
			err = posix_spawnp(pid, "fio", &actions, NULL,
					   (char *const *)argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(pipes[1]);
	*out = pipes[0];
	if (err)
		close(pipes[0]);
	return err == ENOENT ? -EOPNOTSUPP : -err;
}

/* All of it, as a string; more than fits is lost, but read. */
static void read_all(int fd, char *text, size_t room)
{
	char rest[4096];
	size_t used = 0;
	ssize_t got;

	for (;;) {
		if (used < room - 1)
			got = read(fd, text + used, room - 1 - used);
		else
			got = read(fd, rest, sizeof(rest));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (used < room - 1)
			used += got;
	}
	text[used] = '\0';
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
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
	int out = -1, err;
	double rate;
	pid_t pid;

	err = start_fio(image->fd, &pid, &out);
	if (err)
		return err;
	read_all(out, text, sizeof(text));
	close(out);
	err = wait_for(pid);
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
