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

#include <liburing.h>
#include <pthread.h>
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
    bool polled; /* the program is told that it need not call: somebody looks (ring_poll.h), */
    bool sleeps; /* and that it must for now: that one sleeps */
    struct ring_request slots[RING_ENTRIES_MAX];
};

/* Asks the host for a ring; where it gives none, the program gets none. Before the sandbox. */
void ring_make(struct ring *ring);

/* What the calls do, with the lock held. Results are theirs, or -errno. */
int64_t ring_set_up(struct vmm *vmm, uint64_t entries, struct io_uring_params *params);
int64_t ring_map(struct vmm *vmm, uint64_t offset, uint64_t bytes, int prot);
int64_t ring_enter(struct vmm *vmm, unsigned to_submit, unsigned min_complete, unsigned flags);

/* Whether a call with these flags can be served: 0 or -errno. */
int ring_check(struct vmm *vmm, unsigned flags);

/* The program has closed it: waits for what is under way. */
void ring_close(struct vmm *vmm);

/* For who looks without being called, with the lock held. */

/* Takes what requests have room to complete, submits them, gives back what has ended; true where
 * there was anything. Adds to *ended. */
bool ring_advance(struct vmm *vmm, unsigned *ended);

/* Gives back what has ended; true where there was any, or where there are requests to take. */
bool ring_lags(struct vmm *vmm);

/* Tells the program whether it must call. */
void ring_sleeps(struct vmm *vmm, bool sleeps);

/* The operations that the program can ask for. */
bool ring_serves(unsigned operation);

#endif
