/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Writes ELF core files, good and bad ones, as the readers' tests want them. The
 * structures are spelled out, so that it shares nothing with the reader.
 */
#ifndef ELF_WRITER_H
#define ELF_WRITER_H

#include "image_writer.h"

/* What to write; zero in a member is what QEMU would write. */
struct elf {
	uint64_t offset;
	bool narrow;
	bool big;
	bool section;
	uint16_t type;
	uint16_t entry_size;
	uint64_t headers;
	uint32_t nr_headers;
	uint64_t sections;
};

struct segment {
	uint32_t type;
	uint64_t address;
	uint64_t virtual;
	uint64_t bytes;
	uint64_t length;
	bool set_offset;
	uint64_t offset;
};

static inline void put_int(const struct elf *e, uint64_t value, int length)
{
	int i;

	if (e->big) {
		put_be(value, length);
		return;
	}
	for (i = 0; i < length; i++)
		put_be(value >> i * 8 & 0xff, 1);
}

/* An address or an offset. */
static inline void put_word(const struct elf *e, uint64_t value)
{
	put_int(e, value, e->narrow ? 4 : 8);
}

static inline void put_file_header(const struct elf *e, uint64_t nr)
{
	uint64_t size = e->narrow ? 52 : 64, entry = e->narrow ? 32 : 56;
	uint64_t sections = e->sections ? e->sections : size + nr * entry;

	put("\x7f" "ELF", 4);
	put_be(e->narrow ? 1 : 2, 1);
	put_be(e->big ? 2 : 1, 1);
	put_be(1, 1);
	put_be(0, 8);
	put_be(0, 1);
	put_int(e, e->type ? e->type : 4, 2);
	put_int(e, e->big ? 22 : 62, 2);
	put_int(e, 1, 4);
	put_word(e, 0);
	put_word(e, e->headers ? e->headers : size);
	put_word(e, e->section ? sections : 0);
	put_int(e, 0, 4);
	put_int(e, size, 2);
	put_int(e, e->entry_size ? e->entry_size : entry, 2);
	if (e->section)
		put_int(e, 0xffff, 2);
	else
		put_int(e, e->nr_headers ? e->nr_headers : nr, 2);
	put_int(e, e->narrow ? 40 : 64, 2);
	put_int(e, e->section, 2);
	put_int(e, 0, 2);
}

static inline void put_segment(const struct elf *e, const struct segment *s)
{
	uint64_t length = s->length ? s->length : s->bytes;

	put_int(e, s->type ? s->type : 1, 4);
	if (!e->narrow)
		put_int(e, 7, 4);
	put_word(e, s->offset);
	put_word(e, s->virtual);
	put_word(e, s->address);
	put_word(e, s->bytes);
	put_word(e, length);
	if (e->narrow)
		put_int(e, 7, 4);
	put_word(e, 0);
}

/* The first one, which says how many program headers there are. */
static inline void put_section(const struct elf *e, uint64_t nr)
{
	int i;

	for (i = 0; i < 3; i++)
		put_int(e, 0, i < 2 ? 4 : e->narrow ? 4 : 8);
	for (i = 0; i < 3; i++)
		put_word(e, 0);
	put_int(e, 0, 4);
	put_int(e, e->nr_headers ? e->nr_headers : nr, 4);
	put_word(e, 0);
	put_word(e, 0);
}

/* No byte is like its neighbours, wherever it comes to lie. */
static inline void put_content(uint64_t length)
{
	while (length--)
		put_be((file.size * 0x9e3779b97f4a7c15ULL) >> 56 | 1, 1);
}

/*
 * Segments are given offsets one after the other, from behind the headers on,
 * where they have none.
 */
static inline void put_elf(const struct elf *e, struct segment *segments,
			   size_t nr)
{
	uint64_t at = (e->narrow ? 52 : 64) + nr * (e->narrow ? 32 : 56) +
		      (e->section ? e->narrow ? 40 : 64 : 0);
	uint64_t end = at;
	size_t i;

	memset(&file, 0, sizeof(file));
	skip_to(e->offset);
	file.start = file.size;
	put_file_header(e, nr);
	for (i = 0; i < nr; i++) {
		if (!segments[i].set_offset && segments[i].bytes) {
			segments[i].offset = end;
			end += segments[i].bytes;
		}
		put_segment(e, &segments[i]);
	}
	if (e->section)
		put_section(e, nr);
	end_span();
	put_content(end - at);
}

#endif /* ELF_WRITER_H */
