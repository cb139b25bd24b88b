/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Meters: what the system says was used up
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdint.h>

/**
 * struct bench_meter - readings of one moment
 * @seconds: a clock
 * @cpu: CPU seconds of this process, of its children that have ended, and of
 *	kernel threads of the module
 * @faults: page faults of this process and these children
 */
struct bench_meter {
	double seconds;
	double cpu;
	uint64_t faults;
};

void bench_meter_begin(struct bench_meter *meter);
void bench_meter_end(struct bench_meter *meter);

/**
 * bench_memory_used() - bytes of memory that the system uses
 *
 * Memory of processes, page cache, page tables, what else the kernel has
 * allocated for itself; no hugetlb pages. It is a sum of what is used, since
 * much of what is freed waits in lists of a CPU and does not count as free.
 */
int64_t bench_memory_used(void);

/** bench_clock() - seconds since some time */
double bench_clock(void);

#endif /* BENCH_METER_H */
