// SPDX-License-Identifier: GPL-3.0-or-later
/* One figure a metric: every environment's runs around their median, and the change points. */
#include "common/file.h"
#include "plots/figure_rows.h"
#include "plots/format.h"
#include "plots/history_report.h"

#include <math.h>
#include <string.h>

/* Part of a row's height that the largest deviation takes. */
#define ROW_PART 0.42

/* The series of one metric. */
struct chart {
    const struct history_report *report;
    const char *workload, *metric;
    double *medians; /* of the rows */
    double limit;    /* largest deviation from a row's median, relative */
    double from, to; /* seconds */
    unsigned points;
};

static bool belongs(const struct chart *chart, const struct history_series *series) {
    return strcmp(series->rows[0]->workload, chart->workload) == 0 &&
           strcmp(series->rows[0]->metric, chart->metric) == 0;
}

static double mean_of(const struct history_series *series, size_t from, size_t to) {
    double sum = 0;
    for (size_t j = from; j < to; j++)
        sum += series->values[j];
    return sum / (double)(to - from);
}

static char *now_words(const struct history_series *series) {
    char number[FORMAT_BYTES];
    size_t from = series->point_count > 0 ? series->points[series->point_count - 1].index : 0;
    double mean = mean_of(series, from, series->count);
    return series->absolute
               ? text_format("%s %s", format_value(mean, number), series->rows[0]->unit)
               : strdup(format_ratio(mean, number));
}

/* The last change: what people look for. */
static char *change_note(const struct history_series *series) {
    if (series->point_count == 0)
        return strdup("no change");
    const struct change_point *last = &series->points[series->point_count - 1];
    return text_format("%+.1f %% since %.10s%s", 100 * last->change,
                       series->rows[last->index]->created,
                       series->point_count > 1 ? ", and before" : "");
}

static int median_of(const struct history_series *series, double *ret_median, struct error **err) {
    cleanup_free double *copy = calloc(series->count, sizeof(*copy));
    if (!copy)
        return error_no_memory(err);
    memcpy(copy, series->values, series->count * sizeof(*copy));
    *ret_median = statistics_median(copy, series->count);
    return 0;
}

static int add_rows(struct chart *chart, struct figure_rows *rows, struct error **err) {
    const struct history_view *view = chart->report->view;
    for (size_t i = 0; i < view->count; i++) {
        const struct history_series *series = &view->series[i];
        double median = 0;
        if (!belongs(chart, series))
            continue;
        if (median_of(series, &median, err) < 0)
            return -1;
        cleanup_free char *title = history_environment_words(series);
        if (!title)
            return error_no_memory(err);
        chart->medians[rows->count] = median;
        if (figure_rows_add(rows, title, now_words(series), change_note(series), err) < 0)
            return -1;
        for (size_t j = 0; j < series->count && median != 0; j++)
            chart->limit = fmax(chart->limit, fabs(series->values[j] / median - 1));
        chart->from = fmin(chart->from, (double)series->rows[0]->time_s);
        chart->to = fmax(chart->to, (double)series->rows[series->count - 1]->time_s);
        chart->points += (unsigned)series->point_count;
    }
    return 0;
}

/* Calls `add` for each series with its row's place and number. */
static void
each_row(const struct chart *chart, struct figure *figure, const struct figure_rows *rows,
         void (*add)(const struct chart *chart, struct figure *figure,
                     const struct history_series *series, double position, unsigned row)) {
    const struct history_view *view = chart->report->view;
    unsigned row = 0;
    for (size_t i = 0; i < view->count; i++)
        if (belongs(chart, &view->series[i])) {
            add(chart, figure, &view->series[i], rows->positions[row], row);
            row++;
        }
    figure_end_block(figure);
}

static double place(const struct chart *chart, double value, double position, unsigned row) {
    double median = chart->medians[row];
    return median != 0 ? position - ROW_PART * (value / median - 1) / chart->limit : position;
}

static void add_curve(const struct chart *chart, struct figure *figure,
                      const struct history_series *series, double position, unsigned row) {
    unsigned stride = figure_stride((unsigned)series->count);
    for (size_t j = 0; j < series->count; j += stride)
        figure_row(figure,
                   (double[]){(double)series->rows[j]->time_s,
                              place(chart, series->values[j], position, row),
                              figure_color(figure, row)},
                   3);
    fputs("\n", figure->data);
}

static void add_means(const struct chart *chart, struct figure *figure,
                      const struct history_series *series, double position, unsigned row) {
    for (size_t i = 0; i <= series->point_count; i++) {
        size_t from = i > 0 ? series->points[i - 1].index : 0;
        size_t to = i < series->point_count ? series->points[i].index : series->count;
        double y = place(chart, mean_of(series, from, to), position, row);
        const size_t ends[] = {from, to - 1};
        for (unsigned j = 0; j < 2; j++)
            figure_row(
                figure,
                (double[]){(double)series->rows[ends[j]]->time_s, y, figure_color(figure, row)}, 3);
        fputs("\n", figure->data);
    }
}

