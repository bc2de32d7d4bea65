// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The page that most figures share: one row for each environment, in groups with headings, labels
 * on the left, figures in words on the right, a title above, a caption below. The layout comes from
 * the texts, so that nothing overlaps and nothing is cut off.
 */
#ifndef BOXMARK_PLOTS_FIGURE_ROWS_H
#define BOXMARK_PLOTS_FIGURE_ROWS_H

#include "plots/figure.h"

struct figure_rows {
    unsigned count, group_count;
    char **labels, **values, **notes; /* count of each */
    char **groups;
    double *positions, *group_positions; /* y, growing downwards */
    double height;                       /* so far, in rows */
    unsigned lines;                      /* of the tallest label */
};

void figure_rows_cleanup(struct figure_rows *rows);
#define cleanup_figure_rows CLEANUP(figure_rows)

/* A heading; takes the text (NULL: out of memory). */
int figure_rows_group(struct figure_rows *rows, char *text, struct error **err);

/*
 * A row with its environment's title; takes value and note, the two columns of words (NULL: out of
 * memory). Its place is rows->positions[rows->count - 1].
 */
int figure_rows_add(struct figure_rows *rows, const char *title, char *value, char *note,
                    struct error **err);

/* Sets the figure's size and all variables of rows, places and texts. */
int figure_rows_finish(struct figure_rows *rows, struct figure *figure, const char *title,
                       const char *axis, const char *caption, struct error **err);

/*
 * The text, then what the words on the right are (where the figure has any), then a sentence for
 * every environment under software emulation; malloc'ed; takes both texts (NULL: out of memory).
 */
char *figure_caption(const struct report *report, const struct figure *figure, char *text,
                     char *right);

#endif
