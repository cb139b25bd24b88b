// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Saving: what was saved is what is loaded, zero pages are holes, and a file
 * that is not complete is seen by nobody.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "save_fixture.h"

TEST_F(save, patterns)
{
	static const uint64_t sizes[] = { 1, 64, 65, 2047 };

	for (enum pattern pattern = DENSE; pattern <= RANDOM; pattern++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			add_block(&self->guest, "ram", sizes[i], pattern);
			save_guest(self);
			check_image(_metadata, self->path, &self->guest);
			free_guest(&self->guest);
		}
	}
}

TEST_F(save, several_blocks)
{
	add_block(&self->guest, "pc.ram", 3000, RANDOM);
	add_block(&self->guest, "empty", 700, EMPTY);
	add_block(&self->guest, "0000:00:02.0/vga.vram", 1, DENSE);
	add_block(&self->guest, "/rom@etc/acpi/rsdp", 99, ALTERNATING);
	save_guest(self);
	check_image(_metadata, self->path, &self->guest);
}

/* What is written is the file's, not where it lies in memory. */
TEST_F(save, unaligned_memory)
{
	uint8_t *copy = malloc(300 * PAGE + 8);

	add_block(&self->guest, "ram", 300, RANDOM);
	memcpy(copy + 8, self->guest.memory[0], 300 * PAGE);
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, ramload_save_write(self->save, 0, 0, copy + 8,
					300 * PAGE));
	ASSERT_EQ(0, ramload_save_commit(self->save));
	check_image(_metadata, self->path, &self->guest);
	free(copy);
}

TEST_F(save, page_sizes)
{
	static const uint32_t sizes[] = { 512, 16384, 2 * MiB };
	struct ramload_image_error error;
	struct ramload_image *image;
	int fd;

	add_block(&self->guest, "ram", 1024, RANDOM);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		self->options.page_size = sizes[i];
		save_guest(self);
		fd = open(self->path, O_RDONLY | O_CLOEXEC);
		ASSERT_EQ(0, ramload_image_open(fd, 0, NULL, &image, &error));
		EXPECT_EQ(sizes[i], ramload_image_block(image, 0)->parts->page_size);
		EXPECT_TRUE(loads_as(fd, ramload_image_block(image, 0),
				     self->guest.memory[0]));
		ramload_image_close(image);
		close(fd);
	}
}

/* Blocks by different ways, and pages that are never written. */
TEST_F(save, some_blocks)
{
	const void *memory[2] = {};
	struct ramload_job *job;

	add_block(&self->guest, "first", 100, DENSE);
	add_block(&self->guest, "second", 100, DENSE);
	memory[1] = self->guest.memory[1];
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, ramload_save_memory(self->save, memory, &job));
	ASSERT_EQ(0, ramload_job_wait(job, NULL));
	ramload_job_free(job);
	ASSERT_EQ(0, ramload_save_write(self->save, 0, 7 * PAGE,
					self->guest.memory[0] + 7 * PAGE,
					50 * PAGE));
	memset(self->guest.memory[0], 0, 7 * PAGE);
	memset(self->guest.memory[0] + 57 * PAGE, 0, 43 * PAGE);
	ASSERT_EQ(0, ramload_save_commit(self->save));
	check_image(_metadata, self->path, &self->guest);
}

/* What is written last counts, and a page that became zero is a hole. */
TEST_F(save, written_again)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	int fd;

	add_block(&self->guest, "ram", 130, DENSE);
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, ramload_save_write(self->save, 0, 0, self->guest.memory[0],
					130 * PAGE));
	memset(self->guest.memory[0] + 60 * PAGE, 0, 8 * PAGE);
	ASSERT_EQ(0, ramload_save_write(self->save, 0, 60 * PAGE,
					self->guest.memory[0] + 60 * PAGE,
					8 * PAGE));
	fill_page(self->guest.memory[0] + 62 * PAGE, 1);
	ASSERT_EQ(0, ramload_save_write(self->save, 0, 62 * PAGE,
					self->guest.memory[0] + 62 * PAGE,
					PAGE));
	ASSERT_EQ(0, ramload_save_commit(self->save));
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, ramload_image_open(fd, 0, NULL, &image, &error));
	EXPECT_EQ(123 * PAGE, ramload_image_block(image, 0)->present);
	check_block(_metadata, fd, ramload_image_block(image, 0),
		    &self->guest.blocks[0], self->guest.memory[0], false);
	ramload_image_close(image);
	close(fd);
}

