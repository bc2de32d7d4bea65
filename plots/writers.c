// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/writers.h"

#include <string.h>

const struct report_writer *const report_writers[] = {
    &writer_terminal, &writer_html, &writer_markdown, &writer_latex, &writer_csv,
    &writer_json,     NULL,
};

const struct report_writer *report_writer_find(const char *name) {
    for (const struct report_writer *const *at = report_writers; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}
