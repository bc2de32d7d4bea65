// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One figure a workload: the medians as bars with their intervals, single blocks as points, the
 * figures and the ratio to the host beside them. Bars lie, so that any number of environments with
 * any labels can be read.
 */
#include "common/file.h"
#include "common/text.h"
#include "plots/figure.h"
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

/* Widths of text in pixels at the size the scripts use. */
#define LABEL_PX 10.3
#define NOTE_PX 8.8
#define CAPTION_PX 18.0
enum { LABEL_COLUMNS = 44, CAPTION_COLUMNS = 112, MAX_METRICS = 16 };

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
    unsigned lines;         /* of the tallest label */
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
    return text_format("× %s [%s, %s] %s%s%s", ratio, format_ratio(cell->ratio_low, low),
                       format_ratio(cell->ratio_high, high), clear ? "" : verdict_mark(verdict),
                       clear || verdict == VERDICT_NONE ? "" : " ", verdict_name(verdict));
}

/* Texts of all rows: one a bar and, where there are several metrics, one above each group. */
struct rows {
    char **labels, **values, **ratios, **groups;
    double *positions, *group_positions;
    unsigned count, group_count;
    double height; /* rows and headings, in rows */
};

static void rows_cleanup(struct rows *rows) {
    for (unsigned i = 0; i < rows->count; i++) {
        free(rows->labels[i]);
        free(rows->values[i]);
        free(rows->ratios[i]);
    }
    for (unsigned i = 0; i < rows->group_count; i++)
        free(rows->groups[i]);
    free(rows->labels);
    free(rows->values);
    free(rows->ratios);
    free(rows->groups);
    free(rows->positions);
    free(rows->group_positions);
}

