// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/kvm_loop.h"

#include <string.h>
#include <sys/ioctl.h>

#if defined(__x86_64__)

/* Guest-physical layout: three levels of page tables with one 2 MiB page, then the code. */
enum { PML4_AT = 0x1000, PDPT_AT = 0x2000, PD_AT = 0x3000, CODE_AT = 0x4000, MEMORY = 0x8000 };

enum { PTE_PRESENT = 1, PTE_WRITE = 2, PTE_LARGE = 0x80 };
#define CR0_PE UINT64_C(0x1)
#define CR0_ET UINT64_C(0x10)
#define CR0_NE UINT64_C(0x20)
#define CR0_WP UINT64_C(0x10000)
#define CR0_PG UINT64_C(0x80000000)
#define CR4_PAE UINT64_C(0x20)
#define EFER_LME UINT64_C(0x100)
#define EFER_LMA UINT64_C(0x400)
#define RFLAGS_FIXED UINT64_C(0x2)

const uint64_t kvm_loop_memory_bytes = MEMORY;
const bool kvm_loop_known = true;

void kvm_loop_write(void *memory) {
    static const unsigned char code[] = {
        0xff, 0xc9, /* 1: dec %ecx */
        0x75, 0xfc, /*    jnz 1b */
        0xf4,       /*    hlt */
    };
    const uint64_t pml4 = PDPT_AT | PTE_PRESENT | PTE_WRITE;
    const uint64_t pdpt = PD_AT | PTE_PRESENT | PTE_WRITE;
    const uint64_t pd = PTE_PRESENT | PTE_WRITE | PTE_LARGE;
    char *bytes = memory;
    memcpy(bytes + PML4_AT, &pml4, sizeof(pml4));
    memcpy(bytes + PDPT_AT, &pdpt, sizeof(pdpt));
    memcpy(bytes + PD_AT, &pd, sizeof(pd));
    memcpy(bytes + CODE_AT, code, sizeof(code));
}

/*
 * Straight into 64-bit kernel mode (CPL 0): real mode would be emulated on older processors that
 * run everything else natively.
 */
int kvm_loop_enter(int vm_fd, int vcpu_fd, uint32_t count) {
    (void)vm_fd;
    struct kvm_sregs sregs;
    if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
        return -1;
    struct kvm_segment code = {
        .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
    struct kvm_segment data = {
        .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
    sregs.cs = code;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.cr3 = PML4_AT;
    sregs.cr4 = CR4_PAE;
    sregs.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
    sregs.efer = EFER_LME | EFER_LMA;
    if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0)
        return -1;
    struct kvm_regs regs = {.rip = CODE_AT, .rcx = count, .rsp = CODE_AT, .rflags = RFLAGS_FIXED};
    return ioctl(vcpu_fd, KVM_SET_REGS, &regs);
}

bool kvm_loop_done(const struct kvm_run *run) {
    return run->exit_reason == KVM_EXIT_HLT;
}

void kvm_loop_on_host(uint32_t count) {
    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(count) : : "cc");
}

#else

const uint64_t kvm_loop_memory_bytes = 0x1000;
const bool kvm_loop_known = false;

void kvm_loop_write(void *memory) {
    (void)memory;
}

int kvm_loop_enter(int vm_fd, int vcpu_fd, uint32_t count) {
    (void)vm_fd;
    (void)vcpu_fd;
    (void)count;
    return 0;
}

bool kvm_loop_done(const struct kvm_run *run) {
    (void)run;
    return false;
}

void kvm_loop_on_host(uint32_t count) {
    (void)count;
}

#endif
