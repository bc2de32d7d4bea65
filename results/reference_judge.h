// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Published ratios beside one's own. A claim is a published figure over that of the host (or what
 * its unit names) under the same conditions; it is compared with the ratio of the same metric of
 * every environment of that kind. Absolute figures of other machines are never compared.
 *
 * Reproduced: the published ratio (with the 95 % interval that its spread and number of trials
 * give, where they are given) and this run's interval come within the equivalence margin of each
 * other. Not reproduced: they do not. Everything else is not comparable, with the reason.
 */
#ifndef BOXMARK_RESULTS_REFERENCE_JUDGE_H
#define BOXMARK_RESULTS_REFERENCE_JUDGE_H

#include "results/reference_data.h"
#include "results/summary.h"

#include <jansson.h>

enum claim_outcome { CLAIM_REPRODUCED, CLAIM_NOT_REPRODUCED, CLAIM_NOT_COMPARABLE };

struct claim {
    const struct reference_row *row;      /* borrowed from the data */
    const struct reference_row *baseline; /* of the ratio; NULL: there is none */
    double ratio, ratio_low, ratio_high;  /* published; NAN where not given */
    int metric, environment;              /* indices in the summary; -1: not in this run */
    double own, own_low, own_high;        /* this run's ratio; NAN unknown */
    enum claim_outcome outcome;
    char *why; /* of "not comparable"; "" else */
};

struct claims {
    struct claim *claims;
    size_t count;
};

/* `run` is run.json (kinds of the environments, sizes of the work); may be NULL. */
int claims_judge(const struct reference_data *data, const struct summary *summary,
                 const json_t *run, struct claims *ret_claims, struct error **err);

const char *claim_outcome_name(enum claim_outcome outcome); /* "reproduced", ... */

void claims_clear(struct claims *claims);
static inline void claims_cleanup(struct claims *claims) {
    claims_clear(claims);
}
#define cleanup_claims CLEANUP(claims)

#endif
