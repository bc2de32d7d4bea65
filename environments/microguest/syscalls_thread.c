// SPDX-License-Identifier: GPL-3.0-or-later
/* Threads: each one of the program's is a virtual CPU with a thread of the host. */
#include "environments/microguest/cpu_state.h"
#include "environments/microguest/entry.h"
#include "environments/microguest/syscalls.h"

#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* What a thread that serves calls needs; the program's own stack is in the guest. */
#define HOST_STACK_BYTES (256 * 1024)

static void wake_joiners(struct call *call, uint64_t gva) {
    uint32_t *word = gva % 4 == 0 ? call_pointer(call, gva, 4, PROT_READ | PROT_WRITE) : NULL;
    if (!word)
        return;
    __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
    /* The kernel wakes with a shared key, and so do those who wait for it. */
    (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void *thread_main(void *argument) {
    struct vcpu *vcpu = argument;
    struct vmm *vmm = vcpu->vmm;
    ring_poll_start_thread(vmm);
    vcpu_run(vcpu);
    vmm_give_back_vcpu(vcpu);
    return NULL;
}

static int start_thread(struct vcpu *vcpu) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, HOST_STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int result = pthread_create(&thread, &attributes, thread_main, vcpu);
    pthread_attr_destroy(&attributes);
    return -result;
}

/* The child goes on where the parent's call returns, with its registers, a result of 0 and a
 * stack of its own. */
static int prepare_child(struct call *call, struct vcpu *child) {
    uint64_t flags = call->arguments[0], base = call->arguments[4];
    struct kvm_regs regs = *vcpu_regs(call->vcpu);
    regs.rax = 0;
    regs.rip = entry_return_rip(call->vcpu);
    regs.rsp = call->arguments[1];
    regs.rflags = regs.r11;
    if (!(flags & CLONE_SETTLS) && cpu_state_get_base(call->vcpu, false, &base) < 0)
        return -EINVAL;
    if (regs.rip >= USER_END_GVA || regs.rsp >= USER_END_GVA || base >= USER_END_GVA)
        return -EINVAL;
    return cpu_state_enter_user(child, &regs, base, NULL) < 0 ? -EAGAIN : 0;
}

static int64_t serve_clone(struct call *call) {
    const uint64_t needed = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    const uint64_t known = needed | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                           CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    uint64_t flags = call->arguments[0];
    /* Threads only: there is no second process. */
    if ((flags & needed) != needed || (flags & ~known) || call->arguments[1] == 0)
        return -EINVAL;
    struct vcpu *child = vmm_take_vcpu(call->vmm);
    if (!child)
        return -EAGAIN;
    uint32_t id = child->number + 1;
    int result = prepare_child(call, child);
    if (result == 0 && (flags & CLONE_PARENT_SETTID))
        result = call_copy_out(call, call->arguments[2], &id, sizeof(id));
    if (result == 0 && (flags & CLONE_CHILD_SETTID))
        result = call_copy_out(call, call->arguments[3], &id, sizeof(id));
    if (result == 0) {
        child->clear_tid_gva = flags & CLONE_CHILD_CLEARTID ? call->arguments[3] : 0;
        atomic_fetch_add(&call->vmm->threads, 1);
        result = start_thread(child);
        if (result < 0)
            atomic_fetch_sub(&call->vmm->threads, 1);
    }
    if (result < 0) {
        vmm_give_back_vcpu(child);
        return result;
    }
    return id;
}

static int64_t serve_exit(struct call *call) {
    struct vcpu *vcpu = call->vcpu;
    if (vcpu->clear_tid_gva)
        wake_joiners(call, vcpu->clear_tid_gva);
    if (atomic_fetch_sub(&call->vmm->threads, 1) == 1)
        vmm_exit(call->vmm, (int)call->arguments[0]);
    vcpu->ended = true;
    return 0;
}

static int64_t serve_exit_group(struct call *call) {
    vmm_exit(call->vmm, (int)call->arguments[0]);
}

static int64_t serve_futex(struct call *call) {
    uint64_t operation = call->arguments[1] & (uint64_t)FUTEX_CMD_MASK;
    uint64_t value = call->arguments[2];
    struct timespec timeout, *timeout_to = NULL;
    uint32_t *second = NULL;
    if (call->arguments[1] &
        ~(uint64_t)(FUTEX_CMD_MASK | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))
        return -ENOSYS;
    uint32_t *word = call->arguments[0] % 4 == 0
                         ? call_pointer(call, call->arguments[0], 4, PROT_READ | PROT_WRITE)
                         : NULL;
    if (!word)
        return call->arguments[0] % 4 ? -EINVAL : -EFAULT;
    switch (operation) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        if (call->arguments[3]) {
            if (call_copy_in(call, &timeout, call->arguments[3], sizeof(timeout)) < 0)
                return -EFAULT;
            timeout_to = &timeout;
        }
        break;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        break;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
        second = call->arguments[4] % 4 == 0
                     ? call_pointer(call, call->arguments[4], 4, PROT_READ | PROT_WRITE)
                     : NULL;
        if (!second)
            return -EFAULT;
        /* Here the fourth argument is a number. */
        timeout_to = (struct timespec *)(uintptr_t)call->arguments[3]; // NOLINT
        break;
    default:
        return -ENOSYS;
    }
    return call_result(syscall(SYS_futex, word, (int)call->arguments[1], (uint32_t)value,
                               timeout_to, second, (uint32_t)call->arguments[5]));
}

