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

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct vmm;

enum ring_polling { RING_POLLING_AUTO, RING_POLLING_ON, RING_POLLING_OFF };

/* Whether the ring that is being set up is to be polled. At first requests are called for, which
 * shows which CPU is the one to poll on. Functions with the ring's lock held: */
bool ring_poll_begin(struct vmm *vmm);

/* The program called for so many requests. */
void ring_poll_called(struct vmm *vmm, unsigned requests);

/* To work, unless it rests or has not found its CPU; `must`: even then. False: it does not. Where
 * it waits for the host it comes when something ends, or a little later. */
bool ring_poll_wake(struct vmm *vmm, bool must);

/* It did not come in time. */
void ring_poll_missed(struct vmm *vmm);

/* The ring is closed. */
void ring_poll_end(struct vmm *vmm);

/* And without: a new thread has all CPUs, as the process has; these, or NULL: as the kernel says.
 */
void ring_poll_start_thread(struct vmm *vmm);
const cpu_set_t *ring_poll_cpus(const struct vmm *vmm);

#endif
