// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Reference values without another source are computed with R 4.2.2: median, mad, sd, cor.test
 * (method "kendall"), p.adjust (method "holm"), qbinom and full enumeration with expand.grid.
 */
#include "tests/unit/unit.h"

#include "results/statistics.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define assert_near(actual, expected)                                                              \
    do {                                                                                           \
        double actual_ = (actual), expected_ = (expected);                                         \
        if (!(fabs(actual_ - expected_) <= 1e-12 * fmax(1, fabs(expected_))))                      \
            fail_msg("%.17g is not %.17g", actual_, expected_);                                    \
    } while (0)

static const double plain[] = {41.27, 41.20, 40.05, 41.25, 39.9, 42.3, 40.8, 41.1, 40.6, 43.9};
static const double sorted[] = {39.9, 40.05, 40.6, 40.8, 41.1, 41.20, 41.25, 41.27, 42.3, 43.9};

static void describes_as_r_does(void **state) {
    (void)state;
    double scratch[COUNT(plain)];
    memcpy(scratch, plain, sizeof(plain));
    assert_near(statistics_median(scratch, COUNT(plain)), 41.15);
    assert_near(statistics_median_sorted(sorted, COUNT(sorted)), 41.15);
    assert_near(statistics_median_sorted(sorted, 3), 40.05);
    /* R's factor is 1.4826, GSL's has all digits. */
    assert_near(statistics_mad(plain, COUNT(plain), scratch), 0.45 * 1.482602218505602);
    assert_near(statistics_variation(plain, COUNT(plain)), 0.0280437805989258);
    assert_near(statistics_harmonic_mean(plain, COUNT(plain)), 41.2086765519887);
}

static void says_when_a_figure_does_not_exist(void **state) {
    (void)state;
    double scratch[4];
    static const double zero[] = {1, 0, 2}, opposite[] = {-1, 1}, negative[] = {-3, -1};
    assert_true(isnan(statistics_median(scratch, 0)));
    assert_true(isnan(statistics_median_sorted(sorted, 0)));
    assert_true(isnan(statistics_mad(sorted, 0, scratch)));
    assert_true(isnan(statistics_variation(sorted, 1)));
    assert_true(isnan(statistics_variation(opposite, 2)));
    assert_near(statistics_variation(negative, 2), sqrt(2) / 2);
    assert_true(isnan(statistics_harmonic_mean(zero, 3)));
    assert_true(isnan(statistics_harmonic_mean(negative, 2)));
    assert_true(isnan(statistics_harmonic_mean(zero, 0)));
    assert_true(isnan(statistics_sign_flip_p(sorted, 0, 100, 1)));
    assert_true(isnan(statistics_trend_p(sorted, 2)));
    assert_true(isnan(statistics_detectable(INTERVAL_NONE, 0.95, 0.01)));
    assert_true(isnan(statistics_detectable((struct interval){0, 1}, 0.95, 0.01)));
}

/* Ranks by the table of the sign test, for instance Conover's A3: 6 values (1, 6), 10: (2, 9), 20:
 * (6, 15) at 95 %. */
static void exact_interval_takes_the_tabulated_ranks(void **state) {
    (void)state;
    static const struct {
        size_t count;
        double confidence;
        double low, high; /* ranks; 0: none */
    } cases[] = {
        {1, 0.95, 0, 0},   {5, 0.95, 0, 0},   {6, 0.95, 1, 6},   {8, 0.95, 1, 8},
        {9, 0.95, 2, 8},   {10, 0.95, 2, 9},  {11, 0.95, 2, 10}, {12, 0.95, 3, 10},
        {15, 0.95, 4, 12}, {20, 0.95, 6, 15}, {25, 0.95, 8, 18}, {10, 0.99, 1, 10},
        {7, 0.99, 0, 0},   {8, 0.99, 1, 8},
    };
    double ranks[32];
    for (size_t i = 0; i < COUNT(ranks); i++)
        ranks[i] = (double)i + 1;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct interval interval =
            statistics_median_interval_exact(ranks, cases[i].count, cases[i].confidence);
        if (cases[i].low == 0) {
            assert_true(isnan(interval.low) && isnan(interval.high));
        } else if (interval.low != cases[i].low || interval.high != cases[i].high) {
            fail_msg("%zu values: ranks %g and %g", cases[i].count, interval.low, interval.high);
        }
    }
    assert_int_equal(statistics_values_needed(0.95), 6);
    assert_int_equal(statistics_values_needed(0.99), 8);
    assert_int_equal(statistics_values_needed(0.5), 2);
}

