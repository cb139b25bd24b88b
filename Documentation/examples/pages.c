// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Load pages in the order in which they are asked for, the rest behind them.
 *
 *     pages FILE > COPY
 *
 * So does an emulator whose guest runs before all of it is there, with faults
 * that userfaultfd(2) tells of, or postcopy; here, they are made up. Pages go
 * into a queue, which makes jobs of them; pages that adjoin are read at once.
 * What is there in the end is written to standard output.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ramload.h>

#define PAGE	4096

/* So many vCPUs wait for a page each at a time. */
#define VCPUS	4

struct guest {
	struct ramload_block ram;
	struct ramload_queue *queue;
	bool *loaded;
	size_t nr_pages;
};

static void check(int err, const char *what)
{
	if (err)
		errx(EXIT_FAILURE, "%s: %s", what, strerror(-err));
}

/* The page is on its way when this returns, or will be with those after it. */
static void ask_for(struct guest *guest, size_t page)
{
	uint64_t offset = (uint64_t)page * PAGE;
	uint64_t rest = guest->ram.length - offset;

	if (guest->loaded[page])
		return;
	guest->loaded[page] = true;
	check(ramload_queue_page(guest->queue, &guest->ram, offset,
				 rest < PAGE ? rest : PAGE), "page");
}

/* Of each 16 pages one is touched, here and there. */
static void run_guest(struct guest *guest)
{
	size_t page = 0, nr;

	for (nr = 1; nr <= guest->nr_pages / 16; nr++) {
		page = (page + 40503) % guest->nr_pages;
		ask_for(guest, page);
		/* All that was asked for is there then: the vCPUs go on. */
		if (nr % VCPUS == 0)
			check(ramload_queue_sync(guest->queue, NULL), "sync");
	}
}

/* No page is loaded twice: the guest may have written to it meanwhile. */
static void load_rest(struct guest *guest)
{
	struct ramload_result result;
	size_t page;
	int err;

	for (page = 0; page < guest->nr_pages; page++)
		ask_for(guest, page);
	err = ramload_queue_sync(guest->queue, &result);
	if (err)
		warnx("at offset %llu of the file:",
		      (unsigned long long)result.error_offset);
	check(err, "sync");
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct ramload_session *session;
	struct ramload_memory *memory;
	struct guest guest = { 0 };
	struct stat st;

	if (argc != 2)
		errx(2, "usage: pages FILE >COPY");
	check(fd < 0 || fstat(fd, &st) ? -errno : 0, argv[1]);
	guest.ram.length = st.st_size;
	check(ramload_memory_alloc(RAMLOAD_MEMORY_MEMFD, guest.ram.length,
				   &memory), "memory");
	guest.ram.dest = ramload_memory_address(memory);
	guest.nr_pages = (guest.ram.length + PAGE - 1) / PAGE;
	guest.loaded = calloc(guest.nr_pages, sizeof(*guest.loaded));
	check(guest.loaded ? 0 : -ENOMEM, "memory");
	check(ramload_session_open(NULL, &session), "session");
	warnx("%s engine",
	      ramload_engine_name(ramload_session_engine(session)));
	check(ramload_queue_open(session, fd, NULL, &guest.queue), "queue");

	run_guest(&guest);
	load_rest(&guest);

	ramload_queue_close(guest.queue);
	ramload_session_close(session);
	close(fd);
	fwrite(guest.ram.dest, guest.ram.length, 1, stdout);
	free(guest.loaded);
	ramload_memory_free(memory);
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
