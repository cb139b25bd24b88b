/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_MEMORY_H
#define RAMLOAD_MEMORY_H

#include <ramload.h>

/* Alignment of every memory, and huge page size. */
#define MEMORY_ALIGN	(UINT64_C(2) << 20)

/**
 * struct ramload_memory - mapped memory
 * @address: where it is mapped
 * @length: bytes mapped
 * @fd: its file, -1: anonymous
 */
struct ramload_memory {
	void *address;
	uint64_t length;
	int fd;
};

#endif /* RAMLOAD_MEMORY_H */
