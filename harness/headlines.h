// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOXMARK_HARNESS_HEADLINES_H
#define BOXMARK_HARNESS_HEADLINES_H

#include <stdbool.h>

/* Is this metric a headline of the catalog? For summary_options. */
bool catalog_is_headline(const char *workload, const char *metric);

#endif
