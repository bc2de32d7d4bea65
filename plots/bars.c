// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One figure a workload: the medians as bars with their intervals, single blocks as points, the
 * figures and the ratio to the host beside them. Bars lie, so that any number of environments with
 * any labels can be read.
 */
#include "common/file.h"
#include "plots/figure_rows.h"
#include "plots/format.h"
#include "plots/words.h"

#include <math.h>
#include <string.h>

/* Which metrics a workload's figure shows where headlines alone would say too little. */
static const struct figure_metrics {
    const char *workload;
    const char *metrics[5];
} chosen_metrics[] = {
    {"stream", {"copy", "scale", "add", "triad", NULL}},
    {"startup", {"ready", "cold_ready", NULL}},
    {NULL, {NULL}},
};

enum { MAX_METRICS = 16 };

struct bars {
    const struct report *report;
    const char *workload;
    const struct summary_metric *metrics[MAX_METRICS];
    unsigned metric_count;
    struct scale scale;
    bool log;
    bool intervals;         /* every cell has one */
    bool ratio_intervals;   /* some cell has one */
    double least, greatest; /* of everything drawn, scaled */
};

static bool is_chosen(const struct report *report, const struct summary_metric *metric) {
    for (const struct figure_metrics *at = chosen_metrics; at->workload; at++) {
        if (strcmp(at->workload, metric->workload) != 0)
            continue;
        for (const char *const *name = at->metrics; *name; name++)
            if (strcmp(*name, metric->metric) == 0)
                return true;
        return false;
    }
    struct report headlines = *report;
    headlines.full = false;
    return report_shows(&headlines, metric);
}

static bool is_measured(const struct report *report, const struct summary_metric *metric) {
    for (unsigned i = 0; i < report->summary->environment_count; i++)
        if (metric->cells[i].blocks > 0)
            return true;
    return false;
}

/* The metrics of one workload that share the unit of the first. */
static void choose_metrics(struct bars *bars) {
    const struct summary *summary = bars->report->summary;
    for (unsigned i = 0; i < summary->metric_count && bars->metric_count < MAX_METRICS; i++) {
        const struct summary_metric *metric = &summary->metrics[i];
        if (strcmp(metric->workload, bars->workload) != 0 || !is_chosen(bars->report, metric) ||
            !is_measured(bars->report, metric))
            continue;
        if (bars->metric_count == 0 || strcmp(bars->metrics[0]->unit, metric->unit) == 0)
            bars->metrics[bars->metric_count++] = metric;
    }
}

static void widen(struct bars *bars, double value) {
    value *= bars->scale.factor;
    if (!isfinite(value))
        return;
    if (value > 0)
        bars->least = fmin(bars->least, value);
    bars->greatest = fmax(bars->greatest, value);
}

static void survey(struct bars *bars) {
    bars->scale = scale_for(bars->metrics[0], bars->report->summary->environment_count);
    bars->log = strcmp(bars->workload, "startup") == 0;
    bars->intervals = true;
    bars->least = INFINITY;
    for (unsigned i = 0; i < bars->metric_count; i++)
        for (unsigned j = 0; j < bars->report->summary->environment_count; j++) {
            const struct summary_cell *cell = &bars->metrics[i]->cells[j];
            if (cell->blocks == 0)
                continue;
            bars->intervals = bars->intervals && cell_has_median_interval(cell);
            bars->ratio_intervals = bars->ratio_intervals || cell_has_ratio_interval(cell);
            widen(bars, cell->minimum);
            widen(bars, cell->maximum);
            widen(bars, cell->median_low);
            widen(bars, cell->median_high);
        }
}

/* What stands to the right of a bar. */
static char *value_note(const struct bars *bars, const struct summary_cell *cell) {
    char number[FORMAT_BYTES];
    if (cell->blocks == 0)
        return strdup("not measured");
    return text_format("%s %s", format_value(cell->median * bars->scale.factor, number),
                       bars->scale.unit);
}

