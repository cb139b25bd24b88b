// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Disks with bad sectors, disks that hang or disappear, and destinations that
 * run out of room. The place of an error is told, what lies before it is
 * loaded, and nothing waits that does not have to.
 *
 * While a disk does not answer, a read past the page cache waits for it
 * uninterruptibly, in any kernel: a worker can neither be cancelled nor killed
 * then. What has to hold is that nobody else waits. A read through the page
 * cache can be killed.
 */

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "kselftest_harness.h"
#include "fault_disk.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define LENGTH		MIB(4)
#define DISK_SIZE	MIB(320)	/* the least that mkfs.xfs takes */
#define SECTOR		512
#define WORKERS		2

static const enum memory_kind kinds[] = { MEMORY_MEMFD, MEMORY_ANON };
static const uint32_t directs[] = {
	RAMLOAD_DIRECT_OFF, RAMLOAD_DIRECT_ON, RAMLOAD_DIRECT_AUTO,
};

FIXTURE(disk)
{
	int fd;
	struct fault_disk disk;
	int dir;
	int src;
	struct memory m;
	struct ramload_job_result result;
};

FIXTURE_VARIANT(disk)
{
	const char *fs;		/* NULL: none, the disk itself is read */
};

FIXTURE_VARIANT_ADD(disk, raw) { .fs = NULL };
FIXTURE_VARIANT_ADD(disk, ext4) { .fs = "ext4" };
FIXTURE_VARIANT_ADD(disk, xfs) { .fs = "xfs" };

typedef struct _test_data_disk disk_t;

FIXTURE_SETUP(disk)
{
	struct reason why;

	self->dir = -1;
	OPEN_DEVICE(self->fd);
	test_setup(self->fd, WORKERS);
	if (fault_disk_make(&self->disk, DISK_SIZE, &why))
		SKIP(return, "%s", why.text);
	if (variant->fs) {
		self->dir = fault_disk_mount(&self->disk, variant->fs, &why);
		if (self->dir < 0)
			SKIP(return, "%s", why.text);
	}
	self->src = fault_disk_source(&self->disk, self->dir, LENGTH);
	ASSERT_LE(0, self->src);
}

FIXTURE_TEARDOWN(disk)
{
	if (self->disk.fd >= 0)
		fault_disk_set_bad(&self->disk, "error", 0, 0);
	close(self->fd);
	close(self->src);
	close(self->dir);
	memory_unmap(&self->m);
	fault_disk_remove(&self->disk);
}

/* Where on the disk a byte of the source is. */
static int64_t place(disk_t *self, uint64_t offset)
{
	return fault_disk_where(self->src, offset);
}

static int load_all(disk_t *self, uint32_t direct)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1,
					.direct = direct,
					.chunk_size = MIB(1));

	file_evict(self->src);
	return load_wait(self->fd, &load, &self->result);
}

/* What pread() of a page at a time says is the first that cannot be read. */
static uint64_t pread_first_bad(disk_t *self)
{
	char page[PAGE];
	uint64_t at;

	file_evict(self->src);
	for (at = 0; at < LENGTH; at += PAGE)
		if (pread(self->src, page, PAGE, at) != (ssize_t)PAGE)
			break;
	file_evict(self->src);
	return at;
}

/* The result of a load that failed, whatever the place. */
static bool failed_well(disk_t *self)
{
	uint64_t at = self->result.out_error_offset;

	return self->result.out_error_range == 0 && at < LENGTH &&
	       self->result.out_bytes_done >= at &&
	       self->result.out_bytes_done < LENGTH &&
	       pattern_matches(self->m.map, SEED_SOURCE, 0, at) &&
	       bytes_zero_or_pattern(self->m.map, SEED_SOURCE, 0, LENGTH);
}

#define ASSERT_LOADS(direct)						\
	do {								\
		ASSERT_EQ(0, load_all(self, direct));			\
		ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0, \
					    LENGTH));			\
	} while (0)

#define MAP(kind)							\
	do {								\
		struct reason _why;					\
									\
		ASSERT_EQ(0, memory_map(&self->m, kind, LENGTH, &_why)); \
	} while (0)

