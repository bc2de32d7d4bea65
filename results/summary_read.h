// SPDX-License-Identifier: GPL-3.0-or-later
/* The first half of a summary: the counted samples of a file, sorted into series. */
#ifndef BOXMARK_RESULTS_SUMMARY_READ_H
#define BOXMARK_RESULTS_SUMMARY_READ_H

#include "results/summary.h"

/* One counted sample. */
struct series_entry {
    uint64_t block, iteration;
    uint64_t order; /* in the file */
    double value;
};

/* All counted samples of one metric in one environment. */
struct series {
    unsigned environment, metric; /* indices into the summary's arrays */
    size_t count, capacity;
    struct series_entry *entries;
};

struct series_set {
    unsigned count, capacity;
    struct series *series;
};

/*
 * Fills the summary's environments and metrics (in order of first appearance, without cells), its
 * counters, and `set`.
 */
int summary_read(const char *path, struct summary *summary, struct series_set *set,
                 struct error **err);

/*
 * One value for each block, the median of its iterations; a restarted block counts from its restart
 * (sample.h). *ret_values and *ret_blocks are malloc'ed.
 */
int series_to_values(struct series *series, double **ret_values, uint64_t **ret_blocks,
                     unsigned *ret_count, uint64_t *ret_samples, uint64_t *ret_superseded,
                     struct error **err);

void series_set_clear(struct series_set *set);

#endif
