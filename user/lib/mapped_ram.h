/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * QEMU's mapped-ram migration files: what reader and writer have to know. After
 * the configuration, the RAM section is first; it begins with the total of all
 * lengths, and each block follows the pages of the one before it.
 */
#ifndef RAMLOAD_MAPPED_RAM_H
#define RAMLOAD_MAPPED_RAM_H

#include <stdint.h>

#define QEMU_MAGIC		0x5145564d
#define QEMU_VERSION		3

#define QEMU_END		0x00
#define QEMU_SECTION_START	0x01
#define QEMU_SECTION_PART	0x02
#define QEMU_SECTION_END	0x03
#define QEMU_SUBSECTION		0x05
#define QEMU_DESCRIPTION	0x06
#define QEMU_CONFIGURATION	0x07
#define QEMU_COMMAND		0x08
#define QEMU_SECTION_FOOTER	0x7e

#define RAM_SECTION_VERSION	4
#define RAM_HEADER_VERSION	1

#define MIN_PAGE		512ULL
#define MAX_PAGE		(1ULL << 30)

/* Flags of a word of the RAM section sit below the smallest page size. */
#define RAM_FLAGS		(MIN_PAGE - 1)
#define RAM_TOTAL		0x04
#define RAM_END			0x10
#define RAM_FLUSH		0x200

/* Far more than QEMU writes; they bound the work a hostile file can cause. */
#define MAX_BLOCKS		4096
#define MAX_MACHINE		256

#define MAX_NAME		255

/* Bytes of the bitmap of a block: words of 64 bits. */
static inline uint64_t mapped_ram_bitmap(uint64_t length, uint64_t page_size)
{
	uint64_t pages = length / page_size;

	return (pages + 63) / 64 * 8;
}

#endif /* RAMLOAD_MAPPED_RAM_H */
