// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/headlines.h"

#include "bench/catalog.h"

bool catalog_is_headline(const char *workload, const char *metric) {
    const struct workload_description *description = workload_find(workload);
    const struct metric_description *found = description ? metric_find(description, metric) : NULL;
    return found && found->headline;
}
