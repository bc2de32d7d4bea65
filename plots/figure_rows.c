// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/figure_rows.h"

#include "common/file.h"
#include "common/text.h"

#include <math.h>
#include <string.h>

/* Widths of text in pixels at the sizes that common.gp sets. */
#define LABEL_PX 10.3
#define HEADING_PX 9.6
#define NOTE_PX 8.8
#define CAPTION_PX 7.4
#define CAPTION_LINE_PX 18.0
#define LABEL_LINE_PX 20.0
#define TOP_PX 64.0
#define TOP_DENSE_PX 88.0 /* a second scale stands below the title */
#define PICTURE_PX 400.0
#define PICTURE_NARROW_PX 250.0
/* Beyond so many rows they stand closer, and long labels make the page wider before taller. */
#define ROW_PX 29.0
#define ROW_DENSE_PX 19.0
enum {
    LABEL_COLUMNS = 44,
    LABEL_COLUMNS_NARROW = 24,
    LABEL_COLUMNS_DENSE = 80,
    DENSE_ROWS = 24,
    WIDTH_PX = 960,
    WIDTH_NARROW_PX = 560
};

void figure_rows_cleanup(struct figure_rows *rows) {
    for (unsigned i = 0; i < rows->count; i++) {
        free(rows->labels[i]);
        free(rows->values[i]);
        free(rows->notes[i]);
    }
    for (unsigned i = 0; i < rows->group_count; i++)
        free(rows->groups[i]);
    free(rows->labels);
    free(rows->values);
    free(rows->notes);
    free(rows->groups);
    free(rows->positions);
    free(rows->group_positions);
    *rows = (struct figure_rows){0};
}

static int grow_texts(char ***texts, unsigned count) {
    char **larger = realloc(*texts, (count + 1) * sizeof(*larger));
    if (!larger)
        return -1;
    *texts = larger;
    larger[count] = NULL;
    return 0;
}

static int grow_numbers(double **numbers, unsigned count) {
    double *larger = realloc(*numbers, (count + 1) * sizeof(*larger));
    if (!larger)
        return -1;
    *numbers = larger;
    return 0;
}

int figure_rows_group(struct figure_rows *rows, char *text, struct error **err) {
    if (!text || grow_texts(&rows->groups, rows->group_count) < 0 ||
        grow_numbers(&rows->group_positions, rows->group_count) < 0) {
        free(text);
        return error_no_memory(err);
    }
    rows->height += rows->group_count ? 1.25 : 0.75;
    rows->groups[rows->group_count] = text;
    rows->group_positions[rows->group_count++] = rows->height;
    return 0;
}

int figure_rows_add(struct figure_rows *rows, const char *title, char *value, char *note,
                    struct error **err) {
    char *label = text_clean(title);
    if (!label || !value || !note || grow_texts(&rows->labels, rows->count) < 0 ||
        grow_texts(&rows->values, rows->count) < 0 || grow_texts(&rows->notes, rows->count) < 0 ||
        grow_numbers(&rows->positions, rows->count) < 0) {
        free(label);
        free(value);
        free(note);
        return error_no_memory(err);
    }
    rows->labels[rows->count] = label;
    rows->values[rows->count] = value;
    rows->notes[rows->count] = note;
    rows->positions[rows->count++] = ++rows->height;
    return 0;
}

