// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/verification.h"

#include "common/file.h"
#include "common/text.h"
#include "harness/run_view.h"
#include "results/manifest.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Of the same arithmetic by another C library or processor. */
#define SAME_FIGURE 1e-9

void verification_clear(struct verification *verification) {
    for (size_t i = 0; i < verification->problem_count; i++)
        free(verification->problems[i]);
    free(verification->problems);
    free(verification->manifest);
    *verification = (struct verification){0};
}

int verification_add(struct verification *verification, struct error **err, const char *format,
                     ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    /* File names and labels are quoted in it. */
    char *clean = text ? text_clean(text) : NULL;
    free(text);
    char **larger = clean ? reallocarray(verification->problems, verification->problem_count + 1,
                                         sizeof(*larger))
                          : NULL;
    if (!larger) {
        free(clean);
        return error_no_memory(err);
    }
    verification->problems = larger;
    larger[verification->problem_count++] = clean;
    return 0;
}

/* An error in what the run holds is a problem of the run. */
static int add_failure(struct verification *verification, struct error *failure,
                       struct error **err) {
    if (failure->kind != ERROR_USAGE)
        return error_move(err, failure);
    int result = verification_add(verification, err, "%s", error_message(failure));
    error_free(failure);
    return result;
}

static int on_difference(enum manifest_difference difference, const char *path, void *cookie,
                         struct error **err) {
    static const char *const words[] = {
        [MANIFEST_CHANGED] = "is not what it was when the run ended",
        [MANIFEST_MISSING] = "is missing",
        [MANIFEST_ADDITIONAL] = "was not there when the run ended",
    };
    return verification_add(cookie, err, "%s: %s", path, words[difference]);
}

static int check_files(const char *folder, struct verification *verification, struct error **err) {
    struct error *failure = NULL;
    cleanup_manifest struct manifest was = {0}, is = {0};
    cleanup_free char *path = text_format("%s/" MANIFEST_NAME, folder);
    size_t size = 0;
    if (!path)
        return error_no_memory(err);
    if (!file_exists(path))
        return verification_add(verification, err,
                                MANIFEST_NAME ": is missing: nothing says what the files were");
    if (file_read(path, &verification->manifest, &size, err) < 0)
        return -1;
    if (strlen(verification->manifest) != size)
        return verification_add(verification, err, MANIFEST_NAME ": holds a zero byte");
    if (manifest_parse(verification->manifest, MANIFEST_NAME, &was, &failure) < 0)
        return add_failure(verification, failure, err);
    verification->file_count = was.count;
    if (manifest_make(folder, &is, err) < 0)
        return -1;
    return manifest_compare(&was, &is, on_difference, verification, err);
}

/* The first place where two summaries differ. */
struct difference {
    char *path; /* "metrics[3].cells[1].median" */
    char *was, *is;
    size_t figures; /* numbers that were equal before it */
    bool found;
};

static void difference_cleanup(struct difference *difference) {
    free(difference->path);
    free(difference->was);
    free(difference->is);
}

static char *value_text(const json_t *value) {
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    if (text && strlen(text) > 80)
        strcpy(text + 77, "...");
    return text;
}

static bool same_number(double was, double is) {
    return was == is || fabs(was - is) <= SAME_FIGURE * fmax(fabs(was), fabs(is));
}

static void compare(const json_t *was, const json_t *is, const char *path,
                    struct difference *difference);

static void compare_objects(const json_t *was, const json_t *is, const char *path,
                            struct difference *difference) {
    const char *key;
    json_t *value;
    /* Iteration takes a non-constant object but does not change it. */
    json_object_foreach((json_t *)(uintptr_t)is, key, value) {
        cleanup_free char *below = text_format("%s%s%s", path, *path ? "." : "", key);
        compare(json_object_get(was, key), value, below ? below : "", difference);
    }
    json_object_foreach((json_t *)(uintptr_t)was, key, value) {
        cleanup_free char *below = text_format("%s%s%s", path, *path ? "." : "", key);
        if (!json_object_get(is, key))
            compare(value, NULL, below ? below : "", difference);
    }
}

static void compare(const json_t *was, const json_t *is, const char *path,
                    struct difference *difference) {
    if (difference->found)
        return;
    bool same;
    if (json_is_object(was) && json_is_object(is)) {
        compare_objects(was, is, path, difference);
        return;
    }
    if (json_is_array(was) && json_is_array(is) && json_array_size(was) == json_array_size(is)) {
        for (size_t i = 0; i < json_array_size(is); i++) {
            cleanup_free char *below = text_format("%s[%zu]", path, i);
            compare(json_array_get(was, i), json_array_get(is, i), below ? below : "", difference);
        }
        return;
    }
    if (json_is_number(was) && json_is_number(is)) {
        same = same_number(json_number_value(was), json_number_value(is));
        difference->figures += same;
    } else {
        same = was && is && json_equal(was, is);
    }
    if (!same) {
        difference->found = true;
        difference->path = strdup(path);
        difference->was = value_text(was);
        difference->is = value_text(is);
    }
}

static int check_summary(const struct run_view *view, struct verification *verification,
                         struct error **err) {
    json_auto_t *was = NULL, *is = NULL;
    struct error *failure = NULL;
    if (run_view_stored_summary(view->folder, &was, &failure) < 0)
        return add_failure(verification, failure, err);
    if (!was)
        return verification_add(verification, err,
                                "summary.json: is missing: there is nothing to compare");
    if (run_view_summary(view, &is, err) < 0)
        return -1;
    __attribute__((cleanup(difference_cleanup))) struct difference difference = {0};
    compare(was, is, "", &difference);
    verification->figure_count = difference.figures;
    if (!difference.found)
        return 0;
    return verification_add(verification, err, "summary.json: %s is %s; computed again it is %s",
                            difference.path ? difference.path : "?",
                            difference.was ? difference.was : "absent",
                            difference.is ? difference.is : "absent");
}

static int check_figures(const char *folder, struct verification *verification,
                         struct error **err) {
    struct error *failure = NULL;
    cleanup_run_view struct run_view view = {0};
    if (run_view_open(folder, &view, &failure) < 0)
        return add_failure(verification, failure, err);
    const char *status = json_string_value(json_object_get(view.record, "status"));
    if (strcmp(status, "finished") != 0 &&
        verification_add(verification, err,
                         "run.json: the run is not finished (\"%s\"): `boxmark run --resume`",
                         status) < 0)
        return -1;
    return check_summary(&view, verification, err);
}

int verification_make(const char *folder, struct verification *ret_verification,
                      struct error **err) {
    cleanup_verification struct verification verification = {0};
    cleanup_free char *record = text_format("%s/run.json", folder);
    cleanup_free char *manifest = text_format("%s/" MANIFEST_NAME, folder);
    if (!record || !manifest)
        return error_no_memory(err);
    if (!file_exists(record) && !file_exists(manifest)) {
        error_set(err, ERROR_USAGE, 0, "%s is not a run folder: it has no run.json", folder);
        return error_advise(err, "`boxmark list runs` shows the runs of this folder");
    }
    if (check_files(folder, &verification, err) < 0 ||
        check_figures(folder, &verification, err) < 0)
        return -1;
    *ret_verification = verification;
    verification = (struct verification){0};
    return 0;
}
