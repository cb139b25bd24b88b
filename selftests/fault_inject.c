// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* The kernel's fault injection. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault_inject.h"
#include "test_run.h"
#include "test_memory.h"

#define DEBUGFS		"/sys/kernel/debug/"

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t ret = -1;

	if (fd >= 0) {
		ret = write(fd, text, strlen(text));
		close(fd);
	}
	return ret < 0 ? -1 : 0;
}

static int write_attr(const char *attr, const char *file, const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", attr, file);
	return write_text(path, text);
}

static void write_number(const char *attr, const char *file, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	if (write_attr(attr, file, text) && errno != ENOENT)
		perror(file);
}

static int read_number(const char *path)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return n <= 0 ? -2 : atoi(text);
}

/* Their probability stays 0: only fail-nth makes them fail. */
int fault_inject_start(struct reason *why)
{
	if (write_attr("failslab", "ignore-gfp-wait", "N") ||
	    write_attr("fail_page_alloc", "ignore-gfp-wait", "N") ||
	    access("/proc/self/fail-nth", W_OK)) {
		snprintf(why->text, sizeof(why->text),
			 "no fault injection: %s", strerror(errno));
		return -1;
	}
	write_attr("fail_page_alloc", "ignore-gfp-highmem", "N");
	write_number("fail_page_alloc", "min-order", 0);
	write_number("failslab", "verbose", 0);
	write_number("fail_page_alloc", "verbose", 0);
	write_number("fail_usercopy", "verbose", 0);
	return 0;
}

void fault_inject_stop(void)
{
	write_attr("failslab", "ignore-gfp-wait", "Y");
	write_attr("fail_page_alloc", "ignore-gfp-wait", "Y");
	write_attr("fail_page_alloc", "ignore-gfp-highmem", "Y");
	write_number("fail_page_alloc", "min-order", 1);
}

int fault_nth_open(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/fail-nth", tid);
	return open(path, O_RDWR | O_CLOEXEC);
}

void fault_nth_set(int nth_fd, unsigned int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(nth_fd, text, n, 0) != n)
		perror("fail-nth");
}

bool fault_nth_fired(int nth_fd)
{
	char text[16] = "";

	if (pread(nth_fd, text, sizeof(text) - 1, 0) < 0)
		perror("fail-nth");
	fault_nth_set(nth_fd, 0);
	return !atoi(text);
}

int fault_points_available(struct reason *why)
{
	if (!access(DEBUGFS "fail_ramload/points", W_OK))
		return 0;
	snprintf(why->text, sizeof(why->text), "no failure points: %s",
		 strerror(errno));
	return -1;
}

void fault_points_set(unsigned int mask, unsigned int nth,
		      unsigned int percent, int times)
{
	write_number("fail_ramload", "points", 0);
	write_number("fail_ramload", "verbose", 0);
	write_number("fail_ramload", "interval", 1);
	write_number("fail_ramload", "probability", percent);
	write_number("fail_ramload", "space", nth);
	write_number("fail_ramload", "times", times);
	write_number("fail_ramload", "points", mask);
}

int fault_points_end(void)
{
	int left = read_number(DEBUGFS "fail_ramload/times");

	write_number("fail_ramload", "points", 0);
	write_number("fail_ramload", "probability", 0);
	return left;
}

/* $RAMLOAD_STEP is over 1 where a part of all cases will do. */
unsigned int fault_next(unsigned int nth)
{
	return nth + 1 + nth / (run_step() > 1 ? 8 : 64);
}
