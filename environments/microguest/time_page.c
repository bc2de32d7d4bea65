// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/time_page.h"

#include "common/clock.h"
#include "common/file.h"
#include "environments/microguest/cpu_state.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <x86intrin.h>

#define MSR_TSC 0x10u
#define UPDATE_NS (100 * NS_PER_MS)
/* How fast a difference to the host's clock is worked off: within this time. Never by a step. */
#define CATCH_UP_NS NS_PER_S
/* Shorter, the rate is KVM's figure; longer, what was seen is more exact. */
#define LONG_ENOUGH_NS (2 * NS_PER_S)

/* vdso.so, as data. */
__asm__(".pushsection .rodata\n"
        ".balign 4096\n"
        "vdso_image:\n"
        ".incbin \"environments/microguest/vdso.so\"\n"
        "vdso_image_end:\n"
        ".balign 8\n"
        ".popsection\n");
extern const uint8_t vdso_image[], vdso_image_end[];

int time_page_map(struct vmm *vmm) {
    size_t bytes = (size_t)(vdso_image_end - vdso_image);
    unsigned pages = (unsigned)(page_ceiling(bytes) / PAGE_BYTES);
    if (CONTROL_VDSO + pages > CONTROL_VDSO_END)
        return -ENOMEM;
    vmm->time = (struct time_page *)(void *)(vmm->memory.control + CONTROL_TIME * PAGE_BYTES);
    memcpy(vmm->memory.control + CONTROL_VDSO * PAGE_BYTES, vdso_image, bytes);
    if (paging_show_control(&vmm->memory.paging, TIME_GVA, CONTROL_TIME, false) < 0)
        return -ENOMEM;
    for (unsigned i = 0; i < pages; i++)
        if (paging_show_control(&vmm->memory.paging, VDSO_GVA + i * PAGE_BYTES, CONTROL_VDSO + i,
                                true) < 0)
            return -ENOMEM;
    vmm->sysinfo_gva = VDSO_GVA;
    return 0;
}

/* The counter and the clock at one moment: the closest of a few tries. */
static void take_pair(uint64_t *ret_tsc, uint64_t *ret_ns) {
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t before = __rdtsc(), ns = monotonic_ns(), after = __rdtsc();
        if (after - before < best) {
            best = after - before;
            *ret_tsc = before + best / 2;
            *ret_ns = ns;
        }
    }
}

/* The guest's counter is the host's and a constant, as KVM sets it up; read, not assumed. */
static bool find_offset(struct vcpu *vcpu, int64_t *ret_offset) {
    struct kvm_msr_entry counter = {.index = MSR_TSC};
#ifdef KVM_VCPU_TSC_CTRL
    /* No difference at all, where the kernel can do that (Linux 5.16). */
    uint64_t none = 0;
    struct kvm_device_attr attribute = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)&none};
    if (ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &attribute) == 0) {
        *ret_offset = 0;
        return true;
    }
#endif
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t before = __rdtsc();
        if (cpu_state_msrs(vcpu, false, &counter, 1) < 0)
            return false;
        uint64_t after = __rdtsc();
        if (after - before < best) {
            best = after - before;
            *ret_offset = (int64_t)(counter.data - (before + best / 2));
        }
    }
    return true;
}

static bool host_uses_counter(void) {
    cleanup_free char *source =
        file_read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    return source && strcmp(source, "tsc") == 0;
}

static uint64_t realtime_offset_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec - monotonic_ns();
}

void time_page_start(struct vcpu *vcpu) {
    struct time_page *page = vcpu->vmm->time;
    struct status *status = vcpu->vmm->status;
    int khz = ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);
    strcpy(status->time_source, "system call");
    if (khz <= 0 || !host_uses_counter() || !find_offset(vcpu, &page->tsc_offset))
        return;
    take_pair(&page->first_tsc, &page->first_ns);
    page->base_tsc = page->first_tsc + (uint64_t)page->tsc_offset;
    page->base_ns = page->first_ns;
    page->ns_per_tick_32 = (UINT64_C(1000000) << 32) / (uint64_t)khz;
    page->realtime_offset_ns = realtime_offset_ns();
    page->next_update_ns = page->first_ns + UPDATE_NS;
    page->usable = 1;
    strcpy(status->time_source, "tsc");
}

static uint64_t page_time(const struct time_page *page, uint64_t guest_tsc) {
    uint64_t ticks = guest_tsc > page->base_tsc ? guest_tsc - page->base_tsc : 0;
    return page->base_ns + (uint64_t)(((unsigned __int128)ticks * page->ns_per_tick_32) >> 32);
}

/* The page goes on from what it says now, at a rate that meets the host's clock a little later. */
static void adjust(struct time_page *page) {
    uint64_t tsc = 0, ns = 0;
    take_pair(&tsc, &ns);
    uint64_t guest_tsc = tsc + (uint64_t)page->tsc_offset;
    uint64_t said_ns = page_time(page, guest_tsc);
    double rate = (double)page->ns_per_tick_32 / 4294967296.0;
    if (ns - page->first_ns > LONG_ENOUGH_NS)
        rate = (double)(ns - page->first_ns) / (double)(tsc - page->first_tsc);
    double behind = (double)(int64_t)(ns - said_ns) / (double)CATCH_UP_NS;
    /* A clock that is far off (the machine was suspended) still only goes forward. */
    behind = behind > 0.5 ? 0.5 : behind < -0.5 ? -0.5 : behind;
    __atomic_store_n(&page->sequence, page->sequence + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    page->base_tsc = guest_tsc;
    page->base_ns = said_ns;
    page->ns_per_tick_32 = (uint64_t)(rate * (1 + behind) * 4294967296.0);
    page->realtime_offset_ns = realtime_offset_ns();
    __atomic_store_n(&page->sequence, page->sequence + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&page->next_update_ns, ns + UPDATE_NS, __ATOMIC_RELAXED);
}

void time_page_update(struct time_page *page) {
    if (!page->usable || monotonic_ns() < __atomic_load_n(&page->next_update_ns, __ATOMIC_RELAXED))
        return;
    if (__atomic_exchange_n(&page->lock, 1, __ATOMIC_ACQUIRE))
        return;
    adjust(page);
    __atomic_store_n(&page->lock, 0, __ATOMIC_RELEASE);
}
