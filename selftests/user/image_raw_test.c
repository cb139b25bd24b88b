// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Reader of raw images: holes, and layers over them
 */
#include <pthread.h>
#include <stdatomic.h>

#include "extents.h"
#include "image_check.h"
#include "load_util.h"

#define PAGES	((size_t)67)
#define LAYERS	5

TEST(raw)
{
	struct ramload_image_error error;
	const struct ramload_image_block *b;
	struct ramload_image *image;
	int fd;

	memset(&file, 0, sizeof(file));
	skip_to(5 * PAGE);
	image = open_ok(_metadata, PAGE);
	check_image(_metadata, image);
	EXPECT_STREQ("raw", ramload_image_format(image));
	EXPECT_EQ(NULL, ramload_image_machine(image));
	ASSERT_EQ(1, ramload_image_nr_blocks(image));
	b = ramload_image_block(image, 0);
	EXPECT_STREQ("ram", b->name);
	EXPECT_EQ(RAMLOAD_NO_ADDRESS, b->address);
	EXPECT_EQ(NULL, b->parts->bitmap);
	EXPECT_EQ(4 * PAGE, b->length);
	EXPECT_EQ(4 * PAGE, b->present);
	EXPECT_EQ(PAGE, b->parts->file_offset);
	ramload_image_close(image);

	skip_to(5 * PAGE + 1);
	open_error(_metadata, 0, -EINVAL, "not an image");
	fd = file_fd(file.size);
	ASSERT_EQ(0, open_fd(_metadata, fd, 0, "raw", &image, &error));
	EXPECT_EQ(5 * PAGE + 1, ramload_image_block(image, 0)->length);
	ramload_image_close(image);
	EXPECT_EQ(-EINVAL,
		  open_fd(_metadata, fd, 0, "mapped-ram", &image, &error));
	EXPECT_EQ(-EINVAL, open_fd(_metadata, fd, 0, "qcow\n", &image, &error));
	close(fd);
}

/* Files of pages that are there or not, on file systems that have holes. */
FIXTURE(sparse)
{
	bool data[LAYERS][PAGES];
	uint8_t wanted[PAGES * PAGE];
	unsigned int seed;
	bool holes;
};

FIXTURE_VARIANT(sparse)
{
	bool disk;
};

FIXTURE_VARIANT_ADD(sparse, tmpfs)
{
};

FIXTURE_VARIANT_ADD(sparse, disk)
{
	.disk = true,
};

static int empty_file(bool disk)
{
	return disk ? disk_file() : memfd_create("image", MFD_CLOEXEC);
}

FIXTURE_SETUP(sparse)
{
	int fd = empty_file(variant->disk);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE));
	self->holes = lseek(fd, 0, SEEK_HOLE) == 0;
	close(fd);
	self->seed = 1;
	if (!self->holes)
		SKIP(return, "no holes on this file system");
}

FIXTURE_TEARDOWN(sparse)
{
}

/* One of some patterns, the extreme ones among them. */
static void draw_pages(unsigned int *seed, bool *data)
{
	int kind = rand_r(seed) % 8;
	size_t i;

	for (i = 0; i < PAGES; i++)
		data[i] = kind == 0 ? false : kind == 1 ? true :
			  kind == 2 ? i % 2 : kind == 3 ? i == PAGES - 1 :
			  rand_r(seed) % kind == 0;
}

/* Page @i of file @nr; some of the data is zeros. */
static void make_page(uint8_t *page, size_t nr, size_t i)
{
	memset(page, (nr + i) % 3 ? 1 + (nr * 31 + i) % 255 : 0, PAGE);
}

static int make_file(bool disk, size_t nr, const bool *data, uint64_t start,
		     uint64_t tail)
{
	int fd = empty_file(disk);
	uint8_t page[PAGE];
	size_t i;

	if (fd < 0 || ftruncate(fd, start + PAGES * PAGE + tail))
		abort();
	for (i = 0; i < PAGES; i++) {
		make_page(page, nr, i);
		if (data[i] && pwrite(fd, page, PAGE, start + i * PAGE) !=
				       (ssize_t)PAGE)
			abort();
	}
	return fd;
}

/* What a byte by byte merge gives. */
static void merge(uint8_t *wanted, size_t nr, const bool *data)
{
	size_t i;

	for (i = 0; i < PAGES; i++) {
		if (data[i])
			make_page(wanted + i * PAGE, nr, i);
	}
}

static uint64_t count(const bool *data)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < PAGES; i++)
		n += data[i];
	return n;
}

