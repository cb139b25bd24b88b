// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* Bytes that can be checked anywhere, and memory of every kind. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"

#define HUGE_PAGE	MIB(2)
#define NR_HUGEPAGES	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define FREE_HUGEPAGES	"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

static uint64_t pattern_word(uint64_t seed, uint64_t index)
{
	uint64_t x = index * 0x9e3779b97f4a7c15 + seed * 0xd1b54a32d192ed03;

	x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9;
	return x ^ (x >> 32);
}

void pattern_fill(void *buf, uint64_t seed, uint64_t offset, size_t length)
{
	unsigned char *to = buf;

	while (length) {
		uint64_t word = pattern_word(seed, offset / 8);
		size_t skip = offset % 8;
		size_t n = length < 8 - skip ? length : 8 - skip;

		memcpy(to, (char *)&word + skip, n);
		to += n;
		offset += n;
		length -= n;
	}
}

size_t pattern_mismatch(const void *buf, uint64_t seed, uint64_t offset,
			size_t length)
{
	unsigned char expected[4096];
	const unsigned char *at = buf;
	size_t done, i, n;

	for (done = 0; done < length; done += n) {
		n = length - done;
		if (n > sizeof(expected))
			n = sizeof(expected);
		pattern_fill(expected, seed, offset + done, n);
		if (!memcmp(at + done, expected, n))
			continue;
		for (i = 0; i < n && at[done + i] == expected[i]; i++)
			;
		return done + i;
	}
	return length;
}

bool pattern_matches(const void *buf, uint64_t seed, uint64_t offset,
		     size_t length)
{
	return pattern_mismatch(buf, seed, offset, length) == length;
}

bool all_zero(const void *buf, size_t length)
{
	const char *at = buf;

	return !length || (!*at && !memcmp(at, at + 1, length - 1));
}

bool pages_zero_or_pattern(const void *buf, uint64_t seed, uint64_t offset,
			   size_t length)
{
	const char *at = buf;
	size_t i;

	for (i = 0; i < length; i += PAGE)
		if (!all_zero(at + i, PAGE) &&
		    !pattern_matches(at + i, seed, offset + i, PAGE))
			return false;
	return true;
}

bool bytes_zero_or_pattern(const void *buf, uint64_t seed, uint64_t offset,
			   size_t length)
{
	const char *at = buf;
	char expected[PAGE];
	size_t i;

	for (i = 0; i < length; i++) {
		if (!(i % PAGE))
			pattern_fill(expected, seed, offset + i, PAGE);
		if (at[i] && at[i] != expected[i % PAGE])
			return false;
	}
	return true;
}

static const char *const names[MEMORY_KINDS] = {
	[MEMORY_MEMFD] = "memfd",
	[MEMORY_MEMFD_PRIVATE] = "memfd private",
	[MEMORY_TMPFS_HUGE] = "tmpfs huge",
	[MEMORY_ANON] = "anonymous",
	[MEMORY_THP] = "THP",
	[MEMORY_HUGETLB] = "hugetlb",
	[MEMORY_FILE_PRIVATE] = "file private",
	[MEMORY_FILE_SHARED] = "file shared",
	[MEMORY_READ_ONLY] = "read-only",
};

const char *memory_name(enum memory_kind kind)
{
	return names[kind];
}

static int give_reason(struct reason *why, const char *what)
{
	snprintf(why->text, sizeof(why->text), "%s: %s", what, strerror(errno));
	return -1;
}

/* The file to map, empty; -1 in @fd if the memory has none. */
static int memory_file(enum memory_kind kind, int *fd, struct reason *why)
{
	int dir;

	*fd = -1;
	switch (kind) {
	case MEMORY_MEMFD:
	case MEMORY_MEMFD_PRIVATE:
		*fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		break;
	case MEMORY_TMPFS_HUGE:
		dir = fs_open("tmpfs", "huge=always", why);
		if (dir < 0)
			return -1;
		*fd = file_create(dir);
		break;
	case MEMORY_FILE_PRIVATE:
	case MEMORY_FILE_SHARED:
		dir = fs_open("ext4", NULL, why);
		if (dir < 0)
			return -1;
		*fd = file_create(dir);
		break;
	default:
		return 0;
	}
	return *fd < 0 ? give_reason(why, "no file to map") : 0;
}

