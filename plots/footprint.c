// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/footprint.h"

#include "results/statistics.h"

#include <math.h>
#include <string.h>

static int median_of(const json_t *journal, const char *environment, const char *member,
                     double *ret_median, unsigned *ret_count, struct error **err) {
    cleanup_free double *values = calloc(json_array_size(journal) + 1, sizeof(*values));
    size_t count = 0, index;
    json_t *entry;
    if (!values)
        return error_no_memory(err);
    json_array_foreach(journal, index, entry) {
        const char *type = json_string_value(json_object_get(entry, "type"));
        const char *label = json_string_value(json_object_get(entry, "environment"));
        const json_t *value = json_object_get(json_object_get(entry, "footprint"), member);
        if (type && label && strcmp(type, "instance") == 0 && strcmp(label, environment) == 0 &&
            json_is_number(value))
            values[count++] = json_number_value(value);
    }
    *ret_median = count ? statistics_median(values, count) : NAN;
    if (count > *ret_count)
        *ret_count = (unsigned)count;
    return 0;
}

int footprint_of(const struct report *report, const char *environment,
                 struct footprint_figures *ret_figures, struct error **err) {
    struct footprint_figures figures = {0};
    if (median_of(report->journal, environment, "image_bytes", &figures.image_bytes,
                  &figures.instances, err) < 0 ||
        median_of(report->journal, environment, "resident_bytes", &figures.resident_bytes,
                  &figures.instances, err) < 0 ||
        median_of(report->journal, environment, "cpu_ns", &figures.cpu_ns, &figures.instances,
                  err) < 0)
        return -1;
    *ret_figures = figures;
    return 0;
}
