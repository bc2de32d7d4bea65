// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Time without an exit: a page that says how to make CLOCK_MONOTONIC and CLOCK_REALTIME out of the
 * time stamp counter, and code that does it (vdso.c), found by the program's C library as Linux's
 * own vDSO is.
 */
#ifndef BOXMARK_MICROGUEST_TIME_PAGE_H
#define BOXMARK_MICROGUEST_TIME_PAGE_H

#include <stdint.h>

/* Read by the program: `sequence` is odd while the host writes. */
struct time_page {
    uint32_t sequence;
    uint32_t usable;
    uint64_t base_tsc, base_ns;  /* CLOCK_MONOTONIC at that count */
    uint64_t ns_per_tick_32;     /* times 2^32 */
    uint64_t realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
    /* The host's own notes. */
    uint64_t first_tsc, first_ns, next_update_ns;
    int64_t tsc_offset; /* guest's counter - host's */
    uint32_t lock;
};

struct vmm;
struct vcpu;

/* Maps page and code into the guest; sets vmm->sysinfo_gva. -ENOMEM. */
int time_page_map(struct vmm *vmm);

/* Makes the page usable, if this machine's counter is; the first virtual CPU exists. */
void time_page_start(struct vcpu *vcpu);

/* Keeps it in step with the host's clock; called often, does little. */
void time_page_update(struct time_page *page);

#endif
