// SPDX-License-Identifier: GPL-3.0-or-later
/* The gate: settings, the baseline's file, what may be compared, and the decision. */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "results/gate.h"
#include "results/gate_estimate.h"
#include "tests/unit/gate_fixture.h"

#include <math.h>

static char *folder;

static int make_folder(void **state) {
    (void)state;
    folder = strdup("/tmp/boxmark-test.XXXXXX");
    return folder && mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    int removed = file_remove_tree(folder, NULL);
    free(folder);
    return removed;
}

static char *written(const char *name, const char *text) {
    char *path = text_format("%s/%s", folder, name);
    assert_int_equal(file_replace(path, text, strlen(text), NULL), 0);
    return path;
}

/* ---- Settings ---------------------------------------------------------------------------------
 */

static void refused_settings(const char *text, const char *message) {
    cleanup_free char *path = written("boxmark.ini", text);
    cleanup_gate_settings struct gate_settings settings = {0};
    struct error *err = NULL;
    assert_int_equal(gate_settings_default(&settings, &err), 0);
    assert_int_equal(gate_settings_read(&settings, path, &err), -1);
    assert_error(err, ERROR_USAGE, message);
}

static void bad_settings_are_named_by_line_and_key(void **state) {
    (void)state;
    refused_settings("[check]\nconfidence = much\n", "boxmark.ini:2: check.confidence: \"much\"");
    refused_settings("[check]\n\n# no\nconfidense = 99 %\n", "boxmark.ini:4: check.confidense");
    refused_settings("[margin]\nzip/time = 2 %\n", "unknown section \"margin\"");
    refused_settings("[margins]\nzip/time = -2 %\n", "boxmark.ini:2: margins.zip/time");
    refused_settings("[margins]\nzip/time = 0x2 %\n", "not a percentage");
    refused_settings("[margins]\nzip/time = nan\n", "not a percentage");
    refused_settings("[margins]\nzip/time\n", "boxmark.ini:2: neither");
    refused_settings("[margins\nzip/time = 1\n", "boxmark.ini:1: neither");
    refused_settings("zip/time = 1\n", "before the first [section]");
    refused_settings("[margins]\nzip/time = 1\nzip/time = 2\n", "boxmark.ini:3");
    refused_settings("[floors]\nzip/time = 3\n", "with a unit");
    refused_settings("[floors]\nzip/time = 3 km\n", "with a unit");
    refused_settings("[check]\nfail_on = worse, bad\n", "unknown outcome \"bad\"");
    refused_settings("[check]\nresolution = 0\n", "inconclusive");
    refused_settings("[check]\nconfidence = 20 %\n", "less than 50 %");
    refused_settings("[ignore]\ndisk/* = no\n", "not yes");
    refused_settings("[margins]\n= 3 %\nbad line\n[check]\nx = 1\n", "boxmark.ini:3: neither");
    char longer[400] = "[margins]\nzip/time = ";
    memset(longer + strlen(longer), '1', 300);
    refused_settings(longer, "boxmark.ini:2: longer than");
    cleanup_gate_settings struct gate_settings settings = {0};
    struct error *err = NULL;
    assert_int_equal(gate_settings_read(&settings, "/nowhere/boxmark.ini", &err), -1);
    assert_error(err, ERROR_USAGE, "/nowhere/boxmark.ini");
}

