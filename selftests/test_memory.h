/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Bytes that can be checked anywhere, and memory of every kind to load into.
 */
#ifndef TEST_MEMORY_H
#define TEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

/* Of libc headers newer than some we build with. */
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* Why a test has to be skipped. */
struct reason {
	char text[160];
};

/*
 * A pattern is an endless stream of bytes that a seed determines. No two
 * pages of it are alike, none is all zeros.
 */
enum {
	SEED_SOURCE = 1,	/* contents of every source */
	SEED_OLD = 2,		/* contents of memory before a load */
	SEED_LATER = 3,		/* contents of memory stored after a load */
};

void pattern_fill(void *buf, uint64_t seed, uint64_t offset, size_t length);

/* First index at which @buf differs from the pattern, or @length. */
size_t pattern_mismatch(const void *buf, uint64_t seed, uint64_t offset,
			size_t length);

bool pattern_matches(const void *buf, uint64_t seed, uint64_t offset,
		     size_t length);
bool all_zero(const void *buf, size_t length);

/*
 * True if each page holds either only zeros or only bytes of the pattern.
 * @buf and @length are page aligned.
 */
bool pages_zero_or_pattern(const void *buf, uint64_t seed, uint64_t offset,
			   size_t length);

/* The same of each byte. */
bool bytes_zero_or_pattern(const void *buf, uint64_t seed, uint64_t offset,
			   size_t length);

enum memory_kind {
	MEMORY_MEMFD,
	MEMORY_MEMFD_PRIVATE,
	MEMORY_TMPFS_HUGE,
	MEMORY_ANON,
	MEMORY_THP,
	MEMORY_HUGETLB,
	MEMORY_FILE_PRIVATE,	/* ext4 */
	MEMORY_FILE_SHARED,	/* ext4 */
	MEMORY_READ_ONLY,
	MEMORY_KINDS,
};

/*
 * @map starts at a multiple of 2 MiB. The 2 MiB before and after it cannot be
 * accessed. What was never stored to reads as zeros.
 */
struct memory {
	char *map;
	size_t length;
	int fd;			/* of what is mapped, or -1 */
};

const char *memory_name(enum memory_kind kind);

/*
 * @length is a multiple of 2 MiB. Returns 0, or -1 and why: this machine
 * cannot have that kind of memory.
 */
int memory_map(struct memory *m, enum memory_kind kind, size_t length,
	       struct reason *why);
void memory_unmap(struct memory *m);

/* @fd, which becomes the memory's, is mapped. */
int memory_map_file(struct memory *m, int fd, int flags, size_t length,
		    struct reason *why);

/* Makes all of the memory fresh; the file's if it maps one. */
void memory_discard(struct memory *m);

/*
 * Make sure that there are @pages free pages of 2 MiB for hugetlb; what was
 * added is taken away again at exit. Returns how many there are.
 */
long hugetlb_reserve(long pages);

#endif /* TEST_MEMORY_H */
