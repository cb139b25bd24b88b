// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* A control group (version 2) that belongs to the test. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test_cgroup.h"
#include "test_memory.h"

#define ROOT	"/sys/fs/cgroup"

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

int cgroup_make(struct cgroup *cg, struct reason *why)
{
	snprintf(cg->path, sizeof(cg->path), ROOT "/ramload-test.%d", getpid());
	if (!write_text(ROOT "/cgroup.subtree_control", "+memory +pids +cpu") &&
	    !mkdir(cg->path, 0755))
		return 0;
	snprintf(why->text, sizeof(why->text), "cgroup: %s", strerror(errno));
	return -1;
}

void cgroup_remove(struct cgroup *cg)
{
	int tries = 100;

	/* A process that was waited for may still be leaving it. */
	while (rmdir(cg->path) && errno == EBUSY && --tries)
		usleep(50000);
}

int cgroup_enter(const struct cgroup *cg)
{
	return cgroup_set(cg, "cgroup.procs", "0");
}

int cgroup_way_out(void)
{
	return open(ROOT "/cgroup.procs", O_WRONLY | O_CLOEXEC);
}

int cgroup_leave(int way_out)
{
	return write(way_out, "0", 1) == 1 ? 0 : -1;
}

int cgroup_set(const struct cgroup *cg, const char *file, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", cg->path, file);
	return write_text(path, value);
}

uint64_t cgroup_get(const struct cgroup *cg, const char *file, const char *key)
{
	char buf[8192], path[128], *line;
	size_t length = key ? strlen(key) : 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", cg->path, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return UINT64_MAX;
	buf[n] = '\0';
	if (!key)
		return strtoull(buf, NULL, 10);
	for (line = strtok(buf, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, key, length) && line[length] == ' ')
			return strtoull(line + length, NULL, 10);
	return UINT64_MAX;
}
