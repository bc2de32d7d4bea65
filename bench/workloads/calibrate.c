// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A dependent chain of integer operations that touches no memory: its speed is the clock rate of
 * the CPU (or of the emulator), so that drift between two runs of it is drift of the machine.
 */
#include "bench/workload.h"

static uint64_t chain(uint64_t loops) {
    uint64_t value = 1;
    for (uint64_t i = 0; i < loops; i++)
        value = value * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return value;
}

static int run_calibrate(struct workload_run *run, struct error **err) {
    (void)err;
    uint64_t iterations = run_parameter(run, "iterations"), loops = run_parameter(run, "loops");
    uint64_t value = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        run_section_start(run, "time", i, false);
        value = chain(loops);
        run_section_stop(run);
    }
    run_digest(run, "%016llx", (unsigned long long)value);
    return 0;
}

const struct workload workload_calibrate = {"calibrate", run_calibrate};
