// SPDX-License-Identifier: GPL-3.0-or-later
/* The literature beside the run: both intervals in one picture, and what follows. */
#include "plots/claim_words.h"
#include "plots/format.h"
#include "plots/html.h"
#include "plots/html_chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct axis claims_axis(const struct claims *claims) {
    double low = 0.9, high = 1.1;
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *claim = &claims->claims[i];
        if (claim->outcome == CLAIM_NOT_COMPARABLE)
            continue;
        /* fmin and fmax pass over what is not known. */
        low =
            fmin(low, fmin(fmin(claim->ratio, claim->ratio_low), fmin(claim->own, claim->own_low)));
        high = fmax(high,
                    fmax(fmax(claim->ratio, claim->ratio_high), fmax(claim->own, claim->own_high)));
    }
    return axis_make(fmax(low * 0.98, 0.05), fmin(high * 1.02, 20), true);
}

static void put_picture(const struct claim *claim, const struct axis *axis, const char *alt,
                        FILE *to) {
    chart_begin(to, 24, alt);
    chart_grid(to, axis, 24);
    chart_mark(to, axis, 1, 0, 24, "one");
    fputs("<g class=\"c7\">", to);
    chart_interval(to, axis, claim->ratio_low, claim->ratio_high, 7);
    chart_mark(to, axis, claim->ratio, 2, 9, "middle");
    fprintf(to, "</g><g class=\"c%u\">",
            claim->environment >= 0 ? html_color((unsigned)claim->environment) : 0);
    chart_interval(to, axis, claim->own_low, claim->own_high, 17);
    chart_mark(to, axis, claim->own, 13, 9, "middle");
    fputs("</g>", to);
    chart_end(to);
}

static int put_row(const struct report *report, const struct claim *claim, const struct axis *axis,
                   FILE *to, struct error **err) {
    cleanup_free char *subject = claim_subject(report, claim);
    cleanup_free char *published = claim_published(claim);
    cleanup_free char *own = claim_own(claim);
    cleanup_free char *outcome = claim_outcome_text(claim);
    if (!subject || !published || !own || !outcome)
        return error_no_memory(err);
    fputs("<tr>", to);
    html_element(to, "th", "scope=\"row\"", subject);
    if (claim->outcome == CLAIM_NOT_COMPARABLE) {
        fputs("<td class=\"plot empty\"></td>", to);
    } else {
        fputs("<td class=\"plot\">", to);
        put_picture(claim, axis, outcome, to);
        fputs("</td>", to);
    }
    html_element(to, "td", "data-name=\"published\"", published);
    html_element(to, "td", "data-name=\"here\"", own);
    html_element(to, "td", NULL, outcome);
    fputs("</tr>\n", to);
    return 0;
}

static void put_citations(const struct report *report, FILE *to) {
    const char *last = "";
    fputs("<ul>\n", to);
    for (size_t i = 0; i < report->claims->count; i++) {
        const char *source = report->claims->claims[i].row->source;
        const char *citation =
            report->references ? reference_citation(report->references, source) : NULL;
        if (strcmp(source, last) == 0)
            continue;
        last = source;
        fputs("<li><strong>", to);
        html_text(to, source);
        fputs("</strong> ", to);
        html_text(to, citation ? citation : "(no citation given)");
        fputs("</li>\n", to);
    }
    fputs("</ul>\n", to);
}

int html_claims(const struct report *report, FILE *to, struct error **err) {
    if (!report->claims || report->claims->count == 0)
        return 0;
    struct axis axis = claims_axis(report->claims);
    cleanup_free char *total = claims_total(report->claims);
    if (!total)
        return error_no_memory(err);
    fputs("<section id=\"references\">\n<h2>Beside the literature</h2>\n", to);
    html_element(to, "p", NULL, total);
    put_citations(report, to);
    fputs(
        "<figure>\n<table class=\"rows\">\n<caption>Ratios with their intervals: above the "
        "published one, below this run's; logarithmic; only where they can be compared. Only ratios are compared, never "
        "absolute figures of other machines.</caption>\n<thead><tr>"
        "<th scope=\"col\">claim</th><th scope=\"col\">ratio</th>"
        "<th scope=\"col\">published</th><th scope=\"col\">here</th>"
        "<th scope=\"col\">outcome</th></tr></thead>\n<tbody>\n",
        to);
    for (size_t i = 0; i < report->claims->count; i++)
        if (put_row(report, &report->claims->claims[i], &axis, to, err) < 0)
            return -1;
    fputs("<tr class=\"axis\"><td class=\"empty\"></td><td class=\"plot\">", to);
    chart_axis(to, &axis, "");
    fputs("</td><td class=\"empty\" colspan=\"3\"></td></tr>\n</tbody>\n</table>\n</figure>\n"
          "</section>\n",
          to);
    return 0;
}
