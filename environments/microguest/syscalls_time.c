// SPDX-License-Identifier: GPL-3.0-or-later
/* Clocks and waiting. The clocks that matter are read without an exit (time_page.h). */
#include "environments/microguest/syscalls.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

/* Clocks that belong to the machine, this process or this thread; not those of other processes,
 * whose numbers are negative, nor of devices. */
static bool is_known_clock(uint64_t clock) {
    return clock <= CLOCK_BOOTTIME;
}

static int64_t serve_clock_gettime(struct call *call) {
    struct timespec now;
    if (!is_known_clock(call->arguments[0]))
        return -EINVAL;
    if (clock_gettime((clockid_t)call->arguments[0], &now) < 0)
        return -errno;
    return call_copy_out(call, call->arguments[1], &now, sizeof(now));
}

static int64_t serve_clock_getres(struct call *call) {
    struct timespec resolution;
    if (!is_known_clock(call->arguments[0]))
        return -EINVAL;
    if (clock_getres((clockid_t)call->arguments[0], &resolution) < 0)
        return -errno;
    return call->arguments[1]
               ? call_copy_out(call, call->arguments[1], &resolution, sizeof(resolution))
               : 0;
}

static int64_t serve_gettimeofday(struct call *call) {
    struct timeval now;
    gettimeofday(&now, NULL);
    return call_copy_out(call, call->arguments[0], &now, sizeof(now));
}

static int64_t serve_time(struct call *call) {
    time_t now = time(NULL);
    int result =
        call->arguments[0] ? call_copy_out(call, call->arguments[0], &now, sizeof(now)) : 0;
    return result < 0 ? result : now;
}

static int64_t sleep_on(struct call *call, clockid_t clock, int flags, uint64_t duration_gva,
                        uint64_t left_gva) {
    struct timespec duration, left = {0};
    int result = call_copy_in(call, &duration, duration_gva, sizeof(duration));
    if (result < 0)
        return result;
    result = -clock_nanosleep(clock, flags, &duration, &left);
    if (result == -EINTR && left_gva && !(flags & TIMER_ABSTIME) &&
        call_copy_out(call, left_gva, &left, sizeof(left)) < 0)
        return -EFAULT;
    return result;
}

static int64_t serve_nanosleep(struct call *call) {
    return sleep_on(call, CLOCK_MONOTONIC, 0, call->arguments[0], call->arguments[1]);
}

static int64_t serve_clock_nanosleep(struct call *call) {
    uint64_t clock = call->arguments[0];
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME)
        return -EINVAL;
    return sleep_on(call, (clockid_t)clock, call->arguments[1] ? TIMER_ABSTIME : 0,
                    call->arguments[2], call->arguments[3]);
}

const struct call_entry time_calls[] = {
    {SYS_clock_gettime, "clock_gettime", serve_clock_gettime},
    {SYS_clock_getres, "clock_getres", serve_clock_getres},
    {SYS_gettimeofday, "gettimeofday", serve_gettimeofday},
    {SYS_time, "time", serve_time},
    {SYS_nanosleep, "nanosleep", serve_nanosleep},
    {SYS_clock_nanosleep, "clock_nanosleep", serve_clock_nanosleep},
    {0, NULL, NULL},
};
