// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/profile.h"

#include "bench/parameters.h"
#include "common/units.h"

#include <string.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/*
 * One row a size, one column a profile. Sources of the `paper` sizes:
 *   prime   sysbench 0.4 `--test=cpu`: 10,000 events, --cpu-max-prime=10000 (its defaults, as the
 *           literature ran it); also the algorithm and default limit of sysbench 1.0.
 *   zip     a 10 GB file compressed, as in the articles that compare Docker and VMs this way.
 *   stream  STREAM 5.10's rule: each array at least 4 times the last-level cache; NTIMES 10, of
 *           which the first is not counted.
 *   disk    IOzone -s 4g -r 1m: one file of 4 GB in records of 1 MB (Potdar et al. 2020,
 *           doi 10.1016/j.procs.2020.04.152).
 * `quick` has six blocks, the fewest that give a 95 % interval of a median, and work so small that
 * a guest under software emulation ends in minutes, too. It caps the arrays of stream at 32 MiB:
 * enough for caches up to 8 MiB; where the cache is larger, the audit says so.
 */
const struct profile profiles[] = {
    {
        .name = "quick",
        .summary = "minutes: a first answer",
        .blocks = 6,
        .max_blocks = 6,
        .iterations = 3,
        .warmups = 1,
        .prime_limit = 10000,
        .prime_events = 400,
        .zip_bytes = 4 * MIB,
        .stream_cap_bytes = 32 * MIB,
        .stream_floor_bytes = 8 * MIB,
        .stream_iterations = 3,
        .disk_bytes = 256 * MIB,
        .disk_record_bytes = MIB,
        .disk_depth = 1,
        .disk_iterations = 1,
        .request_timeout_s = 300,
    },
    {
        .name = "smoke",
        .summary = "seconds: for tests; its figures mean little",
        .blocks = 1,
        .max_blocks = 1,
        .iterations = 1,
        .warmups = 0,
        .prime_limit = 2000,
        .prime_events = 40,
        .zip_bytes = 256 * KIB,
        .stream_cap_bytes = 2 * MIB,
        .stream_floor_bytes = 2 * MIB,
        .stream_iterations = 2,
        .disk_bytes = 8 * MIB,
        .disk_record_bytes = MIB,
        .disk_depth = 1,
        .disk_iterations = 1,
        .request_timeout_s = 120,
    },
    {
        .name = "demo",
        .summary = "a minute: small work, as `boxmark demo` does it",
        .blocks = 6,
        .max_blocks = 6,
        .iterations = 2,
        .warmups = 1,
        .prime_limit = 10000,
        .prime_events = 60,
        .zip_bytes = MIB,
        .stream_cap_bytes = 4 * MIB,
        .stream_floor_bytes = 4 * MIB,
        .stream_iterations = 3,
        .disk_bytes = 32 * MIB,
        .disk_record_bytes = MIB,
        .disk_depth = 1,
        .disk_iterations = 1,
        .request_timeout_s = 120,
    },
    {
        .name = "standard",
        .summary = "an hour or less: figures to rely on, 4 GiB of disk",
        .blocks = 10,
        .max_blocks = 30,
        .iterations = 3,
        .warmups = 1,
        .prime_limit = 10000,
        .prime_events = 10000,
        .zip_bytes = 128 * MIB,
        .stream_cap_bytes = 0,
        .stream_floor_bytes = 64 * MIB,
        .stream_iterations = 9,
        .disk_bytes = 4 * GIB,
        .disk_record_bytes = MIB,
        .disk_depth = 1,
        .disk_iterations = 1,
        .request_timeout_s = 3600,
    },
    {
        .name = "paper",
        .summary = "hours: the sizes of the literature, 10 GB of zip",
        .blocks = 10,
        .max_blocks = 30,
        .iterations = 1,
        .warmups = 0,
        .prime_limit = 10000,
        .prime_events = 10000,
        .zip_bytes = UINT64_C(10000000000),
        .zip_to_file = true,
        .stream_cap_bytes = 0,
        .stream_floor_bytes = 64 * MIB,
        .stream_iterations = 9,
        .disk_bytes = 4 * GIB,
        .disk_record_bytes = MIB,
        .disk_depth = 1,
        .disk_iterations = 1,
        .request_timeout_s = 6 * 3600,
    },
    {.name = NULL},
};

