// SPDX-License-Identifier: GPL-3.0-or-later
/* What an environment takes beside time: medians over its instances, from the journal. */
#ifndef BOXMARK_PLOTS_FOOTPRINT_H
#define BOXMARK_PLOTS_FOOTPRINT_H

#include "plots/report.h"

/* NAN where the journal does not say. */
struct footprint_figures {
    unsigned instances;
    double image_bytes, resident_bytes, cpu_ns;
};

int footprint_of(const struct report *report, const char *environment,
                 struct footprint_figures *ret_figures, struct error **err);

#endif
