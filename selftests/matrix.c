// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Every destination x source x shape x way to read. Each is loaded into fresh
 * memory and into memory that has contents, and compared byte for byte, with
 * what lies between and around the pages that were to be loaded.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kselftest.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define WHOLE		MIB(24)
#define BEFORE		MIB(2)		/* of memory, before the destination */
#define WATCHED		KIB(64)		/* checked on either side of it */
#define ALTERNATING	MIB(1)
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
	int fd;
	bool can_direct;
	struct reason why;
};

static struct source sources[] = {
	{ .name = "ext4" },
	{ .name = "xfs" },
	{ .name = "tmpfs" },
	{ .name = "block device" },
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
	char *old;		/* those of memory that is not fresh */
	const char *zeros;
} all;

static bool open_file_source(struct source *s)
{
	int dir = fs_open(s->name, NULL, &s->why);

	s->fd = dir < 0 ? -1 : file_create_pattern(dir, SEED_SOURCE, WHOLE);
	return s->fd >= 0;
}

static bool open_block_source(struct source *s)
{
	int dir = fs_open("ext4", NULL, &s->why);
	int file = dir < 0 ? -1 : file_create_pattern(dir, SEED_SOURCE, WHOLE);

	if (file < 0)
		return false;
	s->fd = loop_attach(file);
	snprintf(s->why.text, sizeof(s->why.text), "no loop device");
	close(file);
	return s->fd >= 0;
}

static void open_sources(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		struct source *s = &sources[i];
		bool ok = strcmp(s->name, "block device") ?
			  open_file_source(s) : open_block_source(s);

		s->can_direct = ok && file_can_direct(s->fd);
	}
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

	all.source = allocate(WHOLE);
	all.old = allocate(length);
	all.zeros = allocate(length);
	pattern_fill(all.source, SEED_SOURCE, 0, WHOLE);
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
	const char *source = all.source + shape->file_offset - start;
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

static void run_all(void)
{
	struct combination c;
	int source, shape;

	for (c.kind = 0; c.kind < MEMORY_KINDS; c.kind++)
		for (source = 0; source < ARRAY_SIZE(sources); source++)
			for (shape = 0; shape < ARRAY_SIZE(shapes); shape++)
				for (c.direct = 0; c.direct < 3; c.direct++) {
					c.source = &sources[source];
					c.shape = &shapes[shape];
					run(&c);
				}
}

int main(void)
{
	ksft_print_header();
	all.fd = open_device();
	if (all.fd < 0 && errno == ENOENT)
		ksft_exit_skip("no " RAMLOAD_DEVICE "\n");
	if (all.fd < 0 || raw_setup(all.fd, WORKERS))
		ksft_exit_fail_msg("%s: %s\n", RAMLOAD_DEVICE, strerror(errno));
	ksft_set_plan(MEMORY_KINDS * ARRAY_SIZE(sources) * ARRAY_SIZE(shapes) *
		      ARRAY_SIZE(direct_names));
	make_contents();
	open_sources();
	hugetlb_reserve((WHOLE + 2 * BEFORE) / MIB(2));
	run_all();
	ksft_finished();
}
