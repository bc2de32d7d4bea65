// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/gate_report.h"

#include <string.h>

const struct gate_writer *const gate_writers[] = {
    &gate_writer_terminal, &gate_writer_markdown, &gate_writer_json,   &gate_writer_junit,
    &gate_writer_tap,      &gate_writer_github,   &gate_writer_gitlab, NULL,
};

const struct gate_writer *gate_writer_find(const char *name) {
    for (const struct gate_writer *const *at = gate_writers; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}
