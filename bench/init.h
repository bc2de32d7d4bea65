// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The agent as /init of a guest: everything that a guest's user space has to do besides working.
 *
 * Order, all before the agent's hello, so that "ready" means the same as elsewhere (its data
 * folder can be used): announce on the console, mount /proc, /sys, /dev, load the modules of
 * /modules/order, set the huge page mode, open the channel, mount the data disk. The work is done
 * by a child: process 1 only waits, so that an agent that dies (or is killed for want of memory) is
 * named on the console and the guest ends in an orderly way instead of a kernel panic.
 */
#ifndef BOXMARK_BENCH_INIT_H
#define BOXMARK_BENCH_INIT_H

#include "bench/port.h"

/* Every line of process 1 on the console begins so. */
#define INIT_CONSOLE_PREFIX "boxmark-init: "
/* The first of them, written as soon as the program was entered. */
#define INIT_STARTED INIT_CONSOLE_PREFIX "started\n"

/* Written when a shell begins to listen. */
#define INIT_SHELL INIT_CONSOLE_PREFIX "a shell\n"

enum init_end {
    INIT_END_RESET,     /* restart the machine: ends QEMU with -no-reboot on any machine type */
    INIT_END_POWER_OFF, /* for guests that would start again */
};

struct init_options {
    const char *channel;     /* as port_open takes it */
    const char *data_device; /* block device with an ext4 file system; NULL: no data disk */
    const char *data_folder; /* where it is mounted */
    enum init_end end;
    const char *shell; /* terminal for a shell instead of the agent; or NULL */
    const char *box;   /* settings for boxmark-box, a container around either; or NULL */
};

/* Makes the host see that user space was entered. To be called first of all. */
void init_announce(void);

/*
 * Sets the guest up and forks. Returns in the child only, with the channel; process 1 stays
 * inside, waits and ends the guest. What goes wrong is said on the console and ends the guest.
 */
void init_start(const struct init_options *options, struct port *ret_port);

#endif
