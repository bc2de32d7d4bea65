// SPDX-License-Identifier: GPL-3.0-or-later
/* The file of a baseline: JSON with one line for what a reviewer reads as one thing. */
#include "results/baseline.h"

#include "common/file.h"
#include "common/output.h"
#include "results/statistics.h"

#include <math.h>
#include <string.h>

#define BASELINE_KIND "boxmark baseline"
/* Digits of ratios and values: far beyond what noise leaves of them. */
#define DIGITS 6

/* ---- Writing ----------------------------------------------------------------------------------
 */

static json_t *numbers(const double *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_real(values[i]));
    return array;
}

/* The middle of all blocks, for the reader's eye only. */
static json_t *middle(const struct baseline *baseline, const struct baseline_series *series) {
    cleanup_free double *all = calloc(baseline_block_count(baseline, series) + 1, sizeof(double));
    size_t count = 0;
    for (unsigned r = 0; all && r < baseline->run_count; r++)
        for (size_t i = 0; i < series->runs[r].ratio_count; i++)
            all[count++] = series->runs[r].ratios[i];
    return count ? json_real(statistics_median(all, count)) : json_null();
}

static json_t *series_json(const struct baseline *baseline, const struct baseline_series *series) {
    json_t *ratios = json_array(), *values = json_array();
    bool reference = strcmp(series->environment, baseline->reference) == 0;
    for (unsigned r = 0; r < baseline->run_count; r++) {
        const struct baseline_blocks *blocks = &series->runs[r];
        json_array_append_new(ratios, numbers(blocks->ratios, blocks->ratio_count));
        json_array_append_new(values, numbers(blocks->values, blocks->value_count));
    }
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s}", "workload", series->workload, "metric",
                             series->metric, "unit", series->unit, "better", series->better,
                             "environment", series->environment);
    if (!reference) {
        json_object_set_new(json, "median_ratio", middle(baseline, series));
        json_object_set_new(json, "ratios", ratios);
    } else {
        json_decref(ratios);
    }
    json_object_set_new(json, "values", values);
    return json;
}

/* Takes over `items`, writes each on a line of its own. */
static void put_lines(FILE *to, const char *name, json_t *items) {
    size_t index;
    json_t *item;
    fprintf(to, ",\n  \"%s\": [", name);
    json_array_foreach(items, index, item) {
        cleanup_free char *line = json_dumps(item, JSON_REAL_PRECISION(DIGITS));
        fprintf(to, "%s\n    %s", index ? "," : "", line ? line : "null");
    }
    fputs("\n  ]", to);
    json_decref(items);
}

static json_t *environments_json(const struct baseline *baseline) {
    json_t *list = json_array();
    for (size_t i = 0; i < baseline->environment_count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "label", baseline->environments[i].label,
                                        "kind", baseline->environments[i].kind, "accelerator",
                                        baseline->environments[i].accelerator));
    return list;
}

static json_t *workloads_json(const struct baseline *baseline) {
    json_t *list = json_array();
    const char *name;
    json_t *workload;
    json_object_foreach(baseline->workloads, name, workload) {
        json_t *line = json_pack("{s:s}", "name", name);
        json_object_update(line, workload);
        json_array_append_new(list, line);
    }
    return list;
}

static void put(const struct baseline *baseline, FILE *to) {
    cleanup_free char *reference = NULL;
    json_t *label = json_string(baseline->reference);
    reference = json_dumps(label, JSON_ENCODE_ANY);
    json_decref(label);
    fprintf(to, "{\n  \"kind\": \"%s\",\n  \"schema\": %d,\n  \"reference\": %s", BASELINE_KIND,
            BASELINE_SCHEMA_VERSION, reference ? reference : "null");
    put_lines(to, "runs", json_incref(baseline->runs));
    put_lines(to, "environments", environments_json(baseline));
    put_lines(to, "workloads", workloads_json(baseline));
    json_t *metrics = json_array();
    for (size_t i = 0; i < baseline->series_count; i++)
        json_array_append_new(metrics, series_json(baseline, &baseline->series[i]));
    put_lines(to, "metrics", metrics);
    fputs("\n}\n", to);
}

int baseline_format(const struct baseline *baseline, char **ret_text, size_t *ret_size,
                    struct error **err) {
    cleanup_free char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return error_no_memory(err);
    put(baseline, to);
    if (fclose(to) != 0)
        return error_no_memory(err);
    *ret_text = TAKE_PTR(text);
    *ret_size = size;
    return 0;
}

