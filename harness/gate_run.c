// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/gate_run.h"

#include "common/file.h"
#include "harness/integrity.h"
#include "harness/run_view.h"

#include <string.h>
#include <sys/stat.h>

/*
 * The journal says how long samples.csv was when its last entry was written: another length means
 * that somebody has changed the file.
 */
static int check_length(const struct run_view *view, struct error **err) {
    cleanup_free char *path = text_format("%s/samples.csv", view->folder);
    struct stat status;
    if (!path)
        return error_no_memory(err);
    if (stat(path, &status) < 0)
        return error_set(err, ERROR_USAGE, errno, "cannot look at %s", path);
    for (size_t i = json_array_size(view->journal); i-- > 0;) {
        const json_t *bytes = json_object_get(json_array_get(view->journal, i), "samples_bytes");
        if (!bytes)
            continue;
        if (json_integer_value(bytes) == (json_int_t)status.st_size)
            return 0;
        error_set(err, ERROR_USAGE, 0,
                  "%s was changed after the run: it holds %lld bytes, and %lld were written", path,
                  (long long)status.st_size, json_integer_value(bytes));
        return error_advise(err, "a run is compared as it was measured, or not at all");
    }
    return error_set(err, ERROR_USAGE, 0, "%s has no journal that tells of samples", view->folder);
}

/* Files as they were written, and values that follow from them. */
static int check_integrity(const struct run_view *view, struct error **err) {
    cleanup_free char *problem = NULL;
    if (integrity_examine(view->folder, NULL, &problem, err) < 0 ||
        (!problem && integrity_examine_values(view, &problem, err) < 0))
        return -1;
    if (!problem)
        return 0;
    error_set(err, ERROR_USAGE, 0, "%s: %s", view->folder, problem);
    return error_advise(err,
                        "a run is compared as it was measured, or not at all; `boxmark verify` "
                        "shows all that differs");
}

int gate_run_add(struct baseline *baseline, const char *folder, bool full, bool as_blocks,
                 json_t **ret_record, struct error **err) {
    cleanup_run_view struct run_view view = {0};
    if (run_view_open(folder, &view, err) < 0)
        return -1;
    char sha256[65];
    cleanup_free char *samples = text_format("%s/samples.csv", view.folder);
    if (!samples)
        return error_no_memory(err);
    if (file_sha256(samples, sha256, err) < 0)
        return -1;
    struct baseline_source source = {.name = folder,
                                     .record = view.record,
                                     .journal = view.journal,
                                     .summary = view.summary,
                                     .samples_sha256 = sha256};
    /* Of a run that is not finished, that is said first: it has no manifest yet. */
    const char *status = json_string_value(json_object_get(view.record, "status"));
    bool finished = strcmp(status, "finished") == 0;
    if ((finished && (check_length(&view, err) < 0 || check_integrity(&view, err) < 0)) ||
        baseline_add(baseline, &source, full, as_blocks, err) < 0)
        return -1;
    if (ret_record)
        *ret_record = json_incref(view.record);
    return 0;
}

char *gate_retry_folder(const char *folder, unsigned number) {
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    return text_format("%.*s.retry-%u", (int)length, folder, number);
}

int gate_retries_add(struct baseline *baseline, const char *folder, unsigned *ret_count,
                     struct error **err) {
    for (*ret_count = 0;; ++*ret_count) {
        cleanup_free char *retry = gate_retry_folder(folder, *ret_count + 1);
        if (!retry)
            return error_no_memory(err);
        if (!file_exists(retry))
            return 0;
        if (gate_run_add(baseline, retry, true, true, NULL, err) < 0)
            return -1;
    }
}
