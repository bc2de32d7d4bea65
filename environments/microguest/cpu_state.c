// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * References: Intel SDM volume 3: 2.5 (control registers), 3.5 and 5.8.8 (SYSCALL, SYSRET), 6.14
 * (exceptions in 64-bit mode, IST), 8.7 (64-bit TSS), 13 (XSAVE). AMD APM volume 2: 4.8, 6.1, 8.9,
 * 12.2.5.
 */
#include "environments/microguest/cpu_state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define CR0_PE UINT64_C(0x1)
#define CR0_MP UINT64_C(0x2)
#define CR0_ET UINT64_C(0x10)
#define CR0_NE UINT64_C(0x20)
#define CR0_WP UINT64_C(0x10000)
#define CR0_PG UINT64_C(0x80000000)
#define CR4_PAE UINT64_C(0x20)
#define CR4_OSFXSR UINT64_C(0x200)
#define CR4_OSXMMEXCPT UINT64_C(0x400)
#define CR4_UMIP UINT64_C(0x800)
#define CR4_OSXSAVE UINT64_C(0x40000)
#define CR4_SMEP UINT64_C(0x100000)
#define CR4_SMAP UINT64_C(0x200000)
#define EFER_SCE UINT64_C(0x1)
#define EFER_LME UINT64_C(0x100)
#define EFER_LMA UINT64_C(0x400)
#define EFER_NXE UINT64_C(0x800)

#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_SYSCALL_MASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSRS_MAX 4u

enum { KERNEL_CS = 0x08, KERNEL_SS = 0x10, SYSRET_BASE = 0x18, TSS_SELECTOR = 0x30 };

/* A virtual CPU's page: TSS, then GDT; exceptions push from its end downwards. */
enum { TSS_BYTES = 0x68, GDT_AT = 0x100, GDT_ENTRIES = 8, TSS_IST1_AT = 0x24, TSS_IOMAP_AT = 0x66 };

void cpu_state_write_tables(uint8_t *control) {
    uint8_t *stubs = control + CONTROL_STUBS * PAGE_BYTES;
    static const uint8_t on_syscall[] = {0xf4, 0x48, 0x0f, 0x07}; /* hlt; sysretq */
    static const uint8_t on_vector[] = {0xf4, 0x48, 0xcf};        /* hlt; iretq */
    memcpy(stubs, on_syscall, sizeof(on_syscall));
    uint64_t *idt = (uint64_t *)(void *)(control + CONTROL_IDT * PAGE_BYTES);
    for (unsigned vector = 0; vector < VECTORS; vector++) {
        uint64_t gva = STUB_VECTOR_GVA(vector);
        memcpy(stubs + (gva - STUB_SYSCALL_GVA), on_vector, sizeof(on_vector));
        /* Interrupt gate, DPL 0 (INT n of the program is a #GP), stack 1 of the IST: always this
         * one, also when something goes wrong at CPL 0 with a stack pointer of the program's. */
        idt[2 * vector] = (gva & 0xffff) | (uint64_t)KERNEL_CS << 16 | UINT64_C(1) << 32 |
                          UINT64_C(0x8e) << 40 | (gva >> 16 & 0xffff) << 48;
        idt[2 * vector + 1] = gva >> 32;
    }
}

static uint64_t page_gva(const struct vcpu *vcpu) {
    return control_gva(CONTROL_VCPUS + vcpu->number);
}

static void write_page(struct vcpu *vcpu) {
    uint64_t stack = page_gva(vcpu) + PAGE_BYTES, tss = page_gva(vcpu);
    memset(vcpu->page, 0, PAGE_BYTES);
    memcpy(vcpu->page + TSS_IST1_AT, &stack, sizeof(stack));
    /* An I/O map beyond the limit: no port is the program's. */
    const uint16_t no_map = TSS_BYTES;
    memcpy(vcpu->page + TSS_IOMAP_AT, &no_map, sizeof(no_map));
    const uint64_t gdt[GDT_ENTRIES] = {
        [KERNEL_CS / 8] = UINT64_C(0x00af9b000000ffff),
        [KERNEL_SS / 8] = UINT64_C(0x00cf93000000ffff),
        [USER_SS / 8] = UINT64_C(0x00cff3000000ffff),
        [USER_CS / 8] = UINT64_C(0x00affb000000ffff),
        [TSS_SELECTOR / 8] = (TSS_BYTES - 1) | (tss & 0xffffff) << 16 | UINT64_C(0x8b) << 40 |
                             (tss >> 24 & 0xff) << 56,
        [TSS_SELECTOR / 8 + 1] = tss >> 32,
    };
    memcpy(vcpu->page + GDT_AT, gdt, sizeof(gdt));
}