static unsigned line_count(const char *text) {
    unsigned lines = 1;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static unsigned widest_of(char *const *texts, unsigned count) {
    unsigned widest = 0;
    for (unsigned i = 0; i < count; i++) {
        cleanup_free char *copy = strdup(texts[i]);
        char *rest = copy;
        for (char *line; copy && (line = strsep(&rest, "\n"));)
            widest = text_width(line) > widest ? text_width(line) : widest;
    }
    return widest;
}

/* Long labels take several lines. */
static int wrap_labels(struct figure_rows *rows, unsigned columns, struct error **err) {
    rows->lines = 1;
    for (unsigned i = 0; i < rows->count; i++) {
        char *wrapped = text_wrap(rows->labels[i], columns);
        if (!wrapped)
            return error_no_memory(err);
        free(rows->labels[i]);
        rows->labels[i] = wrapped;
        unsigned lines = line_count(wrapped);
        rows->lines = lines > rows->lines ? lines : rows->lines;
    }
    return 0;
}

static int put_row_variables(const struct figure_rows *rows, struct figure *figure, double row_px,
                             struct error **err) {
    /* Labels of several lines hang from their first: lift them to the middle of the row. */
    cleanup_free double *label_y = calloc(rows->count + 1, sizeof(double));
    if (!label_y)
        return error_no_memory(err);
    for (unsigned i = 0; i < rows->count; i++)
        label_y[i] =
            rows->positions[i] - (line_count(rows->labels[i]) - 1) * LABEL_LINE_PX / 2 / row_px;
    figure_number(figure, "rows", rows->count);
    figure_numbers(figure, "row_y", rows->positions, rows->count);
    figure_numbers(figure, "label_y", label_y, rows->count);
    figure_texts(figure, "labels", rows->labels, rows->count);
    figure_texts(figure, "values", rows->values, rows->count);
    figure_texts(figure, "notes", rows->notes, rows->count);
    figure_number(figure, "groups", rows->group_count);
    figure_numbers(figure, "group_y", rows->group_positions, rows->group_count);
    figure_texts(figure, "group_labels", rows->groups, rows->group_count);
    figure_number(figure, "bar", fmin(0.36, 30 / row_px));
    figure_number(figure, "y_end", rows->height + 0.75);
    return 0;
}

int figure_rows_finish(struct figure_rows *rows, struct figure *figure, const char *title,
                       const char *axis, const char *caption, struct error **err) {
    bool narrow = figure->narrow, dense = rows->count > DENSE_ROWS;
    if (wrap_labels(rows,
                    narrow  ? LABEL_COLUMNS_NARROW
                    : dense ? LABEL_COLUMNS_DENSE
                            : LABEL_COLUMNS,
                    err) < 0)
        return -1;
    /* A narrow figure keeps the value of each row, and leaves out what else is known of it. */
    for (unsigned i = 0; narrow && i < rows->count; i++)
        rows->notes[i][0] = '\0';
    unsigned value_columns = widest_of(rows->values, rows->count);
    unsigned note_columns = narrow ? 0 : widest_of(rows->notes, rows->count);
    double left = fmax(widest_of(rows->labels, rows->count) * LABEL_PX + 24,
                       widest_of(rows->groups, rows->group_count) * HEADING_PX + 18);
    double values = value_columns ? value_columns * NOTE_PX + 18 : 0;
    double notes = note_columns ? note_columns * NOTE_PX + 12 : 0;
    double right = values + notes > 24 ? values + notes : 24;
    double width = left + right + (narrow ? PICTURE_NARROW_PX : PICTURE_PX);
    figure->width_px = (unsigned)fmax(width, narrow ? WIDTH_NARROW_PX : WIDTH_PX);
    cleanup_free char *below = text_wrap(caption, (unsigned)((figure->width_px - 40) / CAPTION_PX));
    if (!below)
        return error_no_memory(err);
    double caption_px = CAPTION_LINE_PX * line_count(below);
    double bottom = 66 + caption_px;
    double row = rows->lines > 1 ? LABEL_LINE_PX * rows->lines + (dense ? 2 : 8)
                 : dense         ? ROW_DENSE_PX
                                 : ROW_PX;
    double top = dense ? TOP_DENSE_PX : TOP_PX;
    double height = top + bottom + row * (rows->height + 0.75);
    /* Few rows still fill a slide, many make it taller; a column of a paper is not filled. */
    double least = narrow || figure->paper ? 0 : figure->width_px * 0.5625;
    figure->height_px = (unsigned)fmax(height, least);
    double row_px = (figure->height_px - top - bottom) / (rows->height + 0.5);
    if (put_row_variables(rows, figure, row_px, err) < 0)
        return -1;
    figure_text(figure, "title", title);
    figure_text(figure, "axis", axis);
    figure_text(figure, "caption", below);
    figure_number(figure, "words", 1);
    figure_number(figure, "left", left / figure->width_px);
    figure_number(figure, "right", 1 - right / figure->width_px);
    figure_number(figure, "value_x", 1 - (values + notes - 12) / figure->width_px);
    figure_number(figure, "note_x", 1 - notes / figure->width_px);
    figure_number(figure, "top", 1 - top / figure->height_px);
    figure_number(figure, "bottom", bottom / figure->height_px);
    figure_number(figure, "caption_y", (caption_px - 3) / figure->height_px);
    figure_number(figure, "axis_y", (bottom - 48) / figure->height_px);
    return 0;
}

char *figure_caption(const struct report *report, const struct figure *figure, char *text,
                     char *right) {
    const struct summary *summary = report->summary;
    cleanup_free char *below = text && right && *right && !figure->narrow
                                   ? text_format("%s Right: %s", text, right)
                               : text && right ? strdup(text)
                                               : NULL;
    free(text);
    free(right);
    for (unsigned i = 0; below && i < summary->environment_count; i++) {
        const char *accelerator = summary->environments[i].accelerator;
        bool emulated_kvm = strcmp(accelerator, "KVM emulated") == 0;
        if (strcmp(accelerator, "TCG") != 0 && !emulated_kvm)
            continue;
        char *longer = text_format("%s %s: %s.", below, summary->environments[i].label,
                                   emulated_kvm ? "emulated by KVM, not native"
                                                : "software emulation (TCG), not KVM");
        free(below);
        below = longer;
    }
    return below ? text_clean(below) : NULL;
}
