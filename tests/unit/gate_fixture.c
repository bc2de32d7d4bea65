// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/gate_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 8 };

const char gate_hostile_text[] =
    "vm\n::error::x\r# SKIP `|*_<b a='\"'>&amp;%0A]]> \\ \033[31m\xc3\xa4"
    "\xe2\x80\xae, @you #1";

static const struct {
    const char *workload, *metric, *unit, *better;
    double value, ratio, noise, change; /* of the guest */
} metrics[] = {
    {"prime", "time", "s", "lower", 1, 1.02, 0.001, 1.1},
    {"zip", "time", "s", "lower", 2, 1.05, 0.001, 1.004},
    {"stream", "triad", "MB/s", "higher", 9000, 0.8, 0.002, 1.1},
    {"disk", "seq_read", "MB/s", "higher", 1500, 0.7, 0.3, 0.9},
    {"startup", "ready", "ms", "lower", 2, 40, 0.01, 1},
};
#define METRICS (sizeof(metrics) / sizeof(*metrics))

static void die(struct error *err) {
    fprintf(stderr, "fixture: %s\n", error_message(err));
    abort();
}

static struct summary_cell make_cell(double value, double noise, unsigned run) {
    struct summary_cell cell = {.blocks = BLOCKS,
                                .values = calloc(BLOCKS, sizeof(double)),
                                .value_blocks = calloc(BLOCKS, sizeof(uint64_t))};
    for (unsigned b = 0; b < BLOCKS; b++) {
        cell.value_blocks[b] = b;
        /* Irrational steps: spread evenly, and never the same twice. */
        double part = fmod(0.6180339887 * (b + 1 + 3 * run), 1) - 0.5;
        cell.values[b] = value * (1 + 2 * noise * part);
    }
    return cell;
}

static const char *guest_label(const struct gate_fixture_options *options) {
    return options->hostile ? gate_hostile_text : "vm";
}

static struct summary *make_summary(const struct gate_fixture_options *options, bool is_now,
                                    unsigned run) {
    struct summary *summary = calloc(1, sizeof(*summary));
    summary->has_reference = true;
    summary->options = summary_defaults;
    summary->options.reference = strdup("host");
    summary->environment_count = 2;
    summary->environments = calloc(2, sizeof(*summary->environments));
    summary->environments[0] = (struct summary_environment){
        .label = strdup("host"), .accelerator = strdup("none"), .title = strdup("host")};
    summary->environments[1] = (struct summary_environment){.label = strdup(guest_label(options)),
                                                            .accelerator = strdup("KVM"),
                                                            .title = strdup("vm (KVM)")};
    summary->metrics = calloc(METRICS, sizeof(*summary->metrics));
    for (unsigned m = 0; m < METRICS; m++) {
        if (is_now && options->without && strcmp(options->without, metrics[m].workload) == 0)
            continue;
        bool is_prime = strcmp(metrics[m].workload, "prime") == 0;
        double machine = is_now && options->machine > 0 ? options->machine : 1;
        double host = is_now && is_prime && options->host > 0 ? options->host : 1;
        double change = is_now ? metrics[m].change : 1;
        if (is_now && is_prime && options->factor > 0)
            change = options->factor;
        struct summary_metric *metric = &summary->metrics[summary->metric_count++];
        *metric = (struct summary_metric){.workload = strdup(metrics[m].workload),
                                          .metric = strdup(metrics[m].metric),
                                          .unit = strdup(metrics[m].unit),
                                          .better = strdup(metrics[m].better),
                                          .headline = true,
                                          .cells = calloc(2, sizeof(struct summary_cell))};
        double value = metrics[m].value * machine * host;
        metric->cells[0] = make_cell(value, 0, run);
        metric->cells[1] = make_cell(value * metrics[m].ratio * change, metrics[m].noise, run);
        if (is_now && strcmp(metrics[m].workload, "startup") == 0) {
            metric->cells[1].verdict = VERDICT_UNTRUSTWORTHY;
            metric->cells[1].reason = strdup("load: others used 1.02 of 2 CPUs");
        }
    }
    return summary;
}

static json_t *make_record(const struct gate_fixture_options *options, bool is_now) {
    bool other_machine = is_now && options->machine > 0 && !options->same;
    json_t *works = json_array();
    for (unsigned m = 0; m < METRICS; m++) {
        bool other = is_now && strcmp(metrics[m].workload, "zip") == 0;
        json_array_append_new(
            works, json_pack("{s:s, s:i, s:{s:i}}", "name", metrics[m].workload, "version",
                             other && options->other == OTHER_VERSION ? 2 : 1, "parameters",
                             "bytes", other && options->other == OTHER_PARAMETER ? 5 : 4));
    }
    return json_pack(
        "{s:s, s:s, s:s, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}], s:o, s:{s:s, s:i, s:{s:i}}}",
        "status", "finished", "created", "2026-01-31T12:00:00Z", "boxmark", "0.1.0", "environments",
        "label", "host", "kind", "host", "accelerator", "none", "label", guest_label(options),
        "kind", "vm", "accelerator", is_now && options->other == OTHER_ACCELERATOR ? "TCG" : "KVM",
        "workloads", works, "machine", "cpu_model", other_machine ? "Slow CPU" : "Fast CPU",
        "cpus_online", 4, "envelope", "cpu_count", 2);
}

static void add(struct baseline *baseline, const struct gate_fixture_options *options, bool is_now,
                unsigned run) {
    struct error *err = NULL;
    struct summary *summary = make_summary(options, is_now, run);
    json_t *record = make_record(options, is_now);
    bool other = is_now && options->other == OTHER_DIGEST;
    json_t *journal = json_pack("[{s:s, s:s, s:s}]", "type", "request", "workload", "zip", "digest",
                                other ? "def" : "abc");
    struct baseline_source source = {
        .name = "made up", .record = record, .journal = journal, .summary = summary};
    if (baseline_add(baseline, &source, false, false, &err) < 0)
        die(err);
    json_decref(record);
    json_decref(journal);
    summary_free(summary);
}

void gate_fixture_make(struct gate_fixture *fixture, const struct gate_fixture_options *options) {
    struct error *err = NULL;
    *fixture = (struct gate_fixture){0};
    if (gate_settings_default(&fixture->settings, &err) < 0)
        die(err);
    add(&fixture->before, options, false, 0);
    add(&fixture->before, options, false, 1);
    add(&fixture->now, options, true, 2);
}

void gate_fixture_clear(struct gate_fixture *fixture) {
    baseline_clear(&fixture->before);
    baseline_clear(&fixture->now);
    gate_settings_clear(&fixture->settings);
}
