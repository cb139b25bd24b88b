/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Writes images that are directories, good and bad ones, as the readers' tests
 * want them. It shares nothing with the readers.
 */
#ifndef DIRECTORY_WRITER_H
#define DIRECTORY_WRITER_H

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096ULL

#define must(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: %s: %m\n", __FILE__, __LINE__,	\
			#condition);					\
		abort();						\
	}								\
} while (0)

/* The bytes of a file while it is written. */
struct bytes {
	uint8_t *data;
	size_t size;
	size_t room;
};

static inline void put(struct bytes *b, const void *data, size_t length)
{
	if (b->size + length > b->room) {
		b->room = (b->size + length) * 2;
		b->data = realloc(b->data, b->room);
		must(b->data);
	}
	if (length)
		memcpy(b->data + b->size, data, length);
	b->size += length;
}

static inline void put_u8(struct bytes *b, uint8_t value)
{
	put(b, &value, 1);
}

static inline void put_le32(struct bytes *b, uint32_t value)
{
	int i;

	for (i = 0; i < 4; i++)
		put_u8(b, value >> i * 8);
}

static inline void put_varint(struct bytes *b, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		put_u8(b, value | 0x80);
	put_u8(b, value);
}

static inline void __attribute__((format(printf, 2, 3)))
put_text(struct bytes *b, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	put(b, text, vsnprintf(text, sizeof(text), format, args));
	va_end(args);
}

static inline void drop(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ 0 };
}

/* A new directory, of which @path tells where it is. */
static inline int make_directory(char path[64])
{
	int fd;

	snprintf(path, 64, "/tmp/ramload_test.XXXXXX");
	must(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

static inline void empty_directory(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(copy);
	struct dirent *entry;

	must(dir);
	while ((entry = readdir(dir))) {
		int sub;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (!unlinkat(fd, entry->d_name, 0))
			continue;
		sub = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY);
		empty_directory(sub);
		close(sub);
		must(!unlinkat(fd, entry->d_name, AT_REMOVEDIR));
	}
	closedir(dir);
}

static inline void remove_directory(int fd, const char *path)
{
	empty_directory(fd);
	close(fd);
	must(!rmdir(path));
}

static inline void write_file(int dir, const char *name, const void *data,
			      size_t size)
{
	int fd;

	unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0);
	must(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static inline void write_bytes(int dir, const char *name, const struct bytes *b)
{
	write_file(dir, name, b->data, b->size);
}

/*
 * CRIU
 */

#define PE_PARENT	1
#define PE_LAZY		2
#define PE_PRESENT	4

/* An entry of a pagemap. */
struct run {
	uint64_t vaddr;
	uint64_t pages;
	uint32_t flags;
};

static inline void put_field(struct bytes *b, uint32_t field, uint64_t value)
{
	put_varint(b, field << 3);
	put_varint(b, value);
}

static inline void put_message(struct bytes *b, struct bytes *message)
{
	put_le32(b, message->size);
	put(b, message->data, message->size);
	drop(message);
}

static inline void put_run(struct bytes *b, const struct run *run)
{
	struct bytes message = { 0 };

	put_field(&message, 1, run->vaddr);
	put_field(&message, 2, run->pages > UINT32_MAX ? 0 : run->pages);
	put_field(&message, 4, run->flags);
	if (run->pages > UINT32_MAX)
		put_field(&message, 5, run->pages);
	put_message(b, &message);
}

static inline void put_pagemap_head(struct bytes *b, uint32_t pages_id)
{
	struct bytes message = { 0 };

	put_le32(b, 0x54564319);
	put_le32(b, 0x56084025);
	put_field(&message, 1, pages_id);
	put_message(b, &message);
}

static inline void put_pagemap(struct bytes *b, uint32_t pages_id,
			       const struct run *runs, size_t nr)
{
	size_t i;

	put_pagemap_head(b, pages_id);
	for (i = 0; i < nr; i++)
		put_run(b, &runs[i]);
}

/*
 * Cloud Hypervisor
 */

struct range {
	uint64_t gpa;
	uint64_t length;
};

/* A string inside a document, as serde_json writes it. */
static inline void put_quoted(struct bytes *b, const struct bytes *text)
{
	size_t i;

	put_u8(b, '"');
	for (i = 0; i < text->size; i++) {
		if (text->data[i] == '"' || text->data[i] == '\\')
			put_u8(b, '\\');
		put_u8(b, text->data[i]);
	}
	put_u8(b, '"');
}

/* What there is besides the ranges is as much as a reader might trip over. */
static inline void put_manager(struct bytes *b, const struct range *ranges,
			       size_t nr)
{
	size_t i;

	put_text(b, "{\"memory_ranges\":{\"data\":[");
	for (i = 0; i < nr; i++)
		put_text(b, "%s{\"gpa\":%llu,\"length\":%llu}", i ? "," : "",
			 (unsigned long long)ranges[i].gpa,
			 (unsigned long long)ranges[i].length);
	put_text(b, "]},\"guest_ram_mappings\":[{\"slot\":0,\"gpa\":0,\"size\":536870912,\"zone_id\":\"mem0\",\"virtio_mem\":false,\"file_offset\":0}],");
	put_text(b, "\"start_of_device_area\":549755809792,\"boot_ram\":536870912,\"hotplug_slots\":[],\"next_memory_slot\":1}");
}

static inline void put_state_of(struct bytes *b, const struct bytes *manager)
{
	put_text(b, "{\"snapshots\":{\"cpu-manager\":{\"snapshots\":{},\"snapshot_data\":null},\"memory-manager\":{\"snapshots\":{},\"snapshot_data\":{\"state\":");
	put_quoted(b, manager);
	put_text(b, "}}},\"snapshot_data\":{\"state\":\"{\\\"clock\\\":null}\"}}");
}

static inline void put_state(struct bytes *b, const struct range *ranges,
			     size_t nr)
{
	struct bytes manager = { 0 };

	put_manager(&manager, ranges, nr);
	put_state_of(b, &manager);
	drop(&manager);
}

#endif /* DIRECTORY_WRITER_H */
