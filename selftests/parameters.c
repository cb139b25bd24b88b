// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Parameters of the module that are changed while it is in use: from then on
 * the new value holds, and what was taken stays. See limits.c for what they
 * limit.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "fuse_source.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define FOLDER	"/sys/module/ramload/parameters/"
#define LENGTH	MIB(1)
#define RANGES	16

static const struct parameter {
	const char *name;
	uint32_t min;
	uint32_t max;
} all[] = {
	{ "max_workers", 1, 1024 },
	{ "max_user_workers", 0, UINT32_MAX },
	{ "max_workers_total", 0, UINT32_MAX },
	{ "max_jobs", 1, 65536 },
	{ "max_ranges", 1, 16 << 20 },
	{ "max_bitmap_mib", 1, 1024 },
	{ "max_user_mib", 0, UINT32_MAX },
};

#define NR	(sizeof(all) / sizeof(all[0]))

FIXTURE(parameters)
{
	uint32_t before[NR];
	bool known;
	int fd;
	int src;
	char *dest;
	struct ramload_info info;
	struct ramload_range ranges[RANGES];
	struct fuse_source *slow;
	struct ramload_job_result result;
};

static int open_parameter(const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), FOLDER "%s", name);
	return open(path, flags | O_CLOEXEC);
}

/* Returns 0 or the errno, negative. */
static int set_text(const char *name, const char *text)
{
	int fd = open_parameter(name, O_WRONLY);
	int err = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	close(fd);
	return err;
}

static int set(const char *name, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return set_text(name, text);
}

/* UINT64_MAX if it cannot be read. */
static uint64_t get(const char *name)
{
	int fd = open_parameter(name, O_RDONLY);
	char text[32] = "";
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 1 && text[n - 1] == '\n' ? strtoull(text, NULL, 10) :
					      UINT64_MAX;
}

FIXTURE_SETUP(parameters)
{
	size_t i;

	OPEN_DEVICE(self->fd);
	if (geteuid())
		SKIP(return, "not root");
	for (i = 0; i < NR; i++) {
		ASSERT_GE(UINT32_MAX, get(all[i].name));
		self->before[i] = get(all[i].name);
	}
	self->known = true;
	self->src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	self->dest = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->dest);
	for (i = 0; i < RANGES; i++)
		self->ranges[i] = RANGE(i * PAGE, PAGE, self->dest + i * PAGE);
}

FIXTURE_TEARDOWN(parameters)
{
	size_t i;

	for (i = 0; self->known && i < NR; i++)
		EXPECT_EQ(0, set(all[i].name, self->before[i]));
	if (self->slow)
		fuse_source_stop(self->slow);
	close(self->fd);
	close(self->src);
}

typedef struct _test_data_parameters parameters_t;

static int load_ranges(parameters_t *self, unsigned int nr)
{
	struct ramload_load load = LOAD(self->src, self->ranges, nr);

	return load_wait(self->fd, &load, NULL);
}

static int start(parameters_t *self, int fd)
{
	return start_range(fd, self->slow->fd, RAMLOAD_DIRECT_OFF,
			   self->ranges);
}

/* A job that does not end before the source is released. */
#define START_HELD(job)							\
	do {								\
		struct reason __why;					\
									\
		self->slow = fuse_source_start(LENGTH, 0, &__why);	\
		if (!self->slow)					\
			SKIP(return, "%s", __why.text);			\
		job = start(self, self->fd);				\
		ASSERT_LE(0, job);					\
		fuse_source_wait_held(self->slow);			\
	} while (0)

#define FINISH(job)							\
	do {								\
		fuse_source_release(self->slow);			\
		test_result(job, RAMLOAD_JOB_RESULT_WAIT,		\
			    &self->result);				\
		ASSERT_EQ(0, self->result.out_error);			\
		close(job);						\
	} while (0)

/* Root may change them, everybody may read them. */
TEST_F(parameters, mode)
{
	struct stat st;
	size_t i;
	int fd;

	for (i = 0; i < NR; i++) {
		fd = open_parameter(all[i].name, O_RDONLY);
		ASSERT_EQ(0, fstat(fd, &st));
		ASSERT_EQ(0644, st.st_mode & 07777);
		close(fd);
	}
}

/* What is out of range becomes the nearest that is not, and reads as that. */
TEST_F(parameters, out_of_range)
{
	size_t i;

	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, set(all[i].name, 0));
		ASSERT_EQ(all[i].min, get(all[i].name));
		ASSERT_EQ(0, set(all[i].name, UINT32_MAX));
		ASSERT_EQ(all[i].max, get(all[i].name));
		ASSERT_EQ(0, set_text(all[i].name, "0x10\n"));
		ASSERT_EQ(16, get(all[i].name));
	}
}

TEST_F(parameters, no_number)
{
	static const char *const texts[] = {
		"\n", "x", "-1", "1.5", "1 2", "12x", "0x", "4294967296",
		"99999999999999999999999", "true",
	};
	size_t i, k;
	int err;

	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, set(all[i].name, 7));
		for (k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			err = set_text(all[i].name, texts[k]);
			ASSERT_TRUE(err == -EINVAL || err == -ERANGE)
				TH_LOG("%s of \"%s\": %d", all[i].name,
				       texts[k], err);
			ASSERT_EQ(7, get(all[i].name));
		}
	}
}

