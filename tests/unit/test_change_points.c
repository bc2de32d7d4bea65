// SPDX-License-Identifier: GPL-3.0-or-later
/* Change points: series whose truth is known, from a seeded generator. */
#include "tests/unit/unit.h"

#include "results/change_points.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>

enum { COUNT_MAX = 400 };

static gsl_rng *rng;

static int make_rng(void **state) {
    (void)state;
    rng = gsl_rng_alloc(gsl_rng_mt19937);
    return rng ? 0 : -1;
}

static int free_rng(void **state) {
    (void)state;
    gsl_rng_free(rng);
    return 0;
}

/* A level with relative noise from a value on. */
static void fill(double *values, size_t from, size_t to, double level, double noise) {
    for (size_t i = from; i < to; i++)
        values[i] = level * (1 + gsl_ran_gaussian(rng, noise));
}

static struct change_point *find(const double *values, size_t count, size_t *ret_count) {
    struct change_point *points = NULL;
    struct error *err = NULL;
    change_points_find(values, count, &change_point_defaults, &points, ret_count, &err);
    assert_no_error(err);
    return points;
}

static void otavas_own_example(void **state) {
    (void)state;
    /* From its documentation (docs/CSV.md): one change of metric2, -12.9 %, none of metric1. */
    static const double metric1[] = {154023, 138455, 143112, 149190, 132098,
                                     151344, 155145, 148889, 149466, 148209};
    static const double metric2[] = {10.43, 10.23, 10.29, 10.91, 10.34,
                                     10.69, 9.23,  9.11,  9.13,  9.03};
    size_t count = 99;
    assert_null(find(metric1, 10, &count));
    assert_int_equal(count, 0);
    cleanup_free struct change_point *points = find(metric2, 10, &count);
    assert_int_equal(count, 1);
    assert_int_equal(points[0].index, 6);
    assert_true(fabs(points[0].change + 0.129) < 0.0005);
    assert_true(points[0].p_value < 0.001);
}

static void known_p_values(void **state) {
    (void)state;
    /* With two degrees of freedom p = 1 - t / sqrt(t^2 + 2); here t = 9 / sqrt(2). */
    static const double left[] = {0, 2}, right[] = {9, 11};
    double t = 9 / sqrt(2);
    assert_true(fabs(change_points_t_p(left, 2, right, 2) - (1 - t / sqrt(t * t + 2))) < 1e-12);
    assert_true(change_points_t_p(left, 2, left, 2) == 1);
    assert_true(change_points_t_p(left, 1, right, 1) == 1);
    static const double flat[] = {2, 2, 2, 3, 3, 3};
    assert_true(change_points_t_p(flat, 3, flat + 3, 3) == 0);
}

static void short_and_flat_series_have_none(void **state) {
    (void)state;
    double values[COUNT_MAX];
    size_t count = 99;
    for (size_t length = 0; length < 60; length++) {
        for (size_t i = 0; i < length; i++)
            values[i] = 7.25;
        assert_null(find(values, length, &count));
        assert_int_equal(count, 0);
    }
    static const double two[] = {1, 2};
    assert_null(find(two, 2, &count));
}

/*
 * Steps of 5 % in noise of 1 % are found, each within one run of where it is. The few others are
 * false alarms, as in the steady series below.
 */
static void steps_are_found_where_they_are(void **state) {
    (void)state;
    unsigned exact = 0, found = 0, series = 200, others = 0;
    gsl_rng_set(rng, 1);
    for (unsigned i = 0; i < series; i++) {
        double values[COUNT_MAX];
        fill(values, 0, 60, 1.2, 0.01);
        fill(values, 60, 130, 1.26, 0.01);
        fill(values, 130, 200, 1.2, 0.01);
        size_t count = 0;
        cleanup_free struct change_point *points = find(values, 200, &count);
        for (size_t j = 0; j < count; j++) {
            size_t truth = j == 0 ? 60 : 130;
            size_t away =
                points[j].index > truth ? points[j].index - truth : truth - points[j].index;
            found += away <= 1;
            exact += away == 0;
            others += away > 1;
        }
    }
    print_message(
        "# steps of 5 %% in noise of 1 %%: %u of %u found, %u of them exactly; %u others\n", found,
        2 * series, exact, others);
    assert_true(found >= 2 * series * 98 / 100);
    assert_true(others <= series * 15 / 100);
}