static unsigned line_count(const char *text) {
    unsigned lines = 1;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static unsigned widest_line(const char *text) {
    cleanup_free char *copy = strdup(text);
    unsigned widest = 0;
    char *rest = copy;
    for (char *line; copy && (line = strsep(&rest, "\n"));)
        widest = text_width(line) > widest ? text_width(line) : widest;
    return widest;
}

static char *label_text(const char *title) {
    cleanup_free char *clean = text_clean(title);
    return clean ? text_wrap(clean, LABEL_COLUMNS) : NULL;
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
static void add_bar(struct figure *figure, const struct bars *bars, const struct summary_cell *cell,
                    unsigned environment, double y) {
    if (cell->blocks > 0)
        figure_row(
            figure,
            (double[]){y, cell->median * bars->scale.factor, (double)figure_color(environment)}, 3);
}

static void add_interval(struct figure *figure, const struct bars *bars,
                         const struct summary_cell *cell, double y) {
    double factor = bars->scale.factor;
    double low = bars->intervals ? cell->median_low : cell->minimum;
    double high = bars->intervals ? cell->median_high : cell->maximum;
    if (cell->blocks > 1)
        figure_row(figure, (double[]){y, cell->median * factor, low * factor, high * factor}, 4);
}

static void add_points(struct figure *figure, const struct bars *bars,
                       const struct summary_cell *cell, double y) {
    for (unsigned i = 0; i < cell->blocks; i++) {
        /* Spread over the bar's height in order of blocks, so that equal values stay apart. */
        double offset = cell->blocks > 1 ? 0.5 * i / (cell->blocks - 1) - 0.25 : 0;
        figure_row(figure, (double[]){y - offset, cell->values[i] * bars->scale.factor}, 2);
    }
}

static const struct summary_cell *cell_of_row(const struct bars *bars, unsigned row) {
    unsigned environments = bars->report->summary->environment_count;
    return &bars->metrics[row / environments]->cells[row % environments];
}

static int make_rows(struct bars *bars, struct figure *figure, struct rows *rows,
                     struct error **err) {
    const struct summary *summary = bars->report->summary;
    unsigned most = bars->metric_count * summary->environment_count;
    rows->labels = calloc(most, sizeof(char *));
    rows->values = calloc(most, sizeof(char *));
    rows->ratios = calloc(most, sizeof(char *));
    rows->groups = calloc(bars->metric_count, sizeof(char *));
    rows->positions = calloc(most, sizeof(double));
    rows->group_positions = calloc(bars->metric_count, sizeof(double));
    if (!rows->labels || !rows->values || !rows->ratios || !rows->groups || !rows->positions ||
        !rows->group_positions)
        return error_no_memory(err);
    /* Down the page: y grows downwards, the axis is turned round by the script. */
    double y = 0;
    for (unsigned i = 0; i < bars->metric_count; i++) {
        if (bars->metric_count > 1) {
            y += i ? 1.25 : 0.75;
            rows->groups[i] =
                with_direction(bars->metrics[i]->metric, bars->metrics[i], !one_direction(bars));
            rows->group_count = i + 1;
            rows->group_positions[i] = y;
            if (!rows->groups[i])
                return error_no_memory(err);
        }
        for (unsigned j = 0; j < summary->environment_count; j++) {
            const struct summary_cell *cell = &bars->metrics[i]->cells[j];
            unsigned row = rows->count++;
            rows->positions[row] = ++y;
            rows->labels[row] = label_text(summary->environments[j].title);
            rows->values[row] = value_note(bars, cell);
            rows->ratios[row] = ratio_note(bars, cell);
            if (!rows->labels[row] || !rows->values[row] || !rows->ratios[row])
                return error_no_memory(err);
            unsigned lines = line_count(rows->labels[row]);
            bars->lines = lines > bars->lines ? lines : bars->lines;
            add_bar(figure, bars, cell, j, y);
        }
    }
    rows->height = y;
    figure_end_block(figure);
    for (unsigned row = 0; row < rows->count; row++)
        add_points(figure, bars, cell_of_row(bars, row), rows->positions[row]);
    figure_end_block(figure);
    for (unsigned row = 0; row < rows->count; row++)
        add_interval(figure, bars, cell_of_row(bars, row), rows->positions[row]);
    figure_end_block(figure);
    figure_number(figure, "intervals", report_blocks(bars->report) > 1);
    return 0;
}

static char *caption(const struct bars *bars) {
    const struct summary *summary = bars->report->summary;
    unsigned blocks = report_blocks(bars->report);
    char confidence[40];
    report_confidence(bars->report, confidence);
    cleanup_free char *lines =
        blocks <= 1 ? strdup("Bars: the one block measured; nothing is known of the spread.")
        : bars->intervals
            ? text_format("Bars: medians of %u blocks; points: single blocks; lines: %s intervals "
                          "of the median.",
                          blocks, confidence)
            : text_format("Bars: medians of %u blocks; points: single blocks; lines: smallest to "
                          "largest (too few blocks for intervals).",
                          blocks);
    int reference = report_reference(bars->report);
    cleanup_free char *ratio = NULL;
    if (reference < 0)
        ratio = strdup("");
    else if (bars->ratio_intervals)
        ratio = text_format(" Right: ratio to %s, paired within blocks, with its %s interval.",
                            summary->environments[reference].title, confidence);
    else
        ratio = text_format(" Right: ratio to %s.", summary->environments[reference].title);
    cleanup_free char *warnings = strdup("");
    for (unsigned i = 0; warnings && i < summary->environment_count; i++) {
        if (strcmp(summary->environments[i].accelerator, "TCG") != 0)
            continue;
        cleanup_free char *label = text_clean(summary->environments[i].label);
        char *longer =
            text_format("%s %s: software emulation (TCG), not KVM.", warnings, label ? label : "");
        free(warnings);
        warnings = longer;
    }
    if (!lines || !ratio || !warnings)
        return NULL;
    cleanup_free char *whole = text_format("%s%s%s", lines, ratio, warnings);
    cleanup_free char *clean = whole ? text_clean(whole) : NULL;
    return clean ? text_wrap(clean, CAPTION_COLUMNS) : NULL;
}

static unsigned widest_of(char *const *texts, unsigned count) {
    unsigned widest = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned width = widest_line(texts[i]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

/* Margins and height in pixels, from the texts. */
static void lay_out(const struct bars *bars, struct figure *figure, const struct rows *rows,
                    unsigned caption_lines) {
    double left = widest_of(rows->labels, rows->count) * LABEL_PX + 24;
    double values = widest_of(rows->values, rows->count) * NOTE_PX + 18;
    double ratios = widest_of(rows->ratios, rows->count) * NOTE_PX + 12;
    double width = left + values + ratios + 400;
    figure->width_px = width > 960 ? (unsigned)width : 960;
    double top = 64, bottom = 66 + CAPTION_PX * (double)caption_lines;
    double row = bars->lines > 1 ? 20.0 * bars->lines + 8 : 29;
    double height = top + bottom + row * (rows->height + 0.75);
    /* Few rows still fill a slide, many make it taller. */
    figure->height_px = height > figure->width_px * 0.5625 ? (unsigned)height
                                                           : (unsigned)(figure->width_px * 0.5625);
    /* Labels of several lines hang from their first: lift them to the middle of the row. */
    double row_px = (figure->height_px - top - bottom) / (rows->height + 0.5);
    cleanup_free double *label_y = calloc(rows->count, sizeof(double));
    for (unsigned i = 0; label_y && i < rows->count; i++)
        label_y[i] = rows->positions[i] - (line_count(rows->labels[i]) - 1) * 10.0 / row_px;
    if (label_y)
        figure_numbers(figure, "label_y", label_y, rows->count);
    figure_numbers(figure, "row_y", rows->positions, rows->count);
    figure_numbers(figure, "group_y", rows->group_positions, rows->group_count);
    figure_number(figure, "bar", fmin(0.36, 30 / row_px));
    figure_number(figure, "left", left / figure->width_px);
    figure_number(figure, "right", 1 - (values + ratios) / figure->width_px);
    figure_number(figure, "value_x", 1 - (values + ratios - 12) / figure->width_px);
    figure_number(figure, "ratio_x", 1 - ratios / figure->width_px);
    figure_number(figure, "top", 1 - top / figure->height_px);
    figure_number(figure, "bottom", bottom / figure->height_px);
    figure_number(figure, "caption_y", (CAPTION_PX * caption_lines - 3) / figure->height_px);
    figure_number(figure, "axis_y", (bottom - 48) / figure->height_px);
    figure_number(figure, "y_end", rows->height + 0.75);
}

static int draw_workload(const struct report *report, const char *workload, struct drawing *drawing,
                         struct error **err) {
    struct bars bars = {.report = report, .workload = workload, .lines = 1};
    choose_metrics(&bars);
    if (bars.metric_count == 0)
        return 0;
    survey(&bars);
    cleanup_figure struct figure figure = {0};
    __attribute__((cleanup(rows_cleanup))) struct rows rows = {0};
    if (figure_begin(&figure, workload, figure_bars.script, err) < 0 ||
        make_rows(&bars, &figure, &rows, err) < 0)
        return -1;
    cleanup_free char *below = caption(&bars);
    cleanup_free char *title = title_text(&bars);
    cleanup_free char *axis =
        text_format("%s%s", bars.scale.unit, bars.log ? " (logarithmic scale)" : "");
    if (!below || !title || !axis)
        return error_no_memory(err);
    lay_out(&bars, &figure, &rows, line_count(below));
    figure_text(&figure, "title", title);
    figure_text(&figure, "axis", axis);
    figure_text(&figure, "caption", below);
    figure_number(&figure, "log", bars.log);
    double from = bars.log && isfinite(bars.least) ? pow(10, floor(log10(bars.least) - 0.1)) : 0;
    double to = bars.greatest > 0 ? bars.greatest : 1;
    figure_number(&figure, "from", from);
    figure_number(&figure, "to", bars.log ? to * 1.6 : to * 1.06);
    figure_number(&figure, "rows", rows.count);
    figure_texts(&figure, "labels", rows.labels, rows.count);
    figure_texts(&figure, "values", rows.values, rows.count);
    figure_texts(&figure, "ratios", rows.ratios, rows.count);
    figure_number(&figure, "groups", rows.group_count);
    figure_texts(&figure, "group_labels", rows.groups, rows.group_count);
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
    .script = "bars.gp",
    .draw = draw_bars,
};
