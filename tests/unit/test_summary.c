// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/samples.h"

#include "results/precision.h"
#include "results/summary.h"

#define assert_near(actual, expected)                                                              \
    do {                                                                                           \
        double actual_ = (actual), expected_ = (expected);                                         \
        if (!(fabs(actual_ - expected_) <= 1e-12 * fmax(1, fabs(expected_))))                      \
            fail_msg("%.17g is not %.17g", actual_, expected_);                                    \
    } while (0)

static bool is_headline(const char *workload, const char *metric) {
    (void)workload;
    return strcmp(metric, "time") == 0 || strcmp(metric, "rate") == 0;
}

static struct summary *build(struct scratch *scratch) {
    struct summary_options options = summary_defaults;
    options.is_headline = is_headline;
    struct summary *summary = NULL;
    struct error *err = NULL;
    scratch_close(scratch);
    summary_build(scratch->path, &options, &summary, &err);
    assert_no_error(err);
    assert_non_null(summary);
    return summary;
}

static void add(struct scratch *scratch, uint64_t block, const char *environment, double value) {
    struct sample sample = sample_of(block, environment, value);
    scratch_add(scratch, &sample);
}

/* Some spread that is not symmetric, the same for every environment of a block. */
static double noise(uint64_t block) {
    return 1 + 0.03 * (double)(block * 7 % 10) / 10 + (block == 3 ? 0.5 : 0);
}

static void a_deliberate_factor_is_recovered(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 10; block++) {
        add(scratch, block, "container", 2 * noise(block));
        add(scratch, block, "host", noise(block));
        add(scratch, block, "vm", 7.5 * noise(block));
    }
    cleanup_summary struct summary *summary = build(scratch);
    assert_int_equal(summary->environment_count, 3);
    assert_true(summary->has_reference);
    assert_string_equal(summary->environments[0].title, "host");
    assert_string_equal(summary->environments[1].title, "container");
    assert_string_equal(summary->environments[2].title, "vm (TCG)");
    assert_int_equal(summary->sample_count, 30);
    const struct summary_metric *metric = summary_find(summary, "prime", "time");
    assert_non_null(metric);
    assert_true(metric->headline);
    static const double factors[] = {NAN, 2, 7.5};
    for (unsigned e = 1; e < 3; e++) {
        const struct summary_cell *cell = &metric->cells[e];
        assert_int_equal(cell->blocks, 10);
        assert_int_equal(cell->pairs, 10);
        assert_near(cell->ratio, factors[e]);
        assert_near(cell->ratio_low, factors[e]);
        assert_near(cell->ratio_high, factors[e]);
        assert_int_equal(cell->verdict, VERDICT_WORSE);
        assert_null(cell->reason);
        assert_near(cell->p_value, 2.0 / 1024);
        assert_near(cell->p_holm, 2 * 2.0 / 1024);
        assert_true(cell->flags & SUMMARY_OUTLIERS);
        assert_false(cell->flags & SUMMARY_TOO_FEW_BLOCKS);
    }
    const struct summary_cell *host = &metric->cells[0];
    assert_true(isnan(host->ratio) && isnan(host->p_value) && isnan(host->detectable));
    assert_int_equal(host->verdict, VERDICT_NONE);
    assert_int_equal(host->pairs, 0);
    assert_true(host->minimum == 1 && host->median > 1 && host->maximum == 1.5 + 0.003);
    assert_true(host->median_low <= host->median && host->median <= host->median_high);
    assert_null(summary_find(summary, "prime", "nonsense"));
    assert_null(summary_find(summary, "nonsense", "time"));
}

