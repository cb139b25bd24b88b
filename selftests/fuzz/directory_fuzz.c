// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * libFuzzer target: the readers of images that are directories, through the
 * library's API
 *
 * Whatever the files hold: an error is a documented one and its text fit for a
 * terminal; what is handed out lies inside regular files of the directories,
 * is disjoint in each block and adds up; and the user engine loads the same
 * bytes as a plain reading of the files. The directories are on a tmpfs where
 * there is one, and the same from run to run; the files come and go.
 */
#include <errno.h>
#include <stdio.h>

#include <ramload.h>

#include "directory_input.h"
#include "fuzz_check.h"
#include "fuzz_session.h"

#define MAX_LOAD	(UINT64_C(1) << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static char top_path[64];
static int top;
static int directories[NR_DIRECTORIES];

static void remove_top(void)
{
	empty_directory(top);
	rmdir(top_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char name[2] = "0";
	int i;

	(void)argc;
	(void)argv;
	snprintf(top_path, sizeof(top_path), "%s/ramload_fuzz.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	CHECK(mkdtemp(top_path));
	top = open(top_path, O_RDONLY | O_DIRECTORY);
	CHECK(top >= 0);
	atexit(remove_top);
	for (i = 0; i < NR_DIRECTORIES; i++, name[0]++) {
		CHECK(!mkdirat(top, name, 0700));
		directories[i] = openat(top, name, O_RDONLY | O_DIRECTORY);
		CHECK(directories[i] >= 0);
	}
	return 0;
}

static void make_parents(const uint8_t *data)
{
	int i;

	for (i = 0; i < NR_DIRECTORIES; i++) {
		const char *parent = input_parents[data[i] % NR_PARENTS];
		char next[8];

		snprintf(next, sizeof(next), "../%d", i + 1);
		if (parent && !*parent)
			parent = i + 1 < NR_DIRECTORIES ? next : NULL;
		if (parent)
			CHECK(!symlinkat(parent, directories[i], "parent"));
	}
}

/* Without data of its own, now and then something that is no file. */
static void make_file(int dir, const char *name, const uint8_t *data,
		      size_t length, bool odd)
{
	if (odd && length % 3 == 0)
		CHECK(!mkfifoat(dir, name, 0600) || errno == EEXIST);
	else if (odd && length % 3 == 1)
		CHECK(!mkdirat(dir, name, 0700) || errno == EEXIST);
	else if (odd)
		CHECK(!symlinkat("pages-1.img", dir, name) || errno == EEXIST);
	else if (!faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW))
		return;
	else
		write_file(dir, name, data, length);
}

static void make_files(const uint8_t *data, size_t size)
{
	size_t length;

	for (; size >= FILE_HEADER; data += length, size -= length) {
		unsigned int name = data[0] & 0x7f;
		bool odd = data[0] & 0x80;

		length = data[1] | data[2] << 8 | data[3] << 16;
		data += FILE_HEADER;
		size -= FILE_HEADER;
		length = length < size ? length : size;
		name %= NR_DIRECTORIES * NR_NAMES;
		make_file(directories[name / NR_NAMES],
			  input_names[name % NR_NAMES], data, length, odd);
	}
}

static void remove_files(void)
{
	int i, j;

	for (i = 0; i < NR_DIRECTORIES; i++) {
		unlinkat(directories[i], "parent", 0);
		for (j = 0; j < NR_NAMES; j++) {
			if (unlinkat(directories[i], input_names[j], 0) < 0)
				unlinkat(directories[i], input_names[j],
					 AT_REMOVEDIR);
		}
	}
}

static void check_error(int err, const struct ramload_image_error *error)
{
	const char *c;

	CHECK(err == -EINVAL || err == -ENOTSUP || err == -ENODATA ||
	      err == -ENOENT || err == -ENOTDIR || err == -EISDIR);
	CHECK(memchr(error->text, 0, sizeof(error->text)));
	CHECK(*error->text);
	for (c = error->text; *c; c++)
		CHECK(*c >= ' ' && *c <= '~');
}

static void check_part(const struct ramload_image *image,
		       const struct ramload_image_part *part)
{
	struct stat st;

	CHECK(part->length);
	CHECK(!part->bitmap && !part->page_size);
	CHECK(part->file && part->file < ramload_image_nr_files(image));
	CHECK(ramload_image_file_name(image, part->file));
	CHECK(!fstat(ramload_image_file(image, part->file), &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK(part->length <= (uint64_t)st.st_size);
	CHECK(part->file_offset <= st.st_size - part->length);
}

static void check_block(const struct ramload_image *image,
			const struct ramload_image_block *block)
{
	uint64_t end = 0;
	size_t i;

	CHECK(*block->name);
	CHECK(block->length && block->present == block->length);
	CHECK(block->address <= INT64_MAX - block->length);
	for (i = 0; i < block->nr_parts; i++) {
		check_part(image, &block->parts[i]);
		CHECK(block->parts[i].offset == end);
		end += block->parts[i].length;
	}
	CHECK(end == block->length);
}

static void load_part_of(const struct ramload_image *image, size_t file,
			 void **dests)
{
	size_t nr = ramload_image_load(image, file, dests, NULL);
	struct ramload_block *blocks = calloc(nr + 1, sizeof(*blocks));
	struct ramload_job *job;

	CHECK(ramload_image_load(image, file, dests, blocks) == nr);
	if (nr) {
		CHECK(!ramload_load(session(), ramload_image_file(image, file),
				    blocks, nr, NULL, &job));
		CHECK(!ramload_job_wait(job, NULL));
		ramload_job_free(job);
	}
	free(blocks);
}

/* Loads block @i of the image, and reads its parts in another way. */
static void compare_load(const struct ramload_image *image, size_t i)
{
	const struct ramload_image_block *b = ramload_image_block(image, i);
	void **dests = calloc(ramload_image_nr_blocks(image), sizeof(*dests));
	uint8_t *loaded = calloc(1, b->length);
	uint8_t *wanted = calloc(1, b->length);
	size_t j;

	dests[i] = loaded;
	for (j = 0; j < ramload_image_nr_files(image); j++)
		load_part_of(image, j, dests);
	for (j = 0; j < b->nr_parts; j++) {
		const struct ramload_image_part *part = &b->parts[j];

		CHECK(pread(ramload_image_file(image, part->file),
			    wanted + part->offset, part->length,
			    part->file_offset) == (ssize_t)part->length);
	}
	CHECK(!memcmp(loaded, wanted, b->length));
	free(loaded);
	free(wanted);
	free(dests);
}

static void check_image(const struct ramload_image *image)
{
	size_t i, j, nr = ramload_image_nr_blocks(image);

	for (i = 0; i < nr; i++) {
		const struct ramload_image_block *b;

		b = ramload_image_block(image, i);
		check_block(image, b);
		for (j = 0; j < i; j++)
			CHECK(strcmp(b->name,
				     ramload_image_block(image, j)->name));
		if (b->length <= MAX_LOAD)
			compare_load(image, i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	int err;

	if (size < NR_DIRECTORIES)
		return -1;
	make_parents(data);
	make_files(data + NR_DIRECTORIES, size - NR_DIRECTORIES);
	memset(&error, 0xff, sizeof(error));
	err = ramload_image_open(directories[0], 0, NULL, &image, &error);
	if (err) {
		CHECK(!image);
		check_error(err, &error);
	} else {
		check_image(image);
	}
	ramload_image_close(image);
	remove_files();
	return 0;
}

/* A byte of what is no page, which most of what matters is in. */
static void mutate_byte(uint8_t *data, size_t size)
{
	size_t at, length;

	for (at = NR_DIRECTORIES; at + FILE_HEADER < size; at += length) {
		length = data[at + 1] | data[at + 2] << 8 | data[at + 3] << 16;
		length += FILE_HEADER;
		if (draw(3) || data[at] % 2 || at + length > size)
			continue;
		data[at + FILE_HEADER + draw(length - FILE_HEADER + 1) - 1] +=
			draw(2) ? 1 << draw(8) : draw(256);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	struct bytes input;

	draw_state = seed;
	switch (draw(8)) {
	case 0:
		input = draw_directories(seed);
		size = input.size < max_size ? input.size : max_size;
		memcpy(data, input.data, size);
		drop(&input);
		return size;
	case 1:
	case 2:
	case 3:
		return LLVMFuzzerMutate(data, size, max_size);
	case 4:
		if (size > NR_DIRECTORIES)
			data[draw(NR_DIRECTORIES + 1)] ^= 1 << draw(8);
		return size;
	default:
		mutate_byte(data, size);
		return size;
	}
}
