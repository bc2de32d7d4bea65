// SPDX-License-Identifier: GPL-3.0-or-later
/* Where the outcome of a check goes: formats to files or to standard output. */
#ifndef BOXMARK_HARNESS_GATE_OUTPUT_H
#define BOXMARK_HARNESS_GATE_OUTPUT_H

#include "plots/gate_report.h"

struct gate_output {
    char *text; /* of the option: FORMAT or FORMAT=FILE; owned */
    const struct gate_writer *writer;
    const char *path; /* NULL: standard output */
};

int gate_outputs_write(const struct gate_output *outputs, unsigned count,
                       const struct gate_report *report, struct error **err);

/*
 * There is no outcome: files of an earlier check must not be taken for one. A format that can say
 * what went wrong does; another one's regular file is removed.
 */
void gate_outputs_fail(const struct gate_output *outputs, unsigned count,
                       const struct gate_failure *failure);

#endif