static int memory_flags(enum memory_kind kind)
{
	switch (kind) {
	case MEMORY_MEMFD:
	case MEMORY_TMPFS_HUGE:
	case MEMORY_FILE_SHARED:
		return MAP_SHARED;
	case MEMORY_MEMFD_PRIVATE:
	case MEMORY_FILE_PRIVATE:
		return MAP_PRIVATE;
	case MEMORY_HUGETLB:
		return MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	default:
		return MAP_PRIVATE | MAP_ANONYMOUS;
	}
}

static int memory_advise(struct memory *m, enum memory_kind kind,
			 struct reason *why)
{
	if (kind == MEMORY_ANON)
		madvise(m->map, m->length, MADV_NOHUGEPAGE);
	if (kind == MEMORY_THP && madvise(m->map, m->length, MADV_HUGEPAGE))
		return give_reason(why, "no transparent huge pages");
	return 0;
}

/* Address space around @m that nothing can be mapped to by chance. */
static int reserve(struct memory *m, struct reason *why)
{
	size_t bytes = m->length + 3 * HUGE_PAGE;
	char *at, *end;

	at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return give_reason(why, "no address space");
	end = at + bytes;
	m->map = (char *)(((uintptr_t)at + 2 * HUGE_PAGE - 1) &
			  ~(HUGE_PAGE - 1));
	munmap(at, m->map - HUGE_PAGE - at);
	munmap(m->map + m->length + HUGE_PAGE,
	       end - (m->map + m->length + HUGE_PAGE));
	return 0;
}

static int map(struct memory *m, int prot, int flags, struct reason *why)
{
	if (m->fd >= 0 && ftruncate(m->fd, m->length)) {
		close(m->fd);
		return give_reason(why, "ftruncate");
	}
	if (reserve(m, why)) {
		close(m->fd);
		return -1;
	}
	if (mmap(m->map, m->length, prot, flags | MAP_FIXED, m->fd, 0) ==
	    MAP_FAILED) {
		give_reason(why, "mmap");
		memory_unmap(m);
		return -1;
	}
	return 0;
}

int memory_map(struct memory *m, enum memory_kind kind, size_t length,
	       struct reason *why)
{
	int prot = PROT_READ | (kind == MEMORY_READ_ONLY ? 0 : PROT_WRITE);

	*m = (struct memory){ .length = length };
	if (memory_file(kind, &m->fd, why) ||
	    map(m, prot, memory_flags(kind), why))
		return -1;
	if (memory_advise(m, kind, why)) {
		memory_unmap(m);
		return -1;
	}
	return 0;
}

int memory_map_file(struct memory *m, int fd, int flags, size_t length,
		    struct reason *why)
{
	*m = (struct memory){ .length = length, .fd = fd };
	return map(m, PROT_READ | PROT_WRITE, flags, why);
}

void memory_discard(struct memory *m)
{
	if (m->fd >= 0)
		fallocate(m->fd, FALLOC_FL_PUNCH_HOLE |
			  FALLOC_FL_KEEP_SIZE, 0, m->length);
	madvise(m->map, m->length, MADV_DONTNEED);
}

void memory_unmap(struct memory *m)
{
	if (!m->map)
		return;
	munmap(m->map - HUGE_PAGE, m->length + 2 * HUGE_PAGE);
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct memory){ .fd = -1 };
}

static long read_number(const char *path)
{
	long n = -1;
	FILE *f = fopen(path, "re");

	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

static void write_number(const char *path, long n)
{
	FILE *f = fopen(path, "we");

	if (f) {
		fprintf(f, "%ld\n", n);
		fclose(f);
	}
}

static struct {
	long before;
	pid_t owner;
} pool;

/* A forked child that exits must not shrink the pool. */
static void hugetlb_restore(void)
{
	if (getpid() == pool.owner)
		write_number(NR_HUGEPAGES, pool.before);
}

long hugetlb_reserve(long pages)
{
	long available = read_number(FREE_HUGEPAGES);

	if (available < 0 || available >= pages)
		return available;
	if (!pool.owner) {
		pool.before = read_number(NR_HUGEPAGES);
		pool.owner = getpid();
		atexit(hugetlb_restore);
	}
	write_number(NR_HUGEPAGES,
		     read_number(NR_HUGEPAGES) + pages - available);
	return read_number(FREE_HUGEPAGES);
}
