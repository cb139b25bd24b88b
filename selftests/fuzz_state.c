// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "fuzz_state.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

struct pool contexts = { .size = CONTEXTS };
struct pool jobs = { .size = JOBS };
struct pool sources = { .size = SOURCES };
const char *pattern;

static int ext4 = -1;
static int full = -1;
static int loop = -1;
static atomic_int slot_fd[SLOTS];

uint64_t fuzz_safe(uint64_t word)
{
	if (word >= UINT64_C(1) << 45 && word < UINT64_C(1) << 47)
		word &= (UINT64_C(1) << 45) - 1;
	return word;
}

void fuzz_safe_words(void *buf, size_t size)
{
	uint64_t *words = buf;
	size_t i;

	for (i = 0; i < size / 8; i++)
		words[i] = fuzz_safe(words[i]);
}

/* Fds */

int pool_peek(struct pool *p, struct random *r)
{
	unsigned int i = random_below(r, p->size), tries = 4;

	while (p->fds[i] < 0 && tries--)
		i = (i + 1) % p->size;
	return p->fds[i];
}

int pool_take(struct pool *p, struct random *r)
{
	return atomic_exchange(&p->fds[random_below(r, p->size)], -1);
}

void pool_put(struct pool *p, struct random *r, int fd)
{
	int old = atomic_exchange(&p->fds[random_below(r, p->size)], fd);

	if (old >= 0)
		close(old);
}

static void pool_init(struct pool *p)
{
	int i;

	for (i = 0; i < p->size; i++)
		p->fds[i] = -1;
}

void pool_close(struct pool *p)
{
	int i, fd;

	for (i = 0; i < p->size; i++) {
		fd = atomic_exchange(&p->fds[i], -1);
		if (fd >= 0)
			close(fd);
	}
}

int any_fd(struct random *r)
{
	switch (random_below(r, 8)) {
	case 0:
		return random_value(r) | 1 << 20;
	case 1:
		return pool_peek(&contexts, r);
	case 2:
		return pool_peek(&jobs, r);
	default:
		return pool_peek(&sources, r);
	}
}

/* A memfd, opened again with @flags. */
static int open_memfd(int flags)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC), again;

	again = file_reopen(fd, flags);
	close(fd);
	return again;
}

static int pipe_end(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	close(fds[1]);
	return fds[0];
}

