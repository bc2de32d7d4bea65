// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/summary_read.h"

#include "common/file.h"
#include "results/store.h"

#include <string.h>

/* More names than any run has: a damaged or hostile file must not take all memory and time. */
#define MAX_ENVIRONMENTS 256
#define MAX_METRICS 4096

struct reader {
    struct summary *summary;
    struct series_set *set;
    unsigned last_environment, last_metric, last_series; /* where the search starts */
};

/* Room for one more item in an array that doubles. */
static void *grow(void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return items;
    size_t larger = *capacity ? *capacity * 2 : 8;
    void *grown = reallocarray(items, larger, size);
    if (grown)
        *capacity = larger;
    return grown;
}

static int add_environment(struct reader *reader, const struct sample *sample, struct error **err) {
    struct summary *summary = reader->summary;
    if (summary->environment_count == MAX_ENVIRONMENTS)
        return error_set(err, ERROR_USAGE, 0, "more than %d environments", MAX_ENVIRONMENTS);
    struct summary_environment *larger =
        reallocarray(summary->environments, summary->environment_count + 1, sizeof(*larger));
    if (!larger)
        return error_no_memory(err);
    summary->environments = larger;
    struct summary_environment *added = &larger[summary->environment_count];
    *added = (struct summary_environment){
        .label = strdup(sample->environment),
        .accelerator = strdup(sample->accelerator),
    };
    reader->last_environment = summary->environment_count++;
    return added->label && added->accelerator ? 0 : error_no_memory(err);
}

static int find_environment(struct reader *reader, const struct sample *sample,
                            unsigned *ret_environment, struct error **err) {
    struct summary *summary = reader->summary;
    unsigned count = summary->environment_count;
    unsigned at = reader->last_environment, tried = 0;
    for (; tried < count; tried++, at = at + 1 < count ? at + 1 : 0)
        if (strcmp(summary->environments[at].label, sample->environment) == 0)
            break;
    if (tried < count)
        reader->last_environment = at;
    else if (add_environment(reader, sample, err) < 0)
        return -1;
    struct summary_environment *found = &summary->environments[reader->last_environment];
    if (strcmp(found->accelerator, sample->accelerator) != 0 &&
        strcmp(found->accelerator, "mixed") != 0) {
        free(found->accelerator);
        found->accelerator = strdup("mixed");
        if (!found->accelerator)
            return error_no_memory(err);
    }
    *ret_environment = reader->last_environment;
    return 0;
}

static int add_metric(struct reader *reader, const struct sample *sample, struct error **err) {
    struct summary *summary = reader->summary;
    if (summary->metric_count == MAX_METRICS)
        return error_set(err, ERROR_USAGE, 0, "more than %d metrics", MAX_METRICS);
    struct summary_metric *larger =
        reallocarray(summary->metrics, summary->metric_count + 1, sizeof(*larger));
    if (!larger)
        return error_no_memory(err);
    summary->metrics = larger;
    struct summary_metric *added = &larger[summary->metric_count];
    *added = (struct summary_metric){
        .workload = strdup(sample->workload),
        .metric = strdup(sample->metric),
        .unit = strdup(sample->unit),
        .better = strdup(sample->better),
        .headline = summary->options.is_headline &&
                    summary->options.is_headline(sample->workload, sample->metric),
    };
    reader->last_metric = summary->metric_count++;
    bool complete = added->workload && added->metric && added->unit && added->better;
    return complete ? 0 : error_no_memory(err);
}

static int find_metric(struct reader *reader, const struct sample *sample, unsigned *ret_metric,
                       struct error **err) {
    struct summary *summary = reader->summary;
    unsigned count = summary->metric_count;
    unsigned at = reader->last_metric, tried = 0;
    for (; tried < count; tried++, at = at + 1 < count ? at + 1 : 0)
        if (strcmp(summary->metrics[at].metric, sample->metric) == 0 &&
            strcmp(summary->metrics[at].workload, sample->workload) == 0)
            break;
    if (tried < count)
        reader->last_metric = at;
    else if (add_metric(reader, sample, err) < 0)
        return -1;
    const struct summary_metric *found = &summary->metrics[reader->last_metric];
    if (strcmp(found->unit, sample->unit) != 0 || strcmp(found->better, sample->better) != 0)
        return error_set(err, ERROR_USAGE, 0,
                         "%s %s is in %s (%s is better) here and in %s (%s is better) before",
                         sample->workload, sample->metric, sample->unit, sample->better,
                         found->unit, found->better);
    *ret_metric = reader->last_metric;
    return 0;
}

static struct series *find_series(struct reader *reader, unsigned environment, unsigned metric) {
    struct series_set *set = reader->set;
    unsigned at = reader->last_series;
    for (unsigned tried = 0; tried < set->count; tried++, at = at + 1 < set->count ? at + 1 : 0)
        if (set->series[at].metric == metric && set->series[at].environment == environment) {
            reader->last_series = at;
            return &set->series[at];
        }
    size_t capacity = set->capacity;
    struct series *larger = grow(set->series, set->count, &capacity, sizeof(*larger));
    if (!larger)
        return NULL;
    set->series = larger;
    set->capacity = (unsigned)capacity;
    larger[set->count] = (struct series){.environment = environment, .metric = metric};
    reader->last_series = set->count++;
    return &larger[reader->last_series];
}

