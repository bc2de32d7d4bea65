// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/probe_guest.h"

#include "common/clock.h"
#include "environments/microguest/cpu_state.h"
#include "environments/microguest/entry.h"
#include "environments/microguest/time_page.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* An emulator is a thousand times slower: few steps tell, and more would take long. */
#define FEW_STEPS UINT32_C(10000)
#define FEW_STEPS_ARE_SLOW_NS (1 * NS_PER_MS)
/* Natively some 0.3 ms, so that most rounds are over before another task gets the CPU. */
#define MANY_STEPS UINT32_C(1000000)
#define ROUNDS 24

/* In user mode: count down, then a system call. */
static const uint8_t code[] = {
    0xff, 0xc9, /* 1: dec %ecx */
    0x75, 0xfc, /*    jnz 1b */
    0x0f, 0x05, /*    syscall */
    0xeb, 0xf8, /*    jmp 1b */
};
/* SYSCALL overwrites RCX: the next round starts where it returns to. */

static uint64_t count_on_host(uint32_t steps) {
    uint64_t start_ns = monotonic_ns();
    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(steps) : : "cc");
    return monotonic_ns() - start_ns;
}

static int count_in_guest(struct vcpu *vcpu, uint64_t gva, uint32_t steps, uint64_t *ret_ns,
                          struct error **err) {
    struct fault fault;
    const struct kvm_regs regs = {.rip = gva, .rcx = steps};
    if (cpu_state_enter_user(vcpu, &regs, 0, err) < 0)
        return -1;
    uint64_t start_ns = monotonic_ns();
    int result;
    do
        result = ioctl(vcpu->fd, KVM_RUN, 0);
    while (result < 0 && errno == EINTR);
    *ret_ns = monotonic_ns() - start_ns;
    if (result < 0)
        return error_set(err, ERROR_UNAVAILABLE, errno, "KVM cannot run a guest in user mode");
    if (vcpu->run->exit_reason != KVM_EXIT_HLT)
        return error_set(err, ERROR_UNAVAILABLE, 0,
                         "a guest in user mode stopped with exit reason %u",
                         vcpu->run->exit_reason);
    if (entry_decode(vcpu, &fault) != ENTRY_EVENT_CALL) {
        char text[160];
        entry_describe_fault(&fault, text);
        return error_set(err, ERROR_UNAVAILABLE, 0, "a system call did not leave the guest: %s",
                         text);
    }
    return 0;
}

static double rate(uint32_t steps, uint64_t ns) {
    return (double)steps * 1e9 / (double)(ns ? ns : 1);
}

static int measure(struct vmm *vmm, struct error **err) {
    struct vcpu *vcpu = vmm_take_vcpu(vmm);
    if (!vcpu)
        return error_set(err, ERROR_UNAVAILABLE, errno, "cannot make a virtual CPU");
    if (time_page_map(vmm) < 0)
        return error_no_memory(err);
    time_page_start(vcpu);
    int64_t gva = memory_map(&vmm->memory, LOW_GVA, PAGE_BYTES, PROT_READ | PROT_EXEC, true, false);
    if (gva < 0)
        return error_no_memory(err);
    memcpy(memory_host(&vmm->memory, LOW_GVA, PAGE_BYTES), code, sizeof(code));
    uint64_t ns;
    /* The first entry pays for page faults; its time is not looked at. */
    if (count_in_guest(vcpu, LOW_GVA, 100, &ns, err) < 0 ||
        count_in_guest(vcpu, LOW_GVA, FEW_STEPS, &ns, err) < 0)
        return -1;
    uint32_t steps = ns < FEW_STEPS_ARE_SLOW_NS ? MANY_STEPS : FEW_STEPS;
    unsigned rounds = steps == MANY_STEPS ? ROUNDS : 2;
    uint64_t least_ns = UINT64_MAX, least_around_ns = UINT64_MAX;
    double host = 0;
    /* The best of each: what disturbs a loop only ever slows it down. Entering and leaving, which
     * may cost as much as the loop, is timed by a short one and taken off. */
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t around_ns;
        if (count_in_guest(vcpu, LOW_GVA, 1, &around_ns, err) < 0 ||
            count_in_guest(vcpu, LOW_GVA, steps, &ns, err) < 0)
            return -1;
        least_around_ns = around_ns < least_around_ns ? around_ns : least_around_ns;
        double on_host = rate(MANY_STEPS, count_on_host(MANY_STEPS));
        least_ns = ns < least_ns ? ns : least_ns;
        host = on_host > host ? on_host : host;
    }
    double guest = rate(steps, least_ns > least_around_ns ? least_ns - least_around_ns : least_ns);
    printf("guest_steps_per_s=%.0f\nhost_steps_per_s=%.0f\nentry=%s\ntime=%s\n", guest, host,
           vmm->status->entry, vmm->status->time_source);
    return 0;
}

int probe_guest_main(void) {
    static struct vmm vmm;
    static struct status status;
    cleanup_error struct error *err = NULL;
    const struct vmm_options options = {LARGE_PAGE_BYTES, 1, -1};
    if (vmm_create(&vmm, &options, &status, &err) == 0 && measure(&vmm, &err) == 0)
        return 0;
    printf("reason=%s\n", error_message(err));
    if (err->advice)
        printf("advice=%s\n", err->advice);
    return 0;
}
