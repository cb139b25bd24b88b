// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * libFuzzer target: the image readers, through the library's API
 *
 * Whatever the bytes: an error is a documented one and its text fit for a
 * terminal; what is handed out lies inside the file, is there once, and adds
 * up; and the user engine loads the same bytes as a plain reading of the files
 * part by part. Of raw images and layers, it loads what a merge of the files,
 * byte by byte, comes to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <ramload.h>

#include "fuzz_check.h"
#include "fuzz_input.h"
#include "fuzz_session.h"

#define MAX_LOAD	(UINT64_C(1) << 20)

/* What is looked at byte by byte. */
#define MAX_DISJOINT	(UINT64_C(1) << 17)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* The input, as a file; and the files of the image, the input among them. */
struct input {
	int fd;
	uint64_t start;
	uint64_t size;
	const char *format;
	uint8_t holes;
	uint8_t layers;
	const struct ramload_image *image;
};

/* Makes a file sparse; which pages go is said by @pattern. */
static void punch(int fd, uint64_t size, uint8_t pattern)
{
	uint64_t at;

	for (at = 0; pattern && at < size; at += PAGE)
		if ((at / PAGE * 0x9e3779b97f4a7c15ULL) >> 56 < pattern)
			CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE |
					     FALLOC_FL_KEEP_SIZE, at, PAGE));
}

static void open_input(struct input *in, const uint8_t *data, size_t size)
{
	size_t length = size - INPUT_HEADER;

	in->fd = memfd_create("image", MFD_CLOEXEC);
	in->format = input_formats[data[INPUT_FORMAT] % NR_INPUT_FORMATS];
	in->start = data[INPUT_START] * START_UNIT;
	in->size = length + data[INPUT_PADDING] * PAGE;
	in->holes = data[INPUT_HOLES];
	in->layers = data[INPUT_LAYERS];
	CHECK(in->fd >= 0);
	CHECK(write(in->fd, data + INPUT_HEADER, length) == (ssize_t)length);
	CHECK(!ftruncate(in->fd, in->size));
	punch(in->fd, in->size, in->holes);
}

static void check_error(int err, const struct ramload_image_error *error)
{
	const char *c;

	CHECK(err == -EINVAL || err == -ENOTSUP || err == -ENODATA);
	CHECK(memchr(error->text, 0, sizeof(error->text)));
	CHECK(*error->text);
	for (c = error->text; *c; c++)
		CHECK(*c >= ' ' && *c <= '~');
}

static bool is_present(const struct ramload_image_part *part, uint64_t page)
{
	return !part->bitmap || part->bitmap[page / 8] >> page % 8 & 1;
}

static uint64_t check_bitmap(const struct ramload_image_part *part,
			     uint64_t size)
{
	uint64_t pages = part->length / part->page_size, present = 0, p;

	CHECK(part->page_size >= 512 && part->page_size <= 1 << 30);
	CHECK(!(part->page_size & (part->page_size - 1)));
	CHECK(part->length % part->page_size == 0);
	for (p = 0; p < pages; p++) {
		if (!is_present(part, p))
			continue;
		present += part->page_size;
		CHECK(part->file_offset + (p + 1) * part->page_size <= size);
	}
	/* Bits past the last page, up to the end of its byte. */
	for (; p % 8; p++)
		CHECK(!is_present(part, p));
	return present;
}

static uint64_t check_part(const struct input *in,
			   const struct ramload_image_part *part)
{
	struct stat st;

	CHECK(part->file < ramload_image_nr_files(in->image));
	CHECK(!fstat(ramload_image_file(in->image, part->file), &st));
	CHECK(part->length);
	CHECK(part->file || part->file_offset >= in->start);
	CHECK(part->file_offset <= INT64_MAX - part->length);
	if (part->bitmap)
		return check_bitmap(part, st.st_size);
	CHECK(!part->page_size);
	CHECK(part->file_offset + part->length <= (uint64_t)st.st_size);
	return part->length;
}

/* Parts that share no byte of the block: what one has no other has. */
static void check_disjoint(const struct ramload_image_block *b)
{
	uint8_t *seen = calloc(1, b->length);
	size_t i;

	for (i = 0; i < b->nr_parts; i++) {
		const struct ramload_image_part *part = &b->parts[i];
		uint64_t unit = part->bitmap ? part->page_size : part->length;
		uint64_t at, end, p;

		for (p = 0; p < part->length / unit; p++) {
			if (!is_present(part, p))
				continue;
			at = part->offset + p * unit;
			for (end = at + unit; at < end; at++)
				CHECK(!seen[at]++);
		}
	}
	free(seen);
}

