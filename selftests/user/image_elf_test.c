// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Reader of ELF core files: valid ones of each class and byte order, segments
 * that overlap, and files that somebody has tampered with
 */
#include "image_check.h"
#include "elf_writer.h"

static const struct elf kinds[] = {
	{}, { .big = true }, { .narrow = true }, { .narrow = true, .big = true },
	{ .section = true }, { .section = true, .narrow = true, .big = true },
	{ .offset = 4097 },
};

/*
 * What is at an address: by the rule as it is documented, one address at a
 * time. -1: in no segment.
 */
static int byte_at(const struct elf *e, const struct segment *segments,
		   size_t nr, uint64_t address)
{
	const struct segment *s, *best = NULL;
	int byte = -1;
	size_t i;

	for (i = 0; i < nr; i++) {
		s = &segments[i];
		if ((s->type && s->type != 1) || !s->bytes ||
		    address < s->address ||
		    address - s->address >= (s->length ?: s->bytes))
			continue;
		byte = byte < 0 ? 0 : byte;
		if (address - s->address >= s->bytes)
			continue;
		if (!best || s->address < best->address)
			best = s;
	}
	if (!best)
		return byte;
	return file.data[e->offset + best->offset + address - best->address];
}

/* Every byte of every block, and none before or after it. */
static void check_memory(struct __test_metadata *_metadata,
			 const struct ramload_image *image,
			 const struct elf *e, const struct segment *segments,
			 size_t nr)
{
	size_t i, nr_blocks = ramload_image_nr_blocks(image);
	void **dests = calloc(nr_blocks, sizeof(*dests));
	const struct ramload_image_block *b;
	uint64_t at;

	for (i = 0; i < nr_blocks; i++)
		dests[i] = calloc(1, ramload_image_block(image, i)->length);
	load_image(_metadata, image, dests);
	for (i = 0; i < nr_blocks; i++) {
		const uint8_t *memory = dests[i];

		b = ramload_image_block(image, i);
		EXPECT_EQ(-1, byte_at(e, segments, nr, b->address - 1));
		EXPECT_EQ(-1, byte_at(e, segments, nr, b->address + b->length));
		for (at = 0; at < b->length; at++)
			ASSERT_EQ(byte_at(e, segments, nr, b->address + at),
				  memory[at]);
		free(dests[i]);
	}
	free(dests);
}

static void check_core(struct __test_metadata *_metadata, const struct elf *e,
		       struct segment *segments, size_t nr, size_t nr_blocks)
{
	struct ramload_image *image;

	put_elf(e, segments, nr);
	image = open_ok(_metadata, e->offset);
	check_image(_metadata, image);
	EXPECT_STREQ("elf", ramload_image_format(image));
	EXPECT_EQ(NULL, ramload_image_machine(image));
	EXPECT_EQ(nr_blocks, ramload_image_nr_blocks(image));
	check_memory(_metadata, image, e, segments, nr);
	ramload_image_close(image);
}

TEST(whole)
{
	struct segment segments[] = {
		{ .type = 4, .bytes = 300 },
		{ .address = 0x100000, .bytes = 5000 },
		{ .address = 0, .bytes = 0xa00 },
		{ .address = 0x40000000, .bytes = 1, .length = 9999 },
		{ .address = 0x80000000, .length = 4096,
		  .set_offset = true, .offset = -1 },
	};
	const struct ramload_image_block *b;
	struct ramload_image *image;
	size_t i;

	for (i = 0; i < NR(kinds); i++)
		check_core(_metadata, &kinds[i], segments, NR(segments), 3);
	image = open_ok(_metadata, kinds[i - 1].offset);
	b = ramload_image_block(image, 0);
	EXPECT_STREQ("0x0", b->name);
	EXPECT_EQ(0, b->address);
	b = ramload_image_block(image, 1);
	EXPECT_STREQ("0x100000", b->name);
	EXPECT_EQ(0x100000, b->address);
	EXPECT_EQ(5000, b->length);
	b = ramload_image_block(image, 2);
	EXPECT_STREQ("0x40000000", b->name);
	EXPECT_EQ(9999, b->length);
	EXPECT_EQ(1, b->present);
	ramload_image_close(image);
}

