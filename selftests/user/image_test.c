// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Image readers: valid images, and images that somebody has tampered with
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "image_check.h"

static const struct stream plain;
static const struct block some[] = {
	BLOCK("pc.ram", 70 * PAGE, .bits = { 0x41, 0xff, [8] = 0x20 }),
	BLOCK("0000:00:02.0/vga.vram", 8 * PAGE, .bits = { 0x80 }),
	BLOCK("/rom@etc/acpi/rsdp", PAGE),
};

TEST(whole)
{
	const struct ramload_image_block *b;
	struct ramload_image *image;

	put_stream(&plain, some, NR(some));
	image = open_ok(_metadata, 0);
	check_image(_metadata, image);
	EXPECT_STREQ("mapped-ram", ramload_image_format(image));
	EXPECT_STREQ("pc-q35-10.0", ramload_image_machine(image));
	ASSERT_EQ(3, ramload_image_nr_blocks(image));
	b = ramload_image_block(image, 0);
	EXPECT_STREQ("pc.ram", b->name);
	EXPECT_EQ(70 * PAGE, b->length);
	EXPECT_EQ(PAGE, b->parts->page_size);
	EXPECT_EQ(11 * PAGE, b->present);
	EXPECT_EQ(PAGE, b->parts->file_offset);
	EXPECT_EQ(0, memcmp(b->parts->bitmap, some[0].bits, 16));
	b = ramload_image_block(image, 1);
	EXPECT_STREQ("0000:00:02.0/vga.vram", b->name);
	EXPECT_EQ(PAGE, b->present);
	EXPECT_EQ(72 * PAGE, b->parts->file_offset);
	EXPECT_EQ(0, ramload_image_block(image, 2)->present);
	ramload_image_close(image);
	ramload_image_close(NULL);
}

TEST(offset)
{
	static const struct stream s = { .offset = 12345 };
	struct ramload_image *image;

	put_stream(&s, some, NR(some));
	image = open_ok(_metadata, 12345);
	check_image(_metadata, image);
	EXPECT_EQ(4 * PAGE, ramload_image_block(image, 0)->parts->file_offset);
	ramload_image_close(image);
	open_error(_metadata, 12344, -EINVAL, "not an image");
	open_error(_metadata, file.size, -ENODATA, "the file ends");
	open_error(_metadata, UINT64_MAX, -ENODATA, "the file ends");
}

TEST(kinds_of_stream)
{
	static const struct stream streams[] = {
		{ .no_configuration = true },
		{ .no_configuration = true, .no_footer = true },
		{ .no_capabilities = true },
		{ .uuid = true, .page_bits = true },
		{ .ignore_shared = true },
	};
	struct ramload_image *image;
	size_t i;

	for (i = 0; i < NR(streams); i++) {
		put_stream(&streams[i], some, NR(some));
		image = open_ok(_metadata, 0);
		check_image(_metadata, image);
		EXPECT_EQ(3, ramload_image_nr_blocks(image));
		EXPECT_EQ(!streams[i].no_configuration,
			  !!ramload_image_machine(image));
		ramload_image_close(image);
	}
}

TEST(left_out)
{
	static const struct block blocks[] = {
		BLOCK("mem0", 1ULL << 40, .left_out = true),
		BLOCK("pc.bios", 2 * PAGE, .bits = { 3 }),
		BLOCK("mem1", PAGE, .left_out = true),
	};
	static const struct stream s = { .ignore_shared = true };
	struct ramload_image *image;

	put_stream(&s, blocks, NR(blocks));
	image = open_ok(_metadata, 0);
	check_image(_metadata, image);
	ASSERT_EQ(1, ramload_image_nr_blocks(image));
	EXPECT_STREQ("pc.bios", ramload_image_block(image, 0)->name);
	ramload_image_close(image);

	put_stream(&s, blocks, 1);
	image = open_ok(_metadata, 0);
	EXPECT_EQ(0, ramload_image_nr_blocks(image));
	ramload_image_close(image);
}

