// SPDX-License-Identifier: GPL-3.0-or-later
/* Start-up by stages: each environment's bar has a scale of its own, its length is in words. */
#include "common/file.h"
#include "plots/figure_rows.h"
#include "plots/format.h"
#include "plots/stages.h"
#include "plots/words.h"

#include <math.h>
#include <string.h>

/* Colours of stages, not of environments. */
static unsigned stage_color(const struct figure *figure, unsigned stage) {
    static const unsigned places[STAGES] = {0, 3, 5, 1, 2, 7};
    static const unsigned greys[STAGES] = {0x202020, 0xd0d0d0, 0x606060,
                                           0xb0b0b0, 0x404040, 0x909090};
    return figure->paper ? greys[stage] : figure_color(figure, places[stage]);
}

static double total_of(const double lengths[STAGES]) {
    double total = 0;
    for (unsigned i = 0; i < STAGES; i++)
        total += isfinite(lengths[i]) ? lengths[i] : 0;
    return total;
}

/* "9 + 170 + 2155 + 259 | 52 + 46": every stage that was observed. */
static char *note_of(const double lengths[STAGES]) {
    char *text = strdup("");
    for (unsigned i = 0; text && i < STAGES; i++) {
        char number[FORMAT_BYTES];
        if (!isfinite(lengths[i]))
            continue;
        char *longer =
            text_format("%s%s%s", text, *text ? " + " : "", format_value(lengths[i], number));
        free(text);
        text = longer;
    }
    return text;
}

static int draw_timeline(const struct report *report, struct drawing *drawing, struct error **err) {
    const struct summary *summary = report->summary;
    cleanup_figure struct figure figure = {0};
    cleanup_figure_rows struct figure_rows rows = {0};
    const char *unit = "";
    if (figure_begin(&figure, drawing, "startup-timeline", figure_timeline.script, err) < 0)
        return -1;
    for (unsigned i = 0; i < summary->environment_count; i++) {
        double lengths[STAGES];
        char number[FORMAT_BYTES];
        if (!stage_lengths(summary, i, lengths, &unit) || !(total_of(lengths) > 0))
            continue;
        double total = total_of(lengths), at = 0;
        if (figure_rows_add(&rows, summary->environments[i].title,
                            text_format("%s %s", format_value(total, number), unit),
                            note_of(lengths), err) < 0)
            return -1;
        for (unsigned j = 0; j < STAGES; j++) {
            if (!isfinite(lengths[j]))
                continue;
            figure_row(&figure,
                       (double[]){rows.positions[rows.count - 1], 100 * at / total,
                                  100 * (at + lengths[j]) / total, stage_color(&figure, j)},
                       4);
            at += lengths[j];
        }
    }
    if (rows.count == 0)
        return 0;
    figure_end_block(&figure);
    /* Room for the key below the bars. */
    unsigned key_columns = figure.narrow ? 2 : 3;
    rows.height += 1.0 + (STAGES + key_columns - 1) / key_columns;
    figure_number(&figure, "key_columns", key_columns);
    cleanup_free char *below = figure_caption(
        report, &figure,
        strdup("Medians of the time between stamps, by the host's clock; the work between ready "
               "and stopping is left out. Each bar has its own scale."),
        strdup("the whole, and the stages in their order."));
    if (!below)
        return error_no_memory(err);
    if (figure_rows_finish(&rows, &figure, "From launch to gone", "", below, err) < 0)
        return -1;
    figure_texts(&figure, "stages", (char *const *)(uintptr_t)stage_words, STAGES);
    double colors[STAGES];
    for (unsigned i = 0; i < STAGES; i++)
        colors[i] = stage_color(&figure, i);
    figure_numbers(&figure, "stage_colors", colors, STAGES);
    figure_number(&figure, "stage_count", STAGES);
    return drawing_add(drawing, &figure, err);
}

const struct figure_kind figure_timeline = {
    .name = "timeline",
    .summary = "start-up by stages",
    .script = "timeline.gp",
    .draw = draw_timeline,
};
