// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* A disk that can have bad sectors, hang and disappear. */

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cached_pages.h"
#include "fault_disk.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define SECTOR		512
#define WATCHDOG_MS	((TIMEOUT + 10) * 1000)

/* An argument of the device mapper, with room for a table. */
struct dm_arg {
	struct dm_ioctl head;
	char data[1024];
};

static struct dm_arg dm_arg(const struct fault_disk *d)
{
	struct dm_arg arg = {
		.head = {
			.version = { DM_VERSION_MAJOR, 0, 0 },
			.data_size = sizeof(arg),
			.data_start = offsetof(struct dm_arg, data),
		},
	};

	snprintf(arg.head.name, sizeof(arg.head.name), "%s", d->name);
	return arg;
}

static int dm_call(unsigned long cmd, struct dm_arg *arg)
{
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, cmd, arg);
	close(fd);
	return ret;
}

/* Not waiting for what is under way, nor for a file system. */
static int dm_suspend(const struct fault_disk *d, bool suspend)
{
	struct dm_arg arg = dm_arg(d);

	if (suspend)
		arg.head.flags = DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG |
			DM_SKIP_LOCKFS_FLAG;
	return dm_call(DM_DEV_SUSPEND, &arg);
}

static void dm_add(struct dm_arg *arg, uint64_t from, uint64_t to,
		   const char *type, const char *parameters)
{
	struct dm_target_spec *spec;
	char *at = arg->data;
	uint32_t i;

	if (from == to)
		return;
	for (i = 0; i < arg->head.target_count; i++)
		at += ((struct dm_target_spec *)at)->next;
	spec = (struct dm_target_spec *)at;
	spec->sector_start = from / SECTOR;
	spec->length = (to - from) / SECTOR;
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", type);
	strcpy((char *)(spec + 1), parameters);
	spec->next = sizeof(*spec) + ((strlen(parameters) + 8) & ~7);
	arg->head.target_count++;
}

static void dm_add_linear(struct dm_arg *arg, const struct fault_disk *d,
			  uint64_t from, uint64_t to)
{
	char text[64];

	snprintf(text, sizeof(text), "%u:%u %llu", major(d->loop_dev),
		 minor(d->loop_dev), (unsigned long long)from / SECTOR);
	dm_add(arg, from, to, "linear", text);
}

static void dm_add_bad(struct dm_arg *arg, const struct fault_disk *d,
		       const char *target, uint64_t from, uint64_t to)
{
	char text[96] = "";

	if (!strcmp(target, "flakey"))
		snprintf(text, sizeof(text), "%u:%u %llu 0 3600 1 error_reads",
			 major(d->loop_dev), minor(d->loop_dev),
			 (unsigned long long)from / SECTOR);
	dm_add(arg, from, to, target, text);
}

int fault_disk_set_bad(struct fault_disk *d, const char *target, uint64_t at,
		       uint64_t bytes)
{
	struct dm_arg arg = dm_arg(d);

	dm_add_linear(&arg, d, 0, at);
	dm_add_bad(&arg, d, target, at, at + bytes);
	dm_add_linear(&arg, d, at + bytes, d->size);
	if (dm_call(DM_TABLE_LOAD, &arg))
		return -1;
	/* The table is taken when a suspended disk is resumed. */
	dm_suspend(d, true);
	return dm_suspend(d, false);
}

int fault_disk_hang(struct fault_disk *d)
{
	return dm_suspend(d, true);
}

int fault_disk_answer(struct fault_disk *d)
{
	return dm_suspend(d, false);
}

/* The test may be stuck in what it tests, or dead. */
static void watch(struct fault_disk *d, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct dm_arg arg = dm_arg(d);

	setsid();
	poll(&pfd, 1, WATCHDOG_MS);
	fault_disk_answer(d);
	arg.head.flags = DM_DEFERRED_REMOVE;
	dm_call(DM_DEV_REMOVE, &arg);
	_exit(0);
}

static int start_watchdog(struct fault_disk *d)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	d->watchdog = fork();
	if (!d->watchdog) {
		close(fds[1]);
		close(d->loop);
		watch(d, fds[0]);
	}
	close(fds[0]);
	d->watchdog_pipe = fds[1];
	return d->watchdog < 0 ? -1 : 0;
}