static int source_of_kind(struct fuzzer *f)
{
	static const char *const paths[] = {
		"/", "/proc/self/status", "/proc/version", "/proc/self/mem",
		"/dev/zero", "/dev/null", RAMLOAD_DEVICE, "/proc/kmsg",
		"/proc/self/maps", "/sys/kernel/mm", "/proc/self/pagemap",
	};
	struct random *r = &f->r;

	switch (random_below(r, 12)) {
	case 0:
		return open_memfd(one_in(r, 2) ? O_WRONLY : O_PATH);
	case 1:
		return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	case 2:
		return pipe_end();
	case 3:
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	case 4:
		return eventfd(0, EFD_CLOEXEC);
	case 5:
		return loop < 0 ? -1 : fcntl(loop, F_DUPFD_CLOEXEC, 3);
	case 6:
		/* A destination as the source of itself. */
		return fcntl(slot_fd[random_below(r, SLOTS)], F_DUPFD_CLOEXEC,
			     3);
	case 7:
	case 8:
		return ext4 < 0 ? -1 : file_create(ext4);
	case 9:
		return memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	default:
		return open(paths[random_below(r, 11)],
			    O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	}
}

int make_source(struct fuzzer *f)
{
	int fd = source_of_kind(f);
	size_t length = 1 + random_below(&f->r, SOURCE_LENGTH);

	if (fd < 0)
		return -errno;
	/* To what is no new file, nothing is written. */
	if (lseek(fd, 0, SEEK_END) == 0 &&
	    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR &&
	    pwrite(fd, pattern, length, 0) < 0)
		length = 0;
	pool_put(&sources, &f->r, fd);
	return 0;
}

/* A file that something in the arena may be a mapping of. */
static int slot_file(struct random *r)
{
	int fd;

	switch (random_below(r, 8)) {
	case 0:
		fd = ext4 < 0 ? -1 : file_create(ext4);
		break;
	case 1:
		fd = full < 0 ? -1 : file_create(full);
		break;
	case 2:
		fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_HUGETLB);
		break;
	default:
		fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	}
	if (fd >= 0 && ftruncate(fd, SLOT_MEMORY)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int map_slot(struct random *r, unsigned int slot)
{
	void *at = (void *)(uintptr_t)(ARENA + slot * SLOT_SIZE);
	int flags = MAP_FIXED | MAP_NORESERVE, prot = PROT_READ | PROT_WRITE;
	int fd = one_in(r, 3) ? -1 : slot_file(r);

	flags |= one_in(r, 4) || fd < 0 ? MAP_PRIVATE : MAP_SHARED;
	if (fd < 0)
		flags |= MAP_ANONYMOUS;
	if (one_in(r, 6))
		prot = one_in(r, 2) ? PROT_READ : PROT_NONE;
	if (mmap(at, SLOT_MEMORY, prot, flags, fd, 0) == MAP_FAILED) {
		if (fd >= 0)
			close(fd);
		return -errno;
	}
	if (fd < 0)
		return 0;
	fd = atomic_exchange(&slot_fd[slot], fd);
	if (fd >= 0)
		close(fd);
	return 0;
}

uint64_t arena_address(struct random *r)
{
	uint64_t at = ARENA + random_below(r, SLOTS) * SLOT_SIZE;

	switch (random_below(r, 4)) {
	case 0:
		return at;
	case 1:
		return at + random_below(r, SLOT_MEMORY / PAGE) * PAGE;
	case 2:
		/* Near the end of the memory. */
		return at + SLOT_MEMORY - random_below(r, 256) * 8;
	default:
		return at + random_below(r, SLOT_MEMORY);
	}
}

bool arena_write(struct fuzzer *f, uint64_t to, const void *from, size_t size)
{
	return pwrite(f->staging, from, size, 0) == (ssize_t)size &&
	       pread(f->staging, (void *)(uintptr_t)to, size, 0) ==
	       (ssize_t)size;
}

bool arena_read(struct fuzzer *f, void *to, uint64_t from, size_t size)
{
	return pwrite(f->staging, (void *)(uintptr_t)from, size, 0) ==
	       (ssize_t)size &&
	       pread(f->staging, to, size, 0) == (ssize_t)size;
}

static int advise(struct random *r, void *at, size_t length)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_DONTNEED, MADV_REMOVE, MADV_PAGEOUT,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_FREE, MADV_COLLAPSE,
		MADV_DONTFORK, MADV_DOFORK,
	};

	return madvise(at, length, advices[random_below(r, 10)]);
}

int change_memory(struct fuzzer *f)
{
	static const int prots[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE,
	};
	struct random *r = &f->r;
	unsigned int slot = random_below(r, SLOTS);
	unsigned int page = random_below(r, SLOT_MEMORY / PAGE);
	size_t length = (1 + random_below(r, SLOT_MEMORY / PAGE - page)) * PAGE;
	void *at = (void *)(uintptr_t)(ARENA + slot * SLOT_SIZE + page * PAGE);
	int ret;

	switch (random_below(r, 4)) {
	case 0:
		ret = munmap(at, length);
		break;
	case 1:
		ret = mprotect(at, length, prots[random_below(r, 4)]);
		break;
	case 2:
		ret = advise(r, at, length);
		break;
	default:
		return map_slot(r, slot);
	}
	return ret ? -errno : 0;
}

/* Sizes stay small, whoever owns the file. */
int change_file(struct fuzzer *f)
{
	struct random *r = &f->r;
	int fd = one_in(r, 2) ? slot_fd[random_below(r, SLOTS)] :
		 pool_peek(&sources, r);
	off_t at = random_below(r, SLOT_MEMORY);
	off_t length = 1 + random_below(r, SLOT_MEMORY);
	int ret;

	switch (random_below(r, 6)) {
	case 0:
		ret = ftruncate(fd, at);
		break;
	case 1:
	case 2:
		ret = ftruncate(fd, SLOT_MEMORY);
		break;
	case 3:
		ret = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				at, length);
		break;
	case 4:
		ret = one_in(r, 16) ? fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) :
		      fcntl(fd, F_SETFL, one_in(r, 2) ? O_DIRECT : 0);
		break;
	default:
		ret = posix_fadvise(fd, at, length, POSIX_FADV_DONTNEED) ? -1 :
		      0;
	}
	return ret < 0 ? -errno : 0;
}

