/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What is true of every image that opens, and of every error of one that does
 * not, whatever the format.
 */
#ifndef IMAGE_CHECK_H
#define IMAGE_CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "image_writer.h"
#include "ramload.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* Of longer blocks, the beginning is looked at byte by byte. */
#define CHECKED_BYTES (4ULL << 20)

/* Fails if the error's text is nothing one would want on a terminal. */
static inline void check_error(struct __test_metadata *_metadata,
			       const struct ramload_image_error *error)
{
	const char *c;

	EXPECT_LT(strlen(error->text), sizeof(error->text));
	EXPECT_NE('\0', error->text[0]);
	for (c = error->text; *c; c++)
		EXPECT_TRUE(*c >= ' ' && *c <= '~');
}

/* Opens what was written; an error must be one of those documented. */
static inline int open_fd(struct __test_metadata *_metadata, int fd,
			  uint64_t offset, const char *format,
			  struct ramload_image **image,
			  struct ramload_image_error *error)
{
	int err;

	*image = (void *)1;
	memset(error, 0xff, sizeof(*error));
	err = ramload_image_open(fd, offset, format, image, error);
	if (err) {
		EXPECT_EQ(NULL, *image);
		check_error(_metadata, error);
	} else {
		EXPECT_NE(NULL, *image);
	}
	return err;
}

static inline struct ramload_image *open_ok(struct __test_metadata *_metadata,
					    uint64_t offset)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	int fd = file_fd(file.size);

	ASSERT_EQ(0, open_fd(_metadata, fd, offset, NULL, &image, &error))
		TH_LOG("%s", error.text);
	close(fd);
	return image;
}

static inline void open_error(struct __test_metadata *_metadata,
			      uint64_t offset, int wanted, const char *text)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	int fd = file_fd(file.size);

	EXPECT_EQ(wanted, open_fd(_metadata, fd, offset, NULL, &image, &error))
		TH_LOG("wanted: %s", text);
	if (!image) {
		EXPECT_EQ(0, strncmp(error.text, "offset ", 7));
		EXPECT_NE(NULL, strstr(error.text, text))
			TH_LOG("%s, not: %s", error.text, text);
	}
	ramload_image_close(image);
	close(fd);
}

static inline bool bit(const uint8_t *bitmap, uint64_t page)
{
	return !bitmap || bitmap[page / 8] >> page % 8 & 1;
}

/* Bytes in the file for page @page of a part; all of it, without a bitmap. */
static inline uint64_t unit_of(const struct ramload_image_part *part)
{
	return part->bitmap ? part->page_size : part->length;
}

static inline void check_bitmap(struct __test_metadata *_metadata,
				const struct ramload_image_part *part)
{
	uint64_t page = part->length / part->page_size;

	EXPECT_GE(part->page_size, 512);
	EXPECT_LE(part->page_size, 1 << 30);
	EXPECT_EQ(0, part->page_size & (part->page_size - 1));
	EXPECT_EQ(0, part->length % part->page_size);
	for (; page % 8; page++)
		EXPECT_FALSE(bit(part->bitmap, page));
}

/*
 * Adds up what is present of a part, all of which must be in its file. @seen
 * has a byte for each of the block, 1 if another part has it.
 */
static inline uint64_t check_part(struct __test_metadata *_metadata,
				  const struct ramload_image_part *part,
				  uint64_t size, uint8_t *seen)
{
	uint64_t unit = unit_of(part), present = 0, i, at;

	for (i = 0; i < part->length / unit; i++) {
		if (!bit(part->bitmap, i))
			continue;
		present += unit;
		EXPECT_LE(part->file_offset + (i + 1) * unit, size);
		at = part->offset + i * unit;
		for (; at < part->offset + (i + 1) * unit; at++) {
			if (at >= CHECKED_BYTES)
				break;
			ASSERT_EQ(0, seen[at]);
			seen[at] = 1;
		}
	}
	return present;
}

static inline uint64_t file_size_of(const struct ramload_image *image, size_t i)
{
	struct stat st;

	return fstat(ramload_image_file(image, i), &st) ? 0 : st.st_size;
}

