/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * libramload: load the RAM of a virtual machine from a file into memory
 */
#ifndef RAMLOAD_H
#define RAMLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
/* Some functions have the name of the struct that they are about. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

#define RAMLOAD_API __attribute__((visibility("default")))

/**
 * DOC: libramload
 *
 * A *session* is an engine and its workers. A *job* loads *blocks*: each a
 * piece of a file, all of it or the pages named by a bitmap, and the memory it
 * goes to. An *image* reads the blocks out of a snapshot file. A *queue* takes
 * pages one by one and makes jobs of them. A *memory* is destination memory of
 * a given kind, for those who have none yet. A *save* writes blocks to a snapshot
 * file.
 *
 * Functions return 0 (or a count where said so) or a negative errno. The
 * library prints nothing, has no global state, and handles no signals.
 * Lengths, offsets and addresses are in bytes.
 *
 * Threads: a session may be used from any thread, and by several at a time.
 * A job, image, queue, memory or save may be used from any thread, by one at a
 * time except where a function says otherwise. After fork() the child must not use
 * what the parent opened.
 */

/**
 * enum ramload_engine - who moves the bytes
 * @RAMLOAD_ENGINE_AUTO: kernel if there is the module and it lets us, else user
 * @RAMLOAD_ENGINE_KERNEL: the kernel module, through /dev/ramload
 * @RAMLOAD_ENGINE_USER: threads of this process that pread()
 */
enum ramload_engine {
	RAMLOAD_ENGINE_AUTO,
	RAMLOAD_ENGINE_KERNEL,
	RAMLOAD_ENGINE_USER,
};

/**
 * enum ramload_io - whether to read past the page cache
 * @RAMLOAD_IO_AUTO: read what is cached from there; the rest directly where
 *	file system and alignment allow it
 * @RAMLOAD_IO_DIRECT: read directly wherever the alignment allows it; -EINVAL
 *	if the file can do no direct I/O
 * @RAMLOAD_IO_BUFFERED: through the page cache
 */
enum ramload_io {
	RAMLOAD_IO_AUTO,
	RAMLOAD_IO_DIRECT,
	RAMLOAD_IO_BUFFERED,
};

struct ramload_session;
struct ramload_job;
struct ramload_image;
struct ramload_queue;
struct ramload_memory;
struct ramload_save;

/**
 * struct ramload_session_options - how to open a session
 * @size: sizeof(struct ramload_session_options), for later growth
 * @engine: which engine
 * @workers: number of workers; 0: one for each CPU the caller may run on,
 *	8 at most
 * @device: path of the device, NULL for "/dev/ramload"
 */
struct ramload_session_options {
	size_t size;
	enum ramload_engine engine;
	unsigned int workers;
	const char *device;
};

/**
 * ramload_session_open() - start an engine and its workers
 * @options: NULL for all defaults
 * @session: where the session is returned; NULL on error
 *
 * Return: 0 or
 *
 * * -EINVAL: bad options
 * * -ENOENT, -ENXIO, -ENODEV: RAMLOAD_ENGINE_KERNEL, and no module is loaded
 * * -EACCES, -EPERM: RAMLOAD_ENGINE_KERNEL, and no right to use the device
 * * -EPROTO: the module lacks what this library needs
 * * -EAGAIN, -ENOMEM: no threads or no memory to be had
 */
RAMLOAD_API int
ramload_session_open(const struct ramload_session_options *options,
		     struct ramload_session **session);

/**
 * ramload_session_stop() - end the workers
 * @session: the session; may be called from any thread
 *
 * Cancels all jobs and waits for them. Afterwards loading and queueing return
 * -ESHUTDOWN. The jobs' results can still be read.
 */
RAMLOAD_API void ramload_session_stop(struct ramload_session *session);

/**
 * ramload_session_close() - stop a session and free it
 * @session: the session, or NULL. All its jobs and queues must have been
 *	freed: they use it.
 */
RAMLOAD_API void ramload_session_close(struct ramload_session *session);

/** ramload_session_engine() - the engine in use, never RAMLOAD_ENGINE_AUTO */
RAMLOAD_API enum ramload_engine
ramload_session_engine(const struct ramload_session *session);

/** ramload_session_workers() - how many workers the session has */
RAMLOAD_API unsigned int
ramload_session_workers(const struct ramload_session *session);

