// SPDX-License-Identifier: GPL-3.0-or-later
/* The section of one workload: its headlines as pictures and tables, how steady they were, all
 * metrics. */
#include "bench/catalog.h"
#include "common/file.h"
#include "plots/format.h"
#include "plots/html.h"
#include "plots/html_chart.h"
#include "plots/words.h"

#include <math.h>
#include <string.h>

static void put_heading(const struct summary_metric *metric, const char *unit, FILE *to) {
    const struct workload_description *workload = workload_find(metric->workload);
    const struct metric_description *known =
        workload ? metric_find(workload, metric->metric) : NULL;
    const char *better = better_words(metric);
    fputs("<h3>", to);
    html_text(to, metric->metric);
    fputs(" <small>", to);
    if (known) {
        html_text(to, known->summary);
        fputs(", ", to);
    }
    html_text(to, unit);
    if (*better)
        fprintf(to, ", %s", better);
    fputs("</small></h3>\n", to);
}

/* From 0, or logarithmic where the greatest is more than fifty times the least (start-up). */
static struct axis value_axis(const struct summary *summary, const struct summary_metric *metric,
                              double factor) {
    double least = INFINITY, greatest = 0;
    for (unsigned i = 0; i < summary->environment_count; i++) {
        const struct summary_cell *cell = &metric->cells[i];
        if (cell->blocks == 0)
            continue;
        least = fmin(least, cell->minimum * factor);
        greatest =
            fmax(greatest, fmax(cell->maximum,
                                isfinite(cell->median_high) ? cell->median_high : cell->maximum) *
                               factor);
    }
    bool log = strcmp(metric->workload, "startup") == 0 || greatest > 50 * least;
    if (log && least > 0)
        return axis_make(pow(10, floor(log10(least) - 0.1)), greatest * 1.2, true);
    return axis_make(0, greatest * 1.04, false);
}

static void put_picture(const struct summary_cell *cell, unsigned environment,
                        const struct axis *axis, struct scale scale, const char *median, FILE *to) {
    char low[FORMAT_BYTES], high[FORMAT_BYTES];
    bool interval = cell_has_median_interval(cell);
    cleanup_free char *alt = interval
                                 ? text_format("%s %s, interval %s to %s", median, scale.unit,
                                               format_value(cell->median_low * scale.factor, low),
                                               format_value(cell->median_high * scale.factor, high))
                                 : text_format("%s %s", median, scale.unit);
    fprintf(to, "<td class=\"plot c%u\">", html_color(environment));
    chart_begin(to, 24, alt ? alt : "");
    chart_grid(to, axis, 24);
    chart_bar(to, axis, axis->low, cell->median * scale.factor, 4, 16, "bar");
    if (cell->blocks > 1)
        chart_values(to, axis, cell->values, cell->blocks, scale.factor, 0, 7, 10);
    chart_interval(to, axis, cell->median_low * scale.factor, cell->median_high * scale.factor, 12);
    chart_end(to);
    fputs("</td>", to);
}

static void put_figures(const struct report *report, const struct summary_cell *cell,
                        struct scale scale, const char *median, FILE *to) {
    char first[FORMAT_BYTES], second[FORMAT_BYTES];
    fprintf(to, "<td class=\"n\" data-name=\"median\">%s ", median);
    html_text(to, scale.unit);
    fprintf(to, "</td><td class=\"n\" data-name=\"spread\">%s</td>",
            format_percent(cell_spread(cell), false, first));
    if (isfinite(cell->ratio))
        fprintf(to, "<td class=\"n\" data-name=\"ratio\">%s</td>",
                format_ratio(cell->ratio, first));
    else
        fputs("<td></td>", to);
    if (cell_has_ratio_interval(cell))
        fprintf(to, "<td class=\"i\" data-name=\"interval of the ratio\">%s to %s</td>",
                format_end(cell->ratio_low, cell->ratio_high, first),
                format_end(cell->ratio_high, cell->ratio_low, second));
    else
        fputs("<td></td>", to);
    fputs("<td>", to);
    html_verdict(to, report_verdict(report, cell));
    fputs("</td></tr>\n", to);
}