static void bad_sector(struct __test_metadata *_metadata, disk_t *self,
		       const char *target, uint64_t bad)
{
	uint64_t known, at;
	size_t kind, direct;

	ASSERT_LE(0, place(self, bad));
	if (fault_disk_set_bad(&self->disk, target, place(self, bad), SECTOR))
		SKIP(return, "no device mapper target %s", target);
	known = pread_first_bad(self);
	ASSERT_LE(known, bad);
	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		for (direct = 0; direct < ARRAY_SIZE(directs); direct++) {
			MAP(kinds[kind]);
			ASSERT_EQ(-EIO, load_all(self, directs[direct]));
			ASSERT_TRUE(failed_well(self));
			/*
			 * File systems read a large folio as a whole or not
			 * at all, and so does pread().
			 */
			at = self->result.out_error_offset;
			ASSERT_LE(at, bad);
			if (self->dir < 0) {
				ASSERT_EQ(at, bad - bad % PAGE);
			} else {
				ASSERT_LT(bad - at, MIB(2));
			}
			memory_unmap(&self->m);
		}
	}
	TH_LOG("bad byte %lu: pread says %lu, ramload %lu", bad, known, at);
	/* A disk that has got well again is read again. */
	ASSERT_EQ(0, fault_disk_set_bad(&self->disk, target, 0, 0));
	MAP(MEMORY_MEMFD);
	ASSERT_LOADS(RAMLOAD_DIRECT_ON);
	ASSERT_LOADS(RAMLOAD_DIRECT_OFF);
	memory_unmap(&self->m);
}

TEST_F_TIMEOUT(disk, bad_sector_in_the_middle, TIMEOUT)
{
	bad_sector(_metadata, self, "error", MIB(2) + KIB(324) + 5 * SECTOR);
}

TEST_F_TIMEOUT(disk, bad_first_sector, TIMEOUT)
{
	bad_sector(_metadata, self, "error", 0);
}

TEST_F_TIMEOUT(disk, bad_last_sector, TIMEOUT)
{
	bad_sector(_metadata, self, "error", LENGTH - SECTOR);
}

TEST_F_TIMEOUT(disk, flakey_sector, TIMEOUT)
{
	bad_sector(_metadata, self, "flakey", MIB(1) + 3 * SECTOR);
}

/* Ranges around the bad sector do not see it; one that has it says which. */
TEST_F_TIMEOUT(disk, bad_sector_between_ranges, TIMEOUT)
{
	const uint64_t bad = MIB(2);
	size_t direct;

	ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error",
					place(self, bad), PAGE));
	for (direct = 0; direct < ARRAY_SIZE(directs); direct++) {
		struct ramload_range ranges[] = {
			RANGE(0, MIB(1), NULL),
			RANGE(bad + MIB(1), MIB(1), NULL),
			RANGE(bad - PAGE, KIB(64), NULL),
		};
		struct ramload_load load = LOAD(self->src, ranges, 2,
						.direct = directs[direct],
						.chunk_size = KIB(64));
		char *map;

		MAP(MEMORY_MEMFD);
		map = self->m.map;
		ranges[0].dest = (uintptr_t)map;
		ranges[1].dest = (uintptr_t)map + MIB(1);
		ranges[2].dest = (uintptr_t)map + MIB(2);
		file_evict(self->src);
		ASSERT_EQ(0, load_wait(self->fd, &load, &self->result));
		ASSERT_TRUE(pattern_matches(map, SEED_SOURCE, 0, MIB(1)));
		ASSERT_TRUE(pattern_matches(map + MIB(1), SEED_SOURCE,
					    bad + MIB(1), MIB(1)));
		load.nr_ranges = 3;
		file_evict(self->src);
		ASSERT_EQ(-EIO, load_wait(self->fd, &load, &self->result));
		ASSERT_EQ(2, self->result.out_error_range);
		ASSERT_LE(self->result.out_error_offset, bad);
		ASSERT_GE(self->result.out_error_offset, bad - PAGE);
		ASSERT_TRUE(pattern_matches(map + MIB(2), SEED_SOURCE,
					    bad - PAGE,
					    self->result.out_error_offset -
					    (bad - PAGE)));
		ASSERT_TRUE(all_zero(map + MIB(2) + KIB(64), MIB(1)));
		memory_unmap(&self->m);
	}
}

/*
 * The first half is in the page cache; reads of the second are waiting for
 * the disk. Returns the job or -1.
 */
