// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Load an image into memory and wait for it: the simplest use of libramload.
 *
 *     blocking IMAGE > COPY
 *
 * The image may be of any format that the library knows. Each of its blocks
 * (the RAM of a guest is one or several) goes to a memfd of its own, which a
 * guest could run on. What is there in the end is written to standard output.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ramload.h>

/* All functions of the library that can fail return a negative errno. */
static void check(int err, const char *what)
{
	if (err)
		errx(EXIT_FAILURE, "%s: %s", what, strerror(-err));
}

/*
 * Most images are one file, some are several. From each of them, what it has of
 * all blocks is loaded by one job.
 */
static void load_file(struct ramload_session *session,
		      struct ramload_image *image, size_t file,
		      void *const *dests)
{
	/* The first call counts. Pages of zeros are in no file. */
	size_t nr = ramload_image_load(image, file, dests, NULL);
	struct ramload_result result;
	struct ramload_block *blocks;
	struct ramload_job *job;
	int err;

	if (!nr)
		return;
	blocks = calloc(nr, sizeof(*blocks));
	if (!blocks)
		check(-ENOMEM, "load");
	ramload_image_load(image, file, dests, blocks);
	check(ramload_load(session, ramload_image_file(image, file), blocks, nr,
			   NULL, &job), "load");
	free(blocks);

	/* Here an emulator could do something else: the job runs by itself. */
	err = ramload_job_wait(job, &result);
	ramload_job_free(job);
	if (err)
		warnx("at offset %llu of the file:",
		      (unsigned long long)result.error_offset);
	check(err, "load");
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct ramload_image_error error;
	struct ramload_session *session;
	struct ramload_memory **memory;
	struct ramload_image *image;
	uint64_t length;
	size_t nr, i;
	void **dests;
	int err;

	if (argc != 2)
		errx(2, "usage: blocking IMAGE > COPY");
	check(fd < 0 ? -errno : 0, argv[1]);

	/* Without options: the module does it if it is there, else threads. */
	check(ramload_session_open(NULL, &session), "session");
	warnx("%s engine",
	      ramload_engine_name(ramload_session_engine(session)));

	/* The format is found out. The text tells more than the errno. */
	err = ramload_image_open(fd, 0, NULL, &image, &error);
	check(err, err ? error.text : "");
	close(fd);
	nr = ramload_image_nr_blocks(image);
	memory = calloc(nr, sizeof(*memory));
	dests = calloc(nr, sizeof(*dests));
	if (!memory || !dests)
		check(-ENOMEM, "memory");

	/* Kind RAMLOAD_MEMORY_RAMLOAD has huge pages, so it is faster. */
	for (i = 0; i < nr; i++) {
		length = ramload_image_block(image, i)->length;
		check(ramload_memory_alloc(RAMLOAD_MEMORY_MEMFD, length,
					   &memory[i]), "memory");
		dests[i] = ramload_memory_address(memory[i]);
	}
	for (i = 0; i < ramload_image_nr_files(image); i++)
		load_file(session, image, i, dests);
	for (i = 0; i < nr; i++) {
		length = ramload_image_block(image, i)->length;
		fwrite(dests[i], length, 1, stdout);
		ramload_memory_free(memory[i]);
	}
	free(memory);
	free(dests);
	ramload_image_close(image);
	ramload_session_close(session);
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
