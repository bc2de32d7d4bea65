// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How steady the headlines of a workload were: the blocks' values around their environment's
 * median, as a distribution and in their order. Small multiples, one row an environment.
 */
#include "common/file.h"
#include "plots/figure_rows.h"
#include "plots/format.h"
#include "plots/words.h"

#include <math.h>
#include <string.h>

static double deviation(const struct summary_cell *cell, unsigned block) {
    return 100 * (cell->values[block] / cell->median - 1);
}

static bool is_drawn(const struct summary_cell *cell) {
    return cell->blocks > 1 && fabs(cell->median) > 0;
}

/* Rows of one workload, the cells that they show. */
struct steadiness {
    const struct summary_cell **cells;
    unsigned *environments;
    double limit; /* largest deviation */
    uint64_t last_block;
};

static void steadiness_cleanup(struct steadiness *steadiness) {
    free(steadiness->cells);
    free(steadiness->environments);
}

static char *spread_note(const struct summary_cell *cell) {
    char text[FORMAT_BYTES];
    return text_format("± %s", format_percent(cell_spread(cell), false, text));
}

static char *flags_note(const struct summary_cell *cell) {
    bool drift = cell->flags & SUMMARY_DRIFT, outliers = cell->flags & SUMMARY_OUTLIERS;
    return text_format("%s%s%s", drift ? "drifts" : "", drift && outliers ? ", " : "",
                       outliers ? "outliers" : "");
}

static int add_rows(const struct report *report, const char *workload, struct figure_rows *rows,
                    struct steadiness *steadiness, struct error **err) {
    const struct summary *summary = report->summary;
    struct report headlines = *report;
    headlines.full = false;
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const struct summary_metric *metric = &summary->metrics[i];
        bool named = false;
        if (strcmp(metric->workload, workload) != 0 || !report_shows(&headlines, metric))
            continue;
        for (unsigned j = 0; j < summary->environment_count; j++) {
            const struct summary_cell *cell = &metric->cells[j];
            if (!is_drawn(cell))
                continue;
            if (!named && figure_rows_group(rows, strdup(metric->metric), err) < 0)
                return -1;
            named = true;
            steadiness->cells[rows->count] = cell;
            steadiness->environments[rows->count] = j;
            if (figure_rows_add(rows, summary->environments[j].title, spread_note(cell),
                                flags_note(cell), err) < 0)
                return -1;
            for (unsigned k = 0; k < cell->blocks; k++) {
                steadiness->limit = fmax(steadiness->limit, fabs(deviation(cell, k)));
                if (cell->value_blocks[k] > steadiness->last_block)
                    steadiness->last_block = cell->value_blocks[k];
            }
        }
    }
    return 0;
}

static void add_distribution(struct figure *figure, const struct figure_rows *rows,
                             const struct steadiness *steadiness) {
    for (unsigned i = 0; i < rows->count; i++) {
        double spread = 100 * cell_spread(steadiness->cells[i]);
        figure_row(figure,
                   (double[]){rows->positions[i], -spread, spread,
                              figure_color(figure, steadiness->environments[i])},
                   4);
    }
    figure_end_block(figure);
    for (unsigned i = 0; i < rows->count; i++) {
        const struct summary_cell *cell = steadiness->cells[i];
        for (unsigned k = 0; k < cell->blocks; k += figure_stride(cell->blocks))
            figure_row(figure,
                       (double[]){rows->positions[i] - (0.5 * k / (cell->blocks - 1) - 0.25),
                                  deviation(cell, k)},
                       2);
    }
    figure_end_block(figure);
}

/*
 * Each row's curve rises and falls around its middle; an empty line ends it. In a long run a point
 * stands for several blocks, drawn from the smallest to the largest of them.
 */