/* One register of one leaf; 0 where the leaf is not there. */
static struct kvm_cpuid_entry2 *find_leaf(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t index) {
    for (uint32_t i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == leaf && cpuid->entries[i].index == index)
            return &cpuid->entries[i];
    return NULL;
}

uint64_t cpu_state_find_xcr0(struct kvm_cpuid2 *cpuid) {
    const struct kvm_cpuid_entry2 *one = find_leaf(cpuid, 1, 0), *save = find_leaf(cpuid, 0xd, 0);
    const uint64_t xsave_bit = UINT64_C(1) << 26;
    /* Not the tile registers of AMX: the kernel gives them on request only. */
    const uint64_t tiles = UINT64_C(3) << 17;
    return one && (one->ecx & xsave_bit) && save ? ((uint64_t)save->edx << 32 | save->eax) & ~tiles
                                                 : 0;
}

/* The same CPUID for all but the numbers of the CPU itself. */
static int set_cpuid(struct vcpu *vcpu) {
    struct kvm_cpuid2 *cpuid = vcpu->vmm->cpuid;
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
        if (entry->function == 1)
            entry->ebx = (entry->ebx & 0x00ffffff) | vcpu->number << 24;
        if (entry->function == 0xb || entry->function == 0x1f)
            entry->edx = vcpu->number;
    }
    return ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
}

int cpu_state_msrs(struct vcpu *vcpu, bool write, struct kvm_msr_entry *entries, unsigned count) {
    _Alignas(struct kvm_msrs) char
        room[sizeof(struct kvm_msrs) + MSRS_MAX * sizeof(struct kvm_msr_entry)] = {0};
    struct kvm_msrs *msrs = (struct kvm_msrs *)(void *)room;
    if (count > MSRS_MAX)
        return -1;
    msrs->nmsrs = count;
    memcpy(msrs->entries, entries, count * sizeof(*entries));
    if (ioctl(vcpu->fd, write ? KVM_SET_MSRS : KVM_GET_MSRS, msrs) != (int)count)
        return -1;
    memcpy(entries, msrs->entries, count * sizeof(*entries));
    return 0;
}

static int set_msrs(struct vcpu *vcpu) {
    struct kvm_msr_entry entries[] = {
        {.index = MSR_STAR, .data = (uint64_t)(SYSRET_BASE | 3) << 48 | (uint64_t)KERNEL_CS << 32},
        {.index = MSR_LSTAR, .data = STUB_SYSCALL_GVA},
        /* SYSCALL clears all flags that it can. */
        {.index = MSR_SYSCALL_MASK, .data = 0xfffffffd},
    };
    return cpu_state_msrs(vcpu, true, entries, sizeof(entries) / sizeof(*entries));
}

