/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Dumps: memory written to a file, sparse where it is zero
 */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "ramload.h"
#include "work.h"

/**
 * struct dump - where dumps go
 * @directory: an fd
 * @image: whose files must not be overwritten
 */
struct dump {
	int directory;
	const struct ramload_image *image;
};

/**
 * dump_open() - open the directory, made if need be for its owner only
 * @image: its files must not be overwritten
 *
 * Return: 0, or a negative errno after a message
 */
int dump_open(struct dump *dump, const char *path,
	      const struct ramload_image *image);

/**
 * dump_memory() - write @length bytes at @memory to file @name
 *
 * A file of that name is overwritten. It is removed if it cannot be completed.
 *
 * Return: 0 or a negative errno: -EINTR if interrupted, -EEXIST if there is
 * something else of that name
 */
int dump_memory(const struct dump *dump, const char *name, const void *memory,
		uint64_t length, struct work *work);

void dump_close(struct dump *dump);

#endif /* CLI_DUMP_H */
