// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Adaptive repetition: which workloads need more blocks?
 *
 * A headline is precise when the interval of its ratio is narrower than the wanted precision,
 * relative to the ratio: (high - low) / ratio <= precision. A workload is done when all its
 * headlines are, in every environment that can still give blocks. Fewer blocks than an interval
 * takes are never precise.
 *
 * Looking at the interval to decide when to stop favours samples that look narrow by chance, so
 * that the confidence at the moment of stopping is somewhat below its nominal value (Anscombe,
 * Biometrics 10, 1954). The rule looks at the width alone, never at the ratio nor the verdict:
 * there is no stopping because a difference has become significant, whose error grows without bound
 * (Armitage, McPherson and Rowe, JRSS A 132, 1969). docs/method.md has the measured effect.
 */
#ifndef BOXMARK_RESULTS_PRECISION_H
#define BOXMARK_RESULTS_PRECISION_H

#include "results/summary.h"

/* (high - low) / ratio; NAN where there is no interval. */
double precision_width(const struct summary_cell *cell);

/*
 * Does this workload need more blocks? `skip_environment` (may be NULL) names environments that are
 * not tried any more. A workload without headlines in the summary needs none, one that was never
 * measured is not in the summary: the caller knows better then. Without a reference there is no
 * ratio; the interval of the median stands in.
 */
bool precision_needs_blocks(const struct summary *summary, const char *workload, double precision,
                            bool (*skip_environment)(void *cookie, const char *label),
                            void *cookie);

/*
 * The widest relative interval of all headlines (NAN where one of them has none), and which it is:
 * for "stopped at precision ..." and "the widest is ...". *ret_metric and *ret_environment (may be
 * NULL) are borrowed from the summary, NULL without headlines.
 */
double precision_worst(const struct summary *summary, const struct summary_metric **ret_metric,
                       const char **ret_environment);

#endif
