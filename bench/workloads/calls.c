// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * System calls that do nothing: the speed of a kernel's own code. A guest may run its programs at
 * full speed and its kernel instruction by instruction; the chain of `calibrate` would not show it.
 */
#include "bench/workload.h"

#include <sys/syscall.h>
#include <unistd.h>

static int run_calls(struct workload_run *run, struct error **err) {
    (void)err;
    uint64_t iterations = run_parameter(run, "iterations"), calls = run_parameter(run, "calls");
    for (uint64_t i = 0; i < iterations; i++) {
        run_section_start(run, "time", i, false);
        for (uint64_t j = 0; j < calls; j++)
            (void)syscall(SYS_getppid);
        run_section_stop(run);
    }
    run_digest(run, "%llu calls", (unsigned long long)calls);
    return 0;
}

const struct workload workload_calls = {"calls", run_calls};
