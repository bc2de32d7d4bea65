// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/parameters.h"

#include <string.h>

/* Beyond these the disk workload's book-keeping would need more memory than its work. */
#define DISK_MAX_RECORDS (UINT64_C(1) << 22)
#define DISK_MAX_FLIGHT_BYTES (UINT64_C(1) << 30)

static uint64_t value_of(const json_t *parameters, const char *name) {
    return (uint64_t)json_integer_value(json_object_get(parameters, name));
}

static int check_disk(const json_t *parameters, struct error **err) {
    uint64_t bytes = value_of(parameters, "bytes");
    uint64_t record_bytes = value_of(parameters, "record_bytes");
    if (record_bytes % DISK_BLOCK_BYTES != 0)
        return error_set(err, ERROR_USAGE, 0, "record_bytes must be a multiple of %d",
                         DISK_BLOCK_BYTES);
    if (bytes == 0 || bytes % record_bytes != 0)
        return error_set(err, ERROR_USAGE, 0,
                         "bytes (%llu) must be a multiple of record_bytes (%llu)",
                         (unsigned long long)bytes, (unsigned long long)record_bytes);
    if (bytes / record_bytes > DISK_MAX_RECORDS)
        return error_set(err, ERROR_USAGE, 0, "more than %llu records: record_bytes is too small",
                         (unsigned long long)DISK_MAX_RECORDS);
    if (value_of(parameters, "depth") * record_bytes > DISK_MAX_FLIGHT_BYTES)
        return error_set(err, ERROR_USAGE, 0,
                         "more than %llu bytes in flight: depth or record_bytes is too large",
                         (unsigned long long)DISK_MAX_FLIGHT_BYTES);
    return 0;
}

/* Where parameters depend on each other. */
static const struct {
    const char *workload;
    int (*check)(const json_t *parameters, struct error **err);
} checks[] = {
    {"disk", check_disk},
};

static int check_each(const struct workload_description *description, const json_t *parameters,
                      struct error **err) {
    size_t described = 0;
    for (const struct parameter_description *at = description->parameters; at->name; at++) {
        const json_t *value = json_object_get(parameters, at->name);
        if (!json_is_integer(value))
            return error_set(err, ERROR_USAGE, 0, "parameter \"%s\" is missing", at->name);
        json_int_t number = json_integer_value(value);
        if (number < 0 || (uint64_t)number < at->minimum || (uint64_t)number > at->maximum)
            return error_set(err, ERROR_USAGE, 0, "parameter \"%s\" is out of range: %lld",
                             at->name, (long long)number);
        described++;
    }
    if (json_object_size(parameters) != described)
        return error_set(err, ERROR_USAGE, 0, "parameters that \"%s\" does not know",
                         description->name);
    return 0;
}

int parameters_check(const struct workload_description *description, const json_t *parameters,
                     struct error **err) {
    if (check_each(description, parameters, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
        if (strcmp(checks[i].workload, description->name) == 0)
            return checks[i].check(parameters, err);
    return 0;
}
