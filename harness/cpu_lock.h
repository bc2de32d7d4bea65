// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One run at a time on a CPU: two would measure each other. Runs on disjoint CPUs go side by side.
 * A file for each CPU in $BOXMARK_LOCKS, else in /run/lock, else in /tmp; where locks cannot be had
 * there are none.
 */
#ifndef BOXMARK_HARNESS_CPU_LOCK_H
#define BOXMARK_HARNESS_CPU_LOCK_H

#include "environments/envelope.h"

struct cpu_locks;

/*
 * All CPUs of the envelope, or none: ERROR_UNAVAILABLE names who has them. Looks again until
 * `wait_ns` have passed; `say` (may be NULL) is told once that it waits, and for whom.
 */
int cpu_locks_take(const struct envelope *envelope, uint64_t wait_ns, int cancel_fd,
                   void (*say)(void *cookie, const char *text), void *cookie,
                   struct cpu_locks **ret_locks, struct error **err);

struct cpu_locks *cpu_locks_release(struct cpu_locks *locks);

/* Removes the files of killed runs, which nobody holds any more; how many. They do no harm. */
unsigned cpu_locks_remove_leftovers(void);

#endif
