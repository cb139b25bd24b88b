// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * DOC: Pagemaps of CRIU
 *
 * Two magic numbers, then messages: 32 bits of length, and a protocol buffer.
 * The first has the number of the pages file, each other one a run of pages.
 * Where a run is in the pages file is not said: those that are present follow
 * upon each other there. All integers are little-endian, and pages are those
 * of the machine the dump was made on, which is to be like this one, as CRIU
 * demands, too.
 *
 * What is written is in images/pagemap.proto of CRIU, what it means in
 * criu/pagemap.c and criu/page-xfer.c.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pagemap.h"
#include "protobuf.h"

#define COMMON_MAGIC	0x54564319
#define PAGEMAP_MAGIC	0x56084025

/* CRIU's own have 40 bytes at most; newer ones may have more fields. */
#define MAX_MESSAGE	4096
#define BUFFER		(16 * MAX_MESSAGE)

#define HEAD_PAGES_ID	1

#define ENTRY_VADDR	1
#define ENTRY_NR_OLD	2
#define ENTRY_IN_PARENT	3
#define ENTRY_FLAGS	4
#define ENTRY_NR	5
#define ENTRY_FIELDS	6

#define PE_PARENT	0x1
#define PE_LAZY		0x2
#define PE_PRESENT	0x4
#define PE_KNOWN	(PE_PARENT | PE_LAZY | PE_PRESENT)

#define ull(x) ((unsigned long long)(x))

/**
 * struct stream - a pagemap while it is read
 * @pos: offset in the file of the next byte
 * @at: the same in @buffer
 * @end: number of bytes in @buffer
 * @page: bytes in a page
 * @buffer: a part of the file
 */
struct stream {
	struct image_file *file;
	struct pagemap *map;
	uint64_t pos;
	size_t at;
	size_t end;
	uint64_t page;
	uint8_t buffer[BUFFER];
};

/* A message; @data is valid until the next is read. */
struct message {
	const uint8_t *data;
	uint32_t length;
	uint64_t pos;
};

/* The numbers of a message, by the numbers of their fields. */
struct numbers {
	uint64_t value[ENTRY_FIELDS];
	bool there[ENTRY_FIELDS];
};

static int fill_buffer(struct stream *s, size_t length, const char *what)
{
	size_t rest = s->end - s->at;
	uint64_t left = s->file->size - s->pos;
	size_t more;
	int err;

	if (length > left)
		return image_fail(s->file, -ENODATA, s->pos,
				  "%s: the file ends at %llu", what,
				  ull(s->file->size));
	memmove(s->buffer, s->buffer + s->at, rest);
	s->at = 0;
	s->end = rest;
	more = left < sizeof(s->buffer) ? left - rest :
					  sizeof(s->buffer) - rest;
	err = image_read(s->file, s->pos + rest, s->buffer + rest, more, what);
	if (!err)
		s->end += more;
	return err;
}

/* The next bytes, no more than a message has. */
static int get_bytes(struct stream *s, const uint8_t **data, size_t length,
		     const char *what)
{
	int err = 0;

	if (length > s->end - s->at)
		err = fill_buffer(s, length, what);
	if (err)
		return err;
	*data = s->buffer + s->at;
	s->at += length;
	s->pos += length;
	return 0;
}

static int get_u32(struct stream *s, uint32_t *value, const char *what)
{
	const uint8_t *data;
	int err;

	err = get_bytes(s, &data, sizeof(*value), what);
	if (err)
		return err;
	memcpy(value, data, sizeof(*value));
	*value = le32toh(*value);
	return 0;
}

static int get_message(struct stream *s, struct message *message,
		       const char *what)
{
	int err;

	message->pos = s->pos;
	err = get_u32(s, &message->length, what);
	if (err)
		return err;
	if (message->length > MAX_MESSAGE)
		return image_fail(s->file, -EINVAL, message->pos,
				  "%s: %u bytes, more than %u", what,
				  message->length, MAX_MESSAGE);
	return get_bytes(s, &message->data, message->length, what);
}