static inline void check_block(struct __test_metadata *_metadata,
			       const struct ramload_image *image,
			       const struct ramload_image_block *b)
{
	size_t room = b->length < CHECKED_BYTES ? b->length : CHECKED_BYTES;
	uint8_t *seen = calloc(1, room + 1);
	uint64_t present = 0;
	size_t i;

	EXPECT_NE('\0', b->name[0]);
	ASSERT_NE(0, b->length);
	for (i = 0; i < b->nr_parts; i++) {
		const struct ramload_image_part *part = &b->parts[i];

		ASSERT_LT(part->file, ramload_image_nr_files(image));
		ASSERT_NE(0, part->length);
		ASSERT_LE(part->length, b->length);
		ASSERT_LE(part->offset, b->length - part->length);
		ASSERT_LE(part->length, INT64_MAX - part->file_offset);
		if (part->bitmap)
			check_bitmap(_metadata, part);
		else
			EXPECT_EQ(0, part->page_size);
		present += check_part(_metadata, part,
				      file_size_of(image, part->file), seen);
	}
	EXPECT_EQ(present, b->present);
	free(seen);
}

/* Whatever the files hold, an image that opens must be fit to be loaded. */
static inline void check_image(struct __test_metadata *_metadata,
			       const struct ramload_image *image)
{
	size_t i, j, nr = ramload_image_nr_blocks(image);
	size_t files = ramload_image_nr_files(image);

	ASSERT_LE(1, files);
	EXPECT_EQ(NULL, ramload_image_file_name(image, 0));
	for (i = 0; i < files; i++)
		EXPECT_LE(0, ramload_image_file(image, i));
	EXPECT_EQ(-1, ramload_image_file(image, files));
	for (i = 0; i < nr; i++) {
		const struct ramload_image_block *b;

		b = ramload_image_block(image, i);
		check_block(_metadata, image, b);
		for (j = 0; j < i; j++)
			EXPECT_STRNE(b->name,
				     ramload_image_block(image, j)->name);
	}
	EXPECT_EQ(NULL, ramload_image_block(image, nr));
}

/* Loads all files of an image, by the engine of the user. */
static inline void load_image(struct __test_metadata *_metadata,
			      const struct ramload_image *image,
			      void *const *dests)
{
	struct ramload_session_options options = {
		.size = sizeof(options),
		.engine = RAMLOAD_ENGINE_USER,
		.workers = 2,
	};
	struct ramload_session *session;
	struct ramload_block *blocks;
	struct ramload_job *job;
	size_t i, nr;

	ASSERT_EQ(0, ramload_session_open(&options, &session));
	for (i = 0; i < ramload_image_nr_files(image); i++) {
		nr = ramload_image_load(image, i, dests, NULL);
		if (!nr)
			continue;
		blocks = calloc(nr, sizeof(*blocks));
		ramload_image_load(image, i, dests, blocks);
		ASSERT_EQ(0, ramload_load(session, ramload_image_file(image, i),
					  blocks, nr, NULL, &job));
		EXPECT_EQ(0, ramload_job_wait(job, NULL));
		ramload_job_free(job);
		free(blocks);
	}
	ramload_session_close(session);
}

/* Opens it with a byte changed, which is then put back. */
static inline void open_flipped(struct __test_metadata *_metadata, int fd,
				uint64_t offset, size_t where, uint8_t mask)
{
	uint8_t byte = file.data[where] ^ mask;
	struct ramload_image_error error;
	struct ramload_image *image;
	int err;

	ASSERT_EQ(1, pwrite(fd, &byte, 1, where));
	err = open_fd(_metadata, fd, offset, NULL, &image, &error);
	if (!err)
		check_image(_metadata, image);
	EXPECT_TRUE(!err || err == -EINVAL || err == -ENOTSUP ||
		    err == -ENODATA)
		TH_LOG("byte %zu mask %#x: %d", where, mask, err);
	ramload_image_close(image);
	ASSERT_EQ(1, pwrite(fd, &file.data[where], 1, where));
}

/* Every bit of [@from, @to), and some bytes as a whole. */
static inline void open_all_flipped(struct __test_metadata *_metadata, int fd,
				    uint64_t offset, size_t from, size_t to)
{
	static const uint8_t masks[] = {
		1, 2, 4, 8, 16, 32, 64, 128, 0xff, 0x7f, 0xf0, 0x55,
	};
	size_t i;

	for (; from < to; from++) {
		for (i = 0; i < NR(masks); i++)
			open_flipped(_metadata, fd, offset, from, masks[i]);
	}
}

#endif /* IMAGE_CHECK_H */
