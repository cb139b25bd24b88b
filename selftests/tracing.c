// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* Trace events: how many there are, in which order, and what they say. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "cached_pages.h"
#include "fault_disk.h"
#include "fuse_source.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"
#include "test_process.h"
#include "trace_instance.h"

#define LENGTH	MIB(4)
#define CHUNK	MIB(1)
#define WORKERS	2

FIXTURE(tracing)
{
	int fd;
	int src;
	struct ramload_info info;
	struct memory m;
	struct trace_instance trace;
	struct ramload_range ranges[4];
	struct ramload_job_result result;
};

FIXTURE_SETUP(tracing)
{
	struct reason why;

	OPEN_DEVICE(self->fd);
	self->src = -1;
	self->m = (struct memory){ .fd = -1 };
	test_info(self->fd, &self->info);
	test_setup(self->fd, WORKERS);
	if (geteuid())
		SKIP(return, "not root");
	if (trace_make(&self->trace, &why))
		SKIP(return, "%s", why.text);
	ASSERT_EQ(0, trace_set(&self->trace, true));
}

FIXTURE_TEARDOWN(tracing)
{
	close(self->fd);
	close(self->src);
	memory_unmap(&self->m);
	trace_remove(&self->trace);
}

typedef struct _test_data_tracing tracing_t;

#define MAP(kind)							\
	do {								\
		struct reason __why;					\
									\
		if (memory_map(&self->m, kind, LENGTH, &__why))		\
			SKIP(return, "%s", __why.text);			\
	} while (0)

/* A source of that many bytes on a file system, not in the page cache. */
#define MAKE_SOURCE(fs, bytes)						\
	do {								\
		struct reason __why;					\
		int __dir = fs_open(fs, NULL, &__why);			\
									\
		if (__dir < 0)						\
			SKIP(return, "%s", __why.text);			\
		self->src = file_create_pattern(__dir, SEED_SOURCE,	\
						bytes);			\
		ASSERT_LE(0, self->src);				\
		if (strcmp(fs, "ramfs"))				\
			drop_cached_pages(self->src, bytes);		\
	} while (0)

static int load_ranges(tracing_t *self, unsigned int nr, uint32_t direct)
{
	struct ramload_load load = LOAD(self->src, self->ranges, nr,
					.direct = direct,
					.chunk_size = CHUNK);

	return load_wait(self->fd, &load, &self->result);
}

static int load_part(tracing_t *self, uint64_t from, uint64_t length,
		     char *dest, uint32_t direct)
{
	self->ranges[0] = RANGE(from, length, dest);
	return load_ranges(self, 1, direct);
}

static unsigned int count(const tracing_t *self, const char *name)
{
	unsigned int i, nr = 0;

	for (i = 0; i < self->trace.nr; i++)
		nr += !strcmp(self->trace.events[i].name, name);
	return nr;
}

/* The event of a chunk, NULL if there is not exactly one. */
static const struct trace_event *of_chunk(const tracing_t *self,
					  const char *name, int64_t chunk)
{
	const struct trace_event *found = NULL;
	unsigned int i;

	for (i = 0; i < self->trace.nr; i++) {
		const struct trace_event *e = &self->trace.events[i];

		if (strcmp(e->name, name) || trace_field(e, "chunk") != chunk)
			continue;
		if (found)
			return NULL;
		found = e;
	}
	return found;
}

/* Where in the source the first is that were not read as they might have been. */
static int64_t fallback_start(const tracing_t *self, const char *reason)
{
	int64_t start = INT64_MAX;
	unsigned int i;

	for (i = 0; i < self->trace.nr; i++) {
		const struct trace_event *e = &self->trace.events[i];

		if (!strcmp(e->name, "fallback") &&
		    trace_has(e, "reason", reason) &&
		    trace_field(e, "offset") < start)
			start = trace_field(e, "offset");
	}
	return start;
}

/* How many those are. */
static uint64_t fallback_bytes(const tracing_t *self, const char *reason)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < self->trace.nr; i++) {
		const struct trace_event *e = &self->trace.events[i];

		if (!strcmp(e->name, "fallback") &&
		    trace_has(e, "reason", reason))
			bytes += trace_field(e, "bytes");
	}
	return bytes;
}

