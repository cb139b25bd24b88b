// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * usage: stat_seeds DIR
 *
 * Writes inputs for stat_fuzz to start from: each kind of message, and all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../user/netlink_writer.h"

static void put_job_event(struct writer *w)
{
	put_job(w, RAMLOAD_NL_CMD_JOB_DONE);
}

static void put_our_family(struct writer *w)
{
	put_family(w, FAMILY, 1);
}

static void put_refusal(struct writer *w)
{
	put_error(w, -EPERM, NLM_F_ACK_TLVS, 20, "totals need CAP_NET_ADMIN");
}

static void put_capped_refusal(struct writer *w)
{
	put_error(w, -EPERM, NLM_F_ACK_TLVS | NLM_F_CAPPED, 20, "no");
}

static void put_all(struct writer *w)
{
	put_job_event(w);
	put_context(w);
	put_worker(w);
	put_totals(w);
	put_our_family(w);
	put_refusal(w);
}

int main(int argc, char **argv)
{
	static void (*const writers[])(struct writer *w) = {
		put_job_event, put_context, put_worker, put_totals,
		put_our_family, put_refusal, put_capped_refusal, put_all,
	};
	char name[16];
	size_t i;
	int fd;

	if (argc != 2 || chdir(argv[1])) {
		fprintf(stderr, "usage: stat_seeds DIR\n");
		return 2;
	}
	for (i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		struct writer w = { 0 };

		writers[i](&w);
		snprintf(name, sizeof(name), "%03zu", i);
		fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		if (fd < 0 || write(fd, w.data, w.size) != (ssize_t)w.size)
			abort();
		close(fd);
	}
	return 0;
}