int baseline_write(const struct baseline *baseline, const char *path, struct error **err) {
    cleanup_free char *text = NULL;
    size_t size;
    if (baseline_format(baseline, &text, &size, err) < 0)
        return -1;
    return output_write(path, text, size, err) < 0 ? error_blame_usage(err) : 0;
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

struct reading {
    const char *path;
    struct baseline *baseline;
};

static int wrong(const struct reading *reading, const char *what, const char *why,
                 struct error **err) {
    return error_set(err, ERROR_USAGE, 0, "%s: %s: %s", reading->path, what, why);
}

static int read_text(const struct reading *reading, const char *where, const json_t *object,
                     const char *key, char **ret_text, struct error **err) {
    const char *text = json_string_value(json_object_get(object, key));
    if (!text) {
        cleanup_free char *what = text_format("%s.%s", where, key);
        return wrong(reading, what ? what : key, "missing, or not a text", err);
    }
    *ret_text = strdup(text);
    return *ret_text ? 0 : error_no_memory(err);
}

static int read_numbers(const struct reading *reading, const char *where, const json_t *array,
                        double **ret_values, size_t *ret_count, struct error **err) {
    if (!json_is_array(array))
        return wrong(reading, where, "missing, or not an array for each run", err);
    double *values = calloc(json_array_size(array) + 1, sizeof(*values));
    if (!values)
        return error_no_memory(err);
    *ret_values = values;
    size_t index;
    json_t *value;
    json_array_foreach(array, index, value) {
        values[index] = json_is_number(value) ? json_number_value(value) : NAN;
        if (!(values[index] > 0) || !isfinite(values[index]))
            return wrong(reading, where, "holds what is not a positive number", err);
    }
    *ret_count = json_array_size(array);
    return 0;
}

static int read_series(const struct reading *reading, const char *where, const json_t *line,
                       struct baseline_series *series, struct error **err) {
    const struct baseline *baseline = reading->baseline;
    series->runs = calloc(baseline->run_count + 1, sizeof(*series->runs));
    if (!series->runs)
        return error_no_memory(err);
    if (read_text(reading, where, line, "workload", &series->workload, err) < 0 ||
        read_text(reading, where, line, "metric", &series->metric, err) < 0 ||
        read_text(reading, where, line, "unit", &series->unit, err) < 0 ||
        read_text(reading, where, line, "better", &series->better, err) < 0 ||
        read_text(reading, where, line, "environment", &series->environment, err) < 0)
        return -1;
    if (strcmp(series->better, "lower") != 0 && strcmp(series->better, "higher") != 0)
        return wrong(reading, where, "\"better\" is neither \"lower\" nor \"higher\"", err);
    if (!baseline_environment(baseline, series->environment))
        return wrong(reading, where, "its environment is not among \"environments\"", err);
    if (!json_object_get(baseline->workloads, series->workload))
        return wrong(reading, where, "its workload is not among \"workloads\"", err);
    bool reference = strcmp(series->environment, baseline->reference) == 0;
    const json_t *ratios = json_object_get(line, "ratios");
    const json_t *values = json_object_get(line, "values");
    for (unsigned r = 0; r < baseline->run_count; r++) {
        struct baseline_blocks *blocks = &series->runs[r];
        if (read_numbers(reading, where, json_array_get(values, r), &blocks->values,
                         &blocks->value_count, err) < 0 ||
            (!reference && read_numbers(reading, where, json_array_get(ratios, r), &blocks->ratios,
                                        &blocks->ratio_count, err) < 0))
            return -1;
    }
    return 0;
}

static int read_metrics(const struct reading *reading, const json_t *metrics, struct error **err) {
    struct baseline *baseline = reading->baseline;
    if (json_array_size(metrics) == 0)
        return wrong(reading, "metrics", "missing or empty: there is nothing to compare with", err);
    baseline->series = calloc(json_array_size(metrics), sizeof(*baseline->series));
    if (!baseline->series)
        return error_no_memory(err);
    size_t index;
    json_t *line;
    json_array_foreach(metrics, index, line) {
        cleanup_free char *where = text_format("metrics[%zu]", index);
        struct baseline_series *series = &baseline->series[baseline->series_count++];
        if (!where)
            return error_no_memory(err);
        if (read_series(reading, where, line, series, err) < 0)
            return -1;
        if (baseline_find(baseline, series->workload, series->metric, series->environment) !=
            series)
            return wrong(reading, where, "stands there twice", err);
    }
    return 0;
}

static int read_environments(const struct reading *reading, const json_t *list,
                             struct error **err) {
    struct baseline *baseline = reading->baseline;
    if (json_array_size(list) == 0)
        return wrong(reading, "environments", "missing or empty", err);
    baseline->environments = calloc(json_array_size(list), sizeof(*baseline->environments));
    if (!baseline->environments)
        return error_no_memory(err);
    size_t index;
    json_t *line;
    json_array_foreach(list, index, line) {
        cleanup_free char *where = text_format("environments[%zu]", index);
        struct baseline_environment *at = &baseline->environments[baseline->environment_count++];
        if (!where)
            return error_no_memory(err);
        if (read_text(reading, where, line, "label", &at->label, err) < 0 ||
            read_text(reading, where, line, "kind", &at->kind, err) < 0 ||
            read_text(reading, where, line, "accelerator", &at->accelerator, err) < 0)
            return -1;
    }
    return 0;
}

static int read_workloads(const struct reading *reading, const json_t *list, struct error **err) {
    struct baseline *baseline = reading->baseline;
    baseline->workloads = json_object();
    size_t index;
    json_t *line;
    json_array_foreach(list, index, line) {
        const char *name = json_string_value(json_object_get(line, "name"));
        if (!name || !json_is_object(json_object_get(line, "parameters")) ||
            !json_is_integer(json_object_get(line, "version")))
            return wrong(reading, "workloads", "a name, version or parameters are missing", err);
        json_t *kept = json_deep_copy(line);
        json_object_del(kept, "name");
        json_object_set_new(baseline->workloads, name, kept);
    }
    return 0;
}

static int read_runs(const struct reading *reading, json_t *list, struct error **err) {
    size_t index;
    json_t *line;
    if (json_array_size(list) == 0)
        return wrong(reading, "runs", "missing or empty", err);
    json_t *identities = reading->baseline->identities = json_object();
    json_array_foreach(list, index, line) {
        if (!json_is_object(line))
            return wrong(reading, "runs", "holds what is not an object", err);
        /* Baselines of older versions have none. */
        const char *sha256 = json_string_value(json_object_get(line, "samples_sha256"));
        if (sha256 && json_object_get(identities, sha256))
            return wrong(reading, "runs", "holds the same run twice (\"samples_sha256\")", err);
        if (sha256)
            json_object_set_new(identities, sha256, json_string(reading->path));
    }
    reading->baseline->runs = json_incref(list);
    reading->baseline->run_count = (unsigned)json_array_size(list);
    return 0;
}

/* A file of another kind is told apart from one of another schema: the remedies differ. */
static int check_kind(const struct reading *reading, const json_t *root, struct error **err) {
    const char *kind = json_string_value(json_object_get(root, "kind"));
    if (!kind || strcmp(kind, BASELINE_KIND) != 0) {
        error_set(err, ERROR_USAGE, 0, "%s is not a baseline of boxmark", reading->path);
        return error_advise(err, "make one with `boxmark baseline RUN -o FILE`");
    }
    const json_t *schema = json_object_get(root, "schema");
    if (json_integer_value(schema) == BASELINE_SCHEMA_VERSION)
        return 0;
    if (json_is_integer(schema))
        error_set(err, ERROR_USAGE, 0, "%s: schema %lld is not the one that this version reads: %d",
                  reading->path, json_integer_value(schema), BASELINE_SCHEMA_VERSION);
    else
        wrong(reading, "schema", "missing, or not a whole number", err);
    return error_advise(err, "make the baseline anew with this version of boxmark");
}

static int read_members(const struct reading *reading, const json_t *root, struct error **err) {
    if (check_kind(reading, root, err) < 0 ||
        read_text(reading, "baseline", root, "reference", &reading->baseline->reference, err) < 0 ||
        read_runs(reading, json_object_get(root, "runs"), err) < 0 ||
        read_environments(reading, json_object_get(root, "environments"), err) < 0 ||
        read_workloads(reading, json_object_get(root, "workloads"), err) < 0)
        return -1;
    if (!baseline_environment(reading->baseline, reading->baseline->reference))
        return wrong(reading, "reference", "is not among \"environments\"", err);
    return read_metrics(reading, json_object_get(root, "metrics"), err);
}

int baseline_parse(const char *text, size_t size, const char *name, struct baseline *ret_baseline,
                   struct error **err) {
    json_error_t problem;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (!root)
        return error_set(err, ERROR_USAGE, 0, "%s:%d:%d: %s", name, problem.line, problem.column,
                         problem.text);
    cleanup_baseline struct baseline baseline = {0};
    struct reading reading = {.path = name, .baseline = &baseline};
    int result = read_members(&reading, root, err);
    json_decref(root);
    if (result < 0)
        return -1;
    *ret_baseline = baseline;
    baseline = (struct baseline){0};
    return 0;
}

int baseline_read(const char *path, struct baseline *ret_baseline, struct error **err) {
    cleanup_free char *text = NULL;
    size_t size;
    if (file_read(path, &text, &size, err) < 0) {
        error_blame_usage(err);
        return error_advise(err, "make a baseline with `boxmark baseline RUN -o FILE`");
    }
    return baseline_parse(text, size, path, ret_baseline, err);
}
