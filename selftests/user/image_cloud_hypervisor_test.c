// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Images of Cloud Hypervisor: valid ones, and such as somebody has tampered
 * with
 */
#include <sys/wait.h>

#include "directory_reader.h"

/* Of what takes some seconds by itself; for a machine that is busy. */
#define TIMEOUT 600

FIXTURE(cloud_hypervisor)
{
	char path[64];
	int dir;
};

FIXTURE_SETUP(cloud_hypervisor)
{
	self->dir = make_directory(self->path);
}

FIXTURE_TEARDOWN(cloud_hypervisor)
{
	remove_directory(self->dir, self->path);
}

static const struct range some[] = {
	{ 0x100000000, 5 * PAGE },
	{ 0, 3 * PAGE },
	{ 0x3000, PAGE },
};

#define SOME_PAGES 9

static uint8_t byte_of(uint64_t offset)
{
	return (offset >> 12) * 31 + offset * 7 + 1;
}

static void write_memory(int dir, uint64_t size)
{
	uint8_t *data = malloc(size + 1);
	uint64_t i;

	must(data);
	for (i = 0; i < size; i++)
		data[i] = byte_of(i);
	write_file(dir, "memory-ranges", data, size);
	free(data);
}

static void write_state(int dir, const struct range *ranges, size_t nr)
{
	struct bytes b = { 0 };

	put_state(&b, ranges, nr);
	write_bytes(dir, "state.json", &b);
	drop(&b);
}

static void write_some(int dir)
{
	write_file(dir, "config.json", "{}", 2);
	write_state(dir, some, NR(some));
	write_memory(dir, SOME_PAGES * PAGE);
}

static void expect_some(struct __test_metadata *_metadata,
			const struct ramload_image *image)
{
	static const char *const names[] = { "0x100000000", "0x0", "0x3000" };
	uint64_t at = 0, j;
	uint8_t **dests;
	size_t i;

	EXPECT_STREQ("cloud-hypervisor", ramload_image_format(image));
	ASSERT_EQ(3, ramload_image_nr_blocks(image));
	ASSERT_EQ(2, ramload_image_nr_files(image));
	EXPECT_STREQ("memory-ranges", ramload_image_file_name(image, 1));
	for (i = 0; i < NR(some); i++) {
		const struct ramload_image_block *b;

		b = ramload_image_block(image, i);
		EXPECT_STREQ(names[i], b->name);
		EXPECT_EQ(some[i].gpa, b->address);
		EXPECT_EQ(some[i].length, b->length);
	}
	dests = load(_metadata, image, RAMLOAD_ENGINE_USER);
	for (i = 0; i < NR(some); i++) {
		for (j = 0; j < some[i].length; j++)
			ASSERT_EQ(byte_of(at++), dests[i][j]);
	}
	unload(image, dests);
}

TEST_F(cloud_hypervisor, blocks)
{
	struct ramload_image *image;

	write_some(self->dir);
	image = open_ok(_metadata, self->dir);
	expect_some(_metadata, image);
	ramload_image_close(image);
}

/* The state of the memory manager as an object, and a newline at the end. */
TEST_F(cloud_hypervisor, state_as_object)
{
	struct ramload_image *image;
	struct bytes b = { 0 };

	write_some(self->dir);
	put_text(&b, "{\"snapshots\":{\"memory-manager\":{\"snapshot_data\":{\"state\":");
	put_manager(&b, some, NR(some));
	put_text(&b, "}}}}\n");
	write_bytes(self->dir, "state.json", &b);
	drop(&b);
	image = open_ok(_metadata, self->dir);
	expect_some(_metadata, image);
	ramload_image_close(image);
}

/* All memory is in files that the user named: no other file is written. */
TEST_F(cloud_hypervisor, nothing_saved)
{
	struct ramload_image *image;

	write_state(self->dir, NULL, 0);
	image = open_ok(_metadata, self->dir);
	EXPECT_EQ(0, ramload_image_nr_blocks(image));
	EXPECT_EQ(1, ramload_image_nr_files(image));
	ramload_image_close(image);
}

