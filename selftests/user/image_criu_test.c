// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Images of CRIU: valid ones, also in chains, and such as somebody has
 * tampered with
 */
#include "directory_reader.h"

/* Of what takes some seconds by itself; for a machine that is busy. */
#define TIMEOUT 600

FIXTURE(criu)
{
	char path[64];
	int dir;
};

FIXTURE_SETUP(criu)
{
	ASSERT_EQ(PAGE, sysconf(_SC_PAGESIZE));
	self->dir = make_directory(self->path);
}

FIXTURE_TEARDOWN(criu)
{
	remove_directory(self->dir, self->path);
}

/* What page @page of a pages file holds. */
static void fill_page(uint8_t *to, uint32_t pages_id, uint64_t page)
{
	uint64_t value = (uint64_t)pages_id << 32 | (page + 1);
	size_t i;

	for (i = 0; i < PAGE; i += 8) {
		value = value * 6364136223846793005 + 1442695040888963407;
		memcpy(to + i, &value, 8);
	}
}

static void write_pages(int dir, uint32_t pages_id, uint64_t pages)
{
	uint8_t *data = malloc(pages * PAGE + 1);
	char name[32];
	uint64_t i;

	must(data);
	for (i = 0; i < pages; i++)
		fill_page(data + i * PAGE, pages_id, i);
	snprintf(name, sizeof(name), "pages-%u.img", pages_id);
	write_file(dir, name, data, pages * PAGE);
	free(data);
}

/* A pagemap and its pages. */
static void write_dump(int dir, const char *name, uint32_t pages_id,
		       const struct run *runs, size_t nr)
{
	struct bytes b = { 0 };
	uint64_t pages = 0;
	size_t i;

	put_pagemap(&b, pages_id, runs, nr);
	write_bytes(dir, name, &b);
	drop(&b);
	for (i = 0; i < nr; i++)
		pages += runs[i].flags & PE_PRESENT ? runs[i].pages : 0;
	write_pages(dir, pages_id, pages);
}

static const struct run some[] = {
	{ 0x400000, 2, PE_PRESENT },
	{ 0x402000, 3, PE_PRESENT | PE_LAZY },
	{ 0x406000, 1, PE_PRESENT },
	{ 0x7f0012340000, 300, PE_PRESENT },
};

static void write_some(int dir)
{
	write_dump(dir, "pagemap-1234.img", 1, some, NR(some));
}

/* A directory below, the parent of its own. Returns the fd. */
static int make_parent(int dir)
{
	int fd;

	must(!mkdirat(dir, "parent", 0700));
	fd = openat(dir, "parent", O_RDONLY | O_DIRECTORY);
	must(fd >= 0);
	return fd;
}

static void expect_block(struct __test_metadata *_metadata,
			 const struct ramload_image *image, size_t i,
			 const char *name, uint64_t address, uint64_t pages)
{
	const struct ramload_image_block *block = ramload_image_block(image, i);

	ASSERT_NE(NULL, block);
	EXPECT_STREQ(name, block->name);
	EXPECT_EQ(address, block->address);
	EXPECT_EQ(pages * PAGE, block->length);
}

static void expect_page(struct __test_metadata *_metadata, const uint8_t *page,
			uint32_t pages_id, uint64_t nr)
{
	uint8_t wanted[PAGE];

	fill_page(wanted, pages_id, nr);
	EXPECT_EQ(0, memcmp(page, wanted, PAGE))
		TH_LOG("page %llu of %u", (unsigned long long)nr, pages_id);
}