static void add_points(const struct chart *chart, struct figure *figure,
                       const struct history_series *series, double position, unsigned row) {
    (void)chart;
    (void)row;
    for (size_t i = 0; i < series->point_count; i++) {
        bool worse = history_is_worse(series, &series->points[i]);
        figure_row(figure,
                   (double[]){(double)series->rows[series->points[i].index]->time_s,
                              position - ROW_PART, 2 * ROW_PART,
                              figure->paper ? 0x000000
                              : worse       ? 0xb00020
                                            : 0x2e7d32},
                   4);
    }
}

static char *caption_of(const struct chart *chart) {
    char limit[FORMAT_BYTES];
    const struct history_view *view = chart->report->view;
    char *text = text_format(
        "%s, one point a run; each row around its median, over ± %s. Thick: mean between change "
        "points; upright: change points (E-divisive with t-test, p < %g).%s",
        chart->report->options.absolute ? "Medians" : "Ratios to the host of the same run",
        format_percent(chart->limit, false, limit), chart->report->options.change.max_p,
        " Right: mean now, and the last change.");
    size_t untrustworthy = 0;
    for (size_t i = 0; i < view->untrustworthy_count; i++)
        untrustworthy += strcmp(view->untrustworthy[i]->workload, chart->workload) == 0 &&
                         strcmp(view->untrustworthy[i]->metric, chart->metric) == 0;
    if (text && untrustworthy) {
        char *longer = text_format("%s %zu untrustworthy values are %s.", text, untrustworthy,
                                   chart->report->options.all ? "among them" : "left out");
        free(text);
        text = longer;
    }
    for (size_t i = 0; text && i < view->count; i++) {
        const struct history_row *row = view->series[i].rows[0];
        if (!belongs(chart, &view->series[i]) || strcmp(row->accelerator, "TCG") != 0)
            continue;
        char *longer =
            text_format("%s %s: software emulation (TCG), not KVM.", text, row->environment);
        free(text);
        text = longer;
    }
    return text;
}

/* Whole days or hours between ticks, and how they are written. */
static void put_axis(const struct chart *chart, struct figure *figure) {
    double span = chart->to - chart->from;
    bool days = span >= 3 * 86400.0;
    double unit = days ? 86400 : 3600;
    double step = fmax(figure_step(span / unit, figure->narrow ? 2 : 5), days ? 1 : 0.25) * unit;
    double edge = span > 0 ? 0.02 * span : 1800;
    /* Before the first run the words of the scale have their place. */
    double before = fmax(edge, (figure->narrow ? 0.2 : 0.1) * span);
    figure_number(figure, "from", floor((chart->from - before) / unit) * unit);
    figure_number(figure, "to", chart->to + edge);
    figure_number(figure, "step", step);
    figure_text(figure, "date", days ? "%Y-%m-%d" : "%d. %H:%M");
}

static int draw_metric(const struct history_report *report, const struct history_series *first,
                       struct drawing *drawing, struct error **err) {
    cleanup_figure struct figure figure = {0};
    cleanup_figure_rows struct figure_rows rows = {0};
    cleanup_free double *medians = calloc(report->view->count, sizeof(*medians));
    struct chart chart = {.report = report,
                          .workload = first->rows[0]->workload,
                          .metric = first->rows[0]->metric,
                          .medians = medians,
                          .from = INFINITY,
                          .to = -INFINITY};
    cleanup_free char *name = text_format("history-%s-%s", chart.workload, chart.metric);
    cleanup_free char *title = text_format("%s %s over time", chart.workload, chart.metric);
    if (!medians || !name || !title)
        return error_no_memory(err);
    if (figure_begin(&figure, drawing, name, "history.gp", err) < 0 ||
        add_rows(&chart, &rows, err) < 0)
        return -1;
    if (!(chart.limit > 0))
        chart.limit = 0.01; /* all are equal: lines in the middle */
    cleanup_free char *caption = caption_of(&chart);
    if (!caption)
        return error_no_memory(err);
    if (figure_rows_finish(&rows, &figure, title, "date of the run (UTC)", caption, err) < 0)
        return -1;
    put_axis(&chart, &figure);
    char limit[FORMAT_BYTES];
    figure_number(&figure, "half", ROW_PART);
    figure_text(&figure, "limit", format_percent(chart.limit, false, limit));
    figure_number(&figure, "has_points", chart.points > 0);
    each_row(&chart, &figure, &rows, add_curve);
    each_row(&chart, &figure, &rows, add_means);
    each_row(&chart, &figure, &rows, add_points);
    return drawing_add(drawing, &figure, err);
}

static int draw_all(const void *what, struct drawing *drawing, struct error **err) {
    const struct history_report *report = what;
    for (size_t i = 0; i < report->view->count; i++) {
        const struct history_series *series = &report->view->series[i];
        struct chart chart = {.workload = series->rows[0]->workload,
                              .metric = series->rows[0]->metric};
        bool drawn = false;
        for (size_t j = 0; j < i && !drawn; j++)
            drawn = belongs(&chart, &report->view->series[j]);
        if (!drawn && draw_metric(report, series, drawing, err) < 0)
            return -1;
    }
    return 0;
}

int plot_history(const struct history_report *report, const struct plot_options *options,
                 unsigned *ret_count, struct error **err) {
    return plot_drawing(draw_all, report, options, ret_count, err);
}
