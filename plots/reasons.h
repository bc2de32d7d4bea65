// SPDX-License-Identifier: GPL-3.0-or-later
/* Why something is missing, failing or open: what a table cannot say in its cells. */
#ifndef BOXMARK_PLOTS_REASONS_H
#define BOXMARK_PLOTS_REASONS_H

#include "plots/words.h"

/* Environments that were asked for and measured nothing, or lack a workload that others have. */
int reasons_missing(const struct report *report, struct text_list *list, struct error **err);

/* Failing items of the audit that no text of the list names yet. */
int reasons_failing(const struct report *report, struct text_list *list, struct error **err);

/* Shown cells that are inconclusive for another reason than the width of their interval. */
int reasons_open(const struct report *report, struct text_list *list, struct error **err);

/* Is a cell inconclusive by the correction alone: its interval lies beyond the margin. */
bool reason_is_chance(const struct report *report, const struct summary_metric *metric,
                      const struct summary_cell *cell);

#endif
