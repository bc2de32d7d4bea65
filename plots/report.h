// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A report: what is known of a run, and the writers that turn it into a format. One struct of
 * functions, one file a format (terminal.c, markdown.c, ...), one line in writers.c.
 */
#ifndef BOXMARK_PLOTS_REPORT_H
#define BOXMARK_PLOTS_REPORT_H

#include "common/error.h"
#include "results/reference_judge.h"
#include "results/summary.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct report {
    const char *run_folder;
    const json_t *run; /* run.json (docs/schema.md) */
    const struct summary *summary;
    const json_t *audit;                     /* array of audit items, or NULL */
    const json_t *journal;                   /* array of journal.jsonl's entries, or NULL */
    const char *files_problem;               /* why its files are not as they were, or NULL */
    const struct claims *claims;             /* published ratios beside this run's, or NULL */
    const struct reference_data *references; /* for their citations, or NULL */
    unsigned columns;                        /* width of the terminal, 80 when unknown */
    bool color;                              /* a terminal that wants colour */
    bool ascii;                              /* the terminal shows nothing but ASCII */
    bool full;                               /* every metric, not the headlines alone */
};

struct report_comparison;

struct report_writer {
    const char *name;      /* as in --format */
    const char *extension; /* of a file */
    const char *summary;
    int (*write)(const struct report *report, FILE *to, struct error **err);
    /* Several runs side by side (plots/compare.h). */
    int (*compare)(const struct report_comparison *comparison, FILE *to, struct error **err);
};

/* NULL-terminated. */
extern const struct report_writer *const report_writers[];
const struct report_writer *report_writer_find(const char *name); /* NULL: unknown */
/* The same; ERROR_USAGE with the nearest name. */
int report_writer_named(const char *name, const struct report_writer **ret_writer,
                        struct error **err);

#endif
