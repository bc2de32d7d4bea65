// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs side by side: intervals of changes, what is refused, what is found to differ. */
#include "tests/unit/unit.h"

#include "tests/unit/report_fixture.h"

#include <math.h>

struct pair {
    struct report *reports[2];
    struct compared_run runs[2];
};

static struct pair *pair_make(void) {
    struct pair *pair = calloc(1, sizeof(*pair));
    assert_non_null(pair);
    static const char *const names[] = {"before", "after"};
    for (unsigned i = 0; i < 2; i++) {
        pair->reports[i] = fixture_report(&(struct fixture_options){3, .blocks = 10});
        pair->runs[i] = (struct compared_run){.name = names[i],
                                              .folder = names[i],
                                              .record = pair->reports[i]->run,
                                              .journal = pair->reports[i]->journal,
                                              .summary = pair->reports[i]->summary};
    }
    return pair;
}

static void pair_free(struct pair *pair) {
    fixture_free(pair->reports[0]);
    fixture_free(pair->reports[1]);
    free(pair);
}

static json_t *record_of(struct pair *pair) {
    return (json_t *)pair->reports[1]->run;
}

static struct summary *summary_of(struct pair *pair) {
    return (struct summary *)pair->reports[1]->summary;
}

static const struct comparison_row *row_of(const struct comparison *comparison, const char *metric,
                                           const char *title) {
    for (size_t i = 0; i < comparison->row_count; i++)
        if (strcmp(comparison->rows[i].metric->metric, metric) == 0 &&
            strcmp(comparison->rows[i].environment->title, title) == 0)
            return &comparison->rows[i];
    return NULL;
}

/* Equal, symmetric (on the logarithm) intervals of half width w give one of w times root of two. */
static void quotients_have_the_width_of_both(void **state) {
    (void)state;
    double w = log(1.02);
    struct interval two = {.low = 2 * exp(-w), .high = 2 * exp(w)};
    struct interval one = {.low = exp(-w), .high = exp(w)};
    struct interval quotient = comparison_quotient(2, two, 1, one);
    assert_true(fabs(log(quotient.low) - (log(2) - w * M_SQRT2)) < 1e-12);
    assert_true(fabs(log(quotient.high) - (log(2) + w * M_SQRT2)) < 1e-12);
    /* A known denominator leaves the other's interval, lopsided as it is. */
    struct interval exact = {.low = 1, .high = 1}, lopsided = {.low = 1.9, .high = 3};
    quotient = comparison_quotient(2, lopsided, 1, exact);
    assert_true(fabs(quotient.low - 1.9) < 1e-12 && fabs(quotient.high - 3) < 1e-12);
    quotient = comparison_quotient(2, INTERVAL_NONE, 1, one);
    assert_true(isnan(quotient.low) && isnan(quotient.high));
}

static void equal_runs_have_not_changed(void **state) {
    (void)state;
    struct pair *pair = pair_make();
    cleanup_error struct error *err = NULL;
    cleanup_comparison struct comparison *comparison = NULL;
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), 0);
    assert_int_equal(comparison->difference_count, 0);
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct comparison_row *row = &comparison->rows[i];
        assert_true(isnan(row->cells[0].change));
        assert_true(row->reference ? isnan(row->cells[1].change)
                                   : isnan(row->cells[1].change) || row->cells[1].change == 1);
        assert_true(row->cells[1].verdict != VERDICT_WORSE &&
                    row->cells[1].verdict != VERDICT_BETTER);
    }
    pair_free(pair);
}

