/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * A program that loads a mapped-ram file as QEMU does, and the files for it.
 * The functions of the shim are linked in and stand before those of libc.
 */
#ifndef PRELOAD_UTIL_H
#define PRELOAD_UTIL_H

#include <dirent.h>
#include <endian.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../user/shim/preload_stamp.h"
#include "load_util.h"

#define PAGE		4096
#define RUN_MAX		MiB
#define STREAM_PART	(32 * KiB)
#define MAX_HEADER	512

enum pattern {
	DENSE,
	ALTERNATING,
	RUNS,
};

/**
 * struct image - a mapped-ram file of one block
 * @fd: the file
 * @start: where its stream starts
 * @length: bytes of the block
 * @bitmap: which of its pages are present
 * @bitmap_at: where that is in the file
 * @pages_at: where its pages are
 * @seed: tells its bytes from those of other images
 */
struct image {
	int fd;
	uint64_t start;
	uint64_t length;
	uint8_t *bitmap;
	uint64_t bitmap_at;
	uint64_t pages_at;
	uint64_t seed;
};

static inline bool is_present(const struct image *image, uint64_t page)
{
	return image->bitmap[page / 8] >> page % 8 & 1;
}

static inline uint64_t word_of(uint64_t seed, uint64_t page, uint64_t i)
{
	return (seed << 48 ^ page << 16 ^ i) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static inline void make_page(uint64_t *words, uint64_t seed, uint64_t page)
{
	for (uint64_t i = 0; i < PAGE / 8; i++)
		words[i] = word_of(seed, page, i);
}

static inline bool page_holds(const void *p, uint64_t seed, uint64_t page)
{
	uint64_t words[PAGE / 8];

	make_page(words, seed, page);
	return !memcmp(p, words, PAGE);
}

static inline bool page_is_zero(const void *p)
{
	static const char zero[PAGE];

	return !memcmp(p, zero, PAGE);
}

static inline bool in_pattern(enum pattern pattern, uint64_t page)
{
	switch (pattern) {
	case DENSE:
		return true;
	case ALTERNATING:
		return !(page % 2);
	case RUNS:
		break;
	}
	return page / 37 % 5 < 2 || page % 700 > 300;
}

static inline uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t length)
{
	memcpy(p, bytes, length);
	return p + length;
}

static inline uint8_t *put_number(uint8_t *p, uint64_t value, int length)
{
	while (length--)
		*p++ = value >> length * 8;
	return p;
}

static inline uint8_t *put_text(uint8_t *p, const char *text)
{
	p = put_number(p, strlen(text), 1);
	return put_bytes(p, text, strlen(text));
}

static inline uint8_t *put_head(uint8_t *p, uint64_t length)
{
	p = put_bytes(p, "QEVM", 4);
	p = put_number(p, 3, 4);
	p = put_number(p, 7, 1);
	p = put_number(p, 4, 4);
	p = put_bytes(p, "none", 4);
	p = put_number(p, 5, 1);
	p = put_text(p, "configuration/capabilities");
	p = put_number(p, 1, 4);
	p = put_number(p, 1, 4);
	p = put_text(p, "mapped-ram");
	p = put_number(p, 1, 1);
	p = put_number(p, 2, 4);
	p = put_text(p, "ram");
	p = put_number(p, 0, 4);
	p = put_number(p, 4, 4);
	return put_number(p, length | 4, 8);
}

static inline int write_header(struct image *image, uint64_t bitmap_length)
{
	uint8_t header[MAX_HEADER], *p = header;
	ssize_t length;

	p = put_head(p, image->length);
	p = put_text(p, "pc.ram");
	p = put_number(p, image->length, 8);
	p = put_number(p, 1, 4);
	p = put_number(p, PAGE, 8);
	image->bitmap_at = image->start + (p - header) + 16;
	image->pages_at = (image->bitmap_at + bitmap_length + MiB - 1) &
			  ~(MiB - 1);
	p = put_number(p, image->bitmap_at, 8);
	p = put_number(p, image->pages_at, 8);
	length = p - header;
	if (pwrite(image->fd, header, length, image->start) != length ||
	    pwrite(image->fd, image->bitmap, bitmap_length,
		   image->bitmap_at) != (ssize_t)bitmap_length)
		return -1;
	p = put_number(header, 0x10, 8);
	p = put_number(p, 0x7e, 1);
	p = put_number(p, 2, 4);
	/* The end of the stream. */
	p = put_number(p, 0, 1);
	length = p - header;
	return pwrite(image->fd, header, length, image->pages_at +
		      image->length) == length ? 0 : -1;
}

static inline int write_pages(const struct image *image)
{
	static uint64_t words[256][PAGE / 8];
	uint64_t pages = image->length / PAGE;

	for (uint64_t page = 0; page < pages; page++) {
		uint64_t n = page % 256;

		if (is_present(image, page))
			make_page(words[n], image->seed, page);
		else
			memset(words[n], 0xee, PAGE);
		if (n != 255 && page != pages - 1)
			continue;
		if (pwrite(image->fd, words, (n + 1) * PAGE, image->pages_at +
			   (page - n) * PAGE) != (ssize_t)((n + 1) * PAGE))
			return -1;
	}
	return 0;
}

/*
 * The shim waits a moment for a file that was written just now, but not for long:
 * the clock of a busy virtual machine may stand still meanwhile.
 */
static inline int wait_until_old(int fd)
{
	struct preload_stamp stamp;

	if (!preload_stamp_take(fd, &stamp))
		return -1;
	while (!preload_stamp_is_old(&stamp))
		usleep(10000);
	return 0;
}