static void interpolated_interval_is_hettmansperger_and_sheathers(void **state) {
    (void)state;
    static const double first_seven[] = {39.9, 40.05, 40.8, 41.20, 41.25, 41.27, 42.3};
    static const double first_six[] = {39.9, 40.05, 41.20, 41.25, 41.27, 42.3};
    struct interval interval = statistics_median_interval(sorted, 10, 0.95);
    assert_near(interval.low, 40.4117117117117);
    assert_near(interval.high, 41.6226126126126);
    interval = statistics_median_interval(sorted, 10, 0.99);
    assert_near(interval.low, 40.029469273743);
    assert_near(interval.high, 42.5189944134078);
    interval = statistics_median_interval(first_seven, 7, 0.95);
    assert_near(interval.low, 40.01);
    assert_near(interval.high, 41.5446666666667);
    interval = statistics_median_interval(first_six, 6, 0.95);
    assert_near(interval.low, 39.9535714285714);
    assert_near(interval.high, 41.9321428571428);
    assert_true(isnan(statistics_median_interval(sorted, 5, 0.95).low));
}

/*
 * The quick way of drawing a resample's median must have the distribution of the slow way. All
 * resamples of five and of four values, counted: quantiles that lie well inside a step.
 */
static void bootstrap_has_the_distribution_of_all_resamples(void **state) {
    (void)state;
    static const double five[] = {1, 2, 3, 4, 5};
    static const double four[] = {40.05, 41.20, 41.25, 41.27};
    struct interval interval;
    cleanup_error struct error *err = NULL;
    /* P(median <= 1..5) = 0.058, 0.317, 0.683, 0.942, 1 */
    assert_int_equal(statistics_bootstrap_median(five, 5, 0.90, 20000, 1, &interval, &err), 0);
    assert_near(interval.low, 1);
    assert_near(interval.high, 5);
    assert_int_equal(statistics_bootstrap_median(five, 5, 0.86, 20000, 1, &interval, &err), 0);
    assert_near(interval.low, 2);
    assert_near(interval.high, 4);
    /* The median of four: 10 values; P(<= 40.05) = 0.051, P(<= 40.625) = 0.168,
     * P(<= 41.25) = 0.832, P(<= 41.26) = 0.949. */
    assert_int_equal(statistics_bootstrap_median(four, 4, 0.80, 20000, 7, &interval, &err), 0);
    assert_near(interval.low, 40.625);
    assert_near(interval.high, 41.26);
    assert_int_equal(statistics_bootstrap_median(four, 4, 0.50, 20000, 7, &interval, &err), 0);
    assert_near(interval.low, 40.66);
    assert_near(interval.high, 41.25);
}

static void bootstrap_repeats_with_its_seed(void **state) {
    (void)state;
    struct interval first, again, other;
    cleanup_error struct error *err = NULL;
    assert_int_equal(statistics_bootstrap_median(sorted, 10, 0.95, 1000, 42, &first, &err), 0);
    assert_int_equal(statistics_bootstrap_median(sorted, 10, 0.95, 1000, 42, &again, &err), 0);
    assert_true(first.low == again.low && first.high == again.high);
    /* All 64 bits of the seed count: many other ones give at least one other interval. */
    bool differs = false;
    for (uint64_t seed = 1; seed < 20; seed++) {
        assert_int_equal(
            statistics_bootstrap_median(sorted, 10, 0.95, 1000, seed << 40, &other, &err), 0);
        differs |= other.low != first.low || other.high != first.high;
    }
    assert_true(differs);
    assert_int_equal(statistics_bootstrap_median(sorted, 1, 0.95, 1000, 1, &other, &err), 0);
    assert_true(isnan(other.low));
}

