// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/syscalls.h"

#include "common/clock.h"
#include "environments/microguest/entry.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define NUMBERS_MAX 512u

static const struct call_entry *const tables[] = {
    memory_calls, file_calls, path_calls, thread_calls, process_calls, time_calls, ring_calls};

/* By number: 0, or one more than the index of the entry in the status page and in `entries`. */
static uint8_t indexes[NUMBERS_MAX];
static const struct call_entry *entries[STATUS_CALLS_MAX];

/* Their time is mostly waiting: for a request, for another thread, for the time to pass. */
static bool call_waits(unsigned number) {
    return number == SYS_poll || number == SYS_futex || number == SYS_nanosleep ||
           number == SYS_clock_nanosleep;
}

void syscalls_init(struct vmm *vmm) {
    unsigned count = 0;
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        for (const struct call_entry *entry = tables[i]; entry->name; entry++) {
            if (count == STATUS_CALLS_MAX || entry->number >= NUMBERS_MAX)
                continue;
            strncpy(vmm->status->calls[count].name, entry->name,
                    sizeof(vmm->status->calls[count].name) - 1);
            vmm->status->calls[count].waits = call_waits(entry->number);
            entries[count] = entry;
            indexes[entry->number] = (uint8_t)++count;
        }
}

enum status_exit syscalls_serve(struct vcpu *vcpu) {
    struct vmm *vmm = vcpu->vmm;
    struct status *status = vmm->status;
    const struct kvm_regs *regs = vcpu_regs(vcpu);
    uint64_t number = regs->rax;
    unsigned index = number < NUMBERS_MAX ? indexes[number] : 0;
    if (index == 0) {
        atomic_fetch_add(&status->refused_calls, 1);
        atomic_store(&status->refused_last, (uint32_t)number);
        entry_return(vcpu, -ENOSYS);
        return STATUS_EXIT_SYSCALL;
    }
    struct call call = {
        .vcpu = vcpu,
        .vmm = vmm,
        .arguments = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9},
    };
    struct status_cpu *cpu = &status->cpus[vcpu->number];
    uint64_t start_ns = monotonic_ns();
    atomic_store_explicit(&cpu->call, index - 1, memory_order_relaxed);
    atomic_store_explicit(&cpu->since_ns, start_ns, memory_order_relaxed);
    atomic_store_explicit(&cpu->state, CPU_IN_CALL, memory_order_release);
    int64_t result = entries[index - 1]->serve(&call);
    struct status_count *spent = &status->calls[index - 1].spent;
    atomic_fetch_add_explicit(&spent->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&spent->ns, monotonic_ns() - start_ns, memory_order_relaxed);
    entry_return(vcpu, result);
    return status->calls[index - 1].waits ? STATUS_EXIT_WAIT : STATUS_EXIT_SYSCALL;
}

void *call_pointer(struct call *call, uint64_t gva, uint64_t bytes, int prot) {
    return memory_pointer(&call->vmm->memory, gva, bytes, prot);
}

int call_copy_in(struct call *call, void *to, uint64_t gva, uint64_t bytes) {
    const void *from = call_pointer(call, gva, bytes, PROT_READ);
    if (!from)
        return -EFAULT;
    memcpy(to, from, bytes);
    return 0;
}

int call_copy_out(struct call *call, uint64_t gva, const void *from, uint64_t bytes) {
    void *to = call_pointer(call, gva, bytes, PROT_WRITE);
    if (!to)
        return -EFAULT;
    memcpy(to, from, bytes);
    return 0;
}

int call_copy_text(struct call *call, char *to, uint64_t gva, size_t capacity) {
    size_t length = 0;
    while (length < capacity) {
        /* To the end of the page: the next one may not be there. */
        uint64_t bytes = PAGE_BYTES - (gva + length) % PAGE_BYTES;
        if (bytes > capacity - length)
            bytes = capacity - length;
        const char *from = call_pointer(call, gva + length, bytes, PROT_READ);
        if (!from)
            return -EFAULT;
        memcpy(to + length, from, bytes);
        const char *end = memchr(to + length, '\0', bytes);
        if (end)
            return (int)(end - to);
        length += bytes;
    }
    return -ENAMETOOLONG;
}
