// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Images: QEMU's mapped-ram migration files
 *
 * A migration stream whose RAM section gives, for each block, where in the
 * file its bitmap of present pages and its pages are. Pages lie at fixed
 * places, so they can be read in any order. Integers are big-endian but for
 * the bitmaps, which are arrays of 64-bit little-endian words: as bytes they
 * are what struct ramload_block wants.
 *
 * The headers are read first, then checked against each other, and only then
 * are the bitmaps read: as the areas of the file overlap nowhere by then, all
 * bitmaps together are not larger than the file.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "mapped_ram.h"

#define MAX_CAPABILITIES	256

/* A live save has one of RAM for each of its rounds. */
#define MAX_SECTIONS	(1U << 20)

/* Of 16 TiB in pages of 4096 bytes; in a hole of the file, they cost nothing. */
#define MAX_BITMAPS	(512ULL << 20)

/**
 * struct area - a part of the file that has one use
 * @start: first byte
 * @end: byte after the last, always more than @start
 * @kind: which use
 * @block: index of the image's block, of bitmaps and pages
 */
struct area {
	uint64_t start;
	uint64_t end;
	enum {
		AREA_BEFORE,
		AREA_HEADER,
		AREA_BITMAP,
		AREA_PAGES,
	} kind;
	size_t block;
};

/**
 * struct stream - the headers while they are read
 * @pos: the next byte to read, never past the end of the file by reading
 * @err: the first error. All that is read after it is 0 and has no effect.
 * @header: where the current run of headers began
 * @total: lengths of the blocks that are still to come
 * @section: id of the RAM section
 * @nr_headers: block headers read
 * @seen: subsections of the configuration read, a bit for each
 * @configured: there was a configuration
 * @mapped_ram: it names the capability mapped-ram
 * @ignore_shared: it names x-ignore-shared
 * @bitmaps: bytes of all bitmaps so far
 * @open_end: the last block has pages, with which the file may end
 * @ended: it did not
 * @footers: sections have footers
 * @present: a page is present
 * @areas: what the file is used for
 */
struct stream {
	struct image_file *file;
	struct ramload_image *image;
	uint64_t pos;
	int err;
	uint64_t header;
	uint64_t total;
	uint32_t section;
	unsigned int nr_headers;
	unsigned int seen;
	bool configured;
	bool mapped_ram;
	bool ignore_shared;
	uint64_t bitmaps;
	bool open_end;
	bool ended;
	bool footers;
	bool present;
	struct area *areas;
	size_t nr_areas;
	size_t room;
};

/* A name as it is in the stream: a byte of length, then that many bytes. */
struct name {
	uint64_t pos;
	size_t length;
	char text[MAX_NAME + 1];
};

struct ram_header {
	struct name name;
	uint64_t pos;
	uint64_t length;
	uint64_t version;
	uint64_t page_size;
	uint64_t bitmap;
	uint64_t pages;
};

#define stream_fail(s, error, offset, ...) do {				\
	if (!(s)->err)							\
		(s)->err = image_fail((s)->file, error, offset,		\
				      __VA_ARGS__);			\
} while (0)

#define ull(x) ((unsigned long long)(x))

static struct image_shown show(const struct name *name)
{
	return image_shown(name->text, name->length);
}

static void get_bytes(struct stream *s, void *buf, size_t length,
		      const char *what)
{
	if (!s->err)
		s->err = image_read(s->file, s->pos, buf, length, what);
	if (s->err)
		memset(buf, 0, length);
	else
		s->pos += length;
}

static uint8_t get_u8(struct stream *s, const char *what)
{
	uint8_t value;

	get_bytes(s, &value, sizeof(value), what);
	return value;
}

static uint16_t get_be16(struct stream *s, const char *what)
{
	uint16_t value;

	get_bytes(s, &value, sizeof(value), what);
	return be16toh(value);
}

