// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bits.h"
#include "block.h"
#include "image.h"

#define PAGE		4096
#define PIECE		(UINT64_C(1) << 20)
#define PAGES_OF_2M	512

/* The same image in every run: what is random is so by this. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * UINT64_C(0x2545f4914f6cdd1d) >> 33;
}

static void set_pages(uint8_t *bitmap, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		bitmap[from / 8] |= 1 << from % 8;
}

/* A guest that was booted and left alone: 80 % of its pages are zeros. */
static void mark_idle(uint8_t *bitmap, uint64_t pages, uint64_t *state)
{
	uint64_t at = 0, run;

	while (at < pages) {
		run = 1 + next_random(state) % 64;
		set_pages(bitmap, at, min_u64(pages, at + run));
		at += run;
		/* Four times as long, on the average. */
		at += 1 + next_random(state) % (8 * run);
	}
}

static void mark_alternating(uint8_t *bitmap, uint64_t pages, uint64_t *state)
{
	(void)state;
	memset(bitmap, 0x55, (pages + 7) / 8);
}

static void mark_random(uint8_t *bitmap, uint64_t pages, uint64_t *state)
{
	for (uint64_t i = 0; i < pages; i++)
		set_pages(bitmap, i, i + next_random(state) % 2);
}

static void mark_clusters(uint8_t *bitmap, uint64_t pages, uint64_t *state)
{
	for (uint64_t i = 0; i < pages; i += PAGES_OF_2M)
		if (next_random(state) % 2)
			set_pages(bitmap, i, min_u64(pages, i + PAGES_OF_2M));
}

static const struct pattern {
	const char *name;
	const char *help;
	void (*mark)(uint8_t *bitmap, uint64_t pages, uint64_t *state);
} patterns[] = {
	{ "dense", "all pages present", NULL },
	{ "idle", "80 % absent, runs of 1 to 64 pages", mark_idle },
	{ "alternating", "every other page", mark_alternating },
	{ "random", "each page with a chance of one half", mark_random },
	{ "clusters", "each 2 MiB with a chance of one half", mark_clusters },
};

#define NR_PATTERNS	(sizeof(patterns) / sizeof(patterns[0]))

const char *bench_image_pattern(size_t i)
{
	return i < NR_PATTERNS ? patterns[i].name : NULL;
}

const char *bench_image_pattern_help(size_t i)
{
	return i < NR_PATTERNS ? patterns[i].help : NULL;
}

static const struct pattern *find_pattern(const char *name)
{
	for (size_t i = 0; i < NR_PATTERNS; i++)
		if (!strcmp(patterns[i].name, name))
			return &patterns[i];
	return NULL;
}

int bench_image_walk(const struct bench_image *image, bench_run_fn fn,
		     void *arg)
{
	int err = 0;

	for (size_t i = 0; i < image->nr_blocks; i++) {
		const struct ramload_block *block = &image->blocks[i];
		uint64_t at = 0, end;

		for (; !err && at < block->length; at = end) {
			end = block_next_run(block, &at, block->length);
			if (at < end)
				err = fn(arg, i, at, end);
		}
	}
	return err;
}

static int count_run(void *arg, size_t block, uint64_t at, uint64_t end)
{
	struct bench_image *image = arg;

	(void)block;
	image->present += end - at;
	image->runs++;
	return 0;
}

static void count(struct bench_image *image)
{
	for (size_t i = 0; i < image->nr_blocks; i++)
		image->length += image->blocks[i].length;
	bench_image_walk(image, count_run, image);
}

/* No page is like another, and none is zeros. */
static void fill(uint64_t *words, size_t nr, uint64_t *state)
{
	for (size_t i = 0; i < nr; i++)
		words[i] = next_random(state) | 1;
}

static int write_run(int fd, uint64_t at, uint64_t end, uint64_t *state)
{
	static uint64_t buffer[PIECE / sizeof(uint64_t)];

	while (at < end) {
		size_t bytes = min_u64(PIECE, end - at);
		ssize_t done;

		fill(buffer, bytes / sizeof(buffer[0]), state);
		done = pwrite(fd, buffer, bytes, at);
		if (done <= 0)
			return done ? -errno : -ENOSPC;
		at += done;
	}
	return 0;
}

static int write_block(int fd, const struct ramload_block *block,
		       uint64_t *state)
{
	uint64_t at = 0, end;
	int err = 0;

	if (ftruncate(fd, block->length))
		return -errno;
	for (; !err && at < block->length; at = end) {
		end = block_next_run(block, &at, block->length);
		err = write_run(fd, at, end, state);
	}
	return !err && fsync(fd) ? -errno : err;
}

