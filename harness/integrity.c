// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/integrity.h"

#include "common/file.h"
#include "common/text.h"
#include "results/manifest.h"

#include <math.h>
#include <string.h>

/* What figures come from: must be in every manifest. */
static const char *const needed[] = {"run.json", "journal.jsonl", "samples.csv", "summary.json",
                                     NULL};

static bool is_among(const char *const names[], const char *path) {
    for (unsigned i = 0; names[i]; i++)
        if (strcmp(names[i], path) == 0)
            return true;
    return false;
}

struct problems {
    char *first;
    size_t count;
};

static int add_problem(struct problems *problems, char *text, struct error **err) {
    cleanup_free char *own = text;
    if (!own)
        return error_no_memory(err);
    if (problems->count++ == 0)
        problems->first = TAKE_PTR(own);
    return 0;
}

static int on_difference(enum manifest_difference difference, const char *path, void *cookie,
                         struct error **err) {
    switch (difference) {
    case MANIFEST_CHANGED:
        return add_problem(cookie, text_format("%s was changed after the run", path), err);
    case MANIFEST_MISSING:
        return add_problem(cookie, text_format("%s was removed after the run", path), err);
    case MANIFEST_ADDITIONAL:
        break;
    }
    return is_among(needed, path)
               ? add_problem(cookie, text_format("%s is not in " MANIFEST_NAME, path), err)
               : 0;
}

static const struct manifest_entry *find(const struct manifest *manifest, const char *path) {
    for (size_t i = 0; i < manifest->count; i++)
        if (strcmp(manifest->entries[i].path, path) == 0)
            return &manifest->entries[i];
    return NULL;
}

static int examine_named(const struct manifest *was, const char *folder, const char *name,
                         struct problems *problems, struct error **err) {
    const struct manifest_entry *entry = find(was, name);
    cleanup_free char *path = text_format("%s/%s", folder, name);
    char sha256[65];
    if (!path)
        return error_no_memory(err);
    if (!file_exists(path))
        return entry ? on_difference(MANIFEST_MISSING, name, problems, err) : 0;
    if (!entry)
        return on_difference(MANIFEST_ADDITIONAL, name, problems, err);
    if (file_sha256(path, sha256, err) < 0)
        return -1;
    return strcmp(sha256, entry->sha256) == 0
               ? 0
               : on_difference(MANIFEST_CHANGED, name, problems, err);
}

static int examine(const struct manifest *was, const char *folder, const char *const names[],
                   struct problems *problems, struct error **err) {
    cleanup_manifest struct manifest is = {0};
    for (unsigned i = 0; names && names[i]; i++)
        if (examine_named(was, folder, names[i], problems, err) < 0)
            return -1;
    if (names)
        return 0;
    return manifest_make(folder, &is, err) < 0
               ? -1
               : manifest_compare(was, &is, on_difference, problems, err);
}

int integrity_examine(const char *folder, const char *const names[], char **ret_problem,
                      struct error **err) {
    cleanup_free char *path = text_format("%s/" MANIFEST_NAME, folder);
    cleanup_free char *text = NULL;
    cleanup_manifest struct manifest was = {0};
    struct error *failure = NULL;
    struct problems problems = {0};
    *ret_problem = NULL;
    if (!path)
        return error_no_memory(err);
    int result = 0;
    if (!file_exists(path))
        result = add_problem(&problems,
                             text_format("it has no " MANIFEST_NAME ": nothing says that its files "
                                         "are as they were written"),
                             err);
    else if (file_read(path, &text, NULL, err) < 0)
        result = -1;
    else if (manifest_parse(text, MANIFEST_NAME, &was, &failure) < 0)
        result = failure->kind == ERROR_USAGE
                     ? add_problem(&problems, strdup(error_message(failure)), err)
                     : error_move(err, TAKE_PTR(failure));
    else
        result = examine(&was, folder, names, &problems, err);
    error_free(failure);
    cleanup_free char *first = problems.first;
    if (result < 0 || problems.count == 0)
        return result;
    cleanup_free char *all = problems.count > 1
                                 ? text_format("%s (and %zu more)", first, problems.count - 1)
                                 : strdup(first);
    *ret_problem = all ? text_clean(all) : NULL; /* names of files are in it */
    return *ret_problem ? 0 : error_no_memory(err);
}

/* ---- Values -----------------------------------------------------------------------------------
 */

/* Of the same arithmetic by another C library or processor. */
#define SAME_VALUE 1e-9

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* The values of one metric and environment in summary.json; NULL: it has none. */
static const json_t *stored_values(const json_t *stored, const struct summary_metric *metric,
                                   const char *environment) {
    size_t m, c;
    const json_t *entry, *cell;
    json_array_foreach(json_object_get(stored, "metrics"), m, entry) {
        if (strcmp(text_of(entry, "workload"), metric->workload) != 0 ||
            strcmp(text_of(entry, "metric"), metric->metric) != 0)
            continue;
        json_array_foreach(json_object_get(entry, "cells"), c,
                           cell) if (strcmp(text_of(cell, "environment"), environment) ==
                                     0) return json_object_get(cell, "values");
    }
    return NULL;
}

static bool same_values(const json_t *stored, const struct summary_cell *cell) {
    if (json_array_size(stored) != cell->blocks)
        return false;
    for (unsigned i = 0; i < cell->blocks; i++) {
        double was = json_number_value(json_array_get(stored, i)), is = cell->values[i];
        if (!(fabs(was - is) <= SAME_VALUE * fmax(fabs(was), fabs(is))))
            return false;
    }
    return true;
}

static char *compare_values(const json_t *stored, const struct summary *summary) {
    for (unsigned m = 0; m < summary->metric_count; m++)
        for (unsigned e = 0; e < summary->environment_count; e++) {
            const struct summary_metric *metric = &summary->metrics[m];
            const char *environment = summary->environments[e].label;
            if (!same_values(stored_values(stored, metric, environment), &metric->cells[e]))
                return text_format("samples.csv gives other values of %s/%s in %s than "
                                   "summary.json has",
                                   metric->workload, metric->metric, environment);
        }
    return NULL;
}

int integrity_examine_values(const struct run_view *view, char **ret_problem, struct error **err) {
    json_auto_t *stored = NULL;
    cleanup_error struct error *failure = NULL;
    *ret_problem = NULL;
    if (run_view_stored_summary(view->folder, &stored, &failure) < 0) {
        if (failure->kind != ERROR_USAGE)
            return error_move(err, TAKE_PTR(failure));
        *ret_problem = strdup(error_message(failure));
        return *ret_problem ? 0 : error_no_memory(err);
    }
    if (stored) /* the manifest tells, when it should be there */
        *ret_problem = compare_values(stored, view->summary);
    return 0;
}

int integrity_note(struct run_view *view, struct error **err) {
    const char *status = json_string_value(json_object_get(view->record, "status"));
    if (!status || strcmp(status, "finished") != 0)
        return 0;
    free(view->files_problem);
    view->files_problem = NULL;
    cleanup_error struct error *failure = NULL;
    if (integrity_examine(view->folder, NULL, &view->files_problem, &failure) < 0 ||
        (!view->files_problem &&
         integrity_examine_values(view, &view->files_problem, &failure) < 0)) {
        /* A file that others may not read keeps nobody from the report. */
        view->files_problem = strdup(error_message(failure));
        if (!view->files_problem)
            return error_no_memory(err);
    }
    if (view->files_problem)
        fprintf(stderr,
                "boxmark: warning: the files of %s are not known to be as they were written: %s\n",
                view->folder, view->files_problem);
    return 0;
}
