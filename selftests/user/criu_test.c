// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What criu itself dumps of a process, alone and after dumps of the same
 * process before: all that is in the image is in the process, which criu has
 * left stopped, and all that was written there is in the image.
 *
 * Skips where there is no criu, or where it says that it cannot work.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "directory_reader.h"

#define PAGES		512
#define SHARED_PAGES	64
#define MARK		0x5ab1efac47ULL
#define STEPS		3

/**
 * struct shared - memory that the process and the test share, to talk over it
 * @mark: MARK, to know it in the image by
 * @wanted: how many steps the process is to have made
 * @done: how many it has
 */
struct shared {
	uint64_t mark;
	volatile int wanted;
	volatile int done;
};

FIXTURE(criu)
{
	char dir[64];
	size_t page;
	pid_t pid;
	struct shared *shared;
	size_t shared_length;
	uint8_t *memory;
	struct ramload_image *image;
};

/* What page @i holds after @step; 0: it was never written to. */
static uint8_t content(size_t i, int step)
{
	int last = 0, s;

	for (s = 1; s <= step; s++) {
		/* Ever fewer, and some never; a long run in the middle. */
		if (i % (s * 3 + 1) == 1 || (s == 1 && i > 200 && i < 300))
			last = s;
	}
	return last ? last * 50 + i % 50 : 0;
}

static void make_step(uint8_t *memory, size_t page, size_t pages, int step)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		if (content(i, step) != content(i, step - 1))
			memset(memory + i * page, content(i, step), page);
	}
}

/*
 * Without files that criu would have to find elsewhere; and on one CPU, as the
 * kernel writes into memory on which one a thread is (rseq), also after a dump.
 */
static void run_process(struct shared *shared, size_t page, uint8_t *memory)
{
	int fd = open("/dev/null", O_RDWR);
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	for (fd = 3; fd < 1024; fd++)
		close(fd);
	if (chdir("/"))
		_exit(1);
	for (;;) {
		if (shared->done < shared->wanted) {
			make_step(memory, page, PAGES, shared->done + 1);
			make_step((uint8_t *)shared + page, page,
				  SHARED_PAGES, shared->done + 1);
			shared->done++;
		}
		usleep(1000);
	}
}

/* Runs a command of the shell; what it prints is in DIR/log. */
static int __attribute__((format(printf, 2, 3)))
run(const char *dir, const char *format, ...)
{
	char command[512], whole[700];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	snprintf(whole, sizeof(whole), "( %s ) >%s/log 2>&1", command, dir);
	return system(whole);
}

static void show_log(const char *dir)
{
	char command[128];

	snprintf(command, sizeof(command), "sed 's/^/# /' %s/log >&2", dir);
	if (system(command))
		fprintf(stderr, "# no log\n");
}

FIXTURE_SETUP(criu)
{
	const char *scratch = getenv("RAMLOAD_SCRATCH");

	snprintf(self->dir, sizeof(self->dir), "%s/criu_test.XXXXXX",
		 scratch ? scratch : "/tmp");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	self->pid = -1;
	self->page = sysconf(_SC_PAGESIZE);
	if (run(self->dir, "criu --version"))
		SKIP(return, "there is no criu");
	if (run(self->dir, "criu check"))
		SKIP(return, "criu check says that it cannot work here");
	self->shared_length = (1 + SHARED_PAGES) * self->page;
	self->shared = mmap(NULL, self->shared_length, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	self->shared->mark = MARK;
	self->memory = mmap(NULL, PAGES * self->page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	madvise(self->memory, PAGES * self->page, MADV_NOHUGEPAGE);
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid)
		run_process(self->shared, self->page, self->memory);
}

FIXTURE_TEARDOWN(criu)
{
	char command[128];

	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	ramload_image_close(self->image);
	snprintf(command, sizeof(command), "rm -rf %s", self->dir);
	if (system(command))
		TH_LOG("%s is left", self->dir);
}

static void process_step(FIXTURE_DATA(criu) *self)
{
	int step = ++self->shared->wanted;

	while (self->shared->done != step)
		usleep(1000);
}

/* A dump into DIR/@number, after that of the number before, if there is one. */
static void dump(struct __test_metadata *_metadata, FIXTURE_DATA(criu) *self,
		 const char *command, int number, bool parent)
{
	char previous[64] = "";
	int status;

	if (parent)
		snprintf(previous, sizeof(previous), "--prev-images-dir ../%d",
			 number - 1);
	status = run(self->dir,
		     "mkdir %s/%d && criu %s -v4 --timeout 200 -t %d -D %s/%d %s", self->dir,
		     number, command, self->pid, self->dir, number, previous);
	if (status)
		show_log(self->dir);
	ASSERT_EQ(0, status)
		TH_LOG("criu %s", command);
}

static void open_image(struct __test_metadata *_metadata,
		       FIXTURE_DATA(criu) *self, int number)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%d", self->dir, number);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, fd);
	self->image = open_ok(_metadata, fd);
	close(fd);
	ASSERT_STREQ("criu", ramload_image_format(self->image));
}

