// SPDX-License-Identifier: GPL-3.0-or-later
/* What an environment takes beside time: medians over its instances, from the journal. */
#ifndef BOXMARK_PLOTS_FOOTPRINT_H
#define BOXMARK_PLOTS_FOOTPRINT_H

#include "plots/side_table.h"

/* NAN where the journal does not say. */
struct footprint_figures {
    unsigned instances;
    double image_bytes;
    double resident_bytes; /* proportional set size of all processes, after the work */
    double guest_bytes;    /* of these, memory of a guest; 0: there is no guest */
    double beyond_bytes;   /* the others: what the environment takes for itself */
    double idle_cpus;      /* CPUs kept busy while nothing was asked of it */
    double cpu_ns;
};

int footprint_of(const struct report *report, const char *environment,
                 struct footprint_figures *ret_figures, struct error **err);

/* One row an environment, as a side table. */
int footprint_table(const struct report *report, struct side_tables *tables, struct error **err);

/* The same for programs (docs/schema.md). */
int footprint_to_json(const struct report *report, json_t **ret_json, struct error **err);

#endif
