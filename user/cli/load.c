// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command.h"
#include "load.h"
#include "message.h"
#include "name.h"
#include "size.h"

#define DEVICE "/dev/ramload"

/* In a job; fewer than the module takes. */
#define MAX_BLOCKS ((size_t)1 << 18)

void *load_memory(const struct load *load, size_t i)
{
	return ramload_memory_address(load->memories[i]);
}

static const char *memory_hint(const struct load *load, int err)
{
	if (load->kind == RAMLOAD_MEMORY_HUGETLB && err == -ENOMEM)
		return " (are there enough huge pages in /proc/sys/vm/nr_hugepages?)";
	if (load->kind == RAMLOAD_MEMORY_TMPFS_HUGE && err == -EPERM)
		return " (mounting a tmpfs takes root)";
	return "";
}

int load_allocate(struct load *load)
{
	size_t i, nr = ramload_image_nr_blocks(load->input.image);
	char name[NAME_SHOWN];
	int err;

	load->memories = calloc(nr + 1, sizeof(*load->memories));
	if (!load->memories) {
		message("out of memory");
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++) {
		const struct ramload_image_block *block;

		block = ramload_image_block(load->input.image, i);
		err = ramload_memory_alloc(load->kind, block->length,
					   &load->memories[i]);
		if (!err)
			continue;
		message("block %s: %s of %s memory: %s%s",
			name_show(name, sizeof(name), block->name),
			size_text(block->length).text,
			ramload_memory_kind_name(load->kind), strerror(-err),
			memory_hint(load, err));
		return err;
	}
	return 0;
}

static bool no_module(int err)
{
	return err == -ENOENT || err == -ENXIO || err == -ENODEV;
}

static int open_session(struct load *load, enum ramload_engine engine)
{
	struct ramload_session_options options = {
		.size = sizeof(options),
		.engine = engine,
		.workers = load->workers,
	};

	return ramload_session_open(&options, &load->session);
}

static void session_message(const struct load *load,
			    enum ramload_engine engine, int err)
{
	if (engine == RAMLOAD_ENGINE_USER || err == -EINVAL)
		message("cannot start %u workers of the %s engine: %s",
			load->workers, ramload_engine_name(engine),
			strerror(-err));
	else if (err == -EPROTO)
		message("%s: the ramload module is too old for this program",
			DEVICE);
	else
		message("%s: %s%s", DEVICE, strerror(-err),
			no_module(err) ? ": is the ramload module loaded?" : "");
}

/*
 * What the library does for RAMLOAD_ENGINE_AUTO, done here to be able to say
 * why it is not the kernel.
 */
static int start_auto(struct load *load)
{
	int err = open_session(load, RAMLOAD_ENGINE_KERNEL);

	if (!err)
		return 0;
	message("%s (%s), using the user engine",
		no_module(err) ? "no kernel module" :
				 "cannot use the kernel module",
		strerror(-err));
	return open_session(load, RAMLOAD_ENGINE_USER);
}

int load_start(struct load *load)
{
	enum ramload_engine engine = load->engine;
	int err;

	err = work_open(&load->work);
	if (err) {
		message("signals: %s", strerror(-err));
		return err;
	}
	if (engine == RAMLOAD_ENGINE_AUTO) {
		engine = RAMLOAD_ENGINE_USER;
		err = start_auto(load);
	} else {
		err = open_session(load, engine);
	}
	if (err) {
		session_message(load, engine, err);
		return err;
	}
	load->threads = ramload_session_threads(load->session);
	return 0;
}

