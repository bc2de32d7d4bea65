// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/counters.h"

#include "common/file.h"
#include "common/text.h"
#include "common/units.h"
#include "plots/format.h"
#include "results/statistics.h"

#include <math.h>
#include <string.h>

static bool is_text(const json_t *object, const char *member, const char *text) {
    const char *value = json_string_value(json_object_get(object, member));
    return value && strcmp(value, text) == 0;
}

/* The counters of a request of this environment and workload; NULL: another entry, or none. */
static const json_t *counters_of(const json_t *entry, const char *environment,
                                 const char *workload) {
    bool fits = is_text(entry, "type", "request") && is_text(entry, "environment", environment) &&
                is_text(entry, "workload", workload);
    const json_t *counters = fits ? json_object_get(entry, "counters") : NULL;
    return json_is_object(counters) ? counters : NULL;
}

/* What a request did not count happened in it not once. */
static int median_of(const struct report *report, const char *environment, const char *workload,
                     const char *name, double *ret_median, struct error **err) {
    cleanup_free double *values = calloc(json_array_size(report->journal) + 1, sizeof(*values));
    size_t count = 0, index;
    json_t *entry;
    if (!values)
        return error_no_memory(err);
    json_array_foreach((json_t *)report->journal, index, entry) {
        const json_t *counters = counters_of(entry, environment, workload);
        if (counters)
            values[count++] = json_number_value(json_object_get(counters, name));
    }
    *ret_median = count ? statistics_median(values, count) : NAN;
    return 0;
}

/* All names that any request of this workload counted, each with its median. */
static int workload_counters(const struct report *report, const char *environment,
                             const char *workload, json_t *to, struct error **err) {
    json_auto_t *medians = json_object();
    int requests = 0;
    size_t index;
    json_t *entry;
    json_array_foreach((json_t *)report->journal, index, entry) {
        json_t *counters = (json_t *)counters_of(entry, environment, workload);
        const char *name;
        json_t *value;
        requests += counters != NULL;
        json_object_foreach(counters, name, value) {
            double median = 0;
            if (json_object_get(medians, name) || !json_is_number(value))
                continue;
            if (median_of(report, environment, workload, name, &median, err) < 0)
                return -1;
            json_object_set_new(medians, name, json_real(median));
        }
    }
    if (requests == 0)
        return 0;
    json_t *object = json_pack("{s:i, s:O}", "requests", requests, "counters", medians);
    return json_object_set_new(to, workload, object) < 0 ? error_no_memory(err) : 0;
}

static int environment_counters(const struct report *report, const char *environment,
                                json_t **ret_workloads, struct error **err) {
    const struct summary *summary = report->summary;
    json_auto_t *workloads = json_object();
    for (unsigned i = 0; i < summary->metric_count; i++) {
        const char *workload = summary->metrics[i].workload;
        if (i > 0 && strcmp(summary->metrics[i - 1].workload, workload) == 0)
            continue;
        if (workload_counters(report, environment, workload, workloads, err) < 0)
            return -1;
    }
    *ret_workloads = json_incref(workloads);
    return 0;
}

int counters_to_json(const struct report *report, json_t **ret_json, struct error **err) {
    json_auto_t *json = json_object();
    for (unsigned i = 0; i < report->summary->environment_count; i++) {
        const char *label = report->summary->environments[i].label;
        cleanup_free char *clean = text_clean(label);
        json_auto_t *workloads = NULL;
        if (!clean)
            return error_no_memory(err);
        if (environment_counters(report, label, &workloads, err) < 0)
            return -1;
        if (json_object_size(workloads) > 0 && json_object_set(json, clean, workloads) < 0)
            return error_no_memory(err);
    }
    *ret_json = json_incref(json);
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of all workloads together, sorted; borrowed from `workloads`. */
static const char **names_of(json_t *workloads, unsigned *ret_count) {
    json_auto_t *all = json_object();
    const char *workload, *name;
    json_t *entry, *value;
    json_object_foreach(workloads, workload, entry) {
        json_object_foreach(json_object_get(entry, "counters"), name, value) {
            json_object_set(all, name, value);
        }
    }
    const char **names = calloc(json_object_size(all) + 1, sizeof(*names));
    unsigned count = 0;
    json_object_foreach(workloads, workload, entry) {
        json_object_foreach(json_object_get(entry, "counters"), name, value) {
            if (names && json_object_get(all, name)) {
                names[count++] = name;
                json_object_del(all, name);
            }
        }
    }
    if (names)
        qsort(names, count, sizeof(*names), by_name);
    *ret_count = count;
    return names;
}

static char *value_text(const char *name, double value) {
    char text[FORMAT_BYTES];
    size_t length = strlen(name);
    if (length > 3 && strcmp(name + length - 3, "_ns") == 0)
        return strdup(format_duration((uint64_t)value, text));
    /* A median of counts is a whole number, or half of one. */
    if (value == floor(value) && value < 1e15) {
        snprintf(text, sizeof(text), "%.0f", value);
        return strdup(text);
    }
    return strdup(format_value(value, text));
}

static int add_rows(struct side_table *table, json_t *workloads, struct error **err) {
    unsigned count;
    cleanup_free const char **names = names_of(workloads, &count);
    if (!names)
        return error_no_memory(err);
    for (unsigned i = 0; i < count; i++) {
        const char *workload;
        json_t *entry;
        unsigned column = 0;
        if (side_table_add_row(table, err) < 0 ||
            side_table_set(table, column++, strdup(names[i]), err) < 0)
            return -1;
        json_object_foreach(workloads, workload, entry) {
            const json_t *value = json_object_get(json_object_get(entry, "counters"), names[i]);
            if (side_table_set(table, column++, value_text(names[i], json_number_value(value)),
                               err) < 0)
                return -1;
        }
    }
    return 0;
}

static int add_table(const char *title, json_t *workloads, struct side_tables *tables,
                     struct error **err) {
    cleanup_free const char **heads = calloc(json_object_size(workloads) + 1, sizeof(*heads));
    unsigned count = 0;
    const char *workload;
    json_t *entry;
    struct side_table *table;
    if (!heads)
        return error_no_memory(err);
    heads[count++] = "counted";
    json_object_foreach(workloads, workload, entry) {
        heads[count++] = workload;
    }
    if (side_tables_add(tables, text_format("Counted in %s", title),
                        "Medians over the requests of a workload: how often, or for how long, the "
                        "environment's engine did this. They explain a cost; they are not judged.",
                        heads, count, &table, err) < 0)
        return -1;
    return add_rows(table, workloads, err);
}

int counters_tables(const struct report *report, struct side_tables *tables, struct error **err) {
    const struct summary *summary = report->summary;
    for (unsigned i = 0; i < summary->environment_count; i++) {
        json_auto_t *workloads = NULL;
        if (environment_counters(report, summary->environments[i].label, &workloads, err) < 0)
            return -1;
        if (json_object_size(workloads) > 0 &&
            add_table(summary->environments[i].title, workloads, tables, err) < 0)
            return -1;
    }
    return 0;
}
