// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/stages.h"

#include <math.h>

/* In order of time. Those after "ready" are lengths of their own, not times since the launch. */
static const struct stage {
    const char *metric;
    bool since_launch;
} stages[STAGES] = {
    {"helper_alive", true}, {"kernel_entered", true}, {"user_instruction", true},
    {"ready", true},        {"stop", false},          {"clean_up", false},
};

const char *const stage_words[STAGES] = {
    "to the helper process",
    "to the guest's kernel",
    "to the agent's first instruction",
    "to the agent being ready",
    "stopping",
    "cleaning up",
};

bool stage_lengths(const struct summary *summary, unsigned environment, double lengths[STAGES],
                   const char **ret_unit) {
    double before = 0;
    bool any = false;
    for (unsigned i = 0; i < STAGES; i++) {
        const struct summary_metric *metric = summary_find(summary, "startup", stages[i].metric);
        const struct summary_cell *cell = metric ? &metric->cells[environment] : NULL;
        lengths[i] = NAN;
        if (!cell || cell->blocks == 0 || !isfinite(cell->median))
            continue;
        /* Medians of neighbouring stamps may cross by less than their spread. */
        lengths[i] = stages[i].since_launch ? fmax(cell->median - before, 0) : cell->median;
        if (stages[i].since_launch)
            before = fmax(before, cell->median);
        *ret_unit = metric->unit;
        any = true;
    }
    return any;
}
