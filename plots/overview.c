// SPDX-License-Identifier: GPL-3.0-or-later
/* One figure for the whole run: every headline's cost relative to the host, with its interval. */
#include "common/file.h"
#include "plots/cost.h"
#include "plots/figure_rows.h"
#include "plots/format.h"
#include "plots/words.h"

#include <math.h>
#include <string.h>

static char *note_of(const struct report *report, const struct summary_metric *metric,
                     const struct summary_cell *cell) {
    struct cost cost = cost_of(metric, cell);
    enum verdict verdict = report_verdict(report, cell);
    bool clear = verdict == VERDICT_BETTER || verdict == VERDICT_WORSE;
    const char *mark = clear ? "" : verdict_mark(verdict);
    char low[FORMAT_BYTES], high[FORMAT_BYTES];
    if (!cell_has_ratio_interval(cell))
        return strdup("no interval");
    return text_format("[%s, %s] %s%s%s", format_ratio(cost.low, low),
                       format_ratio(cost.high, high), mark, *mark ? " " : "",
                       verdict_name(verdict));
}

static char *value_of(const struct summary_metric *metric, const struct summary_cell *cell) {
    char text[FORMAT_BYTES];
    return text_format("× %s", format_ratio(cost_of(metric, cell).middle, text));
}

/* Rows of the figure with what they show. */
struct overview_row {
    struct cost cost;
    unsigned environment;
};

static int add_rows(const struct report *report, struct figure_rows *rows,
                    struct overview_row *shown, struct error **err) {
    const struct summary *summary = report->summary;
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const struct summary_metric *metric = &summary->metrics[i];
        bool named = false;
        for (unsigned j = 1; j < summary->environment_count; j++) {
            const struct summary_cell *cell = &metric->cells[j];
            if (!cost_is_shown(report, metric, j))
                continue;
            if (!named &&
                figure_rows_group(rows, text_format("%s %s", metric->workload, metric->metric),
                                  err) < 0)
                return -1;
            named = true;
            shown[rows->count] = (struct overview_row){cost_of(metric, cell), j};
            if (figure_rows_add(rows, summary->environments[j].title, value_of(metric, cell),
                                note_of(report, metric, cell), err) < 0)
                return -1;
        }
    }
    return 0;
}

/* Points with intervals, and arrows at the edges for what lies beyond. */
static void add_data(struct figure *figure, const struct figure_rows *rows,
                     const struct overview_row *shown, double low, double high) {
    for (unsigned i = 0; i < rows->count; i++) {
        struct cost cost = shown[i].cost;
        if (cost.middle < low || cost.middle > high)
            continue;
        bool interval = isfinite(cost.low) && isfinite(cost.high);
        figure_row(figure,
                   (double[]){rows->positions[i], cost.middle,
                              fmax(interval ? cost.low : cost.middle, low),
                              fmin(interval ? cost.high : cost.middle, high),
                              figure_color(figure, shown[i].environment)},
                   5);
    }
    /* Something for gnuplot to plot when all are beyond the edges: a point out of sight. */
    figure_row(figure, (double[]){-10, 1, 1, 1, 0}, 5);
    figure_end_block(figure);
    for (unsigned i = 0; i < rows->count; i++)
        if (shown[i].cost.middle < low || shown[i].cost.middle > high) {
            bool right = shown[i].cost.middle > high;
            /* From a little inside to the edge. */
            double edge = right ? high : low, inside = pow(high / low, right ? -0.05 : 0.05) * edge;
            figure_row(figure,
                       (double[]){rows->positions[i], inside, edge / inside - 1,
                                  figure_color(figure, shown[i].environment)},
                       4);
        }
    figure_row(figure, (double[]){-10, 1, 0, 0}, 4);
    figure_end_block(figure);
}

static int draw_overview(const struct report *report, struct drawing *drawing, struct error **err) {
    const struct summary *summary = report->summary;
    double low, high;
    if (!cost_range(report, &low, &high))
        return 0;
    char confidence[40];
    cleanup_figure struct figure figure = {0};
    cleanup_figure_rows struct figure_rows rows = {0};
    cleanup_free struct overview_row *shown =
        calloc((size_t)summary->metric_count * summary->environment_count + 1, sizeof(*shown));
    if (figure_begin(&figure, drawing, "overview", figure_overview.script, err) < 0)
        return -1;
    cleanup_free char *title = text_format("Cost relative to %s", summary->environments[0].title);
    cleanup_free char *below = figure_caption(
        report, &figure,
        text_format("Points: ratio to %s, paired within blocks, with its %s interval; right of 1 "
                    "is slower. Ratios of throughput are turned over. Arrows: beyond the picture.",
                    summary->environments[0].title, report_confidence(report, confidence)),
        strdup(""));
    if (!shown || !title || !below)
        return error_no_memory(err);
    if (add_rows(report, &rows, shown, err) < 0 ||
        figure_rows_finish(&rows, &figure, title, "times as costly (logarithmic scale)", below,
                           err) < 0)
        return -1;
    figure_number(&figure, "from", low);
    figure_number(&figure, "to", high);
    figure_number(&figure, "margin", summary->options.margin);
    add_data(&figure, &rows, shown, low, high);
    return drawing_add(drawing, &figure, err);
}

const struct figure_kind figure_overview = {
    .name = "overview",
    .summary = "ratios of all headlines",
    .script = "overview.gp",
    .draw = draw_overview,
};