TEST_F(cloud_hypervisor, missing_files)
{
	write_some(self->dir);
	must(!unlinkat(self->dir, "config.json", 0));
	ramload_image_close(open_ok(_metadata, self->dir));
	must(!unlinkat(self->dir, "memory-ranges", 0));
	open_error(_metadata, self->dir, -ENOENT,
		   "memory-ranges: No such file or directory");
	write_some(self->dir);
	must(!unlinkat(self->dir, "state.json", 0));
	open_error(_metadata, self->dir, -ENOENT,
		   "state.json: No such file or directory");
	must(!unlinkat(self->dir, "memory-ranges", 0));
	open_error(_metadata, self->dir, -EISDIR, "without anything known");
}

TEST_F(cloud_hypervisor, special_files)
{
	static const char *const names[] = { "state.json", "memory-ranges" };
	size_t i;

	for (i = 0; i < NR(names); i++) {
		write_some(self->dir);
		open_special(_metadata, self->dir, names[i]);
	}
}

TEST_F(cloud_hypervisor, memory_of_other_length)
{
	write_some(self->dir);
	write_memory(self->dir, SOME_PAGES * PAGE - 1);
	open_error(_metadata, self->dir, -ENODATA,
		   "memory-ranges: offset 36863: the file ends, before 36864");
	write_memory(self->dir, 0);
	open_error(_metadata, self->dir, -ENODATA, "offset 0: the file ends");
	write_memory(self->dir, SOME_PAGES * PAGE + 1);
	open_error(_metadata, self->dir, -EINVAL,
		   "memory-ranges: offset 36864: more than the 36864 bytes");
}

TEST_F_TIMEOUT(cloud_hypervisor, truncated, TIMEOUT)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	struct bytes b = { 0 };
	size_t size;

	write_some(self->dir);
	put_state(&b, some, NR(some));
	for (size = 0; size < b.size; size++) {
		write_file(self->dir, "state.json", b.data, size);
		ASSERT_EQ(-ENODATA, open_any(_metadata, self->dir, &image,
					     &error))
			TH_LOG("%zu bytes: %s", size, error.text);
	}
	drop(&b);
}

/* The same of the document inside. */
TEST_F_TIMEOUT(cloud_hypervisor, manager_truncated, TIMEOUT)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	struct bytes b = { 0 }, m = { 0 };
	size_t size, whole;

	write_some(self->dir);
	put_manager(&m, some, NR(some));
	whole = m.size;
	for (size = 0; size < whole; size++) {
		m.size = size;
		put_state_of(&b, &m);
		write_bytes(self->dir, "state.json", &b);
		drop(&b);
		ASSERT_EQ(-ENODATA, open_any(_metadata, self->dir, &image,
					     &error));
	}
	drop(&m);
}

TEST_F_TIMEOUT(cloud_hypervisor, flipped, TIMEOUT)
{
	static const uint8_t masks[] = {
		0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff,
	};
	struct ramload_image_error error;
	struct ramload_image *image;
	struct bytes b = { 0 };
	size_t at, i;

	write_some(self->dir);
	put_state(&b, some, NR(some));
	for (at = 0; at < b.size; at++) {
		for (i = 0; i < NR(masks); i++) {
			b.data[at] ^= masks[i];
			write_bytes(self->dir, "state.json", &b);
			open_any(_metadata, self->dir, &image, &error);
			ramload_image_close(image);
			b.data[at] ^= masks[i];
		}
	}
	drop(&b);
}

TEST_F(cloud_hypervisor, bad_ranges)
{
	static const struct {
		struct range ranges[3];
		int err;
		const char *text;
	} cases[] = {
		{ { { 0, PAGE }, { PAGE, 0 }, { 3 * PAGE, PAGE } }, -EINVAL,
		  "memory range 1: no place for 0 bytes at 0x1000" },
		{ { { 0, PAGE }, { 0, PAGE }, { 3 * PAGE, PAGE } }, -EINVAL,
		  "memory ranges at 0 and 0 overlap" },
		{ { { 3 * PAGE, PAGE }, { 0, PAGE }, { 2 * PAGE, PAGE + 1 } },
		  -EINVAL, "memory ranges at 0x2000 and 0x3000 overlap" },
		{ { { 0, 9 * PAGE }, { PAGE, PAGE }, { 10 * PAGE, PAGE } },
		  -EINVAL, "memory ranges at 0 and 0x1000 overlap" },
		{ { { 0, INT64_MAX }, { INT64_MAX, 1 } }, -EINVAL,
		  "memory range 1: no place" },
		{ { { INT64_MAX, PAGE } }, -EINVAL, "memory range 0: no place" },
		{ { { 1, INT64_MAX } }, -EINVAL, "memory range 0: no place" },
		{ { { UINT64_MAX, 1 } }, -EINVAL, "memory range 0: no place" },
		{ { { UINT64_MAX, UINT64_MAX } }, -EINVAL,
		  "memory range 0: no place" },
		{ { { 0, 1ULL << 63 } }, -EINVAL, "memory range 0: no place" },
		{ { { 0, 1ULL << 62 }, { 1ULL << 62, (1ULL << 62) - 1 },
		    { 0, 1ULL << 62 } }, -EINVAL,
		  "memory range 2: 4611686018427387904 bytes are too many" },
		{ { { 0, 1ULL << 62 }, { 1ULL << 62, 1 }, { INT64_MAX - 1, 1 } },
		  -ENODATA, "the file ends" },
	};
	size_t i;

	write_some(self->dir);
	for (i = 0; i < NR(cases); i++) {
		write_state(self->dir, cases[i].ranges, 3);
		open_error(_metadata, self->dir, cases[i].err, cases[i].text);
	}
}

