// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The outcome of a check, and the writers that turn it into what people and CI systems read: one
 * file a format, one line in gate_writers.c.
 */
#ifndef BOXMARK_PLOTS_GATE_REPORT_H
#define BOXMARK_PLOTS_GATE_REPORT_H

#include "results/gate.h"

#include <stdio.h>

struct gate_report {
    const struct gate_result *result;
    const char *baseline_path; /* as the user gave it: CI shows findings there */
    const char *run_folder;
    const char *created; /* of the run, as in run.json */
    unsigned retries;    /* times that suspicious metrics were measured again */
    unsigned columns;    /* of the terminal */
    bool color, ascii;
};

/* A check that came to no outcome. */
struct gate_failure {
    const char *baseline_path, *run_folder; /* as the user gave them; may be NULL */
    const char *message;
};

struct gate_writer {
    const char *name; /* as in --format */
    const char *summary;
    int (*write)(const struct gate_report *report, FILE *to, struct error **err);
    /* NULL: the format has no way to say that. */
    int (*write_failure)(const struct gate_failure *failure, FILE *to, struct error **err);
};

/* NULL-terminated; the first is the default. */
extern const struct gate_writer *const gate_writers[];
const struct gate_writer *gate_writer_find(const char *name); /* NULL: unknown */

extern const struct gate_writer gate_writer_terminal, gate_writer_markdown, gate_writer_json,
    gate_writer_junit, gate_writer_tap, gate_writer_github, gate_writer_gitlab;

#endif
