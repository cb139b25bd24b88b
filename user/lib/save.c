// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: save
 *
 * Writes mapped-ram files. Where everything is follows from the names and
 * lengths of the blocks, so pages are written to their places as they come, from
 * any thread and in any order; headers and bitmaps when all of them are there.
 *
 * A page that is zero is not written, and its bit is clear. Whether it is, is
 * looked at once: of a page that changes meanwhile, the file has the zeros that
 * were seen, or what write() found.
 *
 * **Locking.** Bits are set and cleared with atomic operations, because the
 * pages of a word may be those of several threads. ramload_save.lock protects
 * the error. All else is of the one thread that opens, appends and commits.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "mapped_ram.h"
#include "save.h"
#include "session.h"
#include "zero.h"

#define DEFAULT_PAGE	4096
#define DEFAULT_SECTION	2
#define DEFAULT_MACHINE	"none"

/* Pages of a block begin at multiples of this, and none is larger. */
#define PAGES_ALIGN	(UINT64_C(2) << 20)

/* What is looked at and then written is still in the CPU's cache. */
#define PIECE		(UINT64_C(1) << 20)

#define CAPABILITY	"mapped-ram"
#define CAPABILITIES	"configuration/capabilities"

#define HEAD_MAX	128
#define BLOCK_HEADER	(1 + 8 + 4 + 3 * 8)
#define RAM_FOOTER	(8 + 1 + 4)

/* The first error stays. */
static int fail(struct ramload_save *save, int err, size_t block,
		uint64_t offset)
{
	pthread_mutex_lock(&save->lock);
	if (!save->error.error)
		save->error = (struct ramload_save_error){
			.error = err,
			.block = block,
			.offset = offset,
		};
	pthread_mutex_unlock(&save->lock);
	return err;
}

RAMLOAD_API void ramload_save_error(struct ramload_save *save,
				    struct ramload_save_error *error)
{
	pthread_mutex_lock(&save->lock);
	*error = save->error;
	pthread_mutex_unlock(&save->lock);
}

static int has_failed(struct ramload_save *save)
{
	struct ramload_save_error error;

	ramload_save_error(save, &error);
	return error.error;
}

/* Write what is no page. */
static int put(struct ramload_save *save, const void *data, uint64_t length,
	       uint64_t offset)
{
	uint64_t done;
	int err;

	err = save_file_write(&save->file, data, length, offset, &done);
	return err ? fail(save, err, save->nr_blocks, offset + done) : 0;
}

static uint8_t *put_be(uint8_t *to, uint64_t value, int length)
{
	while (length--)
		*to++ = value >> length * 8;
	return to;
}

static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t length)
{
	memcpy(to, bytes, length);
	return to + length;
}

static uint8_t *put_name(uint8_t *to, const char *name)
{
	to = put_be(to, strlen(name), 1);
	return put_bytes(to, name, strlen(name));
}

static uint8_t *put_configuration(uint8_t *to, const char *machine)
{
	to = put_be(to, QEMU_MAGIC, 4);
	to = put_be(to, QEMU_VERSION, 4);
	to = put_be(to, QEMU_CONFIGURATION, 1);
	to = put_be(to, strlen(machine), 4);
	to = put_bytes(to, machine, strlen(machine));
	to = put_be(to, QEMU_SUBSECTION, 1);
	to = put_name(to, CAPABILITIES);
	to = put_be(to, 1, 4);
	to = put_be(to, 1, 4);
	return put_name(to, CAPABILITY);
}

static int make_head(struct ramload_save *save,
		     const struct ramload_save_options *options, uint64_t total)
{
	const char *machine = options->machine ?: DEFAULT_MACHINE;
	uint8_t *to;

	save->verbatim = options->config;
	save->machine = strlen(machine);
	save->head = malloc(options->config_length + save->machine + HEAD_MAX);
	if (!save->head)
		return -ENOMEM;
	if (options->config)
		to = put_bytes(save->head, options->config,
			       options->config_length);
	else
		to = put_configuration(save->head, machine);
	to = put_be(to, QEMU_SECTION_START, 1);
	to = put_be(to, save->section, 4);
	to = put_name(to, "ram");
	to = put_be(to, 0, 4);
	to = put_be(to, RAM_SECTION_VERSION, 4);
	to = put_be(to, total | RAM_TOTAL, 8);
	save->head_length = to - save->head;
	return 0;
}

/* Name as a configuration has it: after its length. */
static bool config_names(const struct ramload_save_options *options,
			 const char *name)
{
	return memmem(options->config, options->config_length, name,
		      strlen(name));
}