static void headline_interval_holds_both_parts(void **state) {
    (void)state;
    struct interval hull, bootstrap;
    cleanup_error struct error *err = NULL;
    for (size_t count = 0; count <= COUNT(sorted); count++) {
        assert_int_equal(statistics_headline_interval(sorted, count, 0.95, 10000, 3, &hull, &err),
                         0);
        struct interval ordered = statistics_median_interval(sorted, count, 0.95);
        if (count < 6) {
            assert_true(isnan(hull.low) && isnan(hull.high));
            continue;
        }
        assert_int_equal(
            statistics_bootstrap_median(sorted, count, 0.95, 10000, 3, &bootstrap, &err), 0);
        assert_true(hull.low == fmin(ordered.low, bootstrap.low));
        assert_true(hull.high == fmax(ordered.high, bootstrap.high));
    }
}

/* Student (1908), table of ten patients' additional hours of sleep by two drugs: mean of the
 * differences 1.58, standard deviation 1.2300, t = 4.0621 with 9 degrees of freedom; p by R's
 * t.test. */
static void paired_t_is_students(void **state) {
    (void)state;
    static const double sleep[] = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};
    assert_near(statistics_paired_t_p(sleep, 10), 0.00283289019738427);
    static const double equal[] = {2, 2, 2}, none[] = {0, 0, 0};
    assert_near(statistics_paired_t_p(equal, 3), 0);
    assert_near(statistics_paired_t_p(none, 3), 1);
    assert_true(isnan(statistics_paired_t_p(equal, 1)));
}

/* Fisher, "The Design of Experiments" (1935), section 21: Darwin's 15 pairs of maize plants; 863 of
 * the 32,768 sign patterns give a sum as large as 314, 1,726 one as large either way. */