/* A page has to be present, but nothing of what was there before. */
TEST_F(save, zeros_in_the_end)
{
	add_block(&self->guest, "ram", 3, DENSE);
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, ramload_save_write(self->save, 0, 0, self->guest.memory[0],
					3 * PAGE));
	memset(self->guest.memory[0], 0, 3 * PAGE);
	ASSERT_EQ(0, ramload_save_write(self->save, 0, 0, self->guest.memory[0],
					3 * PAGE));
	ASSERT_EQ(0, ramload_save_commit(self->save));
	check_image(_metadata, self->path, &self->guest);
}

#define NR_WRITERS	8

struct writer {
	struct ramload_save *save;
	const uint8_t *memory;
	uint64_t first;
	uint64_t pages;
	int err;
};

/* Every so-manieth page: each word of the bitmap is everybody's. */
static void *write_pages(void *arg)
{
	struct writer *writer = arg;

	for (uint64_t p = writer->first; p < writer->pages; p += NR_WRITERS)
		writer->err = writer->err ?:
			ramload_save_write(writer->save, 0, p * PAGE,
					   writer->memory + p * PAGE, PAGE);
	return NULL;
}

TEST_F(save, concurrent_writes)
{
	struct writer writers[NR_WRITERS];
	pthread_t threads[NR_WRITERS];

	add_block(&self->guest, "ram", 5003, RANDOM);
	ASSERT_EQ(0, save_open(self));
	for (int i = 0; i < NR_WRITERS; i++) {
		writers[i] = (struct writer){
			.save = self->save,
			.memory = self->guest.memory[0],
			.first = i,
			.pages = 5003,
		};
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, write_pages,
					    &writers[i]));
	}
	for (int i = 0; i < NR_WRITERS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, writers[i].err);
	}
	ASSERT_EQ(0, ramload_save_commit(self->save));
	check_image(_metadata, self->path, &self->guest);
}

static void *toggle(void *arg)
{
	uint8_t *page = arg;

	for (uint64_t i = 0; __atomic_load_n(&page[PAGE], __ATOMIC_RELAXED);
	     i++)
		memset(page, i % 2 ? 0x77 : 0, PAGE);
	return NULL;
}

