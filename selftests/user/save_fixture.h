/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * A folder for saves, blocks of memory with pages that are zero and pages that
 * are not, and what has to be true of a file that they were saved to.
 */
#ifndef SAVE_FIXTURE_H
#define SAVE_FIXTURE_H

#include <dirent.h>

#include "load_util.h"
#include "patient_harness.h"

#define PAGE		4096
#define MAX_BLOCKS	4

/**
 * struct guest - memory to save
 * @blocks: the blocks
 * @nr: how many
 * @memory: where they are
 */
struct guest {
	struct ramload_save_block blocks[MAX_BLOCKS];
	size_t nr;
	uint8_t *memory[MAX_BLOCKS];
};

enum pattern {
	DENSE,
	EMPTY,
	ALTERNATING,
	RANDOM,
};

static inline bool has_page(enum pattern pattern, uint64_t page)
{
	switch (pattern) {
	case DENSE:
		return true;
	case ALTERNATING:
		return page % 2;
	case RANDOM:
		return content(page * 8) & 1;
	default:
		return false;
	}
}

/* The last byte alone makes some pages differ from zero. */
static inline void fill_page(uint8_t *at, uint64_t seed)
{
	if (seed % 3)
		for (uint64_t i = 0; i < PAGE; i++)
			at[i] = content(seed * PAGE + i) | 1;
	else
		at[PAGE - 1] = 1;
}

static inline void add_block(struct guest *guest, const char *name,
			     uint64_t pages, enum pattern pattern)
{
	uint8_t *memory = map_memory(pages * PAGE);

	for (uint64_t p = 0; p < pages; p++)
		if (has_page(pattern, p))
			fill_page(memory + p * PAGE, guest->nr * 1000 + p);
	guest->blocks[guest->nr].name = name;
	guest->blocks[guest->nr].length = pages * PAGE;
	guest->memory[guest->nr++] = memory;
}

static inline void free_guest(struct guest *guest)
{
	for (size_t i = 0; i < guest->nr; i++)
		munmap(guest->memory[i], guest->blocks[i].length);
	guest->nr = 0;
}

FIXTURE(save)
{
	char folder[PATH_MAX];
	char path[PATH_MAX + 16];
	struct guest guest;
	struct ramload_save_options options;
	struct ramload_save *save;
};

FIXTURE_VARIANT(save)
{
	const char *folder;
	bool direct;
};

FIXTURE_VARIANT_ADD(save, disk) {};

FIXTURE_VARIANT_ADD(save, disk_direct)
{
	.direct = true,
};

FIXTURE_VARIANT_ADD(save, memory)
{
	.folder = "/dev/shm",
};

FIXTURE_VARIANT_ADD(save, memory_direct)
{
	.folder = "/dev/shm",
	.direct = true,
};

static inline void program_folder(char *folder)
{
	ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);

	folder[length < 0 ? 0 : length] = '\0';
	dirname(folder);
}

FIXTURE_SETUP(save)
{
	char place[PATH_MAX - 16];

	if (variant->folder) {
		strcpy(place, variant->folder);
	} else {
		program_folder(self->folder);
		strcpy(place, self->folder);
	}
	snprintf(self->folder, sizeof(self->folder), "%s/save.XXXXXX", place);
	ASSERT_NE(NULL, mkdtemp(self->folder));
	snprintf(self->path, sizeof(self->path), "%s/image", self->folder);
	self->options.size = sizeof(self->options);
	self->options.workers = 4;
	self->options.direct = variant->direct;
}

/* How many files there are, but for @path. */
static inline int left_behind(const char *folder, const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);
	int nr = 0;

	while ((entry = readdir(dir)))
		nr += strcmp(entry->d_name, ".") &&
		      strcmp(entry->d_name, "..") &&
		      strcmp(entry->d_name, strrchr(path, '/') + 1);
	closedir(dir);
	return nr;
}

FIXTURE_TEARDOWN(save)
{
	ramload_save_close(self->save);
	EXPECT_EQ(0, left_behind(self->folder, self->path));
	unlink(self->path);
	EXPECT_EQ(0, rmdir(self->folder));
	free_guest(&self->guest);
}

static inline bool bit(const uint8_t *bitmap, uint64_t page)
{
	return bitmap[page / 8] >> page % 8 & 1;
}

static inline bool page_is_zero(const uint8_t *page)
{
	for (int i = 0; i < PAGE; i++)
		if (page[i])
			return false;
	return true;
}