/* The same for any. */
static uint64_t all_fallback_bytes(const tracing_t *self)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < self->trace.nr; i++)
		if (!strcmp(self->trace.events[i].name, "fallback"))
			bytes += trace_field(&self->trace.events[i], "bytes");
	return bytes;
}

static const struct trace_event *find_fallback(const tracing_t *self,
					       const char *reason)
{
	unsigned int i;

	for (i = 0; i < self->trace.nr; i++) {
		const struct trace_event *e = &self->trace.events[i];

		if (!strcmp(e->name, "fallback") &&
		    trace_has(e, "reason", reason))
			return e;
	}
	return NULL;
}

/* That was said of the bytes from @at on, and nothing else of any. */
#define ASSERT_ONLY(why, at, length)					\
	do {								\
		ASSERT_EQ(0, trace_read(&self->trace));			\
		ASSERT_EQ(at, fallback_start(self, why));		\
		ASSERT_EQ(length, fallback_bytes(self, why));		\
		ASSERT_EQ(length, all_fallback_bytes(self) -		\
			  fallback_bytes(self, "no-huge-page"));	\
	} while (0)

static int64_t address(const void *p)
{
	return (int64_t)(uintptr_t)p;
}

/*
 * The first range is cut where the memory begins a new MiB; what is left of it
 * and the other ranges share a chunk.
 */
TEST_F_TIMEOUT(tracing, job, TIMEOUT)
{
	static const struct {
		uint64_t from;
		uint64_t to;
		uint64_t bytes;
	} chunks[] = {
		{ 0, MIB(1) - KIB(64), KIB(64) },
		{ KIB(64), MIB(1), MIB(1) },
		{ KIB(64) + MIB(1), MIB(2), KIB(64) + KIB(128) + KIB(256) },
	};
	const struct trace_event *submit, *start, *done;
	struct stat st;
	int i;

	MAP(MEMORY_ANON);
	MAKE_SOURCE("ext4", LENGTH);
	ASSERT_EQ(0, fstat(self->src, &st));
	self->ranges[0] = RANGE(0, MIB(1) + KIB(128),
				self->m.map + MIB(1) - KIB(64));
	self->ranges[1] = RANGE(MIB(2), KIB(128), self->m.map + MIB(2) +
				KIB(512));
	self->ranges[2] = RANGE(MIB(3), KIB(256), self->m.map + MIB(3));
	ASSERT_EQ(0, load_ranges(self, 3, RAMLOAD_DIRECT_OFF));
	ASSERT_EQ(0, trace_read(&self->trace));

	ASSERT_EQ(1, count(self, "job_submit"));
	ASSERT_EQ(1, count(self, "job_done"));
	ASSERT_EQ(0, count(self, "fallback"));
	submit = &self->trace.events[0];
	ASSERT_STREQ("job_submit", submit->name);
	ASSERT_EQ(getpid(), submit->tid);
	ASSERT_LT(0, trace_field(submit, "job"));
	ASSERT_LT(0, trace_field(submit, "context"));
	ASSERT_EQ(3, trace_field(submit, "ranges"));
	ASSERT_EQ(self->result.out_bytes_total, trace_field(submit, "bytes"));
	ASSERT_TRUE(trace_has(submit, "direct", "off"));
	ASSERT_EQ(major(st.st_dev), trace_field(submit, "dev"));
	ASSERT_EQ(st.st_ino, trace_field(submit, "ino"));

	ASSERT_EQ(3, trace_field(submit, "chunks"));
	for (i = 0; i < 3; i++) {
		start = of_chunk(self, "chunk_start", i);
		done = of_chunk(self, "chunk_done", i);
		ASSERT_NE(NULL, start);
		ASSERT_NE(NULL, done);
		ASSERT_LT(start, done);
		ASSERT_EQ(start->tid, done->tid);
		ASSERT_EQ(trace_field(submit, "job"), trace_field(start, "job"));
		ASSERT_EQ(chunks[i].from, trace_field(start, "offset"));
		ASSERT_EQ(address(self->m.map) + chunks[i].to,
			  trace_field(start, "dest"));
		ASSERT_EQ(chunks[i].bytes, trace_field(done, "bytes"));
		ASSERT_EQ(0, trace_field(done, "direct_bytes"));
		ASSERT_EQ(0, trace_field(done, "error"));
		if (self->info.out_features & RAMLOAD_FEATURE_THREADS) {
			char tid[16];

			snprintf(tid, sizeof(tid), "%d", start->tid);
			ASSERT_TRUE(process_is_worker(getpid(), tid));
		}
	}

	done = &self->trace.events[self->trace.nr - 1];
	ASSERT_STREQ("job_done", done->name);
	ASSERT_EQ(trace_field(submit, "job"), trace_field(done, "job"));
	ASSERT_EQ(0, trace_field(done, "error"));
	ASSERT_EQ(self->result.out_bytes_done, trace_field(done, "bytes"));
	ASSERT_LE(0, trace_field(done, "queue_ns"));
	ASSERT_LT(0, trace_field(done, "service_ns"));
}

