// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* Files and block devices to load from. */

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

int file_create(int dir)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "ramload-test.%d", getpid());
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(dir, name, 0);
	return fd;
}

static int write_pattern(int fd, uint64_t seed, uint64_t size)
{
	static char buf[MIB(1)];
	uint64_t at;

	for (at = 0; at < size; at += sizeof(buf)) {
		size_t n = size - at < sizeof(buf) ? size - at : sizeof(buf);

		pattern_fill(buf, seed, at, n);
		if (pwrite(fd, buf, n, at) != (ssize_t)n)
			return -1;
	}
	return fsync(fd);
}

int file_create_pattern(int dir, uint64_t seed, uint64_t size)
{
	int fd = file_create(dir);

	if (fd >= 0 && write_pattern(fd, seed, size)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int memfd_create_pattern(uint64_t seed, uint64_t size)
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	if (fd >= 0 && write_pattern(fd, seed, size)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int file_can_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct statfs fs;

	if (!fstatfs(fd, &fs) && (fs.f_type == NFS_SUPER_MAGIC ||
				  fs.f_type == OVERLAYFS_SUPER_MAGIC))
		return 0;
	if (fcntl(fd, F_SETFL, flags | O_DIRECT))
		return 0;
	fcntl(fd, F_SETFL, flags);
	return 1;
}

int file_reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

void file_evict(int fd)
{
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

int run_tool(const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	errno = posix_spawnp(&pid, argv[0], &actions, NULL, (char **)argv,
			     environ);
	if (!errno)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	if (status > 0)
		errno = EIO;
	return status;
}

void load_module(const char *name)
{
	const char *const argv[] = { "modprobe", "-q", name, NULL };

	run_tool(argv);
}

int loop_attach_sectors(int backing, unsigned int sector)
{
	/* The device lets go of its file when it is closed. */
	struct loop_config config = {
		.fd = backing,
		.block_size = sector,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};
	int control, nr, fd, tries = 20;
	char path[32];

	load_module("loop");
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return -1;
	/* Somebody else may take a device that was free. */
	do {
		nr = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(path, sizeof(path), "/dev/loop%d", nr);
		fd = nr < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config)) {
			close(fd);
			fd = -1;
		}
	} while (fd < 0 && errno == EBUSY && --tries);
	close(control);
	return fd;
}

int loop_attach(int backing)
{
	return loop_attach_sectors(backing, 0);
}

long read_value(const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	char line[256];
	long value = -1;

	while (f && value < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			sscanf(line + strlen(key), "%ld", &value);
	if (f)
		fclose(f);
	return value;
}
