/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef EMULATOR_VCPU_STATE_H
#define EMULATOR_VCPU_STATE_H

#include <linux/kvm.h>
#include <stdio.h>

#define NR_MSRS	9

/**
 * struct vcpu_state - what a vCPU is, besides its CPUID
 * @generation: what the emulator has to remember of it
 * @xsave: FPU, SSE and all that came later
 *
 * The rest is what KVM gives; @xsave is struct kvm_xsave, which may end in an
 * array without a length.
 */
struct vcpu_state {
	__u64 generation;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	__u32 xsave[1024];
	struct kvm_vcpu_events events;
	__u64 msrs[NR_MSRS];
};

void vcpu_state_get(int fd, struct vcpu_state *state);
void vcpu_state_set(int fd, const struct vcpu_state *state);
void vcpu_state_encode(const struct vcpu_state *state, void *to);
void vcpu_state_decode(struct vcpu_state *state, const void *from);
void vcpu_state_describe(FILE *to);

#endif /* EMULATOR_VCPU_STATE_H */
