// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Figures by gnuplot: data files and a small prelude of variables are written, the script itself is
 * one of the installed, editable ones in plots/ (or the user's own).
 */
#ifndef BOXMARK_PLOTS_GNUPLOT_H
#define BOXMARK_PLOTS_GNUPLOT_H

#include "plots/report.h"

struct plot_options {
    const char *script_folder; /* where *.gp lie; NULL: installed or source folder, found */
    const char *formats;       /* "svg,png", "pdf" */
    const char *output_folder; /* RUN/plots */
    const char *figures;       /* "bars,overview"; NULL: PLOT_MAIN_FIGURES; "all" */
    const char *style;         /* "slide" (NULL), "paper" (two columns wide), "column" */
};

/* What is drawn when nothing is asked for. */
#define PLOT_MAIN_FIGURES "bars,overview,timeline"

/* What `figures` and `style` may name, one after another; NULL at the end. */
const char *plot_figure_name(unsigned index);
const char *plot_style_name(unsigned index);

/*
 * Draws the kinds of figures asked for in each format: "bars" for each measured workload,
 * "overview" of all ratios, "timeline" of start-up, "distribution", "series" (over the run) and
 * "ecdf" for each headline. *ret_count (may be NULL) is how many files
 * were written. ERROR_UNAVAILABLE with advice when gnuplot is not there.
 */
int plot_run(const struct report *report, const struct plot_options *options, unsigned *ret_count,
             struct error **err);

/*
 * One figure, "comparison": the ratios of several runs side by side, under these names. Whether the
 * runs did the same work is for the caller to check. options->figures is not used.
 */
int plot_comparison(const struct report *const *reports, const char *const *names, unsigned count,
                    const struct plot_options *options, unsigned *ret_count, struct error **err);

#endif
