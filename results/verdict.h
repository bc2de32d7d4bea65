// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What an interval of a ratio says about an environment against the reference. Pure functions.
 *
 * The equivalence margin cuts the ratios into three ranges: below 1 - margin, within it, above
 * 1 + margin. A verdict is given when the whole interval lies in one of them; an interval that
 * reaches into two is inconclusive, never "same" (two one-sided tests: Schuirmann, Journal of
 * Pharmacokinetics and Biopharmaceutics 15, 1987; Kruschke, AMPPS 1(2), 2018).
 */
#ifndef BOXMARK_RESULTS_VERDICT_H
#define BOXMARK_RESULTS_VERDICT_H

#include "results/statistics.h"

enum verdict {
    VERDICT_NONE, /* the reference environment itself, or a metric without a direction */
    VERDICT_BETTER,
    VERDICT_WORSE,
    VERDICT_SAME,         /* the interval lies inside the equivalence margin */
    VERDICT_INCONCLUSIVE, /* too wide to say */
    VERDICT_UNTRUSTWORTHY,
};

const char *verdict_name(enum verdict verdict); /* "better", ... "" for none */

/* `better` is "lower", "higher" or "neither" as in samples.csv; without an interval: inconclusive.
 */
enum verdict verdict_decide(struct interval ratio, double margin, const char *better);

/* Why an interval is inconclusive, in words; malloc'ed, NULL when out of memory. */
char *verdict_explain(struct interval ratio, double margin);

#endif
