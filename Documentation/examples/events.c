// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Load several files at a time from an event loop that never waits for one.
 *
 *     events FILE... > COPIES
 *
 * A job of its own loads each, and has an fd that is readable when it is done:
 * any event loop will do, here it is poll(2). ^C cancels.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ramload.h>

#define MAX_FILES	16

struct load {
	const char *name;
	struct ramload_memory *memory;
	struct ramload_block block;
	struct ramload_job *job;
};

static void check(int err, const char *what)
{
	if (err)
		errx(EXIT_FAILURE, "%s: %s", what, strerror(-err));
}

/* Returns as soon as the job is on its way. */
static void start(struct ramload_session *session, struct load *load)
{
	int fd = open(load->name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	check(fd < 0 || fstat(fd, &st) ? -errno : 0, load->name);
	check(ramload_memory_alloc(RAMLOAD_MEMORY_MEMFD, st.st_size,
				   &load->memory), "memory");
	load->block.length = st.st_size;
	load->block.dest = ramload_memory_address(load->memory);
	check(ramload_load(session, fd, &load->block, 1, NULL, &load->job),
	      "load");
	close(fd);
}

/* Of a job that is done. Nothing is waited for. */
static int report(const struct load *load)
{
	struct ramload_result result;

	ramload_job_result(load->job, &result);
	warnx("%s: %llu bytes, %s", load->name,
	      (unsigned long long)result.bytes_done,
	      result.error ? strerror(-result.error) : "all of it");
	return result.error;
}

/* Signals come as one more fd of the loop. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	int nr = argc - 1, left = nr, err = 0, i;
	struct ramload_session *session;
	struct load loads[MAX_FILES] = { 0 };
	struct pollfd fds[MAX_FILES + 1];

	if (nr < 1 || nr > MAX_FILES)
		errx(2, "usage: events FILE... > COPIES");
	fds[nr] = (struct pollfd){ open_signals(), POLLIN, 0 };
	check(ramload_session_open(NULL, &session), "session");
	warnx("%s engine",
	      ramload_engine_name(ramload_session_engine(session)));
	for (i = 0; i < nr; i++) {
		loads[i].name = argv[i + 1];
		start(session, &loads[i]);
		fds[i] = (struct pollfd){ ramload_job_fd(loads[i].job),
					  POLLIN, 0 };
	}
	while (left && poll(fds, nr + 1, -1) > 0) {
		for (i = 0; i < nr; i++) {
			/* Those that are not done will be soon. */
			if (fds[nr].revents)
				ramload_job_cancel(loads[i].job);
			if (!fds[i].revents)
				continue;
			fds[i].fd = -1;	/* poll() takes it for none */
			err |= report(&loads[i]);
			left--;
		}
		if (fds[nr].revents)
			fds[nr].fd = -1;
	}
	for (i = 0; i < nr; i++) {
		ramload_job_free(loads[i].job);
		if (!err)
			fwrite(loads[i].block.dest, loads[i].block.length, 1,
			       stdout);
		ramload_memory_free(loads[i].memory);
	}
	ramload_session_close(session);
	return err || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
