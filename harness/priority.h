// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOXMARK_HARNESS_PRIORITY_H
#define BOXMARK_HARNESS_PRIORITY_H

/*
 * Lets the harness wake at once when a line arrives, though the workload keeps every CPU busy: it
 * sleeps almost always, and its stamps are the measurement. Real-time where the user may, else a
 * better nice value, else nothing. Children never inherit it. Returns what was got, in words.
 */
const char *priority_raise(void);

/* Back to normal, for what is no measurement. */
void priority_restore(void);

#endif
