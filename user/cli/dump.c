// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump.h"
#include "message.h"
#include "zero.h"

/* What is looked at as one: the block size of most file systems. */
#define DUMP_PAGE 4096ULL

int dump_open(struct dump *dump, const char *path,
	      const struct ramload_image *image)
{
	int err;

	dump->image = image;
	dump->directory = -1;
	if (mkdir(path, 0700) == 0 || errno == EEXIST) {
		dump->directory = open(path,
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dump->directory >= 0)
			return 0;
	}
	err = -errno;
	message("%s: %s", path, strerror(-err));
	return err;
}

void dump_close(struct dump *dump)
{
	if (dump->directory >= 0)
		close(dump->directory);
	dump->directory = -1;
}

static uint64_t page_at(uint64_t offset, uint64_t end)
{
	return end - offset < DUMP_PAGE ? end - offset : DUMP_PAGE;
}

/* Where pages from @offset on stop being all zero, or all not zero. */
static uint64_t run_end(const char *memory, uint64_t offset, uint64_t end,
			bool zero)
{
	while (offset < end) {
		uint64_t page = page_at(offset, end);

		if (memory_is_zero(memory + offset, page) != zero)
			break;
		offset += page;
	}
	return offset;
}

static int write_run(int fd, const char *memory, uint64_t offset, uint64_t end)
{
	while (offset < end) {
		ssize_t n = pwrite(fd, memory + offset, end - offset, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		offset += n;
	}
	return 0;
}

static int write_piece(int fd, const char *memory, uint64_t offset,
		       uint64_t end)
{
	int err;

	while (offset < end) {
		uint64_t start = run_end(memory, offset, end, true);

		offset = run_end(memory, start, end, false);
		err = write_run(fd, memory, start, offset);
		if (err)
			return err;
	}
	return 0;
}

static int write_memory(int fd, const char *memory, uint64_t length,
			struct work *work)
{
	uint64_t offset, end;
	int err;

	for (offset = 0; offset < length; offset = end) {
		end = length - offset < WORK_PIECE ? length :
						     offset + WORK_PIECE;
		err = write_piece(fd, memory, offset, end);
		if (!err)
			err = work_step(work, end - offset);
		if (err)
			return err;
	}
	return ftruncate(fd, length) < 0 ? -errno : 0;
}

static bool is_source(const struct dump *dump, const struct stat *st)
{
	struct stat source;
	size_t i;

	for (i = 0; i < ramload_image_nr_files(dump->image); i++) {
		if (fstat(ramload_image_file(dump->image, i), &source) == 0 &&
		    st->st_dev == source.st_dev && st->st_ino == source.st_ino)
			return true;
	}
	return false;
}

/* The image may lie in the directory, under the name of a block. */
static int check_file(const struct dump *dump, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || is_source(dump, &st))
		return -EEXIST;
	return ftruncate(fd, 0) < 0 ? -errno : 0;
}

int dump_memory(const struct dump *dump, const char *name, const void *memory,
		uint64_t length, struct work *work)
{
	int fd, err;

	fd = openat(dump->directory, name,
		    O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = check_file(dump, fd);
	if (err) {
		close(fd);
		return err;
	}
	err = write_memory(fd, memory, length, work);
	if (close(fd) < 0 && !err)
		err = -errno;
	if (err)
		unlinkat(dump->directory, name, 0);
	return err;
}
