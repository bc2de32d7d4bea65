// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * An io_uring for the program. What it maps as its ring is its own memory; a ring of the host's is
 * the monitor's alone. With each call requests are copied from the one to the other, checked and
 * translated on the way, and what has ended is copied back: the kernel never looks at a request
 * that the program could still change, and the program never sees the kernel's ring.
 *
 * Requests are reads and writes of files in the data folder; the host's ring was restricted to
 * these when it was made (IORING_REGISTER_RESTRICTIONS), so that it offers a monitor that was taken
 * over nothing that the filter of system calls denies.
 */
#ifndef BOXMARK_MICROGUEST_RING_H
#define BOXMARK_MICROGUEST_RING_H

#include "environments/microguest/interrupts.h"
#include "environments/microguest/ring_poll.h"

#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct descriptor;
struct vmm;

#define RING_ENTRIES_MAX 256u

struct ring_request {
    struct descriptor *descriptor; /* held while it is under way; NULL: not in use */
    uint64_t user_data;
};

/* The thread of ring_poll.h; but for `awake` and its own delay_fd, under the ring's lock. */
struct ring_poller {
    bool started;
    cpu_set_t cpus;         /* that this process has; once known, they stay */
    int cpu;                /* and which of them is the thread's */
    bool settles, settled;  /* it is to find out which one, and has */
    _Atomic uint32_t awake; /* a futex; 0: it sleeps */
    uint64_t moved_ns;      /* when it last had something to do */
    uint64_t rest_ns, rest_until_ns;
    unsigned trusted, unchecked, to_probe;
    struct interrupts interrupts; /* when the ring was set up */
    int delay_fd;
    uint64_t delay_ns, checked_ns;
};

struct ring {
    pthread_mutex_t lock;
    _Atomic unsigned wanted; /* calls that wait for the lock */
    bool made;               /* the host gave us one */
    struct io_uring host;
    /* The program's. One at a time; 0 entries: none. */
    unsigned entries, completions;
    uint64_t rings_gva, requests_gva; /* 0: not mapped yet */
    /* Where we are in its ring: what the program's memory says of this is not believed. */
    unsigned request_head, completion_tail;
    unsigned under_way;
    bool polled; /* the program was told that it need not call */
    bool sleeps; /* and that it must for now; the poller's */
    struct ring_poller poller;
    struct ring_request slots[RING_ENTRIES_MAX];
};

/* Asks the host for a ring; where it gives none, the program gets none. Before the sandbox. */
void ring_make(struct ring *ring);

/* What the calls do, with the lock held. Results are theirs, or -errno. */
int64_t ring_set_up(struct vmm *vmm, uint64_t entries, struct io_uring_params *params);
int64_t ring_map(struct vmm *vmm, uint64_t offset, uint64_t bytes, int prot);
int64_t ring_enter(struct vmm *vmm, unsigned to_submit, unsigned min_complete, unsigned flags);

/* For the thread that polls. Takes what requests have room to complete, submits them, gives back
 * what has ended; true where there was anything. Adds to *ended. Lock held, as for the next one. */
bool ring_advance(struct vmm *vmm, unsigned *ended);

/* Tells the program whether it must call. */
void ring_sleeps(struct vmm *vmm, bool sleeps);

/* The program has closed it: waits for what is under way. */
void ring_close(struct vmm *vmm);

/* The operations that the program can ask for. */
bool ring_serves(unsigned operation);

#endif
