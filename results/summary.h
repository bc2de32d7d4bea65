// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the samples of a run say: for every (workload, metric) one row, in it one cell for every
 * environment, with intervals and a verdict. Derived from samples.csv alone; everything that
 * reports shows comes from here.
 *
 * The unit of independence is the block: all iterations of one metric in one instance become one
 * value (their median; warm-ups not counted), and intervals go across blocks (docs/method.md).
 */
#ifndef BOXMARK_RESULTS_SUMMARY_H
#define BOXMARK_RESULTS_SUMMARY_H

#include "common/error.h"
#include "results/sample.h"
#include "results/verdict.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reported, never silently corrected; bits of summary_cell.flags. */
enum summary_flag {
    SUMMARY_TOO_FEW_BLOCKS = 1 << 0, /* no interval can be given at this confidence */
    SUMMARY_DRIFT = 1 << 1,          /* values move with time across blocks */
    SUMMARY_OUTLIERS = 1 << 2,
    SUMMARY_NOT_POSITIVE = 1 << 3, /* a value is zero or negative: it has no ratio */
};

struct summary_options {
    const char *reference; /* label of the environment that ratios refer to: "host" */
    double confidence;     /* 0.95 */
    double margin;         /* equivalence margin of the ratio: 0.01 is 1 % */
    unsigned resamples;    /* bootstrap: 10000 */
    uint64_t seed;
    /* Which metrics are headlines; the summary itself does not know the catalog. May be NULL. */
    bool (*is_headline)(const char *workload, const char *metric);
};
extern const struct summary_options summary_defaults;

/* One (workload, metric, environment). Figures that cannot be given are NAN. */
struct summary_cell {
    unsigned blocks;                        /* independent values; 0: never measured */
    uint64_t samples;                       /* counted samples, warm-ups not included */
    double *values;                         /* one a block, in order of blocks */
    uint64_t *value_blocks;                 /* the block of each value */
    double median, median_low, median_high; /* nonparametric interval of the median */
    double minimum, maximum;
    double mad;       /* median absolute deviation, scaled by 1.4826 */
    double variation; /* coefficient of variation: standard deviation / mean */
    /* Ratio to the reference, paired within blocks; NAN for the reference itself. */
    unsigned pairs;
    double ratio, ratio_low, ratio_high;
    double p_value, p_holm; /* paired test of "no difference"; Holm over all headlines */
    double detectable;      /* smallest relative difference this run could have seen; NAN unknown */
    enum verdict verdict;
    char *reason; /* why untrustworthy, inconclusive or without figures, in words; or NULL */
    unsigned flags;
};

struct summary_metric {
    char *workload, *metric, *unit, *better;
    bool headline;
    struct summary_cell *cells; /* environment_count of them */
};

struct summary_environment {
    char *label;
    char *accelerator; /* "none", "KVM", "TCG"; "mixed" if samples disagree */
    char *title;       /* label with its accelerator: "vm (TCG)" */
};

struct summary {
    bool has_reference; /* false: nothing of the reference was measured, there are no ratios */
    unsigned environment_count;
    struct summary_environment *environments; /* in order of first appearance, reference first */
    unsigned metric_count;
    struct summary_metric *metrics; /* in order of first appearance, workloads kept together */
    uint64_t sample_count;
    uint64_t superseded_count; /* rows replaced by a later start of the same block (--resume) */
    bool half_row_dropped;
    struct summary_options options; /* the reference's label is the summary's own copy */
};

/*
 * Reads samples.csv as a stream: one value is kept for each counted row, no row itself. Rows may
 * come in any order of blocks. Options out of range, a metric whose unit or direction changes
 * within the file and a file without counted samples are errors.
 */
int summary_build(const char *samples_path, const struct summary_options *options,
                  struct summary **ret_summary, struct error **err);

/*
 * Marks cells as untrustworthy: `workload` and `metric` may be NULL for "all of them". Used by the
 * fairness audit. The figures stay; the verdict goes. What is wrong with the reference touches all
 * environments, since every ratio is over it.
 */
void summary_distrust(struct summary *summary, const char *environment, const char *workload,
                      const char *metric, const char *reason);

/*
 * Puts environments and workloads into the given order (NULL-terminated lists of names; those that
 * are not named follow, in their old order); metrics of a workload stay in theirs.
 */
int summary_reorder(struct summary *summary, const char *const *environments,
                    const char *const *workloads, struct error **err);

const struct summary_metric *summary_find(const struct summary *summary, const char *workload,
                                          const char *metric);

/* Version of summary.json. */
#define SUMMARY_SCHEMA_VERSION 1

/* summary.json (docs/schema.md). */
int summary_to_json(const struct summary *summary, json_t **ret_json, struct error **err);

struct summary *summary_free(struct summary *summary); /* NULL is fine; returns NULL */
static inline void summary_cleanup(struct summary **summary) {
    summary_free(*summary);
}
#define cleanup_summary CLEANUP(summary)

#endif
