// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Images: ELF core files, as QEMU's dump-guest-memory and copies of
 * /proc/vmcore are
 *
 * The memory is in segments (PT_LOAD) at physical addresses. Segments may
 * overlap: a dump with paging has one for each mapping of a piece of memory, a
 * vmcore has the kernel's text once more. Where they do, a byte is taken from
 * the segment that starts first, of those that start together from the one that
 * comes first in the file. What adjoins is one block.
 *
 * A segment of which the file has nothing is memory that was left out, or is
 * none at all (of a device): it is passed over. What a segment has beyond its
 * bytes in the file is zeros, as ELF has it.
 *
 * Core files of processes have no physical addresses: where all are 0, the
 * virtual ones count. Offsets are from the start of the image.
 */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "image.h"

/*
 * A process has 65530 mappings, if nobody raised the limit. This bounds the
 * work a hostile file can cause.
 */
#define MAX_HEADERS	(UINT64_C(1) << 20)

#define BATCH		64

/**
 * struct segment - a segment that has bytes in the file
 * @pos: where in the file its header is
 * @address: physical, or virtual where there are no physical ones
 * @virtual: its virtual address
 * @length: bytes of memory, at least @bytes
 * @bytes: bytes in the file, at least 1
 * @offset: where they are
 */
struct segment {
	uint64_t pos;
	uint64_t address;
	uint64_t virtual;
	uint64_t length;
	uint64_t bytes;
	uint64_t offset;
};

/**
 * struct core - a core file while it is read
 * @wide: of the 64-bit class
 * @big: big-endian
 * @headers: offset of the program headers from the start of the image
 * @nr_headers: how many there are
 * @used: bytes of the file that are in parts
 */
struct core {
	struct image_file *file;
	struct ramload_image *image;
	bool wide;
	bool big;
	uint64_t headers;
	uint64_t nr_headers;
	uint64_t used;
	struct segment *segments;
	size_t nr;
	size_t room;
};

/* Structures of either class, as they are in the file. */
union file_header {
	Elf32_Ehdr narrow;
	Elf64_Ehdr wide;
};

union section_header {
	Elf32_Shdr narrow;
	Elf64_Shdr wide;
};

union program_header {
	Elf32_Phdr narrow;
	Elf64_Phdr wide;
};

#define ull(x) ((unsigned long long)(x))

static uint64_t to_host(const struct core *core, uint64_t value, size_t size)
{
	switch (size) {
	case 2:
		return core->big ? be16toh(value) : le16toh(value);
	case 4:
		return core->big ? be32toh(value) : le32toh(value);
	default:
		return core->big ? be64toh(value) : le64toh(value);
	}
}

#define GET(core, from, member) ((core)->wide ?				\
	to_host(core, (from).wide.member, sizeof((from).wide.member)) :	\
	to_host(core, (from).narrow.member, sizeof((from).narrow.member)))

#define SIZE_OF(core, from) \
	((core)->wide ? sizeof((from).wide) : sizeof((from).narrow))

static int get_ident(struct core *core)
{
	struct image_file *file = core->file;
	unsigned char ident[EI_NIDENT];
	int err;

	err = image_read(file, file->start, ident, sizeof(ident), "ELF header");
	if (err)
		return err;
	if (memcmp(ident, ELFMAG, SELFMAG))
		return image_fail(file, -EINVAL, file->start,
				  "not an ELF file");
	core->wide = ident[EI_CLASS] == ELFCLASS64;
	core->big = ident[EI_DATA] == ELFDATA2MSB;
	if (!core->wide && ident[EI_CLASS] != ELFCLASS32)
		return image_fail(file, -EINVAL, file->start + EI_CLASS,
				  "ELF class %u", ident[EI_CLASS]);
	if (!core->big && ident[EI_DATA] != ELFDATA2LSB)
		return image_fail(file, -EINVAL, file->start + EI_DATA,
				  "ELF byte order %u", ident[EI_DATA]);
	return 0;
}

/*
 * The real number, where it does not fit into the header: the first section
 * header has it.
 */
static int get_large_number(struct core *core, uint64_t sections)
{
	struct image_file *file = core->file;
	union section_header section = { 0 };
	int err;

	if (!sections)
		return image_fail(file, -EINVAL, file->start,
				  "no section header to say how many program headers there are");
	if (sections > file->size - file->start)
		return image_fail(file, -ENODATA, file->start,
				  "section header at %llu: the file ends at %llu",
				  ull(sections), ull(file->size));
	err = image_read(file, file->start + sections, &section,
			 SIZE_OF(core, section), "section header");
	core->nr_headers = GET(core, section, sh_info);
	return err;
}