static int start_hanging(disk_t *self, uint32_t direct)
{
	struct ramload_range range = RANGE(0, LENGTH, self->m.map);
	static char buf[LENGTH / 2];
	struct ramload_job_result res;
	int job;

	file_evict(self->src);
	if (direct != RAMLOAD_DIRECT_ON &&
	    pread(self->src, buf, sizeof(buf), 0) != sizeof(buf))
		return -1;
	if (fault_disk_hang(&self->disk))
		return -1;
	job = start_range(self->fd, self->src, direct, &range);
	/* What can be had without the disk, is; then there is more to wait for. */
	do {
		usleep(50000);
	} while (job >= 0 && direct == RAMLOAD_DIRECT_OFF &&
		 !raw_result(job, 0, &res) &&
		 res.out_bytes_done < LENGTH / 4);
	return job;
}

TEST_F_TIMEOUT(disk, hangs_for_a_while, TIMEOUT)
{
	size_t direct;
	int job;

	for (direct = 0; direct < ARRAY_SIZE(directs); direct++) {
		MAP(MEMORY_MEMFD);
		job = start_hanging(self, directs[direct]);
		ASSERT_LE(0, job);
		ASSERT_FALSE(job_is_done(job));
		test_result(job, 0, &self->result);
		ASSERT_EQ(RAMLOAD_JOB_RUNNING, self->result.out_state);
		ASSERT_EQ(0, fault_disk_answer(&self->disk));
		test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
		ASSERT_EQ(0, self->result.out_error);
		ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0,
					    LENGTH));
		close(job);
		memory_unmap(&self->m);
	}
}

/* The cancel returns at once, and the job ends when the disk answers. */
TEST_F_TIMEOUT(disk, hanging_job_is_cancelled, TIMEOUT)
{
	size_t direct;
	int job;

	for (direct = 0; direct < ARRAY_SIZE(directs); direct++) {
		MAP(MEMORY_ANON);
		job = start_hanging(self, directs[direct]);
		ASSERT_LE(0, job);
		test_cancel(job);
		ASSERT_EQ(0, fault_disk_answer(&self->disk));
		test_result(job, RAMLOAD_JOB_RESULT_WAIT, &self->result);
		ASSERT_EQ(-ECANCELED, self->result.out_error);
		ASSERT_TRUE(failed_well(self));
		close(job);
		ASSERT_LOADS(directs[direct]);
		memory_unmap(&self->m);
	}
}

static void on_signal(int sig)
{
}

/* Who waits in the ioctl can be interrupted, and gets the job's fd. */
TEST_F_TIMEOUT(disk, wait_for_a_hanging_job_is_interrupted, TIMEOUT)
{
	const struct itimerval second = { { 1, 0 }, { 1, 0 } }, never = { 0 };
	struct sigaction action = { .sa_handler = on_signal };
	struct ramload_range range;
	struct ramload_load load;
	size_t direct;

	sigaction(SIGALRM, &action, NULL);
	for (direct = 0; direct < ARRAY_SIZE(directs); direct++) {
		MAP(MEMORY_MEMFD);
		range = RANGE(0, LENGTH, self->m.map);
		load = LOAD(self->src, &range, 1, .direct = directs[direct],
			    .flags = RAMLOAD_LOAD_WAIT);
		file_evict(self->src);
		ASSERT_EQ(0, fault_disk_hang(&self->disk));
		/* Again and again: it may not wait yet. */
		setitimer(ITIMER_REAL, &second, NULL);
		test_err_load(EINTR, self->fd, &load);
		setitimer(ITIMER_REAL, &never, NULL);
		ASSERT_LE(0, load.out_job_fd);
		ASSERT_EQ(0, fault_disk_answer(&self->disk));
		test_result(load.out_job_fd, RAMLOAD_JOB_RESULT_WAIT,
			    &self->result);
		ASSERT_EQ(0, self->result.out_error);
		ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0,
					    LENGTH));
		close(load.out_job_fd);
		memory_unmap(&self->m);
	}
}

