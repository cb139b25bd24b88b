/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Files and block devices to load from. All of them are without a name: they
 * are gone with their last fd, however the test ends.
 */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <stdint.h>

struct reason;

/*
 * Returns a directory of a file system of that type, which belongs to the
 * test, or -1 and why there is none. It is made on the first call, and the
 * same for all calls with the same arguments; @options may be NULL. Large
 * files go to the directory $RAMLOAD_SCRATCH, or /var/tmp.
 */
int fs_open(const char *type, const char *options, struct reason *why);

/*
 * Make a file system on a block device. It is mounted as long as the directory
 * that is returned, its root, or a file in it is open.
 */
int fs_make_on(const char *type, const char *device, struct reason *why);

/* An empty file; -1 with errno set if it cannot be made. */
int file_create(int dir);

/* A file of @size bytes of the pattern @seed, on stable storage. */
int file_create_pattern(int dir, uint64_t seed, uint64_t size);

/* memfd_create() and the same. */
int memfd_create_pattern(uint64_t seed, uint64_t size);

/* A module of the kernel, if it has that as one. */
void load_module(const char *name);

/* A block device with the contents of @backing, or -1. */
int loop_attach(int backing);

/* Whether what the fd refers to can be read past the page cache. */
int file_can_direct(int fd);

/* What is clean leaves the page cache. */
void file_evict(int fd);

#endif /* TEST_FILES_H */
