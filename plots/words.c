// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/words.h"

#include "common/file.h"
#include "plots/format.h"
#include "plots/reasons.h"
#include "results/precision.h"

#include <math.h>
#include <string.h>

int text_list_add(struct text_list *list, char *text, struct error **err) {
    if (!text)
        return error_no_memory(err);
    char **larger = realloc(list->items, (list->count + 1) * sizeof(*larger));
    if (!larger) {
        free(text);
        return error_no_memory(err);
    }
    list->items = larger;
    list->items[list->count++] = text;
    return 0;
}

void text_list_cleanup(struct text_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

int report_reference(const struct report *report) {
    return report->summary->has_reference ? 0 : -1;
}

enum verdict report_verdict(const struct report *report, const struct summary_cell *cell) {
    if (report->summary->has_reference || cell->verdict == VERDICT_UNTRUSTWORTHY)
        return cell->blocks > 0 ? cell->verdict : VERDICT_NONE;
    return VERDICT_NONE;
}

bool report_shows(const struct report *report, const struct summary_metric *metric) {
    if (report->full || metric->headline)
        return true;
    /* A run whose workloads have no headline (unknown to this version) is not an empty table. */
    for (unsigned i = 0; i < report->summary->metric_count; i++)
        if (report->summary->metrics[i].headline)
            return false;
    return true;
}

unsigned report_blocks(const struct report *report) {
    unsigned blocks = 0;
    for (unsigned i = 0; i < report->summary->metric_count; i++)
        for (unsigned j = 0; j < report->summary->environment_count; j++)
            if (report->summary->metrics[i].cells[j].blocks > blocks)
                blocks = report->summary->metrics[i].cells[j].blocks;
    return blocks;
}

const json_t *report_member(const json_t *object, const char *const *path) {
    for (; object && *path; path++)
        object = json_object_get(object, *path);
    return object;
}

char *report_member_text(const json_t *object, const char *const *path) {
    const json_t *member = report_member(object, path);
    if (json_is_string(member) && *json_string_value(member))
        return strdup(json_string_value(member));
    if (json_is_integer(member))
        return text_format("%lld", (long long)json_integer_value(member));
    char number[FORMAT_BYTES];
    if (json_is_real(member))
        return strdup(format_exact(json_real_value(member), number));
    return NULL;
}

const char *better_words(const struct summary_metric *metric) {
    if (strcmp(metric->better, "lower") == 0)
        return "lower is better";
    return strcmp(metric->better, "higher") == 0 ? "higher is better" : "";
}

const char *verdict_mark(enum verdict verdict) {
    switch (verdict) {
    case VERDICT_BETTER:
        return "+";
    case VERDICT_WORSE:
        return "-";
    case VERDICT_SAME:
        return "~";
    case VERDICT_INCONCLUSIVE:
        return "?";
    case VERDICT_UNTRUSTWORTHY:
        return "!";
    case VERDICT_NONE:
        break;
    }
    return "";
}

char *report_confidence(const struct report *report, char text[40]) {
    char number[FORMAT_BYTES];
    snprintf(text, 40, "%s", format_percent(report->summary->options.confidence, false, number));
    return text;
}

/* Software emulation is no virtual machine as users know it: said before everything else. */
static int warn_of_emulation(const struct summary *summary, struct text_list *list,
                             struct error **err) {
    for (unsigned i = 0; i < summary->environment_count; i++) {
        const struct summary_environment *at = &summary->environments[i];
        char *text = NULL;
        if (strcmp(at->accelerator, "TCG") == 0)
            text = text_format("%s ran under software emulation (TCG), not KVM: its figures are "
                               "the cost of emulating a CPU, not of a virtual machine on "
                               "hardware virtualisation. Do not quote them as KVM.",
                               at->label);
        else if (strcmp(at->accelerator, "KVM emulated") == 0)
            text = text_format("%s ran under a KVM that executes its guest in software (KVM "
                               "emulated), not natively: its figures are the cost of emulating a "
                               "CPU. Do not quote them as KVM.",
                               at->label);
        else if (strcmp(at->accelerator, "mixed") == 0)
            text = text_format("%s ran with different accelerators within this run: its figures "
                               "mix them and mean nothing.",
                               at->label);
        else
            continue;
        if (text_list_add(list, text, err) < 0)
            return -1;
    }
    return 0;
}

static int warn_of_distrust(const struct report *report, struct text_list *list,
                            struct error **err) {
    const struct summary *summary = report->summary;
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 0; j < summary->environment_count; j++) {
            const struct summary_metric *metric = &summary->metrics[i];
            const struct summary_cell *cell = &metric->cells[j];
            if (report_verdict(report, cell) != VERDICT_UNTRUSTWORTHY)
                continue;
            char *text = text_format("%s: not to be trusted: %s", summary->environments[j].title,
                                     cell->reason ? cell->reason : "no reason was recorded");
            bool known = false;
            for (size_t k = 0; text && k < list->count; k++)
                known = known || strcmp(list->items[k], text) == 0;
            if (known)
                free(text);
            else if (text_list_add(list, text, err) < 0)
                return -1;
        }
    return 0;
}

