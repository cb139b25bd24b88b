/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_SOURCE_FILE_H
#define RAMLOAD_SOURCE_FILE_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <ramload.h>

/* The most that one read asks for: a cancel is seen between two reads. */
#define SOURCE_READ_MAX	(UINT64_C(2) << 20)

struct source_cache;

/**
 * struct source_file - the file of a job
 * @fd: reads through the page cache
 * @direct_fd: reads past it, -1: not to be done
 * @size: of the file when it was opened; of a block device, the most there is
 * @ask_cache: read directly only what is not in the page cache
 * @before: what was in the page cache before, NULL: does not matter
 * @offset_align: what offset and length of a direct read are multiples of
 * @dest_align: what its destination is a multiple of
 */
struct source_file {
	int fd;
	int direct_fd;
	uint64_t size;
	bool ask_cache;
	struct source_cache *before;
	uint32_t offset_align;
	uint32_t dest_align;
};

int source_file_open(struct source_file *source, int fd, enum ramload_io io);
int source_file_note_cache(struct source_file *source, uint64_t start,
			   uint64_t end);
void source_file_drop_cache(const struct source_file *source, uint64_t start,
			    uint64_t end);
void source_file_close(struct source_file *source);
ssize_t source_file_read(const struct source_file *source, char *dest,
			 uint64_t length, uint64_t offset);
bool source_file_is_direct(const struct source_file *source);
bool source_file_read_at_once(const struct source_file *source,
			      const struct iovec *iov, unsigned int nr,
			      uint64_t length, uint64_t offset);
bool source_file_may_read_ahead(const struct source_file *source,
				uint64_t offset, uint64_t length);
void source_file_read_ahead(const struct source_file *source, uint64_t offset,
			    uint64_t length);

#endif /* RAMLOAD_SOURCE_FILE_H */
