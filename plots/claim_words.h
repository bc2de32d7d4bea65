// SPDX-License-Identifier: GPL-3.0-or-later
/* Published ratios beside one's own, in words; malloc'ed, NULL when out of memory. */
#ifndef BOXMARK_PLOTS_CLAIM_WORDS_H
#define BOXMARK_PLOTS_CLAIM_WORDS_H

#include "plots/report.h"

/* "felter2014: stream triad, container / host (two sockets interleaved)". */
char *claim_subject(const struct report *report, const struct claim *claim);

/* "1.001 [0.994, 1.007]", "at most 0.460", "568 ms (no host beside it)". */
char *claim_published(const struct claim *claim);

/* "0.990 [0.982, 0.998]", "-". */
char *claim_own(const struct claim *claim);

/* "reproduced"; "not comparable: accelerators differ: ...". */
char *claim_outcome_text(const struct claim *claim);

/* "12 claims: 3 reproduced, 1 not reproduced, 8 not comparable". */
char *claims_total(const struct claims *claims);

#endif
