/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_SAVE_FILE_H
#define RAMLOAD_SAVE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct save_file - a file that takes its place when it is complete
 * @directory: where it is to be
 * @name: under which name
 * @temporary: its name until then, empty: it has none
 * @fd: writes through the page cache
 * @direct_fd: writes past it, -1: not to be done
 * @offset_align: what offset and length of a direct write are multiples of
 * @memory_align: what its address is a multiple of
 */
struct save_file {
	int directory;
	char *name;
	char temporary[32];
	int fd;
	int direct_fd;
	uint32_t offset_align;
	uint32_t memory_align;
};

int save_file_open(struct save_file *file, const char *path, bool direct);
int save_file_set_length(struct save_file *file, uint64_t length);
int save_file_write(const struct save_file *file, const void *data,
		    uint64_t length, uint64_t offset, uint64_t *done);
int save_file_clear(const struct save_file *file, uint64_t length,
		    uint64_t offset, uint64_t *done);
int save_file_commit(struct save_file *file);
void save_file_close(struct save_file *file);

#endif /* RAMLOAD_SAVE_FILE_H */
