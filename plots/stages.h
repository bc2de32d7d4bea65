// SPDX-License-Identifier: GPL-3.0-or-later
/* The stages of an instance's life, from the stamps: what the start-up timeline shows. */
#ifndef BOXMARK_PLOTS_STAGES_H
#define BOXMARK_PLOTS_STAGES_H

#include "results/summary.h"

enum { STAGES = 6 };

extern const char *const stage_words[STAGES];

/*
 * Lengths of the stages of one environment in the metrics' unit (*ret_unit); NAN where a stamp
 * cannot be observed. False when nothing was measured.
 */
bool stage_lengths(const struct summary *summary, unsigned environment, double lengths[STAGES],
                   const char **ret_unit);

#endif
