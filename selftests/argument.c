// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Structs that are arguments of ioctls: of every size and with any flags, as
 * <linux/ramload.h> documents them for all alike.
 */

#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "ramload_util.h"
#include "test_setting.h"

FIXTURE(argument)
{
	struct setting s;
	struct ramload_range range;
	int job;
	char *pages;	/* two, and one that cannot be accessed */
};

FIXTURE_VARIANT(argument)
{
	unsigned int cmd;
	uint32_t size;
	uint32_t known_flags;
	bool has_output;
};

FIXTURE_VARIANT_ADD(argument, info)
{
	.cmd = RAMLOAD_INFO,
	.size = sizeof(struct ramload_info),
	.has_output = true,
};

FIXTURE_VARIANT_ADD(argument, setup)
{
	.cmd = RAMLOAD_SETUP,
	.size = sizeof(struct ramload_setup),
};

FIXTURE_VARIANT_ADD(argument, load)
{
	.cmd = RAMLOAD_LOAD,
	.size = sizeof(struct ramload_load),
	.known_flags = RAMLOAD_LOAD_WAIT | RAMLOAD_LOAD_DONTCACHE,
	.has_output = true,
};

FIXTURE_VARIANT_ADD(argument, create_memory)
{
	.cmd = RAMLOAD_CREATE_MEMORY,
	.size = sizeof(struct ramload_create_memory),
	.known_flags = RAMLOAD_CREATE_MEMORY_SEALING,
	.has_output = true,
};

FIXTURE_VARIANT_ADD(argument, job_result)
{
	.cmd = RAMLOAD_JOB_RESULT,
	.size = sizeof(struct ramload_job_result),
	.known_flags = RAMLOAD_JOB_RESULT_WAIT,
	.has_output = true,
};

FIXTURE_VARIANT_ADD(argument, job_cancel)
{
	.cmd = RAMLOAD_JOB_CANCEL,
	.size = sizeof(struct ramload_job_cancel),
};

FIXTURE_SETUP(argument)
{
	OPEN_DEVICE(self->s.fd);
	ASSERT_TRUE(setting_make(&self->s));
	self->range = RANGE(0, PAGE, self->s.dest);
	self->job = start_range(self->s.fd, self->s.src, 0, &self->range);
	ASSERT_LE(0, self->job);
	self->pages = map_anonymous(3 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, self->pages);
	ASSERT_EQ(0, mprotect(self->pages + 2 * PAGE, PAGE, PROT_NONE));
}

FIXTURE_TEARDOWN(argument)
{
	close(self->job);
	close(self->s.fd);
}

/* An argument at @at that succeeds; nothing behind it is written. */
static void put_argument(struct _test_data_argument *self, unsigned int cmd,
			 void *at)
{
	struct ramload_load load = LOAD(self->s.src, &self->range, 1,
					.flags = RAMLOAD_LOAD_WAIT);
	struct ramload_setup setup = { .size = sizeof(setup), .workers = 1 };
	struct ramload_create_memory memory = {
		.size = sizeof(memory),
		.length = PAGE,
	};
	struct ramload_job_result result = { .size = sizeof(result) };
	struct ramload_job_cancel cancel = { .size = sizeof(cancel) };
	struct ramload_info info = { .size = sizeof(info) };

	if (cmd == RAMLOAD_INFO)
		memcpy(at, &info, sizeof(info));
	else if (cmd == RAMLOAD_SETUP)
		memcpy(at, &setup, sizeof(setup));
	else if (cmd == RAMLOAD_LOAD)
		memcpy(at, &load, sizeof(load));
	else if (cmd == RAMLOAD_CREATE_MEMORY)
		memcpy(at, &memory, sizeof(memory));
	else if (cmd == RAMLOAD_JOB_RESULT)
		memcpy(at, &result, sizeof(result));
	else
		memcpy(at, &cancel, sizeof(cancel));
}