/* One warning for each flag, naming where it was raised. */
static int warn_of_flag(const struct report *report, unsigned flag, const char *words,
                        struct text_list *list, struct error **err) {
    const struct summary *summary = report->summary;
    cleanup_free char *where = NULL;
    unsigned places = 0;
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 0; j < summary->environment_count; j++) {
            const struct summary_metric *metric = &summary->metrics[i];
            if (!(metric->cells[j].flags & flag) || metric->cells[j].blocks == 0 ||
                !report_shows(report, metric))
                continue;
            if (++places > 4)
                continue;
            char *longer =
                text_format("%s%s%s %s in %s", where ? where : "", where ? ", " : "",
                            metric->workload, metric->metric, summary->environments[j].title);
            free(where);
            where = longer;
        }
    if (places == 0)
        return 0;
    if (places > 4)
        return text_list_add(
            list, text_format("%s: %s and %u more.", words, where ? where : "", places - 4), err);
    return text_list_add(list, text_format("%s: %s.", words, where ? where : ""), err);
}

int report_warnings(const struct report *report, struct text_list *list, struct error **err) {
    const struct summary *summary = report->summary;
    if (report->files_problem &&
        text_list_add(list,
                      text_format("The files of this run are not known to be as they were written: "
                                  "%s. `boxmark verify` shows all that differs.",
                                  report->files_problem),
                      err) < 0)
        return -1;
    if (warn_of_emulation(summary, list, err) < 0 || warn_of_distrust(report, list, err) < 0 ||
        reasons_failing(report, list, err) < 0 || reasons_missing(report, list, err) < 0)
        return -1;
    if (report_reference(report) < 0 && summary->options.reference &&
        text_list_add(
            list,
            text_format("%s was not measured: there are no ratios.", summary->options.reference),
            err) < 0)
        return -1;
    bool few = false;
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 0; j < summary->environment_count; j++)
            few = few || (summary->metrics[i].cells[j].flags & SUMMARY_TOO_FEW_BLOCKS);
    unsigned blocks = report_blocks(report);
    char confidence[40];
    if (few && text_list_add(list,
                             text_format("%u %s: too few for %s intervals; run more before you "
                                         "conclude anything.",
                                         blocks, blocks == 1 ? "block" : "blocks",
                                         report_confidence(report, confidence)),
                             err) < 0)
        return -1;
    if (warn_of_flag(report, SUMMARY_DRIFT, "Values moved with time during the run", list, err) < 0)
        return -1;
    if (summary->half_row_dropped &&
        text_list_add(list,
                      strdup("The last row of samples.csv was half-written (the run was killed) "
                             "and is left out."),
                      err) < 0)
        return -1;
    return 0;
}

/* Why there are no more blocks, and how far the widest headline still is from narrow. */
static int explain_end(const struct report *report, struct text_list *list, struct error **err) {
    const char *ended = json_string_value(json_object_get(report->run, "ended_by"));
    if (!ended)
        return 0;
    const struct summary_metric *metric = NULL;
    const char *environment = NULL;
    double width = precision_worst(report->summary, &metric, &environment);
    if (isnan(width) || !metric || !environment)
        return text_list_add(list, text_format("it ended because %s", ended), err);
    char percent[FORMAT_BYTES];
    const struct summary *summary = report->summary;
    const char *title = environment;
    for (unsigned i = 0; i < summary->environment_count; i++)
        if (strcmp(summary->environments[i].label, environment) == 0)
            title = summary->environments[i].title;
    return text_list_add(list,
                         text_format("it ended because %s; the widest headline interval is %s of "
                                     "its ratio (%s %s in %s)",
                                     ended, format_percent(width, false, percent), metric->workload,
                                     metric->metric, title),
                         err);
}

/* How many comparisons Holm's correction is over. */
static unsigned corrected_comparisons(const struct summary *summary) {
    unsigned count = 0;
    for (unsigned m = 0; m < summary->metric_count; m++)
        for (unsigned e = 0; e < summary->environment_count; e++)
            count += isfinite(summary->metrics[m].cells[e].p_holm);
    return count;
}