TEST_F(cloud_hypervisor, bad_numbers)
{
	static const char *const ranges[] = {
		"", "{}", "[]", "null", "7", "{\"gpa\":0}", "{\"length\":1}",
		"{\"gpa\":-1,\"length\":1}", "{\"gpa\":0,\"length\":-4096}",
		"{\"gpa\":0,\"length\":1e3}", "{\"gpa\":0,\"length\":\"1\"}",
		"{\"gpa\":0,\"length\":4096.0}", "{\"gpa\":null,\"length\":1}",
		"{\"gpa\":true,\"length\":1}", "{\"gpa\":{},\"length\":[]}",
		"{\"gpa\":0,\"length\":18446744073709551616}",
		"{\"gpa\":0,\"length\":99999999999999999999999999}",
	};
	struct bytes b = { 0 }, m = { 0 };
	size_t i;

	write_some(self->dir);
	for (i = 1; i < NR(ranges); i++) {
		put_text(&m, "{\"memory_ranges\":{\"data\":[%s]}}", ranges[i]);
		put_state_of(&b, &m);
		write_bytes(self->dir, "state.json", &b);
		drop(&b);
		drop(&m);
		open_error(_metadata, self->dir, -EINVAL,
			   i < 15 ? "memory range 0: gpa and length are not" :
				    "state.json: ");
	}
}

TEST_F(cloud_hypervisor, bad_states)
{
	static const struct {
		const char *state;
		int err;
		const char *text;
	} cases[] = {
		{ "x", -EINVAL, "state.json: offset 0: state: no JSON" },
		{ "{}", -EINVAL, "not of Cloud Hypervisor" },
		{ "[]", -EINVAL, "not of Cloud Hypervisor" },
		{ "null ", -EINVAL, "not of Cloud Hypervisor" },
		{ "{\"snapshots\":[]}", -EINVAL, "not of Cloud Hypervisor" },
		{ "{\"snapshots\":{\"memory-manager\":{}}}", -EINVAL,
		  "no state of the memory manager" },
		{ "{\"snapshots\":{\"memory-manager\":{\"snapshot_data\":null}}}",
		  -EINVAL, "no state of the memory manager" },
		{ "{\"snapshots\":{\"memory-manager\":{\"snapshot_data\":{\"state\":\"{}\"}}}}",
		  -EINVAL, "no memory_ranges in the state" },
		{ "{\"snapshots\":{\"memory-manager\":{\"snapshot_data\":{\"state\":7}}}}",
		  -EINVAL, "no memory_ranges in the state" },
		{ "{\"snapshots\":{\"memory-manager\":{\"snapshot_data\":{\"state\":\"\\u0000{}\"}}}}",
		  -EINVAL, "memory manager: no JSON" },
		{ "{\"snapshots\":{\"memory-manager\":{\"snapshot_data\":{\"state\":\"{\\\"memory_ranges\\\":{\\\"data\\\":{}}}\"}}}}",
		  -EINVAL, "no memory_ranges in the state" },
		{ "{\"snapshots\":{\"memory-manager\":{\"snapshot_data\":[1,0,7]}}}",
		  -ENOTSUP, "written by a Cloud Hypervisor before 39.0" },
		{ "{\"id\":\"vm\",\"snapshots\":{\"memory-manager\":{\"id\":\"memory-manager\",\"snapshots\":{},\"snapshot_data\":{\"memory-manager-section\":{\"id\":\"memory-manager-section\",\"snapshot\":[1,0]}}}}}",
		  -ENOTSUP, "written by a Cloud Hypervisor before 39.0" },
		{ "{} {}", -EINVAL, "state.json: offset 3: state: something follows" },
		{ "{\"a\":1,}", -EINVAL, "no JSON" },
	};
	size_t i;

	write_some(self->dir);
	for (i = 0; i < NR(cases); i++) {
		write_file(self->dir, "state.json", cases[i].state,
			   strlen(cases[i].state));
		open_error(_metadata, self->dir, cases[i].err, cases[i].text);
	}
}

