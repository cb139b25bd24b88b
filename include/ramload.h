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
 * a given kind, for those who have none yet. A *save* writes blocks to a
 * snapshot file (<ramload_save.h>).
 *
 * Functions return 0 (or a count where said so) or a negative errno. The
 * library prints nothing, has no global state, and handles no signals.
 * Lengths, offsets and addresses are in bytes.
 *
 * **Threads.** There is no thread that something must be called from, and no
 * function may be called from a signal handler. "Context:" says of a function
 * what may run beside it; calls about different objects always may.
 *
 * * "Any thread": any other, about the same object too, but those below
 * * "One at a time": those of "Any thread", but no other that says this
 * * "Alone": no other about the same object
 * * "Last": no other about the same object, and none comes after
 *
 * What does not say that it waits may be called from an event loop. So a
 *
 * * session: is used by any number of threads
 * * job: likewise, until it is freed
 * * image: likewise, while no layer is added
 * * memory: likewise; the library does not look at what is in it
 * * queue: is used by one thread at a time
 * * save: is written to by any number of threads, and finished by one
 *
 * All other structs are the caller's, and read or filled in during a call.
 *
 * After fork() the child must not use what the parent opened.
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
 *	if the file can do no direct I/O, or is on NFS (a direct read that is
 *	killed goes on storing) or overlayfs (which may be above NFS)
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
 * Context: Any thread.
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
 * @session: the session
 *
 * Cancels all jobs and waits for them. Afterwards loading and queueing return
 * -ESHUTDOWN. The jobs' results can still be read.
 *
 * Context: Any thread. Waits for the jobs and the workers.
 */
RAMLOAD_API void ramload_session_stop(struct ramload_session *session);

/**
 * ramload_session_close() - stop a session and free it
 * @session: the session, or NULL. All its jobs and queues must have been
 *	freed: they use it.
 * Context: Last. Waits for the workers.
 */
RAMLOAD_API void ramload_session_close(struct ramload_session *session);

/**
 * ramload_session_engine() - which engine is in use
 * @session: the session
 * Context: Any thread.
 * Return: the engine, never RAMLOAD_ENGINE_AUTO
 */
RAMLOAD_API enum ramload_engine
ramload_session_engine(const struct ramload_session *session);

/**
 * ramload_session_workers() - how many workers a session has
 * @session: the session
 * Context: Any thread.
 * Return: their number, at least 1
 */
RAMLOAD_API unsigned int
ramload_session_workers(const struct ramload_session *session);

/**
 * ramload_session_threads() - whether the workers are threads of this process
 * @session: the session
 *
 * Then they count in getrusage() and show in "top -H". The user engine's
 * always are; those of the kernel engine where the kernel can do so.
 *
 * Context: Any thread.
 * Return: true if they are
 */
RAMLOAD_API bool
ramload_session_threads(const struct ramload_session *session);

/**
 * ramload_engine_name() - name of an engine
 * @engine: the engine
 * Context: Any thread.
 * Return: "auto", "kernel" or "user"; NULL if it is none
 */
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
 * Context: Any thread.
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
 *	not writable memory; -ECANCELED: cancelled; else what pread() gave, and
 *	-EIO if a file system answered -ENODATA or -ECANCELED
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
 * Context: Any thread.
 * Return: the fd
 */
RAMLOAD_API int ramload_job_fd(const struct ramload_job *job);

/**
 * ramload_job_result() - read how a job stands
 * @job: the job
 * @result: filled in
 * Context: Any thread.
 * Return: 0
 */
RAMLOAD_API int ramload_job_result(struct ramload_job *job,
				   struct ramload_result *result);

/**
 * ramload_job_wait() - wait until a job is done
 * @job: the job
 * @result: NULL, or filled in
 *
 * Signals do not end the wait.
 *
 * Context: Any thread. Waits for the job.
 * Return: the job's error: 0 if all bytes are loaded
 */
RAMLOAD_API int ramload_job_wait(struct ramload_job *job,
				 struct ramload_result *result);

/**
 * ramload_job_cancel() - ask for the end of a job
 * @job: the job
 *
 * Returns at once. A job that is done stays as it is.
 *
 * Context: Any thread.
 */
RAMLOAD_API void ramload_job_cancel(struct ramload_job *job);

/**
 * ramload_job_user() - the pointer of ramload_load_options.user
 * @job: the job
 * Context: Any thread.
 * Return: the pointer; NULL if there was none
 */
RAMLOAD_API void *ramload_job_user(const struct ramload_job *job);