static char *ratio_note(const struct bars *bars, const struct summary_cell *cell) {
    char ratio[FORMAT_BYTES], low[FORMAT_BYTES], high[FORMAT_BYTES];
    if (cell->blocks == 0 || !isfinite(cell->ratio))
        return strdup("");
    format_ratio(cell->ratio, ratio);
    if (!cell_has_ratio_interval(cell))
        return text_format("× %s", ratio);
    enum verdict verdict = report_verdict(bars->report, cell);
    bool clear = verdict == VERDICT_BETTER || verdict == VERDICT_WORSE;
    return text_format(
        "× %s [%s, %s] %s%s%s", ratio, format_end(cell->ratio_low, cell->ratio_high, low),
        format_end(cell->ratio_high, cell->ratio_low, high), clear ? "" : verdict_mark(verdict),
        clear || verdict == VERDICT_NONE ? "" : " ", verdict_name(verdict));
}

/* All metrics of a figure have one direction: then it stands in the title alone. */
static bool one_direction(const struct bars *bars) {
    for (unsigned i = 1; i < bars->metric_count; i++)
        if (strcmp(bars->metrics[i]->better, bars->metrics[0]->better) != 0)
            return false;
    return true;
}

static char *with_direction(const char *text, const struct summary_metric *metric, bool wanted) {
    const char *better = wanted ? better_words(metric) : "";
    return text_format("%s%s%s%s", text, *better ? " (" : "", better, *better ? ")" : "");
}

static char *title_text(const struct bars *bars) {
    cleanup_free char *text = bars->metric_count > 1
                                  ? strdup(bars->workload)
                                  : text_format("%s: %s", bars->workload, bars->metrics[0]->metric);
    return text ? with_direction(text, bars->metrics[0], one_direction(bars)) : NULL;
}

/* Data: the bars, then the blocks as points, then the intervals. */
static void add_bars(struct figure *figure, const struct bars *bars,
                     const struct figure_rows *rows) {
    unsigned environments = bars->report->summary->environment_count;
    for (unsigned row = 0; row < rows->count; row++) {
        const struct summary_cell *cell =
            &bars->metrics[row / environments]->cells[row % environments];
        if (cell->blocks > 0)
            figure_row(figure,
                       (double[]){rows->positions[row], cell->median * bars->scale.factor,
                                  (double)figure_color(figure, row % environments)},
                       3);
    }
    figure_end_block(figure);
}

static void add_points(struct figure *figure, const struct bars *bars,
                       const struct figure_rows *rows) {
    unsigned environments = bars->report->summary->environment_count;
    for (unsigned row = 0; row < rows->count; row++) {
        const struct summary_cell *cell =
            &bars->metrics[row / environments]->cells[row % environments];
        for (unsigned i = 0; i < cell->blocks; i += figure_stride(cell->blocks)) {
            /* Spread over the bar's height in order of blocks, so that equal values stay apart. */
            double offset = cell->blocks > 1 ? 0.5 * i / (cell->blocks - 1) - 0.25 : 0;
            figure_row(
                figure,
                (double[]){rows->positions[row] - offset, cell->values[i] * bars->scale.factor}, 2);
        }
    }
    figure_end_block(figure);
}

static void add_intervals(struct figure *figure, const struct bars *bars,
                          const struct figure_rows *rows) {
    unsigned environments = bars->report->summary->environment_count;
    double factor = bars->scale.factor;
    for (unsigned row = 0; row < rows->count; row++) {
        const struct summary_cell *cell =
            &bars->metrics[row / environments]->cells[row % environments];
        double low = bars->intervals ? cell->median_low : cell->minimum;
        double high = bars->intervals ? cell->median_high : cell->maximum;
        if (cell->blocks > 1)
            figure_row(figure,
                       (double[]){rows->positions[row], cell->median * factor, low * factor,
                                  high * factor},
                       4);
    }
    figure_end_block(figure);
}

