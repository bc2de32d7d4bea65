// SPDX-License-Identifier: GPL-3.0-or-later
/* What run.json says of a run (docs/schema.md). */
#include "harness/run.h"

#include "config.h"
#include "harness/data_disk.h"
#include "harness/machine.h"
#include "results/json_list.h"
#include "results/run_record.h"

#include <string.h>

static json_t *environments_json(const struct run *run) {
    static const char *const readiness[] = {"ready", "degraded", "missing"};
    json_t *list = json_array();
    for (unsigned i = 0; i < run->environment_count; i++) {
        const struct environment *environment = run->environments[i];
        const struct probe_result *probed = &run->probes[i];
        char title[160];
        environment_title(environment, title, sizeof(title));
        list = json_list_append(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "label",
                            environment->label, "spec", environment->spec->text, "kind",
                            environment->ops->name, "accelerator", environment->accelerator,
                            "title", title, "image", environment->image, "probe", "readiness",
                            readiness[probed->readiness], "version", probed->version, "detail",
                            probed->detail, "advice", probed->advice));
    }
    return list;
}

/* A file or folder as it is called from everywhere: --resume may be said elsewhere. */
static json_t *path_json(const char *path) {
    cleanup_free char *absolute = path ? realpath(path, NULL) : NULL;
    return absolute ? json_string(absolute) : path ? json_string(path) : NULL;
}

/* What the user asked for, so that --resume can ask for the same again. */
static json_t *asked_json(const struct run_options *options) {
    json_t *environments = json_array(), *workloads = json_array();
    for (unsigned i = 0; options->environments[i]; i++)
        environments = json_list_append(environments, json_string(options->environments[i]));
    for (unsigned i = 0; options->workloads[i]; i++)
        workloads = json_list_append(workloads, json_string(options->workloads[i]));
    return json_pack("{s:o, s:o, s:O*, s:O*, s:i, s:I, s:o*, s:o*, s:b, s:I, s:I}", "environments",
                     environments, "workloads", workloads, "overrides", options->overrides, "pairs",
                     options->pairs, "cpus", (int)options->cpus, "memory_bytes",
                     (json_int_t)options->memory_bytes, "data", path_json(options->data_folder),
                     "kernel", path_json(options->kernel), "require_kvm", options->require_kvm,
                     "request_timeout_ns", (json_int_t)options->request_timeout_ns,
                     "start_timeout_ns", (json_int_t)options->start_timeout_ns);
}

static json_t *works_json(const struct run *run) {
    json_t *list = json_array();
    for (unsigned i = 0; i < run->works.count; i++)
        list = json_list_append(list, json_pack("{s:s, s:i, s:O}", "name",
                                                run->works.works[i].description->name, "version",
                                                (int)run->works.works[i].description->version,
                                                "parameters", run->works.works[i].parameters));
    return list;
}

int run_make_record(struct run *run, struct error **err) {
    const struct run_options *options = run->options;
    json_t *machine = NULL, *disk = NULL;
    if (machine_facts(&run->setup.envelope, &machine, err) < 0)
        return -1;
    if (data_disk_facts(run->data_folder, &disk, err) < 0) {
        json_decref(machine);
        return -1;
    }
    char now[21];
    clock_utc_text(now);
    run->record = json_pack(
        "{s:i, s:s, s:s, s:s, s:I, s:{s:i, s:i, s:f, s:I, s:i}, s:{s:s, s:s}, s:o, s:o, s:o, s:o, "
        "s:s, s:o}",
        "schema", 1, "boxmark", PACKAGE_VERSION, "created", now, "profile", run->profile->name,
        "seed", (json_int_t)run->seed, "plan", "blocks", (int)run->blocks, "max_blocks",
        (int)run->max_blocks, "precision", run->precision, "budget_ns",
        (json_int_t)options->budget_ns, "starts", (int)(options->starts ? options->starts : 1),
        "agent", "sha256", run->agent_sha256, "version", PACKAGE_VERSION, "asked",
        asked_json(options), "environments", environments_json(run), "workloads", works_json(run),
        "machine", machine, "data_folder", run->data_folder, "data_disk", disk);
    return run->record ? 0 : error_no_memory(err);
}

/* Why the run ended, for people; NULL while it runs. */
static const char *end_text(const struct run *run, const char *status) {
    static const char *const texts[] = {
        [RUN_END_BLOCKS] = "all blocks are done",
        [RUN_END_PRECISION] = "every headline interval is narrow enough",
        [RUN_END_BUDGET] = "the time budget is spent",
        [RUN_END_NOTHING_LEFT] = "no environment is left that works",
    };
    return strcmp(status, "finished") == 0 ? texts[run->end] : NULL;
}

int run_save(struct run *run, const char *status, struct error **err) {
    const char *ended_by = end_text(run, status);
    if (json_object_set_new(run->record, "status", json_string(status)) < 0 ||
        json_object_set_new(run->record, "problems", json_integer(run->problems)) < 0 ||
        (ended_by && json_object_set_new(run->record, "ended_by", json_string(ended_by)) < 0))
        return error_no_memory(err);
    return run_record_save(run->folder, run->record, err);
}
