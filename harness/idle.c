// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/idle.h"

#include <poll.h>

/* Dirty pages of the work before, and timers that fire once more. */
#define SETTLE_NS (100 * NS_PER_MS)
#define WINDOW_NS (400 * NS_PER_MS)

static bool wait_ns(const struct environment_setup *setup, uint64_t duration_ns) {
    uint64_t now_ns = monotonic_ns(), deadline_ns = deadline_after(now_ns, duration_ns);
    for (; now_ns < deadline_ns; now_ns = monotonic_ns()) {
        struct pollfd cancel = {.fd = setup->cancel_fd, .events = POLLIN};
        if (poll(&cancel, 1, deadline_poll_ms(now_ns, deadline_ns)) > 0)
            return false;
    }
    return true;
}

static uint64_t cpu_ns(struct instance *instance) {
    struct footprint footprint = {0};
    if (instance->environment->ops->footprint(instance, &footprint, NULL) < 0)
        return FOOTPRINT_UNKNOWN;
    return footprint.cpu_ns;
}

void idle_measure(struct instance *instance, json_t *footprint) {
    const struct environment *environment = instance->environment;
    if (environment->ops->clock || !wait_ns(environment->setup, SETTLE_NS))
        return;
    uint64_t before_ns = cpu_ns(instance), begin_ns = monotonic_ns();
    if (!wait_ns(environment->setup, WINDOW_NS))
        return;
    uint64_t window_ns = monotonic_ns() - begin_ns, after_ns = cpu_ns(instance);
    if (before_ns == FOOTPRINT_UNKNOWN || after_ns == FOOTPRINT_UNKNOWN || after_ns < before_ns)
        return;
    json_object_set_new(footprint, "idle_ns", json_integer((json_int_t)window_ns));
    json_object_set_new(footprint, "idle_cpu_ns", json_integer((json_int_t)(after_ns - before_ns)));
}