int profile_find(const char *name, const struct profile **ret_profile, struct error **err) {
    enum { NAMES_MAX = 16 };
    const char *names[NAMES_MAX] = {NULL};
    for (unsigned i = 0; profiles[i].name && i < NAMES_MAX - 1; i++) {
        names[i] = profiles[i].name;
        if (strcmp(name, profiles[i].name) == 0) {
            *ret_profile = &profiles[i];
            return 0;
        }
    }
    return error_unknown_name("profile", name, names, err);
}

/* Corpus and record contents are the same in every run: the work is fixed. */
#define WORK_SEED 20260101

/* Elements of one stream array: four times the cache, within the profile's and memory's bounds. */
static uint64_t stream_elements(const struct profile *profile, const struct work_basis *basis) {
    uint64_t bytes = basis->cache_bytes * 4;
    if (bytes < profile->stream_floor_bytes)
        bytes = profile->stream_floor_bytes;
    if (profile->stream_cap_bytes && bytes > profile->stream_cap_bytes)
        bytes = profile->stream_cap_bytes;
    /* The three arrays get at most three quarters of the envelope. */
    if (basis->memory_bytes && bytes > basis->memory_bytes / 4)
        bytes = basis->memory_bytes / 4;
    return bytes / sizeof(double);
}

/* The profile's value for a parameter of a workload, by name. */
static uint64_t profile_value(const struct profile *profile, const struct work_basis *basis,
                              const char *workload, const char *parameter) {
    const struct {
        const char *workload; /* NULL: any */
        const char *parameter;
        uint64_t value;
    } values[] = {
        {"stream", "iterations", profile->stream_iterations},
        {"disk", "iterations", profile->disk_iterations},
        {NULL, "iterations", profile->iterations},
        {NULL, "warmups", profile->warmups},
        {NULL, "threads", basis->cpus},
        {NULL, "seed", WORK_SEED},
        {"prime", "limit", profile->prime_limit},
        {"prime", "events", profile->prime_events},
        {"zip", "bytes", profile->zip_bytes},
        {"zip", "level", 6},
        {"zip", "to_file", profile->zip_to_file},
        {"stream", "elements", stream_elements(profile, basis)},
        {"stream", "huge_pages", 0},
        {"disk", "bytes", profile->disk_bytes},
        {"disk", "record_bytes", profile->disk_record_bytes},
        {"disk", "depth", profile->disk_depth},
        {"calibrate", "loops", 5000000},
        {"calls", "calls", 20000},
    };
    for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++)
        if ((!values[i].workload || strcmp(values[i].workload, workload) == 0) &&
            strcmp(values[i].parameter, parameter) == 0)
            return values[i].value;
    return 0;
}

static int make_parameters(const struct profile *profile, const struct work_basis *basis,
                           const json_t *overrides, struct work *work, struct error **err) {
    const struct workload_description *description = work->description;
    work->parameters = json_object();
    for (const struct parameter_description *at = description->parameters; at->name; at++) {
        uint64_t value = profile_value(profile, basis, description->name, at->name);
        char key[128];
        snprintf(key, sizeof(key), "%s.%s", description->name, at->name);
        const json_t *override = json_object_get(overrides, key);
        if (override)
            value = (uint64_t)json_integer_value(override);
        if (value < at->minimum || value > at->maximum) {
            error_set(err, ERROR_USAGE, 0, "%s: %llu is out of range", key,
                      (unsigned long long)value);
            return error_advise(err, "it takes %llu to %llu: %s", (unsigned long long)at->minimum,
                                (unsigned long long)at->maximum, at->summary);
        }
        if (json_object_set_new(work->parameters, at->name, json_integer((json_int_t)value)) < 0)
            return error_no_memory(err);
    }
    if (parameters_check(description, work->parameters, err) < 0)
        return error_wrap(err, "%s", description->name);
    return 0;
}

static bool selected(const struct workload_description *description, const char *const *names) {
    if (!names)
        return !description->hidden;
    for (; *names; names++)
        if (strcmp(*names, description->name) == 0)
            return true;
    return false;
}

