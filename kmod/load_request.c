// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: load_request
 *
 * The checked kernel form of what a caller asks for: ranges, their bitmaps,
 * and the table of chunks that workers take.
 *
 * A request is built by one task (load_request_create(), load_request_add()
 * for all ranges, load_request_alloc_bitmaps(), load_request_finish()), is
 * immutable from then on, and so needs no lock. It belongs to its job.
 *
 * All its memory is sized by the caller: each allocation is bounded by a limit,
 * charged to the caller's memory cgroup, and counted for its user.
 *
 * The chunk table is made when the request is, so that taking a chunk is one
 * atomic increment, whatever the ranges look like: a chunk is a piece of a
 * large range or a run of small ones.
 */

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/ramload.h>

#include "limits.h"
#include "load_request.h"

#define PAGE_SIZE_OF_BIT_MIN	SZ_512
#define PAGE_SIZE_OF_BIT_MAX	SZ_1G

/*
 * Charged, and NULL without a word in the log where the OOM killer would else
 * be called.
 */
static void *alloc(struct load_request *req, u64 nr, size_t size, gfp_t flags)
{
	size *= nr;
	if (limit_bytes_take(req->user, size))
		return NULL;
	req->bytes_taken += size;
	return kvmalloc(size, flags | GFP_KERNEL_ACCOUNT |
			__GFP_RETRY_MAYFAIL | __GFP_NOWARN);
}

/**
 * load_request_create() - an empty request
 * @user: whose memory it takes
 * @nr_ranges: ranges that will be added, 1 to limit_ranges()
 *
 * Return: the request, or ERR_PTR(-ENOMEM).
 */
struct load_request *load_request_create(struct limit_user *user,
					 u32 nr_ranges)
{
	struct load_request *req;

	req = kzalloc(sizeof(*req), GFP_KERNEL_ACCOUNT);
	if (!req)
		return ERR_PTR(-ENOMEM);
	req->user = limit_user_get(user);
	req->ranges = alloc(req, nr_ranges, sizeof(*req->ranges), 0);
	if (!req->ranges) {
		load_request_free(req);
		return ERR_PTR(-ENOMEM);
	}
	return req;
}

void load_request_free(struct load_request *req)
{
	if (!req)
		return;
	kvfree(req->chunks);
	kvfree(req->bitmaps);
	kvfree(req->ranges);
	limit_bytes_give(req->user, req->bytes_taken);
	limit_user_put(req->user);
	kfree(req);
}

size_t load_range_bitmap_bytes(const struct load_range *r)
{
	return DIV_ROUND_UP(r->length >> r->page_shift, 8);
}

/* @dest is that of the range, without a tag. */
static int check_range(const struct ramload_range *in, u64 dest)
{
	u64 end;

	if (in->flags)
		return -EOPNOTSUPP;
	if (!in->length)
		return -EINVAL;
	if (in->bitmap) {
		if (!is_power_of_2(in->page_size) ||
		    in->page_size < PAGE_SIZE_OF_BIT_MIN ||
		    in->page_size > PAGE_SIZE_OF_BIT_MAX ||
		    in->length & (in->page_size - 1))
			return -EINVAL;
	} else if (in->page_size) {
		return -EINVAL;
	}
	if (check_add_overflow(in->file_offset, in->length, &end) ||
	    end > LLONG_MAX || check_add_overflow(dest, in->length, &end))
		return -EOVERFLOW;
	if (dest != (unsigned long)dest ||
	    in->length != (unsigned long)in->length ||
	    !access_ok((void __user *)(unsigned long)dest, in->length))
		return -EFAULT;
	return 0;
}

static int add(struct load_request *req, const struct ramload_range *in,
	       u64 *bitmap_bytes)
{
	struct load_range *r = &req->ranges[req->nr_ranges];
	/* As VMAs are looked up by. Once: what is checked is what is used. */
	u64 dest = untagged_addr(in->dest);
	int err;

	err = check_range(in, dest);
	if (err)
		return err;
	if (check_add_overflow(req->bytes_total, in->length,
			       &req->bytes_total) ||
	    req->bytes_total > LLONG_MAX)
		return -EOVERFLOW;

	*r = (struct load_range){
		.file_offset = in->file_offset,
		.length = in->length,
		.dest = dest,
	};
	if (in->bitmap) {
		r->page_shift = ilog2(in->page_size);
		*bitmap_bytes += ALIGN(load_range_bitmap_bytes(r), 8);
		if (*bitmap_bytes > limit_bitmap_bytes())
			return -E2BIG;
	}
	req->nr_ranges++;
	return 0;
}