static void iterations_become_one_value_a_block(void **state) {
    struct scratch *scratch = *state;
    /* Odd, even and single counts of iterations; warm-ups do not count, even when far off. */
    static const double iterations[3][4] = {{5, 1, 3, 0}, {2, 4, 8, 6}, {9, 0, 0, 0}};
    static const unsigned counts[] = {3, 4, 1};
    for (uint64_t block = 0; block < 3; block++) {
        struct sample sample = sample_of(block, "host", 1000);
        sample.warmup = true;
        scratch_add(scratch, &sample);
        sample.warmup = false;
        for (unsigned i = 0; i < counts[block]; i++) {
            sample.value = iterations[block][i];
            sample.iteration = i;
            scratch_add(scratch, &sample);
        }
    }
    cleanup_summary struct summary *summary = build(scratch);
    const struct summary_cell *cell = &summary->metrics[0].cells[0];
    assert_int_equal(cell->blocks, 3);
    assert_int_equal(cell->samples, 8);
    assert_near(cell->values[0], 3);
    assert_near(cell->values[1], 5);
    assert_near(cell->values[2], 9);
    assert_near(cell->median, 5);
    assert_near(cell->minimum, 3);
    assert_near(cell->maximum, 9);
    assert_true(cell->value_blocks[2] == 2);
    assert_true(cell->flags & SUMMARY_TOO_FEW_BLOCKS);
    assert_true(isnan(cell->median_low) && isnan(cell->median_high));
}

static void pairs_are_of_one_block(void **state) {
    struct scratch *scratch = *state;
    /* Blocks in disorder, gaps on both sides; every block has a speed of its own. */
    static const uint64_t host_blocks[] = {9, 0, 1, 2, 4, 5, 6, 7, 11};
    static const uint64_t vm_blocks[] = {3, 1, 0, 2, 7, 6, 5, 4, 10};
    for (unsigned i = 0; i < 9; i++) {
        add(scratch, host_blocks[i], "host", 1 + (double)host_blocks[i]);
        add(scratch, vm_blocks[i], "vm", 3 * (1 + (double)vm_blocks[i]));
    }
    cleanup_summary struct summary *summary = build(scratch);
    const struct summary_cell *cell = &summary->metrics[0].cells[1];
    assert_int_equal(cell->blocks, 9);
    assert_int_equal(cell->pairs, 7);
    assert_near(cell->ratio, 3);
    assert_near(cell->ratio_low, 3);
    assert_near(cell->ratio_high, 3);
    assert_true(cell->flags & SUMMARY_DRIFT);
}

static void ratios_turn_round(void **state) {
    struct scratch *scratch = *state;
    static const double ratios[] = {1.1, 1.3, 0.9, 1.7, 1.2, 2.5, 1.05, 1.15};
    for (uint64_t block = 0; block < 8; block++) {
        add(scratch, block, "host", 10);
        add(scratch, block, "vm", 10 * ratios[block]);
    }
    cleanup_summary struct summary *summary = build(scratch);
    struct summary_options options = summary_defaults;
    options.reference = "vm";
    cleanup_summary struct summary *turned = NULL;
    cleanup_error struct error *err = NULL;
    assert_int_equal(summary_build(scratch->path, &options, &turned, &err), 0);
    assert_string_equal(turned->environments[0].label, "vm");
    const struct summary_cell *cell = &summary->metrics[0].cells[1];
    const struct summary_cell *inverse = &turned->metrics[0].cells[1];
    assert_near(cell->ratio, sqrt(1.15 * 1.2));
    assert_near(inverse->ratio, 1 / cell->ratio);
    assert_near(inverse->p_value, cell->p_value);
    /* Up to the resampling, which is another one. */
    assert_true(fabs(inverse->ratio_low * cell->ratio_high - 1) < 0.02);
    assert_true(fabs(inverse->ratio_high * cell->ratio_low - 1) < 0.02);
}

