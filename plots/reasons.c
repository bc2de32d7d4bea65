// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/reasons.h"

#include "common/file.h"
#include "plots/format.h"

#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* "cannot be started: it exited with status 1": the first failure that was recorded. */
static char *first_failure(const struct report *report, const char *environment) {
    size_t index;
    json_t *entry;
    json_array_foreach(report->journal, index, entry) {
        if (strcmp(text_of(entry, "type"), "failure") == 0 &&
            strcmp(text_of(entry, "environment"), environment) == 0)
            return text_format("%s: %s", text_of(entry, "what"), text_of(entry, "message"));
    }
    return strdup("no failure was recorded");
}

static bool measured(const struct report *report, int environment, const char *workload) {
    const struct summary *summary = report->summary;
    for (unsigned i = 0; environment >= 0 && i < summary->metric_count; i++)
        if ((!workload || strcmp(summary->metrics[i].workload, workload) == 0) &&
            summary->metrics[i].cells[environment].blocks > 0)
            return true;
    return false;
}

/* The workloads that others measured and this environment did not: "zip, disk"; "" for none. */
static char *lacking(const struct report *report, int environment) {
    const struct summary *summary = report->summary;
    char *names = strdup("");
    for (unsigned i = 0; names && i < summary->metric_count; i++) {
        const char *workload = summary->metrics[i].workload;
        bool known = i > 0 && strcmp(summary->metrics[i - 1].workload, workload) == 0;
        if (known || measured(report, environment, workload))
            continue;
        char *longer = text_format("%s%s%s", names, *names ? ", " : "", workload);
        free(names);
        names = longer;
    }
    return names;
}

static int add_missing(const struct report *report, const char *label, struct text_list *list,
                       struct error **err) {
    const struct summary *summary = report->summary;
    int at = -1;
    for (unsigned i = 0; i < summary->environment_count; i++)
        if (strcmp(summary->environments[i].label, label) == 0)
            at = (int)i;
    bool nothing = !measured(report, at, NULL);
    cleanup_free char *names = nothing ? strdup("nothing") : lacking(report, at);
    cleanup_free char *reason = first_failure(report, label);
    if (!names || !reason)
        return error_no_memory(err);
    if (!*names)
        return 0;
    return text_list_add(list,
                         nothing ? text_format("%s measured nothing: %s.", label, reason)
                                 : text_format("%s did not measure %s: %s.", label, names, reason),
                         err);
}

int reasons_missing(const struct report *report, struct text_list *list, struct error **err) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(report->run, "environments"), index, entry) {
        const char *label = text_of(entry, "label");
        if (*label && add_missing(report, label, list, err) < 0)
            return -1;
    }
    return 0;
}

int reasons_failing(const struct report *report, struct text_list *list, struct error **err) {
    size_t index;
    json_t *item;
    json_array_foreach(report->audit, index, item) {
        if (strcmp(text_of(item, "state"), "failing") != 0)
            continue;
        const char *environment = text_of(item, "environment");
        /* As audit_apply words it, where it touches a cell. */
        cleanup_free char *words =
            text_format("%s: %s", text_of(item, "name"), text_of(item, "evidence"));
        if (!words)
            return error_no_memory(err);
        bool named = false;
        for (size_t i = 0; i < list->count; i++)
            named = named || (strstr(list->items[i], words) &&
                              strncmp(list->items[i], environment, strlen(environment)) == 0);
        if (!named &&
            text_list_add(list,
                          text_format("%s%sthe audit failed: %s (%s).", environment,
                                      *environment ? ": " : "", words, text_of(item, "reason")),
                          err) < 0)
            return -1;
    }
    return 0;
}

bool reason_is_chance(const struct report *report, const struct summary_metric *metric,
                      const struct summary_cell *cell) {
    struct interval ratio = {.low = cell->ratio_low, .high = cell->ratio_high};
    return report_verdict(report, cell) == VERDICT_INCONCLUSIVE && cell->reason &&
           cell_has_ratio_interval(cell) &&
           verdict_decide(ratio, report->summary->options.margin, metric->better) !=
               VERDICT_INCONCLUSIVE;
}

int reasons_open(const struct report *report, struct text_list *list, struct error **err) {
    const struct summary *summary = report->summary;
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 0; j < summary->environment_count; j++) {
            const struct summary_metric *metric = &summary->metrics[i];
            const struct summary_cell *cell = &metric->cells[j];
            /* Too few blocks are a warning of their own. */
            bool strange = report_verdict(report, cell) == VERDICT_INCONCLUSIVE && cell->reason &&
                           !cell_has_ratio_interval(cell) &&
                           !(cell->flags & SUMMARY_TOO_FEW_BLOCKS);
            bool chance = reason_is_chance(report, metric, cell);
            if (!report_shows(report, metric) || (!strange && !chance))
                continue;
            if (text_list_add(
                    list,
                    text_format("%s %s in %s is inconclusive%s: %s", metric->workload,
                                metric->metric, summary->environments[j].title,
                                chance ? " although its interval lies beyond the margin" : "",
                                cell->reason),
                    err) < 0)
                return -1;
        }
    return 0;
}