static int make_files(void)
{
	struct reason why;
	int backing;
	char *buf;

	buf = malloc(SOURCE_LENGTH);
	if (!buf)
		return -1;
	pattern_fill(buf, SEED_SOURCE, 0, SOURCE_LENGTH);
	pattern = buf;
	ext4 = fs_open("ext4", NULL, &why);
	if (ext4 < 0)
		printf("# no ext4: %s\n", why.text);
	full = fs_open("tmpfs", "size=1m", &why);
	backing = file_create_pattern(ext4, SEED_SOURCE, SOURCE_LENGTH);
	if (backing >= 0) {
		loop = loop_attach(backing);
		close(backing);
	}
	return 0;
}

int arena_init(void)
{
	struct random r;
	int i;

	if ((uintptr_t)&r < UINT64_C(1) << 46 ||
	    (uintptr_t)arena_init < UINT64_C(1) << 46) {
		printf("# the program is where the arena has to be\n");
		return -1;
	}
	if (mmap((void *)ARENA, SLOTS * SLOT_SIZE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	    MAP_FAILED)
		return -1;
	pool_init(&contexts);
	pool_init(&jobs);
	pool_init(&sources);
	for (i = 0; i < SLOTS; i++)
		slot_fd[i] = -1;
	hugetlb_reserve(2);
	if (make_files())
		return -1;
	random_seed(&r, fuzz_seed, ~0, 0);
	for (i = 0; i < SLOTS; i++)
		map_slot(&r, i);
	return 0;
}

void arena_end(void)
{
	int i, fd;

	pool_close(&jobs);
	pool_close(&contexts);
	pool_close(&sources);
	for (i = 0; i < SLOTS; i++) {
		fd = atomic_exchange(&slot_fd[i], -1);
		if (fd >= 0)
			close(fd);
	}
}

/* Memory of a thread's own. */
static int map_compared(struct fuzzer *f)
{
	int fd = memfd_create("own", MFD_CLOEXEC);
	int i;

	if (fd < 0 || ftruncate(fd, COMPARED))
		return -1;
	f->memory[0] = mmap(NULL, COMPARED, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);
	f->memory[1] = mmap(NULL, COMPARED, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	f->memory[2] = mmap(NULL, COMPARED, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE, fd, 0);
	f->expected = malloc(COMPARED);
	f->page = mmap((void *)(ARENA - (f->id + 1) * SLOT_SIZE), PAGE,
		       PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (f->page == MAP_FAILED)
		return -1;
	close(fd);
	for (i = 0; i < 3; i++)
		if (f->memory[i] == MAP_FAILED)
			return -1;
	return f->expected ? 0 : -1;
}

int state_init(struct fuzzer *f)
{
	f->ctx = open_device();
	f->staging = memfd_create("staging", MFD_CLOEXEC);
	f->src[0] = memfd_create_pattern(SEED_SOURCE, SOURCE_LENGTH);
	f->src[1] = ext4 < 0 ? -1 :
		    file_create_pattern(ext4, SEED_SOURCE, SOURCE_LENGTH);
	if (f->src[1] < 0)
		f->src[1] = fcntl(f->src[0], F_DUPFD_CLOEXEC, 3);
	if (f->ctx < 0 || f->staging < 0 || f->src[1] < 0 ||
	    raw_setup(f->ctx, 1 + f->id % 3))
		return -1;
	return map_compared(f);
}

void state_end(struct fuzzer *f)
{
	int i;

	close(f->ctx);
	close(f->staging);
	for (i = 0; i < 2; i++)
		close(f->src[i]);
	for (i = 0; i < 3; i++)
		munmap(f->memory[i], COMPARED);
	munmap(f->page, PAGE);
	free(f->expected);
}
