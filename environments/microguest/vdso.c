// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs inside of the guest, in user mode: clock_gettime from the time stamp counter and the time
 * page. Linked alone into a small shared object (vdso.lds), which is part of the monitor as data.
 */
#include "environments/microguest/layout.h"
#include "environments/microguest/time_page.h"

#include <sys/syscall.h>
#include <time.h>

#define NS_A_SECOND UINT64_C(1000000000)

int __vdso_clock_gettime(clockid_t clock, struct timespec *time);

static inline uint64_t read_counter(void) {
    uint32_t low, high;
    /* Not before the loads that precede it (SDM volume 2, RDTSC). */
    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static int ask_host(clockid_t clock, struct timespec *time) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)SYS_clock_gettime), "D"((long)clock), "S"(time)
                     : "rcx", "r11", "memory");
    return (int)result;
}

int __vdso_clock_gettime(clockid_t clock, struct timespec *time) {
    const volatile struct time_page *page = (const volatile struct time_page *)TIME_GVA;
    if (!page->usable || (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME))
        return ask_host(clock, time);
    uint64_t ns;
    uint32_t sequence;
    do {
        sequence = page->sequence;
        __asm__ volatile("" ::: "memory");
        uint64_t tsc = read_counter(), base = page->base_tsc;
        /* Another CPU's counter may be a few ticks behind. */
        uint64_t ticks = tsc > base ? tsc - base : 0;
        ns = page->base_ns + (uint64_t)(((unsigned __int128)ticks * page->ns_per_tick_32) >> 32);
        if (clock == CLOCK_REALTIME)
            ns += page->realtime_offset_ns;
        __asm__ volatile("" ::: "memory");
    } while ((sequence & 1) || sequence != page->sequence);
    time->tv_sec = (time_t)(ns / NS_A_SECOND);
    time->tv_nsec = (long)(ns % NS_A_SECOND);
    return 0;
}