TEST_F(criu, blocks)
{
	static const struct run one[] = { { 0x1000, 1, PE_PRESENT } };
	static const struct run shared[] = { { 0, 2, PE_PRESENT } };
	struct ramload_image *image;
	uint8_t **dests;
	size_t i;

	write_some(self->dir);
	write_dump(self->dir, "pagemap-7.img", 2, one, 1);
	write_dump(self->dir, "pagemap-shmem-5.img", 70, shared, 1);
	image = open_ok(_metadata, self->dir);
	EXPECT_STREQ("criu", ramload_image_format(image));
	ASSERT_EQ(5, ramload_image_nr_blocks(image));
	ASSERT_EQ(4, ramload_image_nr_files(image));
	expect_block(_metadata, image, 0, "7/0x1000", 0x1000, 1);
	expect_block(_metadata, image, 1, "1234/0x400000", 0x400000, 5);
	expect_block(_metadata, image, 2, "1234/0x406000", 0x406000, 1);
	expect_block(_metadata, image, 3, "1234/0x7f0012340000",
		     0x7f0012340000, 300);
	expect_block(_metadata, image, 4, "shmem-5/0x0", 0, 2);
	EXPECT_STREQ("pages-2.img", ramload_image_file_name(image, 1));
	EXPECT_STREQ("pages-1.img", ramload_image_file_name(image, 2));
	EXPECT_STREQ("pages-70.img", ramload_image_file_name(image, 3));

	/* Adjoining in both is one part, whatever the entries were. */
	for (i = 0; i < 5; i++)
		EXPECT_EQ(1, ramload_image_block(image, i)->nr_parts);
	dests = load(_metadata, image, RAMLOAD_ENGINE_USER);
	expect_page(_metadata, dests[0], 2, 0);
	for (i = 0; i < 5; i++)
		expect_page(_metadata, dests[1] + i * PAGE, 1, i);
	expect_page(_metadata, dests[2], 1, 5);
	for (i = 0; i < 300; i++)
		expect_page(_metadata, dests[3] + i * PAGE, 1, 6 + i);
	expect_page(_metadata, dests[4] + PAGE, 70, 1);
	unload(image, dests);
	ramload_image_close(image);
}

TEST_F(criu, no_pages)
{
	struct ramload_image *image;

	write_dump(self->dir, "pagemap-1.img", 1, NULL, 0);
	image = open_ok(_metadata, self->dir);
	EXPECT_EQ(0, ramload_image_nr_blocks(image));
	ramload_image_close(image);
}

/* Entries as CRIU wrote them before it had flags, and after. */
TEST_F(criu, kinds_of_entry)
{
	struct bytes b = { 0 }, m = { 0 };
	struct ramload_image *image;
	int parent = make_parent(self->dir);
	static const struct run below[] = { { 0x2000, 2, PE_PRESENT } };

	write_dump(parent, "pagemap-1.img", 1, below, 1);
	close(parent);

	/* Of version 1, without the magic number that all have in common. */
	put_le32(&b, 0x56084025);
	put_field(&m, 1, 9);
	put_message(&b, &m);
	/* No flags: present. */
	put_field(&m, 1, 0x1000);
	put_field(&m, 2, 1);
	put_message(&b, &m);
	put_field(&m, 1, 0x2000);
	put_field(&m, 2, 1);
	put_field(&m, 3, 1);
	put_message(&b, &m);
	/* in_parent is there, and false. */
	put_field(&m, 1, 0x3000);
	put_field(&m, 2, 1);
	put_field(&m, 3, 0);
	put_message(&b, &m);
	/* The number of pages in its newer field; the last one counts. */
	put_field(&m, 5, 7);
	put_field(&m, 4, PE_PRESENT);
	put_field(&m, 2, 0);
	put_field(&m, 1, 0x4000);
	put_field(&m, 5, 2);
	put_message(&b, &m);
	/* Fields that nobody knows, of all types, before and behind. */
	put_varint(&m, 6 << 3 | 1);
	put(&m, "12345678", 8);
	put_varint(&m, 1000 << 3 | 2);
	put_varint(&m, 3);
	put(&m, "abc", 3);
	put_field(&m, 1, 0x6000);
	put_varint(&m, 7 << 3 | 5);
	put(&m, "1234", 4);
	put_field(&m, 2, 1);
	put_field(&m, 4, PE_PRESENT);
	put_field(&m, (1 << 29) - 1, UINT64_MAX);
	put_message(&b, &m);
	write_bytes(self->dir, "pagemap-1.img", &b);
	drop(&b);
	write_pages(self->dir, 9, 5);
	image = open_ok(_metadata, self->dir);
	ASSERT_EQ(1, ramload_image_nr_blocks(image));
	expect_block(_metadata, image, 0, "1/0x1000", 0x1000, 6);
	ASSERT_EQ(3, ramload_image_block(image, 0)->nr_parts);
	EXPECT_EQ(4 * PAGE, ramload_image_block(image, 0)->parts[2].length);
	ramload_image_close(image);
}