static void the_last_rule_that_matches_counts(void **state) {
    (void)state;
    cleanup_free char *path =
        written("good.ini", "\xef\xbb\xbf[check]\r\nconfidence = 95 % ; words\n"
                            "fail_on = untrustworthy\n[margins]\n* = 4\nzip/* = 2%\n"
                            "zip/time@vm* = 7.5 %\n[floors]\nzip/* = 5 ms\ndisk/* = 3 MB/s\n"
                            "[ignore]\nstream/* = yes\n[between_runs]\nprime/* = 1 %\n");
    cleanup_gate_settings struct gate_settings settings = {0};
    struct error *err = NULL;
    assert_int_equal(gate_settings_default(&settings, &err), 0);
    assert_true(fabs(gate_settings_margin(&settings, "zip", "time", "vm") - 0.03) < 1e-12);
    assert_int_equal(gate_settings_read(&settings, path, &err), 0);
    assert_no_error(err);
    assert_true(settings.confidence == 0.95);
    assert_int_equal(settings.fail_on, GATE_FAIL_ON_WORSE | GATE_FAIL_ON_UNTRUSTWORTHY);
    assert_true(gate_settings_margin(&settings, "zip", "time", "container") == 0.02);
    assert_true(gate_settings_margin(&settings, "zip", "time", "vm:cpus=1") == 0.075);
    assert_true(gate_settings_margin(&settings, "prime", "time", "vm") == 0.04);
    assert_true(fabs(gate_settings_floor(&settings, "zip", "time", "vm", "s") - 0.005) < 1e-12);
    assert_true(fabs(gate_settings_floor(&settings, "zip", "p50", "vm", "us") - 5000) < 1e-9);
    assert_true(gate_settings_floor(&settings, "disk", "seq_read", "vm", "MB/s") == 3);
    assert_true(fabs(gate_settings_floor(&settings, "startup", "ready", "vm", "ms") - 0.1) < 1e-12);
    assert_true(gate_settings_floor(&settings, "zip", "throughput", "vm", "MB/s") == 0);
    assert_true(gate_settings_ignores(&settings, "stream", "triad", "vm"));
    assert_false(gate_settings_ignores(&settings, "zip", "time", "vm"));
    assert_true(gate_settings_between_runs(&settings, "prime", "time", "vm") == 0.01);
}

/* What the sample says is what the program does: the sample's values change nothing. */
static void the_sample_shows_the_defaults(void **state) {
    (void)state;
    static const char *const metrics[][3] = {{"zip", "time", "s"},
                                             {"prime", "latency_p50", "us"},
                                             {"startup", "ready", "ms"},
                                             {"startup", "cold_ready", "ms"},
                                             {"disk", "seq_read", "MB/s"}};
    cleanup_free char *path = text_format("%s/docs/ci/boxmark.ini", getenv("SRCDIR"));
    cleanup_gate_settings struct gate_settings plain = {0}, sample = {0};
    struct error *err = NULL;
    assert_int_equal(gate_settings_default(&plain, &err), 0);
    assert_int_equal(gate_settings_default(&sample, &err), 0);
    if (gate_settings_read(&sample, path, &err) < 0)
        fail_msg("%s", error_message(err));
    assert_true(plain.confidence == sample.confidence && plain.resolution == sample.resolution);
    assert_int_equal(plain.fail_on, sample.fail_on);
    assert_int_equal(sample.ignored.count, 0);
    for (unsigned i = 0; i < sizeof(metrics) / sizeof(*metrics); i++) {
        const char *workload = metrics[i][0], *metric = metrics[i][1], *unit = metrics[i][2];
        assert_true(fabs(gate_settings_margin(&plain, workload, metric, "vm") -
                         gate_settings_margin(&sample, workload, metric, "vm")) < 1e-12);
        assert_true(fabs(gate_settings_between_runs(&plain, workload, metric, "vm") -
                         gate_settings_between_runs(&sample, workload, metric, "vm")) < 1e-12);
        assert_true(fabs(gate_settings_floor(&plain, workload, metric, "vm", unit) -
                         gate_settings_floor(&sample, workload, metric, "vm", unit)) < 1e-12);
    }
}

/* ---- Estimates --------------------------------------------------------------------------------
 */

static void a_trimmed_mean_ignores_odd_blocks(void **state) {
    (void)state;
    double values[] = {0.01, 0.02, 0.03, 0.04, 50, 0.02, 0.03, -50, 0.02, 0.03};
    struct gate_centre centre = gate_centre_of(values, 10);
    assert_true(fabs(centre.mean - 0.025) < 1e-12);
    assert_true(centre.df == 5);
    assert_true(centre.variance > 0 && sqrt(centre.variance) < 0.01);
    double one[] = {3};
    assert_true(gate_centre_of(one, 1).df == 0);
    double equal[] = {1, 1, 1, 1};
    assert_true(gate_centre_of(equal, 4).variance == 0);
}

static void runs_that_differ_widen_the_interval(void **state) {
    (void)state;
    struct gate_centre alike[] = {{0, 1e-6, 5}, {0, 1e-6, 5}, {0, 1e-6, 5}};
    struct gate_centre apart[] = {{-0.05, 1e-6, 5}, {0, 1e-6, 5}, {0.05, 1e-6, 5}};
    struct gate_centre now = {0.1, 1e-6, 5};
    struct gate_change one = gate_change_of(alike, 1, &now, 0.003);
    struct gate_change three = gate_change_of(alike, 3, &now, 0.003);
    struct gate_change wide = gate_change_of(apart, 3, &now, 0.003);
    assert_true(fabs(one.now - one.before - 0.1) < 1e-12);
    assert_true(three.error < one.error);
    assert_true(wide.error > 4 * three.error);
    assert_true(gate_critical(0.025, 1e6) > 1.95 && gate_critical(0.025, 1e6) < 1.97);
    struct gate_centre exact = {0, 0, 5};
    assert_true(gate_change_of(&exact, 1, &exact, 0).error == 0);
}

