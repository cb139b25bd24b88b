/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_OPTIONS_H
#define PRELOAD_OPTIONS_H

#include <stdbool.h>

#include <ramload.h>

/**
 * struct preload_options - what the environment says
 * @on: to do anything at all
 * @engine: which engine
 * @workers: how many workers, 0: the library's default
 * @memory: to give memory made for loading to who asks for a memfd of QEMU
 * @summary_fd: where to write summaries, -1: nowhere or to @summary_path
 * @summary_path: file to append summaries to, NULL: none
 *
 * Filled in by the constructor, never changed after that.
 */
struct preload_options {
	bool on;
	enum ramload_engine engine;
	unsigned int workers;
	bool memory;
	int summary_fd;
	const char *summary_path;
};

extern struct preload_options preload_options;

void preload_options_read(void);

#endif /* PRELOAD_OPTIONS_H */
