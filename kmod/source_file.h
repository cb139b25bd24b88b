/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_SOURCE_FILE_H
#define RAMLOAD_SOURCE_FILE_H

#include <linux/types.h>
#include <uapi/linux/ramload.h>

struct address_space;
struct file;
struct iov_iter;
struct kiocb;
struct source_cache;
struct stats;

/**
 * struct source_file - the file a job reads
 * @file: a reference
 * @page_cache: where its page cache is; of a file of overlayfs, not with @file
 * @direct: when to read past the page cache
 * @before: what was in it when the job was submitted, or NULL
 * @offset_align: power of two that offset and length of a direct read must be
 *	multiples of; 0 if the file can do no direct I/O
 * @mem_align: power of two for the address of a direct read's pages
 * @on_disk: on a block device, or one: what is in the page cache is what there
 *	is, and a direct read is one of a device
 * @may_queue: several direct reads can be under way
 */
struct source_file {
	struct file *file;
	struct address_space *page_cache;
	enum ramload_direct direct;
	struct source_cache *before;
	u32 offset_align;
	u32 mem_align;
	bool on_disk;
	bool may_queue;
};

int source_file_open(struct source_file *src, int fd,
		     enum ramload_direct direct);
int source_file_note_cache(struct source_file *src, u64 start, u64 end);
void source_file_close(struct source_file *src, bool restore);
ssize_t source_file_read(const struct source_file *src, loff_t pos,
			 struct iov_iter *iter, struct stats *stats);

bool source_file_is_direct(const struct source_file *src, loff_t pos,
			   size_t bytes);
bool source_file_is_aligned(const struct source_file *src, loff_t pos,
			    loff_t end);
bool source_file_is_cold(const struct source_file *src, loff_t pos, loff_t end);
bool source_file_can_queue(const struct source_file *src, loff_t pos,
			   const struct iov_iter *iter);
ssize_t source_file_start_read(const struct source_file *src, loff_t pos,
			       struct iov_iter *iter, struct kiocb *kiocb,
			       void (*has_ended)(struct kiocb *kiocb,
						 long ret));
bool source_file_has_read(const struct source_file *src, loff_t pos,
			  size_t bytes, bool queued, ssize_t ret);

bool source_file_may_read_ahead(const struct source_file *src, loff_t pos);
void source_file_read_ahead(const struct source_file *src, loff_t pos,
			    size_t bytes);
ssize_t source_file_read_cached(const struct source_file *src, loff_t pos,
				struct iov_iter *iter, struct stats *stats);

bool source_file_may_copy(const struct source_file *src, loff_t pos,
			  size_t bytes);
size_t source_file_copy(const struct source_file *src, loff_t pos,
			struct iov_iter *iter);
void source_file_copied(const struct source_file *src);

#endif /* RAMLOAD_SOURCE_FILE_H */