static void check_block(const struct input *in,
			const struct ramload_image_block *b)
{
	uint64_t present = 0;
	size_t i;

	CHECK(*b->name);
	CHECK(b->length);
	for (i = 0; i < b->nr_parts; i++) {
		const struct ramload_image_part *part = &b->parts[i];

		CHECK(part->offset <= b->length);
		CHECK(part->length <= b->length - part->offset);
		present += check_part(in, part);
	}
	CHECK(present == b->present);
	if (b->length <= MAX_DISJOINT)
		check_disjoint(b);
}

/* Not so of ELF cores, whose segments may share bytes of the file. */
static void check_apart(const struct ramload_image_block *a,
			const struct ramload_image_block *b)
{
	const struct ramload_image_part *x = a->parts, *y = b->parts;

	CHECK(x->file_offset + x->length <= y->file_offset ||
	      y->file_offset + y->length <= x->file_offset);
}

static void check_two(const struct ramload_image *image, size_t i, size_t j)
{
	const struct ramload_image_block *a = ramload_image_block(image, i);
	const struct ramload_image_block *b = ramload_image_block(image, j);

	CHECK(strcmp(a->name, b->name));
	if (strcmp(ramload_image_format(image), "elf"))
		check_apart(a, b);
}

static void check_image(const struct input *in,
			const struct ramload_image *image)
{
	size_t nr = ramload_image_nr_blocks(image), i, j;

	CHECK(!in->format || !strcmp(in->format, ramload_image_format(image)));
	for (i = 0; i < nr; i++) {
		check_block(in, ramload_image_block(image, i));
		for (j = 0; j < i; j++)
			check_two(image, i, j);
	}
	CHECK(!ramload_image_block(image, nr));
}

static void read_plainly(const struct ramload_image *image, uint8_t *to,
			 const struct ramload_image_part *part)
{
	uint64_t unit = part->bitmap ? part->page_size : part->length, p;

	for (p = 0; p < part->length / unit; p++)
		if (is_present(part, p))
			CHECK(pread(ramload_image_file(image, part->file),
				    to + p * unit, unit,
				    part->file_offset + p * unit) ==
			      (ssize_t)unit);
}

/* Loads what of a block is in a file. */
static uint64_t load_file(const struct ramload_image *image, size_t i,
			  void *const *dests)
{
	struct ramload_load_options options = {
		.size = sizeof(options),
		.rules = { .small = 512, .slice = 8192, .chunk = 4096 },
	};
	size_t nr = ramload_image_load(image, i, dests, NULL);
	struct ramload_block *blocks = calloc(nr + 1, sizeof(*blocks));
	struct ramload_result result = { 0 };
	struct ramload_job *job;

	CHECK(ramload_image_load(image, i, dests, blocks) == nr);
	if (nr) {
		CHECK(!ramload_load(session(), ramload_image_file(image, i),
				    blocks, nr, &options, &job));
		CHECK(!ramload_job_wait(job, &result));
		CHECK(result.bytes_total == result.bytes_done);
		ramload_job_free(job);
	}
	free(blocks);
	return result.bytes_done;
}

/* Block @i of the image as the user engine loads it. */
static uint8_t *load_block(const struct ramload_image *image, size_t i)
{
	const struct ramload_image_block *b = ramload_image_block(image, i);
	void **dests = calloc(ramload_image_nr_blocks(image), sizeof(*dests));
	uint8_t *loaded = calloc(1, b->length);
	uint64_t bytes = 0;
	size_t j;

	dests[i] = loaded;
	for (j = 0; j < ramload_image_nr_files(image); j++)
		bytes += load_file(image, j, dests);
	CHECK(bytes == b->present);
	free(dests);
	return loaded;
}

/* Loads block @i of the image, and reads its parts in another way. */
static void compare_load(const struct ramload_image *image, size_t i)
{
	const struct ramload_image_block *b = ramload_image_block(image, i);
	uint8_t *loaded = load_block(image, i);
	uint8_t *wanted = calloc(1, b->length);
	size_t j;

	for (j = 0; j < b->nr_parts; j++)
		read_plainly(image, wanted + b->parts[j].offset, &b->parts[j]);
	CHECK(!memcmp(loaded, wanted, b->length));
	free(loaded);
	free(wanted);
}