TEST(no_tail)
{
	static const struct block blocks[] = {
		BLOCK("pc.ram", 4 * PAGE, .bits = { 0x0f }),
		BLOCK("vga", 8 * PAGE, .bits = { 0x05 }),
	};
	struct ramload_image *image;
	size_t whole;

	put_stream(&plain, blocks, 2);
	/* The end of the RAM section follows right after vga's 8 pages. */
	whole = file.spans[2].start;
	for (file.size = whole; file.size >= whole - 5 * PAGE; file.size -= 512) {
		image = open_ok(_metadata, 0);
		check_image(_metadata, image);
		EXPECT_EQ(3 * PAGE - PAGE, ramload_image_block(image, 1)->present);
		ramload_image_close(image);
	}
	open_error(_metadata, 0, -ENODATA, "before the end of its pages");
}

TEST(last_byte_of_bitmap)
{
	static const struct block b = BLOCK("r", 3 * PAGE, .bits = {
		0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff });
	struct ramload_image *image;

	put_stream(&plain, &b, 1);
	image = open_ok(_metadata, 0);
	check_image(_metadata, image);
	EXPECT_EQ(2 * PAGE, ramload_image_block(image, 0)->present);
	EXPECT_EQ(0x05, ramload_image_block(image, 0)->parts->bitmap[0]);
	ramload_image_close(image);
}

TEST(large_pages)
{
	static const struct block b = BLOCK("mach-virt.ram", 9 * 16384,
		.page_size = 16384, .bits = { 0x01, 0x01 });
	struct ramload_image *image;

	put_stream(&plain, &b, 1);
	image = open_ok(_metadata, 0);
	check_image(_metadata, image);
	EXPECT_EQ(16384, ramload_image_block(image, 0)->parts->page_size);
	EXPECT_EQ(2 * 16384, ramload_image_block(image, 0)->present);
	ramload_image_close(image);
}

TEST(truncated)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	size_t span, size;
	int fd, err;

	put_stream(&plain, some, NR(some));
	for (span = 0; span < file.nr_spans; span++) {
		for (size = file.spans[span].start + 1;
		     size < file.spans[span].end; size++) {
			fd = file_fd(size);
			err = open_fd(_metadata, fd, 0, NULL, &image, &error);
			/* Too short to be told from anything else. */
			EXPECT_EQ(size < 4 ? -EINVAL : -ENODATA, err);
			ramload_image_close(image);
			close(fd);
		}
	}
	for (size = file.spans[0].end; size < file.spans[1].start; size += 99) {
		fd = file_fd(size);
		err = open_fd(_metadata, fd, 0, NULL, &image, &error);
		EXPECT_EQ(-ENODATA, err);
		close(fd);
	}
	fd = file_fd(0);
	EXPECT_EQ(-ENODATA, open_fd(_metadata, fd, 0, NULL, &image, &error));
	close(fd);
}

FIXTURE(flipped)
{
	int fd;
};

FIXTURE_VARIANT(flipped)
{
	struct stream stream;
	bool round;
};

FIXTURE_VARIANT_ADD(flipped, plain)
{
};

/* Of a length that makes it raw once the magic number is damaged. */
FIXTURE_VARIANT_ADD(flipped, round)
{
	.round = true,
};

FIXTURE_VARIANT_ADD(flipped, all)
{
	.stream = {
		.offset = 777,
		.ignore_shared = true,
		.uuid = true,
		.page_bits = true,
	},
};

FIXTURE_VARIANT_ADD(flipped, no_configuration)
{
	.stream = { .no_configuration = true },
};

FIXTURE_SETUP(flipped)
{
	put_stream(&variant->stream, some, NR(some));
	if (variant->round)
		skip_to((file.size + PAGE - 1) & ~(PAGE - 1));
	self->fd = file_fd(file.size);
}

FIXTURE_TEARDOWN(flipped)
{
	close(self->fd);
}

TEST_F(flipped, every_byte)
{
	size_t i;

	for (i = 0; i < file.nr_spans; i++)
		open_all_flipped(_metadata, self->fd, variant->stream.offset,
				 file.spans[i].start, file.spans[i].end);
}

