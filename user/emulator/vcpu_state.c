// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * The state of a vCPU: read from KVM, given to it, and as it is in a file.
 * There, numbers are big-endian, and what has no meaning to others is as KVM
 * has it; so it has the length that the struct has.
 */
#include <endian.h>
#include <err.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "emulator.h"
#include "vcpu_state.h"

static const __u32 msr_numbers[NR_MSRS] = {
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102,
	0xc0000103, 0x174, 0x175, 0x176,
};

#define FIELD(kind, member, ...) {					\
	.type = kind,							\
	.at = offsetof(struct vcpu_state, member),			\
	.length = sizeof(((struct vcpu_state *)0)->member),		\
	.names = { __VA_ARGS__ },					\
}

static const struct {
	const char *type;
	size_t at;
	size_t length;
	const char *names[18];
} fields[] = {
	FIELD("uint64", generation, "generation"),
	FIELD("uint64", regs,
	      "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8",
	      "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"),
	FIELD("buffer", sregs, "kvm_sregs"),
	FIELD("buffer", xsave, "kvm_xsave"),
	FIELD("buffer", events, "kvm_vcpu_events"),
	FIELD("uint64", msrs,
	      "star", "lstar", "cstar", "fmask", "kernel_gs_base", "tsc_aux",
	      "sysenter_cs", "sysenter_esp", "sysenter_eip"),
};

/* What is described is all there is. */
_Static_assert(sizeof(struct vcpu_state) ==
	       sizeof(__u64) * (1 + 18 + NR_MSRS) + sizeof(struct kvm_sregs) +
	       4 * 1024 + sizeof(struct kvm_vcpu_events),
	       "a gap between members");

#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

union msrs {
	struct kvm_msrs head;
	char space[sizeof(struct kvm_msrs) +
		   NR_MSRS * sizeof(struct kvm_msr_entry)];
};

static void get(int fd, unsigned long request, void *to, const char *what)
{
	if (ioctl(fd, request, to) < 0)
		err(EXIT_FAILED, "KVM_GET_%s", what);
}

static void set(int fd, unsigned long request, const void *from,
		const char *what)
{
	if (ioctl(fd, request, from) < 0)
		err(EXIT_FAILED, "KVM_SET_%s", what);
}

static void name_msrs(union msrs *msrs)
{
	memset(msrs, 0, sizeof(*msrs));
	msrs->head.nmsrs = NR_MSRS;
	for (int i = 0; i < NR_MSRS; i++)
		msrs->head.entries[i].index = msr_numbers[i];
}

/* The vCPU must not be in the middle of an exit: see run_vcpu(). */
void vcpu_state_get(int fd, struct vcpu_state *state)
{
	union msrs msrs;

	get(fd, KVM_GET_REGS, &state->regs, "REGS");
	get(fd, KVM_GET_SREGS, &state->sregs, "SREGS");
	get(fd, KVM_GET_XSAVE, state->xsave, "XSAVE");
	get(fd, KVM_GET_VCPU_EVENTS, &state->events, "VCPU_EVENTS");
	name_msrs(&msrs);
	if (ioctl(fd, KVM_GET_MSRS, &msrs) != NR_MSRS)
		err(EXIT_FAILED, "KVM_GET_MSRS");
	for (int i = 0; i < NR_MSRS; i++)
		state->msrs[i] = msrs.head.entries[i].data;
}

void vcpu_state_set(int fd, const struct vcpu_state *state)
{
	union msrs msrs;

	set(fd, KVM_SET_SREGS, &state->sregs, "SREGS");
	set(fd, KVM_SET_REGS, &state->regs, "REGS");
	/* KVM_SET_FPU does not say that there is anything in what it sets. */
	set(fd, KVM_SET_XSAVE, state->xsave, "XSAVE");
	set(fd, KVM_SET_VCPU_EVENTS, &state->events, "VCPU_EVENTS");
	name_msrs(&msrs);
	for (int i = 0; i < NR_MSRS; i++)
		msrs.head.entries[i].data = state->msrs[i];
	if (ioctl(fd, KVM_SET_MSRS, &msrs) != NR_MSRS)
		errx(EXIT_FAILED, "KVM_SET_MSRS");
}

/* Its own inverse: turns the numbers of a state round. */
static void turn(const void *from, void *to)
{
	memcpy(to, from, sizeof(struct vcpu_state));
	for (size_t f = 0; f < NR_FIELDS; f++) {
		if (strcmp(fields[f].type, "uint64"))
			continue;
		for (size_t i = 0; i < fields[f].length; i += sizeof(__u64)) {
			char *at = (char *)to + fields[f].at + i;
			__u64 value;

			memcpy(&value, at, sizeof(value));
			value = htobe64(value);
			memcpy(at, &value, sizeof(value));
		}
	}
}

void vcpu_state_encode(const struct vcpu_state *state, void *to)
{
	turn(state, to);
}

void vcpu_state_decode(struct vcpu_state *state, const void *from)
{
	turn(from, state);
}

static void describe_field(FILE *to, size_t f)
{
	size_t size = fields[f].length;
	size_t nr = strcmp(fields[f].type, "uint64") ? 1 : size / sizeof(__u64);

	for (size_t i = 0; i < nr; i++)
		fprintf(to,
			"%s{\"name\": \"%s\", \"type\": \"%s\", \"size\": %zu}",
			f || i ? ", " : "", fields[f].names[i], fields[f].type,
			size / nr);
}

/* The fields of a state, as QEMU's analysis script wants them described. */
void vcpu_state_describe(FILE *to)
{
	fputs("[", to);
	for (size_t f = 0; f < NR_FIELDS; f++)
		describe_field(to, f);
	fputs("]", to);
}