static void check_load(struct __test_metadata *_metadata,
		       const struct ramload_image *image,
		       const uint8_t *wanted)
{
	uint64_t length = ramload_image_block(image, 0)->length;
	void *memory = calloc(1, length);

	load_image(_metadata, image, &memory);
	EXPECT_EQ(0, memcmp(memory, wanted, length));
	free(memory);
}

TEST_F(sparse, holes)
{
	const bool *data = self->data[0];
	const struct ramload_image_part *part;
	struct ramload_image_error error;
	struct ramload_image *image;
	size_t round, i;
	int fd;

	for (round = 0; round < 60; round++) {
		draw_pages(&self->seed, self->data[0]);
		memset(self->wanted, 0, sizeof(self->wanted));
		merge(self->wanted, 0, data);
		fd = make_file(variant->disk, 0, data, 0, 0);
		ASSERT_EQ(777, lseek(fd, 777, SEEK_SET));
		ASSERT_EQ(0, open_fd(_metadata, fd, 0, NULL, &image, &error));
		EXPECT_EQ(777, lseek(fd, 0, SEEK_CUR));
		check_image(_metadata, image);
		part = ramload_image_block(image, 0)->parts;
		EXPECT_EQ(count(data) == PAGES, !part->bitmap);
		for (i = 0; i < PAGES; i++)
			EXPECT_EQ(data[i], bit(part->bitmap, i));
		check_load(_metadata, image, self->wanted);
		ramload_image_close(image);
		close(fd);
	}
}

/* What is left over after the last whole page is there, hole or not. */
TEST_F(sparse, odd_length)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	uint64_t tail;
	int fd;

	for (tail = 0; tail < PAGE; tail += 511) {
		self->data[0][3] = true;
		fd = make_file(variant->disk, 0, self->data[0], 0, tail);
		ASSERT_EQ(0, open_fd(_metadata, fd, 0, "raw", &image, &error));
		check_image(_metadata, image);
		EXPECT_EQ(PAGES * PAGE + tail,
			  ramload_image_block(image, 0)->length);
		EXPECT_EQ(PAGE + tail, ramload_image_block(image, 0)->present);
		ramload_image_close(image);
		close(fd);
	}
	fd = empty_file(variant->disk);
	ASSERT_EQ(0, ftruncate(fd, 100));
	ASSERT_EQ(0, open_fd(_metadata, fd, 0, "raw", &image, &error));
	EXPECT_EQ(100, ramload_image_block(image, 0)->present);
	ramload_image_close(image);
	close(fd);
}

/* Pages of the image that are not pages of the file. */
TEST_F(sparse, odd_offset)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	struct extents extents;
	int fd;

	self->data[0][5] = true;
	fd = make_file(variant->disk, 0, self->data[0], 0, 100);
	ASSERT_EQ(0, open_fd(_metadata, fd, 100, NULL, &image, &error));
	check_image(_metadata, image);
	EXPECT_EQ(2 * PAGE, ramload_image_block(image, 0)->present);
	memset(self->wanted, 0, sizeof(self->wanted));
	memset(self->wanted + 5 * PAGE - 100, 6, PAGE);
	check_load(_metadata, image, self->wanted);
	ramload_image_close(image);

	ASSERT_EQ(0, extents_find(&extents, fd, 100, 60 * PAGE));
	EXPECT_EQ(5 * PAGE - 100, extents.split);
	free(extents.bitmap);
	ASSERT_EQ(0, extents_find(&extents, fd, 5 * PAGE + 512, 10 * PAGE));
	EXPECT_EQ(PAGE - 512, extents.split);
	free(extents.bitmap);
	ASSERT_EQ(0, extents_find(&extents, fd, 0, 60 * PAGE));
	EXPECT_EQ(UINT64_MAX, extents.split);
	free(extents.bitmap);
	close(fd);
}

/* A file may be as long as it likes, and still cost little. */
TEST(long_files)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	int fd = empty_file(false), shift;

	ASSERT_EQ(1, pwrite(fd, "x", 1, 5 * PAGE));
	for (shift = 30; shift < 63; shift += 4) {
		ASSERT_EQ(0, ftruncate(fd, (1ULL << shift) + 8 * PAGE));
		ASSERT_EQ(0, open_fd(_metadata, fd, 0, NULL, &image, &error));
		EXPECT_EQ((1ULL << shift) + 8 * PAGE,
			  ramload_image_block(image, 0)->length);
		EXPECT_EQ(shift < 44 ? PAGE : (1ULL << shift) + 8 * PAGE,
			  ramload_image_block(image, 0)->present);
		ramload_image_close(image);
	}
	close(fd);
}

