// SPDX-License-Identifier: GPL-3.0-or-later
/* The rate of the host's time stamp counter, which guests under software emulation see as theirs.
 */
#ifndef BOXMARK_ENVIRONMENTS_VM_HOST_TSC_H
#define BOXMARK_ENVIRONMENTS_VM_HOST_TSC_H

/*
 * Measured against CLOCK_MONOTONIC to a few millionths, in some 40 ms. 0 where there is no such
 * counter or where its rate changes.
 */
unsigned host_tsc_khz(void);

#endif