/**
 * load_request_add() - check ranges and add them
 * @req: the request; has room for the ranges, and counts those it has got
 * @ranges: the ranges
 * @nr: how many
 * @bitmap_bytes: grows by what their bitmaps take, a multiple of 8
 *
 * Return: 0, -EOPNOTSUPP, -EINVAL, -EOVERFLOW or -EFAULT as documented at
 * struct ramload_load; -E2BIG if the bitmaps are over the limit. The first that
 * is refused has the index load_request.nr_ranges.
 */
int load_request_add(struct load_request *req,
		     const struct ramload_range *ranges, u32 nr,
		     u64 *bitmap_bytes)
{
	int err = 0;
	u32 i;

	for (i = 0; !err && i < nr; i++)
		err = add(req, &ranges[i], bitmap_bytes);
	return err;
}

/**
 * load_request_alloc_bitmaps() - room for the bitmaps of all ranges
 * @req: the request, all ranges added
 * @bytes: the sum that load_request_add() made
 *
 * Afterwards load_range.bitmap of each range that has one is where its
 * load_range_bitmap_bytes() belong.
 *
 * Return: 0 or -ENOMEM.
 */
int load_request_alloc_bitmaps(struct load_request *req, u64 bytes)
{
	void *at;
	u32 i;

	if (!bytes)
		return 0;
	req->bitmaps = alloc(req, bytes, 1, __GFP_ZERO);
	if (!req->bitmaps)
		return -ENOMEM;
	at = req->bitmaps;
	for (i = 0; i < req->nr_ranges; i++) {
		struct load_range *r = &req->ranges[i];

		if (!r->page_shift)
			continue;
		r->bitmap = at;
		at += ALIGN(load_range_bitmap_bytes(r), 8);
	}
	return 0;
}

/* Clears the bits past the last page and returns the bytes present. */
static u64 count_present(struct load_range *r)
{
	size_t bytes = load_range_bitmap_bytes(r);
	u32 tail = (r->length >> r->page_shift) % 8;
	u64 pages = 0;
	size_t at, len;

	if (tail)
		((u8 *)r->bitmap)[bytes - 1] &= (1U << tail) - 1;
	/* In pieces: memweight() refuses bitmaps of 256 MiB with a BUG_ON. */
	for (at = 0; at < bytes; at += len) {
		len = min_t(size_t, bytes - at, SZ_1M);
		pages += memweight(r->bitmap + at, len);
		cond_resched();
	}
	return pages << r->page_shift;
}

/* Without bitmaps, load_request_add() has counted them. */
static void count_bytes(struct load_request *req)
{
	u64 total = 0;
	u32 i;

	if (!req->bitmaps)
		return;
	for (i = 0; i < req->nr_ranges; i++) {
		struct load_range *r = &req->ranges[i];

		total += r->bitmap ? count_present(r) : r->length;
		cond_resched();
	}
	req->bytes_total = total;
}

/* End of the piece of @r that starts at @offset: at most a chunk. */
static u64 piece_end(const struct load_range *r, u64 offset, u32 chunk_size)
{
	u64 end = offset + chunk_size - ((r->dest + offset) & (chunk_size - 1));

	if (r->bitmap)
		end = round_up(end, BIT_ULL(r->page_shift));
	return min(end, r->length);
}

/* Ranges between two looks at others and at signals. */
#define RANGES_AT_A_TIME	1024

/*
 * Cut the ranges into chunks; with @chunks NULL only count them. Pieces of a
 * range end where the destination is a multiple of @chunk_size; pieces that
 * are smaller share a chunk as long as they fit.
 */
static int cut_chunks(const struct load_request *req, u32 chunk_size,
		      struct load_position *chunks)
{
	u64 used = chunk_size;
	u64 offset, end;
	u32 nr = 0, i;

