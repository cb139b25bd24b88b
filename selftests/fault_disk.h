/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * A disk that can have bad sectors, hang and disappear: a device-mapper device
 * over a loop device over a file without a name.
 */
#ifndef FAULT_DISK_H
#define FAULT_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct reason;

struct fault_disk {
	char name[32];
	char path[32];
	uint64_t size;
	int loop;
	int fd;			/* the disk, open for reading and writing */
	dev_t loop_dev;
	pid_t watchdog;
	int watchdog_pipe;
};

/*
 * Make one of @size bytes, all good. If this process ends, or takes longer
 * than a test may, a watchdog makes the disk answer again.
 */
int fault_disk_make(struct fault_disk *d, uint64_t size, struct reason *why);

/*
 * From now on, also for what waits for the disk, reads of [@at, @at + @bytes)
 * fail; of none if @bytes is 0. @target is that of the device mapper that is
 * to do it: "error" or "flakey".
 */
int fault_disk_set_bad(struct fault_disk *d, const char *target, uint64_t at,
		       uint64_t bytes);

/* No answers from now on, and again. */
int fault_disk_hang(struct fault_disk *d);
int fault_disk_answer(struct fault_disk *d);

/* Make a file system on it; returns its root directory, or -1. */
int fault_disk_mount(struct fault_disk *d, const char *type,
		     struct reason *why);

/*
 * A source of @length bytes of the pattern: a file in @dir, or the disk itself if
 * that is -1, not in the page cache. Returns its fd, or -1.
 */
int fault_disk_source(const struct fault_disk *d, int dir, uint64_t length);

/* Where on the disk that byte of a file, or of the disk itself, is, or -1. */
int64_t fault_disk_where(int file, uint64_t offset);

void fault_disk_remove(struct fault_disk *d);

#endif /* FAULT_DISK_H */
