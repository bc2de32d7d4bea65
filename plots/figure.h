// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One figure on its way to gnuplot: variables (all text escaped) and data blocks that a script of
 * plots/ draws. Figures are kinds in a table: one file a kind, one line in gnuplot.c.
 */
#ifndef BOXMARK_PLOTS_FIGURE_H
#define BOXMARK_PLOTS_FIGURE_H

#include "plots/gnuplot.h"

struct figure {
    char *name;         /* of its files, harmless: "prime" */
    const char *script; /* "bars.gp" */
    unsigned width_px, height_px;
    bool paper;             /* serif, greys instead of colours */
    bool narrow;            /* one column of a paper: no words to the right of rows */
    FILE *variables, *data; /* memory streams over the two below */
    char *variables_text, *data_text;
    size_t variables_size, data_size;
    unsigned data_blocks;
};

void figure_cleanup(struct figure *figure);
#define cleanup_figure CLEANUP(figure)

struct drawing;

/* `name` is any text; what does not suit a file name becomes "_". */
int figure_begin(struct figure *figure, const struct drawing *drawing, const char *name,
                 const char *script, struct error **err);

/* Variables of the script: boxmark_NAME. Text may hold newlines; nothing else of it is special. */
void figure_number(struct figure *figure, const char *variable, double value);
void figure_text(struct figure *figure, const char *variable, const char *text);
/* Arrays. gnuplot has no empty ones: none is one NaN or empty text. NULL texts are empty. */
void figure_numbers(struct figure *figure, const char *variable, const double *values,
                    unsigned count);
void figure_texts(struct figure *figure, const char *variable, char *const *texts, unsigned count);

/* A path as gnuplot's string. */
void figure_put_path(FILE *to, const char *path);

/* Rows of numbers; a block ends with two empty lines and is gnuplot's next `index`. */
void figure_row(struct figure *figure, const double *values, unsigned count);
void figure_end_block(struct figure *figure);

/* What a kind of figure is: writes as many figures as it has into the run through `drawing`. */
struct figure_kind {
    const char *name; /* as in plot_options.figures */
    const char *summary;
    const char *script;
    int (*draw)(const struct report *report, struct drawing *drawing, struct error **err);
};

/* Runs gnuplot over a finished figure, in every format asked for. */
int drawing_add(struct drawing *drawing, struct figure *figure, struct error **err);

/* Figures of something that is no run: `draw` adds them. options->figures is not used. */
int plot_drawing(int (*draw)(const void *what, struct drawing *drawing, struct error **err),
                 const void *what, const struct plot_options *options, unsigned *ret_count,
                 struct error **err);

/* Sets what the drawing's style asks of a figure. */
void drawing_style(const struct drawing *drawing, struct figure *figure);

/*
 * Okabe and Ito's palette, which colour-blind people can tell apart, as 0xRRGGBB; on paper greys
 * that a copier can tell apart.
 */
unsigned figure_color(const struct figure *figure, unsigned index);

/*
 * Of how many values one is drawn as a point, so that a long run's picture stays a picture: every
 * first up to 400 values.
 */
unsigned figure_stride(unsigned count);

/* A round step that gives `most` ticks at most over this span. */
double figure_step(double span, unsigned most);

/* The overview of one report, or of several under their names. */
int overview_draw(const struct report *const *reports, const char *const *names, unsigned count,
                  struct drawing *drawing, struct error **err);

extern const struct figure_kind figure_bars;
extern const struct figure_kind figure_overview;
extern const struct figure_kind figure_timeline;
extern const struct figure_kind figure_distribution;
extern const struct figure_kind figure_series;
extern const struct figure_kind figure_ecdf;
extern const struct figure_kind figure_references;

#endif
