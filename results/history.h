// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The summaries of many runs in one tidy CSV (docs/history.md): one row for each (run, metric,
 * environment). What is looked at over time are ratios to the host of the same run, which survive a
 * change of machines; absolute values only within one machine.
 */
#ifndef BOXMARK_RESULTS_HISTORY_H
#define BOXMARK_RESULTS_HISTORY_H

#include "results/change_points.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define HISTORY_SCHEMA_VERSION 1

struct history_row {
    int64_t time_s; /* of `created`, since 1970 */
    size_t order;   /* within the run */
    char *run;      /* id: begin of the SHA-256 of its run.json */
    char *created;  /* "2026-01-31T12:00:00Z" */
    char *boxmark, *kernel, *machine, *profile;
    char *work; /* begin of the SHA-256 of the workload's parameters */
    char *workload, *metric, *unit, *better, *environment, *accelerator, *verdict;
    bool headline;
    uint64_t blocks;
    double value;                        /* the median */
    double ratio, ratio_low, ratio_high; /* NAN: the reference itself, or unknown */
};

struct history {
    size_t count, capacity;
    struct history_row *rows;
    json_t *runs; /* {id: index of its first row} */
};

/* Reads a file; one that is not there is empty. ERROR_USAGE names file, line and column. */
int history_load(const char *path, struct history *history, struct error **err);
int history_read(FILE *file, const char *name, struct history *history, struct error **err);

/* Replaces the file in one step. */
int history_save(const char *path, const struct history *history, struct error **err);
int history_write(const struct history *history, FILE *to, struct error **err);

/*
 * Adds a run by the text of its run.json and its summary.json; *ret_added: it was not there before.
 * ERROR_USAGE: something is missing in them; ERROR_UNTRUSTWORTHY: the run is there already with
 * other figures.
 */
int history_add_run(struct history *history, const char *record_text, const json_t *record,
                    const json_t *summary, bool *ret_added, struct error **err);

/* By date, then run; *ret_moved (may be NULL): runs that stood before an older one. */
void history_sort(struct history *history, size_t *ret_moved);

size_t history_run_count(const struct history *history);

void history_clear(struct history *history);
static inline void history_cleanup(struct history *history) {
    history_clear(history);
}
#define cleanup_history CLEANUP(history)

/* One metric of one environment over time; everything but the arrays is borrowed. */
struct history_series {
    size_t count, capacity;
    const struct history_row **rows; /* by date */
    double *values;
    struct change_point *points;
    size_t point_count;
    bool absolute; /* values are medians in the row's unit, not ratios */
};

struct history_view {
    size_t count;
    struct history_series *series; /* in order of first appearance */
    /* Rows that the audit of their run made untrustworthy, by date: in no series, unless asked. */
    const struct history_row **untrustworthy;
    size_t untrustworthy_count, untrustworthy_capacity;
};

struct history_view_options {
    bool absolute; /* medians, machine by machine, in place of ratios */
    bool full;     /* every metric, not the headlines alone */
    bool all;      /* what is untrustworthy counts, too */
    struct change_point_options change;
};

/*
 * The series of a sorted history with their change points. Other parameters of the work or another
 * accelerator make another series.
 */
int history_view_make(const struct history *history, const struct history_view_options *options,
                      struct history_view *ret_view, struct error **err);

/* Would this row belong to the series? */
bool history_series_has(const struct history_series *series, const struct history_row *row);
bool history_row_untrustworthy(const struct history_row *row);

/* Is the change for the worse? Neither for a metric without a direction. */
bool history_is_worse(const struct history_series *series, const struct change_point *point);
bool history_is_better(const struct history_series *series, const struct change_point *point);

void history_view_clear(struct history_view *view);
static inline void history_view_cleanup(struct history_view *view) {
    history_view_clear(view);
}
#define cleanup_history_view CLEANUP(history_view)

#endif
