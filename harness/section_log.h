// SPDX-License-Identifier: GPL-3.0-or-later
/* What the host's disk did during each timed section of a request, for the fairness audit. */
#ifndef BOXMARK_HARNESS_SECTION_LOG_H
#define BOXMARK_HARNESS_SECTION_LOG_H

#include "harness/session.h"
#include "harness/witness.h"

struct section_log {
    const char *data_folder; /* borrowed; NULL: nothing is kept */
    struct disk_counters before;
    json_t *sections; /* array (docs/schema.md, "sections"), or NULL */
};

/* One line of a section has arrived (session_watch). */
void section_log_note(struct section_log *log, const struct session_sample *sample);

#endif
