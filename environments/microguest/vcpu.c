// SPDX-License-Identifier: GPL-3.0-or-later
/* The life of a virtual CPU: enter, find out why it came back, serve, again. */
#include "common/clock.h"
#include "environments/microguest/entry.h"
#include "environments/microguest/syscalls.h"
#include "environments/microguest/time_page.h"
#include "environments/microguest/vmm.h"

#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

static void account(struct status_count *spent, uint64_t ns) {
    atomic_fetch_add_explicit(&spent->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&spent->ns, ns, memory_order_relaxed);
}

__attribute__((noreturn)) static void end_by_fault(struct vcpu *vcpu, const struct fault *fault) {
    char text[160];
    entry_describe_fault(fault, text);
    vmm_end(vcpu->vmm, MONITOR_EXIT_FAULT, "the guest's thread %u did what it may not: %s",
            vcpu->number + 1, text);
}

/* HLT: a stub was reached. Returns what kind of exit it was. */
static enum status_exit serve_stub(struct vcpu *vcpu) {
    struct fault fault;
    switch (entry_decode(vcpu, &fault)) {
    case ENTRY_EVENT_CALL:
        return syscalls_serve(vcpu);
    case ENTRY_EVENT_RETRY:
        return STATUS_EXIT_PAGE_FAULT;
    case ENTRY_EVENT_FAULT:
        break;
    }
    account(&vcpu->vmm->status->exits[STATUS_EXIT_FAULT], 0);
    end_by_fault(vcpu, &fault);
}

static enum status_exit serve_exit(struct vcpu *vcpu) {
    const struct kvm_run *run = vcpu->run;
    struct vmm *vmm = vcpu->vmm;
    switch (run->exit_reason) {
    case KVM_EXIT_HLT:
        return serve_stub(vcpu);
    case KVM_EXIT_INTR:
        return STATUS_EXIT_SIGNAL;
    case KVM_EXIT_SHUTDOWN:
        vmm_end(vmm, MONITOR_EXIT_FAULT, "the guest's thread %u did what it may not: triple fault",
                vcpu->number + 1);
    case KVM_EXIT_MMIO:
    case KVM_EXIT_IO:
        vmm_end(vmm, MONITOR_EXIT_FAULT,
                "the guest's thread %u did what it may not: it reached for a device",
                vcpu->number + 1);
    case KVM_EXIT_INTERNAL_ERROR:
        vmm_end(vmm, MONITOR_EXIT_FAILED,
                "KVM could not run the guest's thread %u: internal error %u at 0x%llx",
                vcpu->number + 1, run->internal.suberror, (unsigned long long)vcpu_regs(vcpu)->rip);
    case KVM_EXIT_FAIL_ENTRY:
        vmm_end(vmm, MONITOR_EXIT_FAILED, "the processor refuses the guest's state (0x%llx)",
                (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
    default:
        vmm_end(vmm, MONITOR_EXIT_FAILED, "KVM left the guest with an unexpected reason (%u)",
                run->exit_reason);
    }
}

/* KVM_RUN itself failed. */
static enum status_exit serve_failure(struct vcpu *vcpu, int errnum, unsigned *faults) {
    if (errnum == EINTR || errnum == EAGAIN)
        return STATUS_EXIT_SIGNAL;
    /* A page could not be had. Another thread may be changing the memory: after it, again. */
    enum { FAULTS_MAX = 64 };
    if (errnum == EFAULT && ++*faults < FAULTS_MAX) {
        pthread_mutex_lock(&vcpu->vmm->memory.lock);
        pthread_mutex_unlock(&vcpu->vmm->memory.lock);
        return STATUS_EXIT_MEMORY;
    }
    vmm_end(vcpu->vmm, MONITOR_EXIT_FAILED, "KVM cannot run the guest's thread %u: %s",
            vcpu->number + 1, strerror(errnum));
}

/* The least of all is one in which the program did next to nothing: what an entry and an exit cost.
 */
static void note_exit(struct status *status, uint64_t ns) {
    uint64_t least_ns = atomic_load_explicit(&status->exit_ns, memory_order_relaxed);
    if (least_ns == 0 || ns < least_ns)
        atomic_store_explicit(&status->exit_ns, ns, memory_order_relaxed);
}

void vcpu_run(struct vcpu *vcpu) {
    struct status *status = vcpu->vmm->status;
    struct status_cpu *cpu = &status->cpus[vcpu->number];
    unsigned faults = 0;
    uint64_t left_ns = monotonic_ns();
    while (!vcpu->ended) {
        atomic_store_explicit(&cpu->since_ns, left_ns, memory_order_relaxed);
        atomic_store_explicit(&cpu->state, CPU_IN_GUEST, memory_order_release);
        int result = ioctl(vcpu->fd, KVM_RUN, 0);
        int errnum = errno;
        uint64_t entered_ns = left_ns;
        left_ns = monotonic_ns();
        enum status_exit reason;
        if (result < 0) {
            reason = serve_failure(vcpu, errnum, &faults);
        } else {
            faults = 0;
            if (vcpu->run->exit_reason == KVM_EXIT_HLT)
                note_exit(status, left_ns - entered_ns);
            reason = serve_exit(vcpu);
        }
        time_page_update(vcpu->vmm->time);
        uint64_t now_ns = monotonic_ns();
        account(&status->exits[reason], now_ns - left_ns);
        left_ns = now_ns;
    }
}