static void one_block_gives_figures_without_intervals(void **state) {
    struct scratch *scratch = *state;
    add(scratch, 0, "host", 1);
    add(scratch, 0, "vm", 4);
    cleanup_summary struct summary *summary = build(scratch);
    const struct summary_cell *cell = &summary->metrics[0].cells[1];
    assert_near(cell->ratio, 4);
    assert_near(cell->median, 4);
    assert_true(isnan(cell->ratio_low) && isnan(cell->ratio_high) && isnan(cell->variation));
    assert_true(isnan(cell->detectable));
    assert_int_equal(cell->verdict, VERDICT_INCONCLUSIVE);
    assert_true(cell->flags & SUMMARY_TOO_FEW_BLOCKS);
    assert_string_equal(cell->reason, "1 block is too few for an interval at 95 %: it takes 6");
}

static void five_blocks_are_too_few_and_six_are_not(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 6; block++) {
        add(scratch, block, "host", 1);
        add(scratch, block, "vm", 4);
        if (block == 4) {
            cleanup_summary struct summary *summary = build(scratch);
            assert_int_equal(summary->metrics[0].cells[1].verdict, VERDICT_INCONCLUSIVE);
            assert_true(isnan(summary->metrics[0].cells[1].ratio_low));
        }
    }
    cleanup_summary struct summary *summary = build(scratch);
    assert_int_equal(summary->metrics[0].cells[1].verdict, VERDICT_WORSE);
    assert_near(summary->metrics[0].cells[1].ratio_low, 4);
    assert_int_equal(summary->metrics[0].cells[1].flags, 0);
}

/* The interval lies beyond the margin, but among 20 comparisons that is no news. */
static void a_difference_must_survive_the_correction(void **state) {
    struct scratch *scratch = *state;
    static const double ratios[] = {1.015, 1.02, 1.03, 1.06, 1.12, 1.02};
    char label[24];
    for (uint64_t block = 0; block < 6; block++) {
        add(scratch, block, "host", noise(block));
        for (unsigned e = 0; e < 20; e++) {
            snprintf(label, sizeof(label), "e%u", e);
            add(scratch, block, label, noise(block) * (e == 0 ? ratios[block] : 1));
        }
    }
    cleanup_summary struct summary *summary = build(scratch);
    const struct summary_cell *cell = &summary->metrics[0].cells[1];
    assert_string_equal(summary->environments[1].label, "e0");
    assert_true(cell->ratio_low > 1.01);
    assert_true(cell->p_value < 0.05 && cell->p_value > 0.05 / 20 && cell->p_holm > 0.05);
    assert_int_equal(cell->verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(cell->reason, "Holm"));
    /* The same where it is the only comparison. */
    struct summary_options options = summary_defaults;
    cleanup_summary struct summary *alone = NULL;
    cleanup_error struct error *err = NULL;
    assert_int_equal(summary_build(scratch->path, &options, &alone, &err), 0);
    assert_int_equal(alone->metrics[0].cells[1].verdict, VERDICT_WORSE);
}

static void zero_and_negative_values_have_no_ratio(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 8; block++) {
        add(scratch, block, "host", 1);
        add(scratch, block, "vm", block == 5 ? 0 : 2);
        add(scratch, block, "container", block == 2 ? -1 : 2);
        struct sample sample = sample_of(block, "host", block == 1 ? 0 : 1);
        sample.metric = "rate";
        scratch_add(scratch, &sample);
        sample.environment = "vm";
        sample.accelerator = "TCG";
        sample.value = 1;
        scratch_add(scratch, &sample);
    }
    cleanup_summary struct summary *summary = build(scratch);
    static const char *const reasons[] = {"no ratio: in block 5 vm has the value 0",
                                          "no ratio: in block 2 container has the value -1"};
    for (unsigned e = 1; e < 3; e++) {
        const struct summary_cell *cell = &summary->metrics[0].cells[e];
        assert_true(isnan(cell->ratio) && isnan(cell->ratio_low) && isnan(cell->p_value));
        assert_true(cell->flags & SUMMARY_NOT_POSITIVE);
        assert_int_equal(cell->verdict, VERDICT_INCONCLUSIVE);
        assert_string_equal(cell->reason, reasons[e - 1]);
        assert_near(cell->median, 2);
    }
    const struct summary_cell *cell = &summary_find(summary, "prime", "rate")->cells[1];
    assert_string_equal(cell->reason, "no ratio: in block 1 host has the value 0");
}