/* RAMLOAD_SETUP succeeds once for each context, so it gets a new one. */
static int call(struct _test_data_argument *self, unsigned int cmd, void *at)
{
	int fd, ret, err;

	if (cmd == RAMLOAD_JOB_RESULT || cmd == RAMLOAD_JOB_CANCEL)
		return ioctl(self->job, cmd, at);
	if (cmd != RAMLOAD_SETUP)
		return ioctl(self->s.fd, cmd, at);
	fd = open_device();
	ret = ioctl(fd, cmd, at);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

/* @size and @flags are the first members of all. */
static uint32_t *put_size(struct _test_data_argument *self, unsigned int cmd,
			  uint32_t size)
{
	memset(self->pages, 0, 2 * PAGE);
	put_argument(self, cmd, self->pages);
	*(uint32_t *)self->pages = size;
	return (uint32_t *)self->pages;
}

TEST_F_TIMEOUT(argument, exact_size, TIMEOUT)
{
	void *arg = put_size(self, variant->cmd, variant->size);

	ASSERT_EQ(0, call(self, variant->cmd, arg));
}

TEST_F_TIMEOUT(argument, size_too_small, TIMEOUT)
{
	uint32_t size;

	for (size = 0; size < variant->size; size++)
		TEST_ERRNO(EINVAL, call(self, variant->cmd,
					put_size(self, variant->cmd, size)));
}

TEST_F_TIMEOUT(argument, larger_with_zeros, TIMEOUT)
{
	static const uint32_t more[] = { 1, 3, 4, 8, 100 };
	int i;

	for (i = 0; i < ARRAY_SIZE(more); i++)
		ASSERT_EQ(0, call(self, variant->cmd,
				  put_size(self, variant->cmd,
					   variant->size + more[i])));
	ASSERT_EQ(0, call(self, variant->cmd,
			  put_size(self, variant->cmd, PAGE)));
}

TEST_F_TIMEOUT(argument, larger_with_garbage, TIMEOUT)
{
	uint32_t *arg = put_size(self, variant->cmd, variant->size + 1);

	((char *)arg)[variant->size] = 1;
	TEST_ERRNO(E2BIG, call(self, variant->cmd, arg));
	put_size(self, variant->cmd, PAGE);
	((char *)arg)[PAGE - 1] = 0x80;
	TEST_ERRNO(E2BIG, call(self, variant->cmd, arg));
	/* It is not looked at if it is not part of the struct. */
	put_size(self, variant->cmd, PAGE - 1);
	((char *)arg)[PAGE - 1] = 0x80;
	ASSERT_EQ(0, call(self, variant->cmd, arg));
}

TEST_F_TIMEOUT(argument, larger_than_a_page, TIMEOUT)
{
	uint32_t *arg = put_size(self, variant->cmd, PAGE + 1);

	TEST_ERRNO(E2BIG, call(self, variant->cmd, arg));
	*arg = 2 * PAGE;
	TEST_ERRNO(E2BIG, call(self, variant->cmd, arg));
	*arg = UINT32_MAX;
	TEST_ERRNO(E2BIG, call(self, variant->cmd, arg));
}

TEST_F_TIMEOUT(argument, unreadable, TIMEOUT)
{
	char *end = self->pages + 2 * PAGE;

	TEST_ERRNO(EFAULT, call(self, variant->cmd, NULL));
	TEST_ERRNO(EFAULT, call(self, variant->cmd, end));
	TEST_ERRNO(EFAULT, call(self, variant->cmd, end - 2));
	TEST_ERRNO(EFAULT, call(self, variant->cmd, (void *)-PAGE));
	/* The size can be read, the rest cannot. */
	*(uint32_t *)(end - 4) = variant->size;
	TEST_ERRNO(EFAULT, call(self, variant->cmd, end - 4));
	/* It ends where memory ends. */
	put_argument(self, variant->cmd, end - variant->size);
	ASSERT_EQ(0, call(self, variant->cmd, end - variant->size));
	*(uint32_t *)(end - variant->size) = variant->size + 1;
	TEST_ERRNO(EFAULT, call(self, variant->cmd, end - variant->size));
}

/* Only outputs are written. */
TEST_F_TIMEOUT(argument, not_writable, TIMEOUT)
{
	void *arg = put_size(self, variant->cmd, variant->size);

	ASSERT_EQ(0, mprotect(arg, PAGE, PROT_READ));
	if (variant->has_output) {
		TEST_ERRNO(EFAULT, call(self, variant->cmd, arg));
	} else {
		ASSERT_EQ(0, call(self, variant->cmd, arg));
	}
}

TEST_F_TIMEOUT(argument, unknown_flags, TIMEOUT)
{
	uint32_t bit;

	for (bit = 1; bit; bit <<= 1) {
		uint32_t *arg = put_size(self, variant->cmd, variant->size);

		if (bit & variant->known_flags)
			continue;
		arg[1] |= bit;
		TEST_ERRNO(EOPNOTSUPP, call(self, variant->cmd, arg));
	}
}

TEST_F_TIMEOUT(argument, order_of_checks, TIMEOUT)
{
	uint32_t *arg = put_size(self, variant->cmd, variant->size - 1);

	/* Too small comes before unknown flags, */
	arg[1] = 1U << 31;
	TEST_ERRNO(EINVAL, call(self, variant->cmd, arg));
	/* too large before that, */
	arg[0] = variant->size + 1;
	((char *)arg)[variant->size] = 1;
	TEST_ERRNO(E2BIG, call(self, variant->cmd, arg));
	/* and bad values after it. */
	memset(arg, 0xff, variant->size);
	arg[0] = variant->size;
	TEST_ERRNO(EOPNOTSUPP, call(self, variant->cmd, arg));
}

TEST_HARNESS_MAIN