/**
 * ramload_session_threads() - whether the workers are threads of this process
 * @session: the session
 *
 * Then they count in getrusage() and show in "top -H". The user engine's
 * always are; those of the kernel engine where the kernel can do so.
 *
 * Return: true if they are
 */
RAMLOAD_API bool
ramload_session_threads(const struct ramload_session *session);

/** ramload_engine_name() - "auto", "kernel", "user" */
RAMLOAD_API const char *ramload_engine_name(enum ramload_engine engine);

/**
 * struct ramload_block - one thing to load
 * @file_offset: where in the file it starts
 * @length: bytes; 0 is allowed and loads nothing
 * @dest: where it goes: @length bytes of writable memory that must stay
 *	mapped until the job is done
 * @bitmap: NULL, or one bit for each @page_size bytes: bit (p % 8) of byte
 *	(p / 8) says whether page p is present. Absent pages are not touched.
 *	Must stay valid until the job is done.
 * @page_size: with a bitmap, a power of two from 512 to 2^30 of which @length
 *	is a multiple; else 0
 */
struct ramload_block {
	uint64_t file_offset;
	uint64_t length;
	void *dest;
	const uint8_t *bitmap;
	uint32_t page_size;
};

/**
 * struct ramload_partition_rules - how blocks are cut into chunks
 * @small: a block of up to so many bytes is one chunk
 * @slice: a block over so many bytes is cut into slices of this size, rounded
 *	up to a multiple of @align and, with a bitmap, of 8 pages; the first is
 *	shorter if the destination is not a multiple of @align
 * @chunk: blocks and slices are cut into chunks of this size, a power of two;
 *	chunks end where the destination is a multiple of @align
 * @align: a power of two that divides @chunk
 *
 * Zero in a member means its default: 1 MiB, 512 MiB, 4 MiB, 2 MiB (or @chunk,
 * if that is less). The kernel engine takes the nearest @chunk that the module
 * can do, and its default for 0; it aligns to @chunk. These are
 * the rules of the review of QEMU's "multifd: Add pages to the receiving
 * side": a small RAMBlock to one thread, a large one sliced.
 */
struct ramload_partition_rules {
	uint64_t small;
	uint64_t slice;
	uint64_t chunk;
	uint64_t align;
};

/**
 * struct ramload_load_options - how to load
 * @size: sizeof(struct ramload_load_options), for later growth
 * @io: whether to read past the page cache
 * @rules: how to cut blocks; all zero for the defaults
 * @user: a pointer of the caller's, see ramload_job_user()
 * @cleanup: NULL, or a function that is called with @user exactly once: by
 *	ramload_job_free(), after the last byte was written; or before
 *	ramload_load() returns, if that fails. (It is not found, and not called,
 *	if @size is smaller than that of the first version of this struct.)
 * @dontcache: leave the page cache of the file as it was. See
 *	RAMLOAD_LOAD_DONTCACHE of <linux/ramload.h>; the last of it is dropped
 *	by who finds the job done, waits for it, or frees it. The user engine drops
 *	nothing if the kernel does not tell what was cached, as it may not to a
 *	caller who may not write to the file.
 */
struct ramload_load_options {
	size_t size;
	enum ramload_io io;
	struct ramload_partition_rules rules;
	void *user;
	void (*cleanup)(void *user);
	bool dontcache;
};

/**
 * ramload_load() - start a job
 * @session: the session
 * @fd: the file, open for reading; may be closed when this returns
 * @blocks: what to load; the array may be freed when this returns
 * @nr_blocks: number of elements, at least 1
 * @options: NULL for all defaults
 * @job: where the job is returned; NULL on error
 *
 * Returns without waiting for any byte.
 *
 * Return: 0 or
 *
 * * -EINVAL: bad blocks or options; a file that cannot be loaded from;
 *   RAMLOAD_IO_DIRECT with a file that can do no direct I/O
 * * -EOVERFLOW: a sum of offset and length, address and length, or of lengths
 *   does not fit
 * * -EBADF: @fd is not open for reading; -EISDIR, -ESPIPE: not a file
 * * -E2BIG: more ranges or bitmaps than the module takes in one job; rules
 *   that cut the blocks into more than 2^20 slices
 * * -EBUSY: too many unfinished jobs
 * * -EOPNOTSUPP: dontcache, and the module is too old for it
 * * -ESHUTDOWN: the session is stopped
 * * -ENOMEM, -EMFILE, -ENFILE: out of memory or fds
 */