static void what_is_not_there_is_said(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 8; block++) {
        add(scratch, block, "host", 1);
        struct sample sample = sample_of(block, "vm", 1);
        sample.metric = "rate";
        sample.better = "higher";
        scratch_add(scratch, &sample); /* a headline that the reference lacks */
        sample.metric = "kernel_entered";
        scratch_add(scratch, &sample); /* a side figure that only a guest has */
        sample.metric = "size";
        sample.better = "neither";
        scratch_add(scratch, &sample);
        sample.environment = "host";
        sample.accelerator = "none";
        scratch_add(scratch, &sample);
    }
    cleanup_summary struct summary *summary = build(scratch);
    const struct summary_cell *cell = &summary_find(summary, "prime", "time")->cells[1];
    assert_int_equal(cell->blocks, 0);
    assert_true(isnan(cell->median) && isnan(cell->ratio));
    assert_int_equal(cell->verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(cell->reason, "not measured in this environment");
    cell = &summary_find(summary, "prime", "rate")->cells[1];
    assert_int_equal(cell->verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(cell->reason, "not measured in the reference host");
    cell = &summary_find(summary, "prime", "kernel_entered")->cells[1];
    assert_int_equal(cell->verdict, VERDICT_NONE);
    assert_string_equal(cell->reason, "not measured in the reference host");
    cell = &summary_find(summary, "prime", "size")->cells[1];
    assert_int_equal(cell->verdict, VERDICT_NONE);
    assert_null(cell->reason);
    assert_near(cell->ratio, 1);
    assert_true(isnan(cell->p_holm) && !isnan(cell->p_value));
}

static void without_the_reference_there_are_no_ratios(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 8; block++) {
        add(scratch, block, "vm", 2);
        add(scratch, block, "container", 1);
    }
    cleanup_summary struct summary *summary = build(scratch);
    assert_false(summary->has_reference);
    assert_string_equal(summary->environments[0].label, "vm");
    for (unsigned e = 0; e < 2; e++) {
        const struct summary_cell *cell = &summary->metrics[0].cells[e];
        assert_true(isnan(cell->ratio) && isnan(cell->p_value) && !isnan(cell->median_low));
        assert_int_equal(cell->verdict, VERDICT_INCONCLUSIVE);
        assert_string_equal(cell->reason, "not measured in the reference host");
    }
}

static void blocks_that_never_meet_have_no_pairs(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 16; block++)
        add(scratch, block, block % 2 ? "vm" : "host", 1);
    cleanup_summary struct summary *summary = build(scratch);
    const struct summary_cell *cell = &summary->metrics[0].cells[1];
    assert_int_equal(cell->pairs, 0);
    assert_int_equal(cell->verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(cell->reason, "no block has both this environment and host");
}

static void a_restarted_block_counts_from_its_restart(void **state) {
    struct scratch *scratch = *state;
    static const struct {
        uint64_t block, iteration;
        double value;
    } rows[] = {{0, 0, 1}, {0, 1, 1}, {1, 0, 99}, {1, 1, 98}, {1, 0, 2},
                {1, 1, 4}, {1, 2, 3}, {2, 5, 7},  {0, 2, 1}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct sample sample = sample_of(rows[i].block, "host", rows[i].value);
        sample.iteration = rows[i].iteration;
        scratch_add(scratch, &sample);
    }
    cleanup_summary struct summary *summary = build(scratch);
    const struct summary_cell *cell = &summary->metrics[0].cells[0];
    assert_int_equal(cell->blocks, 3);
    assert_near(cell->values[1], 3);
    assert_int_equal(cell->samples, 7);
    assert_int_equal(summary->superseded_count, 2);
    assert_int_equal(summary->sample_count, 7);
}

