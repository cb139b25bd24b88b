// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * The virtual machine: memory, vCPUs, and the threads that run them
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ramload.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emulator.h"
#include "guest.h"
#include "machine.h"
#include "vcpu_state.h"

#define PRESENT_WRITABLE_USER	7
#define HUGE_PAGE		0x80

#define CR0_PE_ET_NE_PG		0x80000031
#define CR4_PAE_OSFXSR		0x220
#define EFER_LME_LMA		0x500
#define FLAGS_IOPL_USER		0x3002

static void nothing(int signal)
{
	(void)signal;
}

void machine_open_kvm(struct machine *machine)
{
	struct sigaction action = { .sa_handler = nothing };

	machine->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (machine->kvm < 0)
		err(EXIT_SKIPPED, "no KVM: /dev/kvm");
	if (ioctl(machine->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION ||
	    ioctl(machine->kvm, KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT) < 1)
		errx(EXIT_SKIPPED, "no KVM: it is too old");
	machine->vm = ioctl(machine->kvm, KVM_CREATE_VM, 0);
	if (machine->vm < 0)
		err(EXIT_SKIPPED, "no KVM: KVM_CREATE_VM");
	/* So that a signal ends KVM_RUN, and does nothing else. */
	sigaction(SIGUSR1, &action, NULL);
}

/* The module's, of huge pages where they can be had; or an ordinary memfd. */
static int create_memory(uint64_t length)
{
	struct ramload_create_memory create = {
		.size = sizeof(create),
		.length = length,
	};
	int device = open("/dev/ramload", O_RDWR | O_CLOEXEC);
	int fd = -1;

	if (device >= 0 && !ioctl(device, RAMLOAD_CREATE_MEMORY, &create))
		fd = create.out_fd;
	if (device >= 0)
		close(device);
	if (fd < 0)
		fd = memfd_create("guest", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, length))
		err(EXIT_FAILED, "guest memory");
	return fd;
}

/* Huge pages want an address that is a multiple of theirs. */
static char *map_memory(int fd, uint64_t length)
{
	char *at = mmap(NULL, length + MEMORY_UNIT, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at != MAP_FAILED)
		at = mmap(at + (-(uintptr_t)at & (MEMORY_UNIT - 1)), length,
			  PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
	if (at == MAP_FAILED)
		err(EXIT_FAILED, "guest memory");
	close(fd);
	return at;
}

static void add_memory(struct machine *machine)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = machine->length,
		.userspace_addr = (uintptr_t)machine->memory,
	};

	if (ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region))
		err(EXIT_FAILED, "KVM_SET_USER_MEMORY_REGION");
}

static void set_cpuid(struct machine *machine, int fd)
{
	enum { ENTRIES = 256 };
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) + ENTRIES * sizeof(*cpuid->entries));
	if (!cpuid)
		err(EXIT_FAILED, "CPUID");
	cpuid->nent = ENTRIES;
	if (ioctl(machine->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) ||
	    ioctl(fd, KVM_SET_CPUID2, cpuid))
		err(EXIT_FAILED, "KVM_SET_CPUID2");
	free(cpuid);
}

