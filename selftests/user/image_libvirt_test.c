// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Reader of libvirt's save files: the stream in them, and what is refused
 */
#include "image_check.h"
#include "libvirt_writer.h"

static const struct block some[] = {
	BLOCK("pc.ram", 70 * PAGE, .bits = { 0x41, 0xff, [8] = 0x20 }),
	BLOCK("pc.bios", 8 * PAGE, .bits = { 0x80 }),
};

TEST(whole)
{
	static const struct libvirt kinds[] = {
		{}, { .big = true }, { .cookie = LIBVIRT_DATA },
	};
	const struct ramload_image_block *b;
	struct ramload_image *image;
	uint8_t *memory = calloc(1, 70 * PAGE);
	void *dests[] = { memory, NULL };
	uint64_t at, i;

	for (i = 0; i < NR(kinds); i++) {
		put_libvirt(&kinds[i], some, NR(some));
		image = open_ok(_metadata, 0);
		check_image(_metadata, image);
		EXPECT_STREQ("libvirt", ramload_image_format(image));
		EXPECT_STREQ("pc-q35-10.0", ramload_image_machine(image));
		ASSERT_EQ(2, ramload_image_nr_blocks(image));
		b = ramload_image_block(image, 0);
		EXPECT_STREQ("pc.ram", b->name);
		EXPECT_EQ(RAMLOAD_NO_ADDRESS, b->address);
		EXPECT_EQ(11 * PAGE, b->present);
		load_image(_metadata, image, dests);
		for (at = 0; at < b->length; at++)
			ASSERT_EQ(some[0].bits[at / PAGE / 8] >>
					  (at / PAGE % 8) & 1 ? 0xa5 : 0,
				  memory[at]);
		ramload_image_close(image);
	}
	free(memory);
}

TEST(refused)
{
	static const struct {
		struct libvirt libvirt;
		int err;
		const char *text;
	} cases[] = {
		{ { .magic = "LibvirtQemudPart" }, -ENODATA, "not completed" },
		{ { .magic = "LibvirtQemudSafe" }, -EINVAL, "not a libvirt" },
		{ { .version = 1 }, -ENOTSUP, "in format \"raw\"" },
		{ { .version = 3 }, -ENOTSUP, "of version 50331648, not 2" },
		{ { .version = 1 << 16 }, -ENOTSUP, "of version 256, not 2" },
		{ { .set_format = true, .format = 0 }, -ENOTSUP, "\"raw\"" },
		{ { .set_format = true, .format = 1 }, -ENOTSUP, "\"gzip\"" },
		{ { .set_format = true, .format = 2 }, -ENOTSUP, "\"bzip2\"" },
		{ { .set_format = true, .format = 3 }, -ENOTSUP, "\"xz\"" },
		{ { .set_format = true, .format = 4 }, -ENOTSUP, "\"lzop\"" },
		{ { .set_format = true, .format = 5 }, -ENOTSUP, "\"zstd\"" },
		{ { .set_format = true, .format = 7 }, -ENOTSUP, "format 7" },
		{ { .set_format = true, .format = -1 }, -ENOTSUP,
		  "format 4294967295" },
		{ { .big = true, .set_format = true, .format = 1 }, -ENOTSUP,
		  "\"gzip\"" },
		{ { .no_data = true }, -EINVAL, "no domain XML" },
		{ { .cookie = LIBVIRT_DATA + 1 }, -EINVAL,
		  "a cookie at 1001 of 1000" },
		{ { .data_length = 999 }, -EINVAL, "not a QEMU stream" },
		{ { .data_length = -1 }, -ENODATA, "the file ends at" },
	};
	size_t i;

	for (i = 0; i < NR(cases); i++) {
		put_libvirt(&cases[i].libvirt, some, NR(some));
		/* Of a length that raw images have. */
		skip_to((file.size + PAGE - 1) & ~(PAGE - 1));
		open_error(_metadata, 0, cases[i].err, cases[i].text);
	}
}

/* Whose offsets count from the start of the file. */
TEST(moved)
{
	static const struct libvirt plain;

	put_libvirt(&plain, some, NR(some));
	memmove(file.data + 512, file.data, file.size);
	memset(file.data, 0, 512);
	file.size += 512;
	open_error(_metadata, 512, -EINVAL, "");
}

TEST(truncated)
{
	static const struct libvirt plain;
	struct ramload_image_error error;
	struct ramload_image *image;
	size_t size;
	int fd, err;

	put_libvirt(&plain, some, NR(some));
	for (size = 1; size < file.spans[0].end; size++) {
		fd = file_fd(size);
		err = open_fd(_metadata, fd, 0, NULL, &image, &error);
		EXPECT_EQ(size < 12 ? -EINVAL : -ENODATA, err);
		close(fd);
	}
}

TEST(flipped)
{
	static const struct libvirt plain;
	int fd;

	put_libvirt(&plain, some, NR(some));
	skip_to((file.size + PAGE - 1) & ~(PAGE - 1));
	fd = file_fd(file.size);
	open_all_flipped(_metadata, fd, 0, 0, LIBVIRT_HEADER);
	open_all_flipped(_metadata, fd, 0, LIBVIRT_HEADER + LIBVIRT_DATA,
			 file.spans[0].end);
	close(fd);
}

TEST_HARNESS_MAIN
