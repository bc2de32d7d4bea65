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
    return text_format("[%s, %s] %s%s%s", format_end(cost.low, cost.high, low),
                       format_end(cost.high, cost.low, high), mark, *mark ? " " : "",
                       verdict_name(verdict));
}

static char *value_of(const struct summary_metric *metric, const struct summary_cell *cell) {
    char text[FORMAT_BYTES];
    return text_format("× %s", format_ratio(cost_of(metric, cell).middle, text));
}

/* Rows of the figure with what they show. */
struct overview_row {
    struct cost cost;
    unsigned color;
};

/* One report, or several side by side under their names. */
struct overview {
    const struct report *const *reports;
    const char *const *names; /* NULL: one report, environments alone name the rows */
    unsigned count;
    struct figure_rows rows;
    struct overview_row *shown;
};

static void overview_cleanup(struct overview *overview) {
    figure_rows_cleanup(&overview->rows);
    free(overview->shown);
}

/* One row; its group's heading before the first. */
static int add_row(struct overview *overview, unsigned index, const struct summary_metric *metric,
                   unsigned environment, bool *named, struct error **err) {
    const struct report *report = overview->reports[index];
    const struct summary_cell *cell = &metric->cells[environment];
    const char *own = report->summary->environments[environment].title;
    struct figure_rows *rows = &overview->rows;
    if (!cost_is_shown(report, metric, environment))
        return 0;
    if (!*named &&
        figure_rows_group(rows, text_format("%s %s", metric->workload, metric->metric), err) < 0)
        return -1;
    *named = true;
    cleanup_free char *title =
        overview->names ? text_format("%s, %s", own, overview->names[index]) : strdup(own);
    struct overview_row *larger =
        title ? realloc(overview->shown, (rows->count + 1) * sizeof(*larger)) : NULL;
    if (!larger)
        return error_no_memory(err);
    overview->shown = larger;
    larger[rows->count] =
        (struct overview_row){cost_of(metric, cell), overview->names ? index : environment};
    return figure_rows_add(rows, title, value_of(metric, cell), note_of(report, metric, cell), err);
}

static int find_environment(const struct summary *summary, const char *label) {
    for (unsigned i = 0; i < summary->environment_count; i++)
        if (strcmp(summary->environments[i].label, label) == 0)
            return (int)i;
    return -1;
}

/* What is to be compared stands together: one environment in all reports, then the next one. */
static int add_metric(struct overview *overview, const char *workload, const char *name,
                      struct error **err) {
    bool named = false;
    for (unsigned i = 0; i < overview->count; i++) {
        const struct summary *summary = overview->reports[i]->summary;
        for (unsigned j = 0; j < summary->environment_count; j++) {
            const char *label = summary->environments[j].label;
            bool known = false;
            for (unsigned k = 0; k < i; k++)
                known = known || find_environment(overview->reports[k]->summary, label) >= 0;
            for (unsigned k = i; !known && k < overview->count; k++) {
                const struct summary *other = overview->reports[k]->summary;
                const struct summary_metric *metric = summary_find(other, workload, name);
                int environment = find_environment(other, label);
                if (metric && environment > 0 &&
                    add_row(overview, k, metric, (unsigned)environment, &named, err) < 0)
                    return -1;
            }
        }
    }
    return 0;
}

/* Metrics in the order of the first report that has them. */
static int add_groups(struct overview *overview, struct error **err) {
    for (unsigned i = 0; i < overview->count; i++) {
        const struct summary *summary = overview->reports[i]->summary;
        for (unsigned j = 0; j < summary->metric_count; j++) {
            const struct summary_metric *metric = &summary->metrics[j];
            bool known = false;
            for (unsigned k = 0; k < i; k++)
                known = known || summary_find(overview->reports[k]->summary, metric->workload,
                                              metric->metric);
            if (!known && add_metric(overview, metric->workload, metric->metric, err) < 0)
                return -1;
        }
    }
    return 0;
}