/*
 * Chains
 */

#define CHAIN		4
#define CHAIN_PAGES	600

/* Which layer has the page, and where in its pages file; -1: it is not there. */
struct model {
	int layer[CHAIN_PAGES];
	uint64_t page[CHAIN_PAGES];
};

static uint32_t drawn(uint64_t *state, uint32_t n)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (*state >> 33) % n;
}

/* Random pages change, come and go, in runs of random length. */
static void draw_layer(struct model *m, bool *changed, uint64_t *state,
		       int layer)
{
	size_t i, run = 0;
	int what = 0;

	for (i = 0; i < CHAIN_PAGES; i++) {
		if (!run) {
			run = 1 + drawn(state, drawn(state, 4) ? 4 : 40);
			what = drawn(state, 8);
		}
		run--;
		changed[i] = what < 3 || (m->layer[i] < 0 && what < 5);
		if (what == 7)
			m->layer[i] = -1;
		if (changed[i])
			m->layer[i] = layer;
	}
}

/* The runs that a dump has of them; adjoining ones are not always one. */
static size_t make_runs(struct model *m, const bool *changed, uint64_t *state,
			struct run *runs)
{
	uint64_t page = 0;
	size_t i, nr = 0;

	for (i = 0; i < CHAIN_PAGES; i++) {
		uint32_t flags = changed[i] ? PE_PRESENT : PE_PARENT;

		if (m->layer[i] < 0)
			continue;
		if (changed[i])
			m->page[i] = page++;
		if (nr && runs[nr - 1].flags == flags && drawn(state, 10) &&
		    runs[nr - 1].vaddr + runs[nr - 1].pages * PAGE == i * PAGE)
			runs[nr - 1].pages++;
		else
			runs[nr++] = (struct run){ i * PAGE, 1, flags };
	}
	return nr;
}

static void write_chain(int top, struct model *m, uint64_t seed)
{
	bool changed[CHAIN_PAGES];
	struct run runs[CHAIN_PAGES];
	char name[16], below[16];
	uint64_t state = seed;
	int layer, dir = -1;
	size_t i;

	for (i = 0; i < CHAIN_PAGES; i++)
		m->layer[i] = -1;
	for (layer = 0; layer < CHAIN; layer++) {
		if (dir >= 0)
			close(dir);
		snprintf(name, sizeof(name), "%d", layer);
		must(!mkdirat(top, name, 0700));
		dir = openat(top, name, O_RDONLY | O_DIRECTORY);
		must(dir >= 0);
		draw_layer(m, changed, &state, layer);
		write_dump(dir, "pagemap-1.img", 100 + layer, runs,
			   make_runs(m, changed, &state, runs));
		snprintf(below, sizeof(below), "../%d", layer - 1);
		must(!layer || !symlinkat(below, dir, "parent"));
	}
	close(dir);
}

static void check_chain(struct __test_metadata *_metadata, int top,
			const struct model *m, uint64_t seed)
{
	int dir = openat(top, "3", O_RDONLY | O_DIRECTORY);
	struct ramload_image *image = open_ok(_metadata, dir);
	uint8_t **dests = load(_metadata, image, RAMLOAD_ENGINE_USER);
	size_t i, j, nr = 0, wanted = 0;

	close(dir);
	for (i = 0; i < ramload_image_nr_blocks(image); i++) {
		const struct ramload_image_block *b;

		b = ramload_image_block(image, i);
		for (j = 0; j < b->length / PAGE; j++, nr++) {
			uint64_t page = b->address / PAGE + j;

			ASSERT_LE(0, m->layer[page]);
			expect_page(_metadata, dests[i] + j * PAGE,
				    100 + m->layer[page], m->page[page]);
		}
	}
	for (i = 0; i < CHAIN_PAGES; i++)
		wanted += m->layer[i] >= 0;
	EXPECT_EQ(wanted, nr)
		TH_LOG("seed %llu", (unsigned long long)seed);
	unload(image, dests);
	ramload_image_close(image);
}