TEST(bad_streams)
{
	static const struct {
		struct stream stream;
		int err;
		const char *text;
	} cases[] = {
		{ { .version = 2 }, -ENOTSUP, "version 2, not 3" },
		{ { .no_mapped_ram = true }, -ENOTSUP, "without the capab" },
		{ { .subsection = "configuration/foo" }, -ENOTSUP,
		  "unknown subsection \"configuration/foo\"" },
		{ { .subsection = "configuration/target-page-bits",
		    .page_bits = true }, -EINVAL, "again" },
		{ { .subsection = "odd\n\x1b[1m\\name" }, -ENOTSUP,
		  "\"odd\\x0a\\x1b[1m\\x5cname\"" },
		{ { .flags = 0x08 }, -ENOTSUP, "flags 0x8, not 0x4" },
		{ { .flags = 0x24 }, -ENOTSUP, "flags 0x24, not 0x4" },
		{ { .total = 80 * PAGE }, -EINVAL, "left of the total" },
		{ { .total = 78 * PAGE }, -EINVAL, "no end of the RAM" },
		{ { .total = -PAGE }, -EINVAL, "bytes in all" },
		{ { .total = 1ULL << 63 }, -EINVAL, "bytes in all" },
		{ { .no_footer = true }, -EINVAL, "no footer" },
	};
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		put_stream(&cases[i].stream, some, NR(some));
		open_error(_metadata, 0, cases[i].err, cases[i].text);
	}
}

TEST(bad_blocks)
{
	static const struct {
		struct block block;
		int err;
		const char *text;
	} cases[] = {
		{ BLOCK("b", PAGE, .page_size = 1),
		  -EINVAL, "page size 1 " },
		{ BLOCK("b", PAGE, .page_size = 256),
		  -EINVAL, "page size 256 " },
		{ BLOCK("b", PAGE, .page_size = 4095),
		  -EINVAL, "page size 4095 " },
		{ BLOCK("b", PAGE, .page_size = 12288),
		  -EINVAL, "page size 12288 " },
		{ BLOCK("b", PAGE, .page_size = 1ULL << 31),
		  -EINVAL, "page size 2147483648" },
		{ BLOCK("b", PAGE, .page_size = 1ULL << 32),
		  -EINVAL, "page size 4294967296" },
		{ BLOCK("b", PAGE, .page_size = 1ULL << 63),
		  -EINVAL, "page size 92233" },
		{ BLOCK("b", PAGE, .page_size = UINT64_MAX),
		  -EINVAL, "page size 184467" },
		{ BLOCK("b", PAGE, .page_size = 8192),
		  -EINVAL, "not a multiple" },
		{ BLOCK("b", PAGE + 512), -EINVAL, "not a multiple" },
		{ BLOCK("b", 0), -EINVAL, "length 0" },
		{ BLOCK("b", PAGE, .version = 2), -ENOTSUP, "header version 2" },
		{ BLOCK("b", PAGE, .version = -1), -ENOTSUP, "header version" },
		{ BLOCK("", PAGE), -EINVAL, "without a name" },
		{ BLOCK("first", PAGE), -EINVAL, "second block \"first\"" },
	};
	struct block blocks[] = {
		BLOCK("first", PAGE, .bits = { 1 }),
		{},
		BLOCK("last", PAGE),
	};
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		blocks[1] = cases[i].block;
		put_stream(&plain, blocks, NR(blocks));
		open_error(_metadata, 0, cases[i].err, cases[i].text);
	}
}

TEST(page_size_zero)
{
	size_t where;

	put_stream(&plain, some, 1);
	/* Before page size and both offsets, with which the header ends. */
	where = file.spans[0].end - 16 - 24;
	memset(file.data + where, 0, 8);
	open_error(_metadata, 0, -EINVAL, "page size 0 ");
}

TEST(name_with_nul)
{
	char *name;

	put_stream(&plain, some, 1);
	name = memmem(file.data, file.size, "pc.ram", 6);
	ASSERT_NE(NULL, name);
	name[2] = '\0';
	open_error(_metadata, 0, -EINVAL, "\"pc\\x00ram\" has a NUL");

	put_stream(&plain, some, 1);
	name = memmem(file.data, file.size, "q35", 3);
	ASSERT_NE(NULL, name);
	name[1] = '\0';
	open_error(_metadata, 0, -EINVAL, "machine type has a NUL");
}

TEST(far_offsets)
{
	static const uint64_t far[] = {
		1 << 20, 1ULL << 40, INT64_MAX - 2 * PAGE, INT64_MAX - PAGE,
		INT64_MAX, 1ULL << 63, -2 * PAGE, -PAGE, UINT64_MAX - 7,
		UINT64_MAX,
	};
	struct block b = BLOCK("b", PAGE, .set_offsets = true, .bits = { 1 });
	struct ramload_image_error error;
	struct ramload_image *image;
	size_t i;
	int fd, err;

	for (i = 0; i < NR(far); i++) {
		b.bitmap = far[i];
		b.pages = PAGE;
		put_stream(&plain, &b, 1);
		open_error(_metadata, 0, -ENODATA, "of bitmap at");

		b.bitmap = PAGE - 8;
		b.pages = far[i];
		put_stream(&plain, &b, 1);
		fd = file_fd(file.size);
		err = open_fd(_metadata, fd, 0, NULL, &image, &error);
		EXPECT_TRUE(err == -EINVAL || err == -ENODATA);
		ramload_image_close(image);
		close(fd);
	}
}

