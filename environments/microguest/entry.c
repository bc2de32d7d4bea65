// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/entry.h"

#include "environments/microguest/cpu_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

enum { VECTOR_INVALID_OPCODE = 6, VECTOR_PAGE_FAULT = 14 };

/* Bits of a page fault's error code (SDM volume 3, 4.7). */
enum { FAULT_WRITE = 2, FAULT_USER = 4, FAULT_RESERVED = 8, FAULT_FETCH = 16 };

/* An out-of-date translation is gone after one fault; more mean that something is wrong. */
#define RETRIES_MAX 8

static bool has_error_code(unsigned vector) {
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21;
}

/* Settled once, by the first call of the first thread. */
static bool is_entry(struct vmm *vmm, enum entry_kind kind) {
    if (vmm->entry == ENTRY_UNKNOWN) {
        vmm->entry = kind;
        snprintf(vmm->status->entry, sizeof(vmm->status->entry), "%s", entry_kind_name(kind));
    }
    return vmm->entry == kind;
}

static bool is_syscall_instruction(struct vmm *vmm, uint64_t rip) {
    const uint8_t *code = memory_pointer(&vmm->memory, rip, 2, PROT_EXEC);
    return code && code[0] == 0x0f && code[1] == 0x05;
}

/* The program may do this after all: its CPU had remembered an older right. */
static bool is_out_of_date(struct vcpu *vcpu, const struct fault *fault) {
    int prot = fault->error_code & FAULT_FETCH   ? PROT_EXEC
               : fault->error_code & FAULT_WRITE ? PROT_WRITE
                                                 : PROT_READ;
    if (!fault->user || !(fault->error_code & FAULT_USER) || (fault->error_code & FAULT_RESERVED) ||
        !memory_pointer(&vcpu->vmm->memory, fault->address, 1, prot))
        return false;
    vcpu->retries = fault->address == vcpu->retried_gva ? vcpu->retries + 1 : 1;
    vcpu->retried_gva = fault->address;
    return vcpu->retries <= RETRIES_MAX;
}

/* The next entry is the stub's IRETQ with the frame as it is. */
static void resume_from_frame(struct vcpu *vcpu) {
    vcpu_regs(vcpu)->rsp = cpu_state_frame_gva(vcpu);
    vcpu_changed(vcpu);
}

static enum entry_event decode_vector(struct vcpu *vcpu, struct fault *fault) {
    struct vmm *vmm = vcpu->vmm;
    struct kvm_regs *regs = vcpu_regs(vcpu);
    const struct exception_frame *frame = cpu_state_frame(vcpu);
    fault->rip = frame->rip;
    fault->user = (frame->cs & 3) == 3;
    fault->error_code = has_error_code(fault->vector) ? cpu_state_error_code(vcpu) : 0;
    if (fault->vector == VECTOR_PAGE_FAULT) {
        const uint64_t fetch = FAULT_USER | FAULT_FETCH;
        if (fault->user && frame->rip == STUB_SYSCALL_GVA && (fault->error_code & fetch) == fetch &&
            is_entry(vmm, ENTRY_PAGE_FAULT))
            return ENTRY_EVENT_CALL;
        fault->address = cpu_state_fault_address(vcpu);
        if (is_out_of_date(vcpu, fault)) {
            resume_from_frame(vcpu);
            return ENTRY_EVENT_RETRY;
        }
    }
    if (fault->vector == VECTOR_INVALID_OPCODE && fault->user &&
        is_syscall_instruction(vmm, frame->rip) && is_entry(vmm, ENTRY_INVALID_OPCODE)) {
        /* As the instruction would have left them. */
        regs->rcx = frame->rip + 2;
        regs->r11 = frame->rflags;
        return ENTRY_EVENT_CALL;
    }
    return ENTRY_EVENT_FAULT;
}