static int make_loop(struct fault_disk *d, uint64_t size)
{
	const char *scratch = getenv("RAMLOAD_SCRATCH");
	int dir = open(scratch && *scratch ? scratch : "/var/tmp",
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int image = file_create(dir);
	struct stat st;

	close(dir);
	if (image < 0 || ftruncate(image, size))
		return -1;
	d->loop = loop_attach(image);
	close(image);
	if (d->loop < 0 || fstat(d->loop, &st))
		return -1;
	d->loop_dev = st.st_rdev;
	return 0;
}

static int make_device(struct fault_disk *d)
{
	struct dm_arg arg = dm_arg(d);

	load_module("dm-mod");
	load_module("dm-flakey");
	if (dm_call(DM_DEV_CREATE, &arg))
		return -1;
	snprintf(d->path, sizeof(d->path), "/dev/dm-%u", minor(arg.head.dev));
	if (start_watchdog(d) || fault_disk_set_bad(d, "error", 0, 0))
		return -1;
	d->fd = open(d->path, O_RDWR | O_CLOEXEC);
	return d->fd < 0 ? -1 : 0;
}

int fault_disk_make(struct fault_disk *d, uint64_t size, struct reason *why)
{
	*d = (struct fault_disk){ .size = size, .loop = -1, .fd = -1,
				  .watchdog_pipe = -1 };
	snprintf(d->name, sizeof(d->name), "ramload-test-%d", getpid());
	if (!make_loop(d, size) && !make_device(d))
		return 0;
	snprintf(why->text, sizeof(why->text), "no device mapper over loop: %s",
		 strerror(errno));
	fault_disk_remove(d);
	return -1;
}

int fault_disk_mount(struct fault_disk *d, const char *type,
		     struct reason *why)
{
	return fs_make_on(type, d->path, why);
}

static int fill_disk(const struct fault_disk *d, uint64_t length)
{
	char *buf = malloc(length);
	int err = -1;

	if (!buf)
		return -1;
	pattern_fill(buf, SEED_SOURCE, 0, length);
	if (pwrite(d->fd, buf, length, 0) == (ssize_t)length)
		err = fsync(d->fd);
	free(buf);
	return err;
}

/*
 * A file system whose journal meets an error shuts down for good, whenever it
 * gets to writing it. To freeze it leaves it nothing to write.
 */
static int settle(int dir)
{
	return ioctl(dir, FIFREEZE, 0) || ioctl(dir, FITHAW, 0) ? -1 : 0;
}

static int create_source(int dir, uint64_t length)
{
	int fd = file_create_pattern(dir, SEED_SOURCE, length);

	if (fd >= 0 && settle(dir)) {
		close(fd);
		return -1;
	}
	return fd;
}

int fault_disk_source(const struct fault_disk *d, int dir, uint64_t length)
{
	int fd;

	if (dir >= 0)
		fd = create_source(dir, length);
	else
		fd = fill_disk(d, length) ? -1 :
		     open(d->path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		drop_cached_pages(fd, length);
	return fd;
}

int64_t fault_disk_where(int file, uint64_t offset)
{
	struct stat st;
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
	} u = {
		.map = {
			.fm_start = offset,
			.fm_length = 1,
			.fm_flags = FIEMAP_FLAG_SYNC,
			.fm_extent_count = 1,
		},
	};
	struct fiemap_extent *e = u.map.fm_extents;

	if (!fstat(file, &st) && S_ISBLK(st.st_mode))
		return offset;
	if (ioctl(file, FS_IOC_FIEMAP, &u.map) || !u.map.fm_mapped_extents)
		return -1;
	return e->fe_physical + (offset - e->fe_logical);
}

void fault_disk_remove(struct fault_disk *d)
{
	if (d->fd >= 0)
		close(d->fd);
	/* It does the rest. */
	if (d->watchdog_pipe >= 0)
		close(d->watchdog_pipe);
	if (d->watchdog > 0)
		waitpid(d->watchdog, NULL, 0);
	if (d->loop >= 0)
		close(d->loop);
	*d = (struct fault_disk){ .loop = -1, .fd = -1, .watchdog_pipe = -1 };
}
