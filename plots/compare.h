// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Several runs side by side in each format: one file a format (compare_FORMAT.c), reached through
 * the `compare` of struct report_writer. What they say in words is the same everywhere.
 */
#ifndef BOXMARK_PLOTS_COMPARE_H
#define BOXMARK_PLOTS_COMPARE_H

#include "plots/report.h"
#include "plots/words.h"
#include "results/comparison.h"

struct report_comparison {
    const struct comparison *comparison;
    unsigned columns; /* as in struct report */
    bool color, ascii, full;
};

int compare_terminal(const struct report_comparison *report, FILE *to, struct error **err);
int compare_html(const struct report_comparison *report, FILE *to, struct error **err);
int compare_markdown(const struct report_comparison *report, FILE *to, struct error **err);
int compare_latex(const struct report_comparison *report, FILE *to, struct error **err);
int compare_csv(const struct report_comparison *report, FILE *to, struct error **err);
int compare_json(const struct report_comparison *report, FILE *to, struct error **err);

/* Does this row stand in the table: a headline, or any when all are asked for. */
bool compare_shows(const struct report_comparison *report, const struct comparison_row *row);

/* One unit for all runs and environments of a row's metric. */
struct scale compare_scale(const struct comparison *comparison, const struct comparison_row *row);

/* The verdict on a run's own ratio: none where there is none. */
enum verdict compare_verdict(const struct comparison_row *row, unsigned run);

/* "kernel" for "machine.kernel". */
const char *compare_fact_name(const struct comparison_difference *difference);

/* "2026-01-01T00:00:00Z, quick, 6 blocks, finished, in DIR"; malloc'ed. */
char *compare_run_words(const struct report_comparison *report, unsigned run);

/* What columns and marks mean, then what must be known before the table is believed. */
int compare_legend(const struct report_comparison *report, struct text_list *list,
                   struct error **err);
int compare_warnings(const struct report_comparison *report, struct text_list *list,
                     struct error **err);

#endif
