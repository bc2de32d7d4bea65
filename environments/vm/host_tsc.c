// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/host_tsc.h"

#if defined(__x86_64__)

#include "common/clock.h"
#include "common/file.h"

#include <stdint.h>
#include <string.h>
#include <x86intrin.h>

#define SPAN_US 40000

struct moment {
    uint64_t ticks, ns;
};

/* Counter and clock at one moment: of several readings the one that was disturbed least. */
static struct moment now(void) {
    struct moment best = {0};
    uint64_t best_took_ns = UINT64_MAX;
    for (unsigned i = 0; i < 20; i++) {
        uint64_t before_ns = monotonic_ns();
        uint64_t ticks = __rdtsc();
        uint64_t took_ns = monotonic_ns() - before_ns;
        if (took_ns >= best_took_ns)
            continue;
        best_took_ns = took_ns;
        best = (struct moment){ticks, before_ns + took_ns / 2};
    }
    return best;
}

unsigned host_tsc_khz(void) {
    cleanup_free char *cpus = NULL;
    if (file_read("/proc/cpuinfo", &cpus, NULL, NULL) < 0 || !strstr(cpus, " constant_tsc") ||
        !strstr(cpus, " nonstop_tsc"))
        return 0;
    struct moment first = now();
    usleep(SPAN_US);
    struct moment last = now();
    return (unsigned)((double)(last.ticks - first.ticks) * 1e6 / (double)(last.ns - first.ns) +
                      0.5);
}

#else

unsigned host_tsc_khz(void) {
    return 0;
}

#endif