/* A process of its own that loads from the disk, and waits for ever. */
static pid_t start_victim(disk_t *self, uint32_t direct, int *ready)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		close(self->fd);
		self->fd = open_device();
		if (raw_setup(self->fd, WORKERS) ||
		    start_hanging(self, direct) < 0)
			_exit(1);
		if (write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	*ready = fds[0];
	return pid;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool is_gone(pid_t pid, double seconds)
{
	double end = now() + seconds;

	while (waitpid(pid, NULL, WNOHANG) != pid) {
		if (now() > end)
			return false;
		usleep(1000);
	}
	return true;
}

#define ASSERT_OTHERS_LOAD()						\
	do {								\
		struct memory _m = self->m;				\
		int _src = self->src;					\
									\
		self->src = memfd_create_pattern(SEED_SOURCE, LENGTH);	\
		MAP(MEMORY_MEMFD);					\
		ASSERT_LOADS(RAMLOAD_DIRECT_OFF);			\
		memory_unmap(&self->m);					\
		close(self->src);					\
		self->src = _src;					\
		self->m = _m;						\
	} while (0)

static void kill_victim(struct __test_metadata *_metadata, disk_t *self,
			uint32_t direct, bool must_die)
{
	double start;
	pid_t pid;
	int ready;
	char c;
	bool gone;

	MAP(MEMORY_ANON);
	pid = start_victim(self, direct, &ready);
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(ready, &c, 1));
	close(ready);
	ASSERT_OTHERS_LOAD();
	start = now();
	kill(pid, SIGKILL);
	/* While the disk does not answer. That is how long we wait for it. */
	gone = is_gone(pid, must_die ? 30 : 1);
	if (gone)
		TH_LOG("killed within %.3f s", now() - start);
	else
		TH_LOG("waits for the disk");
	if (must_die)
		ASSERT_TRUE(gone);
	ASSERT_OTHERS_LOAD();
	ASSERT_EQ(0, fault_disk_answer(&self->disk));
	if (!gone)
		ASSERT_TRUE(is_gone(pid, 60));
	ASSERT_LOADS(direct);
	memory_unmap(&self->m);
}

TEST_F_TIMEOUT(disk, process_is_killed_in_a_buffered_read, TIMEOUT)
{
	kill_victim(_metadata, self, RAMLOAD_DIRECT_OFF, true);
}

TEST_F_TIMEOUT(disk, process_is_killed_in_a_direct_read, TIMEOUT)
{
	kill_victim(_metadata, self, RAMLOAD_DIRECT_ON, false);
}

/* All reads from some moment on fail, those that wait for it, too. */
TEST_F_TIMEOUT(disk, disappears, TIMEOUT)
{
	size_t kind, direct;
	int job;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		for (direct = 0; direct < ARRAY_SIZE(directs); direct++) {
			MAP(kinds[kind]);
			job = start_hanging(self, directs[direct]);
			ASSERT_LE(0, job);
			ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error",
							0, DISK_SIZE));
			test_result(job, RAMLOAD_JOB_RESULT_WAIT,
				    &self->result);
			ASSERT_EQ(-EIO, self->result.out_error);
			ASSERT_TRUE(failed_well(self));
			close(job);
			ASSERT_NE(0, load_all(self, directs[direct]));
			ASSERT_EQ(0, fault_disk_set_bad(&self->disk, "error",
							0, 0));
			ASSERT_LOADS(directs[direct]);
			memory_unmap(&self->m);
		}
	}
}

/*
 * A disk of the SCSI layer: the errors come from a driver
 */

#define SCSI_DEBUG	"/sys/bus/pseudo/drivers/scsi_debug/adapter0"
#define SCSI_MIB	16
#define SCSI_BAD	0x1234		/* the driver's default: ten sectors */

FIXTURE(scsi)
{
	int fd;
	int src;
	char name[32];
	struct memory m;
	struct ramload_job_result result;
	atomic_bool stop;
};

static int run_shell(const char *command)
{
	int status = system(command);

	return status == -1 ? -1 : WEXITSTATUS(status);
}

static bool find_scsi_disk(char *name, size_t size)
{
	FILE *f = popen("ls " SCSI_DEBUG "/host*/target*/*/block 2>/dev/null",
			"re");
	bool found = f && fgets(name, size, f);

	if (f)
		pclose(f);
	name[strcspn(name, "\n")] = '\0';
	return found && *name;
}

