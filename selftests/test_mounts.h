/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * File systems for tests. All of them are mounted nowhere: they are gone with
 * their last file, however the test ends. Only "nfs" has a server, which ends
 * with the process that made it.
 */
#ifndef TEST_MOUNTS_H
#define TEST_MOUNTS_H

struct reason;

/*
 * Returns a directory of a file system that belongs to the test, or -1 and
 * why there is none. It is made on the first call, and the same for all calls
 * with the same arguments; @options are those of mount(8) and may be NULL.
 * @name is a type of file system, or one that has something behind a dash:
 *
 *	ext4, ext4-1k, ext4-4kn, ext4-inline, ext4-verity
 *	xfs, xfs-4kn, btrfs, btrfs-zstd, btrfs-lzo
 *	overlay (on ext4), nfs (of ext4), tmpfs, ramfs
 *
 * 4kn: on a disk with sectors of 4096 bytes. Large files go to the directory
 * $RAMLOAD_SCRATCH, or /var/tmp.
 */
int fs_open(const char *name, const char *options, struct reason *why);

/*
 * Make a file system of that name on a block device. It is mounted as long as
 * the directory that is returned, its root, or a file in it is open.
 */
int fs_make_on(const char *name, const char *device, struct reason *why);

#endif /* TEST_MOUNTS_H */
