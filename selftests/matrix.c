// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Every destination x source x shape x way to read. Each is loaded into fresh
 * memory and into memory that has contents, and compared byte for byte, with
 * what lies between and around the pages that were to be loaded.
 *
 * usage: matrix [SOURCE]; without one, all sources. Of RAMLOAD_STEP
 * combinations one is run.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kselftest.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"
#include "test_run.h"

#define WHOLE		MIB(24)
#define BEFORE		MIB(2)		/* of memory, before the destination */
#define WATCHED		KIB(64)		/* checked on either side of it */
#define ALTERNATING	MIB(1)
#define HOLE		(12 * PAGE)
#define WORKERS		3

/* Where a shape begins in the file and, after BEFORE, in memory. */
struct shape {
	const char *name;
	size_t file_offset;
	size_t dest_offset;
	size_t length;
	enum { NONE, BY_RANGES, BY_BITMAP } alternating;
};

static const struct shape shapes[] = {
	{ "one page", 3 * PAGE, 5 * PAGE, PAGE, NONE },
	{ "512 into a page", 512, PAGE + 512, 300 * 512, NONE },
	{ "2048 into a page, from 1536", 1536, 2048, 301 * 512, NONE },
	{ "unaligned", 7777, 4099, 300001, NONE },
	{ "unaligned, congruent", 5 * PAGE + 333, 7 * PAGE + 333, 400007, NONE },
	{ "2 MiB", MIB(2), 0, MIB(2), NONE },
	{ "whole image", 0, 0, WHOLE, NONE },
	{ "every other page, ranges", MIB(1), PAGE, ALTERNATING, BY_RANGES },
	{ "every other page, bitmap", MIB(1), PAGE, ALTERNATING, BY_BITMAP },
};

static const char *const direct_names[] = {
	[RAMLOAD_DIRECT_AUTO] = "auto",
	[RAMLOAD_DIRECT_ON] = "on",
	[RAMLOAD_DIRECT_OFF] = "off",
};

struct source {
	const char *name;
	const char *fs;
	int (*make)(int dir);
	bool few;		/* one kind of memory for each fill */
	bool holed;		/* its contents are those of all.holed */
	int fd;
	bool can_direct;
	struct reason why;
};

static int make_plain(int dir);
static int make_sparse(int dir);
static int make_unwritten(int dir);
static int make_opened_direct(int dir);
static int make_loop(int dir);
static int make_loop_4kn(int dir);

static struct source sources[] = {
	{ "ext4", "ext4", .make = make_plain },
	{ "xfs", "xfs", .make = make_plain },
	{ "tmpfs", "tmpfs", .make = make_plain },
	{ "block device", "ext4", .make = make_loop },
	{ "block device, 4 KiB sectors", "ext4",
	  .make = make_loop_4kn, .few = true },
	{ "ext4, 1 KiB blocks", "ext4-1k", .make = make_plain, .few = true },
	{ "ext4, 4 KiB sectors", "ext4-4kn", .make = make_plain, .few = true },
	{ "ext4, sparse", "ext4",
	  .make = make_sparse, .few = true, .holed = true },
	{ "ext4, unwritten extents", "ext4",
	  .make = make_unwritten, .few = true, .holed = true },
	{ "ext4, opened with O_DIRECT", "ext4",
	  .make = make_opened_direct, .few = true },
	{ "xfs, 4 KiB sectors", "xfs-4kn", .make = make_plain, .few = true },
	{ "xfs, sparse", "xfs",
	  .make = make_sparse, .few = true, .holed = true },
	{ "xfs, unwritten extents", "xfs",
	  .make = make_unwritten, .few = true, .holed = true },
	{ "btrfs", "btrfs", .make = make_plain, .few = true },
	{ "btrfs, sparse", "btrfs",
	  .make = make_sparse, .few = true, .holed = true },
	{ "btrfs, zstd", "btrfs-zstd",
	  .make = make_sparse, .few = true, .holed = true },
	{ "btrfs, lzo", "btrfs-lzo",
	  .make = make_sparse, .few = true, .holed = true },
	{ "overlay", "overlay", .make = make_plain, .few = true },
	{ "nfs", "nfs", .make = make_plain, .few = true },
	{ "nfs, sparse", "nfs",
	  .make = make_sparse, .few = true, .holed = true },
};

struct combination {
	enum memory_kind kind;
	const struct source *source;
	const struct shape *shape;
	uint32_t direct;
};

/* What the tests share. */
static struct {
	int fd;
	char *source;		/* the contents of all sources */
	char *holed;		/* the same, but zeros where is_hole() */
	char *old;		/* those of memory that is not fresh */
	const char *zeros;
	const char *only;	/* the name of a source, or NULL */
	int step;		/* of so many combinations, one is run */
} all;

static int make_plain(int dir)
{
	return file_create_pattern(dir, SEED_SOURCE, WHOLE);
}

