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

/* The workloads of a block: recorded ones when it is continued, else all. */
static int choose_active(struct run *run, uint64_t block, bool active[WORKLOADS_MAX],
                         struct error **err) {
    const json_t *recorded = resumption_active(run->resumption, block);
    for (unsigned i = 0; i < run->works.count; i++) {
        active[i] = !recorded;
        size_t index;
        json_t *name;
        json_array_foreach(recorded, index, name) active[i] |=
            strcmp(json_string_value(name), run->works.works[i].description->name) == 0;
    }
    if (recorded)
        return 0;
    json_t *names = json_array();
    for (unsigned i = 0; i < run->works.count; i++)
        if (active[i])
            json_array_append_new(names, json_string(run->works.works[i].description->name));
    return run_commit(run, "block",
                      json_pack("{s:I, s:o}", "block", (json_int_t)block, "active", names), err);
}

int run_execute(struct run *run, struct error **err) {
    progress_total(&run->progress, 0, run->blocks * block_units(run));
    for (uint64_t block = 0; block < run->blocks; block++) {
        bool active[WORKLOADS_MAX] = {false};
        if (nothing_left(run)) {
            run->end = RUN_END_NOTHING_LEFT;
            return error_set(err, ERROR_UNAVAILABLE, 0, "no environment is left that works");
        }
        if (choose_active(run, block, active, err) < 0 || run_block(run, block, active, err) < 0)
            return -1;
    }
    run->end = RUN_END_BLOCKS;
    return 0;
}
