// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/statistics.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

/* Power that "could have seen" means. */
#define DETECTABLE_POWER 0.8

DEFINE_CLEANUP(gsl_rng *, rng, gsl_rng_free, NULL);
#define cleanup_rng CLEANUP(rng)

/* A seeded generator; NULL when out of memory. */
static gsl_rng *rng_new(uint64_t seed) {
    /* GSL's default handler would abort the program. */
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_set_error_handler(handler);
    /* mt19937 takes 32 bits of seed: let all 64 matter. */
    if (rng)
        gsl_rng_set(rng, (unsigned long)((seed ^ (seed >> 32)) & UINT32_MAX));
    return rng;
}

double statistics_median_sorted(const double *sorted, size_t count) {
    return count ? gsl_stats_median_from_sorted_data(sorted, 1, count) : NAN;
}

double statistics_median(double *values, size_t count) {
    return count ? gsl_stats_median(values, 1, count) : NAN;
}

double statistics_mad(const double *values, size_t count, double *scratch) {
    return count ? gsl_stats_mad(values, 1, count, scratch) : NAN;
}

double statistics_variation(const double *values, size_t count) {
    if (count < 2)
        return NAN;
    double mean = gsl_stats_mean(values, 1, count);
    return mean != 0 ? gsl_stats_sd_m(values, 1, count, mean) / fabs(mean) : NAN;
}

double statistics_harmonic_mean(const double *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(values[i] > 0))
            return NAN;
        sum += 1 / values[i];
    }
    return count ? (double)count / sum : NAN;
}

/*
 * The largest rank k (from 1) such that the k-th smallest and the k-th largest value enclose the
 * median with at least this confidence; 0: none. *ret_confidence and *ret_next are the confidences
 * of ranks k and k + 1.
 */
static size_t median_rank(size_t count, double confidence, double *ret_confidence,
                          double *ret_next) {
    double below = 0; /* P(fewer than `rank` values lie below the median) */
    double reached = 1;
    for (size_t rank = 1; rank <= count / 2; rank++) {
        below += gsl_ran_binomial_pdf((unsigned)(rank - 1), 0.5, (unsigned)count);
        double covered = 1 - 2 * below;
        if (covered < confidence) {
            *ret_confidence = reached;
            *ret_next = covered;
            return rank - 1;
        }
        reached = covered;
    }
    /* Only when confidence is so small that the two middle values do. */
    *ret_confidence = *ret_next = reached;
    return count / 2;
}

struct interval statistics_median_interval_exact(const double *sorted, size_t count,
                                                 double confidence) {
    double reached, next;
    size_t rank = median_rank(count, confidence, &reached, &next);
    if (rank == 0)
        return INTERVAL_NONE;
    return (struct interval){.low = sorted[rank - 1], .high = sorted[count - rank]};
}

struct interval statistics_median_interval(const double *sorted, size_t count, double confidence) {
    double reached, next;
    size_t rank = median_rank(count, confidence, &reached, &next);
    if (rank == 0)
        return INTERVAL_NONE;
    double low = sorted[rank - 1], high = sorted[count - rank];
    if (!(reached > next) || 2 * rank >= count)
        return (struct interval){.low = low, .high = high};
    double position = (reached - confidence) / (reached - next);
    double n = (double)count, k = (double)rank;
    double weight = (n - k) * position / (k + (n - 2 * k) * position);
    return (struct interval){
        .low = low + weight * (sorted[rank] - low),
        .high = high - weight * (high - sorted[count - rank - 1]),
    };
}

/*
 * The median of one resample of `count` sorted values. Drawing with replacement is taking the value
 * at floor(count * u) for `count` uniform u; the median needs only the middle ones of the ordered
 * u, and those have known distributions (David and Nagaraja, "Order Statistics", 2.1 and 2.5): the
 * k-th of n is Beta(k, n + 1 - k), and the next one is the smallest of the n - k left above it. So
 * a resample takes two draws, not `count`.
 */
static double resampled_median(const double *sorted, size_t count, gsl_rng *rng) {
    size_t rank = (count + 1) / 2;
    double n = (double)count, k = (double)rank;
    double middle = gsl_ran_beta(rng, k, n + 1 - k);
    double lower = sorted[GSL_MIN((size_t)(middle * n), count - 1)];
    if (count % 2)
        return lower;
    double next = middle + (1 - middle) * (1 - pow(gsl_rng_uniform_pos(rng), 1 / (n - k)));
    double upper = sorted[GSL_MIN((size_t)(next * n), count - 1)];
    return lower + (upper - lower) / 2;
}

