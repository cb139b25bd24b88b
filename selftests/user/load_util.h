/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Sources whose every byte is known by its offset, destinations between
 * guards, and sessions, for the tests of the library.
 */
#ifndef LOAD_UTIL_H
#define LOAD_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ramload.h>

/* The harness declares no prototypes for what FIXTURE_SETUP() defines. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define KiB	(UINT64_C(1) << 10)
#define MiB	(UINT64_C(1) << 20)
#define GiB	(UINT64_C(1) << 30)
#define GUARD	4096
#define FRESH	0x5a	/* what destinations hold before a load */

static inline uint8_t content(uint64_t offset)
{
	uint64_t n = (offset / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return n >> (offset % 8 * 8);
}

/* A file without a name in the folder of the test program. */
static inline int disk_file(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length < 0)
		return -1;
	path[length] = '\0';
	return open(dirname(path), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* Append known content. */
static inline int fill_file(int fd, uint64_t length)
{
	static uint8_t buffer[64 * 1024];
	struct stat st;
	uint64_t at, n;

	if (fstat(fd, &st))
		return -1;
	for (at = st.st_size; at < length; at += n) {
		n = length - at < sizeof(buffer) ? length - at : sizeof(buffer);
		for (uint64_t i = 0; i < n; i++)
			buffer[i] = content(at + i);
		if (pwrite(fd, buffer, n, at) != (ssize_t)n)
			return -1;
	}
	return 0;
}

static inline int content_file(uint64_t length)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	if (fd >= 0 && fill_file(fd, length)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* So that the next reads do not find the file in the page cache. */
static inline void drop_cache(int fd)
{
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static inline uint8_t *map_memory(uint64_t length)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Memory of which @skew bytes past a page are the destination, with guards. */
static inline uint8_t *map_dest(uint64_t length, uint64_t skew)
{
	uint8_t *p = map_memory(length + skew + 2 * GUARD);

	if (!p)
		return NULL;
	memset(p, FRESH, length + skew + 2 * GUARD);
	return p + GUARD + skew;
}

static inline void unmap_dest(uint8_t *dest, uint64_t length, uint64_t skew)
{
	munmap(dest - GUARD - skew, length + skew + 2 * GUARD);
}

static inline bool holds(const uint8_t *p, uint64_t length, uint64_t offset)
{
	for (uint64_t i = 0; i < length; i++)
		if (p[i] != content(offset + i))
			return false;
	return true;
}

static inline bool is_fresh(const uint8_t *p, uint64_t length)
{
	for (uint64_t i = 0; i < length; i++)
		if (p[i] != FRESH)
			return false;
	return true;
}

static inline bool guards_are_fresh(const uint8_t *dest, uint64_t length)
{
	return is_fresh(dest - GUARD, GUARD) && is_fresh(dest + length, GUARD);
}

static inline bool page_is_present(const struct ramload_block *block,
				   uint64_t page)
{
	return !block->bitmap || block->bitmap[page / 8] >> page % 8 & 1;
}

/* Bytes [0, @end) of a block are loaded where present and untouched else. */
static inline bool block_holds(const struct ramload_block *block, uint64_t end)
{
	uint64_t step = block->page_size ?: 4096, n;
	const uint8_t *p = block->dest;

	for (uint64_t at = 0; at < end; at += n) {
		n = end - at < step ? end - at : step;
		if (page_is_present(block, at / step)) {
			if (!holds(p + at, n, block->file_offset + at))
				return false;
		} else if (!is_fresh(p + at, n)) {
			return false;
		}
	}
	return true;
}

/* Everything before the error of a result is loaded. */
static inline bool loaded_before(const struct ramload_block *blocks,
				 const struct ramload_result *result)
{
	const struct ramload_block *last = &blocks[result->error_block];

	for (const struct ramload_block *b = blocks; b < last; b++)
		if (!block_holds(b, b->length))
			return false;
	return block_holds(last, result->error_offset - last->file_offset);
}

static inline bool is_readable(int fd, int timeout)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, timeout) == 1 && pollfd.revents == POLLIN;
}

static inline int open_session(enum ramload_engine engine, unsigned int workers,
			       struct ramload_session **session)
{
	struct ramload_session_options options = {
		.size = sizeof(options),
		.engine = engine,
		.workers = workers,
	};

	return ramload_session_open(&options, session);
}

/* Whether an error of ramload_session_open() means there is no module. */
static inline bool is_no_module(int err)
{
	return err == -ENOENT || err == -ENXIO || err == -ENODEV ||
	       err == -EACCES || err == -EPERM;
}

#endif /* LOAD_UTIL_H */