/**
 * ramload_job_free() - cancel a job if it runs, wait for its end, call its
 * cleanup function, and free it
 * @job: the job, or NULL
 * Context: Last. Waits for the job.
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
 * Context: Any thread.
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
 * one is submitted; it stays until ramload_queue_sync(). -EINVAL and -EOVERFLOW
 * do not.
 *
 * Context: One at a time. Waits for a job if too many are unfinished.
 * Return: 0, or -EINVAL (outside the block), -EOVERFLOW (a sum of offset or
 * address and length of the block does not fit), -ESHUTDOWN (the session was
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
 * Context: One at a time. Waits for all jobs of the queue.
 * Return: 0 or the first error
 */
RAMLOAD_API int ramload_queue_sync(struct ramload_queue *queue,
				   struct ramload_result *result);

/**
 * ramload_queue_close() - cancel what is unfinished, wait, and free
 * @queue: the queue, or NULL
 * Context: Last. Waits for all jobs of the queue.
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
 * Context: Any thread. Waits for the file: it is read here.
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
 * Context: Alone. Waits for the file, as ramload_image_open() does.
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

/**
 * ramload_image_close() - free an image
 * @image: the image, or NULL
 * Context: Last.
 */
RAMLOAD_API void ramload_image_close(struct ramload_image *image);

/**
 * ramload_image_format() - name of the image's format
 * @image: the image
 * Context: Any thread.
 * Return: the name, a string constant
 */
RAMLOAD_API const char *ramload_image_format(const struct ramload_image *image);

/**
 * ramload_image_format_name() - name of a known format
 * @i: which; from 0 on
 * Context: Any thread.
 * Return: the name, a string constant; NULL if there are no more
 */
RAMLOAD_API const char *ramload_image_format_name(size_t i);

/**
 * ramload_image_nr_files() - number of files that the blocks are in
 * @image: the image
 * Context: Any thread.
 * Return: the number, at least 1
 */
RAMLOAD_API size_t ramload_image_nr_files(const struct ramload_image *image);

/**
 * ramload_image_file() - the i-th file, for ramload_load()
 * @image: the image; owns the fd, which is open for reading
 * @i: less than ramload_image_nr_files(); 0 is the one it was opened from
 * Context: Any thread.
 * Return: the fd, -1 if there is none
 */
RAMLOAD_API int ramload_image_file(const struct ramload_image *image, size_t i);

/**
 * ramload_image_file_name() - name of a file that is not the one given
 * @image: the image; owns the name
 * @i: less than ramload_image_nr_files()
 * Context: Any thread.
 * Return: the name; NULL if it is the one that was given, or there is none
 */
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
 * Context: Any thread.
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
 * Context: Any thread.
 * Return: 0, or -ENOENT if the format is none of QEMU
 */
RAMLOAD_API int ramload_image_stream(const struct ramload_image *image,
				     struct ramload_image_stream *stream);

/**
 * ramload_image_machine() - machine type in the image
 * @image: the image; owns the name
 * Context: Any thread.
 * Return: the name, NULL if there is none in it
 */
RAMLOAD_API const char *
ramload_image_machine(const struct ramload_image *image);

/**
 * ramload_image_nr_blocks() - number of blocks
 * @image: the image
 * Context: Any thread.
 * Return: the number
 */
RAMLOAD_API size_t ramload_image_nr_blocks(const struct ramload_image *image);

/**
 * ramload_image_block() - the i-th block, in file order
 * @image: the image; owns the block
 * @i: less than ramload_image_nr_blocks()
 * Context: Any thread.
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

/**
 * ramload_memory_kind_name() - name of a kind of memory
 * @kind: the kind
 * Context: Any thread.
 * Return: "ramload", "memfd", "tmpfs-huge", "anon", "thp" or "hugetlb"; NULL if
 * it is none
 */
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
 * Context: Any thread.
 * Return: 0, -EINVAL, -ENOMEM (hugetlb: too few huge pages in the pool),
 * -EPERM (tmpfs-huge), or an error of mmap(), memfd_create() or mount()
 */
RAMLOAD_API int ramload_memory_alloc(enum ramload_memory_kind kind,
				     uint64_t length,
				     struct ramload_memory **memory);

/**
 * ramload_memory_address() - where memory is mapped in this process
 * @memory: the memory
 * Context: Any thread.
 * Return: the address
 */
RAMLOAD_API void *ramload_memory_address(const struct ramload_memory *memory);

/**
 * ramload_memory_fd() - the file of memory
 * @memory: the memory; owns the fd
 * Context: Any thread.
 * Return: the fd, -1 for anonymous memory
 */
RAMLOAD_API int ramload_memory_fd(const struct ramload_memory *memory);

/**
 * ramload_memory_free() - unmap memory and close its file
 * @memory: the memory, or NULL
 * Context: Last.
 */
RAMLOAD_API void ramload_memory_free(struct ramload_memory *memory);

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif

#include <ramload_save.h>

#endif /* RAMLOAD_H */
