// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The summary for programs (docs/schema.md), with the audit and run.json beside it. Everything that
 * is not ASCII is escaped, so that showing the file on a terminal is harmless.
 */
#include "common/text.h"
#include "plots/compare.h"
#include "plots/counters.h"
#include "plots/footprint.h"
#include "plots/writers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* jansson takes UTF-8 only; a name that is not is cleaned, every other stays as it is. */
static char *valid_copy(const char *text) {
    json_t *probe = json_string(text);
    json_decref(probe);
    return probe ? strdup(text) : text_clean(text);
}

struct copy {
    struct summary summary;
    char **texts; /* everything that was copied */
    size_t count;
};

static void copy_cleanup(struct copy *copy) {
    for (size_t i = 0; i < copy->count; i++)
        free(copy->texts[i]);
    free(copy->texts);
    for (unsigned i = 0; copy->summary.metrics && i < copy->summary.metric_count; i++)
        free(copy->summary.metrics[i].cells);
    free(copy->summary.metrics);
    free(copy->summary.environments);
}

static char *keep(struct copy *copy, const char *text, bool *failed) {
    char *own = valid_copy(text);
    if (!own)
        *failed = true;
    else
        copy->texts[copy->count++] = own;
    return own;
}

/* The summary with names that JSON can hold; figures are shared with the original. */
static int copy_summary(const struct summary *from, struct copy *copy, struct error **err) {
    copy->summary = *from;
    copy->summary.environments = calloc(from->environment_count + 1, sizeof(*from->environments));
    copy->summary.metrics = calloc(from->metric_count + 1, sizeof(*from->metrics));
    copy->texts = calloc((size_t)from->environment_count * 3 +
                             (size_t)from->metric_count * (4 + from->environment_count) + 1,
                         sizeof(*copy->texts));
    if (!copy->summary.environments || !copy->summary.metrics || !copy->texts)
        return error_no_memory(err);
    bool failed = false;
    for (unsigned i = 0; i < from->environment_count; i++) {
        struct summary_environment *to = &copy->summary.environments[i];
        to->label = keep(copy, from->environments[i].label, &failed);
        to->accelerator = keep(copy, from->environments[i].accelerator, &failed);
        to->title = keep(copy, from->environments[i].title, &failed);
    }
    for (unsigned i = 0; i < from->metric_count; i++) {
        struct summary_metric *to = &copy->summary.metrics[i];
        to->headline = from->metrics[i].headline;
        to->workload = keep(copy, from->metrics[i].workload, &failed);
        to->metric = keep(copy, from->metrics[i].metric, &failed);
        to->unit = keep(copy, from->metrics[i].unit, &failed);
        to->better = keep(copy, from->metrics[i].better, &failed);
        to->cells = calloc(from->environment_count + 1, sizeof(*to->cells));
        if (!to->cells)
            return error_no_memory(err);
        for (unsigned j = 0; j < from->environment_count; j++) {
            to->cells[j] = from->metrics[i].cells[j];
            if (to->cells[j].reason)
                to->cells[j].reason = keep(copy, to->cells[j].reason, &failed);
        }
    }
    return failed ? error_no_memory(err) : 0;
}

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* A text that may not be valid UTF-8. */
static json_t *text(const char *from) {
    cleanup_free char *valid = valid_copy(from);
    return valid ? json_string(valid) : NULL;
}

static json_t *claims_to_json(const struct report *report) {
    json_t *list = json_array();
    for (size_t i = 0; i < report->claims->count; i++) {
        const struct claim *claim = &report->claims->claims[i];
        const struct reference_row *row = claim->row;
        json_t *own = claim->environment >= 0
                          ? text(report->summary->environments[claim->environment].label)
                          : json_null();
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:[o,o], s:o, s:[o,o], s:s, s:o}",
                            "source", text(row->source), "workload", text(row->workload), "metric",
                            text(row->metric), "variant", text(row->variant), "environment",
                            text(row->environment), "compared_with", own, "published",
                            number(claim->ratio), "published_interval", number(claim->ratio_low),
                            number(claim->ratio_high), "own", number(claim->own), "own_interval",
                            number(claim->own_low), number(claim->own_high), "outcome",
                            claim_outcome_name(claim->outcome), "why", text(claim->why)));
    }
    return list;
}

static void json_cleanup(json_t **json) {
    json_decref(*json);
}

static int write_json(const struct report *report, FILE *to, struct error **err) {
    __attribute__((cleanup(copy_cleanup))) struct copy copy = {0};
    __attribute__((cleanup(json_cleanup))) json_t *json = NULL;
    if (copy_summary(report->summary, &copy, err) < 0 ||
        summary_to_json(&copy.summary, &json, err) < 0)
        return -1;
    if ((report->audit && json_object_set(json, "audit", (json_t *)report->audit) < 0) ||
        (report->run && json_object_set(json, "run", (json_t *)report->run) < 0))
        return error_no_memory(err);
    json_auto_t *footprint = NULL, *counters = NULL;
    if (footprint_to_json(report, &footprint, err) < 0 ||
        counters_to_json(report, &counters, err) < 0)
        return -1;
    if (json_object_set(json, "footprint", footprint) < 0 ||
        json_object_set(json, "counters", counters) < 0)
        return error_no_memory(err);
    if (report->claims && json_object_set_new(json, "references", claims_to_json(report)) < 0)
        return error_no_memory(err);
    if (json_dumpf(json, to, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot write the JSON");
    putc('\n', to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the JSON") : 0;
}

const struct report_writer writer_json = {
    .name = "json",
    .extension = "json",
    .summary = "summary, audit and run for programs",
    .write = write_json,
    .compare = compare_json,
};
