// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz_count.h"

#define NR_ERRORS 256

static struct counts {
	atomic_ulong calls[NR_OPS][NR_ERRORS];
	atomic_ulong jobs[NR_ERRORS];
} *counts;

static const char *const names[NR_OPS] = {
	[OP_OPEN] = "open",
	[OP_CLOSE] = "close",
	[OP_DUP] = "dup",
	[OP_INFO] = "RAMLOAD_INFO",
	[OP_SETUP] = "RAMLOAD_SETUP",
	[OP_LOAD] = "RAMLOAD_LOAD",
	[OP_RESULT] = "RAMLOAD_JOB_RESULT",
	[OP_CANCEL] = "RAMLOAD_JOB_CANCEL",
	[OP_UNKNOWN] = "other ioctls",
	[OP_GOOD_LOAD] = "compared loads",
	[OP_POLL] = "poll",
	[OP_MEMORY] = "memory",
	[OP_FILE] = "file",
	[OP_SOURCE] = "source",
	[OP_SIGNAL] = "signal",
	[OP_CHILD] = "child",
	[OP_FLOOD] = "flood",
};

/*
 * The dictionary of include/uapi/linux/ramload.h, and what the kernel says of
 * an fd that is none (EBADF) or not of ramload (ENOTTY).
 */
static const int documented[NR_OPS][32] = {
	[OP_INFO] = { EBADF, ENOTTY, EFAULT, EINVAL, E2BIG, EOPNOTSUPP },
	[OP_SETUP] = { EBADF, ENOTTY, EPERM, EFAULT, EINVAL, E2BIG, EOPNOTSUPP,
		       EEXIST, EAGAIN, ENOMEM },
	[OP_LOAD] = { EBADF, ENOTTY, EPERM, EFAULT, EINVAL, E2BIG, EOPNOTSUPP,
		      EOVERFLOW, EISDIR, ESPIPE, ENXIO, ESHUTDOWN, EBUSY,
		      EMFILE, ENFILE, ENOMEM, EINTR,
		      ENODATA, ECANCELED, ENOSPC, EIO },
	[OP_RESULT] = { EBADF, ENOTTY, EFAULT, EINVAL, E2BIG, EOPNOTSUPP,
			EINTR },
	[OP_CANCEL] = { EBADF, ENOTTY, EFAULT, EINVAL, E2BIG, EOPNOTSUPP },
};

/* EINVAL is what read(2) of some sources in /proc gives. */
static const int of_jobs[] = {
	ENODATA, EFAULT, ECANCELED, ENOMEM, ENOSPC, EIO, EINVAL, 0,
};

int count_init(void)
{
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return counts == MAP_FAILED ? -1 : 0;
}

static unsigned int index_of(int ret)
{
	return ret >= 0 ? 0 : -ret < NR_ERRORS ? -ret : NR_ERRORS - 1;
}

void count_call(enum fuzz_op op, int ret)
{
	counts->calls[op][index_of(ret)]++;
}

void count_job(int error)
{
	counts->jobs[index_of(error)]++;
}

static bool is_in(const int *list, int error)
{
	for (; *list; list++)
		if (*list == error)
			return true;
	return false;
}

bool count_documented(enum fuzz_op op, int error)
{
	return is_in(documented[op], error);
}

bool count_job_documented(int error)
{
	return is_in(of_jobs, error);
}

static void print_row(const char *name, atomic_ulong *row)
{
	const char *error;
	int i;

	printf("# %-19s %lu ok", name, row[0]);
	for (i = 1; i < NR_ERRORS; i++) {
		error = strerrorname_np(i);
		if (row[i])
			printf(", %lu %s", row[i], error ? error : "?");
	}
	printf("\n");
}

static void print_missing(const char *name, atomic_ulong *row, const int *list)
{
	bool any = false;

	for (; *list; list++) {
		if (row[*list])
			continue;
		if (!any)
			printf("# not reached of %s:", name);
		printf(" %s", strerrorname_np(*list));
		any = true;
	}
	if (any)
		printf("\n");
}

void count_print(void)
{
	int op;

	for (op = 0; op < NR_OPS; op++)
		print_row(names[op], counts->calls[op]);
	print_row("jobs", counts->jobs);
	for (op = 0; op < NR_OPS; op++)
		print_missing(names[op], counts->calls[op], documented[op]);
	print_missing("jobs", counts->jobs, of_jobs);
}

static uint64_t sum(enum fuzz_op op)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < NR_ERRORS; i++)
		n += counts->calls[op][i];
	return n;
}

uint64_t count_calls(void)
{
	uint64_t n = 0;
	int op;

	for (op = 0; op < NR_OPS; op++)
		n += sum(op);
	return n;
}

uint64_t count_loads(void)
{
	return counts->calls[OP_LOAD][0] + counts->calls[OP_GOOD_LOAD][0];
}
