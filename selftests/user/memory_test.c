// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Every kind of memory: aligned, zeroed, writable, shared with its file or
 * without one; and nothing left behind.
 */
#include "load_util.h"
#include "kselftest_harness.h"

#define ALIGN	(2 * MiB)

FIXTURE(memory)
{
	struct ramload_memory *memory;
};

FIXTURE_VARIANT(memory)
{
	enum ramload_memory_kind kind;
	const char *name;
	bool has_file;
	uint64_t page_size;
};

#define KIND(id, constant, string, file, page)		\
FIXTURE_VARIANT_ADD(memory, id)				\
{							\
	.kind = RAMLOAD_MEMORY_ ## constant,		\
	.name = string,					\
	.has_file = file,				\
	.page_size = page,				\
}

KIND(ramload, RAMLOAD, "ramload", true, 2 * MiB);
KIND(memfd, MEMFD, "memfd", true, 4096);
KIND(tmpfs_huge, TMPFS_HUGE, "tmpfs-huge", true, 2 * MiB);
KIND(anon, ANON, "anon", false, 4096);
KIND(thp, THP, "thp", false, 2 * MiB);
KIND(hugetlb, HUGETLB, "hugetlb", true, 2 * MiB);

static int alloc(enum ramload_memory_kind kind, uint64_t length,
		 struct ramload_memory **memory)
{
	*memory = (void *)-1;
	return ramload_memory_alloc(kind, length, memory);
}

static bool kernel_has(const char *feature)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/mm/%s", feature);
	return !access(path, F_OK);
}

