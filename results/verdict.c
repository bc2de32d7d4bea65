// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/verdict.h"

#include "common/file.h"

#include <math.h>
#include <string.h>

static const char *const verdict_names[] = {
    [VERDICT_NONE] = "",
    [VERDICT_BETTER] = "better",
    [VERDICT_WORSE] = "worse",
    [VERDICT_SAME] = "same",
    [VERDICT_INCONCLUSIVE] = "inconclusive",
    [VERDICT_UNTRUSTWORTHY] = "untrustworthy",
};

const char *verdict_name(enum verdict verdict) {
    return verdict_names[verdict];
}

enum verdict verdict_decide(struct interval ratio, double margin, const char *better) {
    bool lower = strcmp(better, "lower") == 0;
    if (!lower && strcmp(better, "higher") != 0)
        return VERDICT_NONE;
    /* Comparisons with NAN are false: no interval falls through to inconclusive. */
    if (ratio.low >= 1 - margin && ratio.high <= 1 + margin)
        return VERDICT_SAME;
    if (ratio.low > 1 + margin)
        return lower ? VERDICT_WORSE : VERDICT_BETTER;
    if (ratio.high < 1 - margin)
        return lower ? VERDICT_BETTER : VERDICT_WORSE;
    return VERDICT_INCONCLUSIVE;
}

char *verdict_explain(struct interval ratio, double margin) {
    if (isnan(ratio.low) || isnan(ratio.high))
        return text_format("there is no interval of the ratio");
    if (ratio.low > 1 || ratio.high < 1)
        return text_format("there is a difference, but it may be within the margin of %g %%: the "
                           "interval of the ratio is %.4g to %.4g",
                           100 * margin, ratio.low, ratio.high);
    return text_format(
        "the interval of the ratio, %.4g to %.4g, reaches beyond the margin of %g %%", ratio.low,
        ratio.high, 100 * margin);
}