/* What adjoins in memory is a block, what adjoins in the file too is a part. */
TEST(adjoining)
{
	struct segment segments[] = {
		{ .address = 0x3000, .bytes = 0x1000 },
		{ .address = 0x1000, .bytes = 0x1000 },
		{ .address = 0x2000, .bytes = 0x1000 },
		{ .address = 0x4001, .bytes = 0x1000 },
	};
	const struct ramload_image_block *b;
	struct ramload_image *image;

	check_core(_metadata, &kinds[0], segments, NR(segments), 2);
	image = open_ok(_metadata, 0);
	b = ramload_image_block(image, 0);
	EXPECT_EQ(0x1000, b->address);
	EXPECT_EQ(0x3000, b->length);
	ASSERT_EQ(2, b->nr_parts);
	EXPECT_EQ(0x2000, b->parts[0].length);
	ramload_image_close(image);
}

TEST(overlapping)
{
	struct segment cases[][4] = {
		/* one within another, as the kernel's text of a vmcore */
		{ { .address = 0x2000, .bytes = 0x800 },
		  { .address = 0x1000, .bytes = 0x3000 } },
		/* the same once more */
		{ { .address = 0x1000, .bytes = 0x1000 },
		  { .address = 0x1000, .bytes = 0x1000 },
		  { .address = 0x1000, .bytes = 0x1800 },
		  { .address = 0x1000, .bytes = 0x10 } },
		/* a chain */
		{ { .address = 0x1000, .bytes = 0x1000 },
		  { .address = 0x1800, .bytes = 0x1000 },
		  { .address = 0x2000, .bytes = 0x1000 },
		  { .address = 0x1ff0, .bytes = 0x20 } },
		/* bytes over the zeros of another, and zeros over bytes */
		{ { .address = 0x1000, .bytes = 0x10, .length = 0x3000 },
		  { .address = 0x1800, .bytes = 0x800 },
		  { .address = 0x1a00, .bytes = 0x10, .length = 0x4000 },
		  { .address = 0x4900, .bytes = 0x1000 } },
	};
	size_t i, k;

	for (i = 0; i < NR(cases); i++) {
		for (k = 0; k < NR(kinds); k++)
			check_core(_metadata, &kinds[k], cases[i], 4, 1);
	}
}

/* Segments at random, in each class. */
TEST(random_segments)
{
	struct segment segments[12];
	struct ramload_image *image;
	unsigned int seed = 1;
	size_t round, i;

	for (round = 0; round < 300; round++) {
		const struct elf *e = &kinds[round % NR(kinds)];

		memset(segments, 0, sizeof(segments));
		for (i = 0; i < NR(segments); i++) {
			segments[i].address = 0x1000 + rand_r(&seed) % 900;
			segments[i].bytes = rand_r(&seed) % 90;
			segments[i].length = segments[i].bytes +
					     rand_r(&seed) % 50;
		}
		segments[0].bytes = 1;
		segments[0].length = 1;
		put_elf(e, segments, NR(segments));
		image = open_ok(_metadata, e->offset);
		check_image(_metadata, image);
		check_memory(_metadata, image, e, segments, NR(segments));
		ramload_image_close(image);
	}
}

/* A core file of a process has virtual addresses alone. */
TEST(virtual_addresses)
{
	struct segment segments[] = {
		{ .virtual = 0x400000, .bytes = 100, .length = 200 },
		{ .virtual = 0xffffffffff600000, .bytes = 10 },
	};
	struct ramload_image *image;

	put_elf(&kinds[0], segments, 2);
	image = open_ok(_metadata, 0);
	check_image(_metadata, image);
	ASSERT_EQ(2, ramload_image_nr_blocks(image));
	EXPECT_EQ(0x400000, ramload_image_block(image, 0)->address);
	EXPECT_STREQ("0xffffffffff600000", ramload_image_block(image, 1)->name);
	ramload_image_close(image);

	segments[1].address = 0x1000;
	put_elf(&kinds[0], segments, 2);
	image = open_ok(_metadata, 0);
	ASSERT_EQ(2, ramload_image_nr_blocks(image));
	EXPECT_EQ(0, ramload_image_block(image, 0)->address);
	EXPECT_EQ(0x1000, ramload_image_block(image, 1)->address);
	ramload_image_close(image);
}

