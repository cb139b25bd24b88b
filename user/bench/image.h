/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Images to measure with: made by a pattern, or real
 */
#ifndef BENCH_IMAGE_H
#define BENCH_IMAGE_H

#include <ramload.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct bench_image - an image
 * @name: of the pattern, or the file's
 * @fd: the file, open for reading
 * @direct_fd: the same, opened with O_DIRECT; -1 if it cannot be
 * @blocks: its blocks; dest is not used
 * @nr_blocks: how many
 * @length: bytes of memory
 * @present: bytes in the file
 * @runs: runs of adjacent present pages
 * @real: what the blocks belong to, of a real image
 */
struct bench_image {
	char *name;
	int fd;
	int direct_fd;
	struct ramload_block *blocks;
	size_t nr_blocks;
	uint64_t length;
	uint64_t present;
	uint64_t runs;
	struct ramload_image *real;
};

/** bench_image_pattern() - name of the i-th pattern, NULL at the end */
const char *bench_image_pattern(size_t i);

/** bench_image_pattern_help() - what it stands for */
const char *bench_image_pattern_help(size_t i);

/**
 * bench_image_make() - make an image by a pattern
 * @image: filled in
 * @pattern: its name
 * @length: bytes of memory, a multiple of 2 MiB
 * @dir: where the file is made; it has no name there
 *
 * Return: 0 or a negative errno
 */
int bench_image_make(struct bench_image *image, const char *pattern,
		     uint64_t length, const char *dir);

/**
 * bench_image_open() - take a real image
 * @image: filled in
 * @path: the file
 * @error: says what is wrong with it, see ramload_image_open()
 *
 * Return: 0 or a negative errno
 */
int bench_image_open(struct bench_image *image, const char *path,
		     struct ramload_image_error *error);

void bench_image_close(struct bench_image *image);

/** bench_image_warm() - read the file, so that it is in the page cache */
int bench_image_warm(const struct bench_image *image);

/** bench_image_chill() - drop it from the page cache */
int bench_image_chill(const struct bench_image *image);

/* What is done with present bytes of a block: [@at, @end) of block @block. */
typedef int (*bench_run_fn)(void *arg, size_t block, uint64_t at, uint64_t end);

/**
 * bench_image_walk() - go through all runs of present bytes
 * @image: the image
 * @fn: called with each run, until it returns other than 0
 * @arg: its first argument
 *
 * Return: what @fn returned last, 0 if there are no runs
 */
int bench_image_walk(const struct bench_image *image, bench_run_fn fn,
		     void *arg);

#endif /* BENCH_IMAGE_H */
