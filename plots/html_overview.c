// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * All headlines in one picture. So that one direction means one thing, ratios of throughput are
 * turned over: to the right of 1 is always more costly than the host.
 */
#include "plots/cost.h"
#include "plots/format.h"
#include "plots/html.h"
#include "plots/html_chart.h"
#include "plots/words.h"

#include "common/file.h"

#include <math.h>
#include <string.h>

/* An arrow at the edge that the value lies beyond. */
static void put_arrow(FILE *to, bool right) {
    fprintf(to, "<path class=\"far\" style=\"fill:currentColor\" d=\"%s\"/>",
            right ? "M985 5L1000 12L985 19z" : "M15 5L0 12L15 19z");
}

static int put_row(const struct report *report, const struct axis *axis,
                   const struct summary_metric *metric, unsigned environment, FILE *to,
                   struct error **err) {
    const struct summary_cell *cell = &metric->cells[environment];
    const char *title = report->summary->environments[environment].title;
    struct cost cost = cost_of(metric, cell);
    char middle[FORMAT_BYTES], low[FORMAT_BYTES], high[FORMAT_BYTES];
    format_ratio(cost.middle, middle);
    bool interval = isfinite(cost.low) && isfinite(cost.high);
    cleanup_free char *range = interval
                                   ? text_format("%s to %s", format_end(cost.low, cost.high, low),
                                                 format_end(cost.high, cost.low, high))
                                   : strdup("no interval");
    cleanup_free char *alt = range ? text_format("%s times the cost, %s", middle, range) : NULL;
    if (!alt)
        return error_no_memory(err);
    fputs("<tr>", to);
    html_element(to, "th", "scope=\"row\"", title);
    fprintf(to, "<td class=\"plot c%u\">", html_color(environment));
    chart_begin(to, 24, alt);
    chart_grid(to, axis, 24);
    chart_mark(to, axis, 1, 0, 24, "one");
    if (cost.middle > axis->high || cost.middle < axis->low) {
        put_arrow(to, cost.middle > axis->high);
    } else {
        chart_interval(to, axis, cost.low, cost.high, 12);
        chart_mark(to, axis, cost.middle, 5, 14, "middle");
    }
    chart_end(to);
    fprintf(to,
            "</td><td class=\"n\" data-name=\"cost\">× %s</td>"
            "<td class=\"i\" data-name=\"interval\">%s</td><td>",
            middle, range);
    html_verdict(to, report_verdict(report, cell));
    fputs("</td></tr>\n", to);
    return 0;
}

static void put_axis(const struct axis *axis, FILE *to) {
    fputs("<tr class=\"axis\"><td class=\"empty\"></td><td class=\"plot\">", to);
    chart_axis(to, axis, "×");
    fputs("</td><td class=\"empty\" colspan=\"3\"></td></tr>\n", to);
}

int html_overview(const struct report *report, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    double lowest, highest;
    char confidence[40];
    if (!cost_range(report, &lowest, &highest))
        return 0;
    struct axis axis = axis_make(lowest, highest, true);
    fprintf(to, "<figure id=\"overview\">\n<table class=\"rows\">\n<caption>Cost relative to ");
    html_text(to, summary->environments[0].title);
    fprintf(to,
            " (the line at 1) with %s intervals, logarithmic. To the right: slower. Ratios of "
            "throughput are turned over, so that right is always slower; an arrow points to a "
            "value beyond the picture.</caption>\n<thead><tr><th scope=\"col\">environment</th>"
            "<th scope=\"col\">cost</th><th scope=\"col\" class=\"n\">×</th>"
            "<th scope=\"col\">%s interval</th><th scope=\"col\">verdict</th></tr></thead>\n"
            "<tbody>\n",
            report_confidence(report, confidence), confidence);
    /* Above, too: with many environments the end is pages away. */
    put_axis(&axis, to);
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const struct summary_metric *metric = &summary->metrics[i];
        bool named = false;
        for (unsigned j = 1; j < summary->environment_count; j++) {
            if (!cost_is_shown(report, metric, j))
                continue;
            if (!named) {
                fputs("<tr class=\"group\"><th colspan=\"5\" scope=\"rowgroup\">", to);
                html_text(to, metric->workload);
                putc(' ', to);
                html_text(to, metric->metric);
                fputs("</th></tr>\n", to);
                named = true;
            }
            if (put_row(report, &axis, metric, j, to, err) < 0)
                return -1;
        }
    }
    put_axis(&axis, to);
    fputs("</tbody>\n</table>\n</figure>\n", to);
    return 0;
}