static void put_table(const struct report *report, const struct summary_metric *metric,
                      struct scale scale, FILE *to) {
    const struct summary *summary = report->summary;
    struct axis axis = value_axis(summary, metric, scale.factor);
    char confidence[40];
    report_confidence(report, confidence);
    bool intervals = false;
    for (unsigned i = 0; i < summary->environment_count; i++)
        intervals = intervals || cell_has_median_interval(&metric->cells[i]);
    fputs(
        "<figure>\n<table class=\"rows\">\n<caption>Bars: medians over blocks; thin marks: single "
        "blocks; ",
        to);
    if (intervals)
        fprintf(to, "lines: %s intervals of the median", confidence);
    else
        fputs("too few blocks for intervals", to);
    fprintf(to,
            "%s.</caption>\n<thead><tr><th scope=\"col\">environment</th>"
            "<th scope=\"col\">median</th><th scope=\"col\" class=\"n\">median</th>"
            "<th scope=\"col\" class=\"n\">spread</th><th scope=\"col\" class=\"n\">ratio</th>"
            "<th scope=\"col\">%s interval</th><th scope=\"col\">verdict</th></tr></thead>\n"
            "<tbody>\n",
            axis.log ? "; logarithmic" : "", confidence);
    for (unsigned i = 0; i < summary->environment_count; i++) {
        const struct summary_cell *cell = &metric->cells[i];
        char median[FORMAT_BYTES];
        fputs("<tr>", to);
        html_element(to, "th", "scope=\"row\"", summary->environments[i].title);
        if (cell->blocks == 0) {
            fputs("<td colspan=\"6\" class=\"quiet\">not measured</td></tr>\n", to);
            continue;
        }
        format_value(cell->median * scale.factor, median);
        put_picture(cell, i, &axis, scale, median, to);
        put_figures(report, cell, scale, median, to);
    }
    fputs("<tr class=\"axis\"><td class=\"empty\"></td><td class=\"plot\">", to);
    chart_axis(to, &axis, "");
    fputs("</td><td class=\"empty\" colspan=\"5\"></td></tr>\n</tbody>\n</table>\n</figure>\n", to);
}

/* The largest distance of any block from its environment's median, in per cent. */
static double largest_deviation(const struct summary *summary,
                                const struct summary_metric *metric) {
    double largest = 0;
    for (unsigned i = 0; i < summary->environment_count; i++) {
        const struct summary_cell *cell = &metric->cells[i];
        if (cell->blocks < 2 || !(fabs(cell->median) > 0))
            continue;
        largest = fmax(largest, 100 * fabs(cell->maximum / cell->median - 1));
        largest = fmax(largest, 100 * fabs(1 - cell->minimum / cell->median));
    }
    return largest;
}

static void put_steadiness_row(const struct summary_cell *cell, const char *title,
                               unsigned environment, const struct axis *axis, struct scale scale,
                               FILE *to) {
    char low[FORMAT_BYTES], high[FORMAT_BYTES];
    fputs("<tr>", to);
    html_element(to, "th", "scope=\"row\"", title);
    fprintf(to, "<td class=\"plot wide c%u\">", html_color(environment));
    chart_begin(to, 24, "Distribution of the blocks around their median");
    chart_grid(to, axis, 24);
    double spread = 100 * cell_spread(cell);
    chart_bar(to, axis, -spread, spread, 4, 16, "bar");
    chart_mark(to, axis, 0, 2, 20, "one");
    chart_values(to, axis, cell->values, cell->blocks, 100 / cell->median, -100, 6, 12);
    chart_end(to);
    fprintf(to, "</td><td class=\"plot wide c%u\">", html_color(environment));
    chart_begin(to, 40, "Blocks in their order");
    fputs("<path class=\"grid\" d=\"M0 20H1000\"/>", to);
    chart_series(to, cell->values, cell->blocks, cell->median,
                 axis->high / 100 * fabs(cell->median), 40);
    chart_end(to);
    fprintf(to, "</td><td class=\"n\" data-name=\"smallest\">%s ",
            format_value(cell->minimum * scale.factor, low));
    html_text(to, scale.unit);
    fprintf(to, "</td><td class=\"n\" data-name=\"largest\">%s ",
            format_value(cell->maximum * scale.factor, high));
    html_text(to, scale.unit);
    fprintf(to, "</td><td class=\"whole\">%s%s%s</td></tr>\n",
            cell->flags & SUMMARY_DRIFT ? "drifts" : "",
            (cell->flags & SUMMARY_DRIFT) && (cell->flags & SUMMARY_OUTLIERS) ? ", " : "",
            cell->flags & SUMMARY_OUTLIERS ? "outliers" : "");
}