/* So long that several threads look for its holes. */
TEST(many_holes)
{
	struct ramload_image_error error;
	const struct ramload_image_part *part;
	struct ramload_image *image;
	int fd = empty_file(false);
	uint64_t pages = 3 << 16, i;

	ASSERT_EQ(0, ftruncate(fd, pages * PAGE));
	for (i = 0; i < pages; i += 1 + i % 509)
		ASSERT_EQ(1, pwrite(fd, "x", 1, i * PAGE + i % PAGE));
	ASSERT_EQ(0, open_fd(_metadata, fd, 0, NULL, &image, &error));
	part = ramload_image_block(image, 0)->parts;
	for (i = 0; i < pages; i++) {
		off_t data = lseek(fd, i * PAGE, SEEK_DATA);

		ASSERT_EQ(data == (off_t)(i * PAGE), bit(part->bitmap, i));
	}
	ramload_image_close(image);
	close(fd);
}

TEST_F(sparse, layers)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	size_t round, nr, i;
	char name[32];
	int fd, err;

	for (round = 0; round < 40; round++) {
		memset(self->wanted, 0, sizeof(self->wanted));
		nr = 1 + round % LAYERS;
		for (i = 0; i < nr; i++) {
			draw_pages(&self->seed, self->data[i]);
			merge(self->wanted, i, self->data[i]);
			fd = make_file(variant->disk, i, self->data[i], 0, 0);
			snprintf(name, sizeof(name), "layer %zu", i);
			err = i ? ramload_image_add_layer(image, fd, name,
							  &error) :
				  open_fd(_metadata, fd, 0, "raw", &image,
					  &error);
			ASSERT_EQ(0, err);
			close(fd);
		}
		check_image(_metadata, image);
		EXPECT_EQ(1, ramload_image_nr_blocks(image));
		EXPECT_EQ(nr, ramload_image_nr_files(image));
		EXPECT_EQ(nr, ramload_image_block(image, 0)->nr_parts);
		for (i = 1; i < nr; i++) {
			snprintf(name, sizeof(name), "layer %zu", i);
			EXPECT_STREQ(name, ramload_image_file_name(image, i));
		}
		check_load(_metadata, image, self->wanted);
		ramload_image_close(image);
	}
}

/* What a layer has replaces what the image has, all of it if need be. */
TEST_F(sparse, whole_and_empty_layers)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	const struct ramload_image_block *b;
	int whole, empty;

	memset(self->data[1], true, sizeof(self->data[1]));
	empty = make_file(variant->disk, 0, self->data[0], 0, 0);
	whole = make_file(variant->disk, 1, self->data[1], 0, 0);
	ASSERT_EQ(0, open_fd(_metadata, whole, 0, NULL, &image, &error));
	ASSERT_EQ(0, ramload_image_add_layer(image, empty, NULL, NULL));
	b = ramload_image_block(image, 0);
	EXPECT_EQ(PAGES * PAGE, b->present);
	EXPECT_EQ(NULL, ramload_image_file_name(image, 1));
	ASSERT_EQ(0, ramload_image_add_layer(image, whole, "w", NULL));
	EXPECT_EQ(PAGES * PAGE, b->present);
	EXPECT_TRUE(bit(b->parts[2].bitmap, 0));
	EXPECT_FALSE(bit(b->parts[0].bitmap, 0));
	check_image(_metadata, image);
	ramload_image_close(image);
	close(whole);
	close(empty);
}

static void layer_error(struct __test_metadata *_metadata,
			struct ramload_image *image, int fd, const char *name,
			int wanted, const char *text)
{
	size_t files = ramload_image_nr_files(image);
	struct ramload_image_error error;

	memset(&error, 0xff, sizeof(error));
	EXPECT_EQ(wanted, ramload_image_add_layer(image, fd, name, &error))
		TH_LOG("wanted: %s", text);
	check_error(_metadata, &error);
	EXPECT_NE(NULL, strstr(error.text, text))
		TH_LOG("%s, not: %s", error.text, text);
	EXPECT_EQ(files, ramload_image_nr_files(image));
	check_image(_metadata, image);
}

