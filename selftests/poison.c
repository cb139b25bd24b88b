// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* Free memory with a mark on it. */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "poison.h"
#include "ramload_util.h"

#define READ_ALL	3	/* of syslog(2) */

void poison_fill(void *buf, size_t length)
{
	uint64_t *at = buf;
	size_t i;

	for (i = 0; i < length / sizeof(*at); i++)
		at[i] = POISON_WORD;
}

bool poison_in(const void *buf, size_t length)
{
	const uint64_t *at = buf;
	size_t i;

	for (i = 0; i < length / sizeof(*at); i++)
		if (at[i] == POISON_WORD)
			return true;
	return false;
}

bool poison_is_visible(void)
{
	static char log[MIB(1)];
	int n = klogctl(READ_ALL, log, sizeof(log) - 1);

	log[n < 0 ? 0 : n] = '\0';
	if (!strstr(log, "heap alloc:on"))
		return true;
	printf("# uncleared bytes cannot be seen: boot with init_on_alloc=0\n");
	return false;
}

/* What write(2) fills takes no faults, which are slow in User Mode Linux. */
void poison_free_memory(size_t length)
{
	static uint64_t block[KIB(512) / sizeof(uint64_t)];
	int fd = memfd_create("poison", MFD_CLOEXEC);
	ssize_t n = 1;

	if (!block[0])
		poison_fill(block, sizeof(block));
	for (; n > 0 && length > 0; length -= n)
		n = write(fd, block,
			  length < sizeof(block) ? length : sizeof(block));
	close(fd);
}

int poisoner_start(struct poisoner *p, int cpu)
{
	pid_t parent = getpid();

	p->pid = fork();
	if (p->pid < 0)
		return errno;
	if (p->pid)
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	pin_to_cpu(cpu);
	for (;;) {
		poison_free_memory(KIB(512));
		usleep(1000);
	}
}

void poisoner_stop(struct poisoner *p)
{
	if (p->pid <= 0)
		return;
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	p->pid = 0;
}

void pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* With one CPU only, everything runs there. */
	sched_setaffinity(0, sizeof(set), &set);
}