static void create_vcpu(struct machine *machine, unsigned int index)
{
	struct vcpu *vcpu = &machine->vcpus[index];
	int size = ioctl(machine->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu->machine = machine;
	vcpu->index = index;
	vcpu->fd = ioctl(machine->vm, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		err(EXIT_FAILED, "KVM_CREATE_VCPU");
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		err(EXIT_FAILED, "memory of a vCPU");
	set_cpuid(machine, vcpu->fd);
}

void machine_create(struct machine *machine, uint64_t length,
		    unsigned int nr_vcpus)
{
	pthread_mutex_init(&machine->lock, NULL);
	pthread_cond_init(&machine->news, NULL);
	machine->length = length;
	machine->nr_vcpus = nr_vcpus;
	machine->memory = map_memory(create_memory(length), length);
	add_memory(machine);
	for (unsigned int i = 0; i < nr_vcpus; i++)
		create_vcpu(machine, i);
}

/* The first 4 GiB, by pages of 2 MiB. */
static void make_page_tables(struct machine *machine)
{
	uint64_t *tables = (uint64_t *)(machine->memory + GUEST_TABLES);
	uint64_t *directories = tables + 1024;

	tables[0] = (GUEST_TABLES + 4096) | PRESENT_WRITABLE_USER;
	for (int i = 0; i < 4; i++)
		tables[512 + i] = (GUEST_TABLES + 4096 * (2 + i)) |
				  PRESENT_WRITABLE_USER;
	for (uint64_t i = 0; i < 4 * 512; i++)
		directories[i] = i * MEMORY_UNIT | HUGE_PAGE |
				 PRESENT_WRITABLE_USER;
}

static void enter_long_mode(struct kvm_sregs *sregs)
{
	struct kvm_segment code = {
		.limit = 0xffffffff,
		.selector = 8 | 3,
		.type = 11,
		.present = 1,
		.dpl = 3,
		.s = 1,
		.l = 1,
		.g = 1,
	};
	struct kvm_segment data = code;

	data.selector = 16 | 3;
	data.type = 3;
	data.l = 0;
	data.db = 1;
	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->cr0 = CR0_PE_ET_NE_PG;
	sregs->cr3 = GUEST_TABLES;
	sregs->cr4 = CR4_PAE_OSFXSR;
	sregs->efer = EFER_LME_LMA;
}

static void boot_vcpu(struct vcpu *vcpu)
{
	uint64_t stack = GUEST_DATA - 4096 * (vcpu->index + 1);
	uint64_t number = vcpu->index + 1;
	struct vcpu_state state;

	memcpy(vcpu->machine->memory + stack, &number, sizeof(number));
	vcpu_state_get(vcpu->fd, &state);
	enter_long_mode(&state.sregs);
	state.sregs.gs.base = stack;
	state.regs = (struct kvm_regs){
		.rip = GUEST_CODE,
		.rflags = FLAGS_IOPL_USER,
		.rdi = vcpu->index,
		.rsi = vcpu->machine->nr_vcpus,
		.rdx = vcpu->machine->length,
		.rsp = stack + 4096,
	};
	vcpu_state_set(vcpu->fd, &state);
}

void machine_boot(struct machine *machine)
{
	make_page_tables(machine);
	memcpy(machine->memory + GUEST_CODE, guest_code,
	       guest_code_end - guest_code);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		boot_vcpu(&machine->vcpus[i]);
}

static void fail(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->machine->lock);
	vcpu->machine->failed = true;
	pthread_cond_signal(&vcpu->machine->news);
	pthread_mutex_unlock(&vcpu->machine->lock);
}

static void report_failure(struct vcpu *vcpu)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		err(EXIT_FAILED, "KVM_GET_REGS");
	warnx("vCPU %u: generation %llu: %#llx holds %#llx, not %#llx",
	      vcpu->index, regs.r8, regs.rbx, regs.rdx, regs.rax);
	fail(vcpu);
}

static void report_checked(struct vcpu *vcpu, uint32_t generation)
{
	pthread_mutex_lock(&vcpu->machine->lock);
	vcpu->generation = generation;
	printf("vCPU %u: generation %u is right\n", vcpu->index, generation);
	fflush(stdout);
	pthread_cond_signal(&vcpu->machine->news);
	pthread_mutex_unlock(&vcpu->machine->lock);
}

/* Returns false if the vCPU cannot go on. */
static bool handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint32_t value;

	if (run->exit_reason != KVM_EXIT_IO ||
	    run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 4) {
		warnx("vCPU %u: the guest failed, KVM exit %u", vcpu->index,
		      run->exit_reason);
		fail(vcpu);
		return false;
	}
	memcpy(&value, (char *)run + run->io.data_offset, sizeof(value));
	if (run->io.port == GUEST_CHECKED) {
		report_checked(vcpu, value);
		return true;
	}
	report_failure(vcpu);
	return false;
}

/*
 * An I/O instruction is complete only when KVM_RUN is called again, so the way
 * out is always through a KVM_RUN that returns EINTR.
 */
static void *run_vcpu(void *arg)
{
	struct vcpu *vcpu = arg;
	struct machine *machine = vcpu->machine;

	for (;;) {
		if (!ioctl(vcpu->fd, KVM_RUN, 0)) {
			if (!handle_exit(vcpu))
				return NULL;
		} else if (errno != EINTR && errno != EAGAIN) {
			warn("vCPU %u: KVM_RUN", vcpu->index);
			fail(vcpu);
			return NULL;
		} else if (__atomic_load_n(&machine->stopping,
					   __ATOMIC_ACQUIRE)) {
			return NULL;
		}
	}
}

void machine_start(struct machine *machine)
{
	machine->stopping = false;
	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];

		vcpu->run->immediate_exit = 0;
		errno = pthread_create(&vcpu->thread, NULL, run_vcpu, vcpu);
		if (errno)
			err(EXIT_FAILED, "a thread of a vCPU");
	}
}

static bool has_done(const struct machine *machine, uint32_t generations)
{
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (machine->vcpus[i].generation < generations)
			return false;
	return true;
}

/* Returns false if the machine failed before all vCPUs had come so far. */
bool machine_wait(struct machine *machine, uint32_t generations)
{
	bool failed;

	pthread_mutex_lock(&machine->lock);
	while (!machine->failed && !has_done(machine, generations))
		pthread_cond_wait(&machine->news, &machine->lock);
	failed = machine->failed;
	pthread_mutex_unlock(&machine->lock);
	return !failed;
}

/* The vCPUs stop between two instructions, and can be started again. */
void machine_stop(struct machine *machine)
{
	__atomic_store_n(&machine->stopping, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];

		__atomic_store_n(&vcpu->run->immediate_exit, 1,
				 __ATOMIC_RELEASE);
		pthread_kill(vcpu->thread, SIGUSR1);
	}
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		pthread_join(machine->vcpus[i].thread, NULL);
}
