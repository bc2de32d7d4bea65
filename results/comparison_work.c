// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Did all runs do the same work? The same parameters, the same answers (a digest depends on the
 * corpus and on what the workload does with it), the same metrics, ratios to the same environment.
 */
#include "common/file.h"
#include "results/comparison.h"

#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Parameters of a workload; NULL where the run did not have it. */
static const json_t *parameters_of(const struct compared_run *run, const char *workload) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(run->record, "workloads"), index, entry) {
        if (strcmp(text_of(entry, "name"), workload) == 0)
            return json_object_get(entry, "parameters");
    }
    return NULL;
}

/* The answer of a workload, as the journal says it; NULL where there is none. */
static const char *digest_of(const struct compared_run *run, const char *workload) {
    size_t index;
    json_t *entry;
    json_array_foreach((json_t *)run->journal, index, entry) {
        if (strcmp(text_of(entry, "type"), "request") == 0 &&
            strcmp(text_of(entry, "workload"), workload) == 0 && *text_of(entry, "digest"))
            return text_of(entry, "digest");
    }
    return NULL;
}

static int advise_selection(const char *workload, struct error **err) {
    return error_advise(err,
                        "measure %s again with the same sizes (--set, --cpus), or leave it out: "
                        "choose the others with -w",
                        workload);
}

/* The first parameter that differs. */
static int compare_parameters(const struct compared_run *first, const struct compared_run *other,
                              const char *workload, struct error **err) {
    const json_t *before = parameters_of(first, workload), *after = parameters_of(other, workload);
    const json_t *sides[] = {before, after};
    if (!before || !after)
        return 0;
    for (unsigned side = 0; side < 2; side++) {
        const char *name;
        json_t *value;
        json_object_foreach((json_t *)sides[side], name, value) {
            json_t *one = json_object_get(before, name), *two = json_object_get(after, name);
            if (one && two && json_equal(one, two))
                continue;
            cleanup_free char *had = one ? json_dumps(one, JSON_ENCODE_ANY) : strdup("none");
            cleanup_free char *has = two ? json_dumps(two, JSON_ENCODE_ANY) : strdup("none");
            error_set(err, ERROR_UNTRUSTWORTHY, 0,
                      "%s is not the same work: its %s is %s in %s and %s in %s", workload, name,
                      had ? had : "", first->name, has ? has : "", other->name);
            return advise_selection(workload, err);
        }
    }
    return 0;
}

static int compare_digests(const struct compared_run *first, const struct compared_run *other,
                           const char *workload, struct error **err) {
    const char *before = digest_of(first, workload), *after = digest_of(other, workload);
    if (!before || !after || strcmp(before, after) == 0)
        return 0;
    error_set(
        err, ERROR_UNTRUSTWORTHY, 0,
        "%s is not the same work: with the same parameters its answer is %.40s in %s (boxmark "
        "%s) and %.40s in %s (boxmark %s)",
        workload, before, first->name, text_of(first->record, "boxmark"), after, other->name,
        text_of(other->record, "boxmark"));
    return advise_selection(workload, err);
}

/* A metric whose unit or direction changed between versions. */
static int compare_metrics(const struct compared_run *first, const struct compared_run *other,
                           const char *const *workloads, struct error **err) {
    for (unsigned i = 0; i < first->summary->metric_count; i++) {
        const struct summary_metric *one = &first->summary->metrics[i];
        const struct summary_metric *two = summary_find(other->summary, one->workload, one->metric);
        if (!two || !comparison_has_workload(workloads, one->workload) ||
            (strcmp(one->unit, two->unit) == 0 && strcmp(one->better, two->better) == 0))
            continue;
        error_set(err, ERROR_UNTRUSTWORTHY, 0,
                  "%s %s is not the same metric: \"%s\", %s is better, in %s; \"%s\", %s, in %s",
                  one->workload, one->metric, one->unit, one->better, first->name, two->unit,
                  two->better, other->name);
        return advise_selection(one->workload, err);
    }
    return 0;
}

static int compare_pair(const struct compared_run *first, const struct compared_run *other,
                        const char *const *workloads, struct error **err) {
    if (strcmp(first->summary->options.reference, other->summary->options.reference) != 0) {
        error_set(err, ERROR_UNTRUSTWORTHY, 0,
                  "ratios are to \"%s\" in %s and to \"%s\" in %s: they do not compare",
                  first->summary->options.reference, first->name, other->summary->options.reference,
                  other->name);
        return error_advise(err, "compare runs that all have the host among their environments");
    }
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(first->record, "workloads"), index, entry) {
        const char *workload = text_of(entry, "name");
        if (comparison_has_workload(workloads, workload) &&
            (compare_parameters(first, other, workload, err) < 0 ||
             compare_digests(first, other, workload, err) < 0))
            return -1;
    }
    return compare_metrics(first, other, workloads, err);
}

int comparison_check_work(const struct compared_run *runs, unsigned count,
                          const char *const *workloads, struct error **err) {
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = i + 1; j < count; j++)
            if (compare_pair(&runs[i], &runs[j], workloads, err) < 0)
                return -1;
    return 0;
}