/* Of a number that is there twice, the last counts. */
static int get_numbers(struct stream *s, const struct message *message,
		       const char *what, struct numbers *numbers)
{
	const uint8_t *at = message->data, *end = at + message->length;
	struct protobuf_field field;
	int ret;

	memset(numbers, 0, sizeof(*numbers));
	while ((ret = protobuf_next(&at, end, &field)) > 0) {
		if (field.number >= ENTRY_FIELDS)
			continue;
		if (field.type != PROTOBUF_VARINT)
			return image_fail(s->file, -EINVAL, message->pos,
					  "%s: field %u is no number", what,
					  field.number);
		numbers->value[field.number] = field.value;
		numbers->there[field.number] = true;
	}
	if (ret)
		return image_fail(s->file, ret, message->pos,
				  "%s: no protocol buffer", what);
	return 0;
}

/* A number that has to be there, if @needed, and to fit 32 bits. */
static int check_u32(struct stream *s, const struct message *message,
		     const struct numbers *numbers, unsigned int number,
		     bool needed, const char *what)
{
	if (needed && !numbers->there[number])
		return image_fail(s->file, -EINVAL, message->pos,
				  "%s is missing", what);
	if (numbers->value[number] > UINT32_MAX)
		return image_fail(s->file, -EINVAL, message->pos,
				  "%s: %llu does not fit 32 bits", what,
				  ull(numbers->value[number]));
	return 0;
}

/* Before version 1.1 of its images, CRIU wrote only the second number. */
static int get_magic(struct stream *s)
{
	uint32_t magic;
	int err;

	err = get_u32(s, &magic, "magic number");
	if (!err && magic == COMMON_MAGIC)
		err = get_u32(s, &magic, "magic number");
	if (!err && magic != PAGEMAP_MAGIC)
		err = image_fail(s->file, -EINVAL, s->pos - 4,
				 "not a pagemap of CRIU");
	return err;
}

static int get_head(struct stream *s)
{
	struct numbers numbers;
	struct message message;
	int err;

	err = get_message(s, &message, "head");
	if (!err)
		err = get_numbers(s, &message, "head", &numbers);
	if (!err)
		err = check_u32(s, &message, &numbers, HEAD_PAGES_ID, true,
				"number of the pages file");
	if (!err)
		s->map->pages_id = numbers.value[HEAD_PAGES_ID];
	return err;
}

static int check_numbers(struct stream *s, const struct message *message,
			 const struct numbers *numbers)
{
	int err;

	if (!numbers->there[ENTRY_VADDR])
		return image_fail(s->file, -EINVAL, message->pos,
				  "address is missing");
	err = check_u32(s, message, numbers, ENTRY_NR_OLD, true,
			"number of pages");
	if (!err)
		err = check_u32(s, message, numbers, ENTRY_FLAGS, false,
				"flags");
	return err;
}

/* What CRIU takes the entries of its older versions for. */
static uint32_t entry_flags(const struct numbers *numbers)
{
	uint32_t flags = numbers->value[ENTRY_FLAGS];

	if (numbers->value[ENTRY_IN_PARENT])
		return flags | PE_PARENT;
	return numbers->there[ENTRY_FLAGS] ? flags : PE_PRESENT;
}

/*
 * Pages that are lazy and not present were left with the process, for
 * "criu lazy-pages" to be fetched from there. In no file is what they held.
 */
static int check_flags(struct stream *s, const struct message *message,
		       uint64_t address, uint32_t flags)
{
	if (flags & ~PE_KNOWN)
		return image_fail(s->file, -ENOTSUP, message->pos,
				  "pages at %#llx: unknown flags %#x",
				  ull(address), flags);
	if (flags & PE_PARENT && !(flags & PE_PRESENT))
		return 0;
	if (flags & PE_PRESENT && !(flags & PE_PARENT))
		return 0;
	if (flags == PE_LAZY)
		return image_fail(s->file, -ENOTSUP, message->pos,
				  "pages at %#llx are not in the dump, but with a page server (lazy)",
				  ull(address));
	return image_fail(s->file, -EINVAL, message->pos,
			  "pages at %#llx: flags %#x, %s", ull(address), flags,
			  flags ? "here and in the parent" : "nowhere");
}