static int64_t serve_set_tid_address(struct call *call) {
    call->vcpu->clear_tid_gva = call->arguments[0];
    return call->vcpu->number + 1;
}

static int64_t serve_gettid(struct call *call) {
    return call->vcpu->number + 1;
}

static int64_t serve_sched_yield(struct call *call) {
    (void)call;
    return sched_yield();
}

/* A thread that dies while it holds a robust mutex takes the whole guest with it. */
static int64_t serve_set_robust_list(struct call *call) {
    (void)call;
    return 0;
}

static int64_t serve_sched_getaffinity(struct call *call) {
    const cpu_set_t *all = ring_poll_cpus(call->vmm);
    cpu_set_t cpus;
    uint64_t capacity = call->arguments[1];
    /* Of the calling thread, whichever it names: all have the same CPUs. */
    long bytes =
        syscall(SYS_sched_getaffinity, 0, capacity < sizeof(cpus) ? capacity : sizeof(cpus), &cpus);
    if (bytes < 0)
        return -errno;
    /* Where this thread keeps off one of them, that is ours to know. */
    if (all)
        memcpy(&cpus, all, (size_t)bytes);
    int result = call_copy_out(call, call->arguments[2], &cpus, (uint64_t)bytes);
    return result < 0 ? result : bytes;
}

static int64_t serve_getcpu(struct call *call) {
    unsigned cpu, node;
    if (syscall(SYS_getcpu, &cpu, &node, NULL) < 0)
        return -errno;
    if ((call->arguments[0] && call_copy_out(call, call->arguments[0], &cpu, sizeof(cpu)) < 0) ||
        (call->arguments[1] && call_copy_out(call, call->arguments[1], &node, sizeof(node)) < 0))
        return -EFAULT;
    return 0;
}

const struct call_entry thread_calls[] = {
    {SYS_clone, "clone", serve_clone},
    {SYS_exit, "exit", serve_exit},
    {SYS_exit_group, "exit_group", serve_exit_group},
    {SYS_futex, "futex", serve_futex},
    {SYS_set_tid_address, "set_tid_address", serve_set_tid_address},
    {SYS_gettid, "gettid", serve_gettid},
    {SYS_sched_yield, "sched_yield", serve_sched_yield},
    {SYS_set_robust_list, "set_robust_list", serve_set_robust_list},
    {SYS_sched_getaffinity, "sched_getaffinity", serve_sched_getaffinity},
    {SYS_getcpu, "getcpu", serve_getcpu},
    {0, NULL, NULL},
};
