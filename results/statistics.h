// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The estimators. Pure functions of numbers: they know nothing of samples, files or verdicts.
 * What GSL has is GSL's (sorting, quantiles, MAD, distributions, generators); here stands only what
 * it lacks. Every figure that cannot be given is NAN. docs/method.md says why these were chosen and
 * what their measured coverage is.
 */
#ifndef BOXMARK_RESULTS_STATISTICS_H
#define BOXMARK_RESULTS_STATISTICS_H

#include "common/error.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both ends NAN: there is no interval at this confidence. */
struct interval {
    double low, high;
};
#define INTERVAL_NONE ((struct interval){.low = NAN, .high = NAN})

/* Median of values sorted upwards; of an even number the mean of the two in the middle. */
double statistics_median_sorted(const double *sorted, size_t count);

/* Reorders `values`. */
double statistics_median(double *values, size_t count);

/*
 * Median absolute deviation from the median, times 1.4826 so that it estimates the standard
 * deviation of normal data (Hampel, JASA 69, 1974). `scratch` holds `count` doubles.
 */
double statistics_mad(const double *values, size_t count, double *scratch);

/* Coefficient of variation: sample standard deviation / |mean|; NAN for fewer than two values. */
double statistics_variation(const double *values, size_t count);

/*
 * Harmonic mean, the mean of rates over equal work (Hoefler and Belli, SC 2015, rule 3); NAN unless
 * every value is positive.
 */
double statistics_harmonic_mean(const double *values, size_t count);

/*
 * Distribution-free interval of the median: two order statistics between which the median lies with
 * at least `confidence`, by the binomial distribution of the number of values below it (Conover,
 * "Practical Nonparametric Statistics", 3.2; David and Nagaraja, "Order Statistics", 7.1). At 95 %
 * it takes six values; fewer give INTERVAL_NONE.
 */
struct interval statistics_median_interval_exact(const double *sorted, size_t count,
                                                 double confidence);

/*
 * The same, interpolated between the two pairs of order statistics whose confidence encloses the
 * wanted one, since the exact interval's confidence moves in steps (97.9 % at ten values):
 * Hettmansperger and Sheather, Statistics & Probability Letters 4 (1986); coverage for skewed data:
 * Nyblom, ibid. 14 (1992).
 */
struct interval statistics_median_interval(const double *sorted, size_t count, double confidence);

/*
 * Percentile bootstrap interval of the median (Efron and Tibshirani, "An Introduction to the
 * Bootstrap", 1993, chapter 13): seeded, so that the same values give the same interval.
 */
int statistics_bootstrap_median(const double *sorted, size_t count, double confidence,
                                unsigned resamples, uint64_t seed, struct interval *ret_interval,
                                struct error **err);

/*
 * The interval of the headline ratios: the hull of the two above. Alone, the bootstrap of a median
 * covers as little as 87 % at small counts (seven values) and the interpolation 92 % where the
 * median lies between two modes; together they keep their promise (docs/method.md has the figures).
 */
int statistics_headline_interval(const double *sorted, size_t count, double confidence,
                                 unsigned resamples, uint64_t seed, struct interval *ret_interval,
                                 struct error **err);

/* The fewest values from which an interval of the median at this confidence exists: 6 at 95 %. */
unsigned statistics_values_needed(double confidence);

/*
 * Paired permutation test of "no difference" (Fisher 1935; Good, "Permutation, Parametric and
 * Bootstrap Tests of Hypotheses", 3.2): if the labels within a pair mean nothing, every difference
 * is as likely with the opposite sign. Two-sided p-value of |sum|. All 2^count sign patterns are
 * counted up to STATISTICS_EXACT_PAIRS pairs; beyond, `resamples` random ones, with the observed
 * one counted among them (Phipson and Smyth, SAGMB 9, 2010). NAN without differences.
 */
#define STATISTICS_EXACT_PAIRS 16
double statistics_sign_flip_p(const double *differences, size_t count, unsigned resamples,
                              uint64_t seed);

/*
 * Student's paired test (Biometrika 6, 1908) of "no difference": two-sided p-value of the mean of
 * the differences. For few pairs the sign patterns cannot give a p-value small enough for any
 * correction (2 / 2^n); to pool all values of both sides instead forgets the pairing, and with it
 * everything that blocks had in common. NAN for fewer than two differences.
 */
double statistics_paired_t_p(const double *differences, size_t count);

/* From so many pairs on the sign patterns have enough resolution: 2 / 2^10 is 0.002. */
#define STATISTICS_SIGN_FLIP_PAIRS 10

/*
 * Holm's step-down adjustment of p-values (Scandinavian Journal of Statistics 6, 1979), in place:
 * all adjusted values at or below a level together keep the chance of any false one at that level.
 * NANs are no tests and stay.
 */
int statistics_holm(double *p_values, size_t count, struct error **err);

/*
 * Mann-Kendall test of a monotonic trend of values in their order (Mann, Econometrica 13, 1945;
 * Kendall, "Rank Correlation Methods"): two-sided p-value, exact up to STATISTICS_EXACT_TREND
 * values without ties, else by the normal approximation with continuity and tie correction. NAN for
 * fewer than three values; 1 when all are equal.
 */
#define STATISTICS_EXACT_TREND 20
double statistics_trend_p(const double *values, size_t count);

/*
 * How many values are outliers: a modified z-score above 3.5 (Iglewicz and Hoaglin, "How to Detect
 * and Handle Outliers", 1993), that is |value - median| > 3.5 scaled MADs; where the MAD is 0, the
 * mean absolute deviation stands in. 0 for fewer than STATISTICS_OUTLIER_VALUES values, where the
 * MAD itself is too uncertain. `scratch` holds `count` doubles.
 */
#define STATISTICS_OUTLIER_VALUES 6
size_t statistics_outliers(const double *values, size_t count, double *scratch);

/*
 * The smallest relative difference that would have been called better or worse with probability
 * 0.8, had the truth been that: the equivalence margin plus the standard error that the interval of
 * the ratio implies times (z of the confidence + z of 0.8) (Cohen, "Statistical Power Analysis",
 * 1988; normal approximation on the logarithm). NAN without an interval.
 */
double statistics_detectable(struct interval ratio, double confidence, double margin);

#endif
