// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "bench/catalog.h"
#include "bench/protocol.h"

#include <ctype.h>

#define FOR_EACH_WORKLOAD(at)                                                                      \
    for (const struct workload_description *const *at = workload_catalog; *at; at++)

static void assert_name(const char *name) {
    assert_non_null(name);
    assert_in_range(strlen(name), 1, PROTOCOL_NAME_BYTES - 1);
    for (const char *at = name; *at; at++)
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) && *at != '_')
            fail_msg("the name \"%s\" is not [a-z0-9_]+", name);
}

static void names_are_unique_and_found(void **state) {
    (void)state;
    FOR_EACH_WORKLOAD(at) {
        assert_name((*at)->name);
        assert_ptr_equal(workload_find((*at)->name), *at);
        assert_non_null((*at)->summary);
    }
    assert_null(workload_find("no-such-workload"));
    assert_null(workload_find(""));
}

static void metrics_are_well_formed(void **state) {
    (void)state;
    static const char *const units[] = {"s", "ms", "us", "MB/s", "1/s", "x", NULL};
    FOR_EACH_WORKLOAD(at) {
        for (const struct metric_description *metric = (*at)->metrics; metric->name; metric++) {
            assert_name(metric->name);
            assert_ptr_equal(metric_find(*at, metric->name), metric);
            assert_non_null(metric->summary);
            unsigned unit = 0;
            while (units[unit] && strcmp(units[unit], metric->unit) != 0)
                unit++;
            if (!units[unit])
                fail_msg("%s of %s has the unknown unit %s", metric->name, (*at)->name,
                         metric->unit);
            /* The harness times sections, in seconds. */
            if (metric->section)
                assert_string_equal(metric->unit, "s");
        }
        assert_null(metric_find(*at, "no_such_metric"));
        assert_non_null(metric_find(*at, "cpu_seconds"));
    }
}

static void every_shown_workload_has_a_headline(void **state) {
    (void)state;
    FOR_EACH_WORKLOAD(at) {
        unsigned headlines = 0;
        for (const struct metric_description *metric = (*at)->metrics; metric->name; metric++)
            headlines += metric->headline;
        if ((*at)->hidden)
            assert_int_equal(headlines, 0);
        else
            assert_int_not_equal(headlines, 0);
    }
}

static void parameters_are_well_formed(void **state) {
    (void)state;
    FOR_EACH_WORKLOAD(at)
    for (const struct parameter_description *parameter = (*at)->parameters; parameter->name;
         parameter++) {
        assert_name(parameter->name);
        assert_ptr_equal(parameter_find(*at, parameter->name), parameter);
        assert_true(parameter->minimum < parameter->maximum);
        /* They travel as signed 64-bit numbers. */
        assert_true(parameter->maximum <= INT64_MAX);
        assert_non_null(parameter->summary);
    }
}

static void every_workload_of_the_agent_says_how_often(void **state) {
    (void)state;
    FOR_EACH_WORKLOAD(at) {
        bool has_metrics = (*at)->metrics->name && !(*at)->by_harness;
        assert_int_equal(parameter_find(*at, "iterations") != NULL, has_metrics);
    }
}

static void better_goes_there_and_back(void **state) {
    (void)state;
    for (enum better better = BETTER_LOWER; better <= BETTER_NEITHER; better++) {
        enum better back;
        assert_true(better_parse(better_name(better), &back));
        assert_int_equal(back, better);
    }
    enum better untouched = BETTER_HIGHER;
    assert_false(better_parse("best", &untouched));
    assert_int_equal(untouched, BETTER_HIGHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_found),
        cmocka_unit_test(metrics_are_well_formed),
        cmocka_unit_test(every_shown_workload_has_a_headline),
        cmocka_unit_test(parameters_are_well_formed),
        cmocka_unit_test(every_workload_of_the_agent_says_how_often),
        cmocka_unit_test(better_goes_there_and_back),
    };
    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