static double cpu_time(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Returns when the job is done, also if it was interrupted. */
static void wait_job(struct load *load, struct ramload_job *job)
{
	struct work *work = &load->work;
	struct pollfd fds[] = {
		{ .fd = ramload_job_fd(job), .events = POLLIN },
		{ .fd = work->interrupt.fd, .events = POLLIN },
	};
	uint64_t before = work->done;
	struct ramload_result result;

	while (!fds[0].revents) {
		if (poll(fds, 2, progress_interval(&work->progress)) < 0 &&
		    errno != EINTR)
			break;
		ramload_job_result(job, &result);
		if (work_step(work, before + result.bytes_done - work->done)) {
			ramload_job_cancel(job);
			fds[1].fd = -1;
		}
	}
	ramload_job_wait(job, &load->result);
	work->done = before + load->result.bytes_done;
}

static int report_submit(const struct load *load, int err)
{
	const char *hint = "";

	if (err == -EINVAL && load->io == RAMLOAD_IO_DIRECT)
		hint = " (can it be read directly?)";
	else if (err == -EOPNOTSUPP)
		hint = " (the module does not know --dontcache)";
	message("%s: cannot be loaded: %s%s", load->input.path, strerror(-err),
		hint);
	return err;
}

const char *load_file_name(const struct load *load, size_t file)
{
	const char *name = ramload_image_file_name(load->input.image, file);

	return name ? name : load->input.path;
}

const char *load_error_text(int error)
{
	return error == -ENODATA ? "the file ends here" : strerror(-error);
}

static const char *name_of(const struct load *load, const void *dest)
{
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(load->input.image); i++) {
		const struct ramload_image_block *block;

		block = ramload_image_block(load->input.image, i);
		if ((uintptr_t)dest - (uintptr_t)load_memory(load, i) <
		    block->length)
			return block->name;
	}
	return "?";
}

static int report_result(const struct load *load, size_t file,
			 const struct ramload_block *blocks)
{
	const struct ramload_result *result = &load->result;
	char name[NAME_SHOWN];

	if (load->work.interrupt.signal)
		return -EINTR;
	if (!result->error)
		return 0;
	message("%s: block %s: file offset %" PRIu64 ": %s",
		load_file_name(load, file),
		name_show(name, sizeof(name),
			  name_of(load, blocks[result->error_block].dest)),
		result->error_offset, load_error_text(result->error));
	return result->error;
}

int load_submit(const struct load *load, size_t file,
		const struct ramload_block *blocks, size_t nr,
		struct ramload_job **job)
{
	struct ramload_load_options options = {
		.size = sizeof(options),
		.io = load->io,
		.dontcache = load->dontcache,
	};

	return ramload_load(load->session,
			    ramload_image_file(load->input.image, file), blocks,
			    nr, &options, job);
}

static int load_blocks(struct load *load, size_t file,
		       const struct ramload_block *blocks, size_t nr)
{
	struct ramload_job *job;
	int err;

	err = load_submit(load, file, blocks, nr, &job);
	if (err)
		return report_submit(load, err);
	wait_job(load, job);
	ramload_job_free(job);
	return report_result(load, file, blocks);
}

/* As many jobs as it takes; the workers share each. */
static int load_file(struct load *load, size_t file, void *const *dests)
{
	size_t i, n, nr;
	struct ramload_block *blocks;
	int err = 0;

	nr = ramload_image_load(load->input.image, file, dests, NULL);
	blocks = calloc(nr + 1, sizeof(*blocks));
	if (!blocks)
		return report_submit(load, -ENOMEM);
	ramload_image_load(load->input.image, file, dests, blocks);
	for (i = 0; i < nr && !err; i += n) {
		n = nr - i < MAX_BLOCKS ? nr - i : MAX_BLOCKS;
		err = load_blocks(load, file, blocks + i, n);
	}
	free(blocks);
	return err;
}

static int load_files(struct load *load)
{
	size_t i, nr = ramload_image_nr_blocks(load->input.image);
	void **dests = calloc(nr + 1, sizeof(*dests));
	int err = 0;

	if (!dests)
		return report_submit(load, -ENOMEM);
	for (i = 0; i < nr; i++)
		dests[i] = load_memory(load, i);
	nr = ramload_image_nr_files(load->input.image);
	for (i = 0; i < nr && !err; i++)
		err = load_file(load, i, dests);
	free(dests);
	return err;
}

int load_run(struct load *load)
{
	double start, cpu;
	int err;

	work_begin(&load->work, "loading", input_present(&load->input));
	cpu = cpu_time();
	start = progress_now();
	err = load_files(load);
	load->seconds = progress_now() - start;
	load->cpu_seconds = cpu_time() - cpu;
	load->bytes = load->work.done;
	work_end(&load->work);
	return err;
}

int load_end(struct load *load, int err)
{
	int signal = load->work.interrupt.signal;
	size_t i;

	ramload_session_close(load->session);
	if (load->memories) {
		for (i = 0; i < ramload_image_nr_blocks(load->input.image); i++)
			ramload_memory_free(load->memories[i]);
	}
	free(load->memories);
	free(load->digests);
	work_close(&load->work);
	input_close(&load->input);
	if (err == -EINTR && signal) {
		message("interrupted");
		return EXIT_SIGNAL + signal;
	}
	return err ? EXIT_FAILED : EXIT_OK;
}