TEST_F(sparse, bad_layers)
{
	static const char name[] = 
		"/a/very/long/path/whose/beginning/matters/to/nobody/if/its/end/is/seen/layer\n1";
	struct ramload_image_error error;
	struct ramload_image *image;
	char wide[100] = "";
	int base, fd, fds[2];

	base = make_file(variant->disk, 0, self->data[0], 0, 0);
	ASSERT_EQ(0, open_fd(_metadata, base, 0, NULL, &image, &error));
	fd = make_file(variant->disk, 0, self->data[0], 0, PAGE);
	layer_error(_metadata, image, fd, "mem.1", -EINVAL,
		    "mem.1: offset 278528: a layer of 278528 bytes over an image of 274432");
	layer_error(_metadata, image, fd, name, -EINVAL,
		    "/is/seen/layer\\x0a1: offset 278528: a layer of");
	memset(wide, 0xc3, sizeof(wide) - 1);
	layer_error(_metadata, image, fd, wide, -EINVAL, "...: offset 278528");
	ASSERT_EQ(0, ftruncate(fd, PAGES * PAGE - 1));
	layer_error(_metadata, image, fd, NULL, -EINVAL,
		    "offset 274431: a layer of 274431 bytes");
	ASSERT_EQ(0, ftruncate(fd, 0));
	layer_error(_metadata, image, fd, "x", -EINVAL, "a layer of 0 bytes");
	close(fd);
	layer_error(_metadata, image, -1, "x", -EBADF, "x: Bad file");
	fd = open("/", O_RDONLY | O_CLOEXEC);
	layer_error(_metadata, image, fd, "x", -EISDIR, "x: is a directory");
	close(fd);
	ASSERT_EQ(0, pipe(fds));
	layer_error(_metadata, image, fds[0], "x", -EINVAL, "x: neither");
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(0, ramload_image_add_layer(image, base, NULL, NULL));
	ramload_image_close(image);
	close(base);
}

TEST(layers_of_others)
{
	static const struct block b = BLOCK("r", 3 * PAGE, .bits = { 5 });
	static const struct stream plain;
	struct ramload_image_error error;
	struct ramload_image *image;
	int fd = empty_file(false);

	put_stream(&plain, &b, 1);
	image = open_ok(_metadata, 0);
	ASSERT_EQ(0, ftruncate(fd, 3 * PAGE));
	layer_error(_metadata, image, fd, "l", -ENOTSUP,
		    "l: offset 0: a layer over an image of format mapped-ram");
	ramload_image_close(image);

	/* Not made of whole pages. */
	ASSERT_EQ(0, ftruncate(fd, 3 * PAGE + 1));
	ASSERT_EQ(0, open_fd(_metadata, fd, 0, "raw", &image, &error));
	layer_error(_metadata, image, fd, "l", -EINVAL,
		    "not a multiple of 4096");
	ramload_image_close(image);
	close(fd);
}

struct changer {
	int fd;
	atomic_bool stop;
};

static void *change(void *arg)
{
	struct changer *c = arg;
	unsigned int seed = 7;

	while (!c->stop) {
		off_t at = rand_r(&seed) % (1 << 20);

		if (pwrite(c->fd, "x", 1, at) != 1 ||
		    fallocate(c->fd, FALLOC_FL_PUNCH_HOLE |
				     FALLOC_FL_KEEP_SIZE,
			      rand_r(&seed) % (1 << 20), 9 * PAGE) ||
		    (rand_r(&seed) % 8 == 0 &&
		     ftruncate(c->fd, rand_r(&seed) % 256 * PAGE)) ||
		    ftruncate(c->fd, 1 << 20))
			abort();
	}
	return NULL;
}

/* Whatever becomes of it, what is returned is in order in itself. */
TEST(file_that_changes)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	struct changer c = { .fd = empty_file(false) };
	const struct ramload_image_part *part;
	size_t round, opened = 0;
	pthread_t thread;
	int err;

	ASSERT_EQ(0, ftruncate(c.fd, 1 << 20));
	ASSERT_EQ(0, pthread_create(&thread, NULL, change, &c));
	for (round = 0; round < 1000; round++) {
		err = open_fd(_metadata, c.fd, 0, "raw", &image, &error);
		EXPECT_TRUE(!err || err == -ENODATA);
		if (err)
			continue;
		opened++;
		part = ramload_image_block(image, 0)->parts;
		EXPECT_LE(ramload_image_block(image, 0)->length, 1 << 20);
		EXPECT_LE(ramload_image_block(image, 0)->present, 1 << 20);
		EXPECT_NE(0, part->length);
		err = ramload_image_add_layer(image, c.fd, "same", &error);
		EXPECT_TRUE(!err || err == -ENODATA || err == -EINVAL);
		ramload_image_close(image);
	}
	c.stop = true;
	pthread_join(thread, NULL);
	EXPECT_NE(0, opened);
	close(c.fd);
}

TEST_HARNESS_MAIN