/* What is absent has bytes in the file, too: 0xee. */
static inline int make_image(struct image *image, uint64_t start,
			     uint64_t length, enum pattern pattern,
			     uint64_t seed)
{
	uint64_t pages = length / PAGE;
	uint64_t bitmap_length = (pages + 63) / 64 * 8;

	*image = (struct image){
		.fd = disk_file(),
		.start = start,
		.length = length,
		.bitmap = calloc(1, bitmap_length),
		.seed = seed,
	};
	if (image->fd < 0 || !image->bitmap)
		return -1;
	for (uint64_t page = 0; page < pages; page++)
		if (in_pattern(pattern, page))
			image->bitmap[page / 8] |= 1 << page % 8;
	if (write_header(image, bitmap_length) || write_pages(image))
		return -1;
	return wait_until_old(image->fd);
}

static inline void free_image(struct image *image)
{
	free(image->bitmap);
	close(image->fd);
}

/* Memory as QEMU makes it for a block: advised, and a page behind it */
static inline uint8_t *map_block(uint64_t length)
{
	uint8_t *p = mmap(NULL, length + 2 * PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED ||
	    mprotect(p + PAGE, length, PROT_READ | PROT_WRITE) ||
	    madvise(p + PAGE, length, MADV_DONTFORK))
		return NULL;
	return p + PAGE;
}

static inline void unmap_block(uint8_t *block, uint64_t length)
{
	munmap(block - PAGE, length + 2 * PAGE);
}

static inline ssize_t read_page_to(const struct image *image, int fd,
				   uint64_t page, void *to)
{
	struct iovec iov = { to, PAGE };

	return preadv(fd, &iov, 1, image->pages_at + page * PAGE);
}

static inline ssize_t read_page(const struct image *image, uint8_t *block,
				uint64_t page)
{
	return read_page_to(image, image->fd, page, block + page * PAGE);
}

/* Read the beginning of the stream, and the bitmap. */
static inline int begin_load(const struct image *image)
{
	uint64_t length = (image->length / PAGE + 63) / 64 * 8;
	uint8_t *bitmap = malloc(length);
	uint8_t part[STREAM_PART];
	struct iovec iov = { part, sizeof(part) };
	int err = -1;

	if (lseek(image->fd, image->start, SEEK_SET) < 0 ||
	    readv(image->fd, &iov, 1) < 4)
		goto out;
	iov = (struct iovec){ bitmap, length };
	if (preadv(image->fd, &iov, 1, image->bitmap_at) == (ssize_t)length)
		err = memcmp(bitmap, image->bitmap, length) ? -1 : 0;
out:
	free(bitmap);
	return err;
}

/* Threads that are not asleep, besides the caller */
static inline int threads_at_work(void)
{
	char path[sizeof("/proc/self/task//stat") + 256], state;
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int nr = 0;
	FILE *f;

	while (dir && (entry = readdir(dir))) {
		if (atoi(entry->d_name) <= 0 || atoi(entry->d_name) == gettid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/stat",
			 entry->d_name);
		f = fopen(path, "re");
		nr += f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1 &&
		      state != 'S';
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return nr;
}

/*
 * A fork while no other thread is in the middle of something: the allocator of
 * the address sanitizer does not survive it if one was in there.
 */
static inline pid_t fork_settled(void)
{
	for (int quiet = 0; quiet < 20; quiet++) {
		usleep(1000);
		if (threads_at_work())
			quiet = 0;
	}
	return fork();
}

/* The run of present pages at or after *@page, 1 MiB at most; its pages */
static inline uint64_t next_run(const struct image *image, uint64_t *page)
{
	uint64_t pages = image->length / PAGE, end;

	while (*page < pages && !is_present(image, *page))
		++*page;
	end = *page;
	while (end < pages && is_present(image, end) &&
	       end - *page < RUN_MAX / PAGE)
		end++;
	return end - *page;
}

static inline bool read_run(const struct image *image, int fd, uint8_t *block,
			    uint64_t page, uint64_t nr)
{
	struct iovec iov = { block + page * PAGE, nr * PAGE };

	return preadv(fd, &iov, 1, image->pages_at + page * PAGE) ==
	       (ssize_t)(nr * PAGE);
}

/* Read pages [@from, @end) as far as present; returns how many reads, or -1. */
static inline long load_pages(const struct image *image, int fd, uint8_t *block,
			      uint64_t from, uint64_t end)
{
	uint64_t nr;
	long reads = 0;

	for (; (nr = next_run(image, &from)) && from < end; from += nr) {
		if (nr > end - from)
			nr = end - from;
		if (!read_run(image, fd, block, from, nr))
			return -1;
		reads++;
	}
	return reads;
}

static inline long load_rest(const struct image *image, uint8_t *block,
			     uint64_t from)
{
	return load_pages(image, image->fd, block, from, image->length / PAGE);
}

/* Pages [@from, @end) are loaded where present, and zero elsewhere. */
static inline bool pages_hold(const struct image *image, const uint8_t *block,
			      uint64_t from, uint64_t end)
{
	for (uint64_t page = from; page < end; page++) {
		const uint8_t *p = block + page * PAGE;

		if (is_present(image, page) ?
		    !page_holds(p, image->seed, page) : !page_is_zero(p))
			return false;
	}
	return true;
}

static inline bool image_holds(const struct image *image, const uint8_t *block)
{
	return pages_hold(image, block, 0, image->length / PAGE);
}

/* The number that a summary has for a word, -1: none. */
static inline long summary_value(const char *summary, const char *word)
{
	char key[32];
	const char *at;

	snprintf(key, sizeof(key), " %s=", word);
	at = strstr(summary, key);
	if (!at) {
		printf("# no %s in: %s", word, summary);
		return -1;
	}
	return atol(at + strlen(key));
}

#endif /* PRELOAD_UTIL_H */
