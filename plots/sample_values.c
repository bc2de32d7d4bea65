// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/sample_values.h"

#include "common/file.h"
#include "plots/words.h"
#include "results/store.h"

#include <string.h>

struct loading {
    const struct summary *summary;
    struct sample_values *values;
    unsigned metric; /* of the last row: rows of one metric come together */
};

void sample_values_cleanup(struct sample_values *values) {
    for (unsigned i = 0; values->lists && i < values->metric_count * values->environment_count; i++)
        free(values->lists[i].values);
    free(values->lists);
    *values = (struct sample_values){0};
}

const struct sample_list *sample_values_of(const struct sample_values *values, unsigned metric,
                                           unsigned environment) {
    return &values->lists[metric * values->environment_count + environment];
}

static bool is_of(const struct summary_metric *metric, const struct sample *sample) {
    return strcmp(metric->metric, sample->metric) == 0 &&
           strcmp(metric->workload, sample->workload) == 0;
}

static int add(struct sample_list *list, const struct sample *sample, struct error **err) {
    if (list->count > 0 && list->block == sample->block && sample->iteration <= list->iteration)
        list->count = list->block_start;
    else if (list->count > 0 && list->block != sample->block)
        list->block_start = list->count;
    list->block = sample->block;
    list->iteration = sample->iteration;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        double *larger = realloc(list->values, capacity * sizeof(*larger));
        if (!larger)
            return error_no_memory(err);
        list->values = larger;
        list->capacity = capacity;
    }
    list->values[list->count++] = sample->value;
    return 0;
}

static int visit(const struct sample *sample, void *cookie, struct error **err) {
    struct loading *loading = cookie;
    const struct summary *summary = loading->summary;
    if (sample->warmup)
        return 0;
    unsigned metric = loading->metric;
    for (unsigned i = 0; i < summary->metric_count; i++) {
        if (is_of(&summary->metrics[metric], sample))
            break;
        metric = (metric + 1) % summary->metric_count;
    }
    loading->metric = metric;
    if (!summary->metrics[metric].headline || !is_of(&summary->metrics[metric], sample))
        return 0;
    for (unsigned i = 0; i < summary->environment_count; i++)
        if (strcmp(summary->environments[i].label, sample->environment) == 0)
            return add(&loading->values->lists[metric * summary->environment_count + i], sample,
                       err);
    return 0;
}

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int sample_values_load(const struct report *report, struct sample_values *ret_values,
                       struct error **err) {
    const struct summary *summary = report->summary;
    cleanup_sample_values struct sample_values values = {
        .metric_count = summary->metric_count, .environment_count = summary->environment_count};
    size_t count = (size_t)values.metric_count * values.environment_count;
    values.lists = calloc(count + 1, sizeof(*values.lists));
    cleanup_free char *path = text_format("%s/samples.csv", report->run_folder);
    if (!values.lists || !path)
        return error_no_memory(err);
    struct loading loading = {.summary = summary, .values = &values};
    if (summary->metric_count > 0 && store_read(path, visit, &loading, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (values.lists[i].count > 0)
            qsort(values.lists[i].values, values.lists[i].count, sizeof(double), by_value);
    *ret_values = values;
    values = (struct sample_values){0};
    return 0;
}