static void put_steadiness(const struct report *report, const struct summary_metric *metric,
                           struct scale scale, FILE *to) {
    const struct summary *summary = report->summary;
    double limit = largest_deviation(summary, metric) * 1.05;
    if (!(limit > 0) || !isfinite(limit))
        return;
    struct axis axis = axis_make(-limit, limit, false);
    char text[FORMAT_BYTES];
    fprintf(to,
            "<figure>\n<table class=\"rows\">\n<caption>How steady: each block relative to the "
            "median of its environment. Left: their distribution (box: spread); right: over the "
            "run, over ± %s.</caption>\n<thead><tr><th scope=\"col\">environment</th>"
            "<th scope=\"col\">distribution</th><th scope=\"col\">over time</th>"
            "<th scope=\"col\" class=\"n\">smallest</th><th scope=\"col\" class=\"n\">largest</th>"
            "<th scope=\"col\"><span class=\"quiet\">remarks</span></th></tr></thead>\n<tbody>\n",
            format_percent(limit / 100, false, text));
    for (unsigned i = 0; i < summary->environment_count; i++) {
        const struct summary_cell *cell = &metric->cells[i];
        if (cell->blocks > 1 && fabs(cell->median) > 0)
            put_steadiness_row(cell, summary->environments[i].title, i, &axis, scale, to);
    }
    fputs("<tr class=\"axis\"><td class=\"empty\"></td><td class=\"plot wide\">", to);
    chart_axis(to, &axis, " %");
    fputs("</td><td class=\"empty\" colspan=\"4\"></td></tr>\n</tbody>\n</table>\n</figure>\n", to);
}

static void put_all_row(const struct report *report, const struct summary_metric *metric,
                        unsigned environment, FILE *to) {
    const struct summary *summary = report->summary;
    const struct summary_cell *cell = &metric->cells[environment];
    struct scale scale = scale_for(metric, summary->environment_count);
    char number[FORMAT_BYTES], other[FORMAT_BYTES];
    fputs("<tr>", to);
    html_element(to, "th", "scope=\"row\"", environment == 0 ? metric->metric : "");
    html_element(to, "td", NULL, summary->environments[environment].title);
    if (cell->blocks == 0) {
        fputs("<td colspan=\"6\" class=\"quiet\">not measured</td></tr>\n", to);
        return;
    }
    fprintf(to, "<td class=\"n\">%s ", format_value(cell->median * scale.factor, number));
    html_text(to, scale.unit);
    fputs("</td><td>", to);
    if (cell_has_median_interval(cell))
        fprintf(to, "%s to %s", format_value(cell->median_low * scale.factor, number),
                format_value(cell->median_high * scale.factor, other));
    fprintf(to, "</td><td>%s to %s</td>", format_value(cell->minimum * scale.factor, number),
            format_value(cell->maximum * scale.factor, other));
    fprintf(to, "<td class=\"n\">%s</td><td>",
            isfinite(cell->ratio) ? format_ratio(cell->ratio, number) : "");
    if (cell_has_ratio_interval(cell))
        fprintf(to, "%s to %s", format_end(cell->ratio_low, cell->ratio_high, number),
                format_end(cell->ratio_high, cell->ratio_low, other));
    fputs("</td><td>", to);
    html_verdict(to, report_verdict(report, cell));
    fputs("</td></tr>\n", to);
}

static void put_all(const struct report *report, const char *workload, FILE *to) {
    const struct summary *summary = report->summary;
    fputs("<details><summary>All metrics</summary>\n<div class=\"scroll\"><table>\n"
          "<thead><tr><th scope=\"col\">metric</th><th scope=\"col\">environment</th>"
          "<th scope=\"col\" class=\"n\">median</th><th scope=\"col\">interval</th>"
          "<th scope=\"col\">smallest to largest</th><th scope=\"col\" class=\"n\">ratio</th>"
          "<th scope=\"col\">interval</th><th scope=\"col\">verdict</th></tr></thead>\n<tbody>\n",
          to);
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 0;
             strcmp(summary->metrics[i].workload, workload) == 0 && j < summary->environment_count;
             j++)
            put_all_row(report, &summary->metrics[i], j, to);
    fputs("</tbody>\n</table></div>\n</details>\n", to);
}

int html_workload(const struct report *report, const char *workload, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    struct report headlines = *report;
    headlines.full = false;
    (void)err;
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const struct summary_metric *metric = &summary->metrics[i];
        if (strcmp(metric->workload, workload) != 0 || !report_shows(&headlines, metric))
            continue;
        struct scale scale = scale_for(metric, summary->environment_count);
        put_heading(metric, scale.unit, to);
        put_table(report, metric, scale, to);
        put_steadiness(report, metric, scale, to);
    }
    put_all(report, workload, to);
    return 0;
}
