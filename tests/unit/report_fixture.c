// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/report_fixture.h"

#include "common/file.h"
#include "common/random.h"
#include "results/store.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const char fixture_hostile_text[] =
    "a\"b'c\\d`e`$f@{g}_h^i<script>&amp;%d#{}~|\n\t\x1b[31mred\x07 \xff|x, \xe2\x80\xae\xea\xb0\x80";

struct fixture_environment {
    const char *label, *accelerator, *title;
    double slowness; /* factor of time to the host's */
    double start_ms;
};

static const struct fixture_environment known[] = {
    {"host", "none", "host", 1, 0.81},
    {"container", "none", "container", 1.001, 3.9},
    {"vm", "TCG", "vm (TCG)", 7.6, 1320},
    {"container:seccomp=off", "none", "container:seccomp=off", 0.985, 3.1},
    {"vm:accel=kvm", "KVM", "vm:accel=kvm (KVM)", 1.034, 161},
    {"docker", "none", "docker", 1.004, 340},
    {"lxc", "none", "lxc", 1.012, 44},
    {"bwrap", "none", "bwrap", 1.002, 4.4},
    {"uml", "none", "uml", 1.23, 1500},
};

static const struct fixture_metric {
    const char *workload, *metric, *unit, *better;
    bool headline;
    double host; /* the host's value */
    double noise;
} metrics[] = {
    {"prime", "time", "s", "lower", true, 2.345, 0.002},
    {"prime", "events_per_s", "1/s", "higher", false, 4496, 0.002},
    {"prime", "latency_p99", "us", "lower", false, 431.2, 0.01},
    {"zip", "time", "s", "lower", true, 0.734, 0.004},
    {"zip", "ratio", "x", "neither", false, 2.911, 0},
    {"stream", "copy", "MB/s", "higher", false, 14210, 0.01},
    {"stream", "scale", "MB/s", "higher", false, 13980, 0.01},
    {"stream", "add", "MB/s", "higher", false, 15120, 0.01},
    {"stream", "triad", "MB/s", "higher", true, 15063, 0.012},
    {"disk", "seq_write", "MB/s", "higher", true, 2602, 0.05},
    {"disk", "seq_read", "MB/s", "higher", true, 2011, 0.03},
    {"disk", "rand_read", "MB/s", "higher", true, 1890, 0.03},
    {"disk", "rand_write", "MB/s", "higher", true, 2455, 0.06},
    {"startup", "ready", "ms", "lower", true, 1, 0.04},
    {"startup", "cold_ready", "ms", "lower", false, 2.4, 0.1},
    {"startup", "helper_alive", "ms", "lower", false, 0.4, 0.05},
    {"startup", "user_instruction", "ms", "lower", false, 0.8, 0.05},
    {"startup", "stop", "ms", "lower", false, 0.3, 0.05},
    {"startup", "clean_up", "ms", "lower", false, 0.2, 0.05},
};
enum { METRICS = sizeof(metrics) / sizeof(*metrics) };

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median_of(const double *values, unsigned count) {
    double sorted[64];
    assert(count > 0 && count <= 64);
    memcpy(sorted, values, count * sizeof(*values));
    qsort(sorted, count, sizeof(double), by_value);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* Six digits, so that no machine's arithmetic shows in files of exact figures. */
static double tidy(double value) {
    char text[40];
    snprintf(text, sizeof(text), "%.6g", value);
    return strtod(text, NULL);
}

/* Plausible figures, not statistics: those are tested where they are computed. */
static void fill_cell(struct summary_cell *cell, const struct fixture_metric *metric,
                      const struct fixture_environment *environment, unsigned blocks,
                      struct random_state *random) {
    bool rate = strcmp(metric->better, "higher") == 0;
    double centre = strcmp(metric->workload, "startup") == 0 ? environment->start_ms * metric->host
                    : strcmp(metric->better, "neither") == 0 ? metric->host
                    : rate ? metric->host / pow(environment->slowness, 0.8)
                           : metric->host * environment->slowness;
    cell->blocks = blocks;
    cell->samples = blocks * 3;
    cell->values = calloc(blocks, sizeof(*cell->values));
    cell->value_blocks = calloc(blocks, sizeof(*cell->value_blocks));
    assert(cell->values && cell->value_blocks);
    cell->minimum = INFINITY;
    cell->maximum = -INFINITY;
    double sum = 0, squares = 0;
    for (unsigned i = 0; i < blocks; i++) {
        double noise = ((double)random_below(random, 2001) / 1000 - 1) * metric->noise;
        double value = tidy(centre * (1 + noise));
        cell->values[i] = value;
        cell->value_blocks[i] = i;
        cell->minimum = fmin(cell->minimum, value);
        cell->maximum = fmax(cell->maximum, value);
        sum += value;
        squares += value * value;
    }
    cell->median = tidy(median_of(cell->values, blocks));
    double deviations[64];
    for (unsigned i = 0; i < blocks; i++)
        deviations[i] = fabs(cell->values[i] - cell->median);
    cell->mad = tidy(1.4826 * median_of(deviations, blocks));
    double mean = sum / blocks;
    cell->variation = blocks > 1 ? sqrt(fmax(squares / blocks - mean * mean, 0)) / mean : NAN;
    cell->median_low = blocks > 5 ? cell->median * (1 - metric->noise * 0.6) : NAN;
    cell->median_high = blocks > 5 ? cell->median * (1 + metric->noise * 0.6) : NAN;
    cell->variation = tidy(cell->variation);
    cell->median_low = tidy(cell->median_low);
    cell->median_high = tidy(cell->median_high);
    cell->flags = blocks > 5 ? 0 : SUMMARY_TOO_FEW_BLOCKS;
}

static void compare_cell(struct summary_cell *cell, const struct summary_cell *reference,
                         const struct fixture_metric *metric) {
    cell->ratio = cell->ratio_low = cell->ratio_high = NAN;
    cell->p_value = cell->p_holm = cell->detectable = NAN;
    if (!reference || cell == reference || cell->blocks == 0 || reference->blocks == 0 ||
        strcmp(metric->better, "neither") == 0)
        return;
    cell->pairs = cell->blocks;
    cell->ratio = tidy(cell->median / reference->median);
    cell->verdict = VERDICT_INCONCLUSIVE;
    if (cell->blocks <= 5) {
        cell->reason = strdup("too few blocks");
        return;
    }
    cell->ratio_low = tidy(cell->ratio * (1 - metric->noise * 0.7));
    cell->ratio_high = tidy(cell->ratio * (1 + metric->noise * 0.7));
    cell->p_value = 0.002;
    cell->p_holm = 0.016;
    cell->detectable = metric->noise;
    struct interval ratio = {.low = cell->ratio_low, .high = cell->ratio_high};
    cell->verdict = verdict_decide(ratio, 0.01, metric->better);
    if (cell->verdict == VERDICT_INCONCLUSIVE)
        cell->reason = strdup("the interval is wider than the margin");
}

static void fill_metric(struct summary *summary, struct summary_metric *to,
                        const struct fixture_metric *from, const struct fixture_options *options,
                        struct random_state *random) {
    to->workload = strdup(from->workload);
    to->metric = strdup(from->metric);
    to->unit = strdup(from->unit);
    to->better = strdup(from->better);
    to->headline = from->headline;
    to->cells = calloc(options->environments, sizeof(*to->cells));
    assert(to->cells);
    for (unsigned i = 0; i < options->environments; i++) {
        struct summary_cell *cell = &to->cells[i];
        if (options->holes && i == 1 && strcmp(from->workload, "zip") == 0)
            continue;
        fill_cell(cell, from, &known[options->alone ? i + 1 : i], options->blocks, random);
        summary->sample_count += cell->samples;
    }
    for (unsigned i = 0; i < options->environments; i++)
        compare_cell(&to->cells[i], options->alone ? NULL : &to->cells[0], from);
}

static const char long_prefix[] = "container:seccomp=off,read_only=no,cgroup=v2,data=overlay,note=";

/* A text member, hostile where asked (jansson takes valid UTF-8 only). */
static json_t *member(const struct fixture_options *options, const char *text) {
    if (!options->hostile)
        return json_string(text);
    return json_string("a\"b'c\\d`e`$f@{g}_h^i<script>&amp;%d#{}~|\n\t\x1b[31mred-->]]>");
}

static json_t *fixture_run(const struct fixture_options *options) {
    json_t *environments = json_array();
    for (unsigned i = 0; i < options->environments; i++) {
        const struct fixture_environment *from = &known[options->alone ? i + 1 : i];
        cleanup_free char *label =
            text_format("%s%s", i > 0 && options->long_labels ? long_prefix : "", from->label);
        json_array_append_new(environments,
                              json_pack("{s:s, s:s, s:o, s:s, s:s, s:{s:s, s:s, s:o}}", "label",
                                        label, "kind", from->label, "spec",
                                        i ? member(options, from->label) : json_string(from->label),
                                        "accelerator", from->accelerator, "title", from->title,
                                        "probe", "readiness", "ready", "version", "1.0", "detail",
                                        member(options, "works here")));
    }
    json_t *machine = json_pack(
        "{s:o, s:o, s:o, s:s, s:i, s:I, s:b, s:s, s:I, s:{s:s}, s:{s:s, s:s, s:i, s:I}}",
        "cpu_model", member(options, "AMD EPYC 9B14"), "kernel", member(options, "6.1.0-18-amd64"),
        "distribution", member(options, "Debian GNU/Linux 12 (bookworm)"), "governor",
        "performance", "cpus_online", 8, "memory_bytes", (json_int_t)25276510208, "virtual_machine",
        1, "clock_source", "tsc", "last_level_cache_bytes", (json_int_t)33554432, "mitigations",
        "meltdown", "Not affected", "envelope", "cpus", "0-1", "nodes", "0", "cpu_count", 2,
        "memory_bytes", (json_int_t)2147483648);
    json_t *workloads =
        json_pack("[{s:s, s:{s:i, s:i}}, {s:s, s:{s:i}}, {s:s, s:{}}]", "name", "prime",
                  "parameters", "threads", 2, "limit", 10000, "name", "zip", "parameters", "bytes",
                  8388608, "name", "startup", "parameters");
    return json_pack(
        "{s:i, s:s, s:s, s:o, s:i, s:{s:i, s:i, s:i, s:f}, s:{s:s, s:s}, s:o, s:o, s:o, "
        "s:s, s:i, s:s}",
        "schema", 1, "boxmark", "0.1.0", "created", "2026-01-31T12:00:00Z", "profile",
        member(options, "quick"), "seed", 42, "plan", "blocks", (int)options->blocks, "max_blocks",
        (int)options->blocks, "starts", 1, "precision", 0.01, "agent", "sha256",
        "ec20f8b668121d78638b3640e4aee8b2fcaae97b8da85dbdd6c99aa5c7c9c25c", "version", "0.1.0",
        "environments", environments, "workloads", workloads, "machine", machine, "status",
        "finished", "problems", 0, "ended_by", "all blocks are done");
}

static json_t *fixture_audit(const struct fixture_options *options) {
    return json_pack(
        "[{s:s, s:n, s:s, s:s, s:o, s:s}, {s:s, s:s, s:s, s:s, s:o, s:s}, {s:s, s:s, s:s, s:s, "
        "s:s, s:s}]",
        "name", "agent", "environment", "touches", "*", "state", "ok", "evidence",
        member(options, "one SHA-256 in all environments"), "reason",
        "another program is other work", "name", "accelerator", "environment", "vm", "touches", "*",
        "state", "noted", "evidence", member(options, "software emulation (TCG)"), "reason",
        "emulation is no virtual machine", "name", "guest_clock", "environment", "vm", "touches",
        "*", "state", options->holes ? "failing" : "ok", "evidence",
        "the clock inside is 3.1 % slower than the host's", "reason",
        "what a guest's clock says would be wrong");
}

/* Two instances of each environment, as the journal keeps them (hostile names it cannot hold). */
static json_t *fixture_journal(const struct fixture_options *options) {
    json_t *journal = json_array();
    for (unsigned block = 0; block < 2; block++)
        for (unsigned i = 0; i < options->environments; i++) {
            const struct fixture_environment *from = &known[options->alone ? i + 1 : i];
            bool guest = strcmp(from->accelerator, "none") != 0;
            cleanup_free char *label =
                text_format("%s%s", i > 0 && options->long_labels ? long_prefix : "", from->label);
            json_array_append_new(
                journal,
                json_pack("{s:s, s:i, s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I}}", "type",
                          "instance", "block", (int)block, "environment", label, "outcome", "done",
                          "footprint", "image_bytes", (json_int_t)(1500000 * (i + 1)),
                          "resident_bytes", (json_int_t)(2000000 * (i * i * 10 + 1)), "guest_bytes",
                          (json_int_t)(guest ? 1500000 * (i * i * 10 + 1) : 0), "idle_ns",
                          (json_int_t)400000000, "idle_cpu_ns",
                          (json_int_t)(guest ? 3000000 + block * 1000000 : 0), "cpu_ns",
                          (json_int_t)(3000000000 * (i + 1))));
            if (guest)
                json_array_append_new(
                    journal,
                    json_pack("{s:s, s:i, s:s, s:s, s:{s:I, s:I, s:I}}", "type", "request", "block",
                              (int)block, "environment", label, "workload", "prime", "counters",
                              "exits", (json_int_t)(5000 + 2 * block), "halt_wait_ns",
                              (json_int_t)1250000, "io_exits", (json_int_t)(3 * block)));
        }
    return journal;
}

struct report *fixture_report(const struct fixture_options *options) {
    assert(options->environments >= 1 && options->environments <= (options->alone ? 8 : 9));
    struct summary *summary = calloc(1, sizeof(*summary));
    struct report *report = calloc(1, sizeof(*report));
    assert(summary && report);
    struct random_state random = random_seeded(42);
    summary->options = (struct summary_options){.reference = strdup("host"),
                                                .confidence = 0.95,
                                                .margin = 0.01,
                                                .resamples = 10000,
                                                .seed = 42};
    summary->has_reference = !options->alone;
    summary->environment_count = options->environments;
    summary->environments = calloc(options->environments, sizeof(*summary->environments));
    summary->metric_count = METRICS;
    summary->metrics = calloc(METRICS, sizeof(*summary->metrics));
    assert(summary->environments && summary->metrics);
    for (unsigned i = 0; i < options->environments; i++) {
        const struct fixture_environment *from = &known[options->alone ? i + 1 : i];
        struct summary_environment *to = &summary->environments[i];
        bool strange = i > 0 && (options->hostile || options->long_labels);
        const char *prefix = !strange ? "" : options->hostile ? fixture_hostile_text : long_prefix;
        to->label = text_format("%s%s", prefix, from->label);
        to->title = text_format("%s%s", prefix, from->title);
        to->accelerator = strdup(from->accelerator);
    }
    for (unsigned i = 0; i < METRICS; i++)
        fill_metric(summary, &summary->metrics[i], &metrics[i], options, &random);
    if (options->holes) {
        struct summary_cell *cell = &summary->metrics[0].cells[options->environments - 1];
        cell->verdict = VERDICT_UNTRUSTWORTHY;
        free(cell->reason);
        cell->reason = strdup("the guest's clock ran 3.1 % slower than the host's");
        summary->half_row_dropped = true;
    }
    report->run_folder = "/nonexistent";
    report->run = fixture_run(options);
    report->audit = fixture_audit(options);
    report->journal = fixture_journal(options);
    report->summary = summary;
    report->columns = 80;
    return report;
}

struct report *fixture_free(struct report *report) {
    if (report) {
        summary_free((struct summary *)report->summary);
        json_decref((json_t *)report->run);
        json_decref((json_t *)report->audit);
        json_decref((json_t *)report->journal);
        free(report);
    }
    return NULL;
}

void fixture_store_samples(struct report *report, const char *folder) {
    const struct summary *summary = report->summary;
    cleanup_free char *path = text_format("%s/samples.csv", folder);
    cleanup_error struct error *err = NULL;
    struct store *store = NULL;
    assert(store_open(path, &store, NULL, &err) == 0);
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 0; j < summary->environment_count; j++) {
            const struct summary_metric *metric = &summary->metrics[i];
            for (unsigned k = 0; k < 3 * metric->cells[j].blocks; k++) {
                struct sample sample = {
                    .block = metric->cells[j].value_blocks[k / 3],
                    .environment = summary->environments[j].label,
                    .accelerator = summary->environments[j].accelerator,
                    .workload = metric->workload,
                    .metric = metric->metric,
                    .unit = metric->unit,
                    .better = metric->better,
                    .iteration = k % 3,
                    .value = metric->cells[j].values[k / 3] * (1 + 0.004 * ((int)(k % 3) - 1)),
                    .agent_value = NAN,
                };
                assert(store_append(store, &sample, &err) == 0);
            }
        }
    assert(store_sync(store, &err) == 0);
    store_close(store);
    report->run_folder = folder;
}