static void names_are_kept_in_order(void **state) {
    struct scratch *scratch = *state;
    static const char *const rows[][2] = {{"zip", "time"},  {"prime", "time"}, {"zip", "rate"},
                                          {"disk", "rate"}, {"prime", "rate"}, {"zip", "size"}};
    static const char *const expected[][2] = {{"zip", "time"},   {"zip", "rate"},
                                              {"zip", "size"},   {"prime", "time"},
                                              {"prime", "rate"}, {"disk", "rate"}};
    static const char *const environments[] = {"vm", "container", "host", "vm:a"};
    static const char *const ordered[] = {"host", "vm", "container", "vm:a"};
    for (unsigned e = 0; e < 4; e++)
        for (unsigned i = 0; i < 6; i++) {
            struct sample sample = sample_of(0, environments[e], e * 10 + i);
            sample.workload = rows[i][0];
            sample.metric = rows[i][1];
            scratch_add(scratch, &sample);
        }
    cleanup_summary struct summary *summary = build(scratch);
    assert_int_equal(summary->metric_count, 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_string_equal(summary->metrics[i].workload, expected[i][0]);
        assert_string_equal(summary->metrics[i].metric, expected[i][1]);
    }
    for (unsigned e = 0; e < 4; e++)
        assert_string_equal(summary->environments[e].label, ordered[e]);
    assert_near(summary_find(summary, "prime", "rate")->cells[0].median, 24);
    assert_near(summary_find(summary, "zip", "size")->cells[1].median, 5);
    assert_near(summary_find(summary, "disk", "rate")->cells[3].median, 33);
}

static void contradictions_are_refused(void **state) {
    struct scratch *scratch = *state;
    struct sample sample = sample_of(0, "host", 1);
    scratch_add(scratch, &sample);
    sample.unit = "ms";
    scratch_add(scratch, &sample);
    scratch_close(scratch);
    struct summary *summary = NULL;
    struct error *err = NULL;
    assert_int_equal(summary_build(scratch->path, &summary_defaults, &summary, &err), -1);
    assert_error(err, ERROR_USAGE, "samples.csv:3: prime time is in ms");
    assert_null(summary);
}

static void nothing_counted_is_refused(void **state) {
    struct scratch *scratch = *state;
    struct sample sample = sample_of(0, "host", 1);
    sample.warmup = true;
    scratch_add(scratch, &sample);
    scratch_close(scratch);
    struct summary *summary = NULL;
    struct error *err = NULL;
    assert_int_equal(summary_build(scratch->path, &summary_defaults, &summary, &err), -1);
    assert_error(err, ERROR_USAGE, "holds no counted sample");
}

static void options_out_of_range_are_refused(void **state) {
    struct scratch *scratch = *state;
    add(scratch, 0, "host", 1);
    scratch_close(scratch);
    const struct summary_options bad[] = {
        {.reference = "host", .confidence = 1, .margin = 0.01, .resamples = 10000},
        {.reference = "host", .confidence = NAN, .margin = 0.01, .resamples = 10000},
        {.reference = "host", .confidence = 0.95, .margin = -0.01, .resamples = 10000},
        {.reference = "host", .confidence = 0.95, .margin = NAN, .resamples = 10000},
        {.reference = "host", .confidence = 0.95, .margin = 0.01, .resamples = 0},
    };
    static const char *const messages[] = {"confidence of 1 is not", "confidence of nan",
                                           "margin of -0.01", "margin of nan", "0 bootstrap"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct summary *summary = NULL;
        struct error *err = NULL;
        assert_int_equal(summary_build(scratch->path, &bad[i], &summary, &err), -1);
        assert_error(err, ERROR_USAGE, messages[i]);
    }
}

