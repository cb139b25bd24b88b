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
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define IMAGE_SIZE	MIB(512)
#define MAX_FS		8

struct fs {
	const char *type;
	const char *options;
	int dir;
};

static struct fs known[MAX_FS];

static const char *scratch(void)
{
	const char *dir = getenv("RAMLOAD_SCRATCH");

	return dir && *dir ? dir : "/var/tmp";
}

static int give_reason(struct reason *why, const char *type, const char *what)
{
	snprintf(why->text, sizeof(why->text), "%s: %s: %s", type, what,
		 strerror(errno));
	return -1;
}

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

	if (fcntl(fd, F_SETFL, flags | O_DIRECT))
		return 0;
	fcntl(fd, F_SETFL, flags);
	return 1;
}

void file_evict(int fd)
{
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int run(const char *program, const char *arg1, const char *arg2)
{
	char *argv[] = { (char *)program, (char *)arg1, (char *)arg2, NULL };
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	errno = posix_spawnp(&pid, program, &actions, NULL, argv, environ);
	if (!errno)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	if (status > 0)
		errno = EIO;
	return status;
}

void load_module(const char *name)
{
	run("modprobe", "-q", name);
}

int loop_attach(int backing)
{
	/* The device lets go of its file when it is closed. */
	struct loop_config config = {
		.fd = backing,
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

/* Mounted nowhere once this returns: the fd is all that keeps it. */
static int mount_hidden(const char *device, const char *type,
			const char *options)
{
	char dir[] = "/tmp/ramload-test.XXXXXX";
	int fd = -1;

	if (!mkdtemp(dir))
		return -1;
	if (!mount(device, dir, type, 0, options)) {
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		umount2(dir, MNT_DETACH);
	}
	rmdir(dir);
	return fd;
}

static int make_fs(const char *type, const char *path, struct reason *why)
{
	char mkfs[32];

	snprintf(mkfs, sizeof(mkfs), "mkfs.%s", type);
	if (run(mkfs, "-q", path))
		return give_reason(why, type, mkfs);
	return 0;
}

static int make_image(const char *type, int dir, struct reason *why)
{
	int image = file_create(dir);
	char path[64];

	if (image < 0)
		return give_reason(why, type, "no image");
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), image);
	if (ftruncate(image, IMAGE_SIZE) || make_fs(type, path, why)) {
		close(image);
		return -1;
	}
	return image;
}

int fs_make_on(const char *type, const char *device, struct reason *why)
{
	int fd;

	load_module(type);
	if (make_fs(type, device, why))
		return -1;
	fd = mount_hidden(device, type, NULL);
	return fd < 0 ? give_reason(why, type, "mount") : fd;
}

static int mount_image(const char *type, int dir, struct reason *why)
{
	int image, loop, fd;
	char path[64];

	load_module(type);
	image = make_image(type, dir, why);
	if (image < 0)
		return -1;
	loop = loop_attach(image);
	close(image);
	if (loop < 0)
		return give_reason(why, type, "no loop device");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", loop);
	fd = mount_hidden(path, type, NULL);
	if (fd < 0)
		give_reason(why, type, "mount");
	close(loop);
	return fd;
}

static bool is_ext4(int dir)
{
	struct statfs fs;

	return !fstatfs(dir, &fs) && fs.f_type == EXT4_SUPER_MAGIC;
}

static int fs_make(const char *type, const char *options, struct reason *why)
{
	int dir, fd;

	if (!strcmp(type, "tmpfs")) {
		fd = mount_hidden("tmpfs", type, options);
		return fd < 0 ? give_reason(why, type, "mount") : fd;
	}
	dir = open(scratch(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return give_reason(why, type, scratch());
	if (!strcmp(type, "ext4") && is_ext4(dir))
		return dir;
	fd = mount_image(type, dir, why);
	close(dir);
	return fd;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

int fs_open(const char *type, const char *options, struct reason *why)
{
	struct fs *fs;

	for (fs = known; fs < known + MAX_FS && fs->type; fs++)
		if (same(fs->type, type) && same(fs->options, options))
			return fs->dir;
	if (fs == known + MAX_FS) {
		errno = ENFILE;
		return give_reason(why, type, "too many file systems");
	}
	fs->dir = fs_make(type, options, why);
	if (fs->dir < 0)
		return -1;
	fs->type = type;
	fs->options = options;
	return fs->dir;
}