TEST(far_lengths)
{
	static const uint64_t far[] = {
		1ULL << 40, 1ULL << 62, INT64_MAX - 4095, 1ULL << 63,
		-2 * PAGE, -PAGE,
	};
	struct ramload_image_error error;
	struct ramload_image *image;
	uint8_t *where;
	int fd, err, j;
	size_t i;

	for (i = 0; i < NR(far); i++) {
		put_stream(&plain, some, 1);
		where = memmem(file.data, file.size, "pc.ram", 6);
		ASSERT_NE(NULL, where);
		/* The total ends before the length of the name. */
		for (j = 0; j < 8; j++) {
			where[j - 9] = far[i] >> (7 - j) * 8;
			where[j + 6] = far[i] >> (7 - j) * 8;
		}
		where[-2] |= 4;
		fd = file_fd(file.size);
		err = open_fd(_metadata, fd, 0, NULL, &image, &error);
		EXPECT_TRUE(err == -EINVAL || err == -ENODATA ||
			    err == -ENOTSUP);
		ramload_image_close(image);
		close(fd);
	}
}

TEST(overlaps)
{
	static const struct {
		uint64_t bitmap;
		uint64_t pages;
	} cases[] = {
		{ PAGE, PAGE },		/* both in the first block's pages */
		{ 60, 6 * PAGE },	/* bitmap in the headers */
		{ 4 * PAGE - 8, 0 },	/* pages over the file header */
		{ 0, 6 * PAGE },	/* bitmap over it */
		{ 6 * PAGE, 6 * PAGE },	/* bitmap in its own pages */
		{ 4 * PAGE - 8, 2 * PAGE },	/* pages in those of another */
		{ 4 * PAGE - 8, 3 * PAGE + 1 },
	};
	struct block blocks[] = {
		BLOCK("a", 2 * PAGE, .bits = { 3 }),
		BLOCK("b", 2 * PAGE, .set_offsets = true, .bits = { 3 }),
	};
	struct ramload_image_error error;
	struct ramload_image *image;
	size_t i;
	int fd;

	for (i = 0; i < NR(cases); i++) {
		blocks[1].bitmap = cases[i].bitmap;
		blocks[1].pages = cases[i].pages;
		put_stream(&plain, blocks, 2);
		fd = file_fd(file.size);
		/* If pages lead to a place without headers, so be it. */
		EXPECT_NE(0, open_fd(_metadata, fd, 0, NULL, &image, &error))
			TH_LOG("case %zu", i);
		ramload_image_close(image);
		close(fd);
	}
}

TEST(bitmap_in_pages)
{
	struct block b = BLOCK("b", 2 * PAGE, .set_offsets = true,
			       .bitmap = PAGE + 64, .pages = PAGE,
			       .bits = { 3 });
	static const struct stream s = { .offset = 2 * PAGE };

	put_stream(&plain, &b, 1);
	open_error(_metadata, 0, -EINVAL, "\"b\" and \"b\" overlap");

	/* In what the image does not begin with. */
	b.bitmap = 8;
	b.pages = 3 * PAGE;
	put_stream(&s, &b, 1);
	open_error(_metadata, 2 * PAGE, -EINVAL, "precedes the image");
}

TEST(too_many_blocks)
{
	static char names[5000][8];
	static struct block blocks[5000];
	size_t i;

	for (i = 0; i < NR(blocks); i++) {
		snprintf(names[i], sizeof(names[i]), "b%zu", i);
		blocks[i].name = names[i];
		blocks[i].length = PAGE;
		blocks[i].left_out = true;
	}
	put_stream(&plain, blocks, NR(blocks));
	open_error(_metadata, 0, -ENOTSUP, "more than 4096 blocks");
}

