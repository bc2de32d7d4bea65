// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs side by side as one self-contained page in the style of the report. */
#include "common/file.h"
#include "plots/compare.h"
#include "plots/format.h"
#include "plots/html.h"
#include "plots/html_chart.h"

#include <math.h>
#include <string.h>

/* What lies beyond these would hide all other differences. */
#define AXIS_LOW 0.05
#define AXIS_HIGH 20.0

/* One axis for all ratios of a metric. */
static struct axis axis_of(const struct report_comparison *report, const char *workload,
                           const char *metric) {
    double low = 0.95, high = 1.05;
    for (size_t i = 0; i < report->comparison->row_count; i++) {
        const struct comparison_row *row = &report->comparison->rows[i];
        if (strcmp(row->metric->workload, workload) != 0 ||
            strcmp(row->metric->metric, metric) != 0)
            continue;
        for (unsigned j = 0; j < report->comparison->run_count; j++) {
            const struct summary_cell *cell = row->cells[j].cell;
            if (!cell || !(cell->ratio > 0))
                continue;
            /* fmin and fmax pass over what is not known. */
            low = fmin(low, fmin(cell->ratio, cell->ratio_low));
            high = fmax(high, fmax(cell->ratio, cell->ratio_high));
        }
    }
    return axis_make(fmax(low * 0.98, AXIS_LOW), fmin(high * 1.02, AXIS_HIGH), true);
}

static void put_picture(const struct summary_cell *cell, unsigned run, const struct axis *axis,
                        FILE *to) {
    char middle[FORMAT_BYTES];
    cleanup_free char *alt = text_format("ratio %s", format_ratio(cell->ratio, middle));
    fprintf(to, "<td class=\"plot side c%u\">", html_color(run));
    chart_begin(to, 24, alt ? alt : "");
    chart_grid(to, axis, 24);
    chart_mark(to, axis, 1, 0, 24, "one");
    chart_interval(to, axis, cell->ratio_low, cell->ratio_high, 12);
    if (cell->ratio >= axis->low && cell->ratio <= axis->high)
        chart_mark(to, axis, cell->ratio, 5, 14, "middle");
    chart_end(to);
    fputs("</td>", to);
}

static void put_ratio(double ratio, double low, double high, const char *name, const char *interval,
                      FILE *to) {
    char first[FORMAT_BYTES], second[FORMAT_BYTES];
    if (!isfinite(ratio)) {
        fputs("<td></td><td></td>", to);
        return;
    }
    fprintf(to, "<td class=\"n\" data-name=\"%s\">%s</td><td class=\"i\" data-name=\"%s\">", name,
            format_ratio(ratio, first), interval);
    if (isfinite(low) && isfinite(high))
        fprintf(to, "%s to %s", format_end(low, high, first), format_end(high, low, second));
    else
        fputs("no interval", to);
    fputs("</td>", to);
}

static void put_run(const struct report_comparison *report, const struct comparison_row *row,
                    unsigned run, struct scale scale, const struct axis *axis, FILE *to) {
    const struct comparison_cell *own = &row->cells[run];
    char number[FORMAT_BYTES];
    fputs("<tr>", to);
    html_element(to, "th", "scope=\"row\"", report->comparison->runs[run].name);
    if (!own->cell) {
        fputs("<td colspan=\"8\" class=\"quiet\">not measured</td></tr>\n", to);
        return;
    }
    if (isfinite(own->cell->ratio))
        put_picture(own->cell, run, axis, to);
    else
        fputs("<td class=\"empty\"></td>", to);
    fprintf(to, "<td class=\"n\" data-name=\"median\">%s ",
            format_value(own->cell->median * scale.factor, number));
    html_text(to, scale.unit);
    fputs("</td>", to);
    put_ratio(own->cell->ratio, own->cell->ratio_low, own->cell->ratio_high, "ratio",
              "interval of the ratio", to);
    fputs("<td>", to);
    html_verdict(to, compare_verdict(row, run));
    fputs("</td>", to);
    put_ratio(own->change, own->change_low, own->change_high, "change", "interval of the change",
              to);
    fputs("<td>", to);
    html_verdict(to, own->verdict);
    fputs("</td></tr>\n", to);
}