/*
 * With x-ignore-shared, headers of blocks have the guest's address, which we do
 * not know.
 */
static bool config_is_valid(const struct ramload_save_options *options)
{
	static const char start[] = "QEVM\0\0\0\3";

	if (!options->config)
		return !options->config_length &&
		       (!options->machine ||
			strlen(options->machine) <= MAX_MACHINE);
	return !options->machine && options->config_length >= sizeof(start) &&
	       !memcmp(options->config, start, sizeof(start) - 1) &&
	       config_names(options, "\012" CAPABILITY) &&
	       !config_names(options, "\017x-ignore-shared");
}

static bool options_are_valid(const struct ramload_save_options *options)
{
	return is_power_of_2(options->page_size) &&
	       options->page_size >= MIN_PAGE &&
	       options->page_size <= PAGES_ALIGN && config_is_valid(options);
}

static bool block_is_valid(const struct ramload_save *save, size_t i)
{
	const struct save_block *block = &save->blocks[i];
	size_t length = strlen(block->name);

	if (!length || length > MAX_NAME || !block->length ||
	    block->length % save->page_size)
		return false;
	while (i--)
		if (!strcmp(save->blocks[i].name, block->name))
			return false;
	return true;
}

static int copy_blocks(struct ramload_save *save,
		       const struct ramload_save_block *blocks, size_t nr)
{
	save->blocks = calloc(nr, sizeof(*save->blocks));
	if (!save->blocks)
		return -ENOMEM;
	for (save->nr_blocks = 0; save->nr_blocks < nr; save->nr_blocks++) {
		const struct ramload_save_block *from = &blocks[save->nr_blocks];
		struct save_block *block = &save->blocks[save->nr_blocks];

		block->length = from->length;
		block->name = strdup(from->name);
		if (!block->name)
			return -ENOMEM;
	}
	for (size_t i = 0; i < nr; i++)
		if (!block_is_valid(save, i))
			return -EINVAL;
	return 0;
}

/* Returns the bytes of all blocks, or -EOVERFLOW. */
static int64_t total_length(const struct ramload_save *save)
{
	uint64_t total = 0;

	for (size_t i = 0; i < save->nr_blocks; i++) {
		if (save->blocks[i].length > INT64_MAX - total)
			return -EOVERFLOW;
		total += save->blocks[i].length;
	}
	return total;
}

static int place_block(struct ramload_save *save, struct save_block *block)
{
	uint64_t bits = mapped_ram_bitmap(block->length, save->page_size);

	block->header = save->ram_end;
	block->bits = block->header + strlen(block->name) + BLOCK_HEADER;
	block->pages = round_up(block->bits + bits, PAGES_ALIGN);
	if (block->pages > INT64_MAX - RAM_FOOTER ||
	    block->length > INT64_MAX - RAM_FOOTER - block->pages)
		return -EOVERFLOW;
	save->ram_end = block->pages + block->length;
	return 0;
}

static int place_blocks(struct ramload_save *save)
{
	int err = 0;

	save->ram_end = save->head_length;
	for (size_t i = 0; i < save->nr_blocks && !err; i++)
		err = place_block(save, &save->blocks[i]);
	save->end = save->ram_end + RAM_FOOTER;
	for (size_t i = 0; i < save->nr_blocks && !err; i++) {
		struct save_block *block = &save->blocks[i];

		block->bitmap = calloc(mapped_ram_bitmap(block->length,
							 save->page_size), 1);
		if (!block->bitmap)
			err = -ENOMEM;
	}
	return err;
}

static int set_up(struct ramload_save *save,
		  const struct ramload_save_block *blocks, size_t nr_blocks,
		  const struct ramload_save_options *options)
{
	int64_t total;
	int err;

	err = copy_blocks(save, blocks, nr_blocks);
	if (err)
		return err;
	total = total_length(save);
	if (total < 0)
		return total;
	err = make_head(save, options, total);
	if (err)
		return err;
	return place_blocks(save);
}

static void free_save(struct ramload_save *save)
{
	for (size_t i = 0; i < save->nr_blocks; i++) {
		free(save->blocks[i].name);
		free((void *)save->blocks[i].bitmap);
	}
	free(save->blocks);
	free(save->head);
	pthread_mutex_destroy(&save->lock);
	free(save);
}

static int make_save(const struct ramload_save_block *blocks, size_t nr_blocks,
		     const struct ramload_save_options *options,
		     struct ramload_save **save)
{
	struct ramload_save *new;
	int err;

	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	pthread_mutex_init(&new->lock, NULL);
	new->page_size = options->page_size;
	new->section = options->section ?: DEFAULT_SECTION;
	new->workers = options->workers;
	err = set_up(new, blocks, nr_blocks, options);
	if (err)
		free_save(new);
	else
		*save = new;
	return err;
}