TEST(cut_short)
{
	static const struct block blocks[] = {
		BLOCK("pc.ram", 70 * PAGE), BLOCK("vga", PAGE),
	};

	put_stream(&plain, blocks, NR(blocks));
	open_error(_metadata, 0, -ENODATA, "cut short: no page is present");
}

#define AFTER_RAM(bytes) { bytes, sizeof(bytes) - 1 }
#define EIGHT(last) "\0\0\0\0\0\0\0" last
#define PART "\x02\0\0\0\x02" EIGHT("\x10") "\x7e\0\0\0\x02"
#define COMMAND "\x08\0\x0b\0\x02" "ab"

struct after_ram {
	const char *bytes;
	size_t length;
};

/* A stream that goes on like this after the headers of RAM. */
static void put_stream_with(const struct stream *s, const struct after_ram *a)
{
	put_stream(s, some, NR(some));
	file.size = file.spans[file.nr_spans - 1].end;
	put(a->bytes, a->length);
}

/*
 * QEMU writes one bitmap after the other, then the last section of RAM. If the disk
 * is full by then, any part of them may be missing.
 */
TEST(cut_short_in_the_bitmaps)
{
	static const struct after_ram cut[] = {
		AFTER_RAM(""), AFTER_RAM(PART), AFTER_RAM(PART PART COMMAND),
		AFTER_RAM(PART "\x03"), AFTER_RAM("\x03\0\0\0\x02"),
		AFTER_RAM("\x03\0\0\0\x02\0\0\0\0\0\0\0"),
		AFTER_RAM("\x03\0\0\0\x02\0\0\0\0\0\0\x02\0"),
		AFTER_RAM("\x08\0\x0b\0\x05"), AFTER_RAM("\x08\0"),
	};
	size_t i;

	for (i = 0; i < NR(cut); i++) {
		put_stream_with(&plain, &cut[i]);
		open_error(_metadata, 0, -ENODATA, "");
	}
	put_stream_with(&plain, &cut[1]);
	open_error(_metadata, 0, -ENODATA, "cut short: RAM has no last");
}

TEST(not_cut_short)
{
	static const struct stream old = {
		.no_configuration = true, .no_footer = true,
	};
	static const struct after_ram whole[] = {
		AFTER_RAM("\0"), AFTER_RAM(PART "\0"),
		AFTER_RAM("\x03\0\0\0\x02" EIGHT("\x10")),
		AFTER_RAM(PART COMMAND PART "\x03\0\0\0\x02"
			  "\0\0\0\0\0\0\x02\0" EIGHT("\x10")),
		/* Others, where it cannot be known. */
		AFTER_RAM("\x02\0\0\0\x03"), AFTER_RAM("\x04\0\0\0\x03"),
		AFTER_RAM("\x02\0\0\0\x02" EIGHT("\x11")),
	};
	static const struct after_ram no_footer = AFTER_RAM(
		"\x02\0\0\0\x02" EIGHT("\x10")
		"\x03\0\0\0\x02" EIGHT("\x10"));
	struct ramload_image_stream stream;
	struct ramload_image *image;
	size_t i;

	for (i = 0; i < NR(whole); i++) {
		put_stream_with(&plain, &whole[i]);
		image = open_ok(_metadata, 0);
		check_image(_metadata, image);
		ramload_image_close(image);
	}
	put_stream_with(&old, &no_footer);
	image = open_ok(_metadata, 0);
	ASSERT_EQ(0, ramload_image_stream(image, &stream));
	EXPECT_EQ(no_footer.length, stream.state_length);
	ramload_image_close(image);
	file.size -= 13;
	open_error(_metadata, 0, -ENODATA, "cut short: RAM has no last");
}

/* A stream of pages, as QEMU writes it without mapped-ram. */
TEST(ordinary_stream)
{
	static const struct stream streams[] = {
		{ .no_capabilities = true }, { .no_mapped_ram = true },
	};
	uint8_t *where;
	size_t i;

	for (i = 0; i < NR(streams); i++) {
		put_stream(&streams[i], some, NR(some));
		where = memmem(file.data, file.size, "pc.ram", 6);
		ASSERT_NE(NULL, where);
		file.size = where + 14 - file.data;
		put_name("vga.vram");
		put_be(8 * PAGE, 8);
		put_name("/rom@etc/acpi/rsdp");
		put_be(PAGE, 8);
		put_be(0x10, 8);
		put_be(0x7e, 1);
		put_be(2, 4);
		skip_to(100000);
		open_error(_metadata, 0, -ENOTSUP,
			   "without the capability mapped-ram");
	}
}

