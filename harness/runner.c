// SPDX-License-Identifier: GPL-3.0-or-later
/* The sampling loop: block after block until there is enough. */
#include "harness/run.h"

#include <string.h>

static double block_units(const struct run *run) {
    double units = 0;
    for (unsigned i = 0; i < run->environment_count; i++)
        if (!run->dropped[i])
            units += strcmp(run->environments[i]->accelerator, "TCG") == 0 ? 8 : 1;
    return units;
}

static bool nothing_left(const struct run *run) {
    for (unsigned i = 0; i < run->environment_count; i++)
        if (!run->dropped[i])
            return false;
    return true;
}

static int run_block(struct run *run, uint64_t block, const bool *active, struct error **err) {
    struct plan_block plan;
    plan_block(run->seed, block, run->environment_count, run->works.count, &plan);
    for (unsigned position = 0; position < run->environment_count; position++) {
        unsigned environment = plan.environments[position];
        if (run->dropped[environment])
            continue;
        if (run_instance(run, block, position, environment, &plan, active, err) < 0)
            return -1;
    }
    return 0;
}

int run_execute(struct run *run, struct error **err) {
    bool active[WORKLOADS_MAX];
    for (unsigned i = 0; i < WORKLOADS_MAX; i++)
        active[i] = true;
    progress_total(&run->progress, (double)run->first_block * block_units(run),
                   run->blocks * block_units(run));
    for (uint64_t block = run->first_block; block < run->blocks; block++) {
        if (nothing_left(run)) {
            run->end = RUN_END_NOTHING_LEFT;
            return error_set(err, ERROR_UNAVAILABLE, 0, "no environment is left that works");
        }
        if (run_block(run, block, active, err) < 0)
            return -1;
    }
    run->end = RUN_END_BLOCKS;
    return 0;
}