/* A page that changes is what it was at some moments, others are untouched. */
TEST_F(save, memory_changes)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	pthread_t thread;
	uint8_t *page, byte[PAGE];
	int fd;

	add_block(&self->guest, "ram", 1000, DENSE);
	page = self->guest.memory[0] + 500 * PAGE;
	memset(page, 0, PAGE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, toggle, page));
	for (int i = 0; i < 10; i++) {
		save_guest(self);
		fd = open(self->path, O_RDONLY | O_CLOEXEC);
		ASSERT_EQ(0, ramload_image_open(fd, 0, NULL, &image, &error));
		EXPECT_LE(999 * PAGE, ramload_image_block(image, 0)->present);
		ASSERT_EQ(PAGE, pread(fd, byte, PAGE, 500 * PAGE +
			  ramload_image_block(image, 0)->parts->file_offset));
		for (int b = 0; b < PAGE; b++)
			ASSERT_TRUE(!byte[b] || byte[b] == 0x77);
		ramload_image_close(image);
		close(fd);
	}
	/* The page after it is dense: its first byte says to go on. */
	__atomic_store_n(&page[PAGE], 0, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

static int read_tail(const char *path, void *tail, size_t length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t end = lseek(fd, 0, SEEK_END);
	ssize_t n = pread(fd, tail, length, end - length);

	close(fd);
	return n == (ssize_t)length ? 0 : -EIO;
}

TEST_F(save, what_follows)
{
	static const char device[] = "\4\0\0\0\3\7";
	static const char devices[] = "[{\"name\": \"x\"}]";
	char tail[513] = "", *json;
	uint32_t length;

	add_block(&self->guest, "ram", 5, DENSE);
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, save_all(self->save, &self->guest, NULL));
	ASSERT_EQ(0, ramload_save_append(self->save, device, 6));
	ASSERT_EQ(0, ramload_save_end(self->save, devices));
	ASSERT_EQ(0, ramload_save_commit(self->save));
	check_image(_metadata, self->path, &self->guest);

	ASSERT_EQ(0, read_tail(self->path, tail, 512));
	json = memmem(tail, 512, "{\"configuration\"", 16);
	ASSERT_NE(NULL, json);
	length = strlen(json);
	EXPECT_STREQ("\"devices\": [{\"name\": \"x\"}]}", json + length - 27);
	EXPECT_EQ(length, (uint8_t)json[-2] * 256 + (uint8_t)json[-1]);
	EXPECT_EQ(0, memcmp(json - 6, "\0\6\0\0", 4));
	EXPECT_EQ(0, memcmp(json - 12, device, 6));
	EXPECT_EQ(0, memcmp(json - 25, "\0\0\0\0\0\0\0\20\176\0\0\0\2", 13));
}

#define CONFIG	"QEVM\0\0\0\3\7\0\0\0\2q3\5\032configuration/capabilities" \
		"\0\0\0\1\0\0\0\1\012mapped-ram"

/* Configuration, section id and what follows as in another file. */
TEST_F(save, verbatim)
{
	static const char config[] = CONFIG;
	struct ramload_image_error error;
	struct ramload_image *image;
	char tail[14];
	int fd;

	add_block(&self->guest, "ram", 5, DENSE);
	self->options.config = config;
	self->options.config_length = sizeof(config) - 1;
	self->options.section = 0x1234;
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, save_all(self->save, &self->guest, NULL));
	EXPECT_EQ(-EINVAL, ramload_save_end(self->save, "[]"));
	ASSERT_EQ(0, ramload_save_append(self->save, "x", 1));
	ASSERT_EQ(0, ramload_save_commit(self->save));
	check_image(_metadata, self->path, &self->guest);
	ASSERT_EQ(0, read_tail(self->path, tail, 14));
	EXPECT_EQ(0, memcmp(tail, "\0\0\0\0\0\0\0\20\176\0\0\x12\x34x", 14));
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, ramload_image_open(fd, 0, NULL, &image, &error));
	EXPECT_STREQ("q3", ramload_image_machine(image));
	ramload_image_close(image);
	close(fd);
}

TEST_F(save, machine)
{
	struct ramload_image_error error;
	struct ramload_image *image;
	char longest[258] = "";
	int fd;

	memset(longest, 'm', 257);
	add_block(&self->guest, "ram", 5, DENSE);
	self->options.machine = longest;
	EXPECT_EQ(-EINVAL, save_open(self));
	longest[256] = '\0';
	save_guest(self);
	fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, ramload_image_open(fd, 0, NULL, &image, &error));
	EXPECT_STREQ(longest, ramload_image_machine(image));
	ramload_image_close(image);
	close(fd);
}

TEST_F(save, bad_config)
{
	static const char shared[] = CONFIG "\017x-ignore-shared";

	add_block(&self->guest, "ram", 5, DENSE);
	self->options.config = shared;
	self->options.config_length = sizeof(shared) - 1;
	EXPECT_EQ(-EINVAL, save_open(self));
	self->options.config_length = sizeof(CONFIG) - 2;
	EXPECT_EQ(-EINVAL, save_open(self));
	self->options.config = shared + 1;
	self->options.config_length = sizeof(CONFIG) - 2;
	EXPECT_EQ(-EINVAL, save_open(self));
	self->options.config = shared;
	self->options.config_length = 0;
	EXPECT_EQ(-EINVAL, save_open(self));
	self->options.config_length = sizeof(CONFIG) - 1;
	self->options.machine = "q35";
	EXPECT_EQ(-EINVAL, save_open(self));
	self->options.config = NULL;
	EXPECT_EQ(-EINVAL, save_open(self));
}

