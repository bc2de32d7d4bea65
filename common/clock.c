// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/clock.h"

#include <limits.h>
#include <time.h>

uint64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t monotonic_now_ns(struct clock *clock) {
    (void)clock;
    return monotonic_ns();
}

struct clock clock_monotonic = {.now_ns = monotonic_now_ns};

uint64_t deadline_after(uint64_t now_ns, uint64_t duration_ns) {
    return duration_ns > DEADLINE_NONE - now_ns ? DEADLINE_NONE : now_ns + duration_ns;
}

int deadline_poll_ms(uint64_t now_ns, uint64_t deadline_ns) {
    if (deadline_ns == DEADLINE_NONE)
        return -1;
    if (deadline_ns <= now_ns)
        return 0;
    uint64_t left_ns = deadline_ns - now_ns;
    uint64_t left_ms = left_ns / NS_PER_MS + (left_ns % NS_PER_MS != 0);
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

void clock_utc_text(char text[21]) {
    time_t now = time(NULL);
    struct tm broken_down;
    gmtime_r(&now, &broken_down);
    strftime(text, 21, "%Y-%m-%dT%H:%M:%SZ", &broken_down);
}