TEST_F_TIMEOUT(criu, chains, TIMEOUT)
{
	struct model m;
	uint64_t seed;

	for (seed = 1; seed <= 30; seed++) {
		write_chain(self->dir, &m, seed);
		check_chain(_metadata, self->dir, &m, seed);
		empty_directory(self->dir);
	}
}

/* The chain ends where a parent has no pagemap, if nothing is asked of it. */
TEST_F(criu, parent_without_process)
{
	static const struct run parent[] = { { 0x1000, 1, PE_PARENT } };
	int dir = make_parent(self->dir);

	write_some(self->dir);
	ramload_image_close(open_ok(_metadata, self->dir));
	write_dump(self->dir, "pagemap-1234.img", 1, parent, 1);
	open_error(_metadata, self->dir, -ENOENT,
		   "parent/pagemap-1234.img: No such file");
	write_dump(dir, "pagemap-1234.img", 3, some, NR(some));
	open_error(_metadata, self->dir, -EINVAL,
		   "pagemap-1234.img: offset 14: pages at 0x1000 are said to be in the parent, but are not all there");
	close(dir);
}

TEST_F(criu, partly_in_parent)
{
	static const struct run above[] = { { 0x400000, 7, PE_PARENT } };
	int dir = make_parent(self->dir);

	write_dump(self->dir, "pagemap-1234.img", 1, above, 1);
	write_some(dir);
	open_error(_metadata, self->dir, -EINVAL, "are not all there");
	close(dir);
}

TEST_F(criu, no_parent)
{
	static const struct run above[] = { { 0x1000, 1, PE_PARENT } };

	write_dump(self->dir, "pagemap-1.img", 1, above, 1);
	open_error(_metadata, self->dir, -EINVAL,
		   "pagemap-1.img: offset 14: pages at 0x1000 are said to be in the parent, but there is none");
}

TEST_F(criu, bad_parents)
{
	write_some(self->dir);
	must(!symlinkat("../gone\n", self->dir, "parent"));
	open_error(_metadata, self->dir, -ENOENT,
		   "parent: No such file or directory: ../gone\\x0a");
	must(!unlinkat(self->dir, "parent", 0));
	must(!symlinkat("pages-1.img", self->dir, "parent"));
	open_error(_metadata, self->dir, -ENOTDIR, "parent: Not a directory");
	must(!unlinkat(self->dir, "parent", 0));
	must(!mkfifoat(self->dir, "parent", 0600));
	open_error(_metadata, self->dir, -ENOTDIR, "parent: Not a directory");
}

TEST_F(criu, loops)
{
	int a, b;

	write_some(self->dir);
	must(!symlinkat(".", self->dir, "parent"));
	open_error(_metadata, self->dir, -EINVAL,
		   "parent: a dump that has itself as a parent: .");
	must(!unlinkat(self->dir, "parent", 0));
	a = make_parent(self->dir);
	b = make_parent(a);
	write_some(a);
	write_some(b);
	ramload_image_close(open_ok(_metadata, self->dir));
	must(!symlinkat("..", b, "parent"));
	open_error(_metadata, self->dir, -EINVAL,
		   "parent/parent/parent: a dump that has itself as a parent: ..");
	close(a);
	close(b);
}

