// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/baseline.h"

#include "common/file.h"

#include <math.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void clear_blocks(struct baseline_blocks *blocks) {
    free(blocks->ratios);
    free(blocks->values);
}

void baseline_clear(struct baseline *baseline) {
    for (size_t i = 0; i < baseline->series_count; i++) {
        struct baseline_series *series = &baseline->series[i];
        for (unsigned r = 0; series->runs && r < baseline->run_count; r++)
            clear_blocks(&series->runs[r]);
        free(series->runs);
        free(series->workload);
        free(series->metric);
        free(series->unit);
        free(series->better);
        free(series->environment);
        free(series->distrust);
    }
    for (size_t i = 0; i < baseline->environment_count; i++) {
        free(baseline->environments[i].label);
        free(baseline->environments[i].kind);
        free(baseline->environments[i].accelerator);
    }
    free(baseline->series);
    free(baseline->environments);
    free(baseline->reference);
    json_decref(baseline->runs);
    json_decref(baseline->identities);
    json_decref(baseline->workloads);
    *baseline = (struct baseline){0};
}

const struct baseline_series *baseline_find(const struct baseline *baseline, const char *workload,
                                            const char *metric, const char *environment) {
    for (size_t i = 0; i < baseline->series_count; i++) {
        const struct baseline_series *series = &baseline->series[i];
        if (strcmp(series->workload, workload) == 0 && strcmp(series->metric, metric) == 0 &&
            strcmp(series->environment, environment) == 0)
            return series;
    }
    return NULL;
}

const struct baseline_environment *baseline_environment(const struct baseline *baseline,
                                                        const char *label) {
    for (size_t i = 0; i < baseline->environment_count; i++)
        if (strcmp(baseline->environments[i].label, label) == 0)
            return &baseline->environments[i];
    return NULL;
}

/* The only environment of this kind in `in` whose label `other` does not know; NULL: none or more.
 */
static const struct baseline_environment *only_of_kind(const struct baseline *in, const char *kind,
                                                       const struct baseline *other) {
    const struct baseline_environment *found = NULL;
    for (size_t i = 0; i < in->environment_count; i++) {
        const struct baseline_environment *at = &in->environments[i];
        if (strcmp(at->kind, kind) != 0 || baseline_environment(other, at->label))
            continue;
        if (found)
            return NULL;
        found = at;
    }
    return found;
}

const struct baseline_environment *baseline_partner(const struct baseline *before,
                                                    const struct baseline *now, const char *label) {
    const struct baseline_environment *same = baseline_environment(now, label);
    const struct baseline_environment *old = baseline_environment(before, label);
    if (same || !old)
        return same;
    return only_of_kind(before, old->kind, now) == old ? only_of_kind(now, old->kind, before)
                                                       : NULL;
}

size_t baseline_block_count(const struct baseline *baseline, const struct baseline_series *series) {
    size_t count = 0;
    for (unsigned r = 0; r < baseline->run_count; r++)
        count += series->runs[r].ratios ? series->runs[r].ratio_count : series->runs[r].value_count;
    return count;
}

/* ---- Adding a run -----------------------------------------------------------------------------
 */

/* The machine as a baseline keeps it: what a reviewer wants to know and what must be equal. */
static json_t *machine_of(const json_t *record) {
    const json_t *machine = json_object_get(record, "machine");
    const json_t *envelope = json_object_get(machine, "envelope");
    static const char *const members[] = {"cpu_model", "cpus_online", "memory_bytes", "kernel",
                                          "virtual_machine"};
    json_t *kept = json_object();
    for (unsigned i = 0; i < sizeof(members) / sizeof(*members); i++)
        if (json_object_get(machine, members[i]))
            json_object_set(kept, members[i], json_object_get(machine, members[i]));
    if (json_object_get(envelope, "cpu_count"))
        json_object_set(kept, "cpus", json_object_get(envelope, "cpu_count"));
    return kept;
}

/* {"zip": {"version": 1, "parameters": {...}, "digest": "..."}} */
static json_t *workloads_of(const json_t *record, const json_t *journal) {
    json_t *workloads = json_object();
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(record, "workloads"), index, entry) {
        const json_t *version = json_object_get(entry, "version");
        json_object_set_new(workloads, text_of(entry, "name"),
                            json_pack("{s:I, s:O}", "version",
                                      version ? json_integer_value(version) : (json_int_t)1,
                                      "parameters", json_object_get(entry, "parameters")));
    }
    json_array_foreach(journal, index, entry) {
        if (strcmp(text_of(entry, "type"), "request") != 0)
            continue;
        json_t *workload = json_object_get(workloads, text_of(entry, "workload"));
        if (workload && !json_object_get(workload, "digest"))
            json_object_set(workload, "digest", json_object_get(entry, "digest"));
    }
    return workloads;
}

