// SPDX-License-Identifier: GPL-3.0-or-later
/* --probe: can this machine run such guests, and does user mode run natively? */
#ifndef BOXMARK_MICROGUEST_PROBE_GUEST_H
#define BOXMARK_MICROGUEST_PROBE_GUEST_H

/*
 * Measures, and writes lines KEY=VALUE to standard output: `guest_steps_per_s`, `host_steps_per_s`,
 * `entry`, `time`; or `reason` (and `advice`) when it cannot run at all, which is an
 * answer too. Returns an exit status.
 */
int probe_guest_main(void);

#endif