	for (i = 0; i < req->nr_ranges; i++) {
		const struct load_range *r = &req->ranges[i];

		for (offset = 0; offset < r->length; offset = end) {
			end = piece_end(r, offset, chunk_size);
			used += end - offset;
			if (used > chunk_size) {
				if (nr == LIMIT_CHUNKS)
					return -E2BIG;
				if (chunks)
					chunks[nr] = (struct load_position){
						i, offset };
				nr++;
				used = end - offset;
			}
		}
		if (i % RANGES_AT_A_TIME)
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	if (chunks)
		chunks[nr] = (struct load_position){ req->nr_ranges, 0 };
	return nr;
}

/**
 * load_request_finish() - count bytes and cut chunks
 * @req: the request, with its ranges and bitmaps
 * @chunk_size: a power of two, LIMIT_CHUNK_MIN to LIMIT_CHUNK_MAX
 *
 * Return: 0, -ENOMEM, -E2BIG (too many chunks), or -EINTR if the caller dies.
 */
int load_request_finish(struct load_request *req, u32 chunk_size)
{
	int nr;

	count_bytes(req);
	nr = cut_chunks(req, chunk_size, NULL);
	if (nr < 0)
		return nr;
	req->chunks = alloc(req, nr + 1, sizeof(*req->chunks), 0);
	if (!req->chunks)
		return -ENOMEM;
	nr = cut_chunks(req, chunk_size, req->chunks);
	if (nr < 0)
		return nr;
	req->nr_chunks = nr;
	return 0;
}

u64 load_request_file_offset(const struct load_request *req,
			     struct load_position pos)
{
	return req->ranges[pos.range].file_offset + pos.offset;
}

u64 load_request_dest(const struct load_request *req, struct load_position pos)
{
	return req->ranges[pos.range].dest + pos.offset;
}

/**
 * load_request_extent() - the part of the source that has all of it
 * @req: the request
 * @start: where the first byte is
 * @end: behind the last
 */
void load_request_extent(const struct load_request *req, u64 *start, u64 *end)
{
	const struct load_range *r;

	*start = U64_MAX;
	*end = 0;
	for (r = req->ranges; r < req->ranges + req->nr_ranges; r++) {
		*start = min(*start, r->file_offset);
		*end = max(*end, r->file_offset + r->length);
	}
}

static bool has_byte(const struct load_range *r, u64 file_offset, u64 dest)
{
	u64 offset = file_offset - r->file_offset;

	return offset < r->length && dest - r->dest == offset &&
	       (!r->bitmap || test_bit_le(offset >> r->page_shift, r->bitmap));
}

/**
 * load_request_find() - which range a byte of a segment is in
 * @req: the request
 * @seg: the segment, or what is left of it: its first byte is meant; it begins
 *	in load_segment.range, or in one behind that
 *
 * Return: index of the range.
 */
u32 load_request_find(const struct load_request *req,
		      const struct load_segment *seg)
{
	u32 range = seg->range;

	while (range + 1 < req->nr_ranges &&
	       !has_byte(&req->ranges[range], seg->file_offset, seg->dest))
		range++;
	return range;
}

/*
 * Find the first run of present bytes of @r in [@offset, @limit). True if
 * there is one: it starts at @offset and ends at @end.
 */
static bool next_run(const struct load_range *r, u64 *offset, u64 limit,
		     u64 *end)
{
	unsigned long last, first;

	*end = limit;
	if (!r->bitmap)
		return *offset < limit;
	/* Chunks of a range with a bitmap begin and end at page borders. */
	last = limit >> r->page_shift;
	first = find_next_bit_le(r->bitmap, last, *offset >> r->page_shift);
	if (first >= last)
		return false;
	*offset = (u64)first << r->page_shift;
	*end = (u64)find_next_zero_bit_le(r->bitmap, last, first)
		<< r->page_shift;
	return true;
}

/**
 * load_request_next() - the next present bytes from a position on
 * @req: the request
 * @pos: where to look from; moved behind what is found
 * @end: where to stop
 * @seg: what is found
 *
 * Return: true if there was something before @end.
 */
bool load_request_next(const struct load_request *req,
		       struct load_position *pos, struct load_position end,
		       struct load_segment *seg)
{
	while (load_position_before(*pos, end)) {
		const struct load_range *r = &req->ranges[pos->range];
		u64 limit = pos->range == end.range ? end.offset : r->length;
		u64 offset = pos->offset;
		u64 stop;

		if (next_run(r, &offset, limit, &stop)) {
			seg->range = pos->range;
			seg->file_offset = r->file_offset + offset;
			seg->dest = r->dest + offset;
			seg->length = stop - offset;
			pos->offset = stop;
			return true;
		}
		if (pos->range == end.range) {
			*pos = end;
			return false;
		}
		pos->range++;
		pos->offset = 0;
	}
	return false;
}
