// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where things are in the guest. It has no kernel, so this is all there is.
 *
 * Guest-physical: "control" memory (stubs, descriptor tables, page tables) from 0, which no user
 * page ever maps writable; right behind it the arena, which is all that the program can have. The
 * two are one piece of the host's memory, so that one slot makes both the guest's: each slot costs
 * the start-up time. The last GiB below 4 GiB stays empty: KVM keeps pages of its own there
 * (KVM_SET_TSS_ADDR).
 *
 * Guest-virtual: an address of the program is an arena offset plus a constant, so that what is one
 * piece for the guest is one piece for the host, and a buffer can be handed to a system call as it
 * is. Everything lies in the lower half and below 512 GiB: one third-level table serves all.
 */
#ifndef BOXMARK_MICROGUEST_LAYOUT_H
#define BOXMARK_MICROGUEST_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_BYTES UINT64_C(4096)
#define LARGE_PAGE_BYTES (UINT64_C(2) << 20)
#define MIB_BYTES (UINT64_C(1) << 20)
#define GIB_BYTES (UINT64_C(1) << 30)

/* More threads than any envelope has CPUs; each takes one page of control memory. */
#define VCPUS_MAX 128u

/* Pages of control memory. */
enum control_page {
    CONTROL_STUBS = 1, /* page 0 stays unused */
    CONTROL_IDT,
    /* Two top-level tables with the same content: loading the other one flushes the TLB. */
    CONTROL_TOP,
    CONTROL_TOP_OTHER,
    CONTROL_TIME,
    CONTROL_VDSO,
    CONTROL_VDSO_END = CONTROL_VDSO + 4,
    CONTROL_VCPUS = 16,
    CONTROL_TABLES = CONTROL_VCPUS + VCPUS_MAX, /* from here: page tables */
};

#define HOLE_GPA (3 * GIB_BYTES)
#define HOLE_BYTES GIB_BYTES
#define TSS_GPA UINT64_C(0xfffbd000)          /* three pages in the hole, for KVM on VMX */
#define IDENTITY_MAP_GPA UINT64_C(0xfffbc000) /* one page, likewise */

/* Arena: the image and its heap, then everything else (stacks, mmap). */
#define LOW_GVA UINT64_C(0x400000)
#define LOW_BYTES (48 * MIB_BYTES)
#define HIGH_GVA UINT64_C(0x1000000000)
#define ARENA_MAX_BYTES (256 * GIB_BYTES)
#define FIRST_SLOT_BYTES (64 * MIB_BYTES)

#define VDSO_GVA UINT64_C(0x7f80000000)
#define TIME_GVA (VDSO_GVA - PAGE_BYTES)
#define SUPERVISOR_GVA UINT64_C(0x7fc0000000) /* control page n is at n pages from here */

/* The highest address that a program may return to (canonical lower half, less a guard page). */
#define USER_END_GVA UINT64_C(0x7ffffffff000)

static inline uint64_t control_gva(unsigned page) {
    return SUPERVISOR_GVA + page * PAGE_BYTES;
}

/* Of a place in control memory and arena together. */
static inline uint64_t place_gpa(uint64_t place) {
    return place < HOLE_GPA ? place : place + HOLE_BYTES;
}

/* The arena offset of a program's address; false where the program can have none. */
static inline bool arena_offset(uint64_t gva, uint64_t arena_bytes, uint64_t *ret_offset) {
    if (gva >= LOW_GVA && gva < LOW_GVA + LOW_BYTES) {
        *ret_offset = gva - LOW_GVA;
        return true;
    }
    if (gva >= HIGH_GVA + LOW_BYTES && gva < HIGH_GVA + arena_bytes) {
        *ret_offset = gva - HIGH_GVA;
        return true;
    }
    return false;
}

static inline uint64_t page_floor(uint64_t value) {
    return value & ~(PAGE_BYTES - 1);
}

static inline uint64_t page_ceiling(uint64_t value) {
    return page_floor(value + PAGE_BYTES - 1);
}

#endif
