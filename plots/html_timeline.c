// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Start-up as a stack of what happened between the stamps. Environments differ by a thousandfold,
 * so each bar has a scale of its own; the figures are in the table.
 */
#include "plots/format.h"
#include "plots/html.h"
#include "plots/html_chart.h"
#include "plots/stages.h"

#include "common/file.h"

#include <math.h>
#include <string.h>

static void put_row(const struct summary *summary, unsigned environment,
                    const double lengths[STAGES], FILE *to) {
    char number[FORMAT_BYTES];
    double total = 0;
    for (unsigned i = 0; i < STAGES; i++)
        total += isfinite(lengths[i]) ? lengths[i] : 0;
    struct axis axis = axis_make(0, total > 0 ? total : 1, false);
    cleanup_free char *alt = text_format("Stages of %s", summary->environments[environment].title);
    fputs("<tr>", to);
    html_element(to, "th", "scope=\"row\"", summary->environments[environment].title);
    fputs("<td class=\"plot\">", to);
    chart_begin(to, 24, alt ? alt : "");
    double at = 0;
    for (unsigned i = 0; i < STAGES; i++) {
        char class_name[8];
        if (!isfinite(lengths[i]))
            continue;
        snprintf(class_name, sizeof(class_name), "s%u", i);
        chart_bar(to, &axis, at, at + lengths[i], 4, 16, class_name);
        at += lengths[i];
    }
    chart_end(to);
    fputs("</td>", to);
    for (unsigned i = 0; i < STAGES; i++) {
        fprintf(to, "<td class=\"n\" data-name=\"%s\">", stage_words[i]);
        fputs(isfinite(lengths[i]) ? format_value(lengths[i], number) : "–", to);
        fputs("</td>", to);
    }
    fprintf(to, "<td class=\"n\" data-name=\"all\">%s</td></tr>\n", format_value(total, number));
}

int html_timeline(const struct report *report, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    const struct summary_metric *ready = summary_find(summary, "startup", "ready");
    (void)err;
    if (!ready)
        return 0;
    fputs("<h3>From launch to gone <small>", to);
    html_text(to, ready->unit);
    fputs(
        "</small></h3>\n<figure id=\"timeline\">\n<table class=\"rows\">\n<caption>Medians of the "
        "time between stamps, all by the host's clock; the work itself (between ready and stop) "
        "is left out. Each bar has its own scale. A dash: that stamp cannot be observed "
        "there.</caption>\n<thead><tr><th scope=\"col\">environment</th>"
        "<th scope=\"col\">stages</th>",
        to);
    for (unsigned i = 0; i < STAGES; i++)
        fprintf(to, "<th scope=\"col\" class=\"n\"><span class=\"key s%u\">%s</span></th>", i,
                stage_words[i]);
    fputs("<th scope=\"col\" class=\"n\">all</th></tr></thead>\n<tbody>\n", to);
    for (unsigned i = 0; i < summary->environment_count; i++) {
        double lengths[STAGES];
        const char *unit;
        if (stage_lengths(summary, i, lengths, &unit))
            put_row(summary, i, lengths, to);
    }
    fputs("</tbody>\n</table>\n</figure>\n", to);
    return 0;
}
