/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef EMULATOR_MACHINE_H
#define EMULATOR_MACHINE_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_CPUS	16
#define MEMORY_UNIT	(UINT64_C(2) << 20)
#define MAX_MEMORY	(UINT64_C(2) << 30)

struct machine;

/**
 * struct vcpu - a virtual CPU
 * @machine: whose it is
 * @index: its number
 * @fd: of KVM
 * @run: what KVM and we share
 * @thread: runs it while the machine runs
 * @generation: the last that the guest found right; under machine.lock
 */
struct vcpu {
	struct machine *machine;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	uint32_t generation;
};

/**
 * struct machine - a virtual machine
 * @kvm: /dev/kvm
 * @vm: the VM
 * @memory: memory of the guest, from address 0 on
 * @length: its length
 * @nr_vcpus: how many vCPUs there are
 * @vcpus: they
 * @lock: protects @failed and vcpu.generation
 * @news: one of them has changed
 * @failed: the guest found memory wrong, or KVM failed
 * @stopping: the vCPUs are to stop
 */
struct machine {
	int kvm;
	int vm;
	char *memory;
	uint64_t length;
	unsigned int nr_vcpus;
	struct vcpu vcpus[MAX_CPUS];
	pthread_mutex_t lock;
	pthread_cond_t news;
	bool failed;
	bool stopping;
};

void machine_open_kvm(struct machine *machine);
void machine_create(struct machine *machine, uint64_t length,
		    unsigned int nr_vcpus);
void machine_boot(struct machine *machine);
void machine_start(struct machine *machine);
bool machine_wait(struct machine *machine, uint32_t generations);
void machine_stop(struct machine *machine);

#endif /* EMULATOR_MACHINE_H */