static int make_opened_direct(int dir)
{
	int fd = make_plain(dir), direct;
	char path[32];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	close(fd);
	return direct;
}

/*
 * Pieces of 12 pages: long enough for direct reads to begin and end in them,
 * and no multiple of the size of any batch.
 */
static bool is_hole(size_t offset)
{
	return offset / HOLE % 3 == 1;
}

static int write_pieces(int fd)
{
	size_t at;

	for (at = 0; at < WHOLE; at += HOLE)
		if (!is_hole(at) && pwrite(fd, all.holed + at, HOLE, at) !=
				    HOLE)
			return -1;
	return fsync(fd);
}

static int make_sparse(int dir)
{
	int fd = file_create(dir);

	if (fd < 0 || ftruncate(fd, WHOLE) || write_pieces(fd))
		return -1;
	return fd;
}

/* What the disk holds there is not the file's. */
static int make_unwritten(int dir)
{
	int fd = file_create(dir);

	if (fd < 0 || fallocate(fd, 0, 0, WHOLE) || write_pieces(fd))
		return -1;
	return fd;
}

static int make_loop_of(int dir, unsigned int sector)
{
	int file = make_plain(dir), fd;

	if (file < 0)
		return -1;
	fd = loop_attach_sectors(file, sector);
	close(file);
	return fd;
}

static int make_loop(int dir)
{
	return make_loop_of(dir, 512);
}

static int make_loop_4kn(int dir)
{
	return make_loop_of(dir, 4096);
}

static void open_source(struct source *s)
{
	int dir = fs_open(s->fs, NULL, &s->why);

	s->fd = -1;
	if (dir < 0)
		return;
	s->fd = s->make(dir);
	if (s->fd < 0)
		snprintf(s->why.text, sizeof(s->why.text), "no file: %s",
			 strerror(errno));
	s->can_direct = s->fd >= 0 && file_can_direct(s->fd);
}

static void open_sources(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sources); i++)
		if (!all.only || !strcmp(all.only, sources[i].name))
			open_source(&sources[i]);
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void *allocate(size_t length)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");
	return p;
}

static void make_contents(void)
{
	size_t length = WHOLE + 2 * BEFORE;

	size_t at;

	all.source = allocate(WHOLE);
	all.holed = allocate(WHOLE);
	all.old = allocate(length);
	all.zeros = allocate(length);
	pattern_fill(all.source, SEED_SOURCE, 0, WHOLE);
	for (at = 0; at < WHOLE; at += HOLE)
		if (!is_hole(at))
			memcpy(all.holed + at, all.source + at,
			       min(HOLE, WHOLE - at));
	pattern_fill(all.old, SEED_OLD, 0, length);
}

static size_t memory_length(const struct shape *shape)
{
	size_t length = shape->dest_offset + shape->length + WATCHED;

	return BEFORE + ((length + MIB(2) - 1) & ~(MIB(2) - 1));
}

/* For auto, half of what is read is in the page cache and half is not. */
static void prepare_cache(const struct combination *c)
{
	const struct shape *shape = c->shape;

	if (c->direct != RAMLOAD_DIRECT_AUTO)
		return;
	file_evict(c->source->fd);
	readahead(c->source->fd, shape->file_offset, shape->length / 2);
}

static int load_alternating(const struct combination *c, char *dest)
{
	static struct ramload_range ranges[ALTERNATING / PAGE / 2];
	struct ramload_load load = LOAD(c->source->fd, ranges,
					ARRAY_SIZE(ranges),
					.direct = c->direct);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		ranges[i] = RANGE(c->shape->file_offset + 2 * i * PAGE, PAGE,
				  dest + 2 * i * PAGE);
	return load_wait(all.fd, &load, NULL);
}

static int load_shape(const struct combination *c, char *dest)
{
	unsigned char bits[ALTERNATING / PAGE / 8];
	struct ramload_range range = RANGE(c->shape->file_offset,
					   c->shape->length, dest);
	struct ramload_load load = LOAD(c->source->fd, &range, 1,
					.direct = c->direct);

	if (c->shape->alternating == BY_RANGES)
		return load_alternating(c, dest);
	if (c->shape->alternating == BY_BITMAP) {
		memset(bits, 0x55, sizeof(bits));
		range.bitmap = (uintptr_t)bits;
		range.page_size = PAGE;
	}
	return load_wait(all.fd, &load, NULL);
}

static bool same(const char *memory, const char *expected, size_t length,
		 const char *what)
{
	size_t i;

	if (!memcmp(memory, expected, length))
		return true;
	for (i = 0; memory[i] == expected[i]; i++)
		;
	ksft_print_msg("%s differs at byte %zu of %zu\n", what, i, length);
	return false;
}

