// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "plots/format.h"

#include <math.h>

static void values_have_four_digits(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},         {1, "1.000"},           {2.34567, "2.346"},  {17.829, "17.83"},
        {999.96, "1000"}, {9.9996, "10.00"},      {25150, "25150"},    {0.01234, "0.01234"},
        {-2.5, "-2.500"}, {0.00001, "1.000e-05"}, {3e12, "3.000e+12"}, {NAN, "-"},
        {INFINITY, "-"},
    };
    char text[FORMAT_BYTES];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(format_value(cases[i].value, text), cases[i].text);
}

static void ratios_have_three_decimals_around_one(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {1, "1.000"},      {0.99996, "1.000"}, {0.9998, "1.000"},
        {0.9987, "0.999"}, {0.0231, "0.0231"}, {7.6004, "7.600"},
        {17.824, "17.82"}, {1676.4, "1676"},   {NAN, "-"},
    };
    char text[FORMAT_BYTES];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(format_ratio(cases[i].value, text), cases[i].text);
}

static void ends_of_intervals_differ(void **state) {
    (void)state;
    char text[FORMAT_BYTES];
    assert_string_equal(format_end(1.00161, 1.00302, text), "1.002");
    assert_string_equal(format_end(1.00161, 1.00173, text), "1.00161");
    assert_string_equal(format_end(1.00173, 1.00161, text), "1.00173");
    assert_string_equal(format_end(7.5, 7.5, text), "7.500");
    assert_string_equal(format_end(0.99991, 1.00002, text), "0.999910");
    assert_string_equal(format_end(NAN, 1, text), "-");
}

static void percents_are_short(void **state) {
    (void)state;
    char text[FORMAT_BYTES];
    assert_string_equal(format_percent(0.95, false, text), "95 %");
    assert_string_equal(format_percent(0.01, false, text), "1 %");
    assert_string_equal(format_percent(0.0123, true, text), "1.2%");
    assert_string_equal(format_percent(0.123, true, text), "12%");
    assert_string_equal(format_percent(123, true, text), ">999%");
    assert_string_equal(format_percent(NAN, true, text), "-");
}

static void exact_reads_back(void **state) {
    (void)state;
    static const double values[] = {0.1, 1.0 / 3, 2602, 1e300, 5e-324, -0.001};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        char text[FORMAT_BYTES];
        assert_true(strtod(format_exact(values[i], text), NULL) == values[i]);
    }
    char text[FORMAT_BYTES];
    assert_string_equal(format_exact(0.1, text), "0.1");
    assert_string_equal(format_exact(NAN, text), "");
}

static void assert_scale(const char *unit, double first, double second, double factor,
                         const char *expected) {
    struct summary_cell cells[2] = {{.blocks = 1, .median = first},
                                    {.blocks = 1, .median = second}};
    struct summary_metric metric = {.unit = (char *)unit, .cells = cells};
    struct scale scale = scale_for(&metric, 2);
    assert_string_equal(scale.unit, expected);
    assert_true(fabs(scale.factor / factor - 1) < 1e-12);
}

static void units_suit_all_environments(void **state) {
    (void)state;
    assert_scale("s", 2.3, 17, 1, "s");
    assert_scale("s", 0.0004, 0.0005, 1e6, "us");
    assert_scale("ms", 0.8, 1300, 1, "ms");
    assert_scale("us", 4000, 5000, 1e-3, "ms");
    assert_scale("MB/s", 2600, 500, 1, "MB/s");
    assert_scale("MB/s", 26000, 25000, 1e-3, "GB/s");
    assert_scale("1/s", 26000, 25000, 1, "1/s");
    assert_scale("s", NAN, 0, 1, "s");
}

static void figures_that_cannot_be_are_nan(void **state) {
    (void)state;
    struct summary_cell cell = {.blocks = 1, .median = 2, .mad = 0};
    assert_true(isnan(cell_spread(&cell)));
    cell.blocks = 4;
    assert_true(cell_spread(&cell) == 0);
    cell.median_low = 1;
    cell.median_high = NAN;
    assert_false(cell_has_median_interval(&cell));
    cell.median_high = 3;
    assert_true(cell_has_median_interval(&cell));
    cell.blocks = 0;
    assert_false(cell_has_median_interval(&cell));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_four_digits),
        cmocka_unit_test(ratios_have_three_decimals_around_one),
        cmocka_unit_test(ends_of_intervals_differ),
        cmocka_unit_test(percents_are_short),
        cmocka_unit_test(exact_reads_back),
        cmocka_unit_test(units_suit_all_environments),
        cmocka_unit_test(figures_that_cannot_be_are_nan),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
