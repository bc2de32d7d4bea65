// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/precision.h"

#include <math.h>
#include <string.h>

double precision_width(const struct summary_cell *cell) {
    return (cell->ratio_high - cell->ratio_low) / cell->ratio;
}

/* The width that counts for a cell; without a reference that of the median. */
static double width(const struct summary *summary, const struct summary_cell *cell) {
    if (summary->has_reference)
        return precision_width(cell);
    return (cell->median_high - cell->median_low) / fabs(cell->median);
}

/* Cells that can become more precise: measured, not the reference, with values that have ratios. */
static bool counts(const struct summary *summary, const struct summary_metric *metric,
                   unsigned environment) {
    const struct summary_cell *cell = &metric->cells[environment];
    if (!metric->headline || cell->blocks == 0 || cell->flags & SUMMARY_NOT_POSITIVE)
        return false;
    return !summary->has_reference || (environment > 0 && metric->cells[0].blocks > 0);
}

bool precision_needs_blocks(const struct summary *summary, const char *workload, double precision,
                            bool (*skip_environment)(void *cookie, const char *label),
                            void *cookie) {
    for (unsigned m = 0; m < summary->metric_count; m++) {
        const struct summary_metric *metric = &summary->metrics[m];
        if (strcmp(metric->workload, workload) != 0)
            continue;
        for (unsigned e = 0; e < summary->environment_count; e++) {
            if (!counts(summary, metric, e) ||
                (skip_environment && skip_environment(cookie, summary->environments[e].label)))
                continue;
            /* Also when there is no width at all. */
            if (!(width(summary, &metric->cells[e]) <= precision))
                return true;
        }
    }
    return false;
}

double precision_worst(const struct summary *summary, const struct summary_metric **ret_metric,
                       const char **ret_environment) {
    double worst = NAN;
    const struct summary_metric *worst_metric = NULL;
    const char *worst_environment = NULL;
    for (unsigned m = 0; m < summary->metric_count; m++)
        for (unsigned e = 0; e < summary->environment_count; e++) {
            const struct summary_metric *metric = &summary->metrics[m];
            if (!counts(summary, metric, e))
                continue;
            double here = width(summary, &metric->cells[e]);
            /* No interval is worse than any width, and the first such stays. */
            if (!worst_metric || (!isnan(worst) && !(here <= worst))) {
                worst = here;
                worst_metric = metric;
                worst_environment = summary->environments[e].label;
            }
        }
    if (ret_metric)
        *ret_metric = worst_metric;
    if (ret_environment)
        *ret_environment = worst_environment;
    return worst;
}
