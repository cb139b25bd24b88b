/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_SAVE_H
#define RAMLOAD_SAVE_H

#include <pthread.h>
#include <stdatomic.h>

#include <ramload.h>

#include "save_file.h"

/**
 * struct save_block - a block and where it is in the file
 * @name: its name
 * @length: bytes of guest memory
 * @header: where its header is
 * @bits: where its bitmap is
 * @pages: where its pages are
 * @bitmap: present pages, in words of 64
 */
struct save_block {
	char *name;
	uint64_t length;
	uint64_t header;
	uint64_t bits;
	uint64_t pages;
	_Atomic uint64_t *bitmap;
};

/**
 * struct ramload_save - a file that is being written
 * @file: the file
 * @page_size: bytes that a bit of the bitmaps stands for
 * @workers: how many to start, 0 for the default
 * @section: id of the RAM section
 * @machine: length of the machine type, if the configuration is our own
 * @verbatim: the configuration is the caller's
 * @head: what precedes the header of the first block
 * @head_length: its length
 * @blocks: the blocks
 * @nr_blocks: number of elements
 * @ram_end: where the RAM section ends
 * @end: where the next thing is appended
 * @owed: bytes that jobs have still to do
 * @lock: protects @error
 * @error: the first one
 * @committed: nothing can be done any more
 */
struct ramload_save {
	struct save_file file;
	uint32_t page_size;
	unsigned int workers;
	uint32_t section;
	size_t machine;
	bool verbatim;
	uint8_t *head;
	size_t head_length;
	struct save_block *blocks;
	size_t nr_blocks;
	uint64_t ram_end;
	uint64_t end;
	_Atomic uint64_t owed;
	pthread_mutex_t lock;
	struct ramload_save_error error;
	bool committed;
};

/**
 * save_pages() - write what is not zero; from any thread
 * @save: the save
 * @block: index of the block
 * @data: the bytes from *@at to @end
 * @at: where in the block; left at the first page not written
 * @end: to where
 *
 * Return: 0 or an error, which the save then has, too
 */
int save_pages(struct ramload_save *save, size_t block, const void *data,
	       uint64_t *at, uint64_t end);

#endif /* RAMLOAD_SAVE_H */
