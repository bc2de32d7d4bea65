// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The empirical distribution function of every headline's samples: all environments on one axis,
 * so that tails and crossings show. Iterations of one block are not independent: this is a picture,
 * no test.
 */
#include "common/file.h"
#include "common/text.h"
#include "plots/figure_rows.h"
#include "plots/format.h"
#include "plots/sample_values.h"
#include "plots/words.h"

#include <math.h>
#include <string.h>

/* Steps of one curve; more could not be told apart. Markers of one curve where there are any. */
enum { STEPS_MAX = 2000, MARKERS = 5 };
/* Beyond this range a linear axis would press all but one curve onto a line. */
#define LOG_RANGE 4.0

static bool survey(const struct sample_values *values, unsigned metric, double factor,
                   double *ret_least, double *ret_greatest) {
    *ret_least = INFINITY;
    *ret_greatest = -INFINITY;
    for (unsigned i = 0; i < values->environment_count; i++) {
        const struct sample_list *list = sample_values_of(values, metric, i);
        if (list->count == 0)
            continue;
        *ret_least = fmin(*ret_least, list->values[0] * factor);
        *ret_greatest = fmax(*ret_greatest, list->values[list->count - 1] * factor);
    }
    return isfinite(*ret_least) && *ret_least < *ret_greatest;
}

/* x, share of samples at or below x. Quantiles when there are many samples. */
static void add_curve(struct figure *figure, const struct sample_list *list, double factor,
                      double from, double to) {
    size_t steps = list->count < STEPS_MAX ? list->count : STEPS_MAX;
    figure_row(figure, (double[]){from, 0}, 2);
    for (size_t i = 0; i < steps; i++) {
        size_t rank = (i + 1) * list->count / steps;
        figure_row(figure,
                   (double[]){list->values[rank - 1] * factor, (double)rank / (double)list->count},
                   2);
    }
    figure_row(figure, (double[]){to, 1}, 2);
    figure_end_block(figure);
}

static char *note_of(const struct sample_list *list, struct scale scale) {
    char middle[FORMAT_BYTES], high[FORMAT_BYTES];
    size_t last = list->count - 1;
    return text_format("p50 %s, max %s %s",
                       format_value(list->values[last / 2] * scale.factor, middle),
                       format_value(list->values[last] * scale.factor, high), scale.unit);
}

static int draw_metric(const struct report *report, const struct sample_values *values,
                       unsigned index, struct drawing *drawing, struct error **err) {
    const struct summary *summary = report->summary;
    const struct summary_metric *metric = &summary->metrics[index];
    struct scale scale = scale_for(metric, summary->environment_count);
    double least, greatest;
    if (!survey(values, index, scale.factor, &least, &greatest))
        return 0;
    bool log = least > 0 && greatest > LOG_RANGE * least;
    double from = log ? least / 1.3 : least - 0.03 * (greatest - least);
    double to = log ? greatest * 1.3 : greatest + 0.03 * (greatest - least);
    cleanup_figure struct figure figure = {0};
    cleanup_figure_rows struct figure_rows key = {0};
    cleanup_free char *name = text_format("%s-%s-ecdf", metric->workload, metric->metric);
    cleanup_free char *title = text_format("%s: %s, all samples", metric->workload, metric->metric);
    cleanup_free char *axis = text_format("%s%s", scale.unit, log ? " (logarithmic scale)" : "");
    cleanup_free double *colors = calloc(summary->environment_count + 1, sizeof(*colors));
    if (!name || !title || !axis || !colors)
        return error_no_memory(err);
    if (figure_begin(&figure, drawing, name, figure_ecdf.script, err) < 0)
        return -1;
    cleanup_free char *below =
        figure_caption(report, &figure,
                       text_format("Share of samples at or below a value (%s); warm-ups left out.",
                                   *better_words(metric) ? better_words(metric) : "no direction"),
                       strdup(""));
    if (!below)
        return error_no_memory(err);
    unsigned curves = 0;
    size_t most = MARKERS;
    for (unsigned i = 0; i < summary->environment_count; i++) {
        const struct sample_list *list = sample_values_of(values, index, i);
        if (list->count == 0)
            continue;
        most = list->count > most ? list->count : most;
        colors[curves++] = figure_color(&figure, i);
        if (figure_rows_add(&key, summary->environments[i].title, strdup(""), note_of(list, scale),
                            err) < 0)
            return -1;
        add_curve(&figure, list, scale.factor, from, to);
    }
    /* The rows are the key, under the picture: it takes the place of nine rows. */
    double picture_rows = 9;
    for (unsigned i = 0; i < key.count; i++)
        key.positions[i] += picture_rows + 1.5;
    key.height += picture_rows + 1.5;
    if (figure_rows_finish(&key, &figure, title, axis, below, err) < 0)
        return -1;
    figure_number(&figure, "curves", curves);
    figure_numbers(&figure, "colors", colors, curves);
    figure_number(&figure, "picture_rows", picture_rows);
    figure_number(&figure, "every", (double)((most < STEPS_MAX ? most : STEPS_MAX) / MARKERS));
    figure_number(&figure, "log", log);
    figure_number(&figure, "from", from);
    figure_number(&figure, "to", to);
    figure_number(&figure, "step", figure_step(to - from, figure.narrow ? 4 : 7));
    return drawing_add(drawing, &figure, err);
}

static int draw_ecdf(const struct report *report, struct drawing *drawing, struct error **err) {
    cleanup_sample_values struct sample_values values = {0};
    if (sample_values_load(report, &values, err) < 0)
        return -1;
    for (unsigned i = 0; i < report->summary->metric_count; i++)
        if (report->summary->metrics[i].headline &&
            draw_metric(report, &values, i, drawing, err) < 0)
            return -1;
    return 0;
}

const struct figure_kind figure_ecdf = {
    .name = "ecdf",
    .summary = "distribution functions of all samples",
    .script = "ecdf.gp",
    .draw = draw_ecdf,
};