RAMLOAD_API int ramload_save_open(const char *path,
				  const struct ramload_save_block *blocks,
				  size_t nr_blocks,
				  const struct ramload_save_options *options,
				  struct ramload_save **save)
{
	struct ramload_save_options opts;
	struct ramload_save *new = NULL;
	int err;

	*save = NULL;
	err = options_copy(&opts, sizeof(opts), options);
	if (err)
		return err;
	if (!opts.page_size)
		opts.page_size = DEFAULT_PAGE;
	if (!options_are_valid(&opts) || !nr_blocks)
		return -EINVAL;
	if (nr_blocks > MAX_BLOCKS)
		return -E2BIG;
	err = make_save(blocks, nr_blocks, &opts, &new);
	if (err)
		return err;
	err = save_file_open(&new->file, path, opts.direct);
	if (err) {
		free_save(new);
		return err;
	}
	err = save_file_set_length(&new->file, new->end);
	if (err) {
		ramload_save_close(new);
		return err;
	}
	*save = new;
	return 0;
}

RAMLOAD_API void ramload_save_close(struct ramload_save *save)
{
	if (!save)
		return;
	save_file_close(&save->file);
	free_save(save);
}

/* Note that pages [@from, @to) are present, or are not. */
static void mark(struct save_block *block, uint64_t from, uint64_t to,
		 bool present)
{
	while (from < to) {
		_Atomic uint64_t *word = &block->bitmap[from / 64];
		uint64_t end = min_u64(to, (from / 64 + 1) * 64);
		uint64_t bits = ~UINT64_C(0) >> (64 - (end - from));

		bits <<= from % 64;
		if (present)
			atomic_fetch_or(word, bits);
		else if (atomic_load(word) & bits)
			atomic_fetch_and(word, ~bits);
		from = end;
	}
}

static bool is_marked(struct save_block *block, uint64_t from, uint64_t to)
{
	for (; from < to; from++) {
		if (atomic_load(&block->bitmap[from / 64]) >> from % 64 & 1)
			return true;
	}
	return false;
}

/* What was written of pages that are zero now shall not stay in the file. */
static int save_zeros(struct ramload_save *save, struct save_block *block,
		      uint64_t start, uint64_t length, uint64_t *done)
{
	*done = length;
	if (!is_marked(block, start / save->page_size,
		       (start + length) / save->page_size))
		return 0;
	return save_file_clear(&save->file, length, block->pages + start, done);
}

/* Where pages from @at on stop being all zero, or all not zero. */
static uint64_t run_end(const char *data, uint64_t at, uint64_t end,
			uint32_t page_size, bool zero)
{
	while (at < end && memory_is_zero(data + at, page_size) == zero)
		at += page_size;
	return at;
}

/* Pages of at most a piece; *@at moves on. */
static int save_run(struct ramload_save *save, size_t i, const char *data,
		    uint64_t *at, uint64_t end)
{
	struct save_block *block = &save->blocks[i];
	bool zero = memory_is_zero(data, save->page_size);
	uint64_t start = *at, length, done;
	int err = 0;

	length = run_end(data, save->page_size, end - start, save->page_size,
			 zero);
	if (zero)
		err = save_zeros(save, block, start, length, &done);
	else
		err = save_file_write(&save->file, data, length,
				      block->pages + start, &done);
	*at = start + round_down(done, save->page_size);
	mark(block, start / save->page_size, *at / save->page_size, !zero);
	return err ? fail(save, err, i, block->pages + start + done) : 0;
}

int save_pages(struct ramload_save *save, size_t block, const void *data,
	       uint64_t *at, uint64_t end)
{
	uint64_t piece = max_u64(PIECE, save->page_size);
	uint64_t start = *at;
	int err = has_failed(save);

	while (!err && *at < end)
		err = save_run(save, block,
			       (const char *)data + (*at - start), at,
			       min_u64(end, *at + piece));
	return err;
}

RAMLOAD_API int ramload_save_write(struct ramload_save *save, size_t block,
				   uint64_t offset, const void *data,
				   uint64_t length)
{
	uint64_t size;

	if (block >= save->nr_blocks || save->committed)
		return -EINVAL;
	size = save->blocks[block].length;
	if (offset > size || length > size - offset ||
	    (offset | length) & (save->page_size - 1))
		return -EINVAL;
	return save_pages(save, block, data, &offset, offset + length);
}

