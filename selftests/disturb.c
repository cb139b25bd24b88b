// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* What is done to memory while it is being loaded. */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disturb.h"
#include "ramload_util.h"
#include "test_memory.h"

void disturb_remap(struct memory *m, unsigned long nr)
{
	int flags = m->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	size_t half = m->length / 2;
	size_t at = nr % 2 * half;

	munmap(m->map + at, half);
	mmap(m->map + at, half, PROT_READ | PROT_WRITE, flags | MAP_FIXED,
	     m->fd, at);
}

void disturb_truncate(struct memory *m, unsigned long nr)
{
	if (ftruncate(m->fd, nr * 5 * PAGE % m->length) ||
	    ftruncate(m->fd, m->length))
		return;
}

void disturb_protect(struct memory *m, unsigned long nr)
{
	size_t at = nr * 7 * PAGE % m->length;

	mprotect(m->map + at, PAGE, PROT_READ);
	mprotect(m->map + at, PAGE, PROT_NONE);
	mprotect(m->map, m->length, PROT_READ | PROT_WRITE);
}

void disturb_move(struct memory *m, unsigned long nr)
{
	size_t half = m->length / 2;
	char *from = m->map + nr % 2 * half;
	char *to = mmap(NULL, half, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);

	mremap(from, half, half, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	mremap(to, half, half, MREMAP_MAYMOVE | MREMAP_FIXED, from);
}

void disturb_drop(struct memory *m, unsigned long nr)
{
	size_t half = m->length / 2;

	madvise(m->map + nr * 3 * PAGE % m->length, PAGE, MADV_DONTNEED);
	madvise(m->map + nr % 2 * half, half, MADV_DONTNEED);
}

void disturb_punch(struct memory *m, unsigned long nr)
{
	size_t at = nr * 3 * PAGE % m->length;

	fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
		  nr % 2 ? PAGE : m->length - at);
}

void disturb_look(struct memory *m, unsigned long nr)
{
	volatile char *at = m->map;
	size_t i;

	for (i = 0; i < m->length; i += PAGE)
		(void)at[i];
}

void disturb_page_out(struct memory *m, unsigned long nr)
{
	madvise(m->map, m->length, MADV_PAGEOUT);
}

void disturb_collapse(struct memory *m, unsigned long nr)
{
	madvise(m->map, m->length, MADV_HUGEPAGE);
	madvise(m->map, m->length, MADV_COLLAPSE);
}

/* Moves pages from where they are. */
void disturb_compact(struct memory *m, unsigned long nr)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) == 1)
		usleep(1000);
	close(fd);
}

void disturb_fork(struct memory *m, unsigned long nr)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

void disturb_read(struct memory *m, unsigned long nr)
{
	static char buf[MIB(1)];

	if (pread(m->fd, buf, sizeof(buf), nr % 2 * sizeof(buf)) < 0)
		return;
}

void disturb_allocate(struct memory *m, unsigned long nr)
{
	fallocate(m->fd, FALLOC_FL_KEEP_SIZE, nr % 3 * PAGE, m->length / 2);
}
