// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "results/verdict.h"

static void the_whole_interval_decides(void **state) {
    (void)state;
    static const struct {
        double low, high;
        enum verdict lower; /* where lower values are better */
    } cases[] = {
        {0.995, 1.005, VERDICT_SAME},
        {0.99, 1.01, VERDICT_SAME}, /* the margin's ends belong to it */
        {1, 1, VERDICT_SAME},
        {1.002, 1.006, VERDICT_SAME}, /* a difference, but one that does not matter */
        {1.011, 1.02, VERDICT_WORSE},
        {7, 8, VERDICT_WORSE},
        {0.5, 0.98, VERDICT_BETTER},
        {0.98, 1.005, VERDICT_INCONCLUSIVE},
        {0.995, 1.02, VERDICT_INCONCLUSIVE},
        {1.005, 1.5, VERDICT_INCONCLUSIVE}, /* slower, but by more than the margin? */
        {0.5, 2, VERDICT_INCONCLUSIVE},
        {1.01, 1.02, VERDICT_INCONCLUSIVE},
        {NAN, NAN, VERDICT_INCONCLUSIVE},
        {1, NAN, VERDICT_INCONCLUSIVE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct interval interval = {.low = cases[i].low, .high = cases[i].high};
        enum verdict expected = cases[i].lower;
        assert_int_equal(verdict_decide(interval, 0.01, "lower"), expected);
        if (expected == VERDICT_BETTER || expected == VERDICT_WORSE)
            expected = expected == VERDICT_BETTER ? VERDICT_WORSE : VERDICT_BETTER;
        assert_int_equal(verdict_decide(interval, 0.01, "higher"), expected);
        assert_int_equal(verdict_decide(interval, 0.01, "neither"), VERDICT_NONE);
    }
}

static void without_a_margin_nothing_is_the_same_by_chance(void **state) {
    (void)state;
    assert_int_equal(verdict_decide((struct interval){0.999, 1.001}, 0, "lower"),
                     VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_decide((struct interval){1, 1}, 0, "lower"), VERDICT_SAME);
    assert_int_equal(verdict_decide((struct interval){1.0001, 1.001}, 0, "lower"), VERDICT_WORSE);
}

static void reasons_are_told_apart(void **state) {
    (void)state;
    cleanup_free char *none = verdict_explain(INTERVAL_NONE, 0.01);
    cleanup_free char *partial = verdict_explain((struct interval){1.005, 1.5}, 0.01);
    cleanup_free char *wide = verdict_explain((struct interval){0.9, 1.5}, 0.01);
    assert_string_equal(none, "there is no interval of the ratio");
    assert_string_equal(partial, "there is a difference, but it may be within the margin of 1 %: "
                                 "the interval of the ratio is 1.005 to 1.5");
    assert_string_equal(wide, "the interval of the ratio, 0.9 to 1.5, reaches beyond the margin "
                              "of 1 %");
}

static void names_are_those_of_the_schema(void **state) {
    (void)state;
    assert_string_equal(verdict_name(VERDICT_NONE), "");
    assert_string_equal(verdict_name(VERDICT_BETTER), "better");
    assert_string_equal(verdict_name(VERDICT_WORSE), "worse");
    assert_string_equal(verdict_name(VERDICT_SAME), "same");
    assert_string_equal(verdict_name(VERDICT_INCONCLUSIVE), "inconclusive");
    assert_string_equal(verdict_name(VERDICT_UNTRUSTWORTHY), "untrustworthy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_interval_decides),
        cmocka_unit_test(without_a_margin_nothing_is_the_same_by_chance),
        cmocka_unit_test(reasons_are_told_apart),
        cmocka_unit_test(names_are_those_of_the_schema),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
