/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What the fuzzer of image readers feeds them: a byte that picks the format, a
 * byte for where the image starts (in units of 64 bytes), a byte for how many
 * pages of zeros follow the bytes of the file, two for its holes and for layers
 * over it, then those bytes.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "../user/elf_writer.h"
#include "../user/libvirt_writer.h"

enum {
	INPUT_FORMAT,
	INPUT_START,
	INPUT_PADDING,
	INPUT_HOLES,
	INPUT_LAYERS,
	INPUT_HEADER,
};

/* By INPUT_FORMAT. */
static const char *const input_formats[] = {
	NULL, "mapped-ram", "raw", "libvirt", "elf",
};

#define NR_INPUT_FORMATS (sizeof(input_formats) / sizeof(input_formats[0]))

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

static size_t draw_blocks(struct block *blocks)
{
	static const char *const names[MAX_BLOCKS] = {
		"pc.ram", "vga.vram", "/rom@etc/acpi/tables", "x",
	};
	size_t nr = 1 + draw(MAX_BLOCKS), i;

	for (i = 0; i < nr; i++)
		draw_block(&blocks[i], names[draw(16) ? i : 0]);
	return nr;
}

/* A stream that QEMU might have written, or nearly so. */
static void draw_stream(void)
{
	struct block blocks[MAX_BLOCKS];
	size_t nr = draw_blocks(blocks);
	struct stream s = { 0 };

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

static void draw_libvirt(void)
{
	static const char *const magics[] = {
		NULL, "LibvirtQemudPart", "LibvirtQemudSafe",
	};
	struct block blocks[MAX_BLOCKS];
	size_t nr = draw_blocks(blocks);
	struct libvirt l = { 0 };

	l.magic = magics[draw(16) ? 0 : draw(3)];
	l.big = !draw(4);
	l.version = draw(16) ? 2 : draw(5);
	l.data_length = draw(16) ? 0 : draw_place();
	l.set_format = !draw(16);
	l.format = draw(9);
	l.cookie = draw(8) ? 0 : draw(1100);
	put_libvirt(&l, blocks, nr);
	file.start = 0;
}

static void draw_segment(struct segment *s)
{
	*s = (struct segment){
		.type = draw(8) ? 1 : draw(7),
		.address = draw(3) ? draw(16) * PAGE : draw(1 << 16),
		.bytes = draw(3) ? draw(8) * PAGE : draw(9000),
	};
	s->length = s->bytes + (draw(3) ? 0 : draw(9000));
	s->virtual = draw(2) ? 0 : draw_place();
	if (!draw(8))
		s->address = draw_place();
	if (!draw(16))
		s->length = draw_place();
	if (!draw(16)) {
		s->set_offset = true;
		s->offset = draw_place();
	}
}

static void draw_elf(void)
{
	struct segment segments[12];
	size_t nr = 1 + draw(12), i;
	struct elf e = {
		.narrow = !draw(3),
		.big = !draw(3),
		.section = !draw(3),
		.offset = draw(4) ? 0 : draw(100) * START_UNIT,
	};

	for (i = 0; i < nr; i++)
		draw_segment(&segments[i]);
	e.type = draw(16) ? 0 : draw(6);
	e.headers = draw(16) ? 0 : draw_place();
	e.sections = draw(16) ? 0 : draw_place();
	e.nr_headers = draw(8) ? 0 : draw_place();
	put_elf(&e, segments, nr);
	file.start = e.offset / START_UNIT;
}

static void draw_raw(void)
{
	memset(&file, 0, sizeof(file));
	put_content(draw(3) ? draw(30) * PAGE : draw(100000));
	file.start = draw(4) ? 0 : draw(256);
}

static void draw_image(uint64_t seed)
{
	draw_state = seed;
	switch (draw(5)) {
	case 0:
	case 1:
		draw_stream();
		break;
	case 2:
		draw_libvirt();
		break;
	case 3:
		draw_elf();
		break;
	default:
		draw_raw();
	}
}

/* Write the image drawn last as an input; returns its size, at most @room. */
static size_t put_input(uint8_t *data, size_t room)
{
	size_t size = file.size;

	if (room < INPUT_HEADER)
		return 0;
	if (size > room - INPUT_HEADER)
		size = room - INPUT_HEADER;
	data[INPUT_FORMAT] = draw(8) ? 0 : draw(NR_INPUT_FORMATS);
	data[INPUT_START] = file.start;
	data[INPUT_PADDING] = draw(3) ? 0 : draw(256);
	data[INPUT_HOLES] = draw(2) ? 0 : draw(256);
	data[INPUT_LAYERS] = draw(2) ? 0 : draw(256);
	memcpy(data + INPUT_HEADER, file.data, size);
	return INPUT_HEADER + size;
}

#endif /* FUZZ_INPUT_H */
