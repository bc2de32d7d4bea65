// SPDX-License-Identifier: GPL-3.0-or-later
/* The counted samples of the headlines themselves, where the summary's one value a block is not
 * enough: read from samples.csv as a stream. */
#ifndef BOXMARK_PLOTS_SAMPLE_VALUES_H
#define BOXMARK_PLOTS_SAMPLE_VALUES_H

#include "plots/report.h"

struct sample_list {
    double *values; /* sorted once loaded */
    size_t count, capacity;
    uint64_t block, iteration; /* of the last one */
    size_t block_start;        /* where that block's values begin */
};

/* One list for each headline and environment. */
struct sample_values {
    unsigned metric_count, environment_count;
    struct sample_list *lists;
};

/*
 * Values of a block that was started again take the place of the earlier ones, as in the summary.
 * ERROR_USAGE names file and line of what is wrong.
 */
int sample_values_load(const struct report *report, struct sample_values *ret_values,
                       struct error **err);
const struct sample_list *sample_values_of(const struct sample_values *values, unsigned metric,
                                           unsigned environment);
void sample_values_cleanup(struct sample_values *values);
#define cleanup_sample_values CLEANUP(sample_values)

#endif
