/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_LOAD_REQUEST_H
#define RAMLOAD_LOAD_REQUEST_H

#include <linux/types.h>

struct limit_user;
struct ramload_range;

/**
 * struct load_range - a checked range
 * @file_offset: where in the source it starts
 * @length: bytes
 * @dest: user address of the destination
 * @bitmap: present pages in little-endian bit order, or NULL
 * @page_shift: of a bit in @bitmap
 */
struct load_range {
	u64 file_offset;
	u64 length;
	unsigned long dest;
	void *bitmap;
	u8 page_shift;
};

/**
 * struct load_position - a place in a request
 * @range: index of a range
 * @offset: bytes from its start
 */
struct load_position {
	u32 range;
	u64 offset;
};

/**
 * struct load_segment - present bytes that adjoin in file and destination
 * @range: index of the range that the first of them was in
 * @file_offset: where they are
 * @dest: where they go
 * @length: how many
 */
struct load_segment {
	u32 range;
	u64 file_offset;
	unsigned long dest;
	u64 length;
};

/**
 * struct load_request - what a job is to load
 * @ranges: the ranges
 * @nr_ranges: how many
 * @nr_chunks: how many
 * @bitmaps: memory of all bitmaps, or NULL
 * @chunks: where each chunk starts; it ends where the next one starts, and one
 *	more entry ends the last
 * @bytes_total: bytes present in all ranges
 * @user: who pays for its memory
 * @bytes_taken: how much that is
 *
 * Immutable once load_request_finish() has returned.
 */
struct load_request {
	struct load_range *ranges;
	u32 nr_ranges;
	u32 nr_chunks;
	void *bitmaps;
	struct load_position *chunks;
	u64 bytes_total;
	struct limit_user *user;
	u64 bytes_taken;
};

struct load_request *load_request_create(struct limit_user *user,
					 u32 nr_ranges);
void load_request_free(struct load_request *req);
int load_request_add(struct load_request *req,
		     const struct ramload_range *ranges, u32 nr,
		     u64 *bitmap_bytes);
size_t load_range_bitmap_bytes(const struct load_range *r);
int load_request_alloc_bitmaps(struct load_request *req, u64 bytes);
int load_request_finish(struct load_request *req, u32 chunk_size);

u64 load_request_file_offset(const struct load_request *req,
			     struct load_position pos);
u64 load_request_dest(const struct load_request *req, struct load_position pos);
void load_request_extent(const struct load_request *req, u64 *start, u64 *end);
u32 load_request_find(const struct load_request *req,
		      const struct load_segment *seg);
bool load_request_next(const struct load_request *req,
		       struct load_position *pos, struct load_position end,
		       struct load_segment *seg);

static inline bool load_position_before(struct load_position a,
					struct load_position b)
{
	return a.range < b.range || (a.range == b.range && a.offset < b.offset);
}

#endif /* RAMLOAD_LOAD_REQUEST_H */