static void sign_flips_give_fishers_figure(void **state) {
    (void)state;
    static const double darwin[] = {49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
    assert_near(statistics_sign_flip_p(darwin, COUNT(darwin), 0, 1), 1726.0 / 32768);
    static const double eight[] = {0.8, -0.1, 0.5, 1.2, 0.3, -0.4, 0.9, 0.2};
    assert_near(statistics_sign_flip_p(eight, COUNT(eight), 0, 1), 0.078125);
    static const double one[] = {3};
    assert_near(statistics_sign_flip_p(one, 1, 0, 1), 1);
    static const double none[] = {0, 0, 0};
    assert_near(statistics_sign_flip_p(none, 3, 0, 1), 1);
    static const double all[] = {1, 2, 3, 4, 5, 6};
    assert_near(statistics_sign_flip_p(all, 6, 0, 1), 2.0 / 64);
}

static void many_pairs_are_sampled(void **state) {
    (void)state;
    double differences[40];
    for (size_t i = 0; i < COUNT(differences); i++)
        differences[i] = 1 + (double)i;
    double p = statistics_sign_flip_p(differences, COUNT(differences), 999, 1);
    assert_near(p, 1.0 / 1000); /* never 0: the observed pattern counts */
    /* Darwin's pairs with two of no difference added: the same p-value, now by sampling. */
    static const double darwin[] = {49, -67, 8,  16, 6,  23,  28, 41, 14,
                                    29, 56,  24, 75, 60, -48, 0,  0};
    p = statistics_sign_flip_p(darwin, COUNT(darwin), 100000, 5);
    assert_true(fabs(p - 1726.0 / 32768) < 0.004); /* 5.6 standard errors */
    assert_true(p == statistics_sign_flip_p(darwin, COUNT(darwin), 100000, 5));
}

static void holm_is_rs(void **state) {
    (void)state;
    cleanup_error struct error *err = NULL;
    double four[] = {0.01, 0.04, 0.03, 0.005};
    assert_int_equal(statistics_holm(four, 4, &err), 0);
    static const double four_adjusted[] = {0.03, 0.06, 0.06, 0.02};
    double five[] = {0.02, 0.5, NAN, 0.02, 0.9, 0.001, NAN};
    assert_int_equal(statistics_holm(five, 7, &err), 0);
    static const double five_adjusted[] = {0.08, 1, NAN, 0.08, 1, 0.005, NAN};
    for (size_t i = 0; i < 4; i++)
        assert_near(four[i], four_adjusted[i]);
    for (size_t i = 0; i < 7; i++)
        if (isnan(five_adjusted[i]))
            assert_true(isnan(five[i]));
        else
            assert_near(five[i], five_adjusted[i]);
    assert_int_equal(statistics_holm(five, 0, &err), 0);
}

static void trend_is_kendalls(void **state) {
    (void)state;
    static const double rising[] = {2.1, 2.3, 2.2, 2.6, 2.5, 2.9, 3.0, 2.8};
    assert_near(statistics_trend_p(rising, COUNT(rising)), 0.0141369047619047);
    assert_near(statistics_trend_p(plain, COUNT(plain)), 1);
    static const double ties[] = {1, 2, 2, 3, 3, 3, 4, 5, 4, 6};
    assert_near(statistics_trend_p(ties, COUNT(ties)), 0.000706500567584347);
    static const double equal[] = {5, 5, 5, 5};
    assert_near(statistics_trend_p(equal, 4), 1);
    double falling[6], wave[60];
    for (size_t i = 0; i < 6; i++)
        falling[i] = -(double)i;
    assert_near(statistics_trend_p(falling, 6), 2.0 / 720);
    for (size_t i = 0; i < 60; i++)
        wave[i] = sin((double)i + 1) + ((double)i + 1) / 40;
    assert_near(statistics_trend_p(wave, 60), 0.00011401673041035);
}

static void outliers_are_counted(void **state) {
    (void)state;
    double scratch[16];
    static const double far[] = {10, 10.1, 9.9, 10.2, 9.8, 10, 13, 7};
    assert_int_equal(statistics_outliers(far, COUNT(far), scratch), 2);
    assert_int_equal(statistics_outliers(sorted, COUNT(sorted), scratch), 1);
    static const double equal_but_one[] = {4, 4, 4, 4, 4, 4, 5};
    assert_int_equal(statistics_outliers(equal_but_one, COUNT(equal_but_one), scratch), 1);
    static const double equal[] = {4, 4, 4, 4, 4, 4};
    assert_int_equal(statistics_outliers(equal, COUNT(equal), scratch), 0);
    assert_int_equal(statistics_outliers(far, 5, scratch), 0);
}

static void detectable_follows_the_width(void **state) {
    (void)state;
    struct interval interval = {.low = 0.99, .high = 1.03};
    assert_near(statistics_detectable(interval, 0.95, 0.01), 0.0390004135703521);
    interval.high = interval.low;
    assert_near(statistics_detectable(interval, 0.95, 0.01), 0.01);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes_as_r_does),
        cmocka_unit_test(says_when_a_figure_does_not_exist),
        cmocka_unit_test(exact_interval_takes_the_tabulated_ranks),
        cmocka_unit_test(interpolated_interval_is_hettmansperger_and_sheathers),
        cmocka_unit_test(bootstrap_has_the_distribution_of_all_resamples),
        cmocka_unit_test(bootstrap_repeats_with_its_seed),
        cmocka_unit_test(headline_interval_holds_both_parts),
        cmocka_unit_test(sign_flips_give_fishers_figure),
        cmocka_unit_test(many_pairs_are_sampled),
        cmocka_unit_test(holm_is_rs),
        cmocka_unit_test(paired_t_is_students),
        cmocka_unit_test(trend_is_kendalls),
        cmocka_unit_test(outliers_are_counted),
        cmocka_unit_test(detectable_follows_the_width),
    };
    return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