/* ---- Decision ---------------------------------------------------------------------------------
 */

static enum verdict verdict_of(const struct gate_result *result, const char *workload) {
    for (size_t i = 0; i < result->row_count; i++)
        if (strcmp(result->rows[i].workload, workload) == 0)
            return result->rows[i].verdict;
    fail_msg("no row of %s", workload);
    return VERDICT_NONE;
}

static void decide(const struct gate_fixture *fixture, bool absolute,
                   struct gate_result *ret_result) {
    struct error *err = NULL;
    if (baseline_comparable(&fixture->before, &fixture->now, absolute, &err) < 0 ||
        gate_decide(&fixture->before, &fixture->now, &fixture->settings, absolute, ret_result,
                    &err) < 0)
        fail_msg("%s", error_message(err));
}

static void each_change_gets_its_verdict(void **state) {
    (void)state;
    cleanup_gate_fixture struct gate_fixture fixture;
    cleanup_gate_result struct gate_result result = {0};
    gate_fixture_make(&fixture, &(struct gate_fixture_options){0});
    decide(&fixture, false, &result);
    assert_int_equal(verdict_of(&result, "prime"), VERDICT_WORSE);
    assert_int_equal(verdict_of(&result, "zip"), VERDICT_SAME);
    assert_int_equal(verdict_of(&result, "stream"), VERDICT_BETTER);
    assert_int_equal(verdict_of(&result, "disk"), VERDICT_INCONCLUSIVE);
    assert_int_equal(verdict_of(&result, "startup"), VERDICT_UNTRUSTWORTHY);
    assert_int_equal(gate_verdict(&result), VERDICT_WORSE);
    assert_int_equal(gate_exit_code(&result), EXIT_CODE_REGRESSION);
    assert_true(fabs(result.rows[0].change - 0.1) < 0.01);
    assert_true(result.rows[0].change_low > 0);
}

static void what_fails_is_chosen_but_nothing_decided_never_passes(void **state) {
    (void)state;
    cleanup_gate_fixture struct gate_fixture fixture;
    gate_fixture_make(&fixture, &(struct gate_fixture_options){.factor = 1});
    const struct {
        unsigned fail_on;
        enum exit_code code;
    } cases[] = {{GATE_FAIL_ON_WORSE, EXIT_CODE_OK},
                 {GATE_FAIL_ON_WORSE | GATE_FAIL_ON_INCONCLUSIVE, EXIT_CODE_INCONCLUSIVE},
                 {GATE_FAIL_ON_WORSE | GATE_FAIL_ON_UNTRUSTWORTHY, EXIT_CODE_UNTRUSTWORTHY},
                 {7, EXIT_CODE_UNTRUSTWORTHY}};
    for (unsigned i = 0; i < 4; i++) {
        cleanup_gate_result struct gate_result result = {0};
        fixture.settings.fail_on = cases[i].fail_on;
        decide(&fixture, false, &result);
        assert_int_equal(gate_exit_code(&result), cases[i].code);
    }
    /* Ignored rows are not counted; when all are, nothing is left that could have been decided. */
    struct error *err = NULL;
    cleanup_free char *path = written("ignore.ini", "[ignore]\n* = yes\n");
    cleanup_gate_result struct gate_result result = {0};
    fixture.settings.fail_on = GATE_FAIL_ON_WORSE;
    assert_int_equal(gate_settings_read(&fixture.settings, path, &err), 0);
    decide(&fixture, false, &result);
    assert_int_equal(gate_exit_code(&result), EXIT_CODE_INCONCLUSIVE);
}

