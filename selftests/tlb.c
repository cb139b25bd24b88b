// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Of the kernel, not of the module: memory that is taken from a process while it
 * stores there, on another CPU, gets no more of its stores. All tests that look
 * for foreign bytes rely on it; User Mode Linux 7.3 does not do so by itself
 * (selftests/vm/uml_tlb.c).
 */

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "poison.h"
#include "ramload_util.h"
#include "test_memory.h"
#include "test_run.h"

#define MARK	0x5ca1ab1eul
#define ROUNDS	200
#define PAGES	16
#define LOOKS	100
#define WORDS	(PAGE / sizeof(unsigned long))

FIXTURE(tlb)
{
	struct memory m;
	volatile unsigned long *words;
	pid_t child;
};

/* No system call from here on: only a fault or an interrupt has it enter the kernel. */
static void store_for_ever(volatile unsigned long *words)
{
	size_t i;

	for (;;)
		for (i = 0; i < WORDS; i++)
			words[i] = MARK;
}

FIXTURE_SETUP(tlb)
{
	struct reason why;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "only one CPU");
	pin_to_cpu(0);
	ASSERT_EQ(0, memory_map(&self->m, MEMORY_MEMFD, PAGE, &why));
	self->words = (unsigned long *)self->m.map;
	self->child = fork();
	ASSERT_LE(0, self->child);
	if (!self->child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin_to_cpu(1);
		store_for_ever(self->words);
	}
}

FIXTURE_TEARDOWN(tlb)
{
	if (self->child > 0) {
		kill(self->child, SIGKILL);
		waitpid(self->child, NULL, 0);
	}
	memory_unmap(&self->m);
}

/* Are they zero, and do they stay so for a while? They may be what was freed last. */
static bool fresh_pages_are_zero(void)
{
	volatile unsigned long *map = mmap(NULL, PAGES * PAGE,
					   PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS |
					   MAP_POPULATE, -1, 0);
	bool zero = map != MAP_FAILED;
	size_t i, look;

	for (look = 0; look < LOOKS && zero; look++)
		for (i = 0; i < PAGES; i++)
			zero &= !map[i * WORDS];
	munmap((void *)map, PAGES * PAGE);
	return zero;
}

TEST_F_TIMEOUT(tlb, freed_page_gets_no_stores, LONG_TIMEOUT)
{
	unsigned int i, foreign = 0;

	for (i = 0; i < ROUNDS; i++) {
		/* The child is in the middle of it, by all that can be seen. */
		while (self->words[WORDS - 1] != MARK)
			;
		ASSERT_EQ(0, fallocate(self->m.fd, FALLOC_FL_PUNCH_HOLE |
				       FALLOC_FL_KEEP_SIZE, 0, PAGE));
		foreign += !fresh_pages_are_zero();
	}
	EXPECT_EQ(0, foreign);
}

TEST_HARNESS_MAIN