static void a_change_is_found_and_its_direction_told(void **state) {
    (void)state;
    struct pair *pair = pair_make();
    for (unsigned i = 0; i < summary_of(pair)->metric_count; i++) {
        struct summary_cell *cell = &summary_of(pair)->metrics[i].cells[1];
        cell->ratio *= 1.2;
        cell->ratio_low *= 1.2;
        cell->ratio_high *= 1.2;
    }
    cleanup_error struct error *err = NULL;
    cleanup_comparison struct comparison *comparison = NULL;
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), 0);
    const struct comparison_row *time = row_of(comparison, "time", "container");
    const struct comparison_row *rate = row_of(comparison, "triad", "container");
    assert_true(fabs(time->cells[1].change - 1.2) < 1e-9);
    assert_int_equal(time->cells[1].verdict, VERDICT_WORSE);
    assert_int_equal(rate->cells[1].verdict, VERDICT_BETTER);
    assert_int_equal(row_of(comparison, "time", "vm (TCG)")->cells[1].verdict, VERDICT_SAME);
    pair_free(pair);
}

/* What an audit took away in one of the runs is not given back by the comparison. */
static void distrust_is_kept(void **state) {
    (void)state;
    struct pair *pair = pair_make();
    summary_of(pair)->metrics[0].cells[1].verdict = VERDICT_UNTRUSTWORTHY;
    cleanup_error struct error *err = NULL;
    cleanup_comparison struct comparison *comparison = NULL;
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), 0);
    assert_int_equal(row_of(comparison, "time", "container")->cells[1].verdict,
                     VERDICT_UNTRUSTWORTHY);
    pair_free(pair);
}

static void kvm_and_tcg_are_two_rows(void **state) {
    (void)state;
    struct pair *pair = pair_make();
    struct summary_environment *vm = &summary_of(pair)->environments[2];
    free(vm->title);
    free(vm->accelerator);
    vm->title = strdup("vm (KVM)");
    vm->accelerator = strdup("KVM");
    cleanup_error struct error *err = NULL;
    cleanup_comparison struct comparison *comparison = NULL;
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), 0);
    const struct comparison_row *emulated = row_of(comparison, "time", "vm (TCG)");
    const struct comparison_row *real = row_of(comparison, "time", "vm (KVM)");
    assert_non_null(emulated->cells[0].cell);
    assert_null(emulated->cells[1].cell);
    assert_null(real->cells[0].cell);
    assert_non_null(real->cells[1].cell);
    assert_true(isnan(real->cells[1].change));
    pair_free(pair);
}

static void other_parameters_are_refused(void **state) {
    (void)state;
    struct pair *pair = pair_make();
    json_t *zip = json_array_get(json_object_get(record_of(pair), "workloads"), 1);
    json_object_set_new(json_object_get(zip, "parameters"), "bytes", json_integer(4096));
    struct error *err = NULL;
    struct comparison *comparison = NULL;
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), -1);
    assert_int_equal(error_exit_code(err), EXIT_CODE_UNTRUSTWORTHY);
    assert_non_null(err->advice);
    assert_error(err, ERROR_UNTRUSTWORTHY, "bytes is 8388608 in before and 4096 in after");
    /* A parameter that only one version has is other work, too. */
    json_object_set_new(json_object_get(zip, "parameters"), "bytes", json_integer(8388608));
    json_object_set_new(json_object_get(zip, "parameters"), "dictionary", json_integer(1));
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "dictionary is none in before and 1 in after");
    static const char *const without[] = {"prime", "stream", NULL};
    assert_int_equal(comparison_make(pair->runs, 2, without, &comparison, &err), 0);
    for (size_t i = 0; i < comparison->row_count; i++)
        assert_string_not_equal(comparison->rows[i].metric->workload, "zip");
    comparison_free(comparison);
    pair_free(pair);
}

static void another_answer_is_refused(void **state) {
    (void)state;
    struct pair *pair = pair_make();
    static const char *const digests[] = {"1228 primes", "1229 primes"};
    for (unsigned i = 0; i < 2; i++)
        json_array_append_new((json_t *)pair->reports[i]->journal,
                              json_pack("{s:s, s:s, s:s}", "type", "request", "workload", "prime",
                                        "digest", digests[i]));
    struct error *err = NULL;
    struct comparison *comparison = NULL;
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "1229 primes in after");
    pair_free(pair);
}