TEST(truncated)
{
	struct segment segments[] = {
		{ .address = 0x1000, .bytes = 100 },
		{ .address = 0x2000, .bytes = 50 },
	};
	struct ramload_image_error error;
	struct ramload_image *image;
	size_t k, size;
	int fd, err;

	for (k = 0; k < NR(kinds); k++) {
		put_elf(&kinds[k], segments, 2);
		for (size = kinds[k].offset + 1; size < file.size; size++) {
			fd = file_fd(size);
			err = open_fd(_metadata, fd, kinds[k].offset, NULL,
				      &image, &error);
			/* Too short to be told from anything else. */
			EXPECT_EQ(size < kinds[k].offset + 16 ? -EINVAL :
								-ENODATA, err);
			close(fd);
		}
	}
}

TEST(flipped)
{
	struct segment segments[] = {
		{ .type = 4, .bytes = 10 },
		{ .address = 0x1000, .bytes = 4000, .length = 5000 },
		{ .address = 0x1800, .bytes = 2000 },
	};
	size_t k;
	int fd;

	for (k = 0; k < NR(kinds); k++) {
		put_elf(&kinds[k], segments, NR(segments));
		skip_to((file.size + PAGE - 1) & ~(PAGE - 1));
		fd = file_fd(file.size);
		open_all_flipped(_metadata, fd, kinds[k].offset,
				 file.spans[0].start, file.spans[0].end);
		close(fd);
	}
}

TEST(bad_headers)
{
	static const struct {
		struct elf elf;
		int err;
		const char *text;
	} cases[] = {
		{ { .type = 2 }, -ENOTSUP, "type 2, which is no core" },
		{ { .entry_size = 57 }, -EINVAL, "headers of 57 bytes, not 56" },
		{ { .entry_size = 57, .narrow = true }, -EINVAL, "not 32" },
		{ { .headers = 1 << 20 }, -ENODATA, "headers at 1048576" },
		{ { .headers = INT64_MAX }, -ENODATA, "headers at 9223372" },
		{ { .headers = UINT64_MAX }, -ENODATA, "headers at 18446" },
		{ { .nr_headers = 60000 }, -ENODATA, "60000 program headers" },
		{ { .nr_headers = 0xffff }, -EINVAL, "no section header to" },
		{ { .section = true, .nr_headers = UINT32_MAX }, -ENOTSUP,
		  "4294967295 program headers, more than" },
		{ { .section = true, .nr_headers = 1 << 20 }, -ENODATA,
		  "1048576 program headers at 64" },
		{ { .section = true, .sections = INT64_MAX }, -ENODATA,
		  "section header at 9223" },
		{ { .section = true, .sections = UINT64_MAX }, -ENODATA,
		  "section header at 1844" },
		{ { .section = true, .sections = 150 }, -ENODATA,
		  "section header" },
	};
	struct segment segment = { .address = 0x1000, .bytes = 10 };
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		put_elf(&cases[i].elf, &segment, 1);
		open_error(_metadata, 0, cases[i].err, cases[i].text);
	}
}

TEST(bad_idents)
{
	struct segment segment = { .address = 0x1000, .bytes = 10 };

	put_elf(&kinds[0], &segment, 1);
	file.data[4] = 3;
	open_error(_metadata, 0, -EINVAL, "ELF class 3");
	file.data[4] = 2;
	file.data[5] = 0;
	open_error(_metadata, 0, -EINVAL, "ELF byte order 0");
}