static void accelerators_that_change_are_mixed(void **state) {
    struct scratch *scratch = *state;
    struct sample sample = sample_of(0, "vm", 1);
    scratch_add(scratch, &sample);
    sample.accelerator = "KVM";
    sample.block = 1;
    scratch_add(scratch, &sample);
    cleanup_summary struct summary *summary = build(scratch);
    assert_string_equal(summary->environments[0].title, "vm (mixed)");
}

static void distrust_takes_the_verdict_and_leaves_the_figures(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 8; block++)
        for (unsigned w = 0; w < 2; w++) {
            static const char *const environments[] = {"host", "vm", "container"};
            for (unsigned e = 0; e < 3; e++) {
                struct sample sample = sample_of(block, environments[e], 1 + e);
                sample.workload = w ? "zip" : "prime";
                scratch_add(scratch, &sample);
            }
        }
    cleanup_summary struct summary *summary = build(scratch);
    const struct summary_metric *prime = summary_find(summary, "prime", "time");
    const struct summary_metric *zip = summary_find(summary, "zip", "time");
    summary_distrust(summary, "vm", "prime", NULL, "first");
    summary_distrust(summary, "vm", NULL, "time", "second");
    summary_distrust(summary, "nobody", NULL, NULL, "never");
    assert_string_equal(prime->cells[1].reason, "first; second");
    assert_string_equal(zip->cells[1].reason, "second");
    assert_int_equal(prime->cells[1].verdict, VERDICT_UNTRUSTWORTHY);
    assert_near(prime->cells[1].ratio, 2);
    assert_int_equal(prime->cells[2].verdict, VERDICT_WORSE);
    assert_int_equal(prime->cells[0].verdict, VERDICT_NONE);
    /* What is wrong with the reference is wrong with every ratio. */
    summary_distrust(summary, "host", "zip", NULL, "third");
    assert_int_equal(zip->cells[2].verdict, VERDICT_UNTRUSTWORTHY);
    assert_string_equal(zip->cells[0].reason, "third");
    assert_string_equal(zip->cells[2].reason, "the reference host: third");
    assert_int_equal(prime->cells[2].verdict, VERDICT_WORSE);
    summary_distrust(summary, NULL, NULL, NULL, "all");
    assert_int_equal(prime->cells[2].verdict, VERDICT_UNTRUSTWORTHY);
    assert_string_equal(prime->cells[2].reason, "all");
}

static void what_was_not_measured_is_not_distrusted(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 8; block++) {
        add(scratch, block, "host", 1);
        struct sample sample = sample_of(block, "vm", 1);
        sample.metric = "side figure";
        scratch_add(scratch, &sample);
    }
    cleanup_summary struct summary *summary = build(scratch);
    summary_distrust(summary, NULL, NULL, NULL, "all");
    const struct summary_metric *metric = summary_find(summary, "prime", "time");
    assert_int_equal(metric->cells[0].verdict, VERDICT_UNTRUSTWORTHY);
    assert_int_equal(metric->cells[1].verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(metric->cells[1].reason, "not measured in this environment");
}

static void json_holds_everything_and_no_nan(void **state) {
    struct scratch *scratch = *state;
    add(scratch, 0, "host", 1);
    add(scratch, 0, "vm", 4);
    cleanup_summary struct summary *summary = build(scratch);
    json_t *json = NULL;
    struct error *err = NULL;
    assert_int_equal(summary_to_json(summary, &json, &err), 0);
    const json_t *metric = json_array_get(json_object_get(json, "metrics"), 0);
    const json_t *cell = json_array_get(json_object_get(metric, "cells"), 1);
    assert_string_equal(json_string_value(json_object_get(cell, "environment")), "vm");
    assert_near(json_real_value(json_object_get(cell, "ratio")), 4);
    assert_true(json_is_null(json_array_get(json_object_get(cell, "ratio_interval"), 0)));
    assert_string_equal(json_string_value(json_object_get(cell, "verdict")), "inconclusive");
    assert_string_equal(json_string_value(json_array_get(json_object_get(cell, "flags"), 0)),
                        "too_few_blocks");
    assert_true(json_is_true(json_object_get(metric, "headline")));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json, "options"), "seed")), "1");
    cleanup_free char *text = json_dumps(json, 0);
    json_decref(json);
    assert_non_null(text);
    assert_null(strstr(text, "nan"));
}