static uint32_t get_be32(struct stream *s, const char *what)
{
	uint32_t value;

	get_bytes(s, &value, sizeof(value), what);
	return be32toh(value);
}

static uint64_t get_be64(struct stream *s, const char *what)
{
	uint64_t value;

	get_bytes(s, &value, sizeof(value), what);
	return be64toh(value);
}

static void get_name(struct stream *s, struct name *name, const char *what)
{
	memset(name->text, 0, sizeof(name->text));
	name->pos = s->pos;
	name->length = get_u8(s, what);
	get_bytes(s, name->text, name->length, what);
	if (strlen(name->text) != name->length)
		stream_fail(s, -EINVAL, name->pos, "%s \"%s\" has a NUL in it",
			    what, show(name).text);
}

static bool name_is(const struct name *name, const char *text)
{
	return !strcmp(name->text, text);
}

static void get_capabilities(struct stream *s)
{
	uint32_t count = get_be32(s, "number of capabilities");
	struct name name;

	if (count > MAX_CAPABILITIES)
		stream_fail(s, -EINVAL, s->pos - 4, "%u capabilities", count);
	for (; count && !s->err; count--) {
		get_name(s, &name, "capability");
		s->mapped_ram |= name_is(&name, "mapped-ram");
		s->ignore_shared |= name_is(&name, "x-ignore-shared");
	}
	if (!s->mapped_ram)
		stream_fail(s, -ENOTSUP, s->pos,
			    "a QEMU stream without the capability mapped-ram");
}

static void get_page_bits(struct stream *s)
{
	get_be32(s, "target page bits");
}

static void get_uuid(struct stream *s)
{
	uint8_t uuid[16];

	get_bytes(s, uuid, sizeof(uuid), "UUID");
}

static const struct {
	const char *name;
	void (*get)(struct stream *s);
} subsections[] = {
	{ "configuration/target-page-bits", get_page_bits },
	{ "configuration/capabilities", get_capabilities },
	{ "configuration/uuid", get_uuid },
};

#define NR_SUBSECTIONS (sizeof(subsections) / sizeof(subsections[0]))

static void get_subsection(struct stream *s)
{
	struct name name;
	size_t i;

	get_name(s, &name, "subsection");
	get_be32(s, "version of a subsection");
	for (i = 0; i < NR_SUBSECTIONS; i++) {
		if (name_is(&name, subsections[i].name))
			break;
	}
	/* Nothing in the stream says how long a subsection is. */
	if (i == NR_SUBSECTIONS) {
		stream_fail(s, -ENOTSUP, name.pos, "unknown subsection \"%s\"",
			    show(&name).text);
		return;
	}
	if (s->seen & 1U << i)
		stream_fail(s, -EINVAL, name.pos, "subsection \"%s\" again",
			    show(&name).text);
	s->seen |= 1U << i;
	subsections[i].get(s);
}

static void get_machine(struct stream *s)
{
	uint64_t pos = s->pos;
	uint32_t length = get_be32(s, "length of the machine type");
	char machine[MAX_MACHINE + 1] = "";

	if (length > MAX_MACHINE) {
		stream_fail(s, -EINVAL, pos, "a machine type of %u bytes",
			    length);
		return;
	}
	get_bytes(s, machine, length, "machine type");
	if (strlen(machine) != length)
		stream_fail(s, -EINVAL, pos,
			    "the machine type has a NUL in it");
	if (s->err)
		return;
	s->image->machine = strdup(machine);
	if (!s->image->machine)
		stream_fail(s, -ENOMEM, pos, "out of memory");
}

/* Returns the type of the section that follows the configuration. */
static uint8_t get_configuration(struct stream *s)
{
	uint8_t type = get_u8(s, "type of the first section");

	if (type != QEMU_CONFIGURATION)
		return type;
	s->configured = true;
	get_machine(s);
	do {
		type = get_u8(s, "type of a section");
		if (type == QEMU_SUBSECTION)
			get_subsection(s);
	} while (type == QEMU_SUBSECTION && !s->err);
	return type;
}

