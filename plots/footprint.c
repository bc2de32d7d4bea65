// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/footprint.h"

#include "common/text.h"
#include "common/units.h"
#include "plots/format.h"
#include "results/statistics.h"

#include <math.h>
#include <string.h>

static double number_of(const json_t *footprint, const char *member) {
    const json_t *value = json_object_get(footprint, member);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double image_of(const json_t *footprint) {
    return number_of(footprint, "image_bytes");
}

static double resident_of(const json_t *footprint) {
    return number_of(footprint, "resident_bytes");
}

static double guest_of(const json_t *footprint) {
    return number_of(footprint, "guest_bytes");
}

static double beyond_of(const json_t *footprint) {
    return resident_of(footprint) - guest_of(footprint);
}

static double idle_of(const json_t *footprint) {
    double window_ns = number_of(footprint, "idle_ns");
    return window_ns > 0 ? number_of(footprint, "idle_cpu_ns") / window_ns : NAN;
}

static double cpu_of(const json_t *footprint) {
    return number_of(footprint, "cpu_ns");
}

static int median_of(const json_t *journal, const char *environment,
                     double (*value_of)(const json_t *footprint), double *ret_median,
                     unsigned *ret_count, struct error **err) {
    cleanup_free double *values = calloc(json_array_size(journal) + 1, sizeof(*values));
    size_t count = 0, index;
    json_t *entry;
    if (!values)
        return error_no_memory(err);
    json_array_foreach(journal, index, entry) {
        const char *type = json_string_value(json_object_get(entry, "type"));
        const char *label = json_string_value(json_object_get(entry, "environment"));
        double value = value_of(json_object_get(entry, "footprint"));
        if (type && label && strcmp(type, "instance") == 0 && strcmp(label, environment) == 0 &&
            isfinite(value) && value >= 0)
            values[count++] = value;
    }
    *ret_median = count ? statistics_median(values, count) : NAN;
    if (count > *ret_count)
        *ret_count = (unsigned)count;
    return 0;
}

int footprint_of(const struct report *report, const char *environment,
                 struct footprint_figures *ret_figures, struct error **err) {
    struct footprint_figures figures = {0};
    const struct {
        double (*value_of)(const json_t *footprint);
        double *figure;
    } all[] = {
        {image_of, &figures.image_bytes}, {resident_of, &figures.resident_bytes},
        {guest_of, &figures.guest_bytes}, {beyond_of, &figures.beyond_bytes},
        {idle_of, &figures.idle_cpus},    {cpu_of, &figures.cpu_ns},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (median_of(report->journal, environment, all[i].value_of, all[i].figure,
                      &figures.instances, err) < 0)
            return -1;
    *ret_figures = figures;
    return 0;
}

static char *size_text(double bytes) {
    char text[32];
    return strdup(isfinite(bytes) ? format_size((uint64_t)bytes, text) : "-");
}

static char *duration_text(double duration_ns) {
    char text[32];
    return strdup(isfinite(duration_ns) ? format_duration((uint64_t)duration_ns, text) : "-");
}

static char *idle_text(double cpus) {
    char text[FORMAT_BYTES];
    return strdup(isfinite(cpus) ? format_percent(cpus, false, text) : "-");
}

static int add_row(struct side_table *table, const char *title,
                   const struct footprint_figures *figures, struct error **err) {
    bool guest = !(figures->guest_bytes <= 0);
    if (side_table_add_row(table, err) < 0)
        return -1;
    char *const cells[] = {
        strdup(title),
        size_text(figures->image_bytes),
        size_text(figures->resident_bytes),
        guest ? size_text(figures->guest_bytes) : strdup("none"),
        size_text(figures->beyond_bytes),
        idle_text(figures->idle_cpus),
        duration_text(figures->cpu_ns),
    };
    int result = 0;
    for (unsigned i = 0; i < table->column_count; i++)
        if (side_table_set(table, i, cells[i], result == 0 ? err : NULL) < 0)
            result = -1;
    return result;
}

int footprint_table(const struct report *report, struct side_tables *tables, struct error **err) {
    static const char *const heads[] = {"environment", "image", "memory",  "of it guest",
                                        "beyond it",   "idle",  "CPU time"};
    const struct summary *summary = report->summary;
    struct side_table *table = NULL;
    for (unsigned i = 0; i < summary->environment_count; i++) {
        struct footprint_figures figures;
        if (footprint_of(report, summary->environments[i].label, &figures, err) < 0)
            return -1;
        if (figures.instances == 0)
            continue;
        if (!table && side_tables_add(
                          tables, strdup("Footprint"),
                          "Medians over instances. Image: files on the host's disk. Memory: "
                          "proportional set size of all processes of an instance after its work. "
                          "Idle: of one CPU, while nothing was asked of it. CPU time: the host's, "
                          "helpers included, from start to end.",
                          heads, sizeof(heads) / sizeof(*heads), &table, err) < 0)
            return -1;
        if (add_row(table, summary->environments[i].title, &figures, err) < 0)
            return -1;
    }
    return 0;
}

static void put_number(json_t *object, const char *name, double value) {
    json_object_set_new(object, name, isfinite(value) ? json_real(value) : json_null());
}

int footprint_to_json(const struct report *report, json_t **ret_json, struct error **err) {
    json_t *list = json_array();
    for (unsigned i = 0; i < report->summary->environment_count; i++) {
        struct footprint_figures figures;
        if (footprint_of(report, report->summary->environments[i].label, &figures, err) < 0) {
            json_decref(list);
            return -1;
        }
        if (figures.instances == 0)
            continue;
        cleanup_free char *label = text_clean(report->summary->environments[i].label);
        json_t *object =
            json_pack("{s:s*, s:i}", "environment", label, "instances", (int)figures.instances);
        put_number(object, "image_bytes", figures.image_bytes);
        put_number(object, "resident_bytes", figures.resident_bytes);
        put_number(object, "guest_bytes", figures.guest_bytes);
        put_number(object, "beyond_bytes", figures.beyond_bytes);
        put_number(object, "idle_cpus", figures.idle_cpus);
        put_number(object, "cpu_ns", figures.cpu_ns);
        json_array_append_new(list, object);
    }
    *ret_json = list;
    return list ? 0 : error_no_memory(err);
}
