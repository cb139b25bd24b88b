// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* File systems for tests, on loop devices or on one another. */

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kselftest.h"
#include "nfs_mount.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define IMAGE_SIZE	MIB(512)
#define MAX_FS		20

/* File systems on a disk. */
struct disk_fs {
	const char *name;
	const char *type;
	const char *mkfs[5];
	const char *options;
	unsigned int sector;
};

static const struct disk_fs disk_fs[] = {
	/* Without a kernel thread that reads and writes it once mounted. */
	{ "ext4", "ext4", .mkfs = { "mkfs.ext4", "-q" },
	  .options = "noinit_itable,no_prefetch_block_bitmaps" },
	{ "ext4-1k", "ext4", .mkfs = { "mkfs.ext4", "-q", "-b", "1024" } },
	{ "ext4-4kn", "ext4", .mkfs = { "mkfs.ext4", "-q" }, .sector = 4096 },
	{ "ext4-inline", "ext4", .mkfs = { "mkfs.ext4", "-q", "-O", "inline_data" } },
	{ "ext4-verity", "ext4", .mkfs = { "mkfs.ext4", "-q", "-O", "verity" } },
	{ "xfs", "xfs", .mkfs = { "mkfs.xfs", "-q" } },
	{ "xfs-4kn", "xfs", .mkfs = { "mkfs.xfs", "-q" }, .sector = 4096 },
	{ "btrfs", "btrfs", .mkfs = { "mkfs.btrfs", "-q" } },
	{ "btrfs-zstd", "btrfs", .mkfs = { "mkfs.btrfs", "-q" },
	  .options = "compress-force=zstd" },
	{ "btrfs-lzo", "btrfs", .mkfs = { "mkfs.btrfs", "-q" },
	  .options = "compress-force=lzo" },
};

static struct fs {
	const char *name;
	const char *options;
	int dir;
} known[MAX_FS];

static const char *scratch(void)
{
	const char *dir = getenv("RAMLOAD_SCRATCH");

	return dir && *dir ? dir : "/var/tmp";
}

static int give_reason(struct reason *why, const char *name, const char *what)
{
	snprintf(why->text, sizeof(why->text), "%s: %s: %s", name, what,
		 strerror(errno));
	return -1;
}

/* Mounted nowhere once this returns: the fd is all that keeps it. */
static int mount_hidden(const char *device, const char *type,
			const char *options)
{
	char dir[] = "/tmp/ramload-test.XXXXXX";
	int fd = -1;

	if (!mkdtemp(dir))
		return -1;
	if (!mount(device, dir, type, MS_NOATIME, options)) {
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		umount2(dir, MNT_DETACH);
	}
	rmdir(dir);
	return fd;
}

static const struct disk_fs *find_disk_fs(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(disk_fs); i++)
		if (!strcmp(disk_fs[i].name, name))
			return &disk_fs[i];
	return NULL;
}

static int make_fs(const struct disk_fs *fs, const char *path,
		   struct reason *why)
{
	const char *argv[ARRAY_SIZE(fs->mkfs) + 1] = { NULL };
	int i;

	for (i = 0; fs->mkfs[i]; i++)
		argv[i] = fs->mkfs[i];
	argv[i] = path;
	return run_tool(argv) ? give_reason(why, fs->name, argv[0]) : 0;
}

static int make_disk(const struct disk_fs *fs, int dir, struct reason *why)
{
	int image = file_create(dir);
	char path[64];
	int loop;

	if (image < 0)
		return give_reason(why, fs->name, "no image");
	loop = ftruncate(image, IMAGE_SIZE) ? -1 :
	       loop_attach_sectors(image, fs->sector);
	close(image);
	if (loop < 0)
		return give_reason(why, fs->name, "no loop device");
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), loop);
	if (make_fs(fs, path, why)) {
		close(loop);
		return -1;
	}
	return loop;
}

static int mount_disk(const struct disk_fs *fs, const char *options, int dir,
		      struct reason *why)
{
	char path[64];
	int loop, fd;