TEST_F(save, bad_options)
{
	static const uint32_t sizes[] = { 1, 256, 4095, 4097, 4 * MiB };
	struct {
		struct ramload_save_options options;
		uint64_t more;
	} longer = {};

	add_block(&self->guest, "ram", 5, DENSE);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		self->options.page_size = sizes[i];
		EXPECT_EQ(-EINVAL, save_open(self));
		EXPECT_EQ(NULL, self->save);
	}
	self->options.page_size = 0;
	self->options.size--;
	EXPECT_EQ(-EINVAL, save_open(self));
	longer.options.size = sizeof(longer);
	longer.more = 1;
	EXPECT_EQ(-EINVAL, ramload_save_open(self->path, self->guest.blocks, 1,
					     &longer.options, &self->save));
	longer.more = 0;
	EXPECT_EQ(0, ramload_save_open(self->path, self->guest.blocks, 1,
				       &longer.options, &self->save));
}

TEST_F(save, bad_blocks)
{
	struct ramload_save_block *block = self->guest.blocks;
	char name[257];

	memset(name, 'n', 256);
	name[256] = '\0';
	add_block(&self->guest, "ram", 5, DENSE);
	add_block(&self->guest, "ram", 5, DENSE);
	EXPECT_EQ(-EINVAL, save_open(self));
	block[1].name = "";
	EXPECT_EQ(-EINVAL, save_open(self));
	block[1].name = name;
	EXPECT_EQ(-EINVAL, save_open(self));
	block[1].name = name + 1;
	block[1].length = 0;
	EXPECT_EQ(-EINVAL, save_open(self));
	block[1].length = PAGE + 1;
	EXPECT_EQ(-EINVAL, save_open(self));
	block[1].length = (UINT64_C(1) << 63) - PAGE;
	EXPECT_EQ(-EOVERFLOW, save_open(self));
	block[1].length = -(uint64_t)PAGE;
	EXPECT_EQ(-EOVERFLOW, save_open(self));
	block[1].length = (UINT64_C(1) << 63) - 6 * PAGE;
	EXPECT_EQ(-EOVERFLOW, save_open(self));
	block[1].length = 5 * PAGE;
	EXPECT_EQ(0, save_open(self));
	ramload_save_close(self->save);
	EXPECT_EQ(-EINVAL, ramload_save_open(self->path, block, 0, NULL,
					     &self->save));
}

TEST_F(save, bad_writes)
{
	uint8_t *memory;

	add_block(&self->guest, "ram", 5, DENSE);
	memory = self->guest.memory[0];
	ASSERT_EQ(0, save_open(self));
	EXPECT_EQ(-EINVAL, ramload_save_write(self->save, 1, 0, memory, PAGE));
	EXPECT_EQ(-EINVAL, ramload_save_write(self->save, 0, 1, memory, PAGE));
	EXPECT_EQ(-EINVAL, ramload_save_write(self->save, 0, 0, memory, 1));
	EXPECT_EQ(-EINVAL, ramload_save_write(self->save, 0, 5 * PAGE, memory,
					      PAGE));
	EXPECT_EQ(-EINVAL, ramload_save_write(self->save, 0, PAGE, memory,
					      -(uint64_t)PAGE));
	EXPECT_EQ(-EINVAL, ramload_save_write(self->save, 0, -(uint64_t)PAGE,
					      memory, 2 * PAGE));
	EXPECT_EQ(0, ramload_save_write(self->save, 0, 5 * PAGE, memory, 0));
	EXPECT_EQ(0, ramload_save_write(self->save, 0, 0, memory, 5 * PAGE));
	ASSERT_EQ(0, ramload_save_commit(self->save));
	EXPECT_EQ(-EINVAL, ramload_save_write(self->save, 0, 0, memory, PAGE));
	EXPECT_EQ(-EINVAL, ramload_save_append(self->save, "", 1));
	EXPECT_EQ(-EINVAL, ramload_save_commit(self->save));
	check_image(_metadata, self->path, &self->guest);
}