static void get_file_header(struct stream *s)
{
	uint32_t version;

	if (get_be32(s, "magic number") != QEMU_MAGIC)
		stream_fail(s, -EINVAL, s->pos - 4, "not a QEMU stream");
	version = get_be32(s, "version of the stream");
	if (version != QEMU_VERSION)
		stream_fail(s, -ENOTSUP, s->pos - 4,
			    "stream version %u, not %u", version, QEMU_VERSION);
}

static void add_area(struct stream *s, int kind, uint64_t start, uint64_t end)
{
	size_t room = s->room ? s->room * 2 : 64;
	struct area *areas;

	if (s->err || start == end)
		return;
	if (s->nr_areas == s->room) {
		areas = reallocarray(s->areas, room, sizeof(*areas));
		if (!areas) {
			stream_fail(s, -ENOMEM, start, "out of memory");
			return;
		}
		s->areas = areas;
		s->room = room;
	}
	s->areas[s->nr_areas++] = (struct area){
		.start = start,
		.end = end,
		.kind = kind,
		.block = s->image->nr_blocks,
	};
}

static void check_name(struct stream *s, const struct name *name)
{
	size_t i;

	if (!name->length)
		stream_fail(s, -EINVAL, name->pos, "a block without a name");
	for (i = 0; i < s->image->nr_blocks; i++) {
		if (name_is(name, s->image->blocks[i].name))
			stream_fail(s, -EINVAL, name->pos,
				    "a second block \"%s\"", show(name).text);
	}
}

static void check_header(struct stream *s, const struct ram_header *h)
{
	uint64_t page = h->page_size;
	struct image_shown block = show(&h->name);

	if (page < MIN_PAGE || page > MAX_PAGE || page & (page - 1)) {
		stream_fail(s, -EINVAL, h->pos,
			    "block \"%s\": page size %llu is not a power of two from %llu to %llu",
			    block.text, ull(page), MIN_PAGE, MAX_PAGE);
		return;
	}
	if (h->length % page)
		stream_fail(s, -EINVAL, h->pos,
			    "block \"%s\": length %llu is not a multiple of the page size %llu",
			    block.text, ull(h->length), ull(page));
	if (h->pages > INT64_MAX - h->length)
		stream_fail(s, -EINVAL, h->pos,
			    "block \"%s\": %llu bytes of pages at %llu are too far out",
			    block.text, ull(h->length), ull(h->pages));
}

static void add_block(struct stream *s, const struct ram_header *h)
{
	uint64_t length = mapped_ram_bitmap(h->length, h->page_size);
	struct ramload_image_part part = {
		.length = h->length,
		.page_size = h->page_size,
		.file_offset = h->pages,
	};

	s->bitmaps += length;
	if (s->bitmaps > MAX_BITMAPS) {
		stream_fail(s, -ENOTSUP, h->pos,
			    "more than %llu bytes of bitmaps", MAX_BITMAPS);
		return;
	}
	if (h->bitmap > s->file->size || length > s->file->size - h->bitmap) {
		stream_fail(s, -ENODATA, h->pos,
			    "block \"%s\": the file ends at %llu, before the end of %llu bytes of bitmap at %llu",
			    show(&h->name).text, ull(s->file->size),
			    ull(length), ull(h->bitmap));
		return;
	}
	add_area(s, AREA_HEADER, s->header, s->pos);
	add_area(s, AREA_BITMAP, h->bitmap, h->bitmap + length);
	add_area(s, AREA_PAGES, h->pages, h->pages + h->length);
	if (!s->err && (image_add_block(s->image, h->name.text,
					RAMLOAD_NO_ADDRESS, h->length) ||
			image_add_part(s->image, &part)))
		stream_fail(s, -ENOMEM, h->pos, "out of memory");
}

