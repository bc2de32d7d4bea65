// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/run_view.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "harness/headlines.h"
#include "harness/journal.h"
#include "harness/plan.h"
#include "harness/profile.h"
#include "harness/progress.h"
#include "plots/counters.h"
#include "plots/footprint.h"
#include "results/run_record.h"

#include <langinfo.h>
#include <string.h>

/* Ratios refer to the host; without one, to the first environment of the run. */
static const char *reference_of(const json_t *record) {
    const json_t *environments = json_object_get(record, "environments");
    size_t index;
    json_t *entry;
    json_array_foreach(environments, index, entry) {
        const char *label = json_string_value(json_object_get(entry, "label"));
        if (label && strcmp(label, summary_defaults.reference) == 0)
            return label;
    }
    const char *first =
        json_string_value(json_object_get(json_array_get(environments, 0), "label"));
    return first ? first : summary_defaults.reference;
}

/* The reference first, then environments as the user named them; workloads as the catalog does: the
 * plan's order is random.
 */
static int put_in_order(struct run_view *view, struct error **err) {
    const char *environments[PLAN_MAX + 1] = {NULL};
    const char *workloads[WORKLOADS_MAX + 1] = {NULL};
    unsigned count = 0;
    size_t index;
    json_t *entry;
    environments[count++] = reference_of(view->record);
    json_array_foreach(json_object_get(view->record, "environments"), index, entry) {
        const char *label = json_string_value(json_object_get(entry, "label"));
        if (label && strcmp(label, environments[0]) != 0 && count < PLAN_MAX)
            environments[count++] = label;
    }
    for (unsigned i = 0; workload_catalog[i] && i < WORKLOADS_MAX; i++)
        workloads[i] = workload_catalog[i]->name;
    return summary_reorder(view->summary, environments, workloads, err);
}

static int load_samples(struct run_view *view, struct error **err) {
    cleanup_free char *samples = text_format("%s/samples.csv", view->folder);
    if (!samples)
        return error_no_memory(err);
    struct summary_options options = summary_defaults;
    options.is_headline = catalog_is_headline;
    options.reference = reference_of(view->record);
    if (summary_build(samples, &options, &view->summary, err) < 0)
        return -1;
    return put_in_order(view, err);
}

/* The audit is made anew from the facts, so that its rules may get better after the run. */
static int load_audit(struct run_view *view, struct error **err) {
    cleanup_free char *journal = text_format("%s/journal.jsonl", view->folder);
    if (!journal)
        return error_no_memory(err);
    if (file_exists(journal) && journal_read(journal, &view->journal, err) < 0)
        return -1;
    if (audit_examine(view->record, view->journal, &view->audit, err) < 0)
        return -1;
    audit_apply(view->audit, view->summary);
    return audit_to_json(view->audit, &view->audit_json, err);
}

int run_view_open(const char *folder, struct run_view *ret_view, struct error **err) {
    cleanup_run_view struct run_view view = {.folder = realpath(folder, NULL)};
    if (!view.folder) {
        error_set(err, ERROR_USAGE, errno, "cannot open the run %s", folder);
        return error_advise(err, "`boxmark list runs` shows the runs of this folder");
    }
    cleanup_free char *record = text_format("%s/run.json", view.folder);
    if (!record)
        return error_no_memory(err);
    if (!file_exists(record)) {
        error_set(err, ERROR_USAGE, 0, "%s is not a run folder: it has no run.json", view.folder);
        return error_advise(err, "`boxmark list runs` shows the runs of this folder");
    }
    if (run_record_load(view.folder, &view.record, err) < 0 || load_samples(&view, err) < 0 ||
        load_audit(&view, err) < 0)
        return -1;
    *ret_view = view;
    view = (struct run_view){0};
    return 0;
}

void run_view_clear(struct run_view *view) {
    free(view->folder);
    free(view->files_problem);
    json_decref(view->record);
    json_decref(view->journal);
    audit_free(view->audit);
    json_decref(view->audit_json);
    summary_free(view->summary);
    *view = (struct run_view){0};
}

int run_view_stored_summary(const char *folder, json_t **ret_json, struct error **err) {
    cleanup_free char *path = text_format("%s/summary.json", folder);
    cleanup_free char *text = NULL;
    size_t size;
    if (!path)
        return error_no_memory(err);
    *ret_json = NULL;
    if (!file_exists(path))
        return 0;
    if (file_read(path, &text, &size, err) < 0)
        return -1;
    json_error_t problem;
    *ret_json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    return *ret_json ? 0
                     : error_set(err, ERROR_USAGE, 0, "summary.json:%d:%d: %s", problem.line,
                                 problem.column, problem.text);
}

int run_view_summary(const struct run_view *view, json_t **ret_json, struct error **err) {
    json_auto_t *json = NULL, *footprint = NULL, *counters = NULL;
    struct report report;
    run_view_report(view, &report);
    if (summary_to_json(view->summary, &json, err) < 0 ||
        footprint_to_json(&report, &footprint, err) < 0 ||
        counters_to_json(&report, &counters, err) < 0)
        return -1;
    json_object_set(json, "audit", view->audit_json);
    json_object_set(json, "footprint", footprint);
    json_object_set(json, "counters", counters);
    *ret_json = json_incref(json);
    return 0;
}

void run_view_report(const struct run_view *view, struct report *ret_report) {
    *ret_report = (struct report){
        .run_folder = view->folder,
        .run = view->record,
        .summary = view->summary,
        .audit = view->audit_json,
        .journal = view->journal,
        .files_problem = view->files_problem,
        .columns = terminal_columns(STDOUT_FILENO),
        .color = terminal_color(STDOUT_FILENO),
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
    };
}
