/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Pagemaps: where CRIU has the pages of a process, in one of its dumps
 */
#ifndef RAMLOAD_PAGEMAP_H
#define RAMLOAD_PAGEMAP_H

#include "image.h"

/**
 * struct pagemap_entry - pages that adjoin
 * @start: address of the first byte
 * @end: address of the byte after the last, always more than @start
 * @pages: offset in the pages file, or PAGEMAP_IN_PARENT
 * @pos: where in the pagemap it is
 */
struct pagemap_entry {
	uint64_t start;
	uint64_t end;
	uint64_t pages;
	uint64_t pos;
};

#define PAGEMAP_IN_PARENT UINT64_MAX

/**
 * struct pagemap - a pagemap
 * @pages_id: number of the pages file
 * @pages_length: bytes that are in it
 * @entries: of rising addresses, disjoint
 * @next: no entry before it ends after the address that was sought last
 */
struct pagemap {
	uint32_t pages_id;
	uint64_t pages_length;
	struct pagemap_entry *entries;
	size_t nr_entries;
	size_t room;
	size_t next;
};

/**
 * pagemap_read() - read a pagemap
 * @file: the file
 * @map: filled in; to be freed by pagemap_free(), also after an error
 *
 * Return: 0, -EINVAL, -ENOTSUP, -ENODATA, -ENOMEM or an error of pread(), with
 * file->error filled in
 */
int pagemap_read(struct image_file *file, struct pagemap *map);

void pagemap_free(struct pagemap *map);

/**
 * pagemap_seek() - the entry of an address, NULL if there is none
 * @address: not less than that of the last call
 */
const struct pagemap_entry *pagemap_seek(struct pagemap *map, uint64_t address);

#endif /* RAMLOAD_PAGEMAP_H */