FIXTURE_SETUP(memory)
{
	int err = alloc(variant->kind, 3 * MiB, &self->memory);

	if (err)
		ASSERT_EQ(NULL, self->memory);
	if (variant->kind == RAMLOAD_MEMORY_TMPFS_HUGE &&
	    (err == -EPERM || !kernel_has("transparent_hugepage")))
		SKIP(return, "may not mount, or no huge pages");
	if (variant->kind == RAMLOAD_MEMORY_HUGETLB &&
	    (err == -ENOMEM || !kernel_has("hugepages")))
		SKIP(return, "no free huge pages");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(memory)
{
	ramload_memory_free(self->memory);
}

TEST_F(memory, is_aligned_and_zero)
{
	uint8_t *p = ramload_memory_address(self->memory);

	EXPECT_EQ(0, (uintptr_t)p % ALIGN);
	for (uint64_t i = 0; i < 3 * MiB; i += 4096)
		ASSERT_EQ(0, p[i]);
	memset(p, FRESH, 3 * MiB);
	EXPECT_TRUE(is_fresh(p, 3 * MiB));
}

TEST_F(memory, file)
{
	uint8_t *p = ramload_memory_address(self->memory);
	int fd = ramload_memory_fd(self->memory);
	uint64_t page = variant->page_size;
	struct stat st;
	char byte;

	if (!variant->has_file) {
		EXPECT_EQ(-1, fd);
		return;
	}
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ((3 * MiB + page - 1) / page * page, (uint64_t)st.st_size);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	p[2 * MiB + 77] = 'x';
	if (variant->kind == RAMLOAD_MEMORY_HUGETLB)
		return;
	ASSERT_EQ(1, pread(fd, &byte, 1, 2 * MiB + 77));
	EXPECT_EQ('x', byte);
}

TEST_F(memory, odd_lengths)
{
	static const uint64_t lengths[] = { 1, 4095, 4097, 2 * MiB + 1 };

	for (unsigned int i = 0; i < 4; i++) {
		struct ramload_memory *memory;
		int err = alloc(variant->kind, lengths[i], &memory);
		uint8_t *p;

		if (variant->kind == RAMLOAD_MEMORY_HUGETLB && err == -ENOMEM)
			SKIP(return, "too few free huge pages");
		ASSERT_EQ(0, err);
		p = ramload_memory_address(memory);
		EXPECT_EQ(0, (uintptr_t)p % ALIGN);
		p[0] = 1;
		p[lengths[i] - 1] = 2;
		ramload_memory_free(memory);
	}
}

TEST_F(memory, untouched_pages_take_nothing)
{
	struct ramload_memory *memory;

	if (variant->kind == RAMLOAD_MEMORY_HUGETLB) {
		EXPECT_EQ(-ENOMEM, alloc(variant->kind, 1024 * GiB, &memory));
		EXPECT_EQ(NULL, memory);
		return;
	}
	ASSERT_EQ(0, alloc(variant->kind, 1024 * GiB, &memory));
	*((char *)ramload_memory_address(memory) + 1023 * GiB) = 1;
	ramload_memory_free(memory);
}

TEST_F(memory, name)
{
	EXPECT_STREQ(variant->name, ramload_memory_kind_name(variant->kind));
}

TEST_F(memory, bad_lengths)
{
	struct ramload_memory *memory;

	EXPECT_EQ(-EINVAL, alloc(variant->kind, 0, &memory));
	EXPECT_EQ(NULL, memory);
	EXPECT_EQ(-ENOMEM, alloc(variant->kind, UINT64_MAX, &memory));
	EXPECT_EQ(-ENOMEM, alloc(variant->kind, 1ULL << 63, &memory));
	EXPECT_GT(0, alloc(variant->kind, INT64_MAX - ALIGN, &memory));
	EXPECT_EQ(NULL, memory);
}

/* Lines of a file, as a fingerprint. */
static int count_lines(const char *path)
{
	FILE *file = fopen(path, "r");
	int c, nr = 0;

	while (file && (c = getc(file)) != EOF)
		nr += c == '\n';
	if (file)
		fclose(file);
	return nr;
}

/* Neither while it is there nor afterwards: a crash would leave it too. */
TEST_F(memory, no_mount_is_seen)
{
	int mounts = count_lines("/proc/self/mountinfo");
	struct ramload_memory *memory;

	if (alloc(variant->kind, MiB, &memory))
		SKIP(return, "no second memory of this kind");
	EXPECT_EQ(mounts, count_lines("/proc/self/mountinfo"));
	ramload_memory_free(memory);
	EXPECT_EQ(mounts, count_lines("/proc/self/mountinfo"));
}

TEST_F(memory, no_mapping_or_fd_is_left)
{
	struct ramload_memory *memory;
	int maps, fds;

	if (alloc(variant->kind, MiB, &memory))
		SKIP(return, "no second memory of this kind");
	ramload_memory_free(memory);
	maps = count_lines("/proc/self/maps");
	fds = dup(0);
	close(fds);
	for (unsigned int i = 0; i < 50; i++) {
		ASSERT_EQ(0, alloc(variant->kind, MiB, &memory));
		ramload_memory_free(memory);
	}
	/* ASan's own mappings may come and go. */
	EXPECT_GT(maps + 20, count_lines("/proc/self/maps"));
	EXPECT_EQ(fds, dup(0));
}

TEST_F(memory, load_into_it)
{
	struct ramload_session *session;
	struct ramload_block block = {
		.length = 3 * MiB,
		.dest = ramload_memory_address(self->memory),
	};
	struct ramload_job *job;
	int fd = content_file(3 * MiB);

	ASSERT_EQ(0, open_session(RAMLOAD_ENGINE_AUTO, 2, &session));
	ASSERT_EQ(0, ramload_load(session, fd, &block, 1, NULL, &job));
	EXPECT_EQ(0, ramload_job_wait(job, NULL));
	EXPECT_TRUE(holds(block.dest, block.length, 0));
	ramload_job_free(job);
	ramload_session_close(session);
	close(fd);
}

TEST(unknown_kind)
{
	struct ramload_memory *memory;

	EXPECT_EQ(-EINVAL, alloc(6, MiB, &memory));
	EXPECT_EQ(-EINVAL, alloc(-1, MiB, &memory));
	EXPECT_EQ(NULL, ramload_memory_kind_name(6));
	EXPECT_EQ(NULL, ramload_memory_kind_name(-1));
	ramload_memory_free(NULL);
}

TEST_HARNESS_MAIN