static int on_sample(const struct sample *sample, void *cookie, struct error **err) {
    struct reader *reader = cookie;
    unsigned environment = 0, metric = 0;
    if (find_environment(reader, sample, &environment, err) < 0 ||
        find_metric(reader, sample, &metric, err) < 0)
        return -1;
    struct series *series = find_series(reader, environment, metric);
    if (!series)
        return error_no_memory(err);
    if (sample->warmup)
        return 0;
    struct series_entry *larger =
        grow(series->entries, series->count, &series->capacity, sizeof(*larger));
    if (!larger)
        return error_no_memory(err);
    series->entries = larger;
    larger[series->count++] = (struct series_entry){
        .block = sample->block,
        .iteration = sample->iteration,
        .order = reader->summary->sample_count++,
        .value = sample->value,
    };
    return 0;
}

static int make_titles(struct summary *summary, struct error **err) {
    for (unsigned i = 0; i < summary->environment_count; i++) {
        struct summary_environment *environment = &summary->environments[i];
        environment->title =
            strcmp(environment->accelerator, "none") == 0
                ? strdup(environment->label)
                : text_format("%s (%s)", environment->label, environment->accelerator);
        if (!environment->title)
            return error_no_memory(err);
    }
    return 0;
}

/* Moves the reference to the front; tells where each environment went. */
static void move_reference(struct summary *summary, unsigned *new_environment) {
    unsigned reference = 0;
    for (unsigned i = 0; i < summary->environment_count; i++)
        if (strcmp(summary->environments[i].label, summary->options.reference) == 0) {
            reference = i;
            summary->has_reference = true;
        }
    for (unsigned i = 0; i < summary->environment_count; i++)
        new_environment[i] = i == reference ? 0 : i + (i < reference);
    for (unsigned i = reference; i > 0; i--) {
        struct summary_environment kept = summary->environments[i];
        summary->environments[i] = summary->environments[i - 1];
        summary->environments[i - 1] = kept;
    }
}

static unsigned first_of_workload(const struct summary *summary, unsigned metric) {
    unsigned first = 0;
    while (strcmp(summary->metrics[first].workload, summary->metrics[metric].workload) != 0)
        first++;
    return first;
}

/* Puts the reference first and keeps the metrics of a workload together; the series follow. */
static int order_names(struct summary *summary, struct series_set *set, struct error **err) {
    unsigned metrics = summary->metric_count;
    cleanup_free unsigned *new_environment =
        calloc(summary->environment_count + 1, sizeof(*new_environment));
    cleanup_free unsigned *new_metric = calloc(metrics + 1, sizeof(*new_metric));
    cleanup_free unsigned *first = calloc(metrics + 1, sizeof(*first));
    struct summary_metric *ordered = calloc(metrics + 1, sizeof(*ordered));
    if (!new_environment || !new_metric || !first || !ordered) {
        free(ordered);
        return error_no_memory(err);
    }
    move_reference(summary, new_environment);
    for (unsigned i = 0; i < metrics; i++)
        first[i] = first_of_workload(summary, i);
    for (unsigned i = 0; i < metrics; i++) {
        for (unsigned j = 0; j < metrics; j++)
            new_metric[i] += first[j] < first[i] || (first[j] == first[i] && j < i);
        ordered[new_metric[i]] = summary->metrics[i];
    }
    free(summary->metrics);
    summary->metrics = ordered;
    for (unsigned i = 0; i < set->count; i++) {
        set->series[i].environment = new_environment[set->series[i].environment];
        set->series[i].metric = new_metric[set->series[i].metric];
    }
    return 0;
}

int summary_read(const char *path, struct summary *summary, struct series_set *set,
                 struct error **err) {
    struct reader reader = {.summary = summary, .set = set};
    if (store_read(path, on_sample, &reader, &summary->half_row_dropped, err) < 0)
        return -1;
    if (order_names(summary, set, err) < 0)
        return -1;
    return make_titles(summary, err);
}

static int compare_entries(const void *left, const void *right) {
    const struct series_entry *a = left, *b = right;
    if (a->block != b->block)
        return a->block < b->block ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

int series_to_values(struct series *series, double **ret_values, uint64_t **ret_blocks,
                     unsigned *ret_count, uint64_t *ret_samples, uint64_t *ret_superseded,
                     struct error **err) {
    size_t count = series->count;
    struct series_entry *entries = series->entries;
    cleanup_free double *iterations = calloc(count + 1, sizeof(*iterations));
    cleanup_free double *values = calloc(count + 1, sizeof(*values));
    cleanup_free uint64_t *blocks = calloc(count + 1, sizeof(*blocks));
    if (!iterations || !values || !blocks)
        return error_no_memory(err);
    if (count > 0)
        qsort(entries, count, sizeof(*entries), compare_entries);
    unsigned value_count = 0;
    uint64_t samples = 0;
    for (size_t at = 0; at < count;) {
        uint64_t block = entries[at].block;
        size_t kept = 0;
        for (size_t start = at; at < count && entries[at].block == block; at++) {
            if (at > start && entries[at].iteration <= entries[at - 1].iteration)
                kept = 0;
            iterations[kept++] = entries[at].value;
        }
        values[value_count] = statistics_median(iterations, kept);
        blocks[value_count++] = block;
        samples += kept;
    }
    *ret_values = TAKE_PTR(values);
    *ret_blocks = TAKE_PTR(blocks);
    *ret_count = value_count;
    *ret_samples = samples;
    *ret_superseded = count - samples;
    return 0;
}

void series_set_clear(struct series_set *set) {
    for (unsigned i = 0; i < set->count; i++)
        free(set->series[i].entries);
    free(set->series);
    *set = (struct series_set){0};
}
