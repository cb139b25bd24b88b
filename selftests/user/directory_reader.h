/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Opens images that are directories, and checks what comes of it: whatever
 * they hold, an image that opens is fit to be loaded, and an error is a
 * documented one, with a text.
 */
#ifndef DIRECTORY_READER_H
#define DIRECTORY_READER_H

#include <errno.h>

#include "directory_writer.h"
#include "kselftest_harness.h"
#include "ramload.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static inline void check_part(struct __test_metadata *_metadata,
			      const struct ramload_image *image,
			      const struct ramload_image_part *part)
{
	struct stat st;

	ASSERT_NE(0, part->length);
	EXPECT_EQ(NULL, part->bitmap);
	EXPECT_EQ(0, part->page_size);
	ASSERT_LT(0, part->file);
	ASSERT_LT(part->file, ramload_image_nr_files(image));
	EXPECT_NE(NULL, ramload_image_file_name(image, part->file));
	ASSERT_EQ(0, fstat(ramload_image_file(image, part->file), &st));
	EXPECT_TRUE(S_ISREG(st.st_mode));
	EXPECT_LE(part->length, st.st_size);
	EXPECT_LE(part->file_offset, st.st_size - part->length);
}

/* Parts are in order, and all of a block is in one of them. */
static inline void check_block(struct __test_metadata *_metadata,
			       const struct ramload_image *image,
			       const struct ramload_image_block *block)
{
	uint64_t end = 0;
	size_t i;

	EXPECT_NE('\0', block->name[0]);
	EXPECT_NE(0, block->length);
	EXPECT_LE(block->address, INT64_MAX - block->length);
	for (i = 0; i < block->nr_parts; i++) {
		const struct ramload_image_part *part = &block->parts[i];

		check_part(_metadata, image, part);
		EXPECT_EQ(end, part->offset);
		end = part->offset + part->length;
	}
	EXPECT_EQ(block->length, end);
	EXPECT_EQ(block->length, block->present);
}

static inline void check_image(struct __test_metadata *_metadata,
			       const struct ramload_image *image)
{
	size_t i;

	EXPECT_LT(0, ramload_image_nr_files(image));
	EXPECT_EQ(NULL, ramload_image_file_name(image, 0));
	EXPECT_EQ(NULL, ramload_image_machine(image));
	for (i = 0; i < ramload_image_nr_blocks(image); i++)
		check_block(_metadata, image, ramload_image_block(image, i));
}

static inline void check_error(struct __test_metadata *_metadata, int err,
			       const struct ramload_image_error *error)
{
	const char *c;

	EXPECT_TRUE(err == -EINVAL || err == -ENOTSUP || err == -ENODATA ||
		    err == -ENOENT || err == -ENOTDIR || err == -EISDIR)
		TH_LOG("%d: %s", err, error->text);
	ASSERT_LT(strnlen(error->text, sizeof(error->text)),
		  sizeof(error->text));
	EXPECT_NE('\0', error->text[0]);
	for (c = error->text; *c; c++)
		EXPECT_TRUE(*c >= ' ' && *c <= '~');
}

/* Returns the error; NULL in *@image then. */
static inline int open_any(struct __test_metadata *_metadata, int dir,
			   struct ramload_image **image,
			   struct ramload_image_error *error)
{
	int err;

	*image = (void *)1;
	memset(error, 0xff, sizeof(*error));
	err = ramload_image_open(dir, 0, NULL, image, error);
	if (err) {
		EXPECT_EQ(NULL, *image);
		check_error(_metadata, err, error);
	} else {
		check_image(_metadata, *image);
	}
	return err;
}

static inline struct ramload_image *
open_ok(struct __test_metadata *_metadata, int dir)
{
	struct ramload_image_error error;
	struct ramload_image *image;

	ASSERT_EQ(0, open_any(_metadata, dir, &image, &error))
		TH_LOG("%s", error.text);
	return image;
}

static inline void open_error(struct __test_metadata *_metadata, int dir,
			      int wanted, const char *text)
{
	struct ramload_image_error error;
	struct ramload_image *image;

	EXPECT_EQ(wanted, open_any(_metadata, dir, &image, &error))
		TH_LOG("wanted: %s, got: %s", text, image ? "" : error.text);
	if (!image) {
		EXPECT_NE(NULL, strstr(error.text, text))
			TH_LOG("%s, not: %s", error.text, text);
	}
	ramload_image_close(image);
}

/* A file of the directory, of which all that is no regular file is refused. */
static inline void open_special(struct __test_metadata *_metadata, int dir,
				const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), "%s: not a regular file", name);
	must(!renameat(dir, name, dir, "there"));
	must(!mkfifoat(dir, name, 0600));
	open_error(_metadata, dir, -EINVAL, text);
	must(!unlinkat(dir, name, 0));
	must(!symlinkat("there", dir, name));
	open_error(_metadata, dir, -EINVAL, text);
	must(!unlinkat(dir, name, 0));
	must(!symlinkat("/dev/zero", dir, name));
	open_error(_metadata, dir, -EINVAL, text);
	must(!unlinkat(dir, name, 0));
	must(!mkdirat(dir, name, 0700));
	open_error(_metadata, dir, -EINVAL, text);
	must(!unlinkat(dir, name, AT_REMOVEDIR));
}

static inline void load_file(struct __test_metadata *_metadata,
			     struct ramload_session *session,
			     const struct ramload_image *image, size_t file,
			     void **dests)
{
	size_t nr = ramload_image_load(image, file, dests, NULL);
	struct ramload_block *blocks;
	struct ramload_job *job;

	if (!nr)
		return;
	blocks = calloc(nr, sizeof(*blocks));
	ASSERT_NE(NULL, blocks);
	ASSERT_EQ(nr, ramload_image_load(image, file, dests, blocks));
	ASSERT_EQ(0, ramload_load(session, ramload_image_file(image, file),
				  blocks, nr, NULL, &job));
	ASSERT_EQ(0, ramload_job_wait(job, NULL));
	ramload_job_free(job);
	free(blocks);
}

/* Each block, in memory of its own, to be freed by unload(). */
static inline uint8_t **load(struct __test_metadata *_metadata,
			     const struct ramload_image *image,
			     enum ramload_engine engine)
{
	struct ramload_session_options options = {
		.size = sizeof(options),
		.engine = engine,
		.workers = 2,
	};
	size_t i, nr = ramload_image_nr_blocks(image);
	void **dests = calloc(nr + 1, sizeof(*dests));
	struct ramload_session *session;

	ASSERT_NE(NULL, dests);
	for (i = 0; i < nr; i++) {
		dests[i] = calloc(1, ramload_image_block(image, i)->length);
		ASSERT_NE(NULL, dests[i]);
	}
	ASSERT_EQ(0, ramload_session_open(&options, &session));
	for (i = 0; i < ramload_image_nr_files(image); i++)
		load_file(_metadata, session, image, i, dests);
	ramload_session_close(session);
	return (uint8_t **)dests;
}

static inline void unload(const struct ramload_image *image, uint8_t **dests)
{
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(image); i++)
		free(dests[i]);
	free(dests);
}

#endif /* DIRECTORY_READER_H */
