// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The virtual machine monitor: one guest without a kernel, whose program runs in user mode (CPL 3)
 * on virtual CPUs, one a thread. docs/microguest.md explains the whole.
 */
#ifndef BOXMARK_MICROGUEST_VMM_H
#define BOXMARK_MICROGUEST_VMM_H

#include "common/error.h"
#include "environments/microguest/descriptors.h"
#include "environments/microguest/memory.h"
#include "environments/microguest/ring.h"
#include "environments/microguest/ring_poll.h"
#include "environments/microguest/status.h"

#include <linux/kvm.h>

struct time_page;

/* How a system call of the program arrives (entry.h). */
enum entry_kind { ENTRY_UNKNOWN, ENTRY_SYSCALL, ENTRY_PAGE_FAULT, ENTRY_INVALID_OPCODE };

struct vcpu {
    struct vmm *vmm;
    unsigned number;
    int fd;
    int stats_fd; /* 0: not yet asked for; -1: this KVM has none */
    struct kvm_run *run;
    uint8_t *page;          /* its TSS, GDT and exception stack */
    uint64_t clear_tid_gva; /* CLONE_CHILD_CLEARTID */
    bool busy;              /* has a thread; under vmm->vcpus_lock */
    bool ended;             /* its thread called exit */
    uint64_t retried_gva;   /* the last page fault that was tried again, */
    unsigned retries;       /* and how often in a row */
};

struct vmm {
    int kvm_fd, vm_fd;
    size_t run_bytes;
    struct kvm_cpuid2 *cpuid; /* what the processor and KVM can give a guest */
    uint64_t xcr0;            /* 0: no XSAVE */
    struct memory memory;
    struct descriptors descriptors;
    struct ring ring;
    struct ring_poller poller;
    struct time_page *time;
    uint64_t sysinfo_gva; /* the vDSO, or 0 */
    enum entry_kind entry;
    struct status *status;
    pthread_mutex_t vcpus_lock;
    struct vcpu *vcpus[VCPUS_MAX];
    unsigned vcpu_count, threads_max;
    bool threads_refused;
    _Atomic unsigned threads;
    uint64_t signals_ignored; /* bit n: signal n is ignored */
    enum ring_polling polling;
    unsigned uid, gid;
};

struct vmm_options {
    uint64_t memory_bytes; /* that the program can use */
    unsigned threads;      /* at most; 0: as many as there can be */
    int cpuid_fd;          /* what was prepared (cpuid.h), or -1: ask KVM */
};

/* KVM opened and checked, memory and tables made. `status` is borrowed. */
int vmm_create(struct vmm *vmm, const struct vmm_options *options, struct status *status,
               struct error **err);

/* A virtual CPU that nobody uses, reset; NULL with errno when there are no more. */
struct vcpu *vmm_take_vcpu(struct vmm *vmm);
void vmm_give_back_vcpu(struct vcpu *vcpu);

/* Runs the program on this CPU until its thread ends. */
void vcpu_run(struct vcpu *vcpu);

/* Registers of the program; valid between exits. A change needs vcpu_changed. */
static inline struct kvm_regs *vcpu_regs(struct vcpu *vcpu) {
    return &vcpu->run->s.regs.regs;
}
static inline void vcpu_changed(struct vcpu *vcpu) {
    vcpu->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
}

/* Ends the guest, and this process, with a sentence that says why. From any thread. */
__attribute__((noreturn, format(printf, 3, 4))) void vmm_end(struct vmm *vmm, int status,
                                                             const char *format, ...);

/* The program's own end. */
__attribute__((noreturn)) void vmm_exit(struct vmm *vmm, int status);

#endif