RAMLOAD_API int ramload_load(struct ramload_session *session, int fd,
			     const struct ramload_block *blocks,
			     size_t nr_blocks,
			     const struct ramload_load_options *options,
			     struct ramload_job **job);

/**
 * struct ramload_result - how a job stands
 * @done: no byte of the destination will be written any more
 * @error: 0, or the negative errno that ended the job, once it is done:
 *	-ENODATA: the file ends at @error_offset; -EFAULT: the destination is
 *	not writable memory; -ECANCELED: cancelled; else what pread() gave
 * @bytes_total: bytes to load
 * @bytes_done: bytes loaded so far; only ever grows
 * @error_block: if @error, index of the block of the first byte (in the order
 *	of the array and, in a block, of rising offsets) that was not loaded;
 *	every byte before it was
 * @error_offset: if @error, offset of that byte in the file
 */
struct ramload_result {
	bool done;
	int error;
	uint64_t bytes_total;
	uint64_t bytes_done;
	size_t error_block;
	uint64_t error_offset;
};

/**
 * ramload_job_fd() - an fd to poll
 * @job: the job; owns the fd
 *
 * It is readable (POLLIN) as soon as the job is done, and stays so. Only poll
 * it, never read from it.
 *
 * Return: the fd
 */
RAMLOAD_API int ramload_job_fd(const struct ramload_job *job);

/**
 * ramload_job_result() - read how a job stands; from any thread
 * @job: the job
 * @result: filled in
 *
 * Return: 0
 */
RAMLOAD_API int ramload_job_result(struct ramload_job *job,
				   struct ramload_result *result);

/**
 * ramload_job_wait() - wait until a job is done; from any thread
 * @job: the job
 * @result: NULL, or filled in
 *
 * Signals do not end the wait.
 *
 * Return: the job's error: 0 if all bytes are loaded
 */
RAMLOAD_API int ramload_job_wait(struct ramload_job *job,
				 struct ramload_result *result);

/**
 * ramload_job_cancel() - ask for the end of a job; from any thread
 * @job: the job
 *
 * Returns at once. A job that is done stays as it is.
 */
RAMLOAD_API void ramload_job_cancel(struct ramload_job *job);

/** ramload_job_user() - the pointer of ramload_load_options.user */
RAMLOAD_API void *ramload_job_user(const struct ramload_job *job);

/**
 * ramload_job_free() - cancel a job if it runs, wait for its end, call its
 * cleanup function, and free it
 * @job: the job, or NULL
 */
RAMLOAD_API void ramload_job_free(struct ramload_job *job);

/**
 * struct ramload_queue_options - how a queue makes jobs
 * @size: sizeof(struct ramload_queue_options), for later growth
 * @io: whether to read past the page cache
 * @batch_bytes: submit when so many bytes are queued, 0: 16 MiB
 * @batch_ranges: submit when so many ranges are queued, 0: 1024
 * @dontcache: see struct ramload_load_options
 */
struct ramload_queue_options {
	size_t size;
	enum ramload_io io;
	uint64_t batch_bytes;
	unsigned int batch_ranges;
	bool dontcache;
};

/**
 * ramload_queue_open() - a queue of pages
 * @session: the session
 * @fd: the file; must stay open until ramload_queue_close()
 * @options: NULL for all defaults
 * @queue: where the queue is returned; NULL on error
 *
 * For emulators that find pages one by one. Pages that adjoin, in the file
 * and in the block, become one range; a page of another block or a full batch
 * submits what was queued. This is the shape of QEMU's multifd page queue.
 *
 * Return: 0, -EINVAL, -ENOMEM, -ESHUTDOWN
 */
RAMLOAD_API int ramload_queue_open(struct ramload_session *session, int fd,
				   const struct ramload_queue_options *options,
				   struct ramload_queue **queue);

