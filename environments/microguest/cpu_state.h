// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The state of a processor that runs a program in 64-bit user mode and has no kernel to go to: the
 * descriptor tables, and the few instructions at CPL 0 that every way out leads to.
 */
#ifndef BOXMARK_MICROGUEST_CPU_STATE_H
#define BOXMARK_MICROGUEST_CPU_STATE_H

#include "environments/microguest/vmm.h"

#define VECTORS 32u
#define STUB_SYSCALL_GVA control_gva(CONTROL_STUBS)
#define STUB_VECTOR_GVA(vector) (control_gva(CONTROL_STUBS) + 0x100 + 16 * (uint64_t)(vector))

/* Every stub begins with HLT, a byte long: RIP after the exit. */
#define STUB_HALT_BYTES 1

/* What the processor pushed on the exception stack (SDM volume 3, figure 6-9). */
struct exception_frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Stubs and IDT into control memory. */
void cpu_state_write_tables(uint8_t *control);

/* What XSAVE covers in a guest with this CPUID: XCR0, or 0. */
uint64_t cpu_state_find_xcr0(struct kvm_cpuid2 *cpuid);

/* A fresh virtual CPU: CPUID, XCR0, MSRs, its page of tables. */
int cpu_state_set_up(struct vcpu *vcpu, struct error **err);

/* Next entry: user mode at rip, all other registers as given. */
int cpu_state_enter_user(struct vcpu *vcpu, const struct kvm_regs *regs, uint64_t fs_base,
                         struct error **err);

/* Reads or writes model-specific registers; 0 when all of them could be. */
int cpu_state_msrs(struct vcpu *vcpu, bool write, struct kvm_msr_entry *entries, unsigned count);

int cpu_state_set_base(struct vcpu *vcpu, bool gs, uint64_t base);
int cpu_state_get_base(struct vcpu *vcpu, bool gs, uint64_t *ret_base);

/* CR2, after a page fault. */
uint64_t cpu_state_fault_address(struct vcpu *vcpu);

/* Where the frame of the exception that is being served lies, for the host and for the guest. */
struct exception_frame *cpu_state_frame(const struct vcpu *vcpu);
uint64_t cpu_state_frame_gva(const struct vcpu *vcpu);
/* The error code under it, for vectors that have one. */
uint64_t cpu_state_error_code(const struct vcpu *vcpu);

/* Flags that the program may set; the rest of what it asks for is dropped. */
#define USER_FLAGS UINT64_C(0x200cd5) /* ID, OF, DF, SF, ZF, AF, PF, CF */
#define FIXED_FLAGS UINT64_C(0x202)   /* IF, and bit 1 that is always set */

#define USER_CS 0x2b
#define USER_SS 0x23

#endif