int statistics_bootstrap_median(const double *sorted, size_t count, double confidence,
                                unsigned resamples, uint64_t seed, struct interval *ret_interval,
                                struct error **err) {
    if (count < 2 || resamples == 0) {
        *ret_interval = INTERVAL_NONE;
        return 0;
    }
    cleanup_rng gsl_rng *rng = rng_new(seed);
    cleanup_free double *medians = calloc(resamples, sizeof(*medians));
    if (!rng || !medians)
        return error_no_memory(err);
    for (unsigned r = 0; r < resamples; r++)
        medians[r] = resampled_median(sorted, count, rng);
    gsl_sort(medians, 1, resamples);
    double tail = (1 - confidence) / 2;
    *ret_interval = (struct interval){
        .low = gsl_stats_quantile_from_sorted_data(medians, 1, resamples, tail),
        .high = gsl_stats_quantile_from_sorted_data(medians, 1, resamples, 1 - tail),
    };
    return 0;
}

int statistics_headline_interval(const double *sorted, size_t count, double confidence,
                                 unsigned resamples, uint64_t seed, struct interval *ret_interval,
                                 struct error **err) {
    struct interval hull = statistics_median_interval(sorted, count, confidence);
    struct interval bootstrap = INTERVAL_NONE;
    if (!isnan(hull.low)) {
        if (statistics_bootstrap_median(sorted, count, confidence, resamples, seed, &bootstrap,
                                        err) < 0)
            return -1;
        hull.low = fmin(hull.low, bootstrap.low);
        hull.high = fmax(hull.high, bootstrap.high);
    }
    *ret_interval = hull;
    return 0;
}

unsigned statistics_values_needed(double confidence) {
    unsigned count = 2;
    while (1 - pow(0.5, count - 1) < confidence)
        count++;
    return count;
}

/* As large as the observed sum, up to rounding: equal sums must count as equal. */
static bool is_as_extreme(double sum, double observed, double scale) {
    return fabs(sum) >= fabs(observed) - 1e-12 * scale;
}

static double sign_flip_exact(const double *differences, size_t count, double observed,
                              double scale) {
    /* Gray code: every pattern differs from the one before in one sign. The first sign stays, since
     * a pattern and its opposite have the same |sum|. */
    double signs[STATISTICS_EXACT_PAIRS];
    double sum = observed;
    for (size_t i = 0; i < count; i++)
        signs[i] = 1;
    uint32_t patterns = UINT32_C(1) << (count - 1), extreme = 1;
    for (uint32_t pattern = 1; pattern < patterns; pattern++) {
        size_t flipped = (size_t)__builtin_ctz(pattern);
        signs[flipped] = -signs[flipped];
        sum += 2 * signs[flipped] * differences[flipped];
        extreme += is_as_extreme(sum, observed, scale);
    }
    return (double)extreme / patterns;
}

double statistics_sign_flip_p(const double *differences, size_t count, unsigned resamples,
                              uint64_t seed) {
    if (count == 0)
        return NAN;
    double observed = 0, scale = 0;
    for (size_t i = 0; i < count; i++) {
        observed += differences[i];
        scale += fabs(differences[i]);
    }
    if (count <= STATISTICS_EXACT_PAIRS)
        return sign_flip_exact(differences, count, observed, scale);
    cleanup_rng gsl_rng *rng = rng_new(seed);
    if (!rng || resamples == 0)
        return NAN;
    unsigned extreme = 1;
    for (unsigned r = 0; r < resamples; r++) {
        double sum = 0;
        unsigned long signs = 0; /* mt19937 gives 32 of them at a time */
        for (size_t i = 0; i < count; i++, signs >>= 1) {
            if (i % 32 == 0)
                signs = gsl_rng_get(rng);
            sum += signs & 1 ? differences[i] : -differences[i];
        }
        extreme += is_as_extreme(sum, observed, scale);
    }
    return (double)extreme / (resamples + 1.0);
}

double statistics_paired_t_p(const double *differences, size_t count) {
    if (count < 2)
        return NAN;
    double mean = gsl_stats_mean(differences, 1, count);
    double error = gsl_stats_sd_m(differences, 1, count, mean) / sqrt((double)count);
    if (!(error > 0))
        return mean == 0 ? 1 : 0;
    return 2 * gsl_cdf_tdist_Q(fabs(mean) / error, (double)count - 1);
}

