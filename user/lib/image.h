/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Images: what the readers of all formats share
 */
#ifndef RAMLOAD_IMAGE_H
#define RAMLOAD_IMAGE_H

#include "ramload.h"

/**
 * struct image_file - a file an image is read from
 * @fd: open for reading; its file position is neither used nor changed
 * @size: bytes in the file when it was opened; 0 of a directory
 * @start: where the image starts, at most @size
 * @name: NULL for the file that was given, else the name it was found by
 * @directory: it is one
 * @error: where the error that was found last is noted
 */
struct image_file {
	int fd;
	uint64_t size;
	uint64_t start;
	const char *name;
	bool directory;
	struct ramload_image_error *error;
};

/**
 * struct image_format - a format and its reader
 * @name: what users call it
 * @marks: NULL if its images are files; if they are directories, the names of
 *	what such a directory is known by
 * @probe: is this the format? 1 or 0, or a negative errno with file->error
 *	filled in. Looks at no more than the first bytes: a damaged image is
 *	still one of its format.
 * @open: adds the blocks to an image that has but the file; 0, or a negative
 *	errno with file->error filled in. What it added is freed by the caller,
 *	who counts what is present.
 */
struct image_format {
	const char *name;
	const char *marks;
	int (*probe)(struct image_file *file);
	int (*open)(struct image_file *file, struct ramload_image *image);
};

/**
 * struct image_source - a file of an image
 * @fd: owned by the image
 * @name: see struct image_file; owned by the image
 * @first: index of the first block that has a part in it
 * @end: index of the block after the last such
 */
struct image_source {
	int fd;
	char *name;
	size_t first;
	size_t end;
};

struct ramload_image {
	const struct image_format *format;
	char *machine;
	struct ramload_image_stream stream;
	struct ramload_image_block *blocks;
	size_t nr_blocks;
	size_t room;
	struct image_source *files;
	size_t nr_files;
};

extern const struct image_format image_cloud_hypervisor;
extern const struct image_format image_criu;
extern const struct image_format image_mapped_ram;
extern const struct image_format image_libvirt;
extern const struct image_format image_elf;
extern const struct image_format image_raw;

/** struct image_shown - a name made fit for a line of text, maybe shortened */
struct image_shown {
	char text[72];
};

struct image_shown image_shown(const char *name, size_t length);

/** image_fail() - note what is wrong at @offset of the file; returns @err */
int image_fail(struct image_file *file, int err, uint64_t offset,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));

/** image_fail_file() - note what is wrong with the file as a whole */
int image_fail_file(struct image_file *file, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * image_read() - read exactly @length bytes
 * @what: what they are, for the error's text
 *
 * Return: 0, -ENODATA if the file ends before, or an error of pread()
 */
int image_read(struct image_file *file, uint64_t offset, void *buf,
	       size_t length, const char *what);

/** image_file_size() - find out file->size; 0 or a negative errno */
int image_file_size(struct image_file *file);

/**
 * image_check_size() - see whether a file is still as long
 *
 * Return: 0, -ENODATA if it became shorter, or an error of fstat()
 */
int image_check_size(struct image_file *file);

/**
 * image_add_file() - append a file
 * @file: its fd is duplicated, its name copied
 *
 * The one that was given is there from the beginning, with the index 0.
 *
 * Return: 0, or a negative errno with file->error filled in
 */
int image_add_file(struct ramload_image *image, struct image_file *file);

/** image_drop_file() - undo the last image_add_file() */
void image_drop_file(struct ramload_image *image);

/**
 * image_add_block() - append a block that has no parts yet
 * @name: copied
 * @address: RAMLOAD_NO_ADDRESS if it is not known
 *
 * Return: 0 or -ENOMEM
 */
int image_add_block(struct ramload_image *image, const char *name,
		    uint64_t address, uint64_t length);

/**
 * image_add_part() - append a part to the block that was added last
 * @part: copied; with its bitmap, which the image then owns. Inside the block
 *	and the file, and apart from all other parts of the block.
 *
 * Return: 0 or -ENOMEM; then the bitmap still is the caller's
 */
int image_add_part(struct ramload_image *image,
		   const struct ramload_image_part *part);

/** image_count_present() - count what is present once all parts are there */
void image_count_present(struct ramload_image_block *block);

#endif /* RAMLOAD_IMAGE_H */