static int add_rows(const struct bars *bars, struct figure_rows *rows, struct error **err) {
    const struct summary *summary = bars->report->summary;
    for (unsigned i = 0; i < bars->metric_count; i++) {
        const struct summary_metric *metric = bars->metrics[i];
        if (bars->metric_count > 1 &&
            figure_rows_group(rows, with_direction(metric->metric, metric, !one_direction(bars)),
                              err) < 0)
            return -1;
        for (unsigned j = 0; j < summary->environment_count; j++)
            if (figure_rows_add(rows, summary->environments[j].title,
                                value_note(bars, &metric->cells[j]),
                                ratio_note(bars, &metric->cells[j]), err) < 0)
                return -1;
    }
    return 0;
}

static char *caption(const struct bars *bars, const struct figure *figure) {
    const struct summary *summary = bars->report->summary;
    unsigned blocks = report_blocks(bars->report);
    char confidence[40];
    report_confidence(bars->report, confidence);
    unsigned stride = figure_stride(blocks);
    char points[40] = "single blocks";
    if (stride > 1)
        snprintf(points, sizeof(points), "one block in %u", stride);
    char *lines =
        blocks <= 1 ? strdup("Bars: the one block measured; nothing is known of the spread.")
        : bars->intervals
            ? text_format("Bars: medians of %u blocks; points: %s; lines: %s intervals of the "
                          "median.",
                          blocks, points, confidence)
            : text_format("Bars: medians of %u blocks; points: %s; lines: smallest to largest (too "
                          "few blocks for intervals).",
                          blocks, points);
    int reference = report_reference(bars->report);
    char *ratio = NULL;
    if (reference < 0)
        ratio = strdup("");
    else if (bars->ratio_intervals)
        ratio = text_format("ratio to %s, paired within blocks, with its %s interval.",
                            summary->environments[reference].title, confidence);
    else
        ratio = text_format("ratio to %s.", summary->environments[reference].title);
    return figure_caption(bars->report, figure, lines, ratio);
}

static void set_axis(const struct bars *bars, struct figure *figure) {
    double from = 0, to = bars->greatest > 0 ? bars->greatest : 1;
    if (bars->log && isfinite(bars->least)) {
        from = pow(10, floor(log10(bars->least) - 0.1));
        to *= 1.6;
    } else {
        to *= 1.06;
    }
    figure_number(figure, "log", bars->log);
    figure_number(figure, "from", from);
    figure_number(figure, "to", to);
    figure_number(figure, "step", figure_step(to - from, figure->narrow ? 4 : 6));
    figure_number(figure, "intervals", report_blocks(bars->report) > 1);
}

static int draw_workload(const struct report *report, const char *workload, struct drawing *drawing,
                         struct error **err) {
    struct bars bars = {.report = report, .workload = workload};
    choose_metrics(&bars);
    if (bars.metric_count == 0)
        return 0;
    survey(&bars);
    cleanup_figure struct figure figure = {0};
    cleanup_figure_rows struct figure_rows rows = {0};
    if (figure_begin(&figure, drawing, workload, figure_bars.script, err) < 0)
        return -1;
    cleanup_free char *below = caption(&bars, &figure);
    cleanup_free char *title = title_text(&bars);
    cleanup_free char *axis =
        text_format("%s%s", bars.scale.unit, bars.log ? " (logarithmic scale)" : "");
    if (!below || !title || !axis)
        return error_no_memory(err);
    if (add_rows(&bars, &rows, err) < 0 ||
        figure_rows_finish(&rows, &figure, title, axis, below, err) < 0)
        return -1;
    set_axis(&bars, &figure);
    add_bars(&figure, &bars, &rows);
    add_points(&figure, &bars, &rows);
    add_intervals(&figure, &bars, &rows);
    return drawing_add(drawing, &figure, err);
}

static int draw_bars(const struct report *report, struct drawing *drawing, struct error **err) {
    const struct summary *summary = report->summary;
    const char *last = "";
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const char *workload = summary->metrics[i].workload;
        if (strcmp(workload, last) != 0 && draw_workload(report, workload, drawing, err) < 0)
            return -1;
        last = workload;
    }
    return 0;
}

const struct figure_kind figure_bars = {
    .name = "bars",
    .summary = "medians of each workload",
    .script = "bars.gp",
    .draw = draw_bars,
};
