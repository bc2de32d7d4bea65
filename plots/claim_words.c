// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/claim_words.h"

#include "common/file.h"
#include "plots/format.h"

#include <math.h>
#include <string.h>

char *claim_subject(const struct report *report, const struct claim *claim) {
    const struct reference_row *row = claim->row;
    const char *own =
        claim->environment >= 0 ? report->summary->environments[claim->environment].title : NULL;
    bool named = own && strcmp(own, row->environment) != 0;
    return text_format("%s: %s %s, %s%s%s%s%s%s%s%s", row->source, row->workload, row->metric,
                       row->environment, claim->baseline ? " / " : "",
                       claim->baseline ? claim->baseline->environment : "",
                       *row->variant ? " (" : "", row->variant, *row->variant ? ")" : "",
                       named ? ", here " : "", named ? own : "");
}

static char *ratio_text(double ratio, double low, double high) {
    char middle[FORMAT_BYTES], from[FORMAT_BYTES], to[FORMAT_BYTES];
    if (!isfinite(ratio))
        return strdup("-");
    format_ratio(ratio, middle);
    if (!isfinite(low) || !isfinite(high))
        return strdup(middle);
    return text_format("%s [%s, %s]", middle, format_end(low, high, from),
                       format_end(high, low, to));
}

char *claim_published(const struct claim *claim) {
    char number[FORMAT_BYTES];
    if (!claim->baseline)
        return text_format("%s %s", format_short(claim->row->value, number), claim->row->unit);
    cleanup_free char *ratio = ratio_text(claim->ratio, claim->ratio_low, claim->ratio_high);
    if (!ratio)
        return NULL;
    return text_format("%s%s",
                       claim->row->bound == REFERENCE_UPPER_BOUND   ? "at most "
                       : claim->row->bound == REFERENCE_LOWER_BOUND ? "at least "
                                                                    : "",
                       ratio);
}

char *claim_own(const struct claim *claim) {
    return ratio_text(claim->own, claim->own_low, claim->own_high);
}

char *claim_outcome_text(const struct claim *claim) {
    return text_format("%s%s%s", claim_outcome_name(claim->outcome), *claim->why ? ": " : "",
                       claim->why);
}

char *claims_total(const struct claims *claims) {
    unsigned counts[3] = {0};
    for (size_t i = 0; i < claims->count; i++)
        counts[claims->claims[i].outcome]++;
    return text_format("%zu claim%s: %u reproduced, %u not reproduced, %u not comparable",
                       claims->count, claims->count == 1 ? "" : "s", counts[CLAIM_REPRODUCED],
                       counts[CLAIM_NOT_REPRODUCED], counts[CLAIM_NOT_COMPARABLE]);
}