static int check_place(struct stream *s, const struct message *message,
		       uint64_t address, uint64_t pages)
{
	const struct pagemap *map = s->map;
	uint64_t end = 0;

	if (map->nr_entries)
		end = map->entries[map->nr_entries - 1].end;
	if (address % s->page)
		return image_fail(s->file, -EINVAL, message->pos,
				  "address %#llx is not a multiple of the page size %llu",
				  ull(address), ull(s->page));
	if (!pages)
		return image_fail(s->file, -EINVAL, message->pos,
				  "no pages at %#llx", ull(address));
	if (address > INT64_MAX || pages > (INT64_MAX - address) / s->page)
		return image_fail(s->file, -EINVAL, message->pos,
				  "%llu pages at %#llx are too far out",
				  ull(pages), ull(address));
	if (address < end)
		return image_fail(s->file, -EINVAL, message->pos,
				  "pages at %#llx, after those up to %#llx",
				  ull(address), ull(end));
	return 0;
}

static int add_entry(struct stream *s, const struct pagemap_entry *entry)
{
	struct pagemap *map = s->map;
	size_t room = map->room ? map->room * 2 : 64;
	struct pagemap_entry *entries;

	if (map->nr_entries == map->room) {
		entries = reallocarray(map->entries, room, sizeof(*entries));
		if (!entries)
			return image_fail(s->file, -ENOMEM, entry->pos,
					  "out of memory");
		map->entries = entries;
		map->room = room;
	}
	map->entries[map->nr_entries++] = *entry;
	return 0;
}

/* No sum of lengths overflows: the entries are disjoint, and below 2^63. */
static int get_entry(struct stream *s)
{
	struct pagemap_entry entry;
	struct message message;
	struct numbers numbers;
	uint64_t pages;
	uint32_t flags;
	int err;

	err = get_message(s, &message, "entry");
	if (!err)
		err = get_numbers(s, &message, "entry", &numbers);
	if (!err)
		err = check_numbers(s, &message, &numbers);
	if (err)
		return err;
	pages = numbers.value[numbers.there[ENTRY_NR] ? ENTRY_NR :
							ENTRY_NR_OLD];
	entry.start = numbers.value[ENTRY_VADDR];
	flags = entry_flags(&numbers);
	err = check_flags(s, &message, entry.start, flags);
	if (!err)
		err = check_place(s, &message, entry.start, pages);
	if (err)
		return err;
	entry.end = entry.start + pages * s->page;
	entry.pos = message.pos;
	entry.pages = PAGEMAP_IN_PARENT;
	if (flags & PE_PRESENT) {
		entry.pages = s->map->pages_length;
		s->map->pages_length += pages * s->page;
	}
	return add_entry(s, &entry);
}

int pagemap_read(struct image_file *file, struct pagemap *map)
{
	struct stream *s = malloc(sizeof(*s));
	int err;

	memset(map, 0, sizeof(*map));
	if (!s)
		return image_fail(file, -ENOMEM, 0, "out of memory");
	s->file = file;
	s->map = map;
	s->pos = 0;
	s->at = 0;
	s->end = 0;
	s->page = sysconf(_SC_PAGESIZE);
	err = get_magic(s);
	if (!err)
		err = get_head(s);
	while (!err && s->pos < file->size)
		err = get_entry(s);
	free(s);
	return err;
}

void pagemap_free(struct pagemap *map)
{
	free(map->entries);
	memset(map, 0, sizeof(*map));
}

const struct pagemap_entry *pagemap_seek(struct pagemap *map, uint64_t address)
{
	while (map->next < map->nr_entries &&
	       map->entries[map->next].end <= address)
		map->next++;
	if (map->next == map->nr_entries ||
	    map->entries[map->next].start > address)
		return NULL;
	return &map->entries[map->next];
}