TEST_F(save, bad_places)
{
	char path[PATH_MAX + 300];
	int length = snprintf(path, sizeof(path), "%s/", self->folder);

	add_block(&self->guest, "ram", 5, DENSE);
#define OPEN(at)	ramload_save_open(at, self->guest.blocks, 1, \
					  &self->options, &self->save)
	EXPECT_EQ(-EISDIR, OPEN(self->folder));
	EXPECT_EQ(-EISDIR, OPEN("/"));
	EXPECT_EQ(-ENOENT, OPEN(""));
	strcpy(path + length, "none/image");
	EXPECT_EQ(-ENOENT, OPEN(path));
	strcpy(path + length, "none/");
	EXPECT_EQ(-ENOENT, OPEN(path));
	memset(path + length, 'x', 256);
	path[length + 256] = '\0';
	EXPECT_EQ(-ENAMETOOLONG, OPEN(path));
	EXPECT_EQ(-EINVAL, OPEN("/dev/null"));
	ASSERT_EQ(0, mkfifo(self->path, 0600));
	EXPECT_EQ(-EINVAL, OPEN(self->path));
	ASSERT_EQ(0, unlink(self->path));
	ASSERT_EQ(0, symlink("image", self->path));
	EXPECT_EQ(-ELOOP, OPEN(self->path));
}

/* The file a link leads to is replaced, not the link. */
TEST_F(save, symbolic_link)
{
	char link[PATH_MAX + 16];
	struct stat st;

	snprintf(link, sizeof(link), "%s/link", self->folder);
	ASSERT_EQ(0, symlink("image", link));
	add_block(&self->guest, "ram", 5, DENSE);
	save_guest(self);
	memset(self->guest.memory[0], 0x11, PAGE);
	ASSERT_EQ(0, ramload_save_open(link, self->guest.blocks, 1,
				       &self->options, &self->save));
	ASSERT_EQ(0, save_all(self->save, &self->guest, NULL));
	ASSERT_EQ(0, ramload_save_commit(self->save));
	check_image(_metadata, self->path, &self->guest);
	ASSERT_EQ(0, lstat(link, &st));
	EXPECT_TRUE(S_ISLNK(st.st_mode));
	unlink(link);
}

/* A file is replaced at once, by one that only its owner can read. */
TEST_F(save, replaces)
{
	char magic[4] = "";
	struct stat st;
	int fd;

	fd = open(self->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_EQ(3, write(fd, "old", 3));
	add_block(&self->guest, "ram", 50, RANDOM);
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, save_all(self->save, &self->guest, NULL));
	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(3, st.st_size);
	ASSERT_EQ(0, ramload_save_commit(self->save));
	EXPECT_EQ(3, pread(fd, magic, 4, 0));
	EXPECT_STREQ("old", magic);
	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(0600, st.st_mode & 07777);
	check_image(_metadata, self->path, &self->guest);
	close(fd);
}

TEST_F(save, abort)
{
	add_block(&self->guest, "ram", 50, RANDOM);
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, save_all(self->save, &self->guest, NULL));
	ramload_save_close(self->save);
	self->save = NULL;
	EXPECT_EQ(-1, access(self->path, F_OK));
	ramload_save_close(NULL);
}