static int add_environments(struct baseline *baseline, const json_t *record, struct error **err) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(record, "environments"), index, entry) {
        const char *label = text_of(entry, "label");
        if (baseline_environment(baseline, label))
            continue;
        struct baseline_environment *larger =
            reallocarray(baseline->environments, baseline->environment_count + 1, sizeof(*larger));
        if (!larger)
            return error_no_memory(err);
        baseline->environments = larger;
        struct baseline_environment *added = &larger[baseline->environment_count++];
        *added =
            (struct baseline_environment){.label = strdup(label),
                                          .kind = strdup(text_of(entry, "kind")),
                                          .accelerator = strdup(text_of(entry, "accelerator"))};
        if (!added->label || !added->kind || !added->accelerator)
            return error_no_memory(err);
    }
    return 0;
}

static struct baseline_series *find_or_add(struct baseline *baseline,
                                           const struct summary_metric *metric,
                                           const char *environment, struct error **err) {
    struct baseline_series *found = (struct baseline_series *)baseline_find(
        baseline, metric->workload, metric->metric, environment);
    if (found)
        return baseline_same_metric(found, metric->unit, metric->better, err) < 0 ? NULL : found;
    struct baseline_series *larger =
        reallocarray(baseline->series, baseline->series_count + 1, sizeof(*larger));
    if (!larger) {
        error_no_memory(err);
        return NULL;
    }
    baseline->series = larger;
    found = &larger[baseline->series_count++];
    *found = (struct baseline_series){.workload = strdup(metric->workload),
                                      .metric = strdup(metric->metric),
                                      .unit = strdup(metric->unit),
                                      .better = strdup(metric->better),
                                      .environment = strdup(environment),
                                      .runs = calloc(baseline->run_count, sizeof(*found->runs))};
    if (found->workload && found->metric && found->unit && found->better && found->environment &&
        found->runs)
        return found;
    error_no_memory(err);
    return NULL;
}

static int append_values(double **values, size_t *count, const double *more, size_t more_count,
                         struct error **err) {
    double *larger = reallocarray(*values, *count + more_count + 1, sizeof(*larger));
    if (!larger)
        return error_no_memory(err);
    if (more_count)
        memcpy(larger + *count, more, more_count * sizeof(*larger));
    *values = larger;
    *count += more_count;
    return 0;
}

/* The ratios of the blocks that both have; none where a value is not positive. */
static int append_ratios(struct baseline_blocks *blocks, const struct summary_cell *reference,
                         const struct summary_cell *cell, struct error **err) {
    cleanup_free double *ratios = calloc(cell->blocks + 1, sizeof(*ratios));
    if (!ratios)
        return error_no_memory(err);
    size_t count = 0;
    for (unsigned r = 0, c = 0; r < reference->blocks && c < cell->blocks;) {
        if (reference->value_blocks[r] != cell->value_blocks[c]) {
            reference->value_blocks[r] < cell->value_blocks[c] ? r++ : c++;
            continue;
        }
        double below = reference->values[r++], above = cell->values[c++];
        if (!(below > 0) || !(above > 0))
            return append_values(&blocks->ratios, &blocks->ratio_count, NULL, 0, err);
        ratios[count++] = above / below;
    }
    return append_values(&blocks->ratios, &blocks->ratio_count, ratios, count, err);
}

static int add_cell(struct baseline *baseline, const struct summary *summary,
                    const struct summary_metric *metric, unsigned environment, struct error **err) {
    const struct summary_cell *cell = &metric->cells[environment];
    if (cell->blocks == 0)
        return 0;
    struct baseline_series *series =
        find_or_add(baseline, metric, summary->environments[environment].label, err);
    if (!series)
        return -1;
    series->headline = metric->headline;
    struct baseline_blocks *blocks = &series->runs[baseline->run_count - 1];
    bool positive = true;
    for (unsigned i = 0; i < cell->blocks; i++)
        positive &= cell->values[i] > 0;
    if (append_values(&blocks->values, &blocks->value_count, cell->values,
                      positive ? cell->blocks : 0, err) < 0)
        return -1;
    if (environment > 0 && append_ratios(blocks, &metric->cells[0], cell, err) < 0)
        return -1;
    if (cell->verdict == VERDICT_UNTRUSTWORTHY && !series->distrust) {
        series->distrust = strdup(cell->reason ? cell->reason : "the audit failed");
        if (!series->distrust)
            return error_no_memory(err);
    }
    return 0;
}