static void get_length(struct stream *s, struct ram_header *h)
{
	h->length = get_be64(s, "length of a block");
	if (!s->err && (!h->length || h->length > s->total))
		stream_fail(s, -EINVAL, s->pos - 8,
			    "block \"%s\": length %llu where %llu are left of the total",
			    show(&h->name).text, ull(h->length), ull(s->total));
	if (!s->err)
		s->total -= h->length;
}

static void get_version(struct stream *s, struct ram_header *h)
{
	h->pos = s->pos;
	h->version = get_be32(s, "version of a block header");
	if (h->version > RAM_HEADER_VERSION)
		stream_fail(s, -ENOTSUP, h->pos,
			    "block \"%s\": header version %llu, not %u",
			    show(&h->name).text, ull(h->version),
			    RAM_HEADER_VERSION);
}

static void get_block(struct stream *s)
{
	struct ram_header h;

	if (s->nr_headers++ == MAX_BLOCKS)
		stream_fail(s, -ENOTSUP, s->pos, "more than %u blocks",
			    MAX_BLOCKS);
	get_name(s, &h.name, "name of a block");
	get_length(s, &h);
	if (s->ignore_shared)
		get_be64(s, "guest address of a block");
	get_version(s, &h);
	h.page_size = get_be64(s, "page size of a block");
	h.bitmap = get_be64(s, "bitmap offset of a block");
	h.pages = get_be64(s, "pages offset of a block");
	if (s->err)
		return;
	check_name(s, &h.name);

	/* Neither bitmap nor pages: a block that was left out of the file. */
	s->open_end = h.bitmap || h.pages;
	if (!s->open_end)
		return;
	check_header(s, &h);
	if (s->err)
		return;
	add_block(s, &h);
	s->pos = h.pages + h.length;
	s->header = s->pos;
}

static void get_blocks(struct stream *s)
{
	if (s->err)
		return;
	while (s->total && !s->err)
		get_block(s);

	/*
	 * An ordinary stream looks the same up to the first block, and then
	 * like a damaged header. What tells it is that no capability is named.
	 */
	if (s->configured && !s->mapped_ram &&
	    (s->err == -EINVAL || s->err == -ENOTSUP)) {
		struct ramload_image_error error = *s->file->error;
		const char *text = strstr(error.text, ": ") + 2;

		s->err = image_fail(s->file, -ENOTSUP, error.offset,
				    "a QEMU stream without the capability mapped-ram (%.120s)",
				    text);
	}
}

static void get_ram_start(struct stream *s, uint8_t type)
{
	uint64_t pos = s->pos - 1;
	struct name name;
	uint32_t version;
	uint64_t word;

	if (type != QEMU_SECTION_START)
		stream_fail(s, -ENOTSUP, pos,
			    "a section of type %#x where RAM should start",
			    type);
	s->section = get_be32(s, "section id");
	get_name(s, &name, "name of a section");
	if (!name_is(&name, "ram"))
		stream_fail(s, -ENOTSUP, name.pos,
			    "section \"%s\" where \"ram\" should be",
			    show(&name).text);
	if (get_be32(s, "instance of the RAM section"))
		stream_fail(s, -ENOTSUP, s->pos - 4, "more than one RAM");
	version = get_be32(s, "version of the RAM section");
	if (version != RAM_SECTION_VERSION)
		stream_fail(s, -ENOTSUP, s->pos - 4,
			    "RAM section version %u, not %u", version,
			    RAM_SECTION_VERSION);
	word = get_be64(s, "total of the RAM section");
	if ((word & RAM_FLAGS) != RAM_TOTAL)
		stream_fail(s, -ENOTSUP, s->pos - 8,
			    "the RAM section starts with flags %#llx, not %#x",
			    word & RAM_FLAGS, RAM_TOTAL);
	s->total = word & ~RAM_FLAGS;
	if (!s->total || s->total > INT64_MAX)
		stream_fail(s, -EINVAL, s->pos - 8,
			    "the blocks have %llu bytes in all", ull(s->total));
}