TEST_F(save, cancel)
{
	/* It is only ever compared with zeros. */
	const uint64_t endless = 256 * GiB;
	struct ramload_result result;
	const void *memory[1];
	struct ramload_job *job;
	int err;

	self->guest.blocks[0].name = "ram";
	self->guest.blocks[0].length = endless;
	self->guest.memory[0] = map_memory(endless);
	self->guest.nr = 1;
	memory[0] = self->guest.memory[0];
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, ramload_save_memory(self->save, memory, &job));
	EXPECT_EQ(-ECANCELED, ramload_save_commit(self->save));
	do {
		ramload_job_result(job, &result);
		sched_yield();
	} while (!result.bytes_done);
	ramload_job_cancel(job);
	err = ramload_job_wait(job, &result);
	ramload_job_free(job);
	EXPECT_EQ(-ECANCELED, err);
	EXPECT_EQ(endless, result.bytes_total);
	EXPECT_GT(endless, result.bytes_done);
	EXPECT_EQ(-ECANCELED, ramload_save_commit(self->save));
}

TEST_F(save, workers)
{
	struct ramload_job *job;

	add_block(&self->guest, "ram", 50, RANDOM);
	self->options.workers = 100000;
	ASSERT_EQ(0, save_open(self));
	EXPECT_EQ(-EINVAL, ramload_save_memory(self->save, (const void *const *)
					       self->guest.memory, &job));
	EXPECT_EQ(NULL, job);
	ramload_save_close(self->save);
	self->options.workers = 0;
	save_guest(self);
	check_image(_metadata, self->path, &self->guest);
}

/* What a full file system and the like must come to. */
static void check_failed(struct __test_metadata *_metadata,
			 struct ramload_save *save, int err)
{
	struct ramload_save_error error;
	char page[PAGE] = "";

	ramload_save_error(save, &error);
	EXPECT_EQ(err, error.error);
	EXPECT_EQ(0, error.block);
	EXPECT_LE(2 * MiB, error.offset);
	EXPECT_EQ(err, ramload_save_write(save, 0, 0, page, PAGE));
	EXPECT_EQ(err, ramload_save_append(save, page, 1));
	EXPECT_EQ(err, ramload_save_commit(save));
}

TEST_F(save, limit)
{
	struct rlimit limit, old;
	struct ramload_result result;

	signal(SIGXFSZ, SIG_IGN);
	add_block(&self->guest, "ram", 1024, DENSE);
	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	limit = old;
	limit.rlim_cur = 4 * MiB;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_EQ(-EFBIG, save_open(self));
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
	ASSERT_EQ(0, save_open(self));
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_EQ(-EFBIG, save_all(self->save, &self->guest, &result));
	EXPECT_EQ(0, result.error_block);
	EXPECT_LE(2 * MiB, result.error_offset);
	check_failed(_metadata, self->save, -EFBIG);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
}

/* Mounts of this process only. Returns false if that cannot be done. */
static bool mount_alone(const char *place, const char *options)
{
	return !unshare(CLONE_NEWNS) &&
	       !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("tmpfs", place, "tmpfs", 0, options);
}

TEST_F(save, full)
{
	struct ramload_result result;

	if (!mount_alone(self->folder, "size=4m"))
		SKIP(return, "no mounts");
	add_block(&self->guest, "ram", 2048, DENSE);
	ASSERT_EQ(0, save_open(self));
	EXPECT_EQ(-ENOSPC, save_all(self->save, &self->guest, &result));
	EXPECT_EQ(0, result.error_block);
	EXPECT_LE(2 * MiB, result.error_offset);
	check_failed(_metadata, self->save, -ENOSPC);
	ramload_save_close(self->save);
	self->save = NULL;
	EXPECT_EQ(0, left_behind(self->folder, self->path));
	EXPECT_EQ(-1, access(self->path, F_OK));
	umount2(self->folder, MNT_DETACH);
}

/* Without /proc a file has to have a name from the start. */
TEST_F(save, named)
{
	if (!mount_alone("/proc", NULL))
		SKIP(return, "no mounts");
	add_block(&self->guest, "ram", 100, RANDOM);
	ASSERT_EQ(0, save_open(self));
	EXPECT_EQ(1, left_behind(self->folder, self->path));
	ramload_save_close(self->save);
	EXPECT_EQ(0, left_behind(self->folder, self->path));
	save_guest(self);
	check_image(_metadata, self->path, &self->guest);
	umount2("/proc", MNT_DETACH);
}

TEST_HARNESS_MAIN
