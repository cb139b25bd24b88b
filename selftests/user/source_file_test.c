// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Reads of the source that fail: what a file system answers is not to look like
 * what the library itself has to say.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "source_file.h"

#include "kselftest_harness.h"

static int answer;

ssize_t __wrap_pread64(int fd, void *to, size_t length, off_t at);

ssize_t __wrap_pread64(int fd, void *to, size_t length, off_t at)
{
	(void)fd;
	(void)to;
	(void)length;
	(void)at;
	errno = answer;
	return -1;
}

static ssize_t read_one(int fd, int error)
{
	struct source_file source;
	char byte;
	ssize_t got;

	if (source_file_open(&source, fd, RAMLOAD_IO_BUFFERED))
		return 1;
	answer = error;
	got = source_file_read(&source, &byte, 1, 0);
	source_file_close(&source);
	return got;
}

TEST(answers)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EIO, read_one(fd, EIO));
	EXPECT_EQ(-EACCES, read_one(fd, EACCES));
	EXPECT_EQ(-EIO, read_one(fd, ENODATA));
	EXPECT_EQ(-EIO, read_one(fd, ECANCELED));
	close(fd);
}

TEST_HARNESS_MAIN
