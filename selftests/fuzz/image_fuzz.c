// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * libFuzzer target: the image readers, through the library's API
 *
 * Whatever the bytes: an error is a documented one and its text fit for a
 * terminal; what is handed out lies inside the file, overlaps nowhere, and
 * adds up; and the user engine loads the same bytes as a plain reading of the
 * file page by page.
 */
#include <errno.h>
#include <stdio.h>

#include <ramload.h>

#include "fuzz_check.h"
#include "fuzz_input.h"

#define MAX_LOAD	(UINT64_C(1) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* The input, as a file. */
struct input {
	int fd;
	uint64_t start;
	uint64_t size;
	const char *format;
};

static void open_input(struct input *in, const uint8_t *data, size_t size)
{
	static const char *const formats[] = {
		NULL, "mapped-ram", "raw", NULL,
	};
	size_t length = size - INPUT_HEADER;

	in->fd = memfd_create("image", MFD_CLOEXEC);
	in->format = formats[data[INPUT_FORMAT] % 4];
	in->start = data[INPUT_START] * START_UNIT;
	in->size = length + data[INPUT_PADDING] * PAGE;
	CHECK(in->fd >= 0);
	CHECK(write(in->fd, data + INPUT_HEADER, length) == (ssize_t)length);
	CHECK(!ftruncate(in->fd, in->size));
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

static uint64_t check_bitmap(const struct input *in,
			     const struct ramload_image_part *part)
{
	uint64_t pages = part->length / part->page_size, present = 0, p;

	CHECK(part->page_size >= 512 && part->page_size <= 1 << 30);
	CHECK(!(part->page_size & (part->page_size - 1)));
	CHECK(part->length % part->page_size == 0);
	for (p = 0; p < pages; p++) {
		if (!is_present(part, p))
			continue;
		present += part->page_size;
		CHECK(part->file_offset + (p + 1) * part->page_size <=
		      in->size);
	}
	/* Bits past the last page, up to the end of its byte. */
	for (; p % 8; p++)
		CHECK(!is_present(part, p));
	return present;
}

static uint64_t check_part(const struct input *in,
			   const struct ramload_image_part *part)
{
	CHECK(!part->file);
	CHECK(part->length);
	CHECK(part->file_offset >= in->start);
	CHECK(part->file_offset <= INT64_MAX - part->length);
	if (part->bitmap)
		return check_bitmap(in, part);
	CHECK(!part->page_size);
	CHECK(part->file_offset + part->length <= in->size);
	return part->length;
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
}

static void check_apart(const struct ramload_image_block *a,
			const struct ramload_image_block *b)
{
	const struct ramload_image_part *x = a->parts, *y = b->parts;

	CHECK(strcmp(a->name, b->name));
	CHECK(x->file_offset + x->length <= y->file_offset ||
	      y->file_offset + y->length <= x->file_offset);
}

static void check_image(const struct input *in,
			const struct ramload_image *image)
{
	size_t nr = ramload_image_nr_blocks(image), i, j;

	CHECK(!in->format || !strcmp(in->format, ramload_image_format(image)));
	for (i = 0; i < nr; i++) {
		check_block(in, ramload_image_block(image, i));
		for (j = 0; j < i; j++)
			check_apart(ramload_image_block(image, i),
				    ramload_image_block(image, j));
	}
	CHECK(!ramload_image_block(image, nr));
}

static struct ramload_session *session(void)
{
	static struct ramload_session *session;
	struct ramload_session_options options = {
		.size = sizeof(options),
		.engine = RAMLOAD_ENGINE_USER,
		.workers = 2,
	};

	if (!session)
		CHECK(!ramload_session_open(&options, &session));
	return session;
}

static void read_plainly(const struct input *in, uint8_t *to,
			 const struct ramload_image_part *part)
{
	uint64_t unit = part->bitmap ? part->page_size : part->length, p;

	for (p = 0; p < part->length / unit; p++)
		if (is_present(part, p))
			CHECK(pread(in->fd, to + p * unit, unit,
				    part->file_offset + p * unit) ==
			      (ssize_t)unit);
}

/* Loads block @i of the image, and reads its parts in another way. */
static void compare_load(const struct input *in,
			 const struct ramload_image *image, size_t i)
{
	const struct ramload_image_block *b = ramload_image_block(image, i);
	struct ramload_load_options options = {
		.size = sizeof(options),
		.rules = { .small = 512, .slice = 8192, .chunk = 4096 },
	};
	void **dests = calloc(ramload_image_nr_blocks(image), sizeof(*dests));
	uint8_t *loaded = calloc(1, b->length);
	uint8_t *wanted = calloc(1, b->length);
	struct ramload_block *blocks = calloc(b->nr_parts, sizeof(*blocks));
	struct ramload_result result;
	struct ramload_job *job;
	size_t j;

	dests[i] = loaded;
	CHECK(ramload_image_load(image, 0, dests, blocks) == b->nr_parts);
	CHECK(!ramload_load(session(), ramload_image_file(image, 0), blocks,
			    b->nr_parts, &options, &job));
	CHECK(!ramload_job_wait(job, &result));
	CHECK(result.bytes_total == b->present);
	CHECK(result.bytes_done == b->present);
	ramload_job_free(job);
	for (j = 0; j < b->nr_parts; j++)
		read_plainly(in, wanted + b->parts[j].offset, &b->parts[j]);
	CHECK(!memcmp(loaded, wanted, b->length));
	free(blocks);
	free(loaded);
	free(wanted);
	free(dests);
}

static void compare_loads(const struct input *in,
			  const struct ramload_image *image)
{
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(image); i++) {
		const struct ramload_image_block *b;

		b = ramload_image_block(image, i);
		if (b->length <= MAX_LOAD && b->nr_parts)
			compare_load(in, image, i);
	}
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
	if (err) {
		CHECK(!image);
		check_error(err, &error);
	} else {
		check_image(&in, image);
		compare_loads(&in, image);
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

	if (size < INPUT_HEADER + length)
		return;
	/* Most of what matters comes before the first page. */
	at += draw(size - at - length + 1) % (draw(4) ? 400 : size);
	if (draw(2)) {
		value = 0;
		for (i = 0; i < length; i++)
			value = value << 8 | data[at + i];
		value += draw(3) - 1 + (draw(3) - 1) * PAGE;
	}
	for (i = 0; i < length; i++)
		data[at + i] = value >> (length - 1 - i) * 8;
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