/* As many as are looked at, with the pages in the last; then one more. */
TEST_F_TIMEOUT(criu, long_chains, TIMEOUT)
{
	static const struct run above[] = { { 0x1000, 1, PE_PARENT } };
	static const struct run last[] = { { 0x0, 3, PE_PRESENT } };
	struct ramload_image *image;
	char name[16], below[16];
	int i, dir, top = -1;

	for (i = 0; i < 257; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(below, sizeof(below), "../%d", i + 1);
		must(!mkdirat(self->dir, name, 0700));
		dir = openat(self->dir, name, O_RDONLY | O_DIRECTORY);
		write_dump(dir, "pagemap-1.img", 1, i < 255 ? above : last, 1);
		must(i == 255 || !symlinkat(below, dir, "parent"));
		if (i)
			close(dir);
		else
			top = dir;
	}
	image = open_ok(_metadata, top);
	EXPECT_EQ(3, ramload_image_nr_files(image));
	EXPECT_STREQ("255 x parent/pages-1.img",
		     ramload_image_file_name(image, 2));
	ramload_image_close(image);
	dir = openat(self->dir, "255", O_RDONLY | O_DIRECTORY);
	must(!symlinkat("../256", dir, "parent"));
	close(dir);
	dir = openat(self->dir, "256", O_RDONLY | O_DIRECTORY);
	must(!unlinkat(dir, "parent", 0));
	close(dir);
	open_error(_metadata, top, -ENOTSUP,
		   "255 x parent/parent: more parents than are looked at");
	close(top);
}

/*
 * Files that are damaged, missing or no files
 */

TEST_F_TIMEOUT(criu, truncated, TIMEOUT)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	struct bytes b = { 0 };
	size_t size;

	write_some(self->dir);
	put_pagemap(&b, 1, some, NR(some));
	for (size = 0; size < b.size; size++) {
		write_file(self->dir, "pagemap-1234.img", b.data, size);
		ASSERT_NE(0, open_any(_metadata, self->dir, &image, &error))
			TH_LOG("%zu bytes", size);
	}
	write_bytes(self->dir, "pagemap-1234.img", &b);
	ramload_image_close(open_ok(_metadata, self->dir));
	drop(&b);
}

static void cut(int dir, const char *name, uint64_t size)
{
	int fd = openat(dir, name, O_WRONLY);

	must(fd >= 0);
	must(!ftruncate(fd, size));
	close(fd);
}

TEST_F(criu, pages_truncated)
{
	uint64_t size;

	write_some(self->dir);
	for (size = 306 * PAGE - 1; size > 70000; size -= 69999) {
		cut(self->dir, "pages-1.img", size);
		open_error(_metadata, self->dir, -ENODATA,
			   "pages-1.img: offset ");
	}
	cut(self->dir, "pages-1.img", 0);
	open_error(_metadata, self->dir, -ENODATA,
		   "pages-1.img: offset 0: the file ends, before 1253376 bytes");
	write_pages(self->dir, 1, 307);
	open_error(_metadata, self->dir, -EINVAL,
		   "pages-1.img: offset 1253376: more pages");
}

TEST_F(criu, pages_of_parents_truncated)
{
	static const struct run above[] = {
		{ 0x400000, 1, PE_PARENT }, { 0x401000, 1, PE_PRESENT },
	};
	int dir = make_parent(self->dir);

	write_dump(self->dir, "pagemap-1234.img", 1, above, 2);
	write_some(dir);
	ramload_image_close(open_ok(_metadata, self->dir));
	write_pages(dir, 1, 305);
	open_error(_metadata, self->dir, -ENODATA,
		   "parent/pages-1.img: offset 1249280: the file ends");
	must(!unlinkat(dir, "pages-1.img", 0));
	open_error(_metadata, self->dir, -ENOENT,
		   "parent/pages-1.img: No such file");
	close(dir);
}

TEST_F_TIMEOUT(criu, flipped, TIMEOUT)
{
	static const uint8_t masks[] = {
		0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, 0x7f,
		0x55,
	};
	struct ramload_image_error error;
	struct ramload_image *image;
	struct bytes b = { 0 };
	size_t at, i;

	write_some(self->dir);
	put_pagemap(&b, 1, some, NR(some));
	for (at = 0; at < b.size; at++) {
		for (i = 0; i < NR(masks); i++) {
			b.data[at] ^= masks[i];
			write_bytes(self->dir, "pagemap-1234.img", &b);
			open_any(_metadata, self->dir, &image, &error);
			ramload_image_close(image);
			b.data[at] ^= masks[i];
		}
	}
	drop(&b);
}