static int open_scsi_disk(const char *name)
{
	static char buf[MIB(SCSI_MIB)];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	pattern_fill(buf, SEED_SOURCE, 0, sizeof(buf));
	if (pwrite(fd, buf, sizeof(buf), 0) != sizeof(buf) || fsync(fd))
		return -1;
	file_evict(fd);
	return fd;
}

FIXTURE_SETUP(scsi)
{
	int tries = 500;

	self->src = -1;
	OPEN_DEVICE(self->fd);
	test_setup(self->fd, WORKERS);
	load_module("sd_mod");
	if (run_shell("modprobe -q scsi_debug dev_size_mb=16 delay=0 "
		      "2>/dev/null"))
		SKIP(return, "no scsi_debug");
	while (!find_scsi_disk(self->name, sizeof(self->name)) && --tries)
		usleep(20000);
	ASSERT_LT(0, tries);
	self->src = open_scsi_disk(self->name);
	ASSERT_LE(0, self->src);
}

FIXTURE_TEARDOWN(scsi)
{
	int tries = 100;

	close(self->src);
	close(self->fd);
	memory_unmap(&self->m);
	while (run_shell("modprobe -q -r scsi_debug 2>/dev/null") && --tries)
		usleep(20000);
}

static int load_scsi(struct _test_data_scsi *self, uint32_t direct)
{
	struct ramload_range range = RANGE(0, MIB(SCSI_MIB), self->m.map);
	struct ramload_load load = LOAD(self->src, &range, 1,
					.direct = direct);

	file_evict(self->src);
	return load_wait(self->fd, &load, &self->result);
}

TEST_F_TIMEOUT(scsi, medium_error, TIMEOUT)
{
	const uint64_t bad = SCSI_BAD * SECTOR;
	struct reason why;
	size_t kind, direct;
	uint64_t at;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		for (direct = 0; direct < ARRAY_SIZE(directs); direct++) {
			ASSERT_EQ(0, memory_map(&self->m, kinds[kind],
						MIB(SCSI_MIB), &why));
			ASSERT_EQ(0, run_shell("echo 2 > /sys/bus/pseudo/"
					       "drivers/scsi_debug/opts"));
			/* The driver calls it a medium error. */
			int err = load_scsi(self, directs[direct]);

			ASSERT_TRUE(err == -EIO || err == -ENODATA);
			at = self->result.out_error_offset;
			ASSERT_LE(at, bad);
			ASSERT_GE(at, bad - bad % PAGE);
			ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE,
						    0, at));
			ASSERT_EQ(0, run_shell("echo 0 > /sys/bus/pseudo/"
					       "drivers/scsi_debug/opts"));
			ASSERT_EQ(0, load_scsi(self, directs[direct]));
			ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE,
						    0, MIB(SCSI_MIB)));
			memory_unmap(&self->m);
		}
	}
}

static void *delete_disk(void *arg)
{
	struct _test_data_scsi *self = arg;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/block/%s/device/delete",
		 self->name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	usleep(50000);
	if (write(fd, "1", 1) != 1)
		perror(path);
	close(fd);
	self->stop = true;
	return NULL;
}

/* In the middle of some load; from then on all fail, and none hangs. */
TEST_F_TIMEOUT(scsi, disk_is_deleted, TIMEOUT)
{
	struct reason why;
	pthread_t thread;
	unsigned int nr;
	uint64_t at;
	int err;

	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, MIB(SCSI_MIB), &why));
	ASSERT_EQ(0, pthread_create(&thread, NULL, delete_disk, self));
	for (nr = 0, err = 0; !err || !self->stop; nr++) {
		fallocate(self->m.fd, FALLOC_FL_PUNCH_HOLE |
			  FALLOC_FL_KEEP_SIZE, 0, MIB(SCSI_MIB));
		err = load_scsi(self, directs[nr % ARRAY_SIZE(directs)]);
		at = err ? self->result.out_error_offset : MIB(SCSI_MIB);
		ASSERT_LE(at, MIB(SCSI_MIB));
		ASSERT_TRUE(pattern_matches(self->m.map, SEED_SOURCE, 0, at));
	}
	pthread_join(thread, NULL);
	TH_LOG("load %u failed: %s", nr, strerror(-err));
	ASSERT_TRUE(err == -EIO || err == -ENODEV || err == -ENXIO ||
		    err == -ENODATA);
}

TEST_HARNESS_MAIN