int cpu_state_set_up(struct vcpu *vcpu, struct error **err) {
    write_page(vcpu);
    if (set_cpuid(vcpu) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot set a virtual CPU's CPUID");
    if (set_msrs(vcpu) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot set a virtual CPU's MSRs");
    return 0;
}

static bool has_feature(const struct vmm *vmm, uint32_t leaf, int reg, unsigned bit) {
    const struct kvm_cpuid_entry2 *entry = find_leaf(vmm->cpuid, leaf, 0);
    if (!entry)
        return false;
    return (reg == 'b' ? entry->ebx : entry->ecx) >> bit & 1;
}

static void set_control_registers(const struct vmm *vmm, struct kvm_sregs *sregs) {
    sregs->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
    sregs->cr3 = CONTROL_TOP * PAGE_BYTES;
    sregs->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (vmm->xcr0)
        sregs->cr4 |= CR4_OSXSAVE;
    /* What runs at CPL 0 needs nothing of the program's, and must never be led there. */
    if (has_feature(vmm, 7, 'b', 7))
        sregs->cr4 |= CR4_SMEP;
    if (has_feature(vmm, 7, 'b', 20))
        sregs->cr4 |= CR4_SMAP;
    if (has_feature(vmm, 7, 'c', 2))
        sregs->cr4 |= CR4_UMIP;
    sregs->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
}

static int set_sregs(struct vcpu *vcpu, uint64_t fs_base) {
    struct kvm_sregs sregs;
    if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return -1;
    const struct kvm_segment code = {.limit = 0xffffffff,
                                     .selector = USER_CS,
                                     .type = 11,
                                     .present = 1,
                                     .dpl = 3,
                                     .s = 1,
                                     .l = 1,
                                     .g = 1};
    const struct kvm_segment data = {.limit = 0xffffffff,
                                     .selector = USER_SS,
                                     .type = 3,
                                     .present = 1,
                                     .dpl = 3,
                                     .s = 1,
                                     .db = 1,
                                     .g = 1};
    sregs.cs = code;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.fs.base = fs_base;
    sregs.tr = (struct kvm_segment){.base = page_gva(vcpu),
                                    .limit = TSS_BYTES - 1,
                                    .selector = TSS_SELECTOR,
                                    .type = 11,
                                    .present = 1};
    sregs.ldt = (struct kvm_segment){.unusable = 1};
    sregs.gdt = (struct kvm_dtable){.base = page_gva(vcpu) + GDT_AT, .limit = GDT_ENTRIES * 8 - 1};
    sregs.idt = (struct kvm_dtable){.base = control_gva(CONTROL_IDT), .limit = VECTORS * 16 - 1};
    set_control_registers(vcpu->vmm, &sregs);
    return ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
}

int cpu_state_enter_user(struct vcpu *vcpu, const struct kvm_regs *regs, uint64_t fs_base,
                         struct error **err) {
    if (set_sregs(vcpu, fs_base) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "KVM refuses a CPU in user mode");
    if (vcpu->vmm->xcr0) {
        struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = vcpu->vmm->xcr0}}};
        if (ioctl(vcpu->fd, KVM_SET_XCRS, &xcrs) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot set a virtual CPU's XCR0");
    }
    struct kvm_regs checked = *regs;
    checked.rflags = (regs->rflags & USER_FLAGS) | FIXED_FLAGS;
    if (ioctl(vcpu->fd, KVM_SET_REGS, &checked) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot set a virtual CPU's registers");
    vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
    vcpu->run->kvm_dirty_regs = 0;
    return 0;
}

int cpu_state_set_base(struct vcpu *vcpu, bool gs, uint64_t base) {
    struct kvm_msr_entry entry = {.index = gs ? MSR_GS_BASE : MSR_FS_BASE, .data = base};
    return cpu_state_msrs(vcpu, true, &entry, 1);
}

int cpu_state_get_base(struct vcpu *vcpu, bool gs, uint64_t *ret_base) {
    struct kvm_sregs sregs;
    if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return -1;
    *ret_base = gs ? sregs.gs.base : sregs.fs.base;
    return 0;
}

uint64_t cpu_state_fault_address(struct vcpu *vcpu) {
    struct kvm_sregs sregs;
    return ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0 ? 0 : sregs.cr2;
}

struct exception_frame *cpu_state_frame(const struct vcpu *vcpu) {
    return (struct exception_frame *)(void *)(vcpu->page + PAGE_BYTES -
                                              sizeof(struct exception_frame));
}

uint64_t cpu_state_frame_gva(const struct vcpu *vcpu) {
    return page_gva(vcpu) + PAGE_BYTES - sizeof(struct exception_frame);
}

uint64_t cpu_state_error_code(const struct vcpu *vcpu) {
    return *((const uint64_t *)(const void *)cpu_state_frame(vcpu) - 1);
}