TEST_F_TIMEOUT(cloud_hypervisor, deep, TIMEOUT)
{
	struct bytes b = { 0 };
	int i;

	write_some(self->dir);
	for (i = 0; i < 1000; i++)
		put_u8(&b, '[');
	write_bytes(self->dir, "state.json", &b);
	open_error(_metadata, self->dir, -EINVAL, "nesting too deep");
	for (; i < 1000000; i++)
		put_u8(&b, '[');
	write_bytes(self->dir, "state.json", &b);
	drop(&b);
	open_error(_metadata, self->dir, -ENOTSUP, "more values");
}

/* A file of zeros takes no room, and is not read if it is too large. */
TEST_F(cloud_hypervisor, large_state)
{
	int fd;

	write_some(self->dir);
	fd = openat(self->dir, "state.json", O_WRONLY);
	must(!ftruncate(fd, 1ULL << 40));
	open_error(_metadata, self->dir, -ENOTSUP,
		   "1099511627776 bytes of state, more than 16777216");
	must(!ftruncate(fd, 16 << 20));
	open_error(_metadata, self->dir, -EINVAL, "state.json: offset");
	close(fd);
}

/* As many ranges as there is room for, in an order that is none. */
TEST_F_TIMEOUT(cloud_hypervisor, many_ranges, TIMEOUT)
{
	size_t i, nr = 100000;
	struct range *ranges = calloc(nr, sizeof(*ranges));
	struct ramload_image *image;
	int fd;

	must(ranges);
	for (i = 0; i < nr; i++)
		ranges[i] = (struct range){ i * 7919 % nr * PAGE, PAGE };
	write_state(self->dir, ranges, nr);
	write_memory(self->dir, 0);
	fd = openat(self->dir, "memory-ranges", O_WRONLY);
	must(!ftruncate(fd, nr * PAGE));
	close(fd);
	image = open_ok(_metadata, self->dir);
	EXPECT_EQ(nr, ramload_image_nr_blocks(image));
	ramload_image_close(image);
	ranges[nr - 1].length++;
	write_state(self->dir, ranges, nr);
	open_error(_metadata, self->dir, -EINVAL, "overlap");
	free(ranges);
}

/* A directory with marks of both is that of which the parts are probed first. */
TEST_F(cloud_hypervisor, by_name)
{
	struct ramload_image_error error;
	struct ramload_image *image;

	write_some(self->dir);
	EXPECT_EQ(0, ramload_image_open(self->dir, 0, "cloud-hypervisor",
					&image, &error));
	ramload_image_close(image);
	write_file(self->dir, "pagemap-1.img", "x", 1);
	EXPECT_EQ(0, ramload_image_open(self->dir, 0, "cloud-hypervisor",
					&image, &error));
	ramload_image_close(image);
	open_error(_metadata, self->dir, -ENODATA, "pagemap-1.img");
}

/* The loader looks where it is told to first, and finds nothing of use. */
static void run_without_json_c(const char *path)
{
	setenv("LD_LIBRARY_PATH", path, 1);
	execl("/proc/self/exe", "test", "-t", "without_json_c", NULL);
	_exit(1);
}

TEST_F(cloud_hypervisor, without_json_c)
{
	const char *path = getenv("LD_LIBRARY_PATH");
	int status;
	pid_t pid;

	write_some(self->dir);
	if (path && strstr(path, "/tmp/ramload_test.")) {
		open_error(_metadata, self->dir, -ENOTSUP,
			   "state.json: to be read, it takes libjson-c.so.5");
		return;
	}
	write_file(self->dir, "libjson-c.so.5", "no library", 10);
	pid = fork();
	if (!pid)
		run_without_json_c(self->path);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
