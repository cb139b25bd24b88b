// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bits.h"
#include "copy.h"
#include "message.h"
#include "name.h"
#include "piece.h"

#define MAX_THREADS 64

/**
 * struct copier - what the threads share
 * @copy: what they do
 * @nr_pieces: how many there are
 * @next: the next to take
 * @done: bytes done
 * @error: the first error; no piece is taken after it
 * @running: threads that have not come to their end
 * @finished: an eventfd that says so of all
 */
struct copier {
	struct copy *copy;
	uint64_t nr_pieces;
	_Atomic uint64_t next;
	_Atomic uint64_t done;
	_Atomic int error;
	_Atomic unsigned int running;
	int finished;
};

int copy_failed(const struct copy *copy, int err)
{
	struct ramload_save_error error;
	const struct ramload_image_block *block;
	char name[NAME_SHOWN];

	ramload_save_error(copy->save, &error);
	/* What was not written to a place in the file has no offset. */
	if (!error.error || !error.offset) {
		message("%s: %s", copy->path, strerror(-err));
		return err;
	}
	block = ramload_image_block(copy->load->input.image, error.block);
	message("%s: %s%sfile offset %" PRIu64 ": %s", copy->path,
		block ? name_show(name, sizeof(name), block->name) : "",
		block ? ": " : "", error.offset, strerror(-error.error));
	return err;
}

static int load_piece(const struct load *load, size_t file,
		      const struct ramload_block *blocks, size_t nr,
		      struct ramload_result *result)
{
	struct ramload_job *job;
	int err;

	err = load_submit(load, file, blocks, nr, &job);
	*result = (struct ramload_result){
		.error = err,
		.error_offset = blocks->file_offset,
	};
	if (err)
		return err;
	ramload_job_wait(job, result);
	ramload_job_free(job);
	return result->error;
}

static void load_failed(const struct load *load, size_t file,
			const struct ramload_result *result)
{
	message("%s: file offset %" PRIu64 ": %s", load_file_name(load, file),
		result->error_offset, load_error_text(result->error));
}

/* One error is told; it ends all threads, which may have met the same. */
static bool is_first(struct copier *copier, int err)
{
	int none = 0;

	return atomic_compare_exchange_strong(&copier->error, &none, err);
}

/* @nr is what piece_blocks() counts. */
static int read_from(struct copier *copier, struct piece *piece, size_t file,
		     void *buffer, size_t nr)
{
	const struct load *load = copier->copy->load;
	const struct ramload_image *image = load->input.image;
	struct ramload_result result;
	struct ramload_block *blocks;
	int err;

	blocks = calloc(nr, sizeof(*blocks));
	if (!blocks) {
		if (is_first(copier, -ENOMEM))
			message("out of memory");
		return -ENOMEM;
	}
	piece_blocks(piece, image, file, buffer, blocks);
	err = load_piece(load, file, blocks, nr, &result);
	if (err && is_first(copier, err))
		load_failed(load, file, &result);
	free(blocks);
	return err;
}

static int copy_piece(struct copier *copier, struct piece *piece, void *buffer)
{
	const struct copy *copy = copier->copy;
	const struct load *load = copy->load;
	size_t i, nr, files = ramload_image_nr_files(load->input.image);
	uint64_t length = round_up(piece->length, copy->page_size);
	bool present = false;
	int ret;

	for (i = 0; i < files; i++) {
		nr = piece_blocks(piece, load->input.image, i, buffer, NULL);
		if (!nr)
			continue;
		if (!present)
			memset(buffer, 0, length);
		present = true;
		ret = read_from(copier, piece, i, buffer, nr);
		if (ret)
			return ret;
	}
	if (!present)
		return 0;
	ret = ramload_save_write(copy->save, piece->block, piece->offset,
				 buffer, length);
	if (ret && is_first(copier, ret))
		copy_failed(copy, ret);
	return ret;
}

static void copy_pieces(struct copier *copier, void *buffer)
{
	struct copy *copy = copier->copy;
	struct piece piece = { 0 };
	uint64_t nr;
	int err = 0;

	while (!err && !copier->error) {
		nr = copier->next++;
		if (nr >= copier->nr_pieces)
			break;
		piece_seek(&piece, copy->load->input.image, nr);
		err = copy_piece(copier, &piece, buffer);
		copier->done += piece.length;
	}
}

static void *copier_thread(void *arg)
{
	struct copier *copier = arg;
	void *buffer = aligned_alloc(PIECE_LENGTH, PIECE_LENGTH);

	if (buffer)
		copy_pieces(copier, buffer);
	else if (is_first(copier, -ENOMEM))
		message("out of memory");
	free(buffer);
	if (!--copier->running)
		eventfd_write(copier->finished, 1);
	return NULL;
}

/* Returns when all threads have ended. */
static void watch(struct copier *copier)
{
	struct work *work = &copier->copy->load->work;
	struct pollfd fds[] = {
		{ .fd = copier->finished, .events = POLLIN },
		{ .fd = work->interrupt.fd, .events = POLLIN },
	};

	while (!fds[0].revents) {
		if (poll(fds, 2, progress_interval(&work->progress)) < 0 &&
		    errno != EINTR)
			break;
		if (!work_step(work, copier->done - work->done))
			continue;
		is_first(copier, -EINTR);
		fds[1].fd = -1;
	}
}

static int run_threads(struct copier *copier, unsigned int nr)
{
	pthread_t threads[MAX_THREADS];
	unsigned int i;
	int err = 0;

	/* One more, so that it is not the last thread if we fail. */
	copier->running = 1;
	for (i = 0; i < nr && !err; i++) {
		copier->running++;
		err = pthread_create(&threads[i], NULL, copier_thread, copier);
	}
	if (err) {
		message("cannot start %u threads: %s", nr, strerror(err));
		copier->error = -err;
		copier->running--;
		i--;
	}
	if (!--copier->running)
		eventfd_write(copier->finished, 1);
	watch(copier);
	while (i--)
		pthread_join(threads[i], NULL);
	return copier->error;
}

int copy_blocks(struct copy *copy)
{
	struct load *load = copy->load;
	unsigned int workers = ramload_session_workers(load->session);
	struct copier copier = {
		.copy = copy,
		.nr_pieces = piece_count(load->input.image),
		.finished = eventfd(0, EFD_CLOEXEC),
	};
	int err;

	if (copier.finished < 0) {
		message("%s", strerror(errno));
		return -errno;
	}
	work_begin(&load->work, "converting", input_length(&load->input));
	/* While one piece is written, the next is read. */
	err = run_threads(&copier, workers < MAX_THREADS ? workers + 1 :
							   MAX_THREADS);
	work_end(&load->work);
	close(copier.finished);
	return err;
}

int copy_bytes(struct copy *copy, uint64_t offset, uint64_t length)
{
	int fd = ramload_image_file(copy->load->input.image, 0);
	char buffer[1 << 16];
	ssize_t n;
	int err;

	while (length) {
		if (work_step(&copy->load->work, 0))
			return -EINTR;
		n = pread(fd, buffer,
			  length < sizeof(buffer) ? length : sizeof(buffer),
			  offset);
		if (n <= 0) {
			err = n ? errno : ENODATA;
			message("%s: file offset %" PRIu64 ": %s",
				copy->load->input.path, offset, strerror(err));
			return -err;
		}
		err = ramload_save_append(copy->save, buffer, n);
		if (err)
			return copy_failed(copy, err);
		offset += n;
		length -= n;
	}
	return 0;
}