/* A block of the process, byte for byte. */
static void compare_block(struct __test_metadata *_metadata,
			  const struct ramload_image_block *block,
			  const uint8_t *loaded, int mem)
{
	uint8_t *now = malloc(block->length);
	size_t same = 0;

	ASSERT_NE(NULL, now);
	ASSERT_EQ(block->length,
		  pread(mem, now, block->length, block->address))
		TH_LOG("%s", block->name);
	while (same < block->length && now[same] == loaded[same])
		same++;
	EXPECT_EQ(block->length, same)
		TH_LOG("%s: %#llx is %#x, not %#x", block->name,
		       (unsigned long long)(block->address + same),
		       loaded[same], now[same]);
	free(now);
}

/* Pages of @memory that were written to and are in a block. */
static size_t count_written(const struct ramload_image_block *block,
			    uint64_t memory, size_t page, size_t pages)
{
	size_t i, nr = 0;

	for (i = 0; i < pages; i++) {
		if (content(i, STEPS) &&
		    memory + i * page - block->address < block->length)
			nr++;
	}
	return nr;
}

static size_t nr_written(size_t pages)
{
	size_t i, nr = 0;

	for (i = 0; i < pages; i++)
		nr += content(i, STEPS) != 0;
	return nr;
}

/* The test has the same memory, as it is in the process. */
static size_t compare_shared(struct __test_metadata *_metadata,
			     FIXTURE_DATA(criu) *self,
			     const struct ramload_image_block *block,
			     const uint8_t *loaded)
{
	const uint8_t *shared = (const uint8_t *)self->shared;

	if (block->address + block->length > self->shared_length)
		return 0;
	EXPECT_EQ(0, memcmp(shared + block->address, loaded, block->length))
		TH_LOG("%s", block->name);
	return count_written(block, self->page, self->page, SHARED_PAGES);
}

/* Of the segments, the one that starts with the mark; its name up to the "/" */
static size_t name_of_shared(const struct ramload_image *image, uint8_t **dests,
			     const char **name)
{
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(image); i++) {
		const struct ramload_image_block *block;
		const struct shared *shared = (void *)dests[i];

		block = ramload_image_block(image, i);
		*name = block->name;
		if (!strncmp(block->name, "shmem-", 6) && !block->address &&
		    shared->mark == MARK)
			return strchr(block->name, '/') - block->name;
	}
	return 0;
}

static void compare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(criu) *self, enum ramload_engine engine)
{
	uint8_t **dests = load(_metadata, self->image, engine);
	size_t i, length, nr = 0, nr_shared = 0;
	const char *name = "";
	char path[64];
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", self->pid);
	mem = open(path, O_RDONLY);
	ASSERT_LE(0, mem);
	length = name_of_shared(self->image, dests, &name);
	EXPECT_NE(0, length);
	for (i = 0; i < ramload_image_nr_blocks(self->image); i++) {
		const struct ramload_image_block *block;

		block = ramload_image_block(self->image, i);
		if (strncmp(block->name, "shmem-", 6)) {
			compare_block(_metadata, block, dests[i], mem);
			nr += count_written(block, (uintptr_t)self->memory,
					    self->page, PAGES);
		} else if (!strncmp(block->name, name, length + 1)) {
			nr_shared += compare_shared(_metadata, self, block,
						    dests[i]);
		}
	}
	EXPECT_EQ(nr_written(PAGES), nr);
	EXPECT_EQ(nr_written(SHARED_PAGES), nr_shared);
	close(mem);
	unload(self->image, dests);
}

static void compare_engines(struct __test_metadata *_metadata,
			    FIXTURE_DATA(criu) *self)
{
	compare(_metadata, self, RAMLOAD_ENGINE_USER);
	if (access("/dev/ramload", R_OK | W_OK) == 0)
		compare(_metadata, self, RAMLOAD_ENGINE_KERNEL);
}

TEST_F_TIMEOUT(criu, alone, 300)
{
	int step;

	for (step = 0; step < STEPS; step++)
		process_step(self);
	dump(_metadata, self, "dump --leave-stopped", 0, false);
	open_image(_metadata, self, 0);
	compare_engines(_metadata, self);
}

/* Pages of three dumps, over each other. */
TEST_F_TIMEOUT(criu, chain, 300)
{
	size_t i, parents = 0;

	process_step(self);
	dump(_metadata, self, "pre-dump --track-mem", 0, false);
	process_step(self);
	dump(_metadata, self, "pre-dump --track-mem", 1, true);
	process_step(self);
	dump(_metadata, self, "dump --track-mem --leave-stopped", 2, true);
	open_image(_metadata, self, 2);
	for (i = 1; i < ramload_image_nr_files(self->image); i++) {
		const char *name = ramload_image_file_name(self->image, i);

		if (!strncmp(name, "parent/parent/pages-", 20))
			parents |= 2;
		else if (!strncmp(name, "parent/pages-", 13))
			parents |= 1;
	}
	EXPECT_EQ(3, parents);
	compare_engines(_metadata, self);
}

TEST_HARNESS_MAIN
