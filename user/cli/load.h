/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Loads: an image into memory made for it, timed
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "digest.h"
#include "input.h"
#include "ramload.h"
#include "work.h"

/**
 * struct load - a load
 * @input: the image, open
 * @engine: which engine to use
 * @kind: what memory to load into
 * @workers: how many, 0 for the library's choice
 * @io: whether to read past the page cache
 * @dontcache: leave the page cache as it was
 * @work: what it is shown and interrupted by
 * @memories: of each block; NULL before load_allocate()
 * @digests: of each block, if they were asked for
 * @session: NULL before load_start()
 * @result: how the last job went
 * @bytes: bytes loaded, after load_run()
 * @seconds: from submission to the end of the job
 * @cpu_seconds: CPU time of this process in these, see @threads
 * @threads: the workers are threads of this process, so that their time is in
 *	@cpu_seconds
 */
struct load {
	struct input input;
	enum ramload_engine engine;
	enum ramload_memory_kind kind;
	unsigned int workers;
	enum ramload_io io;
	bool dontcache;
	struct work work;
	struct ramload_memory **memories;
	struct digest *digests;
	struct ramload_session *session;
	struct ramload_result result;
	uint64_t bytes;
	double seconds;
	double cpu_seconds;
	bool threads;
};

#define LOAD_INIT { .kind = RAMLOAD_MEMORY_MEMFD, .work = WORK_INIT }

/*
 * These return 0 or a negative errno: -EINTR if interrupted, else after a
 * message.
 */
int load_allocate(struct load *load);
int load_start(struct load *load);
int load_run(struct load *load);

/** load_submit() - start a job; 0 or a negative errno, without a message */
int load_submit(const struct load *load, size_t file,
		const struct ramload_block *blocks, size_t nr,
		struct ramload_job **job);

/** load_file_name() - of a file of the image, for messages */
const char *load_file_name(const struct load *load, size_t file);

/** load_error_text() - what a job's error means */
const char *load_error_text(int error);

/** load_memory() - where the i-th block is */
void *load_memory(const struct load *load, size_t i);

/**
 * load_end() - free all of it
 * @err: how it went; of what is no interrupt, the message was printed
 *
 * Return: the exit status
 */
int load_end(struct load *load, int err);

#endif /* CLI_LOAD_H */