TEST_F_TIMEOUT(tracing, nothing_when_off, TIMEOUT)
{
	MAP(MEMORY_ANON);
	MAKE_SOURCE("ext4", LENGTH);
	ASSERT_EQ(0, trace_set(&self->trace, false));
	ASSERT_EQ(0, load_part(self, 1, LENGTH - 1, self->m.map,
			       RAMLOAD_DIRECT_AUTO));
	ASSERT_EQ(0, trace_read(&self->trace));
	ASSERT_EQ(0, self->trace.nr);
	/* And again when it is on again. */
	ASSERT_EQ(0, trace_set(&self->trace, true));
	ASSERT_EQ(0, load_part(self, 1, LENGTH - 1, self->m.map,
			       RAMLOAD_DIRECT_AUTO));
	ASSERT_EQ(0, trace_read(&self->trace));
	ASSERT_EQ(LENGTH / CHUNK, count(self, "chunk_done"));
}

/* The file ends early, in the second chunk. */
TEST_F_TIMEOUT(tracing, job_that_fails, TIMEOUT)
{
	const struct trace_event *done;

	MAP(MEMORY_ANON);
	MAKE_SOURCE("ext4", CHUNK + PAGE);
	ASSERT_EQ(-ENODATA, load_part(self, 0, 2 * CHUNK, self->m.map,
				      RAMLOAD_DIRECT_OFF));
	ASSERT_EQ(0, trace_read(&self->trace));
	done = of_chunk(self, "chunk_done", 1);
	ASSERT_NE(NULL, done);
	ASSERT_EQ(-ENODATA, trace_field(done, "error"));
	ASSERT_EQ(PAGE, trace_field(done, "bytes"));
	done = trace_find(&self->trace, 0, "job_done");
	ASSERT_NE(NULL, done);
	ASSERT_EQ(-ENODATA, trace_field(done, "error"));
	ASSERT_EQ(CHUNK + PAGE, trace_field(done, "bytes"));
}

/* A chunk that was begun has an end; one that was not has neither. */
TEST_F_TIMEOUT(tracing, job_that_is_cancelled, TIMEOUT)
{
	struct fuse_source *slow;
	struct reason why;
	int job;

	MAP(MEMORY_ANON);
	slow = fuse_source_start(LENGTH, 0, &why);
	if (!slow)
		SKIP(return, "%s", why.text);
	self->ranges[0] = RANGE(0, LENGTH, self->m.map);
	job = start_range(self->fd, slow->fd, RAMLOAD_DIRECT_OFF,
			  self->ranges);
	ASSERT_LE(0, job);
	fuse_source_wait_held(slow);
	test_cancel(job);
	fuse_source_release(slow);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(-ECANCELED, self->result.out_error);
	fuse_source_stop(slow);
	close(job);
	ASSERT_EQ(0, trace_read(&self->trace));
	ASSERT_LT(0, count(self, "chunk_start"));
	ASSERT_GE(WORKERS, count(self, "chunk_start"));
	ASSERT_EQ(count(self, "chunk_start"), count(self, "chunk_done"));
	ASSERT_EQ(-ECANCELED,
		  trace_field(trace_find(&self->trace, 0, "job_done"),
			      "error"));
}