TEST_F(parameters, workers_of_a_context)
{
	int other = open_device();

	test_setup(self->fd, 4);
	ASSERT_EQ(0, set("max_workers", 2));
	test_info(self->fd, &self->info);
	ASSERT_EQ(2, self->info.out_max_workers);
	test_err_setup(EINVAL, other, 3);
	test_setup(other, 2);
	ASSERT_EQ(0, load_ranges(self, RANGES));
	close(other);
}

static const char *const counted[] = { "max_user_workers", "max_workers_total" };

TEST_F(parameters, workers_of_a_user_and_of_all)
{
	int other, i;

	test_setup(self->fd, 4);
	for (i = 0; i < 2; i++) {
		other = open_device();
		ASSERT_EQ(0, set(counted[i], 1));
		test_err_setup(EAGAIN, other, 1);
		ASSERT_EQ(0, load_ranges(self, RANGES));
		ASSERT_EQ(0, set(counted[i], 4096));
		test_setup(other, 1);
		close(other);
	}
}

TEST_F_TIMEOUT(parameters, jobs, TIMEOUT)
{
	int first, second;

	/* One more than are held. */
	test_setup(self->fd, 3);
	START_HELD(first);
	second = start(self, self->fd);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, set("max_jobs", 1));
	TEST_ERRNO(EBUSY, start(self, self->fd));
	ASSERT_EQ(0, set("max_jobs", 3));
	ASSERT_EQ(0, load_ranges(self, 1));
	ASSERT_EQ(0, set("max_jobs", 2));
	TEST_ERRNO(EBUSY, start(self, self->fd));
	FINISH(first);
	FINISH(second);
	ASSERT_EQ(0, load_ranges(self, 1));
}

TEST_F(parameters, ranges)
{
	test_setup(self->fd, 1);
	ASSERT_EQ(0, load_ranges(self, 3));
	ASSERT_EQ(0, set("max_ranges", 2));
	test_info(self->fd, &self->info);
	ASSERT_EQ(2, self->info.out_max_ranges);
	ASSERT_EQ(-E2BIG, load_ranges(self, 3));
	ASSERT_EQ(0, load_ranges(self, 2));
	ASSERT_EQ(0, set("max_ranges", RANGES));
	ASSERT_EQ(0, load_ranges(self, RANGES));
}

TEST_F(parameters, bitmaps)
{
	const size_t bytes = MIB(1) + 8;
	void *bitmap = calloc(1, bytes);
	struct ramload_range range = RANGE(0, 8 * bytes * 512, PAGE,
					   .bitmap = (uintptr_t)bitmap,
					   .page_size = 512);

	test_setup(self->fd, 1);
	ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
	ASSERT_EQ(0, set("max_bitmap_mib", 1));
	test_info(self->fd, &self->info);
	ASSERT_EQ(MIB(1), self->info.out_max_bitmap_bytes);
	ASSERT_EQ(-E2BIG, load_range(self->fd, self->src, &range, NULL));
	ASSERT_EQ(0, set("max_bitmap_mib", 2));
	ASSERT_EQ(0, load_range(self->fd, self->src, &range, NULL));
	free(bitmap);
}

TEST_F_TIMEOUT(parameters, memory_of_a_user, TIMEOUT)
{
	int job;

	test_setup(self->fd, 2);
	START_HELD(job);
	ASSERT_EQ(0, set("max_user_mib", 0));
	ASSERT_EQ(-ENOMEM, load_ranges(self, 1));
	ASSERT_EQ(0, set("max_user_mib", 1));
	ASSERT_EQ(0, load_ranges(self, RANGES));
	/* What is given back is more than there may be now. */
	ASSERT_EQ(0, set("max_user_mib", 0));
	FINISH(job);
	ASSERT_EQ(0, set("max_user_mib", 1));
	ASSERT_EQ(0, load_ranges(self, RANGES));
}

static atomic_bool stop;

static void *flip(void *unused)
{
	uint32_t i;

	for (i = 0; !atomic_load(&stop); i++) {
		set("max_ranges", i % 2 ? 1 : RANGES);
		set("max_jobs", i % 3 + 1);
		set("max_workers", i % 5);
		set("max_user_mib", i % 2);
	}
	return unused;
}

/* Each load meets one value or the other. */
TEST_F_TIMEOUT(parameters, while_loads_come, TIMEOUT)
{
	unsigned int loaded = 0, refused = 0, i;
	pthread_t thread;
	int err;

	test_setup(self->fd, 2);
	ASSERT_EQ(0, pthread_create(&thread, NULL, flip, NULL));
	/* The other thread may be slow to let any load. */
	for (i = 0; !loaded || (i < 10000 && (loaded < 10 || refused < 10));
	     i++) {
		err = load_ranges(self, RANGES);
		ASSERT_TRUE(!err || err == -E2BIG || err == -ENOMEM ||
			    err == -EBUSY);
		loaded += !err;
		refused += !!err;
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	TH_LOG("%u loaded, %u refused", loaded, refused);
	ASSERT_TRUE(pattern_matches(self->dest, SEED_SOURCE, 0, RANGES * PAGE));
}

TEST_HARNESS_MAIN
