// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A preloaded library whose clocks misbehave. CLOCKS=back: the time of day goes backwards by an
 * hour at every look. CLOCKS=suspend: the machine was suspended for a minute between any two looks
 * at CLOCK_BOOTTIME.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int mode_is(const char *name) {
    const char *mode = getenv("CLOCKS");
    return mode && strcmp(mode, name) == 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret_time) {
    static long back_s, ahead_s;
    int result = (int)syscall(SYS_clock_gettime, clock, ret_time);
    if (clock == CLOCK_REALTIME && mode_is("back"))
        ret_time->tv_sec -= back_s += 3600;
    if (clock == CLOCK_BOOTTIME && mode_is("suspend"))
        ret_time->tv_sec += ahead_s += 60;
    return result;
}

time_t time(time_t *ret_time) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret_time)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}