/*
 * Tells its job's fd, and does not wait for the end of the job, which is one
 * chunk of several batches.
 */
static int load_and_pause(tracing_t *self, int src, int pipe)
{
	struct ramload_load load = LOAD(src, self->ranges, 1,
					.chunk_size = LENGTH);
	int fd = open_device();

	if (raw_setup(fd, 1) || raw_load(fd, &load))
		return 1;
	if (write(pipe, &load.out_job_fd, sizeof(int)) != sizeof(int))
		return 2;
	pause();
	return 3;
}

/* The chunk is taken off a worker that is stopped with its process. */
TEST_F_TIMEOUT(tracing, job_of_a_stopped_process, TIMEOUT)
{
	const struct trace_event *done;
	struct fuse_source *slow;
	struct reason why;
	int pipes[2], job, pidfd, status;
	pid_t pid;

	if (!(self->info.out_features & RAMLOAD_FEATURE_THREADS))
		SKIP(return, "workers are kernel threads here");
	MAP(MEMORY_ANON);
	slow = fuse_source_start(LENGTH, 0, &why);
	if (!slow)
		SKIP(return, "%s", why.text);
	self->ranges[0] = RANGE(0, LENGTH, self->m.map);
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(load_and_pause(self, slow->fd, pipes[1]));
	ASSERT_EQ(sizeof(job), read(pipes[0], &job, sizeof(job)));
	fuse_source_wait_held(slow);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	job = syscall(SYS_pidfd_getfd, pidfd, job, 0);
	ASSERT_LE(0, job);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	process_wait_stopping(pid);
	fuse_source_release(slow);
	ASSERT_TRUE(process_wait(pid, &status, WUNTRACED, 60));
	ASSERT_TRUE(WIFSTOPPED(status));
	test_cancel(job);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(-ECANCELED, self->result.out_error);
	kill(pid, SIGKILL);
	ASSERT_TRUE(process_wait(pid, &status, 0, 60));
	fuse_source_stop(slow);
	close(job);
	close(pidfd);
	ASSERT_EQ(0, trace_read(&self->trace));
	ASSERT_NE(NULL, of_chunk(self, "chunk_start", 0));
	done = of_chunk(self, "chunk_done", 0);
	ASSERT_NE(NULL, done);
	ASSERT_EQ(self->result.out_bytes_done, trace_field(done, "bytes"));
	ASSERT_EQ(-ECANCELED, trace_field(done, "error"));
	ASSERT_EQ(getpid(), done->tid);
}

/*
 * Why direct I/O was not used
 */

/* What can be read directly is, and nothing is said. */
TEST_F_TIMEOUT(tracing, direct, TIMEOUT)
{
	MAP(MEMORY_ANON);
	MAKE_SOURCE("ext4", LENGTH);
	if (!file_can_direct(self->src))
		SKIP(return, "no direct I/O here");
	ASSERT_EQ(0, load_part(self, 0, CHUNK, self->m.map,
			       RAMLOAD_DIRECT_AUTO));
	ASSERT_EQ(0, trace_read(&self->trace));
	ASSERT_EQ(0, count(self, "fallback"));
	ASSERT_EQ(CHUNK, trace_field(of_chunk(self, "chunk_done", 0),
				     "direct_bytes"));
}

TEST_F_TIMEOUT(tracing, no_direct_io, TIMEOUT)
{
	MAP(MEMORY_MEMFD);
	MAKE_SOURCE("ramfs", LENGTH);
	ASSERT_EQ(0, load_part(self, PAGE, CHUNK, self->m.map,
			       RAMLOAD_DIRECT_AUTO));
	ASSERT_ONLY("no-direct-io", PAGE, CHUNK);
}

TEST_F_TIMEOUT(tracing, unaligned_offset, TIMEOUT)
{
	MAP(MEMORY_MEMFD);
	MAKE_SOURCE("ext4", LENGTH);
	ASSERT_EQ(0, load_part(self, PAGE - 3, 3 + PAGE, self->m.map + PAGE - 3,
			       RAMLOAD_DIRECT_ON));
	/* A copy to user memory does not end there. */
	ASSERT_ONLY("unaligned-offset", PAGE - 3,
		    self->info.out_features & RAMLOAD_FEATURE_SHMEM_FILL ?
		    3 : 3 + PAGE);
}

