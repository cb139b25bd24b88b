// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <string.h>

#include "method.h"

static const struct bench_method *const methods[] = {
	&bench_method_kernel,
	&bench_method_kernel_ranges,
	&bench_method_user,
	&bench_method_pread,
	&bench_method_preadv,
	&bench_method_processes,
	&bench_method_memcpy,
	&bench_method_pwrite,
	&bench_method_sendfile,
	&bench_method_copy_range,
#ifdef RAMLOAD_HAVE_URING
	&bench_method_uring,
	&bench_method_uring_fixed,
#endif
	&bench_method_uffd,
	&bench_method_private,
	&bench_method_fio,
	&bench_method_limit,
};

#define NR_METHODS	(sizeof(methods) / sizeof(methods[0]))

const struct bench_method *bench_method(size_t i)
{
	return i < NR_METHODS ? methods[i] : NULL;
}

const struct bench_method *bench_method_find(const char *name)
{
	for (size_t i = 0; i < NR_METHODS; i++)
		if (!strcmp(methods[i]->name, name))
			return methods[i];
	return NULL;
}

static bool is_file(enum ramload_memory_kind kind)
{
	return kind != RAMLOAD_MEMORY_ANON && kind != RAMLOAD_MEMORY_THP;
}

bool bench_method_fits(const struct bench_method *method,
		       const struct bench_setup *setup)
{
	unsigned int flags = method->flags;

	if (setup->direct && !(flags & BENCH_CAN_READ_DIRECT))
		return false;
	if (flags & BENCH_NEEDS_COLD && !setup->cold)
		return false;
	if (flags & BENCH_NEEDS_SHMEM && setup->dest == RAMLOAD_MEMORY_HUGETLB)
		return false;
	return is_file(setup->dest) ||
	       !(flags & (BENCH_NEEDS_FILE | BENCH_NEEDS_SHMEM |
			  BENCH_PROCESSES));
}