static int check_names(const char *const *names, struct error **err) {
    const char *known[WORKLOADS_MAX + 1] = {NULL};
    unsigned count = 0;
    for (unsigned i = 0; workload_catalog[i] && count < WORKLOADS_MAX; i++)
        if (!workload_catalog[i]->hidden)
            known[count++] = workload_catalog[i]->name;
    for (; names && *names; names++)
        if (!workload_find(*names))
            return error_unknown_name("workload", *names, known, err);
    return 0;
}

static int check_overrides(const json_t *overrides, const char *const *names, struct error **err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)overrides, key, value) {
        cleanup_free char *workload = strndup(key, strcspn(key, "."));
        const struct workload_description *description = workload ? workload_find(workload) : NULL;
        const char *dot = strchr(key, '.');
        if (!description || !dot || !parameter_find(description, dot + 1)) {
            error_set(err, ERROR_USAGE, 0, "no workload has a parameter \"%s\"", key);
            return error_advise(err, "`boxmark list workloads` shows them");
        }
        if (!selected(description, names)) {
            error_set(err, ERROR_USAGE, 0, "%s: %s is not among the workloads of this run", key,
                      workload);
            return error_advise(err, "add -w %s, or leave --set %s out", workload, key);
        }
    }
    return 0;
}

int work_list_make(const struct profile *profile, const struct work_basis *basis,
                   const char *const *names, const json_t *overrides, struct work_list *ret_list,
                   struct error **err) {
    if (check_names(names, err) < 0 || check_overrides(overrides, names, err) < 0)
        return -1;
    cleanup_work_list struct work_list list = {0};
    for (unsigned i = 0; workload_catalog[i]; i++) {
        if (!selected(workload_catalog[i], names))
            continue;
        struct work *work = &list.works[list.count++];
        work->description = workload_catalog[i];
        if (make_parameters(profile, basis, overrides, work, err) < 0)
            return -1;
    }
    *ret_list = list;
    list = (struct work_list){0};
    return 0;
}

void work_list_clear(struct work_list *list) {
    for (unsigned i = 0; i < list->count; i++)
        json_decref(list->works[i].parameters);
    *list = (struct work_list){0};
}

const struct work *work_find(const struct work_list *list, const char *name) {
    for (unsigned i = 0; i < list->count; i++)
        if (strcmp(list->works[i].description->name, name) == 0)
            return &list->works[i];
    return NULL;
}

static uint64_t parameter(const struct work *work, const char *name) {
    return (uint64_t)json_integer_value(json_object_get(work->parameters, name));
}

uint64_t work_list_memory_bytes(const struct work_list *list) {
    /* A guest kernel, the agent, its stacks and histograms. */
    const uint64_t base_bytes = 256 * MIB;
    uint64_t most = 0;
    for (unsigned i = 0; i < list->count; i++) {
        const struct work *work = &list->works[i];
        const char *name = work->description->name;
        uint64_t bytes = 0;
        if (strcmp(name, "stream") == 0)
            bytes = parameter(work, "elements") * sizeof(double) * 3;
        /* Corpus, archive and unpacked copy. */
        if (strcmp(name, "zip") == 0 && !parameter(work, "to_file"))
            bytes = parameter(work, "bytes") * 3;
        if (strcmp(name, "disk") == 0)
            bytes = parameter(work, "record_bytes") * parameter(work, "depth") * 4;
        if (bytes > most)
            most = bytes;
    }
    return base_bytes + most + most / 8;
}

uint64_t work_list_data_bytes(const struct work_list *list) {
    uint64_t most = 0;
    for (unsigned i = 0; i < list->count; i++) {
        const struct work *work = &list->works[i];
        const char *name = work->description->name;
        uint64_t bytes = 0;
        if (strcmp(name, "disk") == 0)
            bytes = parameter(work, "bytes");
        /* Corpus and archive, and the archive of a corpus that would not shrink. */
        if (strcmp(name, "zip") == 0 && parameter(work, "to_file"))
            bytes = parameter(work, "bytes") * 2;
        if (bytes > most)
            most = bytes;
    }
    return most;
}
