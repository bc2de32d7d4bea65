// SPDX-License-Identifier: GPL-3.0-or-later
/* What must be equal for a run to be compared with a baseline, and what must not. */
#include "results/baseline.h"

#include "common/file.h"

#include <string.h>

/* Members of a machine whose absolute times can be compared. */
static const char *const machine_members[] = {"cpu_model", "cpus_online", "memory_bytes", "cpus",
                                              NULL};

/* Absent on both sides is equal, too. */
static bool equal(const json_t *before, const json_t *now) {
    return before == now || json_equal(before, now);
}

static int differ(const char *what, const json_t *before, const json_t *now, struct error **err) {
    cleanup_free char *was = json_dumps(before, JSON_COMPACT | JSON_ENCODE_ANY);
    cleanup_free char *is = json_dumps(now, JSON_COMPACT | JSON_ENCODE_ANY);
    return error_set(err, ERROR_USAGE, 0,
                     "not comparable: %s is %.120s in the baseline and %.120s in the run", what,
                     was ? was : "absent", is ? is : "absent");
}

static int compare_parameters(const char *workload, const json_t *before, const json_t *now,
                              struct error **err) {
    const char *key;
    json_t *was;
    json_object_foreach((json_t *)before, key, was) {
        const json_t *is = json_object_get(now, key);
        if (equal(was, is))
            continue;
        cleanup_free char *what = text_format("%s.%s", workload, key);
        differ(what ? what : key, was, is, err);
        if (strcmp(key, "threads") == 0)
            return error_advise(err, "measure with --cpus %lld", json_integer_value(was));
        return error_advise(err, "measure with --set %s.%s=%lld, or make a new baseline", workload,
                            key, json_integer_value(was));
    }
    json_object_foreach((json_t *)now, key, was) {
        cleanup_free char *what = text_format("%s.%s", workload, key);
        if (!json_object_get(before, key))
            return differ(what ? what : key, NULL, was, err);
    }
    return 0;
}

static int compare_workload(const char *name, const json_t *before, const json_t *now,
                            struct error **err) {
    const json_t *version = json_object_get(before, "version");
    if (!equal(version, json_object_get(now, "version"))) {
        error_set(err, ERROR_USAGE, 0,
                  "not comparable: workload %s is of version %lld in the baseline and of version "
                  "%lld in the run",
                  name, json_integer_value(version),
                  json_integer_value(json_object_get(now, "version")));
        return error_advise(err, "make a new baseline with this version of boxmark");
    }
    if (compare_parameters(name, json_object_get(before, "parameters"),
                           json_object_get(now, "parameters"), err) < 0)
        return -1;
    const json_t *was = json_object_get(before, "digest"), *is = json_object_get(now, "digest");
    if (!was || !is || json_equal(was, is))
        return 0;
    cleanup_free char *what = text_format("the answer of %s", name);
    differ(what ? what : name, was, is, err);
    return error_advise(err, "it is not the same work: make a new baseline with this agent");
}

static int compare_workloads(const struct baseline *before, const struct baseline *now,
                             struct error **err) {
    const char *name;
    json_t *work;
    json_object_foreach(before->workloads, name, work) {
        const json_t *other = json_object_get(now->workloads, name);
        /* One that was not run at all is a gap in the table, not another kind of work. */
        if (other && compare_workload(name, work, other, err) < 0)
            return -1;
    }
    return 0;
}

static int compare_accelerators(const struct baseline *before, const struct baseline *now,
                                struct error **err) {
    for (size_t i = 0; i < before->environment_count; i++) {
        const struct baseline_environment *was = &before->environments[i];
        const struct baseline_environment *is = baseline_partner(before, now, was->label);
        if (!is || strcmp(was->accelerator, is->accelerator) == 0)
            continue;
        error_set(err, ERROR_USAGE, 0,
                  "not comparable: %s ran under %s in the baseline and under %s in the run",
                  is->label, was->accelerator, is->accelerator);
        return error_advise(err, "compare with a baseline of the same accelerator "
                                 "(`boxmark doctor` says why a VM is emulated)");
    }
    return 0;
}

static int compare_machines(const struct baseline *before, const struct baseline *now,
                            struct error **err) {
    const json_t *is = json_object_get(json_array_get(now->runs, 0), "machine");
    for (unsigned r = 0; r < before->run_count; r++) {
        const json_t *was = json_object_get(json_array_get(before->runs, r), "machine");
        for (unsigned i = 0; machine_members[i]; i++) {
            const json_t *a = json_object_get(was, machine_members[i]);
            const json_t *b = json_object_get(is, machine_members[i]);
            if (equal(a, b))
                continue;
            cleanup_free char *what = text_format("machine.%s", machine_members[i]);
            differ(what ? what : "machine", a, b, err);
            return error_advise(err, "absolute values of two machines cannot be compared: leave "
                                     "out --absolute");
        }
    }
    return 0;
}

int baseline_same_metric(const struct baseline_series *before, const char *unit, const char *better,
                         struct error **err) {
    bool other_unit = strcmp(before->unit, unit) != 0;
    if (!other_unit && strcmp(before->better, better) == 0)
        return 0;
    error_set(err, ERROR_USAGE, 0, "not comparable: %s/%s is %s %.40s before and %.40s now",
              before->workload, before->metric, other_unit ? "in" : "better when",
              other_unit ? before->unit : before->better, other_unit ? unit : better);
    return error_advise(err, "make a new baseline with this version of boxmark");
}

/* Another unit makes other values, another direction turns verdicts round. */
static int compare_metrics(const struct baseline *before, const struct baseline *now,
                           struct error **err) {
    for (size_t i = 0; i < before->series_count; i++)
        for (size_t j = 0; j < now->series_count; j++) {
            const struct baseline_series *was = &before->series[i], *is = &now->series[j];
            if (strcmp(was->workload, is->workload) == 0 && strcmp(was->metric, is->metric) == 0 &&
                baseline_same_metric(was, is->unit, is->better, err) < 0)
                return -1;
        }
    return 0;
}

int baseline_comparable(const struct baseline *before, const struct baseline *now, bool absolute,
                        struct error **err) {
    const struct baseline_environment *reference = baseline_environment(now, before->reference);
    if (!reference || strcmp(before->reference, now->reference) != 0) {
        error_set(err, ERROR_USAGE, 0,
                  "not comparable: the baseline's ratios are to %s, the run's to %s",
                  before->reference, now->reference);
        return error_advise(err, "measure %s in the same run, too", before->reference);
    }
    if (compare_workloads(before, now, err) < 0 || compare_accelerators(before, now, err) < 0 ||
        compare_metrics(before, now, err) < 0)
        return -1;
    return absolute ? compare_machines(before, now, err) : 0;
}

int baseline_distinct(const struct baseline *before, const struct baseline *now,
                      struct error **err) {
    const char *sha256;
    json_t *name;
    json_object_foreach(now->identities, sha256, name) {
        if (!json_object_get(before->identities, sha256))
            continue;
        error_set(err, ERROR_USAGE, 0,
                  "the baseline was made of %s: a run compared with itself is always the same",
                  json_string_value(name));
        return error_advise(err, "check a run that was measured later, or make the baseline of "
                                 "others");
    }
    return 0;
}
