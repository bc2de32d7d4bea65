// SPDX-License-Identifier: GPL-3.0-or-later
/* What is shown and written when a run has ended: summary, table, figures; and its exit code. */
#ifndef BOXMARK_HARNESS_OUTCOME_H
#define BOXMARK_HARNESS_OUTCOME_H

#include "harness/run.h"
#include "harness/run_view.h"

/* summary.json, report.html, the figures where they are wanted, and the manifest of all. */
int outcome_write(struct run *run, const struct run_view *view, const struct report *report,
                  struct error **err);

/* The same and the table on standard output. Returns the exit code, or -1 with an error. */
int outcome_show(struct run *run, struct error **err);

#endif
