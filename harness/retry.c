// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/retry.h"

#include "common/file.h"
#include "harness/interrupt.h"
#include "harness/resume.h"
#include "harness/run.h"
#include "results/manifest.h"

#include <string.h>

struct retry {
    struct run_options options;
    json_t *pairs; /* {"container": ["zip"]} */
};

static void retry_cleanup(struct retry *retry) {
    json_decref(retry->options.overrides);
    json_decref(retry->pairs);
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Adds a name to the list of an environment, once. */
static void add_pair(json_t *pairs, const char *environment, const char *workload) {
    json_t *names = json_object_get(pairs, environment);
    if (!names) {
        names = json_array();
        json_object_set_new(pairs, environment, names);
    }
    size_t index;
    json_t *name;
    json_array_foreach(names, index,
                       name) if (strcmp(json_string_value(name), workload) == 0) return;
    json_array_append_new(names, json_string(workload));
}

/* With every suspicious pair its reference. */
static void choose_pairs(struct retry *retry, const struct gate_result *result) {
    retry->pairs = json_object();
    for (size_t i = 0; i < result->row_count; i++) {
        const struct gate_row *row = &result->rows[i];
        if (!gate_row_suspicious(row))
            continue;
        add_pair(retry->pairs, row->environment, row->workload);
        add_pair(retry->pairs, result->reference, row->workload);
    }
}

/* Every parameter as it was, whatever the profile would choose by now. */
static void add_workloads(struct retry *retry, const json_t *record, const char *reference) {
    const json_t *wanted = json_object_get(retry->pairs, reference);
    unsigned count = 0;
    size_t index, at;
    json_t *work, *name;
    retry->options.overrides = json_object();
    json_array_foreach(json_object_get(record, "workloads"), index, work) {
        bool chosen = false;
        json_array_foreach(wanted, at, name) chosen |=
            strcmp(json_string_value(name), text_of(work, "name")) == 0;
        if (!chosen || count == WORKLOADS_MAX)
            continue;
        retry->options.workloads[count++] = text_of(work, "name");
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get(work, "parameters"), key, value) {
            cleanup_free char *full = text_format("%s.%s", text_of(work, "name"), key);
            if (full)
                json_object_set(retry->options.overrides, full, value);
        }
    }
}

/*
 * The environments that are to be measured, in the run's order. Of the same spec twice ("host#2")
 * the first must be there for the second to get its name; it measures nothing.
 */
static void add_environments(struct retry *retry, const json_t *record) {
    const json_t *list = json_object_get(record, "environments");
    unsigned count = 0;
    size_t index, at;
    json_t *entry, *other;
    json_array_foreach(list, index, entry) {
        bool needed = false;
        json_array_foreach(list, at, other) needed |=
            json_object_get(retry->pairs, text_of(other, "label")) &&
            strcmp(text_of(other, "spec"), text_of(entry, "spec")) == 0;
        if (needed && count < PLAN_MAX)
            retry->options.environments[count++] = text_of(entry, "spec");
    }
}

static void fill_options(struct retry *retry, const json_t *record, const char *folder,
                         bool quiet) {
    const json_t *asked = json_object_get(record, "asked");
    const json_t *plan = json_object_get(record, "plan");
    const json_t *envelope = json_object_get(json_object_get(record, "machine"), "envelope");
    struct run_options *options = &retry->options;
    options->profile = text_of(record, "profile");
    options->cpus = (unsigned)json_integer_value(json_object_get(envelope, "cpu_count"));
    options->memory_bytes = (uint64_t)json_integer_value(json_object_get(envelope, "memory_bytes"));
    options->data_folder = json_string_value(json_object_get(asked, "data"));
    options->kernel = json_string_value(json_object_get(asked, "kernel"));
    options->require_kvm = json_is_true(json_object_get(asked, "require_kvm"));
    options->request_timeout_ns =
        (uint64_t)json_integer_value(json_object_get(asked, "request_timeout_ns"));
    options->start_timeout_ns =
        (uint64_t)json_integer_value(json_object_get(asked, "start_timeout_ns"));
    options->blocks = (unsigned)json_integer_value(json_object_get(plan, "blocks"));
    options->max_blocks = (unsigned)json_integer_value(json_object_get(plan, "max_blocks"));
    options->precision = json_number_value(json_object_get(plan, "precision"));
    options->starts = (unsigned)json_integer_value(json_object_get(plan, "starts"));
    options->output_folder = folder;
    options->pairs = retry->pairs;
    options->quiet = quiet;
}

static int measure(struct run *run, const struct retry *retry, const json_t *record,
                   struct error **err) {
    if (run_prepare(&retry->options, NULL, interrupt_fd(), run, err) < 0)
        return -1;
    if (record_check_same(record, run->record, err) < 0) {
        /* Nothing was measured: a folder of it would count as a retry that never ended. */
        (void)file_remove_tree(run->folder, NULL);
        return error_wrap(err, "--retry measures here what the run measured");
    }
    return run_carry_out(run, err) < 0 ? -1 : manifest_write(run->folder, err);
}

int retry_measure(const struct gate_result *result, const json_t *record, const char *folder,
                  uint64_t wait_ns, bool quiet, struct error **err) {
    __attribute__((cleanup(retry_cleanup))) struct retry retry = {0};
    choose_pairs(&retry, result);
    retry.options.wait_ns = wait_ns;
    fill_options(&retry, record, folder, quiet);
    add_workloads(&retry, record, result->reference);
    add_environments(&retry, record);
    if (interrupt_install(err) < 0)
        return -1;
    struct run run = {0};
    int measured = measure(&run, &retry, record, err);
    run_clear(&run);
    return measured;
}
