/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Files and block devices to load from. All of them are without a name: they
 * are gone with their last fd, however the test ends.
 */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <stdint.h>

/* An empty file; -1 with errno set if it cannot be made. */
int file_create(int dir);

/* A file of @size bytes of the pattern @seed, on stable storage. */
int file_create_pattern(int dir, uint64_t seed, uint64_t size);

/* memfd_create() and the same. */
int memfd_create_pattern(uint64_t seed, uint64_t size);

/* Runs a program, silently. Returns its wait(2) status, or -1. */
int run_tool(const char *const argv[]);

/* A module of the kernel, if it has that as one. */
void load_module(const char *name);

/* A block device with the contents of @backing, or -1. */
int loop_attach(int backing);

/* The same with sectors of so many bytes; 0: 512. */
int loop_attach_sectors(int backing, unsigned int sector);

/*
 * Whether the module reads what the fd refers to past the page cache; not
 * NFS nor overlayfs.
 */
int file_can_direct(int fd);

/* The same file once more, also if it has no name. */
int file_reopen(int fd, int flags);

/* What is clean leaves the page cache. */
void file_evict(int fd);

/* The number that follows @key in a line of a file, as in /proc; else -1. */
long read_value(const char *path, const char *key);

#endif /* TEST_FILES_H */