static void floors_and_margins_excuse_small_changes(void **state) {
    (void)state;
    cleanup_gate_fixture struct gate_fixture fixture;
    struct error *err = NULL;
    gate_fixture_make(&fixture, &(struct gate_fixture_options){0});
    cleanup_free char *floors = written("floors.ini", "[floors]\nprime/* = 200 ms\n");
    cleanup_free char *margins = written("margins.ini", "[floors]\nprime/* = 0 s\n"
                                                        "[margins]\nprime/* = 12 %\n");
    const char *const paths[] = {floors, margins};
    for (unsigned i = 0; i < 2; i++) {
        cleanup_gate_result struct gate_result result = {0};
        assert_int_equal(gate_settings_read(&fixture.settings, paths[i], &err), 0);
        decide(&fixture, false, &result);
        assert_int_equal(verdict_of(&result, "prime"), VERDICT_SAME);
        assert_non_null(strstr(result.rows[0].reason, i ? "within the margin" : "floor"));
    }
}

/* Everything on another machine is three times slower, the host too. */
static void another_machine_changes_no_ratio(void **state) {
    (void)state;
    cleanup_gate_fixture struct gate_fixture fixture;
    gate_fixture_make(&fixture, &(struct gate_fixture_options){.factor = 1, .machine = 3});
    cleanup_gate_result struct gate_result ratios = {0};
    decide(&fixture, false, &ratios);
    assert_int_equal(ratios.counts[VERDICT_WORSE], 0);
    struct error *err = NULL;
    assert_int_equal(baseline_comparable(&fixture.before, &fixture.now, true, &err), -1);
    assert_error(err, ERROR_USAGE, "machine.cpu_model");
}

static void absolute_values_include_the_host(void **state) {
    (void)state;
    cleanup_gate_fixture struct gate_fixture fixture;
    gate_fixture_make(&fixture,
                      &(struct gate_fixture_options){.factor = 1, .host = 1.2, .same = true});
    cleanup_gate_result struct gate_result result = {0};
    decide(&fixture, true, &result);
    bool seen = false;
    for (size_t i = 0; i < result.row_count; i++) {
        const struct gate_row *row = &result.rows[i];
        if (strcmp(row->workload, "prime") == 0 && strcmp(row->environment, "host") == 0) {
            seen = true;
            assert_int_equal(row->verdict, VERDICT_WORSE);
            assert_true(fabs(row->change - 0.2) < 0.02);
        }
    }
    assert_true(seen);
}

/* ---- What may be compared, and the file -------------------------------------------------------
 */

static void other_work_is_refused(void **state) {
    (void)state;
    static const struct {
        enum gate_fixture_other other;
        const char *message;
    } cases[] = {{OTHER_PARAMETER, "zip.bytes is 4 in the baseline and 5 in the run"},
                 {OTHER_VERSION, "workload zip is of version 1 in the baseline and of version 2"},
                 {OTHER_DIGEST, "the answer of zip"},
                 {OTHER_ACCELERATOR, "ran under KVM in the baseline and under TCG in the run"}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cleanup_gate_fixture struct gate_fixture fixture;
        struct error *err = NULL;
        gate_fixture_make(&fixture, &(struct gate_fixture_options){.other = cases[i].other});
        assert_int_equal(baseline_comparable(&fixture.before, &fixture.now, false, &err), -1);
        assert_non_null(err->advice);
        assert_error(err, ERROR_USAGE, cases[i].message);
    }
}

static void a_gap_is_inconclusive_not_passed_over(void **state) {
    (void)state;
    cleanup_gate_fixture struct gate_fixture fixture;
    cleanup_gate_result struct gate_result result = {0};
    gate_fixture_make(&fixture, &(struct gate_fixture_options){.factor = 1, .without = "zip"});
    decide(&fixture, false, &result);
    assert_int_equal(verdict_of(&result, "zip"), VERDICT_INCONCLUSIVE);
    for (size_t i = 0; i < result.row_count; i++)
        if (strcmp(result.rows[i].workload, "zip") == 0) {
            assert_string_equal(result.rows[i].reason, "not measured in this run");
            assert_false(gate_row_suspicious(&result.rows[i]));
        }
}

static void a_file_is_read_as_it_was_written(void **state) {
    (void)state;
    cleanup_gate_fixture struct gate_fixture fixture;
    gate_fixture_make(&fixture, &(struct gate_fixture_options){0});
    cleanup_free char *path = text_format("%s/baseline.json", folder);
    struct error *err = NULL;
    assert_int_equal(baseline_write(&fixture.before, path, &err), 0);
    cleanup_baseline struct baseline read = {0};
    if (baseline_read(path, &read, &err) < 0)
        fail_msg("%s", error_message(err));
    assert_int_equal(read.series_count, fixture.before.series_count);
    assert_int_equal(read.run_count, fixture.before.run_count);
    for (size_t i = 0; i < read.series_count; i++) {
        const struct baseline_series *a = &read.series[i], *b = &fixture.before.series[i];
        assert_string_equal(a->metric, b->metric);
        assert_string_equal(a->environment, b->environment);
        for (unsigned r = 0; r < read.run_count; r++) {
            assert_int_equal(a->runs[r].ratio_count, b->runs[r].ratio_count);
            for (size_t j = 0; j < a->runs[r].ratio_count; j++)
                assert_true(fabs(a->runs[r].ratios[j] / b->runs[r].ratios[j] - 1) < 1e-5);
        }
    }
    assert_true(json_equal(read.workloads, fixture.before.workloads));
}