static void get_ram_end(struct stream *s)
{
	uint64_t pos = s->pos;

	/*
	 * A file may end with the last present page: what would follow the
	 * last block's pages is not there then.
	 */
	if (s->open_end && pos >= s->file->size)
		return;
	if (get_be64(s, "end of the RAM section") != RAM_END)
		stream_fail(s, -EINVAL, pos, "no end of the RAM section");
	s->ended = true;

	/* Machines too old to have a configuration have no footers either. */
	pos = s->pos;
	if (!s->configured && pos == s->file->size)
		return;
	s->footers = get_u8(s, "footer of the RAM section") ==
		     QEMU_SECTION_FOOTER;
	if (!s->footers) {
		if (s->configured)
			stream_fail(s, -EINVAL, pos,
				    "no footer of the RAM section");
		s->pos = pos;
		return;
	}
	if (get_be32(s, "footer of the RAM section") != s->section)
		stream_fail(s, -EINVAL, pos,
			    "the footer is that of another section");
}

/* False if it is not as those of mapped-ram are, with no pages in them. */
static bool skip_ram_section(struct stream *s)
{
	uint64_t word;

	if (get_be32(s, "section id") != s->section)
		return false;
	word = get_be64(s, "a section of RAM");
	if (word == RAM_FLUSH)
		word = get_be64(s, "a section of RAM");
	return word == RAM_END;
}

static bool skip_footer(struct stream *s)
{
	return !s->footers ||
	       (get_u8(s, "footer of a section") == QEMU_SECTION_FOOTER &&
		get_be32(s, "footer of a section") == s->section);
}

static void skip_command(struct stream *s)
{
	get_be16(s, "a command");
	s->pos += get_be16(s, "length of a command");
}

/*
 * QEMU writes the bitmaps one after the other before it ends the last section of
 * RAM: without that, a page that does not seem to be present may have been. What is
 * between that and the headers is known but for sections of other devices, of which
 * nothing says how long they are: who has such gets no answer here.
 */
static void get_last_section(struct stream *s)
{
	unsigned int nr = 0;
	uint8_t type;

	if (s->err || !s->ended || !s->image->nr_blocks)
		return;
	s->pos = s->image->stream.state_offset;
	do {
		if (s->pos >= s->file->size) {
			stream_fail(s, -ENODATA, s->file->size,
				    "the save was cut short: RAM has no last section");
			return;
		}
		type = get_u8(s, "type of a section");
		if (type == QEMU_COMMAND)
			skip_command(s);
		else if (type != QEMU_SECTION_PART && type != QEMU_SECTION_END)
			return;
		else if (!skip_ram_section(s) || type == QEMU_SECTION_END ||
			 !skip_footer(s))
			return;
	} while (!s->err && ++nr < MAX_SECTIONS);
}

static void get_headers(struct stream *s)
{
	struct ramload_image_stream *stream = &s->image->stream;
	uint8_t type;

	s->pos = s->header = s->file->start;
	get_file_header(s);
	type = get_configuration(s);
	stream->config_offset = s->file->start;
	stream->config_length = s->pos - sizeof(type) - s->file->start;
	get_ram_start(s, type);
	stream->section = s->section;
	get_blocks(s);
	get_ram_end(s);
	stream->state_offset = s->pos;
	if (s->pos < s->file->size)
		stream->state_length = s->file->size - s->pos;
	add_area(s, AREA_BEFORE, 0, s->file->start);
	add_area(s, AREA_HEADER, s->header, s->pos);
}