static bool is_vm(void *cookie, const char *label) {
    (void)cookie;
    return strcmp(label, "vm") == 0;
}

static void precision_is_told_for_each_workload(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 10; block++) {
        static const char *const environments[] = {"host", "vm", "container"};
        for (unsigned w = 0; w < 2; w++)
            for (unsigned e = 0; e < 3; e++) {
                /* zip is noisy in the vm alone */
                double value = w && e == 1 ? 1 + 0.1 * (double)(block % 5) : 1 + e;
                struct sample sample = sample_of(block, environments[e], value);
                sample.workload = w ? "zip" : "prime";
                scratch_add(scratch, &sample);
                sample.metric = "side figure";
                sample.value = 1 + (double)(block * (e + 1) % 7);
                scratch_add(scratch, &sample);
            }
    }
    cleanup_summary struct summary *summary = build(scratch);
    assert_false(precision_needs_blocks(summary, "prime", 0.01, NULL, NULL));
    assert_true(precision_needs_blocks(summary, "zip", 0.01, NULL, NULL));
    assert_false(precision_needs_blocks(summary, "zip", 0.01, is_vm, NULL));
    assert_false(precision_needs_blocks(summary, "zip", 0.9, NULL, NULL));
    assert_false(precision_needs_blocks(summary, "unknown", 0.01, NULL, NULL));
    const struct summary_metric *metric;
    const char *environment;
    double worst = precision_worst(summary, &metric, &environment);
    assert_string_equal(metric->workload, "zip");
    assert_string_equal(metric->metric, "time");
    assert_string_equal(environment, "vm");
    assert_near(worst, precision_width(&metric->cells[1]));
    assert_true(worst > 0.01 && worst < 0.9);
}

static void too_few_blocks_are_never_precise(void **state) {
    struct scratch *scratch = *state;
    for (uint64_t block = 0; block < 5; block++) {
        add(scratch, block, "host", 1);
        add(scratch, block, "vm", 2);
    }
    cleanup_summary struct summary *summary = build(scratch);
    assert_true(precision_needs_blocks(summary, "prime", 0.5, NULL, NULL));
    const char *environment;
    assert_true(isnan(precision_worst(summary, NULL, &environment)));
    assert_string_equal(environment, "vm");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(a_deliberate_factor_is_recovered),
        scratch_test(iterations_become_one_value_a_block),
        scratch_test(pairs_are_of_one_block),
        scratch_test(ratios_turn_round),
        scratch_test(one_block_gives_figures_without_intervals),
        scratch_test(five_blocks_are_too_few_and_six_are_not),
        scratch_test(a_difference_must_survive_the_correction),
        scratch_test(zero_and_negative_values_have_no_ratio),
        scratch_test(what_is_not_there_is_said),
        scratch_test(without_the_reference_there_are_no_ratios),
        scratch_test(blocks_that_never_meet_have_no_pairs),
        scratch_test(a_restarted_block_counts_from_its_restart),
        scratch_test(names_are_kept_in_order),
        scratch_test(contradictions_are_refused),
        scratch_test(nothing_counted_is_refused),
        scratch_test(options_out_of_range_are_refused),
        scratch_test(accelerators_that_change_are_mixed),
        scratch_test(distrust_takes_the_verdict_and_leaves_the_figures),
        scratch_test(what_was_not_measured_is_not_distrusted),
        scratch_test(json_holds_everything_and_no_nan),
        scratch_test(precision_is_told_for_each_workload),
        scratch_test(too_few_blocks_are_never_precise),
    };
    return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
