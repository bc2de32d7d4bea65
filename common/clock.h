// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Clocks. Everything that is compared across environments is read from CLOCK_MONOTONIC of the host.
 * The clock is a struct of functions so that the mock environment can run on a fake one.
 */
#ifndef BOXMARK_COMMON_CLOCK_H
#define BOXMARK_COMMON_CLOCK_H

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* Never: the deadline that does not pass. */
#define DEADLINE_NONE UINT64_MAX

struct clock {
    uint64_t (*now_ns)(struct clock *clock);
};

/* CLOCK_MONOTONIC, as a plain function and as a struct clock. */
uint64_t monotonic_ns(void);
extern struct clock clock_monotonic;

static inline uint64_t clock_now_ns(struct clock *clock) {
    return clock->now_ns(clock);
}

/* now + duration, saturating at DEADLINE_NONE. */
uint64_t deadline_after(uint64_t now_ns, uint64_t duration_ns);

/* Milliseconds until the deadline for poll(2): rounded up, 0 when passed, -1 for DEADLINE_NONE. */
int deadline_poll_ms(uint64_t now_ns, uint64_t deadline_ns);

/* ISO 8601 in UTC, "2026-01-31T12:00:00Z"; `text` holds at least 21 bytes. */
void clock_utc_text(char text[21]);

#endif