	load_module(fs->type);
	loop = make_disk(fs, dir, why);
	if (loop < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", loop);
	fd = mount_hidden(path, fs->type, options ?: fs->options);
	if (fd < 0)
		give_reason(why, fs->name, "mount");
	close(loop);
	return fd;
}

static bool is_ext4(int dir)
{
	struct statfs fs;

	return !fstatfs(dir, &fs) && fs.f_type == EXT4_SUPER_MAGIC;
}

static int make_disk_fs(const char *name, const char *options,
			struct reason *why)
{
	const struct disk_fs *fs = find_disk_fs(name);
	int dir, fd;

	if (!fs) {
		errno = ENODEV;
		return give_reason(why, name, "unknown");
	}
	dir = open(scratch(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return give_reason(why, name, scratch());
	if (!strcmp(name, "ext4") && !options && is_ext4(dir))
		return dir;
	fd = mount_disk(fs, options, dir, why);
	close(dir);
	return fd;
}

static int make_memory_fs(const char *name, const char *options,
			  struct reason *why)
{
	int fd = mount_hidden(name, name, options);

	return fd < 0 ? give_reason(why, name, "mount") : fd;
}

static int overlay_on(const char *below, struct reason *why)
{
	static const char *const names[] = { "lower", "upper", "work" };
	char options[160], path[64];
	int i, fd;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", below, names[i]);
		if (mkdir(path, 0700))
			return give_reason(why, "overlay", names[i]);
	}
	snprintf(options, sizeof(options),
		 "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", below,
		 below, below);
	fd = mount_hidden("overlay", "overlay", options);
	return fd < 0 ? give_reason(why, "overlay", "mount") : fd;
}

/* It takes only directories that have a name. */
static int make_overlay(struct reason *why)
{
	char below[] = "/tmp/ramload-test.XXXXXX";
	int dir = open(scratch(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int loop = make_disk(disk_fs, dir, why), fd = -1;
	char path[64];

	close(dir);
	if (loop < 0)
		return -1;
	load_module("overlay");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", loop);
	if (mkdtemp(below)) {
		if (!mount(path, below, disk_fs->type, 0, NULL)) {
			fd = overlay_on(below, why);
			umount2(below, MNT_DETACH);
		} else {
			give_reason(why, "overlay", "mount below");
		}
		rmdir(below);
	}
	close(loop);
	return fd;
}

static int make_nfs(struct reason *why)
{
	int below = fs_open("ext4", "user_xattr", why);

	return below < 0 ? -1 : nfs_mount(below, why);
}

static int make(const char *name, const char *options, struct reason *why)
{
	if (!strcmp(name, "tmpfs") || !strcmp(name, "ramfs"))
		return make_memory_fs(name, options, why);
	if (!strcmp(name, "overlay"))
		return make_overlay(why);
	if (!strcmp(name, "nfs"))
		return make_nfs(why);
	return make_disk_fs(name, options, why);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

int fs_open(const char *name, const char *options, struct reason *why)
{
	static int nr;
	struct fs *fs;
	int dir;

	for (fs = known; fs < known + nr; fs++)
		if (same(fs->name, name) && same(fs->options, options))
			return fs->dir;
	dir = make(name, options, why);
	if (dir < 0)
		return -1;
	if (nr == MAX_FS) {
		close(dir);
		errno = ENFILE;
		return give_reason(why, name, "too many file systems");
	}
	known[nr++] = (struct fs){ name, options, dir };
	return dir;
}

int fs_make_on(const char *name, const char *device, struct reason *why)
{
	const struct disk_fs *fs = find_disk_fs(name);
	int fd;

	if (!fs) {
		errno = ENODEV;
		return give_reason(why, name, "unknown");
	}
	load_module(fs->type);
	if (make_fs(fs, device, why))
		return -1;
	fd = mount_hidden(device, fs->type, fs->options);
	return fd < 0 ? give_reason(why, name, "mount") : fd;
}