TEST(bad_segments)
{
	static const struct {
		struct segment segment;
		int err;
		const char *text;
	} cases[] = {
		{ { .address = 1, .bytes = 10, .length = 9 }, -EINVAL,
		  "of 9 bytes with 10 in the file" },
		{ { .address = 1, .bytes = 10, .length = 1ULL << 63 }, -EINVAL,
		  "at address 0x1" },
		{ { .address = UINT64_MAX, .bytes = 1 }, -EINVAL,
		  "at address 0xffffffffffffffff" },
		{ { .address = UINT64_MAX - 8, .bytes = 10 }, -EINVAL,
		  "a segment of 10 bytes at address" },
		{ { .address = 1, .bytes = 10, .set_offset = true,
		    .offset = 1 << 20 }, -ENODATA, "10 bytes at 1048576" },
		{ { .address = 1, .bytes = 10, .set_offset = true,
		    .offset = UINT64_MAX }, -ENODATA, "10 bytes at 18446" },
		{ { .address = 1, .bytes = 10, .set_offset = true,
		    .offset = UINT64_MAX - 9 }, -ENODATA, "10 bytes at 18446" },
		{ { .address = 1, .bytes = INT64_MAX, .set_offset = true },
		  -ENODATA, "the file ends at" },
		{ { .type = 4, .bytes = 10 }, -EINVAL, "no segment has memory" },
		{ { .address = 1, .length = 10 }, -EINVAL,
		  "no segment has memory" },
	};
	struct segment segment;
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		segment = cases[i].segment;
		put_elf(&kinds[0], &segment, 1);
		put_content(100);
		open_error(_metadata, 0, cases[i].err, cases[i].text);
	}
	put_elf(&kinds[0], &segment, 0);
	open_error(_metadata, 0, -EINVAL, "no program headers");
}

/* Memory that is mostly zeros may be long, but all of it is below 2^63 bytes. */
TEST(far_lengths)
{
	struct segment segments[] = {
		{ .address = 0x1000, .bytes = 10, .length = INT64_MAX },
		{ .address = 1ULL << 63, .bytes = 10, .length = 1ULL << 62 },
	};
	struct ramload_image *image;

	put_elf(&kinds[0], segments, 1);
	image = open_ok(_metadata, 0);
	check_image(_metadata, image);
	EXPECT_EQ(INT64_MAX, ramload_image_block(image, 0)->length);
	EXPECT_EQ(10, ramload_image_block(image, 0)->present);
	ramload_image_close(image);
	put_elf(&kinds[0], segments, 2);
	open_error(_metadata, 0, -EINVAL, "more than 2^63 bytes");
}

/* Else a short file could have memory without end. */
TEST(shared_bytes)
{
	struct segment segments[] = {
		{ .address = 0x1000, .bytes = 100, .set_offset = true },
		{ .address = 0x9000, .bytes = 100, .set_offset = true },
	};

	put_elf(&kinds[0], segments, NR(segments));
	open_error(_metadata, 0, -EINVAL, "more than once");
}

/* As many as need a section header to be counted. */
TEST(many_segments)
{
	static const struct elf e = { .narrow = true, .section = true };
	static struct segment segments[25000];
	struct ramload_image *image;
	size_t i;

	for (i = 0; i < NR(segments); i++)
		segments[i] = (struct segment){
			.address = 0x100000 + (i * 7919 % NR(segments)) * 2,
			.bytes = 1,
		};
	put_elf(&e, segments, NR(segments));
	image = open_ok(_metadata, 0);
	EXPECT_EQ(NR(segments), ramload_image_nr_blocks(image));
	EXPECT_EQ(0x100000 + 2 * 24999,
		  ramload_image_block(image, 24999)->address);
	ramload_image_close(image);
}

TEST(other_dumps)
{
	static const struct {
		const char *magic;
		const char *text;
	} cases[] = {
		{ "KDUMP   ", "a compressed kdump" },
		{ "DISKDUMP", "a diskdump" },
		{ "makedumpfile", "flattened file of makedumpfile" },
		{ "PAGEDU64", "a Windows crash dump" },
		{ "PAGEDUMP", "a Windows crash dump" },
	};
	struct ramload_image_error error;
	struct ramload_image *image;
	size_t i;
	int fd;

	for (i = 0; i < NR(cases); i++) {
		memset(&file, 0, sizeof(file));
		put(cases[i].magic, strlen(cases[i].magic));
		skip_to(2 * PAGE);
		open_error(_metadata, 0, -ENOTSUP, cases[i].text);
		fd = file_fd(file.size);
		EXPECT_EQ(-EINVAL,
			  open_fd(_metadata, fd, 0, "elf", &image, &error));
		close(fd);
	}
}

TEST_HARNESS_MAIN