/* The last change shows after few runs. */
static void a_fresh_step_shows_soon(void **state) {
    (void)state;
    unsigned found[9] = {0}, series = 200;
    gsl_rng_set(rng, 2);
    for (unsigned i = 0; i < series; i++)
        for (size_t after = 2; after <= 8; after++) {
            double values[COUNT_MAX];
            fill(values, 0, 50, 1.2, 0.01);
            fill(values, 50, 50 + after, 1.26, 0.01);
            size_t count = 0;
            cleanup_free struct change_point *points = find(values, 50 + after, &count);
            found[after] += count == 1 && points[0].index >= 49 && points[0].index <= 51;
        }
    print_message("# a step of 5 %% in noise of 1 %% is seen after 2, 4, 8 runs in %u, %u, %u of "
                  "%u series\n",
                  found[2], found[4], found[8], series);
    assert_true(found[4] >= series * 90 / 100);
}

/* Without a change there are few alarms, whatever the noise looks like. */
static void steady_series_have_few(void **state) {
    (void)state;
    static const char *const names[] = {"normal", "lognormal", "with outliers"};
    for (unsigned kind = 0; kind < 3; kind++) {
        unsigned alarms = 0, series = 300;
        gsl_rng_set(rng, 3 + kind);
        for (unsigned i = 0; i < series; i++) {
            double values[COUNT_MAX];
            for (size_t j = 0; j < 100; j++) {
                double noise = gsl_ran_gaussian(rng, 0.02);
                values[j] = kind == 1 ? exp(noise) : 1 + noise;
                if (kind == 2 && gsl_rng_uniform(rng) < 0.05)
                    values[j] += 0.2;
            }
            size_t count = 0;
            free(find(values, 100, &count));
            alarms += count > 0;
        }
        print_message("# %s noise of 2 %%, no change: alarms in %u of %u series of 100\n",
                      names[kind], alarms, series);
        assert_true(alarms <= series * (kind == 2 ? 16 : 8) / 100);
    }
}

static void windows_do_not_hide_anything(void **state) {
    (void)state;
    gsl_rng_set(rng, 9);
    double values[COUNT_MAX];
    for (size_t at = 10; at <= 390; at += 20) {
        fill(values, 0, at, 1, 0.005);
        fill(values, at, 400, 0.95, 0.005);
        size_t count = 0;
        cleanup_free struct change_point *points = find(values, 400, &count);
        assert_int_equal(count, 1);
        assert_true(points[0].index + 1 >= at && points[0].index <= at + 1);
        assert_true(fabs(points[0].change + 0.05) < 0.01);
    }
}

static void small_changes_do_not_count(void **state) {
    (void)state;
    gsl_rng_set(rng, 10);
    double values[COUNT_MAX];
    fill(values, 0, 50, 1, 0.0005);
    fill(values, 50, 100, 1.005, 0.0005);
    size_t count = 99;
    assert_null(find(values, 100, &count));
    struct change_point_options options = change_point_defaults;
    options.min_change = 0;
    struct change_point *points = NULL;
    struct error *err = NULL;
    change_points_find(values, 100, &options, &points, &count, &err);
    assert_no_error(err);
    assert_int_equal(count, 1);
    assert_int_equal(points[0].index, 50);
    free(points);
    options.max_p = 0;
    assert_int_equal(change_points_find(values, 100, &options, &points, &count, &err), -1);
    assert_error(err, ERROR_USAGE, "out of range");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(otavas_own_example),
        cmocka_unit_test(known_p_values),
        cmocka_unit_test(short_and_flat_series_have_none),
        cmocka_unit_test(steps_are_found_where_they_are),
        cmocka_unit_test(a_fresh_step_shows_soon),
        cmocka_unit_test(steady_series_have_few),
        cmocka_unit_test(windows_do_not_hide_anything),
        cmocka_unit_test(small_changes_do_not_count),
    };
    return cmocka_run_group_tests_name("change_points", tests, make_rng, free_rng);
}
