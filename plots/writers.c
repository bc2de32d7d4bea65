// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/writers.h"

#include "common/units.h"

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

int report_writer_named(const char *name, const struct report_writer **ret_writer,
                        struct error **err) {
    enum { WRITERS_MAX = 32 };
    const char *names[WRITERS_MAX + 1] = {NULL};
    for (unsigned i = 0; report_writers[i] && i < WRITERS_MAX; i++)
        names[i] = report_writers[i]->name;
    const struct report_writer *writer = report_writer_find(name);
    if (!writer)
        return error_unknown_name("format", name, names, err);
    *ret_writer = writer;
    return 0;
}
