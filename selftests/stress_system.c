// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* What is done to loaders that takes root: to the module, memory, mounts. */

#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disturb.h"
#include "stress.h"
#include "test_files.h"
#include "test_mounts.h"

static int no(struct reason *why, const char *what)
{
	snprintf(why->text, sizeof(why->text), "%s: %s", what, strerror(errno));
	return -1;
}

/*
 * The module goes and comes back
 */

#define MODULE_FILE	"/lib/ramload.ko"

static void insert(struct stress *st)
{
	int fd = open(MODULE_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		load_module("ramload");
	else
		syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	if (access("/sys/module/ramload", F_OK))
		stress_fail(st, "the module cannot be loaded again");
}

static int rmmod_begin(struct stress *st, struct reason *why)
{
	if (syscall(SYS_delete_module, "ramload", O_NONBLOCK))
		return no(why, "the module cannot be removed");
	insert(st);
	return 0;
}

/* While anybody uses it, it is refused. */
static void rmmod_outside(struct stress *st, struct rnd *rnd)
{
	int fd = rnd_chance(rnd, 4) ? open_device() : -1;
	bool gone = !syscall(SYS_delete_module, "ramload", O_NONBLOCK);

	if (!gone && errno != EWOULDBLOCK)
		stress_fail(st, "rmmod: %s", strerror(errno));
	if (gone && fd >= 0)
		stress_fail(st, "the module was removed in use");
	close(fd);
	if (!gone)
		return;
	usleep(rnd_below(rnd, 5000));
	insert(st);
	st->rounds++;
	/* To be put to use. */
	usleep(rnd_below(rnd, 200000));
}

const struct stress_kind stress_rmmod = {
	.flags = OWN_CONTEXT | IDLES,
	.errors = { EBADF },
	.begin = rmmod_begin,
	.outside = rmmod_outside,
};

/*
 * Memory is short
 */

#define CGROUPS	"/sys/fs/cgroup"

static void cgroup_path(char *path, size_t size)
{
	snprintf(path, size, CGROUPS "/ramload-stress.%d", getpid());
}

static int cgroup_write(const struct stress *st, const char *file,
			const char *text)
{
	int fd = openat(st->cgroup, file, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	close(fd);
	return n < 0 ? -1 : 0;
}

static void cgroup_limit(const struct stress *st, size_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", bytes);
	cgroup_write(st, "memory.max", text);
}

static int cgroup_begin(struct stress *st, struct reason *why)
{
	char path[64];

	st->cgroup = open(CGROUPS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->cgroup < 0 ||
	    cgroup_write(st, "cgroup.subtree_control", "+memory"))
		return no(why, "no memory cgroups");
	close(st->cgroup);
	cgroup_path(path, sizeof(path));
	if (mkdir(path, 0755))
		return no(why, path);
	st->cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

static int cgroup_enter(struct stress *st)
{
	return cgroup_write(st, "cgroup.procs", "0");
}

static void cgroup_end(struct stress *st)
{
	char path[64];

	cgroup_path(path, sizeof(path));
	close(st->cgroup);
	if (rmdir(path))
		printf("# %s stays: %s\n", path, strerror(errno));
}

static int oom_begin(struct stress *st, struct reason *why)
{
	int err = cgroup_begin(st, why);

	if (!err)
		cgroup_write(st, "memory.swap.max", "0");
	return err;
}

/* From what is hardly enough for the processes to what is enough for all. */
static void oom_outside(struct stress *st, struct rnd *rnd)
{
	usleep(rnd_below(rnd, 50000));
	cgroup_limit(st, MIB(2) + rnd_below(rnd, MIB(14)));
	st->rounds++;
}

static void oom_calm(struct stress *st)
{
	cgroup_write(st, "memory.max", "max");
}

const struct stress_kind stress_cgroup_oom = {
	.flags = MORTAL | OWN_CONTEXT,
	.errors = { ENOMEM, EBADF },
	.begin = oom_begin,
	.enter = cgroup_enter,
	.outside = oom_outside,
	.calm = oom_calm,
	.end = cgroup_end,
};

static bool has_swap(void)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[256];
	int lines = 0;

	while (f && fgets(line, sizeof(line), f))
		lines++;
	if (f)
		fclose(f);
	return lines > 1;
}

static int swap_begin(struct stress *st, struct reason *why)
{
	if (!has_swap()) {
		snprintf(why->text, sizeof(why->text), "no swap");
		return -1;
	}
	return cgroup_begin(st, why);
}

static void swap_inside(struct slot *s, struct rnd *rnd)
{
	disturb_page_out(slot_memory(s), 0);
}

static void swap_outside(struct stress *st, struct rnd *rnd)
{
	char text[32];

	snprintf(text, sizeof(text), "%u", 4096 * (1 + rnd_below(rnd, 2048)));
	cgroup_write(st, "memory.reclaim", text);
	st->rounds++;
}

const struct stress_kind stress_swap = {
	.begin = swap_begin,
	.enter = cgroup_enter,
	.inside = swap_inside,
	.outside = swap_outside,
	.end = cgroup_end,
};

/*
 * The file system stands still
 */

static int fsfreeze_begin(struct stress *st, struct reason *why)
{
	st->dir = fs_open("ext4", "errors=continue", why);
	if (st->dir < 0)
		return -1;
	if (ioctl(st->dir, FIFREEZE, 0))
		return no(why, "FIFREEZE");
	return ioctl(st->dir, FITHAW, 0);
}

static void fsfreeze_outside(struct stress *st, struct rnd *rnd)
{
	if (ioctl(st->dir, FIFREEZE, 0))
		stress_fail(st, "FIFREEZE: %s", strerror(errno));
	usleep(rnd_below(rnd, 20000));
	if (ioctl(st->dir, FITHAW, 0))
		stress_fail(st, "FITHAW: %s", strerror(errno));
	st->rounds++;
}

const struct stress_kind stress_fsfreeze = {
	.begin = fsfreeze_begin,
	.outside = fsfreeze_outside,
};
