// SPDX-License-Identifier: GPL-3.0-or-later
/* A baseline of the gate: what is read can be written, reads as the same and may be compared. */
#include "tests/fuzz/fuzz.h"

#include "results/baseline.h"

#include <math.h>

static void check_numbers(const double *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        fuzz_check(isfinite(values[i]) && values[i] > 0);
}

static void check_series(const struct baseline *baseline, const struct baseline_series *series) {
    bool reference = strcmp(series->environment, baseline->reference) == 0;
    fuzz_check(baseline_environment(baseline, series->environment));
    fuzz_check(json_object_get(baseline->workloads, series->workload));
    fuzz_check(baseline_find(baseline, series->workload, series->metric, series->environment) ==
               series);
    for (unsigned r = 0; r < baseline->run_count; r++) {
        const struct baseline_blocks *blocks = &series->runs[r];
        fuzz_check(!reference || !blocks->ratios);
        check_numbers(blocks->ratios, blocks->ratio_count);
        check_numbers(blocks->values, blocks->value_count);
    }
}

static void check_again(const struct baseline *baseline) {
    cleanup_error struct error *err = NULL, *difference = NULL;
    cleanup_baseline struct baseline again = {0};
    cleanup_free char *text = NULL;
    size_t size;
    fuzz_check(baseline_format(baseline, &text, &size, &err) == 0);
    fuzz_check(baseline_parse(text, size, "again", &again, &err) == 0);
    fuzz_check(again.run_count == baseline->run_count);
    fuzz_check(again.environment_count == baseline->environment_count);
    fuzz_check(again.series_count == baseline->series_count);
    for (size_t i = 0; i < again.series_count; i++) {
        const struct baseline_series *was = &baseline->series[i], *is = &again.series[i];
        fuzz_check(strcmp(was->workload, is->workload) == 0);
        fuzz_check(strcmp(was->metric, is->metric) == 0);
        fuzz_check(strcmp(was->unit, is->unit) == 0);
        fuzz_check(strcmp(was->environment, is->environment) == 0);
        fuzz_check(baseline_block_count(baseline, was) == baseline_block_count(&again, is));
        (void)baseline_partner(baseline, &again, was->environment);
    }
    int result = baseline_comparable(baseline, &again, true, &difference);
    fuzz_check_result(result, difference);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_free char *text = fuzz_text(data, size);
    cleanup_error struct error *err = NULL;
    cleanup_baseline struct baseline baseline = {0};
    int result = baseline_parse(text, size, "baseline.json", &baseline, &err);
    fuzz_check_result(result, err);
    if (result < 0)
        return 0;
    fuzz_check(baseline.run_count > 0 && baseline.series_count > 0);
    fuzz_check(baseline_environment(&baseline, baseline.reference));
    for (size_t i = 0; i < baseline.series_count; i++)
        check_series(&baseline, &baseline.series[i]);
    check_again(&baseline);
    return 0;
}
