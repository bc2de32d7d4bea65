// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where a series of measurements changed for good: E-divisive (Matteson and James, "A Nonparametric
 * Approach for Multiple Change Point Analysis of Multivariate Data", JASA 109, 2014) with Student's
 * t-test in place of random permutations, in windows, and with a second pass that takes back what
 * does not hold (Fleming, Kołaczkowski, Kumar, Das, McCarthy, Pattabhiraman and Ingo, "Hunter:
 * Using Change Point Detection to Hunt for Performance Regressions", ICPE 2023), as in Apache
 * Otava. Deterministic: the same series gives the same points. Pure functions of numbers.
 *
 * One thing is not as in Otava: the t-test takes the standard deviation of a sample (n - 1).
 */
#ifndef BOXMARK_RESULTS_CHANGE_POINTS_H
#define BOXMARK_RESULTS_CHANGE_POINTS_H

#include "common/error.h"

#include <stddef.h>

struct change_point_options {
    size_t window;     /* values looked at together; at least 2 */
    double max_p;      /* most p-value of a point that stays */
    double min_change; /* least relative change of a point that stays: 0.01 is 1 % */
};
extern const struct change_point_options change_point_defaults;

struct change_point {
    size_t index;         /* of the first value after the change */
    double before, after; /* means between this point and its neighbours (or the ends) */
    double change;        /* after / before - 1; NAN when before is 0 */
    double p_value;
};

/*
 * Points in their order; *ret_points is malloc'ed (NULL when there are none). Values are finite.
 * Fewer than three values have no change points.
 */
int change_points_find(const double *values, size_t count,
                       const struct change_point_options *options, struct change_point **ret_points,
                       size_t *ret_count, struct error **err);

/*
 * Two-sided p-value of Student's t-test of two samples with one variance (Biometrika 6, 1908); 1
 * where there are fewer than three values together or nothing differs.
 */
double change_points_t_p(const double *left, size_t left_count, const double *right,
                         size_t right_count);

#endif
