// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/cost.h"

#include "plots/words.h"

#include <math.h>
#include <string.h>

/* What lies beyond these is shown as an arrow at the edge. */
#define COST_LOW 0.1
#define COST_HIGH 12.0

struct cost cost_of(const struct summary_metric *metric, const struct summary_cell *cell) {
    if (strcmp(metric->better, "higher") == 0)
        return (struct cost){1 / cell->ratio, 1 / cell->ratio_high, 1 / cell->ratio_low};
    return (struct cost){cell->ratio, cell->ratio_low, cell->ratio_high};
}

bool cost_is_shown(const struct report *report, const struct summary_metric *metric,
                   unsigned environment) {
    struct report headlines = *report;
    headlines.full = false;
    const struct summary_cell *cell = &metric->cells[environment];
    return report_shows(&headlines, metric) && cell->blocks > 0 && isfinite(cell->ratio) &&
           cell->ratio > 0;
}

bool cost_range(const struct report *report, double *ret_low, double *ret_high) {
    const struct summary *summary = report->summary;
    double low = 0.9, high = 1.1;
    bool any = false;
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 1; j < summary->environment_count; j++) {
            if (!cost_is_shown(report, &summary->metrics[i], j))
                continue;
            struct cost cost = cost_of(&summary->metrics[i], &summary->metrics[i].cells[j]);
            any = true;
            /* fmin and fmax pass over what is not known. */
            low = fmin(low, fmin(cost.middle, cost.low));
            high = fmax(high, fmax(cost.middle, cost.high));
        }
    *ret_low = fmax(low * 0.98, COST_LOW);
    *ret_high = fmin(high * 1.02, COST_HIGH);
    return any;
}
