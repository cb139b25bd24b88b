/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What the fuzzer of image readers feeds them: a byte that picks the format, a
 * byte for where the image starts (in units of 64 bytes), a byte for how many
 * pages of zeros follow the bytes of the file, then those bytes.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "../user/image_writer.h"

enum { INPUT_FORMAT, INPUT_START, INPUT_PADDING, INPUT_HEADER };

#define START_UNIT	64
#define MAX_BLOCKS	4

static uint64_t draw_state;

static uint64_t draw(uint64_t n)
{
	draw_state = draw_state * 6364136223846793005 + 1442695040888963407;
	return (draw_state >> 33) % n;
}

/* A place in the file that something may start at. */
static uint64_t draw_place(void)
{
	switch (draw(5)) {
	case 0:
		return draw(1 << 16);
	case 1:
		return UINT64_C(1) << draw(64);
	case 2:
		return INT64_MAX - draw(8) * 4096;
	default:
		return draw(32) * 4096;
	}
}

static void draw_block(struct block *b, const char *name)
{
	size_t i;

	*b = (struct block){ .name = name, .length = (1 + draw(12)) * PAGE };
	for (i = 0; i < sizeof(b->bits); i++)
		b->bits[i] = draw(3) ? draw(256) : 0;
	if (!draw(4))
		b->page_size = UINT64_C(512) << draw(12);
	b->left_out = !draw(8);
	b->version = draw(16) ? 1 : draw(3);
	if (!draw(4)) {
		b->set_offsets = true;
		b->bitmap = draw_place();
		b->pages = draw_place();
	}
}

/* A stream that QEMU might have written, or nearly so. */
static void draw_image(uint64_t seed)
{
	static const char *const names[MAX_BLOCKS] = {
		"pc.ram", "vga.vram", "/rom@etc/acpi/tables", "x",
	};
	struct block blocks[MAX_BLOCKS];
	struct stream s = { 0 };
	size_t nr, i;

	draw_state = seed;
	nr = 1 + draw(MAX_BLOCKS);
	for (i = 0; i < nr; i++)
		draw_block(&blocks[i], names[draw(16) ? i : 0]);
	s.offset = draw(3) ? 0 : draw(100) * START_UNIT;
	s.no_configuration = !draw(8);
	s.no_capabilities = !draw(16);
	s.ignore_shared = !draw(4);
	s.uuid = !draw(4);
	s.page_bits = draw(2);
	s.no_end = !draw(8);
	s.no_footer = !draw(8);
	s.total = draw(16) ? 0 : draw_place();
	put_stream(&s, blocks, nr);
	file.start = s.offset / START_UNIT;
}

/* Write the image drawn last as an input; returns its size, at most @room. */
static size_t put_input(uint8_t *data, size_t room)
{
	size_t size = file.size;

	if (room < INPUT_HEADER)
		return 0;
	if (size > room - INPUT_HEADER)
		size = room - INPUT_HEADER;
	data[INPUT_FORMAT] = draw(8) ? 0 : draw(3);
	data[INPUT_START] = file.start;
	data[INPUT_PADDING] = draw(3) ? 0 : draw(256);
	memcpy(data + INPUT_HEADER, file.data, size);
	return INPUT_HEADER + size;
}

#endif /* FUZZ_INPUT_H */