static int add_series(struct baseline *baseline, const struct summary *summary, bool full,
                      struct error **err) {
    for (unsigned m = 0; m < summary->metric_count; m++) {
        const struct summary_metric *metric = &summary->metrics[m];
        if (strcmp(metric->better, "neither") == 0 || (!full && !metric->headline))
            continue;
        for (unsigned e = 0; e < summary->environment_count; e++)
            if (add_cell(baseline, summary, metric, e, err) < 0)
                return -1;
    }
    return 0;
}

static int check_source(const struct baseline_source *source, struct error **err) {
    const char *status = text_of(source->record, "status");
    if (strcmp(status, "finished") != 0) {
        error_set(err, ERROR_USAGE, 0, "%s is not finished: its status is \"%.40s\"", source->name,
                  status);
        return error_advise(err, "go on with `boxmark run --resume %s`", source->name);
    }
    if (!source->summary->has_reference) {
        error_set(err, ERROR_USAGE, 0, "%s holds no environment to refer to", source->name);
        return error_advise(err, "measure -e host in the same run, too");
    }
    return 0;
}

/* A further run: room for its blocks in every series. */
static int open_run(struct baseline *baseline, const struct baseline_source *source,
                    struct error **err) {
    const json_t *record = source->record;
    if (!baseline->runs)
        baseline->runs = json_array();
    json_array_append_new(baseline->runs,
                          json_pack("{s:s, s:s, s:s*, s:o}", "created", text_of(record, "created"),
                                    "boxmark", text_of(record, "boxmark"), "samples_sha256",
                                    source->samples_sha256, "machine", machine_of(record)));
    baseline->run_count++;
    for (size_t i = 0; i < baseline->series_count; i++) {
        struct baseline_series *series = &baseline->series[i];
        struct baseline_blocks *larger =
            reallocarray(series->runs, baseline->run_count, sizeof(*larger));
        if (!larger) {
            baseline->run_count--;
            return error_no_memory(err);
        }
        series->runs = larger;
        larger[baseline->run_count - 1] = (struct baseline_blocks){0};
    }
    return 0;
}

/* What a run is compared by, without its blocks. */
static int make_header(const struct baseline_source *source, struct baseline *ret_header,
                       struct error **err) {
    cleanup_baseline struct baseline header = {
        .reference = strdup(source->summary->options.reference),
        .workloads = workloads_of(source->record, source->journal)};
    if (!header.reference || !header.workloads)
        return error_no_memory(err);
    if (open_run(&header, source, err) < 0 || add_environments(&header, source->record, err) < 0)
        return -1;
    *ret_header = header;
    header = (struct baseline){0};
    return 0;
}

/* Twice the same samples are not two measurements. */
static int check_new(const struct baseline *baseline, const struct baseline_source *source,
                     struct error **err) {
    const json_t *there = source->samples_sha256
                              ? json_object_get(baseline->identities, source->samples_sha256)
                              : NULL;
    if (!there)
        return 0;
    error_set(err, ERROR_USAGE, 0, "%s holds the same samples as %s: one run counts once",
              source->name, json_string_value(there));
    return error_advise(err, "several runs show how much runs differ by themselves: measure again");
}

static int remember(struct baseline *baseline, const struct baseline_source *source,
                    struct error **err) {
    if (!source->samples_sha256)
        return 0;
    if (!baseline->identities)
        baseline->identities = json_object();
    /* A folder's name may be anything; it stands in messages alone. */
    return json_object_set_new(baseline->identities, source->samples_sha256,
                               json_string_nocheck(source->name)) < 0
               ? error_no_memory(err)
               : 0;
}

int baseline_add(struct baseline *baseline, const struct baseline_source *source, bool full,
                 bool as_blocks, struct error **err) {
    if (check_source(source, err) < 0 || check_new(baseline, source, err) < 0)
        return -1;
    cleanup_baseline struct baseline header = {0};
    if (make_header(source, &header, err) < 0)
        return -1;
    if (baseline->run_count == 0) {
        *baseline = header;
        header = (struct baseline){0};
    } else if (baseline_comparable(baseline, &header, as_blocks, err) < 0) {
        return error_wrap(err, "%s", source->name);
    } else {
        /* A workload or an environment that the runs before did not have. */
        json_object_update_missing(baseline->workloads, header.workloads);
        if ((!as_blocks && open_run(baseline, source, err) < 0) ||
            add_environments(baseline, source->record, err) < 0)
            return -1;
    }
    return remember(baseline, source, err) < 0 ? -1
                                               : add_series(baseline, source->summary, full, err);
}
