// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/priority.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#define NICE_RAISED (-10)

const char *priority_raise(void) {
    /* Reset on fork: what the harness starts begins as any other process (sched(7)). */
    struct sched_param lowest = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) == 0)
        return "real-time";
    struct sched_param none = {.sched_priority = 0};
    if (sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none) == 0 &&
        setpriority(PRIO_PROCESS, 0, NICE_RAISED) == 0)
        return "nice";
    return "normal";
}

void priority_restore(void) {
    struct sched_param none = {.sched_priority = 0};
    int saved_errno = errno;
    (void)sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
    if (getpriority(PRIO_PROCESS, 0) < 0)
        (void)setpriority(PRIO_PROCESS, 0, 0);
    errno = saved_errno;
}