/* What does not fill a sector. */
TEST_F_TIMEOUT(tracing, unaligned_end, TIMEOUT)
{
	MAP(MEMORY_MEMFD);
	MAKE_SOURCE("ext4", LENGTH);
	ASSERT_EQ(0, load_part(self, 0, PAGE + 5, self->m.map,
			       RAMLOAD_DIRECT_ON));
	ASSERT_ONLY("unaligned-offset", PAGE, 5);
}

TEST_F_TIMEOUT(tracing, unaligned_memory, TIMEOUT)
{
	MAP(MEMORY_MEMFD);
	MAKE_SOURCE("ext4", LENGTH);
	ASSERT_EQ(0, load_part(self, PAGE, PAGE, self->m.map + 1,
			       RAMLOAD_DIRECT_ON));
	ASSERT_ONLY("unaligned-memory", PAGE, PAGE);
}

TEST_F_TIMEOUT(tracing, memory_not_pinned, TIMEOUT)
{
	MAP(MEMORY_FILE_SHARED);
	MAKE_SOURCE("ext4", LENGTH);
	ASSERT_EQ(0, load_part(self, 0, CHUNK, self->m.map,
			       RAMLOAD_DIRECT_AUTO));
	ASSERT_ONLY("memory-not-pinned", 0, CHUNK);
}

TEST_F_TIMEOUT(tracing, small, TIMEOUT)
{
	MAP(MEMORY_MEMFD);
	MAKE_SOURCE("ext4", LENGTH);
	ASSERT_EQ(0, load_part(self, CHUNK, PAGE, self->m.map,
			       RAMLOAD_DIRECT_AUTO));
	ASSERT_ONLY("small", CHUNK, PAGE);
}

/* By all three ways to read what is in the page cache. */
static const enum memory_kind cached_kinds[] = {
	MEMORY_MEMFD, MEMORY_ANON, MEMORY_TMPFS_HUGE,
};

TEST_F_TIMEOUT(tracing, cached, TIMEOUT)
{
	static char buf[LENGTH];
	int i;

	MAKE_SOURCE("ext4", LENGTH);
	ASSERT_EQ(LENGTH, pread(self->src, buf, LENGTH, 0));
	for (i = 0; i < 3; i++) {
		TH_LOG("%s", memory_name(cached_kinds[i]));
		MAP(cached_kinds[i]);
		ASSERT_EQ(0, trace_set(&self->trace, true));
		ASSERT_EQ(0, load_part(self, 0, LENGTH, self->m.map,
				       RAMLOAD_DIRECT_AUTO));
		ASSERT_ONLY("cached", 0, LENGTH);
		memory_unmap(&self->m);
	}
}

TEST_F_TIMEOUT(tracing, end_of_file, TIMEOUT)
{
	MAP(MEMORY_MEMFD);
	MAKE_SOURCE("ext4", CHUNK + 7);
	ASSERT_EQ(0, load_part(self, 0, CHUNK + 7, self->m.map,
			       RAMLOAD_DIRECT_ON));
	ASSERT_ONLY("end-of-file", CHUNK, 7);
}

/* A sector that is bad is so for a read through the page cache, too. */
TEST_F_TIMEOUT(tracing, failed, TIMEOUT)
{
	const struct trace_event *e;
	struct fault_disk disk;
	struct reason why;

	MAP(MEMORY_MEMFD);
	if (fault_disk_make(&disk, MIB(16), &why))
		SKIP(return, "%s", why.text);
	self->src = fault_disk_source(&disk, -1, LENGTH);
	ASSERT_LE(0, self->src);
	ASSERT_EQ(0, fault_disk_set_bad(&disk, "error", KIB(512), 512));
	EXPECT_EQ(-EIO, load_part(self, 0, CHUNK, self->m.map,
				  RAMLOAD_DIRECT_ON));
	fault_disk_set_bad(&disk, "error", 0, 0);
	close(self->src);
	self->src = -1;
	fault_disk_remove(&disk);
	ASSERT_EQ(0, trace_read(&self->trace));
	e = find_fallback(self, "failed");
	ASSERT_NE(NULL, e);
	ASSERT_EQ(-EIO, trace_field(e, "error"));
	ASSERT_EQ(-EIO, trace_field(trace_find(&self->trace, 0, "chunk_done"),
				    "error"));
}