enum entry_event entry_decode(struct vcpu *vcpu, struct fault *ret_fault) {
    const struct kvm_regs *regs = vcpu_regs(vcpu);
    uint64_t stub = regs->rip - STUB_HALT_BYTES;
    *ret_fault = (struct fault){.vector = VECTORS, .rip = regs->rip};
    if (stub == STUB_SYSCALL_GVA)
        return is_entry(vcpu->vmm, ENTRY_SYSCALL) ? ENTRY_EVENT_CALL : ENTRY_EVENT_FAULT;
    uint64_t distance = stub - STUB_VECTOR_GVA(0);
    if (distance % 16 != 0 || distance / 16 >= VECTORS)
        return ENTRY_EVENT_FAULT;
    ret_fault->vector = (unsigned)(distance / 16);
    return decode_vector(vcpu, ret_fault);
}

uint64_t entry_return_rip(struct vcpu *vcpu) {
    return vcpu_regs(vcpu)->rcx;
}

void entry_return(struct vcpu *vcpu, int64_t result) {
    struct kvm_regs *regs = vcpu_regs(vcpu);
    regs->rax = (uint64_t)result;
    /* SYSRET to an address that is not canonical faults at CPL 0 on some processors, with the
     * program's stack; and nothing lies up there anyway. */
    if (regs->rcx >= USER_END_GVA)
        regs->rcx = 0;
    regs->r11 = (regs->r11 & USER_FLAGS) | FIXED_FLAGS;
    if (vcpu->vmm->entry != ENTRY_SYSCALL) {
        struct exception_frame *frame = cpu_state_frame(vcpu);
        *frame = (struct exception_frame){
            .rip = regs->rcx, .cs = USER_CS, .rflags = regs->r11, .rsp = frame->rsp, .ss = USER_SS};
        regs->rsp = cpu_state_frame_gva(vcpu);
    }
    vcpu_changed(vcpu);
}

void entry_describe_fault(const struct fault *fault, char text[160]) {
    static const char *const names[VECTORS] = {
        [0] = "divide error (#DE)",
        [1] = "debug exception (#DB)",
        [3] = "breakpoint (#BP)",
        [4] = "overflow (#OF)",
        [5] = "bound range exceeded (#BR)",
        [VECTOR_INVALID_OPCODE] = "invalid opcode (#UD)",
        [7] = "device not available (#NM)",
        [8] = "double fault (#DF)",
        [10] = "invalid TSS (#TS)",
        [11] = "segment not present (#NP)",
        [12] = "stack-segment fault (#SS)",
        [13] = "general protection (#GP)",
        [VECTOR_PAGE_FAULT] = "page fault (#PF)",
        [16] = "x87 floating-point error (#MF)",
        [17] = "alignment check (#AC)",
        [18] = "machine check (#MC)",
        [19] = "SIMD floating-point exception (#XM)",
        [21] = "control protection (#CP)",
    };
    const char *name = fault->vector < VECTORS ? names[fault->vector] : "halt outside of the stubs";
    int length = snprintf(text, 160, "%s in %s mode at 0x%" PRIx64, name ? name : "exception",
                          fault->user ? "user" : "kernel", fault->rip);
    if (fault->vector == VECTOR_PAGE_FAULT && length > 0 && length < 160)
        snprintf(text + length, 160 - (size_t)length, ", cannot %s 0x%" PRIx64,
                 fault->error_code & FAULT_FETCH   ? "execute"
                 : fault->error_code & FAULT_WRITE ? "write"
                                                   : "read",
                 fault->address);
}

const char *entry_kind_name(enum entry_kind kind) {
    static const char *const names[] = {
        [ENTRY_UNKNOWN] = "none yet",
        [ENTRY_SYSCALL] = "SYSCALL at CPL 0",
        [ENTRY_PAGE_FAULT] = "page fault at LSTAR",
        [ENTRY_INVALID_OPCODE] = "invalid opcode",
    };
    return names[kind];
}
