// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "bench/latency.h"

static int setup(void **state) {
    *state = latency_new();
    return *state ? 0 : -1;
}

static int teardown(void **state) {
    latency_free(*state);
    return 0;
}

static void nothing_recorded_is_zero(void **state) {
    assert_int_equal(latency_quantile_ns(*state, 0.5), 0);
    assert_int_equal(latency_max_ns(*state), 0);
}

static void one_value_is_every_quantile(void **state) {
    latency_record(*state, 123456789);
    assert_int_equal(latency_quantile_ns(*state, 0), 123456789);
    assert_int_equal(latency_quantile_ns(*state, 0.5), 123456789);
    assert_int_equal(latency_quantile_ns(*state, 1), 123456789);
}

static void small_values_are_exact(void **state) {
    for (uint64_t value = 1; value <= 1000; value++)
        latency_record(*state, value);
    assert_int_equal(latency_quantile_ns(*state, 0.5), 500);
    assert_int_equal(latency_quantile_ns(*state, 0.95), 950);
    assert_int_equal(latency_quantile_ns(*state, 0.99), 990);
    assert_int_equal(latency_quantile_ns(*state, 0.999), 999);
    assert_int_equal(latency_quantile_ns(*state, 1), 1000);
}

/* Over twelve powers of ten: never below the true value, and within 0.1 % of it. */
static void large_values_are_near(void **state) {
    for (uint64_t value = 3; value < UINT64_C(10000000000000); value = value * 7 / 3 + 1) {
        latency_reset(*state);
        latency_record(*state, value);
        latency_record(*state, value * 4);
        uint64_t found = latency_quantile_ns(*state, 0.5);
        assert_true(found >= value);
        assert_true(found - value <= value / 1000);
        assert_int_equal(latency_max_ns(*state), value * 4);
    }
}

static void quantiles_never_fall(void **state) {
    uint64_t value = 17, last = 0;
    for (unsigned i = 0; i < 5000; i++) {
        value = value * UINT64_C(6364136223846793005) + 1442695040888963407u;
        latency_record(*state, value >> 40);
    }
    for (unsigned i = 0; i <= 1000; i++) {
        uint64_t quantile = latency_quantile_ns(*state, i / 1000.0);
        assert_true(quantile >= last);
        last = quantile;
    }
    assert_int_equal(last, latency_max_ns(*state));
}

static void huge_values_do_not_overflow(void **state) {
    latency_record(*state, UINT64_MAX);
    latency_record(*state, 1);
    assert_int_equal(latency_max_ns(*state), UINT64_MAX);
    assert_int_equal(latency_quantile_ns(*state, 0.5), 1);
    assert_true(latency_quantile_ns(*state, 1) > UINT64_C(1) << 43);
}

static void merging_adds(void **state) {
    struct latency_histogram *other = latency_new();
    assert_non_null(other);
    for (unsigned i = 0; i < 60; i++)
        latency_record(*state, 100);
    for (unsigned i = 0; i < 40; i++)
        latency_record(other, 200);
    latency_merge(*state, other);
    latency_free(other);
    assert_int_equal(latency_quantile_ns(*state, 0.6), 100);
    assert_int_equal(latency_quantile_ns(*state, 0.61), 200);
    assert_int_equal(latency_max_ns(*state), 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_recorded_is_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(one_value_is_every_quantile, setup, teardown),
        cmocka_unit_test_setup_teardown(small_values_are_exact, setup, teardown),
        cmocka_unit_test_setup_teardown(large_values_are_near, setup, teardown),
        cmocka_unit_test_setup_teardown(quantiles_never_fall, setup, teardown),
        cmocka_unit_test_setup_teardown(huge_values_do_not_overflow, setup, teardown),
        cmocka_unit_test_setup_teardown(merging_adds, setup, teardown),
    };
    return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}