/* All of the table is in the file, and it is not too long. */
static int check_table(struct core *core, size_t size)
{
	struct image_file *file = core->file;
	uint64_t room = file->size - file->start;

	if (!core->nr_headers)
		return image_fail(file, -EINVAL, file->start,
				  "no program headers");
	if (core->nr_headers > MAX_HEADERS)
		return image_fail(file, -ENOTSUP, file->start,
				  "%llu program headers, more than %llu",
				  ull(core->nr_headers), ull(MAX_HEADERS));
	if (core->headers > room ||
	    core->nr_headers > (room - core->headers) / size)
		return image_fail(file, -ENODATA, file->start,
				  "%llu program headers at %llu: the file ends at %llu",
				  ull(core->nr_headers), ull(core->headers),
				  ull(file->size));
	return 0;
}

static int get_header(struct core *core)
{
	struct image_file *file = core->file;
	union file_header header = { 0 };
	union program_header segment;
	uint64_t size, type;
	int err;

	err = image_read(file, file->start, &header, SIZE_OF(core, header),
			 "ELF header");
	if (err)
		return err;
	type = GET(core, header, e_type);
	if (type != ET_CORE)
		return image_fail(file, -ENOTSUP, file->start + EI_NIDENT,
				  "an ELF file of type %llu, which is no core",
				  ull(type));
	core->headers = GET(core, header, e_phoff);
	core->nr_headers = GET(core, header, e_phnum);
	if (core->nr_headers == PN_XNUM) {
		err = get_large_number(core, GET(core, header, e_shoff));
		if (err)
			return err;
	}
	size = GET(core, header, e_phentsize);
	if (size != SIZE_OF(core, segment))
		return image_fail(file, -EINVAL, file->start,
				  "program headers of %llu bytes, not %zu",
				  ull(size), SIZE_OF(core, segment));
	return check_table(core, size);
}

static int add_segment(struct core *core, const struct segment *segment)
{
	size_t room = core->room ? core->room * 2 : 64;
	struct segment *segments;

	if (core->nr == core->room) {
		segments = reallocarray(core->segments, room,
					sizeof(*segments));
		if (!segments)
			return image_fail(core->file, -ENOMEM, segment->pos,
					  "out of memory");
		core->segments = segments;
		core->room = room;
	}
	core->segments[core->nr++] = *segment;
	return 0;
}

/* Takes it if it is a segment that has bytes in the file. */
static int get_segment(struct core *core, const union program_header *header,
		       uint64_t pos)
{
	const struct segment segment = {
		.pos = pos,
		.address = GET(core, *header, p_paddr),
		.virtual = GET(core, *header, p_vaddr),
		.length = GET(core, *header, p_memsz),
		.bytes = GET(core, *header, p_filesz),
		.offset = GET(core, *header, p_offset),
	};

	if (GET(core, *header, p_type) != PT_LOAD || !segment.bytes)
		return 0;
	return add_segment(core, &segment);
}

static int get_batch(struct core *core, uint64_t first, size_t nr)
{
	union program_header header;
	size_t i, size = SIZE_OF(core, header);
	uint64_t pos = core->file->start + core->headers + first * size;
	char batch[BATCH * sizeof(header)];
	int err;

	err = image_read(core->file, pos, batch, nr * size, "program headers");
	for (i = 0; i < nr && !err; i++) {
		memcpy(&header, batch + i * size, size);
		err = get_segment(core, &header, pos + i * size);
	}
	return err;
}

static int get_segments(struct core *core)
{
	uint64_t i, n;
	int err = 0;

	for (i = 0; i < core->nr_headers && !err; i += n) {
		n = min_u64(BATCH, core->nr_headers - i);
		err = get_batch(core, i, n);
	}
	if (!err && !core->nr)
		err = image_fail(core->file, -EINVAL, core->file->start,
				 "no segment has memory in the file");
	return err;
}

static void choose_addresses(struct core *core)
{
	size_t i;

	for (i = 0; i < core->nr; i++) {
		if (core->segments[i].address)
			return;
	}
	for (i = 0; i < core->nr; i++)
		core->segments[i].address = core->segments[i].virtual;
}

static int check_segment(const struct core *core, const struct segment *s)
{
	struct image_file *file = core->file;
	uint64_t room = file->size - file->start;

	if (s->bytes > s->length)
		return image_fail(file, -EINVAL, s->pos,
				  "a segment of %llu bytes with %llu in the file",
				  ull(s->length), ull(s->bytes));
	if (s->length > INT64_MAX || s->address > UINT64_MAX - s->length)
		return image_fail(file, -EINVAL, s->pos,
				  "a segment of %llu bytes at address %#llx",
				  ull(s->length), ull(s->address));
	if (s->offset > room || s->bytes > room - s->offset)
		return image_fail(file, -ENODATA, s->pos,
				  "a segment of %llu bytes at %llu: the file ends at %llu",
				  ull(s->bytes), ull(s->offset),
				  ull(file->size));
	return 0;
}