static void add_series(struct figure *figure, const struct figure_rows *rows,
                       const struct steadiness *steadiness) {
    for (unsigned i = 0; i < rows->count; i++) {
        const struct summary_cell *cell = steadiness->cells[i];
        unsigned stride = figure_stride(cell->blocks);
        for (unsigned k = 0; k < cell->blocks; k += stride) {
            double least = INFINITY, greatest = -INFINITY;
            for (unsigned j = k; j < k + stride && j < cell->blocks; j++) {
                least = fmin(least, deviation(cell, j));
                greatest = fmax(greatest, deviation(cell, j));
            }
            const double ends[] = {least, greatest};
            for (unsigned j = 0; j < (stride > 1 ? 2 : 1); j++)
                figure_row(figure,
                           (double[]){(double)cell->value_blocks[k] + 1,
                                      rows->positions[i] - 0.45 * ends[j] / steadiness->limit,
                                      figure_color(figure, steadiness->environments[i])},
                           3);
        }
        fputs("\n", figure->data);
    }
    figure_end_block(figure);
}

static int draw_one(const struct report *report, const char *workload,
                    const struct figure_kind *kind, struct drawing *drawing, struct error **err) {
    const struct summary *summary = report->summary;
    size_t most = (size_t)summary->metric_count * summary->environment_count + 1;
    cleanup_figure struct figure figure = {0};
    cleanup_figure_rows struct figure_rows rows = {0};
    __attribute__((cleanup(steadiness_cleanup))) struct steadiness steadiness = {
        .cells = calloc(most, sizeof(*steadiness.cells)),
        .environments = calloc(most, sizeof(*steadiness.environments)),
    };
    bool series = kind == &figure_series;
    char limit[FORMAT_BYTES];
    cleanup_free char *name = text_format("%s-%s", workload, kind->name);
    if (!steadiness.cells || !steadiness.environments || !name)
        return error_no_memory(err);
    if (figure_begin(&figure, drawing, name, kind->script, err) < 0 ||
        add_rows(report, workload, &rows, &steadiness, err) < 0)
        return -1;
    if (rows.count == 0 || !(steadiness.limit > 0))
        return 0;
    cleanup_free char *title = text_format(
        series ? "%s: blocks over the run" : "%s: blocks around their median", workload);
    cleanup_free char *below = figure_caption(
        report, &figure,
        series ? text_format("Each row: the values of its blocks around the environment's median, "
                             "over ± %s.",
                             format_percent(steadiness.limit / 100, false, limit))
               : strdup("Points: single blocks, relative to the median of their environment; bars: "
                        "spread (median absolute deviation, scaled)."),
        strdup("spread."));
    if (!title || !below)
        return error_no_memory(err);
    if (figure_rows_finish(&rows, &figure, title,
                           series ? "block" : "difference from the median, %", below, err) < 0)
        return -1;
    double last = (double)steadiness.last_block + 1;
    figure_number(&figure, "from", series ? 0.5 : -steadiness.limit * 1.05);
    figure_number(&figure, "to", series ? last + 0.5 : steadiness.limit * 1.05);
    figure_number(&figure, "step",
                  series ? fmax(figure_step(last, 10), 1)
                         : figure_step(2.1 * steadiness.limit, figure.narrow ? 4 : 8));
    if (series)
        add_series(&figure, &rows, &steadiness);
    else
        add_distribution(&figure, &rows, &steadiness);
    return drawing_add(drawing, &figure, err);
}

static int draw_all(const struct report *report, const struct figure_kind *kind,
                    struct drawing *drawing, struct error **err) {
    const struct summary *summary = report->summary;
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const char *workload = summary->metrics[i].workload;
        if (i > 0 && strcmp(summary->metrics[i - 1].workload, workload) == 0)
            continue;
        if (draw_one(report, workload, kind, drawing, err) < 0)
            return -1;
    }
    return 0;
}

static int draw_distribution(const struct report *report, struct drawing *drawing,
                             struct error **err) {
    return draw_all(report, &figure_distribution, drawing, err);
}

static int draw_series(const struct report *report, struct drawing *drawing, struct error **err) {
    return draw_all(report, &figure_series, drawing, err);
}

const struct figure_kind figure_distribution = {
    .name = "distribution",
    .summary = "blocks around their median",
    .script = "distribution.gp",
    .draw = draw_distribution,
};

const struct figure_kind figure_series = {
    .name = "series",
    .summary = "blocks over the run",
    .script = "series.gp",
    .draw = draw_series,
};