/* The same of one of several reads that are under way at a time. */
TEST_F_TIMEOUT(tracing, failed_among_others, TIMEOUT)
{
	const struct trace_event *e;
	struct fault_disk disk;
	struct reason why;
	int i;

	MAP(MEMORY_MEMFD);
	if (fault_disk_make(&disk, MIB(16), &why))
		SKIP(return, "%s", why.text);
	self->src = fault_disk_source(&disk, -1, LENGTH);
	ASSERT_LE(0, self->src);
	for (i = 0; i < 4; i++)
		self->ranges[i] = RANGE(i * KIB(128), PAGE,
					self->m.map + i * KIB(128));
	ASSERT_EQ(0, fault_disk_set_bad(&disk, "error", KIB(256), 512));
	EXPECT_EQ(-EIO, load_ranges(self, 4, RAMLOAD_DIRECT_AUTO));
	fault_disk_set_bad(&disk, "error", 0, 0);
	close(self->src);
	self->src = -1;
	fault_disk_remove(&disk);
	ASSERT_EQ(0, trace_read(&self->trace));
	e = find_fallback(self, "failed");
	ASSERT_NE(NULL, e);
	ASSERT_EQ(KIB(256), trace_field(e, "offset"));
	ASSERT_EQ(PAGE, trace_field(e, "bytes"));
	ASSERT_EQ(-EIO, trace_field(e, "error"));
}

/*
 * What fills do otherwise
 */

TEST_F_TIMEOUT(tracing, read_again, TIMEOUT)
{
	struct fuse_source *slow;
	struct reason why;
	int job;

	if (!(self->info.out_features & RAMLOAD_FEATURE_SHMEM_FILL))
		SKIP(return, "this kernel has no shmem fill");
	MAP(MEMORY_MEMFD);
	slow = fuse_source_start(LENGTH, 0, &why);
	if (!slow)
		SKIP(return, "%s", why.text);
	self->ranges[0] = RANGE(PAGE, 4 * PAGE, self->m.map);
	job = start_range(self->fd, slow->fd, RAMLOAD_DIRECT_OFF,
			  self->ranges);
	ASSERT_LE(0, job);
	fuse_source_wait_held(slow);
	/* Two pages are loaded; what is behind them is not as it was left. */
	*(volatile char *)(self->m.map + 2 * PAGE) = 1;
	fuse_source_release(slow);
	test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
	ASSERT_EQ(0, self->result.out_error);
	fuse_source_stop(slow);
	close(job);
	ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, PAGE, 4 * PAGE));
	ASSERT_ONLY("read-again", 3 * PAGE, 2 * PAGE);
}

/* Nobody has asked for them, where who asks would get them. */
TEST_F_TIMEOUT(tracing, no_huge_page, TIMEOUT)
{
	struct reason why;
	int dir, file;

	if (!(self->info.out_features & RAMLOAD_FEATURE_SHMEM_FILL))
		SKIP(return, "this kernel has no shmem fill");
	dir = fs_open("tmpfs", "huge=advise", &why);
	if (dir < 0)
		SKIP(return, "%s", why.text);
	file = file_create(dir);
	ASSERT_EQ(0, ftruncate(file, LENGTH));
	ASSERT_EQ(0, memory_map_file(&self->m, file, MAP_SHARED, LENGTH, &why));
	MAKE_SOURCE("ext4", LENGTH);
	ASSERT_EQ(0, load_part(self, 0, LENGTH, self->m.map,
			       RAMLOAD_DIRECT_OFF));
	ASSERT_EQ(0, trace_read(&self->trace));
	ASSERT_EQ(LENGTH / MIB(2), count(self, "fallback"));
	ASSERT_LT(0, fallback_bytes(self, "no-huge-page"));
}

TEST_HARNESS_MAIN
