/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What most calls of an ioctl need before they can succeed.
 */
#ifndef TEST_SETTING_H
#define TEST_SETTING_H

#include <sys/mman.h>

#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"

#define LENGTH	MIB(1)

/* A context with workers, a source and memory, all of LENGTH bytes. */
struct setting {
	int fd;
	int src;
	char *dest;
	struct ramload_info info;
};

static inline void *map_anonymous(size_t length, int prot)
{
	return mmap(NULL, length, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static inline bool setting_make(struct setting *s)
{
	s->src = memfd_create_pattern(SEED_SOURCE, LENGTH);
	s->dest = map_anonymous(LENGTH, PROT_READ | PROT_WRITE);
	return s->src >= 0 && s->dest != MAP_FAILED &&
	       !raw_info(s->fd, &s->info) && !raw_setup(s->fd, 2);
}

#endif /* TEST_SETTING_H */