TEST(other_sections)
{
	static const struct stream s = { .no_configuration = true };

	put_stream(&s, some, NR(some));
	file.data[8] = 4;
	open_error(_metadata, 0, -ENOTSUP, "a section of type 0x4");
	file.data[8] = 1;
	file.data[14] = 'x';
	open_error(_metadata, 0, -ENOTSUP, "section \"xam\"");
}

/* A damaged stream must never be loaded as if it were RAM. */
TEST(damaged_is_not_raw)
{
	memset(&file, 0, sizeof(file));
	put("QEVM", 4);
	skip_to(5 * PAGE);
	open_error(_metadata, 0, -ENOTSUP, "stream version");
}

TEST(not_a_file)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	int fds[2], fd;

	fd = open("/", O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(-EISDIR, open_fd(_metadata, fd, 0, NULL, &image, &error));
	close(fd);
	EXPECT_EQ(-EBADF, open_fd(_metadata, -1, 0, NULL, &image, &error));
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(-EINVAL, open_fd(_metadata, fd, 0, NULL, &image, &error));
	close(fd);
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-EINVAL, open_fd(_metadata, fds[0], 0, NULL, &image, &error));
	EXPECT_EQ(-EINVAL, ramload_image_open(fds[0], 0, NULL, &image, NULL));
}

/* Blocks that are left out, and the rest in the order of parts. */
TEST(what_to_load)
{
	static char memory[3][70 * PAGE];
	void *dests[] = { memory[0], NULL, memory[2] };
	struct ramload_block blocks[3];
	struct ramload_image *image;

	put_stream(&plain, some, NR(some));
	image = open_ok(_metadata, 0);
	memset(blocks, 0xff, sizeof(blocks));
	EXPECT_EQ(0, ramload_image_load(image, 1, dests, blocks));
	EXPECT_EQ(2, ramload_image_load(image, 0, dests, NULL));
	ASSERT_EQ(2, ramload_image_load(image, 0, dests, blocks));
	EXPECT_EQ(dests[0], blocks[0].dest);
	EXPECT_EQ(70 * PAGE, blocks[0].length);
	EXPECT_EQ(PAGE, blocks[0].page_size);
	EXPECT_EQ(ramload_image_block(image, 0)->parts->bitmap,
		  blocks[0].bitmap);
	EXPECT_EQ(dests[2], blocks[1].dest);
	EXPECT_EQ(UINT64_MAX, blocks[2].length);
	ramload_image_close(image);
}

/* What surrounds RAM; the RAM section is the only one that is written. */
TEST(rest_of_the_stream)
{
	static const struct stream s = { .offset = 512 };
	struct ramload_image_stream stream;
	struct ramload_image *image;
	size_t end;

	put_stream(&s, some, NR(some));
	end = file.size - strlen("\x02 and so on");
	image = open_ok(_metadata, 512);
	ASSERT_EQ(0, ramload_image_stream(image, &stream));
	EXPECT_EQ(512, stream.config_offset);
	EXPECT_EQ(0, memcmp(file.data + 512, "QEVM", 4));
	EXPECT_EQ(0, memcmp(file.data + 512 + stream.config_length,
			    "\x01\0\0\0", 4));
	EXPECT_EQ(file.data[512 + stream.config_length + 4], stream.section);
	EXPECT_EQ(0, memcmp(file.data + 512 + stream.config_length + 5,
			    "\3ram", 4));
	EXPECT_EQ(end, stream.state_offset);
	EXPECT_EQ(file.size - end, stream.state_length);
	ramload_image_close(image);

	memset(&file, 0, sizeof(file));
	skip_to(PAGE);
	image = open_ok(_metadata, 0);
	EXPECT_EQ(-ENOENT, ramload_image_stream(image, &stream));
	ramload_image_close(image);
}

TEST(format_names)
{
	const char *name, *last = NULL;
	size_t i;

	EXPECT_STREQ("mapped-ram", ramload_image_format_name(0));
	for (i = 0; (name = ramload_image_format_name(i)); i++)
		last = name;
	EXPECT_STREQ("raw", last);
	EXPECT_EQ(NULL, ramload_image_format_name(SIZE_MAX));
}

TEST_HARNESS_MAIN
