// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A thread that serves the program's ring without exits, as a submission queue thread of io_uring
 * does (IORING_SETUP_SQPOLL), and as an I/O thread of a virtual machine polls its queues. The
 * program sees from its ring's flags that it has one: it then leaves requests in the ring, watches
 * for completions, and makes a call only where the thread sleeps or does not come.
 *
 * It is of use where leaving the guest is dear and a CPU of the envelope has nothing to do; it
 * spends that CPU's time, which is counted as the environment's. Where it does not get the CPU in
 * time, it rests, and requests leave by calls; each time for longer.
 */
#ifndef BOXMARK_MICROGUEST_RING_POLL_H
#define BOXMARK_MICROGUEST_RING_POLL_H

#include "environments/microguest/interrupts.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vmm;

enum ring_polling { RING_POLLING_AUTO, RING_POLLING_ON, RING_POLLING_OFF };

/* The thread; but for `awake` and its own delay_fd, under the ring's lock. */
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

/* Functions with the ring's lock held. */

/* Whether the ring that was set up is polled from now on. At first requests are called for, which
 * shows which CPU is the one to poll on. */
bool ring_poll_begin(struct vmm *vmm);

/* io_uring_enter for a ring that is polled: ring_enter, where nobody else will look at it. */
int64_t ring_poll_enter(struct vmm *vmm, unsigned to_submit, unsigned min_complete, unsigned flags);

/* The program has closed its ring, polled or not. */
void ring_poll_close(struct vmm *vmm);

/* Functions without: a new thread has all CPUs, as the process has; these, or NULL: as the kernel
 * says.
 */
void ring_poll_start_thread(struct vmm *vmm);
const cpu_set_t *ring_poll_cpus(const struct vmm *vmm);

#endif