TEST_F(criu, bad_entries)
{
	static const struct {
		struct run run;
		int err;
		const char *text;
	} cases[] = {
		{ { 0x2001, 1, 4 }, -EINVAL, "0x2001 is not a multiple" },
		{ { 0x2000, 0, 4 }, -EINVAL, "no pages at 0x2000" },
		{ { 0x2000, 1, 0 }, -EINVAL, "flags 0, nowhere" },
		{ { 0x2000, 1, 5 }, -EINVAL, "here and in the parent" },
		{ { 0x2000, 1, 2 }, -ENOTSUP, "a page server (lazy)" },
		{ { 0x2000, 1, 12 }, -ENOTSUP, "unknown flags 0xc" },
		{ { 0x2000, 1, 3 }, -EINVAL, "there is none" },
		{ { 0x1000, 1, 4 }, -EINVAL, "after those up to 0x2000" },
		{ { 0x0, 1, 4 }, -EINVAL, "after those up to 0x2000" },
		{ { 0x0, 3, 4 }, -EINVAL, "after those up to 0x2000" },
		{ { 0x2000, 1ULL << 51, 4 }, -EINVAL, "too far out" },
		{ { 0x2000, 1ULL << 52, 4 }, -EINVAL, "too far out" },
		{ { 0x2000, UINT64_MAX, 4 }, -EINVAL, "too far out" },
		{ { 1ULL << 63, 1, 4 }, -EINVAL, "too far out" },
		{ { -PAGE, 1, 4 }, -EINVAL, "too far out" },
		{ { INT64_MAX - 4095, 1, 4 }, -EINVAL, "too far out" },
		{ { 0x2000, (1ULL << 51) - 3, 4 }, -ENODATA, "the file ends" },
	};
	struct run runs[2] = { { 0x1000, 1, PE_PRESENT } };
	struct bytes b = { 0 };
	size_t i;

	write_pages(self->dir, 1, 1);
	for (i = 0; i < NR(cases); i++) {
		runs[1] = cases[i].run;
		put_pagemap(&b, 1, runs, 2);
		write_bytes(self->dir, "pagemap-1.img", &b);
		if (cases[i].run.flags & PE_PRESENT && cases[i].err == -EINVAL)
			write_pages(self->dir, 1, 2);
		else
			write_pages(self->dir, 1, 1);
		open_error(_metadata, self->dir, cases[i].err, cases[i].text);
		drop(&b);
	}
}

/* Messages, after a head that is right. */
static const struct {
	uint8_t length;
	const char *message;
	uint8_t size;
	const char *text;
} bad_messages[] = {
#define MESSAGE(bytes, text) { sizeof(bytes) - 1, bytes, sizeof(bytes) - 1, text }
	MESSAGE("", "address is missing"),
	MESSAGE("\x08\0", "number of pages is missing"),
	MESSAGE("\x10\1", "address is missing"),
	MESSAGE("\x08", "entry: no protocol buffer"),
	MESSAGE("\x08\x80", "entry: no protocol buffer"),
	/* 2^64 and more, and one byte more than any number takes. */
	MESSAGE("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02\x10\1",
		"entry: no protocol buffer"),
	MESSAGE("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0\x10\1",
		"entry: no protocol buffer"),
	/* Groups, types that there are not, field 0, a field too high. */
	MESSAGE("\x08\0\x10\1\x33\x34", "entry: no protocol buffer"),
	MESSAGE("\x08\0\x10\1\x36", "entry: no protocol buffer"),
	MESSAGE("\x08\0\x10\1\x37", "entry: no protocol buffer"),
	MESSAGE("\x08\0\x10\1\0\0", "entry: no protocol buffer"),
	MESSAGE("\x08\0\x10\1\x80\x80\x80\x80\x10\0",
		"entry: no protocol buffer"),
	MESSAGE("\x09\0\0\0\0\0\0\0\0\x10\1", "field 1 is no number"),
	MESSAGE("\x08\0\x12\1a", "field 2 is no number"),
	MESSAGE("\x08\0\x10\1\x25\1\2\3\4", "field 4 is no number"),
	/* Bytes that would end behind the message. */
	MESSAGE("\x08\0\x10\1\x32\2a", "entry: no protocol buffer"),
	MESSAGE("\x08\0\x10\1\x32\xff\xff\xff\xff\xff\xff\xff\xff\xff\1a",
		"entry: no protocol buffer"),
	MESSAGE("\x08\0\x10\1\x35\1\2\3", "entry: no protocol buffer"),
	MESSAGE("\x08\0\x10\1\x31\1\2\3\4\5\6\7", "entry: no protocol buffer"),
	MESSAGE("\x08\0\x10\x80\x80\x80\x80\x10",
		"number of pages: 4294967296 does not fit"),
	MESSAGE("\x08\0\x10\1\x20\x80\x80\x80\x80\x10",
		"flags: 4294967296 does not fit"),
};

