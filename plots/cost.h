// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the overview shows: how many times as costly as on the host. Ratios of throughput are turned
 * over, so that above 1 is slower for every metric.
 */
#ifndef BOXMARK_PLOTS_COST_H
#define BOXMARK_PLOTS_COST_H

#include "plots/report.h"

struct cost {
    double middle, low, high; /* low, high: NAN without an interval */
};

struct cost cost_of(const struct summary_metric *metric, const struct summary_cell *cell);

/* A measured headline with a ratio. */
bool cost_is_shown(const struct report *report, const struct summary_metric *metric,
                   unsigned environment);

/*
 * The range of the overview's logarithmic axis, bounded: one emulated start must not hide all the
 * other differences. False when there is nothing to show.
 */
bool cost_range(const struct report *report, double *ret_low, double *ret_high);

#endif