/* @old is what memory held before, from its first byte on. */
static bool check_shape(const struct combination *c, const struct memory *m,
			const char *old)
{
	const struct shape *shape = c->shape;
	size_t start = BEFORE + shape->dest_offset, end = start + shape->length;
	size_t step = shape->alternating ? PAGE : shape->length;
	const char *contents = c->source->holed ? all.holed : all.source;
	const char *source = contents + shape->file_offset - start;
	bool present = c->kind != MEMORY_READ_ONLY;
	size_t at;

	if (!same(m->map + start - WATCHED, old + start - WATCHED, WATCHED,
		  "memory before") ||
	    !same(m->map + end, old + end, WATCHED, "memory after"))
		return false;
	for (at = start; at < end; at += step) {
		if (!same(m->map + at, present ? source + at : old + at, step,
			  present ? "loaded page" : "other page"))
			return false;
		present = !present && c->kind != MEMORY_READ_ONLY;
	}
	return true;
}

static int expected_error(const struct combination *c)
{
	if (c->direct == RAMLOAD_DIRECT_ON && !c->source->can_direct)
		return -EINVAL;
	return c->kind == MEMORY_READ_ONLY ? -EFAULT : 0;
}

static void store_old_contents(const struct combination *c, struct memory *m)
{
	int prot = PROT_READ | PROT_WRITE;

	mprotect(m->map, m->length, prot);
	memcpy(m->map, all.old, m->length);
	if (c->kind == MEMORY_READ_ONLY)
		mprotect(m->map, m->length, PROT_READ);
}

static int run_once(const struct combination *c, bool fresh,
		    struct reason *why)
{
	const char *old = fresh ? all.zeros : all.old;
	int expected = expected_error(c), err;
	struct memory m;
	bool ok;

	if (memory_map(&m, c->kind, memory_length(c->shape), why))
		return KSFT_SKIP;
	if (!fresh)
		store_old_contents(c, &m);
	prepare_cache(c);
	err = load_shape(c, m.map + BEFORE + c->shape->dest_offset);
	if (err != expected)
		ksft_print_msg("%s memory: error %d, expected %d\n",
			       fresh ? "fresh" : "old", err, expected);
	ok = err == expected && (err == -EINVAL || check_shape(c, &m, old));
	memory_unmap(&m);
	return ok ? KSFT_PASS : KSFT_FAIL;
}

static void run(const struct combination *c)
{
	struct reason why;
	int code;

	if (c->source->fd < 0) {
		code = KSFT_SKIP;
		why = c->source->why;
	} else {
		code = run_once(c, true, &why);
		if (code == KSFT_PASS)
			code = run_once(c, false, &why);
	}
	if (code == KSFT_SKIP)
		ksft_test_result_skip("%s, %s, %s, direct %s: %s\n",
				      memory_name(c->kind), c->source->name,
				      c->shape->name, direct_names[c->direct],
				      why.text);
	else
		ksft_test_result(code == KSFT_PASS, "%s, %s, %s, direct %s\n",
				 memory_name(c->kind), c->source->name,
				 c->shape->name, direct_names[c->direct]);
}

/* Many sources are tried with few kinds of memory. */
static bool wanted(const struct combination *c)
{
	if (all.only && strcmp(all.only, c->source->name))
		return false;
	if (!c->source->few || c->kind == MEMORY_MEMFD)
		return true;
	return c->shape->length < WHOLE &&
	       (c->kind == MEMORY_TMPFS_HUGE || c->kind == MEMORY_ANON);
}

/*
 * Calls @what for each combination and returns how many there are. Of all, each
 * @all.step-th is one, so that each member of each dimension is in some if that
 * has no common factor with their numbers.
 */
static int for_all(void (*what)(const struct combination *c))
{
	struct combination c;
	int source, shape, nr = 0, i = 0;

	for (c.kind = 0; c.kind < MEMORY_KINDS; c.kind++)
		for (source = 0; source < ARRAY_SIZE(sources); source++)
			for (shape = 0; shape < ARRAY_SIZE(shapes); shape++)
				for (c.direct = 0; c.direct < 3; c.direct++) {
					c.source = &sources[source];
					c.shape = &shapes[shape];
					if (!wanted(&c) || i++ % all.step)
						continue;
					nr++;
					if (what)
						what(&c);
				}
	return nr;
}

int main(int argc, char **argv)
{
	all.only = argv[1];
	all.step = run_step();
	if (all.step < 1)
		ksft_exit_fail_msg("RAMLOAD_STEP=%s\n",
				   getenv("RAMLOAD_STEP"));
	ksft_print_header();
	all.fd = open_device();
	if (all.fd < 0 && errno == ENOENT)
		ksft_exit_skip("no " RAMLOAD_DEVICE "\n");
	if (all.fd < 0 || raw_setup(all.fd, WORKERS))
		ksft_exit_fail_msg("%s: %s\n", RAMLOAD_DEVICE, strerror(errno));
	ksft_set_plan(for_all(NULL));
	make_contents();
	open_sources();
	hugetlb_reserve((WHOLE + 2 * BEFORE) / MIB(2));
	for_all(run);
	ksft_finished();
}
