// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "interrupt.h"

static void signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

int interrupt_open(struct interrupt *interrupt)
{
	sigset_t set;

	signals(&set);
	interrupt->signal = 0;
	interrupt->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (interrupt->fd < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &set, NULL);
	return 0;
}

int interrupt_take(struct interrupt *interrupt)
{
	struct signalfd_siginfo info;

	if (interrupt->fd >= 0 &&
	    read(interrupt->fd, &info, sizeof(info)) == sizeof(info)) {
		interrupt->signal = info.ssi_signo;
		interrupt_close(interrupt);
	}
	return interrupt->signal;
}

void interrupt_close(struct interrupt *interrupt)
{
	sigset_t set;

	if (interrupt->fd < 0)
		return;
	close(interrupt->fd);
	interrupt->fd = -1;
	signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