/* @flags may have O_DIRECT. */
static int reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC | flags);
}

static int make_file(struct bench_image *image, const char *dir,
		     uint64_t *state)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = write_block(fd, image->blocks, state);
	if (!err) {
		image->fd = reopen(fd, 0);
		image->direct_fd = reopen(fd, O_DIRECT);
		err = image->fd < 0 ? -errno : 0;
	}
	close(fd);
	return err;
}

int bench_image_make(struct bench_image *image, const char *pattern,
		     uint64_t length, const char *dir)
{
	const struct pattern *p = find_pattern(pattern);
	uint64_t pages = length / PAGE, state = 88172645463325252;
	uint8_t *bitmap = NULL;
	int err;

	*image = (struct bench_image){ .fd = -1, .direct_fd = -1 };
	if (!p)
		return -EINVAL;
	image->name = strdup(pattern);
	image->blocks = calloc(1, sizeof(*image->blocks));
	if (!image->name || !image->blocks)
		goto no_memory;
	*image->blocks = (struct ramload_block){ .length = length };
	image->nr_blocks = 1;
	if (p->mark) {
		bitmap = calloc(1, (pages + 7) / 8);
		if (!bitmap)
			goto no_memory;
		p->mark(bitmap, pages, &state);
		image->blocks->bitmap = bitmap;
		image->blocks->page_size = PAGE;
	}
	count(image);
	err = make_file(image, dir, &state);
	if (err)
		bench_image_close(image);
	return err;

no_memory:
	bench_image_close(image);
	return -ENOMEM;
}

/* What is measured reads one file. */
static int take_blocks(struct bench_image *image,
		       struct ramload_image_error *error)
{
	size_t i, nr = ramload_image_nr_blocks(image->real);
	void **dests = calloc(nr + 1, sizeof(*dests));

	if (!dests)
		return -ENOMEM;
	if (ramload_image_nr_files(image->real) > 1) {
		free(dests);
		snprintf(error->text, sizeof(error->text),
			 "is an image of several files");
		return -ENOTSUP;
	}
	/* Any address does. */
	for (i = 0; i < nr; i++)
		dests[i] = image;
	nr = ramload_image_load(image->real, 0, dests, NULL);
	image->blocks = calloc(nr + 1, sizeof(*image->blocks));
	if (image->blocks)
		ramload_image_load(image->real, 0, dests, image->blocks);
	free(dests);
	if (!image->blocks)
		return -ENOMEM;
	image->nr_blocks = nr;
	count(image);
	return 0;
}

int bench_image_open(struct bench_image *image, const char *path,
		     struct ramload_image_error *error)
{
	int err;

	*image = (struct bench_image){ .direct_fd = -1 };
	image->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (image->fd < 0) {
		err = -errno;
		snprintf(error->text, sizeof(error->text), "%s",
			 strerror(-err));
		return err;
	}
	image->direct_fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	err = ramload_image_open(image->fd, 0, NULL, &image->real, error);
	if (!err)
		err = take_blocks(image, error);
	if (!err) {
		image->name = strdup(path);
		err = image->name ? 0 : -ENOMEM;
	}
	if (err)
		bench_image_close(image);
	return err;
}

void bench_image_close(struct bench_image *image)
{
	if (image->real)
		ramload_image_close(image->real);
	else if (image->blocks)
		free((void *)image->blocks->bitmap);
	free(image->blocks);
	free(image->name);
	if (image->fd >= 0)
		close(image->fd);
	if (image->direct_fd >= 0)
		close(image->direct_fd);
	*image = (struct bench_image){ .fd = -1, .direct_fd = -1 };
}

static int read_run(void *arg, size_t block, uint64_t at, uint64_t end)
{
	static char buffer[PIECE];
	const struct bench_image *image = arg;
	uint64_t offset = image->blocks[block].file_offset;

	while (at < end) {
		ssize_t got = pread(image->fd, buffer,
				    min_u64(sizeof(buffer), end - at),
				    offset + at);

		if (got <= 0)
			return got ? -errno : -ENODATA;
		at += got;
	}
	return 0;
}

int bench_image_warm(const struct bench_image *image)
{
	return bench_image_walk(image, read_run, (void *)image);
}

int bench_image_chill(const struct bench_image *image)
{
	return -posix_fadvise(image->fd, 0, 0, POSIX_FADV_DONTNEED);
}
