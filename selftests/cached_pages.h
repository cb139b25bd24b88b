/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What of a file is in the page cache
 */
#ifndef CACHED_PAGES_H
#define CACHED_PAGES_H

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* How many pages of a part, of whole pages; UINT_MAX if it cannot be told. */
static inline unsigned int cached_pages(int fd, uint64_t at, uint64_t length)
{
	uint64_t i, nr = length / sysconf(_SC_PAGESIZE);
	unsigned char *cached = malloc(nr);
	unsigned int count = UINT_MAX;
	void *map;

	map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, at);
	if (map == MAP_FAILED)
		goto out;
	if (cached && !mincore(map, length, cached))
		for (count = 0, i = 0; i < nr; i++)
			count += cached[i] & 1;
	munmap(map, length);
out:
	free(cached);
	return count;
}

/*
 * Until none of them is: somebody may hold one for a moment. What is being read is not
 * told of.
 */
static inline void drop_cached_pages(int fd, uint64_t length)
{
	do {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	} while (cached_pages(fd, 0, length));
}

#endif /* CACHED_PAGES_H */