/*
 * For every headline that is the same or open: how large a difference would have shown, by its
 * interval alone: what the correction asks for beyond that depends on all other comparisons.
 */
static int explain_detectable(const struct report *report, struct text_list *list,
                              struct error **err) {
    const struct summary *summary = report->summary;
    for (unsigned m = 0; m < summary->metric_count; m++) {
        const struct summary_metric *metric = &summary->metrics[m];
        cleanup_free char *seen = NULL;
        for (unsigned e = 0; metric->headline && e < summary->environment_count; e++) {
            const struct summary_cell *cell = &metric->cells[e];
            bool open = cell->verdict == VERDICT_SAME || cell->verdict == VERDICT_INCONCLUSIVE;
            if (!open || isnan(cell->detectable))
                continue;
            char percent[FORMAT_BYTES];
            format_percent(cell->detectable, false, percent);
            char *longer = text_format("%s%s%s in %s", seen ? seen : "", seen ? ", " : "", percent,
                                       summary->environments[e].title);
            free(seen);
            seen = longer;
            if (!seen)
                return error_no_memory(err);
        }
        if (seen &&
            text_list_add(list,
                          text_format("%s %s: smallest difference that this run could have seen%s: "
                                      "%s",
                                      metric->workload, metric->metric,
                                      corrected_comparisons(summary) > 1
                                          ? " as its only comparison (Holm's correction over all "
                                            "headlines asks for more)"
                                          : "",
                                      seen),
                          err) < 0)
            return -1;
    }
    return 0;
}

/* The fairness audit: how many of each state, then what is noted; all of it in the full report.
 * What fails stands among the warnings (reasons.c). */
static int explain_audit(const struct report *report, struct text_list *list, struct error **err) {
    static const char *const states[] = {"ok", "noted", "failing"};
    unsigned counts[3] = {0};
    size_t index;
    json_t *item;
    if (!json_array_size(report->audit))
        return 0;
    json_array_foreach(report->audit, index, item) {
        const char *state = json_string_value(json_object_get(item, "state"));
        for (unsigned i = 0; state && i < 3; i++)
            counts[i] += strcmp(state, states[i]) == 0;
    }
    if (text_list_add(list,
                      text_format("fairness audit: %u ok, %u noted, %u failing", counts[0],
                                  counts[1], counts[2]),
                      err) < 0)
        return -1;
    json_array_foreach(report->audit, index, item) {
        const char *state = json_string_value(json_object_get(item, "state"));
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *environment = json_string_value(json_object_get(item, "environment"));
        const char *evidence = json_string_value(json_object_get(item, "evidence"));
        bool shown = state && name && evidence && (report->full || strcmp(state, "noted") == 0);
        if (shown &&
            text_list_add(list,
                          text_format("%s: %s%s%s: %s", state, environment ? environment : "",
                                      environment ? ": " : "", name, evidence),
                          err) < 0)
            return -1;
    }
    return 0;
}

/* What holds with and without ratios. */
static int explain_run(const struct report *report, struct text_list *list, struct error **err) {
    if (warn_of_flag(report, SUMMARY_OUTLIERS, "outliers (kept; a median hardly feels them)", list,
                     err) < 0 ||
        explain_audit(report, list, err) < 0)
        return -1;
    return explain_end(report, list, err);
}

int report_legend(const struct report *report, struct text_list *list, struct error **err) {
    const struct summary *summary = report->summary;
    int reference = report_reference(report);
    char confidence[40], margin[FORMAT_BYTES];
    report_confidence(report, confidence);
    format_percent(summary->options.margin, false, margin);
    if (text_list_add(list,
                      strdup("median: of one value a block; in each block every environment "
                             "is started afresh, in random order"),
                      err) < 0 ||
        text_list_add(list,
                      strdup("spread: median absolute deviation between blocks (x 1.4826), in "
                             "per cent of the median"),
                      err) < 0)
        return -1;
    if (reference < 0)
        return explain_run(report, list, err);
    if (text_list_add(list,
                      text_format("ratio: to %s, paired within blocks, with its %s interval",
                                  summary->environments[reference].title, confidence),
                      err) < 0)
        return -1;
    if (text_list_add(list,
                      text_format("better, worse: the whole interval lies more than %s from 1, and "
                                  "it is no chance among so many comparisons; ~ same: all of it "
                                  "within %s; ? inconclusive: neither; ! untrustworthy: see below",
                                  margin, margin),
                      err) < 0)
        return -1;
    if (reasons_open(report, list, err) < 0 || explain_detectable(report, list, err) < 0)
        return -1;
    return explain_run(report, list, err);
}
