// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Several runs side by side: ratios to the host of each run, whether they changed since the first
 * run, and what differs between the machines. Refused where the runs did not do the same work.
 */
#ifndef BOXMARK_RESULTS_COMPARISON_H
#define BOXMARK_RESULTS_COMPARISON_H

#include "results/statistics.h"
#include "results/summary.h"

#include <jansson.h>

/* Most runs of one comparison. */
#define COMPARISON_RUNS_MAX 16

/* One of the runs; everything is borrowed and outlives the comparison. */
struct compared_run {
    const char *name;      /* unique in the comparison */
    const char *folder;    /* as the user gave it */
    const json_t *record;  /* run.json */
    const json_t *journal; /* array of entries, or NULL */
    const struct summary *summary;
    const char *files_problem; /* why its files are not as they were written, or NULL */
};

/* What one run has of a row. */
struct comparison_cell {
    const struct summary_cell *cell;     /* NULL: not measured in this run */
    double change;                       /* this run's ratio over the first run's; NAN: none */
    double change_low, change_high;      /* NAN: no interval */
    enum verdict verdict;                /* of the change; none for the first run */
    const struct summary_metric *metric; /* the run's own; NULL as above */
};

/* One metric in one environment. KVM and TCG under the same label are two rows. */
struct comparison_row {
    const struct summary_metric *metric; /* of the first run that has it */
    const struct summary_environment *environment;
    bool reference;                /* ratios refer to this environment: it has none itself */
    struct comparison_cell *cells; /* one a run */
};

/* A fact that is not the same in all runs. */
struct comparison_difference {
    char *what;    /* "machine.kernel" */
    char **values; /* one a run; "" where a run does not have it */
};

struct comparison {
    unsigned run_count;
    const struct compared_run *runs;
    size_t row_count;
    struct comparison_row *rows; /* metrics together, environments in the order of the first run */
    size_t difference_count;
    struct comparison_difference *differences;
};

/*
 * `workloads` (NULL-terminated) selects; NULL selects all. ERROR_UNTRUSTWORTHY with advice where
 * the same workload has other parameters, gave another answer, or has a metric of another unit, and
 * where ratios do not refer to the same environment. ERROR_USAGE where nothing is left to compare.
 */
int comparison_make(const struct compared_run *runs, unsigned count, const char *const *workloads,
                    struct comparison **ret_comparison, struct error **err);

struct comparison *comparison_free(struct comparison *comparison);
static inline void comparison_cleanup(struct comparison **comparison) {
    comparison_free(*comparison);
}
#define cleanup_comparison CLEANUP(comparison)

/* Is this workload among the chosen ones (all, when there is no list)? */
bool comparison_has_workload(const char *const *workloads, const char *name);

/* Whether all runs did the same work (comparison_work.c). */
int comparison_check_work(const struct compared_run *runs, unsigned count,
                          const char *const *workloads, struct error **err);

/* Facts of the machines, environments and programs that differ (comparison_facts.c). */
int comparison_find_differences(struct comparison *comparison, struct error **err);

/*
 * Interval of the quotient of two estimates from their own intervals, on the scale of logarithms:
 * the method of variance estimates recovery (Zou and Donner, Statistics in Medicine 27, 2008),
 * which asks neither for symmetry nor for variances. NAN where one of them has none.
 */
struct interval comparison_quotient(double above, struct interval above_interval, double below,
                                    struct interval below_interval);

#endif
