// SPDX-License-Identifier: GPL-3.0-or-later
/* A run folder opened for reading: everything that a report needs. */
#ifndef BOXMARK_HARNESS_RUN_VIEW_H
#define BOXMARK_HARNESS_RUN_VIEW_H

#include "plots/report.h"
#include "results/audit.h"

struct run_view {
    char *folder;
    json_t *record;  /* run.json */
    json_t *journal; /* array of entries; NULL when there is none */
    struct summary *summary;
    struct audit *audit;
    json_t *audit_json;
    char *files_problem; /* as integrity_note found it; NULL: none, or not looked for */
};

/* Reads and checks; ERROR_USAGE names file and line of what is wrong. */
int run_view_open(const char *folder, struct run_view *ret_view, struct error **err);
void run_view_clear(struct run_view *view);
#define cleanup_run_view __attribute__((cleanup(run_view_clear)))

/* summary.json as this version makes it of the run. */
int run_view_summary(const struct run_view *view, json_t **ret_json, struct error **err);

/* The one in the folder; NULL where there is none. ERROR_USAGE names the place that is wrong. */
int run_view_stored_summary(const char *folder, json_t **ret_json, struct error **err);

/* The view as a report; borrows from it. */
void run_view_report(const struct run_view *view, struct report *ret_report);

#endif
