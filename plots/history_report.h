// SPDX-License-Identifier: GPL-3.0-or-later
/* What a history says, in the formats of reports: every series, and where it changed. */
#ifndef BOXMARK_PLOTS_HISTORY_REPORT_H
#define BOXMARK_PLOTS_HISTORY_REPORT_H

#include "plots/gnuplot.h"
#include "results/history.h"

#include <stdio.h>

struct history_report {
    const struct history *history;
    const struct history_view *view;
    struct history_view_options options;
    unsigned columns; /* of the terminal */
    bool ascii;
};

struct history_writer {
    const char *name; /* as in --format */
    int (*write)(const struct history_report *report, FILE *to, struct error **err);
};

/* Ends with a NULL name. */
extern const struct history_writer history_writers[];

/* "zip time" */
char *history_metric_words(const struct history_series *series);
/* "vm (TCG)" */
char *history_environment_words(const struct history_series *series);
/* "3 values of 2 runs are untrustworthy: they are left out (--untrustworthy takes them in)"; "". */
char *history_untrustworthy_words(const struct history_report *report);
/*
 * What else was not the same before and after a point: "boxmark 0.1.0 -> 0.2.0, kernel ..."; ""
 * when nothing that is recorded.
 */
char *history_point_reason(const struct history_series *series, const struct change_point *point);

/* One figure a metric, its environments over time with their change points (history_figure.c). */
int plot_history(const struct history_report *report, const struct plot_options *options,
                 unsigned *ret_count, struct error **err);

/*
 * For Apache Otava: CSV files with a time column and one column a metric, and the otava.yaml that
 * names them (history_otava.c). Series of other runs stand in another file, since Otava's importer
 * knows no empty fields.
 */
int history_export_otava(const struct history_report *report, const char *folder,
                         unsigned *ret_files, struct error **err);

#endif