static int compare_areas(const void *a, const void *b)
{
	const struct area *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static struct image_shown area_text(const struct stream *s,
				    const struct area *area)
{
	const char *block;

	switch (area->kind) {
	case AREA_BITMAP:
	case AREA_PAGES:
		block = s->image->blocks[area->block].name;
		return image_shown(block, strlen(block));
	case AREA_BEFORE:
		return (struct image_shown){ "what precedes the image" };
	default:
		return (struct image_shown){ "the headers" };
	}
}

/* Sorted by their starts, any two that overlap make two neighbours overlap. */
static void check_areas(struct stream *s)
{
	size_t i;

	if (s->err)
		return;
	qsort(s->areas, s->nr_areas, sizeof(*s->areas), compare_areas);
	for (i = 1; i < s->nr_areas; i++) {
		const struct area *a = &s->areas[i - 1], *b = &s->areas[i];

		if (b->start < a->end)
			stream_fail(s, -EINVAL, b->start,
				    "\"%s\" and \"%s\" overlap",
				    area_text(s, a).text, area_text(s, b).text);
	}
}

/* Bytes up to the end of the last present page. */
static uint64_t present_end(const struct ramload_image_part *part,
			    size_t length)
{
	const uint8_t *bitmap = part->bitmap;
	uint64_t page;

	while (length && !bitmap[length - 1])
		length--;
	if (!length)
		return 0;
	page = length * 8 - (__builtin_clz(bitmap[length - 1]) - 24);
	return page * part->page_size;
}

static void clear_tail(uint8_t *bitmap, uint64_t pages, size_t length)
{
	uint64_t used = (pages + 7) / 8;

	memset(bitmap + used, 0, length - used);
	if (pages % 8)
		bitmap[used - 1] &= (1U << pages % 8) - 1;
}

static void check_pages(struct stream *s,
			const struct ramload_image_block *block, size_t length)
{
	const struct ramload_image_part *pages = block->parts;
	uint64_t used = present_end(pages, length);
	uint64_t end = pages->file_offset + used;

	s->present |= used > 0;
	if (used && end > s->file->size)
		stream_fail(s, -ENODATA, s->file->size,
			    "block \"%s\": the file ends here, before the end of its pages at %llu",
			    image_shown(block->name, strlen(block->name)).text,
			    ull(end));
}

/* The copy is our own: a mapping would fault if the file became shorter. */
static void get_bitmap(struct stream *s, const struct area *area)
{
	struct ramload_image_block *block = &s->image->blocks[area->block];
	struct ramload_image_part *part;
	size_t length = area->end - area->start;
	uint8_t *bitmap;

	if (s->err)
		return;
	bitmap = malloc(length);
	if (!bitmap) {
		stream_fail(s, -ENOMEM, area->start,
			    "out of memory for %zu bytes of bitmap", length);
		return;
	}
	part = (struct ramload_image_part *)block->parts;
	part->bitmap = bitmap;
	s->pos = area->start;
	get_bytes(s, bitmap, length, "bitmap of a block");
	clear_tail(bitmap, part->length / part->page_size, length);
	check_pages(s, block, length);
}

static void get_bitmaps(struct stream *s)
{
	size_t i;

	for (i = 0; i < s->nr_areas; i++) {
		if (s->areas[i].kind == AREA_BITMAP)
			get_bitmap(s, &s->areas[i]);
	}

	/* QEMU writes the bitmaps last. */
	if (!s->present && s->image->nr_blocks)
		stream_fail(s, -ENODATA, s->file->start,
			    "the save was cut short: no page is present");
}

static int mapped_ram_probe(struct image_file *file)
{
	uint32_t magic;
	int err;

	if (file->size - file->start < sizeof(magic))
		return 0;
	err = image_read(file, file->start, &magic, sizeof(magic),
			 "magic number");
	return err ? err : be32toh(magic) == QEMU_MAGIC;
}

static int mapped_ram_open(struct image_file *file, struct ramload_image *image)
{
	struct stream s = { .file = file, .image = image };

	get_headers(&s);
	check_areas(&s);
	get_bitmaps(&s);
	get_last_section(&s);
	free(s.areas);
	return s.err;
}

const struct image_format image_mapped_ram = {
	.name = "mapped-ram",
	.probe = mapped_ram_probe,
	.open = mapped_ram_open,
};