/**
 * ramload_queue_page() - queue a page
 * @queue: the queue
 * @block: the block: file offset, length and destination; its bitmap is not
 *	looked at. Two calls are about the same block if they pass the same
 *	pointer. Must stay valid until ramload_queue_sync().
 * @offset: offset of the page in the block
 * @length: bytes, at least 1
 *
 * May block while too many jobs are unfinished. An error of an earlier job is
 * returned here as soon as it is known, for which jobs are looked at whenever
 * one is submitted; it stays until ramload_queue_sync(). -EINVAL does not.
 *
 * Return: 0, or -EINVAL (outside the block), -ESHUTDOWN (the session was
 * stopped, or the workers have ended), or the first error of a job or of a
 * submission
 */
RAMLOAD_API int ramload_queue_page(struct ramload_queue *queue,
				   const struct ramload_block *block,
				   uint64_t offset, uint64_t length);

/**
 * ramload_queue_sync() - a barrier
 * @queue: the queue
 * @result: NULL, or filled in: bytes since the last sync; error_block is 0
 *
 * Submits what is queued, returns when all that was queued is loaded, or with
 * the first error, when no byte will be written any more. Afterwards the queue
 * is empty and without error, and may be used again.
 *
 * Return: 0 or the first error
 */
RAMLOAD_API int ramload_queue_sync(struct ramload_queue *queue,
				   struct ramload_result *result);

/**
 * ramload_queue_close() - cancel what is unfinished, wait, and free
 * @queue: the queue, or NULL
 */
RAMLOAD_API void ramload_queue_close(struct ramload_queue *queue);

/**
 * struct ramload_image_error - why a file is no image
 * @offset: offset in the file of what was found wrong; 0 if that is the file
 *	as a whole
 * @text: one line, without a newline; starts with the name of the file if that
 *	is not the one given
 */
struct ramload_image_error {
	uint64_t offset;
	char text[200];
};

/**
 * struct ramload_image_part - where some of a block is
 * @file: which file, less than ramload_image_nr_files()
 * @offset: where in the block it starts
 * @length: bytes, at least 1
 * @file_offset: where in the file it starts
 * @bitmap: NULL if all of it is there, else the pages that are, see
 *	struct ramload_block
 * @page_size: bytes a bit of the bitmap stands for; 0 without a bitmap
 */
struct ramload_image_part {
	size_t file;
	uint64_t offset;
	uint64_t length;
	uint64_t file_offset;
	const uint8_t *bitmap;
	uint32_t page_size;
};

/**
 * struct ramload_image_block - one block of an image
 * @name: RAMBlock name, as in the file; may hold any byte but NUL
 * @address: where the guest (or process) has it, RAMLOAD_NO_ADDRESS if the
 *	format does not say
 * @length: bytes of memory
 * @present: bytes that are in files; all else is zeros
 * @parts: where they are. No byte of the block is in two parts.
 * @nr_parts: number of parts, 0 if nothing is present
 */
struct ramload_image_block {
	const char *name;
	uint64_t address;
	uint64_t length;
	uint64_t present;
	const struct ramload_image_part *parts;
	size_t nr_parts;
};

#define RAMLOAD_NO_ADDRESS UINT64_MAX

/**
 * ramload_image_open() - read the blocks of an image
 * @fd: the file or directory, open for reading; may be closed when this
 *	returns
 * @offset: where in the file the image starts, e.g. QEMU's ",offset="; 0 for a
 *	directory
 * @format: NULL to probe, or a name of ramload_image_format_name()
 * @image: where the image is returned; NULL on error
 * @error: NULL, or filled in on error
 *
 * Reads headers and bitmaps, not pages. Formats:
 *
 * * "mapped-ram" of QEMU 9.0 and newer
 * * "libvirt": its save files in format sparse, which hold a mapped-ram stream
 * * "elf": core files, as of QEMU's dump-guest-memory and of /proc/vmcore: a
 *   block for each run of memory, named by its address
 * * "raw": one block named "ram", as long as the file from @offset on, of which
 *   the holes are absent. A file is taken for it that no other format knows,
 *   provided its length is a multiple of 4096.
 *
 * Of directories, whose other files are found by names in them, and never
 * through links but "parent":
 *
 * * "criu": dumps of processes, with those that "parent" leads to
 * * "cloud-hypervisor": snapshots of version 39 and newer, for which
 *   libjson-c.so.5 has to be installed
 *
 * What is absent is zeros and is not loaded, so memory to load into has to be
 * fresh, or cleared before. formats.rst says more of each format.
 *
 * Return: 0 or
 *
 * * -EINVAL: not an image, or a damaged one
 * * -EISDIR: a directory, of which no format is known, or of another one
 * * -ENOTDIR: not a directory, as the format wants, or no parent of one
 * * -ENOENT: a file of the directory is missing
 * * -ENOTSUP: an image of a version or kind that this library does not know
 * * -ENODATA: the file ends too early, or was not written to its end
 * * -ENOMEM, or an error of pread(), fstat(), openat() or readdir()
 */
