/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Writes mapped-ram streams, good and bad ones, as the readers' tests want them.
 * It shares nothing with the readers.
 */
#ifndef IMAGE_WRITER_H
#define IMAGE_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ULL
#define NR_SPANS 16

/**
 * struct file - an image while it is written
 * @data: its bytes
 * @size: how many
 * @spans: where the headers and bitmaps are
 */
struct file {
	uint8_t data[1 << 20];
	size_t size;
	struct {
		size_t start;
		size_t end;
	} spans[NR_SPANS];
	size_t nr_spans;
	size_t start;
};

/* What to write; zero in a member is what QEMU would write. */
struct stream {
	uint64_t offset;
	uint32_t version;
	bool no_configuration;
	bool no_capabilities;
	bool no_mapped_ram;
	bool ignore_shared;
	bool uuid;
	bool page_bits;
	const char *subsection;
	uint64_t total;
	uint64_t flags;
	bool no_end;
	bool no_footer;
};

struct block {
	const char *name;
	uint64_t length;
	uint64_t page_size;
	uint32_t version;
	bool left_out;
	bool set_offsets;
	uint64_t bitmap;
	uint64_t pages;
	uint8_t bits[64];
};

#define BLOCK(n, l, ...) { .name = (n), .length = (l), __VA_ARGS__ }

static struct file file;

static inline void put(const void *bytes, size_t length)
{
	if (file.size + length > sizeof(file.data))
		abort();
	memcpy(file.data + file.size, bytes, length);
	file.size += length;
}

static inline void put_be(uint64_t value, int length)
{
	while (length--) {
		uint8_t byte = value >> length * 8;

		put(&byte, 1);
	}
}

static inline void put_name(const char *name)
{
	put_be(strlen(name), 1);
	put(name, strlen(name));
}

static inline void skip_to(size_t size)
{
	while (file.size < size)
		put_be(0xa5, 1);
}

static inline void end_span(void)
{
	if (file.nr_spans == NR_SPANS)
		abort();
	file.spans[file.nr_spans].start = file.start;
	file.spans[file.nr_spans++].end = file.size;
	file.start = file.size;
}

static inline void put_capabilities(const struct stream *s)
{
	put_be(5, 1);
	put_name("configuration/capabilities");
	put_be(1, 4);
	put_be(!s->no_mapped_ram + s->ignore_shared, 4);
	if (s->ignore_shared)
		put_name("x-ignore-shared");
	if (!s->no_mapped_ram)
		put_name("mapped-ram");
}

static inline void put_configuration(const struct stream *s)
{
	put_be(7, 1);
	put_be(strlen("pc-q35-10.0"), 4);
	put("pc-q35-10.0", strlen("pc-q35-10.0"));
	if (s->page_bits) {
		put_be(5, 1);
		put_name("configuration/target-page-bits");
		put_be(1, 4);
		put_be(12, 4);
	}
	if (!s->no_capabilities)
		put_capabilities(s);
	if (s->uuid) {
		put_be(5, 1);
		put_name("configuration/uuid");
		put_be(1, 4);
		put("0123456789abcdef", 16);
	}
	if (s->subsection) {
		put_be(5, 1);
		put_name(s->subsection);
		put_be(1, 4);
		put_be(12, 4);
	}
}

static inline void put_block(const struct stream *s, const struct block *b)
{
	uint64_t page_size = b->page_size ? b->page_size : PAGE;
	uint64_t bitmap_length = (b->length / PAGE + 63) / 64 * 8;
	uint64_t bitmap, pages;

	put_name(b->name);
	put_be(b->length, 8);
	if (s->ignore_shared)
		put_be(0x100000000, 8);
	put_be(b->version ? b->version : 1, 4);
	put_be(page_size, 8);
	if (b->page_size > PAGE && b->page_size <= 1 << 16)
		bitmap_length = (b->length / page_size + 63) / 64 * 8;
	bitmap = file.size + 16;
	pages = (bitmap + bitmap_length + PAGE - 1) & ~(PAGE - 1);
	put_be(b->left_out ? 0 : b->set_offsets ? b->bitmap : bitmap, 8);
	put_be(b->left_out ? 0 : b->set_offsets ? b->pages : pages, 8);
	if (b->left_out)
		return;
	put(b->bits, bitmap_length);
	end_span();
	skip_to(pages + b->length);
	file.start = file.size;
}

static inline void put_stream(const struct stream *s,
			      const struct block *blocks, size_t nr_blocks)
{
	uint64_t total = 0;
	size_t i;

	memset(&file, 0, sizeof(file));
	skip_to(s->offset);
	file.start = file.size;
	put_be(0x5145564d, 4);
	put_be(s->version ? s->version : 3, 4);
	if (!s->no_configuration)
		put_configuration(s);
	put_be(1, 1);
	put_be(2, 4);
	put_name("ram");
	put_be(0, 4);
	put_be(4, 4);
	for (i = 0; i < nr_blocks; i++)
		total += blocks[i].length;
	put_be((s->total ? s->total : total) | (s->flags ? s->flags : 4), 8);
	for (i = 0; i < nr_blocks; i++)
		put_block(s, &blocks[i]);
	if (s->no_end)
		return;
	put_be(0x10, 8);
	if (!s->no_footer) {
		put_be(0x7e, 1);
		put_be(2, 4);
	}
	end_span();
	put("\x02 and so on", 11);
}

static inline int file_fd(size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd < 0 || pwrite(fd, file.data, size, 0) != (ssize_t)size)
		abort();
	return fd;
}

#endif /* IMAGE_WRITER_H */