TEST_F(criu, bad_messages)
{
	struct bytes b = { 0 };
	size_t i;

	write_pages(self->dir, 1, 1);
	for (i = 0; i < NR(bad_messages); i++) {
		put_pagemap_head(&b, 1);
		put_le32(&b, bad_messages[i].length);
		put(&b, bad_messages[i].message, bad_messages[i].size);
		write_bytes(self->dir, "pagemap-1.img", &b);
		open_error(_metadata, self->dir, -EINVAL,
			   bad_messages[i].text);
		drop(&b);
	}
	put_pagemap_head(&b, 1);
	put_le32(&b, 4097);
	write_bytes(self->dir, "pagemap-1.img", &b);
	open_error(_metadata, self->dir, -EINVAL,
		   "pagemap-1.img: offset 14: entry: 4097 bytes, more than");
	drop(&b);
}

/* A number may be written with more bytes than it takes. */
TEST_F(criu, padded_number)
{
	static const char message[] = "\x08\x80\x80\x80\0\x10\x81\0\x20\4";
	struct ramload_image *image;
	struct bytes b = { 0 };

	write_pages(self->dir, 1, 1);
	put_pagemap_head(&b, 1);
	put_le32(&b, sizeof(message) - 1);
	put(&b, message, sizeof(message) - 1);
	write_bytes(self->dir, "pagemap-1.img", &b);
	drop(&b);
	image = open_ok(_metadata, self->dir);
	expect_block(_metadata, image, 0, "1/0x0", 0, 1);
	ramload_image_close(image);
}

TEST_F(criu, bad_heads)
{
	static const char *const heads[] = {
		"\x19\x43\x56\x54" "\x25\x40\x08\x57", "\x25\x40\x08\x57",
		"\x40\x59\x10\x55" "\x25\x40\x08\x56",
	};
	struct bytes b = { 0 };
	size_t i;

	for (i = 0; i < NR(heads); i++) {
		put_text(&b, "%s%s", heads[i], "0123456789");
		write_bytes(self->dir, "pagemap-1.img", &b);
		open_error(_metadata, self->dir, -EINVAL,
			   "not a pagemap of CRIU");
		drop(&b);
	}
	put(&b, "\x19\x43\x56\x54\x25\x40\x08\x56\0\0\0\0", 12);
	write_bytes(self->dir, "pagemap-1.img", &b);
	open_error(_metadata, self->dir, -EINVAL,
		   "pagemap-1.img: offset 8: number of the pages file is missing");
	drop(&b);
}

TEST_F(criu, special_files)
{
	static const char *const names[] = { "pagemap-1234.img", "pages-1.img" };
	size_t i;

	for (i = 0; i < NR(names); i++) {
		write_some(self->dir);
		open_special(_metadata, self->dir, names[i]);
	}
	open_error(_metadata, self->dir, -ENOENT, "pages-1.img: No such file");
}