static inline bool is_hole(int fd, uint64_t offset)
{
	off_t data = lseek(fd, offset, SEEK_DATA);

	return (data < 0 && errno == ENXIO) || data >= (off_t)offset + PAGE;
}

/* Where blocks of the file system are no larger than pages, holes are exact. */
static inline bool holes_are_exact(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_blksize <= PAGE;
}

/* Load a block as anybody would; compare it with what was saved. */
static inline bool loads_as(int fd, const struct ramload_image_block *from,
			    const uint8_t *memory)
{
	struct ramload_block block = {
		.file_offset = from->parts->file_offset,
		.length = from->length,
		.dest = map_memory(from->length),
		.bitmap = from->parts->bitmap,
		.page_size = from->parts->page_size,
	};
	struct ramload_session *session;
	struct ramload_job *job = NULL;
	bool same;

	if (open_session(RAMLOAD_ENGINE_USER, 2, &session))
		return false;
	same = !ramload_load(session, fd, &block, 1, NULL, &job) &&
	       !ramload_job_wait(job, NULL) &&
	       !memcmp(block.dest, memory, from->length);
	ramload_job_free(job);
	ramload_session_close(session);
	munmap(block.dest, from->length);
	return same;
}

static inline void check_block(struct __test_metadata *_metadata, int fd,
			       const struct ramload_image_block *block,
			       const struct ramload_save_block *saved,
			       const uint8_t *memory, bool one_is_marked)
{
	ASSERT_STREQ(saved->name, block->name);
	ASSERT_EQ(saved->length, block->length);
	ASSERT_EQ(PAGE, block->parts->page_size);
	EXPECT_EQ(0, block->parts->file_offset % (2 * MiB));
	for (uint64_t p = 0; p < block->length / PAGE; p++) {
		bool zero = page_is_zero(memory + p * PAGE);

		ASSERT_EQ(!zero || (one_is_marked && !p), bit(block->parts->bitmap, p))
			TH_LOG("page %llu of %s", (unsigned long long)p,
			       saved->name);
		if (zero && holes_are_exact(fd))
			ASSERT_TRUE(is_hole(fd, block->parts->file_offset + p * PAGE));
	}
	EXPECT_TRUE(loads_as(fd, block, memory));
}

/* The file at @path is an image of @guest. */
static inline void check_image(struct __test_metadata *_metadata,
			       const char *path, const struct guest *guest)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct ramload_image_error error;
	struct ramload_image *image;
	bool empty = true;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ramload_image_open(fd, 0, "mapped-ram", &image, &error))
		TH_LOG("%s", error.text);
	ASSERT_EQ(guest->nr, ramload_image_nr_blocks(image));
	for (size_t i = 0; i < guest->nr && empty; i++)
		for (uint64_t p = 0; p < guest->blocks[i].length; p += PAGE)
			empty &= page_is_zero(guest->memory[i] + p);
	for (size_t i = 0; i < guest->nr; i++)
		check_block(_metadata, fd, ramload_image_block(image, i),
			    &guest->blocks[i], guest->memory[i], empty && !i);
	ramload_image_close(image);
	close(fd);
}

/* Begin to save the guest of the test. */
#define save_open(self)							\
	ramload_save_open((self)->path, (self)->guest.blocks,		\
			  (self)->guest.nr, &(self)->options, &(self)->save)

static inline int save_all(struct ramload_save *save, const struct guest *guest,
			   struct ramload_result *result)
{
	struct ramload_job *job;
	int err;

	err = ramload_save_memory(save, (const void *const *)guest->memory,
				  &job);
	if (err)
		return err;
	err = ramload_job_wait(job, result);
	if (!is_readable(ramload_job_fd(job), 0))
		err = -EPROTO;
	ramload_job_free(job);
	return err;
}

/* Save all of the guest of the test to its path. */
#define save_guest(self) do {						\
	struct ramload_result _result;					\
									\
	ASSERT_EQ(0, save_open(self));					\
	ASSERT_EQ(0, save_all((self)->save, &(self)->guest, &_result));	\
	EXPECT_EQ(_result.bytes_total, _result.bytes_done);		\
	ASSERT_EQ(0, ramload_save_end((self)->save, NULL));		\
	ASSERT_EQ(0, ramload_save_commit((self)->save));		\
	ramload_save_close((self)->save);				\
	(self)->save = NULL;						\
} while (0)

#endif /* SAVE_FIXTURE_H */