static void compare_loads(const struct ramload_image *image)
{
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(image); i++) {
		const struct ramload_image_block *b;

		b = ramload_image_block(image, i);
		if (b->length <= MAX_LOAD && b->nr_parts)
			compare_load(image, i);
	}
}

/* A layer of @size bytes, and what it makes of the @length of @wanted. */
static int make_layer(uint64_t size, uint8_t pattern, uint8_t *wanted,
		      uint64_t length)
{
	int fd = memfd_create("layer", MFD_CLOEXEC);
	uint64_t at;

	CHECK(fd >= 0);
	CHECK(!ftruncate(fd, size));
	for (at = 0; at + PAGE <= length; at += PAGE) {
		if ((at / PAGE * 0xd1342543de82ef95ULL) >> 56 >= pattern)
			continue;
		memset(wanted + at, pattern, PAGE);
		CHECK(pwrite(fd, wanted + at, PAGE, at) == (ssize_t)PAGE);
	}
	return fd;
}

/* Up to three layers, of which one may not fit. */
static void compare_layers(struct input *in, struct ramload_image *image)
{
	uint64_t length = ramload_image_block(image, 0)->length;
	uint8_t *wanted = load_block(image, 0), *loaded;
	struct ramload_image_error error;
	unsigned int i;
	int fd, err;

	for (i = 0; i < in->layers % 4; i++) {
		uint64_t size = length + (in->layers % 7 == i);
		uint8_t *before = malloc(length + 1);

		memcpy(before, wanted, length);
		fd = make_layer(size, in->layers * (i + 1), wanted,
				length);
		err = ramload_image_add_layer(image, fd, "a\nlayer", &error);
		close(fd);
		CHECK(!err || size != length || length % PAGE);
		if (err) {
			check_error(err, &error);
			memcpy(wanted, before, length);
		}
		free(before);
		check_image(in, image);
	}
	loaded = load_block(image, 0);
	CHECK(!memcmp(loaded, wanted, length));
	free(loaded);
	free(wanted);
}

/* All of a raw image is in the file, whatever its holes. */
static void compare_raw(struct input *in, struct ramload_image *image)
{
	uint64_t length = ramload_image_block(image, 0)->length;
	uint8_t *wanted, *loaded;

	if (length > MAX_LOAD)
		return;
	wanted = malloc(length);
	CHECK(pread(in->fd, wanted, length, in->start) == (ssize_t)length);
	loaded = load_block(image, 0);
	CHECK(!memcmp(loaded, wanted, length));
	free(wanted);
	free(loaded);
	compare_layers(in, image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	struct input in;
	int err;

	if (size < INPUT_HEADER)
		return -1;
	open_input(&in, data, size);
	memset(&error, 0xff, sizeof(error));
	err = ramload_image_open(in.fd, in.start, in.format, &image, &error);
	in.image = image;
	if (err) {
		CHECK(!image);
		check_error(err, &error);
	} else {
		check_image(&in, image);
		compare_loads(image);
		if (!strcmp(ramload_image_format(image), "raw"))
			compare_raw(&in, image);
	}
	ramload_image_close(image);
	close(in.fd);
	return 0;
}

/* Change an integer of the stream, or make one of what is there. */
static void mutate_integer(uint8_t *data, size_t size)
{
	size_t length = draw(2) ? 8 : draw(2) ? 4 : 1;
	size_t at = INPUT_HEADER, i;
	uint64_t value = draw_place();
	bool little = draw(2);

	if (size < INPUT_HEADER + length)
		return;
	/* Most of what matters comes before the first page. */
	at += draw(size - at - length + 1) % (draw(4) ? 400 : size);
	if (draw(2)) {
		value = 0;
		for (i = 0; i < length; i++)
			value |= (uint64_t)data[at + i] <<
				 (little ? i : length - 1 - i) * 8;
		value += draw(3) - 1 + (draw(3) - 1) * PAGE;
	}
	for (i = 0; i < length; i++)
		data[at + i] = value >> (little ? i : length - 1 - i) * 8;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	size_t i;

	draw_state = seed;
	switch (draw(8)) {
	case 0:
		draw_image(seed);
		return put_input(data, max_size);
	case 1:
		return LLVMFuzzerMutate(data, size, max_size);
	case 2:
		for (i = 0; i < INPUT_HEADER && i < size; i++)
			data[i] = draw(2) ? data[i] : draw(256);
		return size;
	default:
		mutate_integer(data, size);
		return size;
	}
}