RAMLOAD_API int ramload_image_open(int fd, uint64_t offset, const char *format,
				   struct ramload_image **image,
				   struct ramload_image_error *error);

/**
 * ramload_image_add_layer() - put a newer file over an image
 * @image: an image of format raw; must not be in use by a job
 * @fd: the file, open for reading; may be closed when this returns
 * @name: NULL, or the file's name, for errors and ramload_image_file_name()
 * @error: NULL, or filled in on error
 *
 * The file is as long as the image, and what data it has is newer; what is in a
 * hole of it is not. So are diff snapshots of Firecracker, and a file without
 * holes replaces all. Of several layers the newest is added last. Each page is
 * loaded from the newest file that has it. On error the image stays as it was.
 *
 * Return: 0 or
 *
 * * -EINVAL: a file of another length, or of no whole pages of 4096 bytes; one
 *   with holes that are not made of whole pages
 * * -ENOTSUP: an image of another format
 * * -ENODATA: the file became shorter
 * * -ENOMEM, or an error of fstat(), of lseek(), or of opening the file again
 *   by its fd in /proc, which is how holes are found
 */
RAMLOAD_API int ramload_image_add_layer(struct ramload_image *image, int fd,
					const char *name,
					struct ramload_image_error *error);

/** ramload_image_close() - free an image; @image may be NULL */
RAMLOAD_API void ramload_image_close(struct ramload_image *image);

/** ramload_image_format() - name of the image's format */
RAMLOAD_API const char *ramload_image_format(const struct ramload_image *image);

/** ramload_image_format_name() - name of the i-th known format, NULL at end */
RAMLOAD_API const char *ramload_image_format_name(size_t i);

/** ramload_image_nr_files() - number of files that the blocks are in */
RAMLOAD_API size_t ramload_image_nr_files(const struct ramload_image *image);

/**
 * ramload_image_file() - the i-th file, for ramload_load()
 * @image: the image; owns the fd, which is open for reading
 * @i: less than ramload_image_nr_files(); 0 is the one it was opened from
 *
 * Return: the fd, -1 if there is none
 */
RAMLOAD_API int ramload_image_file(const struct ramload_image *image, size_t i);

/** ramload_image_file_name() - its name if it is not the one given, else NULL */
RAMLOAD_API const char *
ramload_image_file_name(const struct ramload_image *image, size_t i);

/**
 * ramload_image_load() - what there is to load from a file
 * @image: the image; the bitmaps stay its own
 * @file: which file
 * @dests: for each block of the image, where it goes: as many bytes as it is
 *	long; NULL for a block that is to be left out
 * @blocks: NULL, or filled in, for ramload_load() with the fd of the file
 *
 * A part of a block of the image is one block to load. To load all of an
 * image, start a job for each of its files; as no byte is in two parts, they
 * may run side by side.
 *
 * Return: number of elements of @blocks, 0 if nothing is to be loaded
 */
RAMLOAD_API size_t ramload_image_load(const struct ramload_image *image,
				      size_t file, void *const *dests,
				      struct ramload_block *blocks);

/**
 * struct ramload_image_stream - what surrounds RAM in a stream of QEMU
 * @config_offset: where the stream starts in file 0, with its magic number
 * @config_length: bytes up to the RAM section
 * @section: id of the RAM section
 * @state_offset: where the state of devices starts, behind the RAM section
 * @state_length: bytes up to the end of the file; 0 if there is none
 */
struct ramload_image_stream {
	uint64_t config_offset;
	uint64_t config_length;
	uint32_t section;
	uint64_t state_offset;
	uint64_t state_length;
};