int statistics_holm(double *p_values, size_t count, struct error **err) {
    cleanup_free size_t *order = calloc(count + 1, sizeof(*order));
    cleanup_free double *tests = calloc(count + 1, sizeof(*tests));
    cleanup_free size_t *indices = calloc(count + 1, sizeof(*indices));
    if (!order || !tests || !indices)
        return error_no_memory(err);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(p_values[i])) {
            tests[kept] = p_values[i];
            indices[kept++] = i;
        }
    gsl_sort_index(order, tests, 1, kept);
    double highest = 0;
    for (size_t i = 0; i < kept; i++) {
        double adjusted = fmin(1, tests[order[i]] * (double)(kept - i));
        highest = fmax(highest, adjusted);
        p_values[indices[order[i]]] = highest;
    }
    return 0;
}

/* Kendall's S: pairs that rise minus pairs that fall; *ret_ties: whether any two are equal. */
static double kendall_s(const double *values, size_t count, bool *ret_ties) {
    double s = 0;
    *ret_ties = false;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            s += (values[j] > values[i]) - (values[j] < values[i]);
            *ret_ties |= values[j] == values[i];
        }
    return s;
}

/* P(|S| >= |s|) over all orders of `count` different values, by the number of inversions. */
static double kendall_exact_p(size_t count, double s) {
    double probability[STATISTICS_EXACT_TREND * (STATISTICS_EXACT_TREND - 1) / 2 + 1] = {1};
    size_t most = 0; /* inversions possible so far */
    for (size_t n = 2; n <= count; n++) {
        /* The n-th value adds 0 .. n-1 inversions, each with probability 1/n; downwards in place.
         */
        most += n - 1;
        for (size_t k = most + 1; k-- > 0;) {
            double sum = 0;
            for (size_t added = 0; added < n && added <= k; added++)
                sum += probability[k - added];
            probability[k] = sum / (double)n;
        }
    }
    size_t pairs = count * (count - 1) / 2;
    size_t fewer = (size_t)(((double)pairs - fabs(s)) / 2);
    double tail = 0;
    for (size_t k = 0; k <= fewer; k++)
        tail += probability[k];
    return fmin(1, 2 * tail);
}

/* Variance of S under ties: sum over groups of t equal values (Kendall, chapter 4). */
static double kendall_variance(const double *values, size_t count) {
    double n = (double)count;
    double sum = n * (n - 1) * (2 * n + 5);
    for (size_t i = 0; i < count; i++) {
        bool first = true;
        double equal = 0;
        for (size_t j = 0; j < count; j++)
            if (values[j] == values[i]) {
                first &= j >= i;
                equal++;
            }
        if (first)
            sum -= equal * (equal - 1) * (2 * equal + 5);
    }
    return sum / 18;
}

double statistics_trend_p(const double *values, size_t count) {
    if (count < 3)
        return NAN;
    bool ties;
    double s = kendall_s(values, count, &ties);
    if (!ties && count <= STATISTICS_EXACT_TREND)
        return kendall_exact_p(count, s);
    double variance = kendall_variance(values, count);
    if (!(variance > 0) || s == 0)
        return 1;
    return 2 * gsl_cdf_ugaussian_Q((fabs(s) - 1) / sqrt(variance));
}

size_t statistics_outliers(const double *values, size_t count, double *scratch) {
    if (count < STATISTICS_OUTLIER_VALUES)
        return 0;
    for (size_t i = 0; i < count; i++)
        scratch[i] = values[i];
    double median = gsl_stats_median(scratch, 1, count);
    double scale = gsl_stats_mad(values, 1, count, scratch);
    if (!(scale > 0)) /* 1.253314 = sqrt(pi / 2): makes it the standard deviation of normal data */
        scale = 1.253314 * gsl_stats_absdev_m(values, 1, count, median);
    size_t outliers = 0;
    for (size_t i = 0; i < count; i++)
        outliers += fabs(values[i] - median) > 3.5 * scale;
    return outliers;
}

double statistics_detectable(struct interval ratio, double confidence, double margin) {
    if (!(ratio.low > 0) || !(ratio.high >= ratio.low))
        return NAN;
    double z = gsl_cdf_ugaussian_Pinv(1 - (1 - confidence) / 2);
    double error = (log(ratio.high) - log(ratio.low)) / (2 * z);
    return (1 + margin) * exp(error * (z + gsl_cdf_ugaussian_Pinv(DETECTABLE_POWER))) - 1;
}