static void make_dearer(struct summary *summary) {
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 2; j < summary->environment_count; j++) {
            struct summary_cell *cell = &summary->metrics[i].cells[j];
            bool rate = strcmp(summary->metrics[i].better, "higher") == 0;
            double factor = rate ? 1 / 1.05 : 1.05;
            double *const figures[] = {&cell->median, &cell->ratio, &cell->ratio_low,
                                       &cell->ratio_high};
            for (unsigned k = 0; k < 4; k++)
                *figures[k] = tidy(*figures[k] * factor);
        }
}

int fixture_compare(const struct fixture_options *options, const struct report_writer *writer,
                    const struct report_comparison *shape, FILE *to, struct error **err) {
    struct fixture_options fewer = *options;
    if (fewer.environments > 1)
        fewer.environments--;
    struct report *reports[] = {fixture_report(options), fixture_report(options),
                                fixture_report(&fewer)};
    const char *const names[] = {"January", options->hostile ? fixture_hostile_text : "Linux 6.18",
                                 options->long_labels ? "March, on the machine in the other room"
                                                      : "March"};
    make_dearer((struct summary *)reports[1]->summary);
    json_object_set_new(json_object_get(reports[1]->run, "machine"), "kernel",
                        json_string("6.18.0"));
    json_object_set_new((json_t *)reports[2]->run, "status", json_string("interrupted"));
    struct compared_run runs[3];
    for (unsigned i = 0; i < 3; i++)
        runs[i] = (struct compared_run){.name = names[i],
                                        .folder = options->hostile && i == 1 ? fixture_hostile_text
                                                                             : "boxmark-runs/quick",
                                        .record = reports[i]->run,
                                        .journal = reports[i]->journal,
                                        .summary = reports[i]->summary};
    struct comparison *comparison = NULL;
    int result = comparison_make(runs, 3, NULL, &comparison, err);
    struct report_comparison report = *shape;
    report.comparison = comparison;
    if (result == 0)
        result = writer->compare(&report, to, err);
    comparison_free(comparison);
    for (unsigned i = 0; i < 3; i++)
        fixture_free(reports[i]);
    return result;
}
