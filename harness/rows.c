// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/run.h"

int run_append(struct run *run, uint64_t block, unsigned position,
               const struct environment *environment, const struct workload_description *workload,
               const char *metric, uint64_t iteration, bool warmup, double value,
               double agent_value, uint64_t time_ns, struct error **err) {
    const struct metric_description *description = metric_find(workload, metric);
    if (!description)
        return error_set(err, ERROR_INTERNAL, 0, "%s has no metric \"%s\"", workload->name, metric);
    struct sample sample = {
        .block = block,
        .environment = environment->label,
        .accelerator = environment->accelerator,
        .workload = workload->name,
        .metric = description->name,
        .unit = description->unit,
        .better = better_name(description->better),
        .iteration = iteration,
        .warmup = warmup,
        .value = value,
        .agent_value = agent_value,
        .position = position,
        .time_ns = time_ns > run->start_ns ? time_ns - run->start_ns : 0,
    };
    return store_append(run->store, &sample, err);
}

int run_commit(struct run *run, const char *type, json_t *entry, struct error **err) {
    if (store_sync(run->store, err) < 0) {
        json_decref(entry);
        return -1;
    }
    json_int_t bytes = (json_int_t)store_size_bytes(run->store);
    json_int_t run_ns = (json_int_t)(clock_now_ns(run->setup.clock) - run->start_ns);
    /* Without them, rows would be cut when the run goes on. */
    if (json_object_set_new(entry, "samples_bytes", json_integer(bytes)) < 0 ||
        json_object_set_new(entry, "run_ns", json_integer(run_ns)) < 0) {
        json_decref(entry);
        return error_no_memory(err);
    }
    return journal_append(run->journal, type, entry, err);
}
