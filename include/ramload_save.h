/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * libramload: write the RAM of a virtual machine to a file. <ramload.h> has it
 * all, and says what holds for all of the library.
 */
#ifndef RAMLOAD_PUBLIC_SAVE_H
#define RAMLOAD_PUBLIC_SAVE_H

#include <ramload.h>

#ifdef __cplusplus
extern "C" {
/* Some functions have the name of the struct that they are about. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

/**
 * struct ramload_save_block - a block to save
 * @name: RAMBlock name, 1 to 255 bytes; of each block another
 * @length: bytes of guest memory, at least a page; a multiple of the page size
 */
struct ramload_save_block {
	const char *name;
	uint64_t length;
};

/**
 * struct ramload_save_options - how to save
 * @size: sizeof(struct ramload_save_options), for later growth
 * @page_size: of the guest: what a bit of the bitmaps stands for, a power of two
 *	from 512 to 2 MiB; 0: 4096
 * @workers: workers of ramload_save_memory(); 0: as of a session
 * @direct: write past the page cache what file system and alignment allow:
 *	pages that lie in memory where they can be written from. The rest, or
 *	all where there is no direct I/O, goes through the page cache.
 * @section: section id of the RAM section; 0: 2. What is appended may not have
 *	a section of the same id, but those that are to go on with it.
 * @machine: machine type, 256 bytes at most; NULL: "none", or that of @config
 * @config: NULL, or all that precedes the RAM section, from the file's magic
 *	number on, as in a file that QEMU wrote: it must name the capability
 *	mapped-ram and not x-ignore-shared
 * @config_length: bytes of @config
 */
struct ramload_save_options {
	size_t size;
	uint32_t page_size;
	unsigned int workers;
	bool direct;
	uint32_t section;
	const char *machine;
	const void *config;
	size_t config_length;
};

/**
 * ramload_save_open() - begin to write a mapped-ram file
 * @path: where it is to be; a symbolic link to a file is followed
 * @blocks: the blocks, in the order they will have; may be freed when this
 *	returns, as may all that @options points to
 * @nr_blocks: number of elements, 1 to 4096
 * @options: NULL for all defaults
 * @save: where the save is returned; NULL on error
 *
 * The file is one that QEMU, 9.0 or newer, reads. The pages of each block begin
 * at a multiple of 2 MiB. Nobody sees it before ramload_save_commit(): a file
 * that is there stays as it is until then. The new one can be read and written
 * by its owner only. A link to what has no name, as a pipe, is -EINVAL, and one
 * to nothing is -ENOENT.
 *
 * Order of calls: ramload_save_write() and ramload_save_memory(), and
 * ramload_save_append(), as often as wanted; ramload_save_end();
 * ramload_save_commit(); ramload_save_close().
 *
 * Where RLIMIT_FSIZE is too small, ftruncate() here, or pwrite() later, sends a
 * SIGXFSZ, which ends a process that does not ignore it.
 *
 * Context: Any thread.
 * Return: 0 or
 *
 * * -EINVAL: bad blocks or options; what is there is no regular file
 * * -EISDIR: it is a directory
 * * -E2BIG: too many blocks
 * * -EOVERFLOW: the file would be longer than 2^63 - 1 bytes
 * * -EFBIG: it would be longer than RLIMIT_FSIZE or the file system allow
 * * -ENAMETOOLONG, -ENOENT, -ENOTDIR, -EACCES, -EROFS, -ENOSPC, -EDQUOT, ...:
 *   an error of open() or the like
 * * -ENOMEM
 */
RAMLOAD_API int ramload_save_open(const char *path,
				  const struct ramload_save_block *blocks,
				  size_t nr_blocks,
				  const struct ramload_save_options *options,
				  struct ramload_save **save);

/**
 * ramload_save_write() - write a part of a block
 * @save: the save
 * @block: index of the block
 * @offset: where in the block, a multiple of the page size
 * @data: what is there
 * @length: bytes, a multiple of the page size
 *
 * Any number of threads may write, in any order, but no page may be written by
 * two at a time. Pages that are zero take no space in the file and are absent in
 * it, as are those that are never written. What is written again replaces what
 * was written before, so memory of a running guest may be saved first, and what
 * has changed since once more.
 *
 * A page that changes during the call is saved as it was at some moment of it, or
 * parts of it as they were at different ones; or as zero if it was at first.
 *
 * After an error the save can only be closed.
 *
 * Context: Any thread. Waits for the file.
 * Return: 0 or
 *
 * * -EINVAL: outside of the block, or not a multiple of the page size; this
 *   has no consequences
 * * -ENOSPC, -EDQUOT, -EIO or whatever else pwrite() gives; or the error that
 *   the save has had before
 */
RAMLOAD_API int ramload_save_write(struct ramload_save *save, size_t block,
				   uint64_t offset, const void *data,
				   uint64_t length);

/**
 * ramload_save_memory() - start a job that writes whole blocks
 * @save: the save; must not be closed before the job is freed
 * @memory: of each block its address: the memory must stay mapped until the job
 *	is done. NULL: the block is not for this job.
 * @job: where the job is returned; NULL on error
 *
 * Does what ramload_save_write() does, in parallel. The job is one like those of
 * ramload_load(), but belongs to no session: it can be polled, waited for and
 * cancelled, and has to be freed. Its bytes are those looked at, zero or not.
 * If it fails, its result's error_block and error_offset, in the file, are those
 * of the first byte that was not saved; ramload_save_error() tells where the
 * error was met. If it is cancelled, the save can only be closed.
 *
 * Context: One at a time.
 * Return: 0, -EINVAL (bad number of workers), -EAGAIN, -ENOMEM, -EMFILE, -ENFILE
 */
RAMLOAD_API int ramload_save_memory(struct ramload_save *save,
				    const void *const *memory,
				    struct ramload_job **job);

/**
 * ramload_save_append() - write what follows RAM
 * @save: the save
 * @data: sections of devices, as they are to be in the file
 * @length: bytes
 * Context: One at a time. Waits for the file.
 * Return: 0, or an error as of ramload_save_write()
 */
RAMLOAD_API int ramload_save_append(struct ramload_save *save, const void *data,
				    size_t length);

/**
 * ramload_save_end() - write the end of the stream
 * @save: the save
 * @devices: NULL, or a JSON array that describes the sections that were appended
 *	as QEMU's scripts/analyze-migration.py wants to have it
 *
 * To be left out where what was appended has an end, as the rest of a file of
 * QEMU has.
 *
 * Context: One at a time. Waits for the file.
 * Return: 0; -EINVAL: @devices, and the configuration is not our own; -ENOMEM;
 * or an error as of ramload_save_write()
 */
RAMLOAD_API int ramload_save_end(struct ramload_save *save,
				 const char *devices);

/**
 * ramload_save_commit() - complete the file and put it in its place
 * @save: the save; all its jobs are done. It can only be closed afterwards.
 *
 * When this returns 0, the file and its directory entry are on the disk. If all
 * blocks are zero, a page is present nevertheless, and if nothing was appended, the
 * end of the stream is: without these, a file looks as if its writer had not come
 * to its end.
 *
 * Context: Alone. Waits for the file to be on the disk.
 * Return: 0 or
 *
 * * -ECANCELED: a job was cancelled, or is not done
 * * the error that the save has had before
 * * -ENOSPC, -EDQUOT, -EIO, ...: an error of pwrite(), fsync(), link() or
 *   rename(). The old file is still there; only if the directory's fsync()
 *   fails, the new one is.
 */
RAMLOAD_API int ramload_save_commit(struct ramload_save *save);

/**
 * struct ramload_save_error - what went wrong
 * @error: 0, or the first negative errno
 * @block: index of the block that was to be written; the number of blocks if it
 *	was something else
 * @offset: offset in the file of what could not be written
 */
struct ramload_save_error {
	int error;
	size_t block;
	uint64_t offset;
};

/**
 * ramload_save_error() - the first error of a save
 * @save: the save
 * @error: filled in
 * Context: Any thread.
 */
RAMLOAD_API void ramload_save_error(struct ramload_save *save,
				    struct ramload_save_error *error);

/**
 * ramload_save_close() - free a save
 * @save: the save, or NULL; all its jobs were freed
 *
 * If it was not committed, nothing is left of it.
 *
 * Context: Last.
 */
RAMLOAD_API void ramload_save_close(struct ramload_save *save);

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif

#endif /* RAMLOAD_PUBLIC_SAVE_H */