/* Points with intervals, and arrows at the edges for what lies beyond. */
static void add_data(struct figure *figure, const struct overview *overview, double low,
                     double high) {
    const struct figure_rows *rows = &overview->rows;
    const struct overview_row *shown = overview->shown;
    for (unsigned i = 0; i < rows->count; i++) {
        struct cost cost = shown[i].cost;
        if (cost.middle < low || cost.middle > high)
            continue;
        bool interval = isfinite(cost.low) && isfinite(cost.high);
        figure_row(figure,
                   (double[]){rows->positions[i], cost.middle,
                              fmax(interval ? cost.low : cost.middle, low),
                              fmin(interval ? cost.high : cost.middle, high),
                              figure_color(figure, shown[i].color)},
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
                                  figure_color(figure, shown[i].color)},
                       4);
        }
    figure_row(figure, (double[]){-10, 1, 0, 0}, 4);
    figure_end_block(figure);
}

static bool range_of(const struct overview *overview, double *ret_low, double *ret_high) {
    bool any = false;
    *ret_low = INFINITY;
    *ret_high = 0;
    for (unsigned i = 0; i < overview->count; i++) {
        double low, high;
        if (!cost_range(overview->reports[i], &low, &high))
            continue;
        any = true;
        *ret_low = fmin(*ret_low, low);
        *ret_high = fmax(*ret_high, high);
    }
    return any;
}

/* Software emulation in any of the reports is said. */
static char *caption_of(const struct overview *overview, const struct figure *figure) {
    char confidence[40];
    const struct report *first = overview->reports[0];
    char *text =
        text_format("Points: ratio to %s, paired within blocks, with its %s interval; "
                    "right of 1 is slower. Ratios of throughput are turned over. Arrows: "
                    "beyond the picture.",
                    first->summary->environments[0].title, report_confidence(first, confidence));
    for (unsigned i = 0; text && i < overview->count; i++) {
        if (overview->names) {
            bool emulated = false;
            const struct summary *summary = overview->reports[i]->summary;
            for (unsigned j = 0; j < summary->environment_count; j++)
                emulated = emulated || strcmp(summary->environments[j].accelerator, "TCG") == 0 ||
                           strcmp(summary->environments[j].accelerator, "KVM emulated") == 0;
            if (!emulated)
                continue;
            char *longer = text_format("%s %s,", text, overview->names[i]);
            free(text);
            text = longer;
        }
        if (text)
            text = figure_caption(overview->reports[i], figure, text, strdup(""));
    }
    return text;
}

int overview_draw(const struct report *const *reports, const char *const *names, unsigned count,
                  struct drawing *drawing, struct error **err) {
    __attribute__((cleanup(overview_cleanup))) struct overview overview = {
        .reports = reports, .names = names, .count = count};
    cleanup_figure struct figure figure = {0};
    double low, high;
    if (!range_of(&overview, &low, &high))
        return 0;
    if (figure_begin(&figure, drawing, names ? "comparison" : "overview", figure_overview.script,
                     err) < 0 ||
        add_groups(&overview, err) < 0)
        return -1;
    cleanup_free char *title =
        text_format("Cost relative to %s%s", reports[0]->summary->environments[0].title,
                    names ? ", run by run" : "");
    cleanup_free char *below = caption_of(&overview, &figure);
    if (!title || !below)
        return error_no_memory(err);
    if (figure_rows_finish(&overview.rows, &figure, title, "times as costly (logarithmic scale)",
                           below, err) < 0)
        return -1;
    figure_number(&figure, "from", low);
    figure_number(&figure, "to", high);
    figure_number(&figure, "margin", reports[0]->summary->options.margin);
    add_data(&figure, &overview, low, high);
    return drawing_add(drawing, &figure, err);
}

static int draw_overview(const struct report *report, struct drawing *drawing, struct error **err) {
    return overview_draw(&report, NULL, 1, drawing, err);
}

const struct figure_kind figure_overview = {
    .name = "overview",
    .summary = "ratios of all headlines",
    .script = "overview.gp",
    .draw = draw_overview,
};