static int check_segments(const struct core *core)
{
	size_t i;
	int err = 0;

	for (i = 0; i < core->nr && !err; i++)
		err = check_segment(core, &core->segments[i]);
	return err;
}

static int compare_segments(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->pos < y->pos ? -1 : x->pos > y->pos;
}

static int end_part(struct core *core, const struct ramload_image_part *part)
{
	if (image_add_part(core->image, part))
		return image_fail(core->file, -ENOMEM, core->file->start,
				  "out of memory");
	return 0;
}

/* Appends to the part, or begins another if it is somewhere else. */
static int add_bytes(struct core *core, struct ramload_image_part *part,
		     uint64_t offset, uint64_t length, uint64_t file_offset)
{
	int err = 0;

	if (part->length && part->offset + part->length == offset &&
	    part->file_offset + part->length == file_offset) {
		part->length += length;
		return 0;
	}
	if (part->length)
		err = end_part(core, part);
	*part = (struct ramload_image_part){
		.offset = offset,
		.length = length,
		.file_offset = file_offset,
	};
	return err;
}

/*
 * The parts of a block. Before @done, all that a segment that starts later
 * could have is there, because the one that ends there starts no later.
 */
static int add_parts(struct core *core, size_t i, size_t end)
{
	uint64_t start = core->segments[i].address, done = start;
	struct ramload_image_part part = { 0 };
	int err = 0;

	for (; i < end && !err; i++) {
		const struct segment *s = &core->segments[i];
		uint64_t skip = max_u64(done, s->address) - s->address;

		if (skip >= s->bytes)
			continue;
		core->used += s->bytes - skip;
		if (core->used > core->file->size)
			return image_fail(core->file, -EINVAL, s->pos,
					  "segments that have bytes of the file more than once");
		err = add_bytes(core, &part, s->address + skip - start,
				s->bytes - skip,
				core->file->start + s->offset + skip);
		done = s->address + s->bytes;
	}
	return err ? err : end_part(core, &part);
}

/* The segments from @i on that adjoin; returns the first that does not. */
static size_t run_end(const struct core *core, size_t i, uint64_t *end)
{
	*end = core->segments[i].address;
	for (; i < core->nr && core->segments[i].address <= *end; i++)
		*end = max_u64(*end, core->segments[i].address +
				     core->segments[i].length);
	return i;
}

static int add_blocks(struct core *core)
{
	uint64_t end, length, total = 0;
	size_t i, next;
	char name[24];
	int err = 0;

	for (i = 0; i < core->nr && !err; i = next) {
		const struct segment *first = &core->segments[i];

		next = run_end(core, i, &end);
		length = end - first->address;
		if (length > INT64_MAX - total)
			return image_fail(core->file, -EINVAL, first->pos,
					  "the segments have more than 2^63 bytes in all");
		total += length;
		snprintf(name, sizeof(name), "0x%" PRIx64, first->address);
		if (image_add_block(core->image, name, first->address,
				    length))
			return image_fail(core->file, -ENOMEM, first->pos,
					  "out of memory");
		err = add_parts(core, i, next);
	}
	return err;
}

static int read_core(struct core *core)
{
	int err;

	err = get_ident(core);
	if (!err)
		err = get_header(core);
	if (!err)
		err = get_segments(core);
	if (err)
		return err;
	choose_addresses(core);
	err = check_segments(core);
	if (err)
		return err;
	qsort(core->segments, core->nr, sizeof(*core->segments),
	      compare_segments);
	return add_blocks(core);
}

static int elf_open(struct image_file *file, struct ramload_image *image)
{
	struct core core = { .file = file, .image = image };
	int err = read_core(&core);

	free(core.segments);
	return err;
}

/* Other forms of a dump, which somebody might take for one of these. */
static const struct {
	const char *magic;
	const char *what;
} others[] = {
	{ "KDUMP   ", "a compressed kdump" },
	{ "DISKDUMP", "a diskdump" },
	{ "makedumpfile", "a flattened file of makedumpfile" },
	{ "PAGEDU64", "a Windows crash dump" },
	{ "PAGEDUMP", "a Windows crash dump" },
};

#define NR_OTHERS (sizeof(others) / sizeof(others[0]))

static int elf_probe(struct image_file *file)
{
	char magic[EI_NIDENT];
	size_t i;
	int err;

	if (file->size - file->start < sizeof(magic))
		return 0;
	err = image_read(file, file->start, magic, sizeof(magic),
			 "magic number");
	if (err)
		return err;
	for (i = 0; i < NR_OTHERS; i++) {
		if (!memcmp(magic, others[i].magic, strlen(others[i].magic)))
			return image_fail(file, -ENOTSUP, file->start,
					  "%s: of dumps, only ELF files can be read",
					  others[i].what);
	}
	return !memcmp(magic, ELFMAG, SELFMAG);
}

const struct image_format image_elf = {
	.name = "elf",
	.probe = elf_probe,
	.open = elf_open,
};