RAMLOAD_API int ramload_save_append(struct ramload_save *save, const void *data,
				    size_t length)
{
	int err = has_failed(save);

	if (save->committed)
		return -EINVAL;
	if (!err)
		err = put(save, data, length, save->end);
	if (!err)
		save->end += length;
	return err;
}

/* @devices in what QEMU's analysis script wants around it. */
static int append_description(struct ramload_save *save, const char *devices)
{
	static const char format[] =
		"{\"configuration\": {\"vmsd_name\": \"configuration\", "
		"\"version\": 1, \"fields\": ["
		"{\"name\": \"len\", \"type\": \"uint32\", \"size\": 4}, "
		"{\"name\": \"name\", \"type\": \"buffer\", \"size\": %zu}], "
		"\"subsections\": [{\"vmsd_name\": \"" CAPABILITIES "\", "
		"\"version\": 1, \"fields\": ["
		"{\"name\": \"caps_count\", \"type\": \"uint32\", \"size\": 4}, "
		"{\"name\": \"capabilities\", \"type\": \"capability\", "
		"\"size\": 10}]}]}, \"page_size\": %u, \"devices\": %s}";
	uint8_t head[5];
	char *text;
	int length, err;

	length = asprintf(&text, format, save->machine, save->page_size,
			  devices);
	if (length < 0)
		return -ENOMEM;
	put_be(put_be(head, QEMU_DESCRIPTION, 1), length, 4);
	err = ramload_save_append(save, head, sizeof(head));
	if (!err)
		err = ramload_save_append(save, text, length);
	free(text);
	return err;
}

RAMLOAD_API int ramload_save_end(struct ramload_save *save, const char *devices)
{
	static const uint8_t end = QEMU_END;
	int err;

	if (devices && save->verbatim)
		return -EINVAL;
	err = ramload_save_append(save, &end, sizeof(end));
	if (err || !devices)
		return err;
	return append_description(save, devices);
}

static int put_block(struct ramload_save *save, struct save_block *block)
{
	uint64_t words = mapped_ram_bitmap(block->length, save->page_size) / 8;
	uint8_t header[MAX_NAME + BLOCK_HEADER], *to;
	int err;

	to = put_name(header, block->name);
	to = put_be(to, block->length, 8);
	to = put_be(to, RAM_HEADER_VERSION, 4);
	to = put_be(to, save->page_size, 8);
	to = put_be(to, block->bits, 8);
	to = put_be(to, block->pages, 8);
	err = put(save, header, to - header, block->header);
	if (err)
		return err;
	for (uint64_t i = 0; i < words; i++)
		block->bitmap[i] = htole64(block->bitmap[i]);
	return put(save, (void *)block->bitmap, words * 8, block->bits);
}

static int put_ram_section(struct ramload_save *save)
{
	uint8_t footer[RAM_FOOTER], *to;
	int err;

	err = put(save, save->head, save->head_length, 0);
	for (size_t i = 0; i < save->nr_blocks && !err; i++)
		err = put_block(save, &save->blocks[i]);
	to = put_be(footer, RAM_END, 8);
	to = put_be(to, QEMU_SECTION_FOOTER, 1);
	put_be(to, save->section, 4);
	if (!err)
		err = put(save, footer, sizeof(footer), save->ram_end);
	return err;
}

/*
 * A file where no page is present looks like one whose writer did not come to
 * its bitmaps. A page may be present though it is zero.
 */
static int mark_one(struct ramload_save *save)
{
	struct save_block *first = &save->blocks[0];
	uint64_t done;
	int err;

	for (size_t i = 0; i < save->nr_blocks; i++) {
		const struct save_block *block = &save->blocks[i];

		if (!memory_is_zero((void *)block->bitmap,
				    mapped_ram_bitmap(block->length,
						      save->page_size)))
			return 0;
	}
	err = save_file_clear(&save->file, save->page_size, first->pages,
			      &done);
	mark(first, 0, 1, true);
	return err ? fail(save, err, 0, first->pages + done) : 0;
}

RAMLOAD_API int ramload_save_commit(struct ramload_save *save)
{
	int err = has_failed(save);

	if (save->committed)
		return -EINVAL;
	if (!err && atomic_load(&save->owed))
		return -ECANCELED;
	/* Else it would look like one that was cut short after RAM. */
	if (!err && save->end == save->ram_end + RAM_FOOTER)
		err = ramload_save_end(save, NULL);
	save->committed = true;
	if (err)
		return err;
	err = mark_one(save);
	if (!err)
		err = put_ram_section(save);
	if (err)
		return err;
	err = save_file_commit(&save->file);
	return err ? fail(save, err, save->nr_blocks, 0) : 0;
}