/* All environments of one metric; returns the row after them. */
static size_t put_metric(const struct report_comparison *report, size_t index, FILE *to) {
    const struct comparison *comparison = report->comparison;
    const struct summary_metric *metric = comparison->rows[index].metric;
    struct axis axis = axis_of(report, metric->workload, metric->metric);
    const char *better = better_words(metric);
    char confidence[FORMAT_BYTES];
    format_percent(comparison->runs[0].summary->options.confidence, false, confidence);
    fputs("<section>\n<h2>", to);
    html_text(to, metric->workload);
    putc(' ', to);
    html_text(to, metric->metric);
    if (*better)
        fprintf(to, " <small>%s</small>", better);
    fputs("</h2>\n<figure>\n<table class=\"rows\">\n", to);
    fprintf(to, "<caption>Ratios with %s intervals, logarithmic; at 1, in each run: ", confidence);
    html_text(to, comparison->runs[0].summary->options.reference);
    fputs(". The change is against ", to);
    html_text(to, comparison->runs[0].name);
    fputs(".</caption>\n<thead><tr><th scope=\"col\">run</th><th scope=\"col\">ratio</th>"
          "<th scope=\"col\" class=\"n\">median</th><th scope=\"col\" class=\"n\">ratio</th>"
          "<th scope=\"col\">interval</th><th scope=\"col\">verdict</th>"
          "<th scope=\"col\" class=\"n\">change</th><th scope=\"col\">interval</th>"
          "<th scope=\"col\">verdict</th></tr></thead>\n<tbody>\n",
          to);
    for (; index < comparison->row_count; index++) {
        const struct comparison_row *row = &comparison->rows[index];
        if (strcmp(row->metric->workload, metric->workload) != 0 ||
            strcmp(row->metric->metric, metric->metric) != 0)
            break;
        fputs("<tr class=\"group\"><th colspan=\"9\" scope=\"rowgroup\">", to);
        html_text(to, row->environment->title);
        fputs("</th></tr>\n", to);
        for (unsigned j = 0; j < comparison->run_count; j++)
            put_run(report, row, j, compare_scale(comparison, row), &axis, to);
    }
    fputs("<tr class=\"axis\"><td class=\"empty\"></td><td class=\"plot side\">", to);
    chart_axis(to, &axis, "×");
    fputs("</td><td class=\"empty\" colspan=\"7\"></td></tr>\n</tbody>\n</table>\n</figure>\n"
          "</section>\n",
          to);
    return index;
}

static void put_differences(const struct comparison *comparison, FILE *to) {
    fputs("<section id=\"differences\">\n<h2>What differs</h2>\n", to);
    if (comparison->difference_count == 0) {
        fputs("<p>Nothing that was recorded.</p>\n</section>\n", to);
        return;
    }
    fputs("<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">fact</th>", to);
    for (unsigned i = 0; i < comparison->run_count; i++)
        html_element(to, "th", "scope=\"col\"", comparison->runs[i].name);
    fputs("</tr></thead>\n<tbody>\n", to);
    for (size_t i = 0; i < comparison->difference_count; i++) {
        fputs("<tr>", to);
        html_element(to, "th", "scope=\"row\"", compare_fact_name(&comparison->differences[i]));
        for (unsigned j = 0; j < comparison->run_count; j++) {
            const char *value = comparison->differences[i].values[j];
            html_element(to, "td", NULL, *value ? value : "–");
        }
        fputs("</tr>\n", to);
    }
    fputs("</tbody>\n</table></div>\n</section>\n", to);
}

static int put_head(const struct report_comparison *report, FILE *to, struct error **err) {
    const struct comparison *comparison = report->comparison;
    cleanup_text_list struct text_list warnings = {0};
    if (compare_warnings(report, &warnings, err) < 0)
        return -1;
    fprintf(to, "<header>\n<h1>%u runs side by side</h1>\n<dl>\n", comparison->run_count);
    for (unsigned i = 0; i < comparison->run_count; i++) {
        cleanup_free char *words = compare_run_words(report, i);
        if (!words)
            return error_no_memory(err);
        html_element(to, "dt", NULL, comparison->runs[i].name);
        html_element(to, "dd", NULL, words);
        putc('\n', to);
    }
    fputs("</dl>\n</header>\n<main id=\"main\">\n", to);
    html_warnings(&warnings, to);
    return 0;
}

int compare_html(const struct report_comparison *report, FILE *to, struct error **err) {
    const struct comparison *comparison = report->comparison;
    cleanup_text_list struct text_list legend = {0};
    if (compare_legend(report, &legend, err) < 0)
        return -1;
    html_begin(to);
    for (unsigned i = 0; i < comparison->run_count; i++) {
        fputs(i ? ", " : "", to);
        html_text(to, comparison->runs[i].name);
    }
    html_begin_body(to);
    if (put_head(report, to, err) < 0)
        return -1;
    for (size_t i = 0; i < comparison->row_count;)
        if (compare_shows(report, &comparison->rows[i]))
            i = put_metric(report, i, to);
        else
            i++;
    put_differences(comparison, to);
    fputs("<section id=\"legend\">\n<h2>What the numbers mean</h2>\n<ul>\n", to);
    for (size_t i = 0; i < legend.count; i++) {
        html_element(to, "li", NULL, legend.items[i]);
        putc('\n', to);
    }
    fputs("</ul>\n</section>\n</main>\n</body>\n</html>\n", to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the HTML") : 0;
}