/**
 * ramload_image_stream() - where the rest of a virtual machine is
 * @image: the image
 * @stream: filled in
 *
 * Return: 0, or -ENOENT if the format is none of QEMU
 */
RAMLOAD_API int ramload_image_stream(const struct ramload_image *image,
				     struct ramload_image_stream *stream);

/** ramload_image_machine() - machine type in the image, NULL if it has none */
RAMLOAD_API const char *
ramload_image_machine(const struct ramload_image *image);

/** ramload_image_nr_blocks() - number of blocks */
RAMLOAD_API size_t ramload_image_nr_blocks(const struct ramload_image *image);

/**
 * ramload_image_block() - the i-th block, in file order
 * @image: the image; owns the block
 * @i: less than ramload_image_nr_blocks()
 *
 * Return: the block, NULL if there is none
 */
RAMLOAD_API const struct ramload_image_block *
ramload_image_block(const struct ramload_image *image, size_t i);

/**
 * enum ramload_memory_kind - kinds of destination memory
 * @RAMLOAD_MEMORY_RAMLOAD: memory made for loading, see RAMLOAD_CREATE_MEMORY
 *	of <linux/ramload.h>: as a memfd, but of 2 MiB pages wherever they can
 *	be had. Without the module, or the right to use it, a memfd with the best
 *	huge page settings to be had.
 * @RAMLOAD_MEMORY_MEMFD: a memfd, mapped shared
 * @RAMLOAD_MEMORY_TMPFS_HUGE: a file on a tmpfs mounted huge=always for the
 *	purpose, mapped shared; needs CAP_SYS_ADMIN
 * @RAMLOAD_MEMORY_ANON: anonymous, of small pages
 * @RAMLOAD_MEMORY_THP: anonymous, aligned and advised for huge pages
 * @RAMLOAD_MEMORY_HUGETLB: a memfd of 2 MiB hugetlb pages, mapped shared
 */
enum ramload_memory_kind {
	RAMLOAD_MEMORY_RAMLOAD,
	RAMLOAD_MEMORY_MEMFD,
	RAMLOAD_MEMORY_TMPFS_HUGE,
	RAMLOAD_MEMORY_ANON,
	RAMLOAD_MEMORY_THP,
	RAMLOAD_MEMORY_HUGETLB,
};

/** ramload_memory_kind_name() - "ramload", "memfd", "tmpfs-huge", "anon", ... */
RAMLOAD_API const char *ramload_memory_kind_name(enum ramload_memory_kind kind);

/**
 * ramload_memory_alloc() - zeroed memory to load into
 * @kind: what kind
 * @length: bytes; rounded up to the page size of the kind
 * @memory: where the memory is returned; NULL on error
 *
 * Nothing is allocated for pages that are never touched. The address is a
 * multiple of 2 MiB.
 *
 * Return: 0, -EINVAL, -ENOMEM (hugetlb: too few huge pages in the pool),
 * -EPERM (tmpfs-huge), or an error of mmap(), memfd_create() or mount()
 */
RAMLOAD_API int ramload_memory_alloc(enum ramload_memory_kind kind,
				     uint64_t length,
				     struct ramload_memory **memory);

/** ramload_memory_address() - where it is mapped, in this process */
RAMLOAD_API void *ramload_memory_address(const struct ramload_memory *memory);

/** ramload_memory_fd() - its file, owned by @memory; -1 for anonymous memory */
RAMLOAD_API int ramload_memory_fd(const struct ramload_memory *memory);

/** ramload_memory_free() - unmap it and close its file; @memory may be NULL */
RAMLOAD_API void ramload_memory_free(struct ramload_memory *memory);

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
 * ramload_save_write() - write a part of a block; from any thread
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
 *
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
 * blocks are zero, a page is present nevertheless: without one, a file looks as
 * if its writer had not come to its end.
 *
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

/** ramload_save_error() - the first error of a save; from any thread */
RAMLOAD_API void ramload_save_error(struct ramload_save *save,
				    struct ramload_save_error *error);

/**
 * ramload_save_close() - free a save
 * @save: the save, or NULL; all its jobs were freed
 *
 * If it was not committed, nothing is left of it.
 */
RAMLOAD_API void ramload_save_close(struct ramload_save *save);

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif

#endif /* RAMLOAD_H */
