/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * The machine: what figures depend on
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdbool.h>

/**
 * struct bench_machine - what it runs on
 * @kernel: release
 * @cpu: model
 * @cpus: how many this process may run on
 * @emulated: the CPU is QEMU's emulation, not hardware
 * @uml: the kernel is User Mode Linux
 * @erms: rep movsb and rep stosb are said to be fast
 * @fsrm: short ones are (fsrm, fsrs or fzrm)
 * @init_on_alloc: "on", "off", or "unknown": whether pages are cleared when
 *	they are allocated
 * @thp: transparent_hugepage/enabled, the chosen word; "none" without THP
 * @shmem_thp: transparent_hugepage/shmem_enabled
 */
struct bench_machine {
	char kernel[80];
	char cpu[80];
	unsigned int cpus;
	bool emulated;
	bool uml;
	bool erms;
	bool fsrm;
	const char *init_on_alloc;
	char thp[32];
	char shmem_thp[32];
};

void bench_machine_read(struct bench_machine *machine);

/** bench_machine_warning() - the i-th reason to distrust figures, NULL at end */
const char *bench_machine_warning(const struct bench_machine *machine,
				  unsigned int i);

#endif /* BENCH_MACHINE_H */