static void refused_file(const char *text, const char *message) {
    cleanup_free char *path = written("bad.json", text);
    cleanup_baseline struct baseline read = {0};
    struct error *err = NULL;
    assert_int_equal(baseline_read(path, &read, &err), -1);
    assert_error(err, ERROR_USAGE, message);
}

#define HEAD "{\"kind\": \"boxmark baseline\", \"schema\": 1, \"reference\": \"host\", "
#define RUNS "\"runs\": [{}], "
#define ENVIRONMENTS                                                                               \
    "\"environments\": [{\"label\": \"host\", \"kind\": \"host\", \"accelerator\": \"none\"}], "
#define WORKLOADS "\"workloads\": [{\"name\": \"zip\", \"version\": 1, \"parameters\": {}}], "
#define METRIC                                                                                     \
    "{\"workload\": \"zip\", \"metric\": \"time\", \"unit\": \"s\", \"better\": \"lower\", "       \
    "\"environment\": \"host\", \"values\": [[1, 2]]}"

static void bad_files_are_refused_in_words(void **state) {
    (void)state;
    refused_file("", "bad.json:1");
    refused_file("[]", "is not a baseline of boxmark");
    refused_file("{\"schema\": 1}", "is not a baseline of boxmark");
    refused_file("{\"kind\": \"boxmark baseline\", \"schema\": 2}", "schema 2 is not the one");
    refused_file("{\"kind\": \"boxmark baseline\"}", "schema: missing");
    refused_file("{\"kind\": \"boxmark baseline\", \"schema\": 1}", "baseline.reference");
    refused_file(HEAD "\"runs\": []}", "runs: missing or empty");
    refused_file(HEAD RUNS "\"environments\": []}", "environments");
    refused_file(HEAD RUNS ENVIRONMENTS WORKLOADS "\"metrics\": []}", "nothing to compare");
    refused_file(HEAD RUNS ENVIRONMENTS "\"metrics\": [" METRIC "]}", "workload is not among");
    refused_file(HEAD RUNS ENVIRONMENTS WORKLOADS "\"metrics\": [" METRIC ", " METRIC "]}",
                 "metrics[1]: stands there twice");
    refused_file(HEAD RUNS ENVIRONMENTS WORKLOADS
                 "\"metrics\": [{\"workload\": \"zip\", \"metric\": \"time\", \"unit\": \"s\", "
                 "\"better\": \"lower\", \"environment\": \"host\", \"values\": [[1, -2]]}]}",
                 "not a positive number");
    struct error *err = NULL;
    struct baseline read;
    assert_int_equal(baseline_read("/nowhere/baseline.json", &read, &err), -1);
    assert_error(err, ERROR_USAGE, "/nowhere/baseline.json");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_settings_are_named_by_line_and_key),
        cmocka_unit_test(the_last_rule_that_matches_counts),
        cmocka_unit_test(the_sample_shows_the_defaults),
        cmocka_unit_test(a_trimmed_mean_ignores_odd_blocks),
        cmocka_unit_test(runs_that_differ_widen_the_interval),
        cmocka_unit_test(each_change_gets_its_verdict),
        cmocka_unit_test(what_fails_is_chosen_but_nothing_decided_never_passes),
        cmocka_unit_test(floors_and_margins_excuse_small_changes),
        cmocka_unit_test(another_machine_changes_no_ratio),
        cmocka_unit_test(absolute_values_include_the_host),
        cmocka_unit_test(other_work_is_refused),
        cmocka_unit_test(a_gap_is_inconclusive_not_passed_over),
        cmocka_unit_test(a_file_is_read_as_it_was_written),
        cmocka_unit_test(bad_files_are_refused_in_words),
    };
    return cmocka_run_group_tests_name("gate", tests, make_folder, remove_folder);
}
