// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the virtual machine monitor tells of itself while it runs, in a page shared with the
 * harness: how it stands, what its exits cost, its last words. The harness only reads, and trusts
 * none of it further than a string of bounded length.
 */
#ifndef BOXMARK_MICROGUEST_STATUS_H
#define BOXMARK_MICROGUEST_STATUS_H

#include "environments/microguest/layout.h"

#include <stdatomic.h>
#include <stdint.h>

#define STATUS_VERSION 2u
#define STATUS_CALLS_MAX 128u
#define STATUS_ENGINE_MAX 64u
#define STATUS_WORDS_BYTES 256u

/* Exit statuses of the monitor; below these: the program's own. */
enum monitor_exit {
    MONITOR_EXIT_REFUSED = 120, /* it never started: usage, a foreign executable, no KVM */
    MONITOR_EXIT_FAILED = 121,  /* KVM or the host failed */
    MONITOR_EXIT_FAULT = 122,   /* the program did what it may not: named */
    MONITOR_EXIT_TIME = 123,    /* its time limit passed */
    MONITOR_EXIT_SIGNAL = 124,  /* the program raised a signal that ends it (abort) */
};

/* Why the processor left the guest. */
enum status_exit {
    STATUS_EXIT_SYSCALL,
    STATUS_EXIT_WAIT,       /* a system call whose time is the program's waiting */
    STATUS_EXIT_PAGE_FAULT, /* looked at again: a translation was out of date */
    STATUS_EXIT_FAULT,
    STATUS_EXIT_SIGNAL, /* the host interrupted it */
    STATUS_EXIT_MEMORY, /* the host's memory behind was being changed */
    STATUS_EXITS,
};

struct status_count {
    _Atomic uint64_t count;
    _Atomic uint64_t ns; /* outside the guest because of it, until entered again */
};

enum status_cpu_state { CPU_UNUSED, CPU_IN_GUEST, CPU_IN_CALL };

struct status_cpu {
    _Atomic uint32_t state;
    _Atomic uint32_t call; /* index in calls */
    _Atomic uint64_t since_ns;
};

struct status {
    uint32_t version;
    uint32_t watched;            /* by the harness, which tells the words */
    _Atomic uint64_t alive_ns;   /* CLOCK_MONOTONIC: its main function began */
    _Atomic uint64_t entered_ns; /* first entry of the guest */
    _Atomic uint64_t memory_bytes;
    _Atomic uint64_t exit_ns; /* the least time from one exit's end to the next exit */
    _Atomic uint64_t polled_requests, poll_misses; /* ring_poll.h */
    char entry[32];                                /* how system calls leave the guest */
    char time_source[32];                          /* "tsc" or "system call" */
    struct status_count exits[STATUS_EXITS];
    struct {
        char name[20];
        uint32_t waits; /* its time is the program's waiting, not what the call costs */
        struct status_count spent;
    } calls[STATUS_CALLS_MAX];
    _Atomic uint64_t refused_calls; /* not in the table: ENOSYS */
    _Atomic uint32_t refused_last;  /* the number of the last one */
    _Atomic uint32_t engine_count;
    struct {
        char name[48];
        _Atomic uint64_t value;
    } engine[STATUS_ENGINE_MAX]; /* what KVM counts (kvm_stats.h) */
    struct status_cpu cpus[VCPUS_MAX];
    _Atomic uint32_t ended; /* set before the words are written */
    char words[STATUS_WORDS_BYTES];
};

#endif