static void another_unit_or_reference_is_refused(void **state) {
    (void)state;
    struct pair *pair = pair_make();
    struct error *err = NULL;
    struct comparison *comparison = NULL;
    free(summary_of(pair)->metrics[0].unit);
    summary_of(pair)->metrics[0].unit = strdup("ms");
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "prime time is not the same metric");
    free(summary_of(pair)->metrics[0].unit);
    summary_of(pair)->metrics[0].unit = strdup("s");
    free((char *)summary_of(pair)->options.reference);
    summary_of(pair)->options.reference = strdup("container");
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), -1);
    assert_error(err, ERROR_UNTRUSTWORTHY, "ratios are to \"host\" in before");
    pair_free(pair);
}

static void nothing_in_common_is_refused(void **state) {
    (void)state;
    struct pair *pair = pair_make();
    struct error *err = NULL;
    struct comparison *comparison = NULL;
    static const char *const none[] = {"null", NULL};
    assert_int_equal(comparison_make(pair->runs, 2, none, &comparison, &err), -1);
    assert_error(err, ERROR_USAGE, "nothing of the chosen workloads");
    assert_int_equal(comparison_make(pair->runs, 1, NULL, &comparison, &err), -1);
    assert_error(err, ERROR_USAGE, "two to");
    pair_free(pair);
}

static const char *value_of(const struct comparison *comparison, const char *what, unsigned run) {
    for (size_t i = 0; i < comparison->difference_count; i++)
        if (strcmp(comparison->differences[i].what, what) == 0)
            return comparison->differences[i].values[run];
    return NULL;
}

static void machines_that_differ_are_told_apart(void **state) {
    (void)state;
    struct pair *pair = pair_make();
    json_t *machine = json_object_get(record_of(pair), "machine");
    json_t *first = json_object_get(pair->reports[0]->run, "machine");
    json_object_set_new(machine, "kernel", json_string("7.0"));
    json_object_set_new(machine, "load_average", json_string("9 9 9"));
    json_object_set_new(machine, "new_fact", json_integer(3));
    json_object_set_new(json_object_get(machine, "mitigations"), "meltdown",
                        json_string("Vulnerable"));
    json_object_set_new(first, "cpu_flags", json_string("fpu sse avx avx2"));
    json_object_set_new(machine, "cpu_flags", json_string("fpu sse avx amx"));
    json_t *vm = json_array_get(json_object_get(record_of(pair), "environments"), 2);
    json_object_set_new(vm, "image", json_string("abc"));
    cleanup_error struct error *err = NULL;
    cleanup_comparison struct comparison *comparison = NULL;
    assert_int_equal(comparison_make(pair->runs, 2, NULL, &comparison, &err), 0);
    assert_string_equal(value_of(comparison, "machine.kernel", 1), "7.0");
    assert_string_equal(value_of(comparison, "machine.mitigations.meltdown", 1), "Vulnerable");
    assert_string_equal(value_of(comparison, "machine.new_fact", 0), "");
    assert_string_equal(value_of(comparison, "machine.new_fact", 1), "3");
    assert_string_equal(value_of(comparison, "machine.cpu_flags", 0), "avx2");
    assert_string_equal(value_of(comparison, "machine.cpu_flags", 1), "amx");
    assert_string_equal(value_of(comparison, "vm: image", 1), "abc");
    assert_null(value_of(comparison, "machine.load_average", 0));
    assert_null(value_of(comparison, "machine.distribution", 0));
    pair_free(pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotients_have_the_width_of_both),
        cmocka_unit_test(equal_runs_have_not_changed),
        cmocka_unit_test(a_change_is_found_and_its_direction_told),
        cmocka_unit_test(distrust_is_kept),
        cmocka_unit_test(kvm_and_tcg_are_two_rows),
        cmocka_unit_test(other_parameters_are_refused),
        cmocka_unit_test(another_answer_is_refused),
        cmocka_unit_test(another_unit_or_reference_is_refused),
        cmocka_unit_test(nothing_in_common_is_refused),
        cmocka_unit_test(machines_that_differ_are_told_apart),
    };
    return cmocka_run_group_tests_name("comparison", tests, NULL, NULL);
}
