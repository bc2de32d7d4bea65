// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The change between the runs of a baseline and one later run, with its standard error: means of
 * logarithms trimmed by a fifth at each end (Yuen, Biometrika 61, 1974), so that a few odd starts
 * neither make nor hide a change; the variance of each run's own blocks, plus the variance between
 * runs in which nothing differs. Pure functions of numbers.
 */
#ifndef BOXMARK_RESULTS_GATE_ESTIMATE_H
#define BOXMARK_RESULTS_GATE_ESTIMATE_H

#include <stddef.h>

/* Trimmed mean of one run's blocks; `df` 0: too few for a standard error. */
struct gate_centre {
    double mean, variance; /* of the mean */
    double df;
};

/*
 * What disturbs blocks also comes in waves that are longer than a block, so that the blocks of one
 * run are alike in part: this share of their variance is taken to be common to the whole run.
 * Recorded runs on a busy machine showed 0.02 to 0.05 on average over their metrics.
 */
#define GATE_COMMON_SHARE 0.05

/* Sorts `values`. */
struct gate_centre gate_centre_of(double *values, size_t count);

struct gate_change {
    double before, now; /* logarithms */
    double error;       /* standard error of now - before */
    double df;
};

/*
 * `between` is the standard deviation between runs that is believed beforehand, with the weight of
 * GATE_PRIOR_DF runs; what the baseline's own runs show beyond their blocks' noise is weighed
 * against it. `runs` at least 1.
 */
#define GATE_PRIOR_DF 8
struct gate_change gate_change_of(const struct gate_centre *before, size_t runs,
                                  const struct gate_centre *now, double between);

/* How many standard errors one side of the interval is wide when each side may err by `alpha`. */
double gate_critical(double alpha, double df);

#endif
