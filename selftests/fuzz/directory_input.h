/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What the fuzzer of images that are directories feeds them: a byte for each
 * of three directories that says what its parent is; then files, each with a
 * byte for its name, three for its length, and the bytes that it holds, of
 * which the last file may have fewer.
 */
#ifndef DIRECTORY_INPUT_H
#define DIRECTORY_INPUT_H

#include "../user/directory_writer.h"

#define NR_DIRECTORIES	3
#define NR_NAMES	8
#define FILE_HEADER	4

/* Names of files; the number of the directory comes on top. */
static const char *const input_names[NR_NAMES] = {
	"pagemap-1.img", "pages-1.img", "pagemap-20.img", "pages-2.img",
	"pagemap-shmem-3.img", "pages-3.img", "state.json", "memory-ranges",
};

/* The first is what it is in a chain as criu makes it. */
static const char *const input_parents[] = {
	"", NULL, ".", "..", "../0", "../1", "../2", "gone",
};

#define NR_PARENTS (sizeof(input_parents) / sizeof(input_parents[0]))

static uint64_t draw_state;

static uint64_t draw(uint64_t n)
{
	draw_state = draw_state * 6364136223846793005 + 1442695040888963407;
	return (draw_state >> 33) % n;
}

static void put_input_file(struct bytes *input, unsigned int directory,
			   unsigned int name, struct bytes *content)
{
	put_u8(input, directory * NR_NAMES + name);
	put_u8(input, content->size);
	put_u8(input, content->size >> 8);
	put_u8(input, content->size >> 16);
	put(input, content->data, content->size);
	drop(content);
}

static void put_pages(struct bytes *b, uint64_t pages)
{
	uint64_t i;

	for (i = 0; i < pages * PAGE / 8; i++) {
		uint64_t value = draw(UINT64_MAX);

		put(b, &value, sizeof(value));
	}
}

/* What a dump might have, or nearly so; returns the pages that it has. */
static uint64_t draw_pagemap(struct bytes *b, uint32_t pages_id, bool parent)
{
	uint64_t address = 0x1000, present = 0;
	size_t nr = draw(12);

	put_pagemap_head(b, pages_id);
	while (nr--) {
		struct run run = {
			.pages = 1 + draw(3),
			.flags = PE_PRESENT,
		};

		if (!draw(4))
			address += draw(3) * PAGE;
		run.vaddr = address;
		if (parent && draw(2))
			run.flags = PE_PARENT;
		if (!draw(60))
			run.flags = draw(9);
		if (!draw(60))
			run.vaddr = draw(1 << 20);
		put_run(b, &run);
		address += run.pages * PAGE;
		if (run.flags & PE_PRESENT)
			present += run.pages;
	}
	return present;
}

static void draw_dump(struct bytes *input, unsigned int directory)
{
	bool parent = directory < NR_DIRECTORIES - 1;
	unsigned int name = draw(3) * 2;
	struct bytes b = { 0 };
	uint64_t pages;

	pages = draw_pagemap(&b, name / 2 + 1, parent);
	put_input_file(input, directory, name, &b);
	put_pages(&b, draw(20) ? pages : draw(5));
	put_input_file(input, directory, name + 1, &b);
}

static void draw_snapshot(struct bytes *input)
{
	struct range ranges[8];
	size_t nr = draw(8), i;
	struct bytes b = { 0 };
	uint64_t at = 0, pages = 0;

	for (i = 0; i < nr; i++) {
		at += draw(3) * PAGE;
		ranges[i].gpa = draw(20) ? at : draw(UINT64_MAX) << draw(32);
		ranges[i].length = (1 + draw(3)) * PAGE;
		at += ranges[i].length;
		pages += ranges[i].length / PAGE;
	}
	put_state(&b, ranges, nr);
	put_input_file(input, 0, 6, &b);
	put_pages(&b, draw(20) ? pages : draw(8));
	put_input_file(input, 0, 7, &b);
}

/* Directories that were drawn; to be dropped by the caller. */
static struct bytes draw_directories(uint64_t seed)
{
	struct bytes input = { 0 };
	unsigned int i, j;

	draw_state = seed * 2 + 1;
	draw(2);
	for (i = 0; i < NR_DIRECTORIES; i++)
		put_u8(&input, draw(8) ? 0 : draw(NR_PARENTS));
	if (!draw(3)) {
		draw_snapshot(&input);
		return input;
	}
	for (i = 0; i < NR_DIRECTORIES; i++) {
		for (j = draw(3); j <= 1; j++)
			draw_dump(&input, i);
	}
	return input;
}

#endif /* DIRECTORY_INPUT_H */