TEST_F(criu, other_names)
{
	static const char *const names[] = {
		"pagemap-.img", "pagemap-01.img", "pagemap-+1.img",
		"pagemap--1.img", "pagemap- 1.img", "pagemap-1",
		"pagemap-1.img~", "pagemap-1.img.gz", "Xpagemap-1.img",
		"pagemap-18446744073709551616.img", "pagemap-shmem-.img",
		"pagemap-shmem-0x1.img", "pagemap", "pagemap-", "pages-1.img",
		"inventory.img",
	};
	size_t i;

	for (i = 0; i < NR(names); i++)
		write_file(self->dir, names[i], "x", 1);
	open_error(_metadata, self->dir, -EISDIR,
		   "without anything known in it: pagemap-PID.img (criu)");
	write_some(self->dir);
	ramload_image_close(open_ok(_metadata, self->dir));
	write_file(self->dir, "pagemap-18446744073709551615.img", "x", 1);
	open_error(_metadata, self->dir, -ENODATA,
		   "pagemap-18446744073709551615.img: offset 0: magic number");
}

TEST_F(criu, by_name)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	int fd;

	EXPECT_EQ(-EINVAL, ramload_image_open(self->dir, 0, "criu", &image,
					      &error));
	EXPECT_NE(NULL, strstr(error.text, "no pagemap-PID.img"));
	write_some(self->dir);
	EXPECT_EQ(0, ramload_image_open(self->dir, 0, "criu", &image, &error));
	ramload_image_close(image);
	EXPECT_EQ(-EISDIR, ramload_image_open(self->dir, 0, "raw", &image,
					      &error));
	EXPECT_EQ(-EINVAL, ramload_image_open(self->dir, 1, NULL, &image,
					      &error));
	fd = openat(self->dir, "pages-1.img", O_RDONLY);
	EXPECT_EQ(-ENOTDIR, ramload_image_open(fd, 0, "criu", &image, &error));
	EXPECT_NE(NULL, strstr(error.text, "is not a directory"));
	close(fd);
}

/* The file position of the directory is the caller's. */
TEST_F(criu, position)
{
	write_some(self->dir);
	ASSERT_EQ(0, lseek(self->dir, 0, SEEK_SET));
	ramload_image_close(open_ok(_metadata, self->dir));
	EXPECT_EQ(0, lseek(self->dir, 0, SEEK_CUR));
}

/*
 * Large ones
 */

#define MILLION		1000000

static void write_million(int dir, uint64_t step, uint32_t flags)
{
	struct bytes b = { 0 };
	size_t i;
	int fd;

	put_pagemap_head(&b, 1);
	for (i = 0; i < MILLION; i++) {
		struct run run = { i * step * PAGE, 1, flags };

		put_run(&b, &run);
	}
	write_bytes(dir, "pagemap-1.img", &b);
	drop(&b);
	write_file(dir, "pages-1.img", NULL, 0);
	fd = openat(dir, "pages-1.img", O_WRONLY);
	must(!ftruncate(fd, flags & PE_PRESENT ? MILLION * PAGE : 0));
	close(fd);
}

TEST_F_TIMEOUT(criu, million_entries, TIMEOUT)
{
	struct ramload_image *image;
	int dir;

	write_million(self->dir, 1, PE_PRESENT);
	image = open_ok(_metadata, self->dir);
	ASSERT_EQ(1, ramload_image_nr_blocks(image));
	EXPECT_EQ(1, ramload_image_block(image, 0)->nr_parts);
	ramload_image_close(image);

	write_million(self->dir, 2, PE_PRESENT);
	image = open_ok(_metadata, self->dir);
	EXPECT_EQ(MILLION, ramload_image_nr_blocks(image));
	ramload_image_close(image);

	/* In the parent, each entry in a place of its own. */
	dir = make_parent(self->dir);
	write_million(dir, 1, PE_PRESENT);
	write_million(self->dir, 1, PE_PARENT);
	image = open_ok(_metadata, self->dir);
	ASSERT_EQ(1, ramload_image_nr_blocks(image));
	EXPECT_EQ(1, ramload_image_block(image, 0)->nr_parts);
	ramload_image_close(image);
	close(dir);
}

TEST_HARNESS_MAIN
