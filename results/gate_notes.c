// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/gate_notes.h"

#include "common/file.h"

#include <string.h>

int gate_note_add(struct gate_result *result, char *text, struct error **err) {
    char **larger = reallocarray(result->notes, result->note_count + 1, sizeof(*larger));
    if (!text || !larger) {
        free(text);
        result->notes = larger ? larger : result->notes;
        return error_no_memory(err);
    }
    result->notes = larger;
    larger[result->note_count++] = text;
    return 0;
}

static int note_environments(const struct baseline *before, const struct baseline *now,
                             struct gate_result *result, struct error **err) {
    for (size_t i = 0; i < before->environment_count; i++) {
        const char *label = before->environments[i].label;
        const struct baseline_environment *found = baseline_partner(before, now, label);
        if (found && strcmp(found->label, label) != 0 &&
            gate_note_add(result,
                          text_format("%s is compared with the baseline's %s", found->label, label),
                          err) < 0)
            return -1;
    }
    return 0;
}

/* What the run has and the baseline has not is not watched, and must be said. */
static int note_new(const struct baseline *now, struct gate_result *result, struct error **err) {
    for (size_t i = 0; i < now->series_count; i++) {
        const struct baseline_series *series = &now->series[i];
        bool known = !series->headline ||
                     (!result->absolute && strcmp(series->environment, result->reference) == 0);
        for (size_t j = 0; j < result->row_count && !known; j++)
            known = strcmp(result->rows[j].workload, series->workload) == 0 &&
                    strcmp(result->rows[j].metric, series->metric) == 0 &&
                    strcmp(result->rows[j].environment, series->environment) == 0;
        if (!known &&
            gate_note_add(result,
                          text_format("%s/%s in %s is not in the baseline, and not watched",
                                      series->workload, series->metric, series->environment),
                          err) < 0)
            return -1;
    }
    return 0;
}

/* A default is there for runs of all kinds; to write it down again is no mistake. */
static bool is_default(const struct gate_rules *rules, const char *pattern) {
    for (size_t i = 0; i < rules->count; i++)
        if (!rules->rules[i].given && strcmp(rules->rules[i].pattern, pattern) == 0)
            return true;
    return false;
}

static bool is_used(const struct gate_result *result, const struct gate_rule *rule) {
    for (size_t i = 0; i < result->row_count; i++)
        if (gate_rule_fits(rule, result->rows[i].workload, result->rows[i].metric,
                           result->rows[i].environment, result->rows[i].unit))
            return true;
    return false;
}

/* A pattern with a slip in it would leave the margin, or the watch, where it was. */
static int note_unused(const struct gate_settings *settings, struct gate_result *result,
                       struct error **err) {
    const struct {
        const char *section;
        const struct gate_rules *rules;
    } lists[] = {{"margins", &settings->margins},
                 {"floors", &settings->floors},
                 {"between_runs", &settings->between_runs},
                 {"ignore", &settings->ignored}};
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        for (size_t j = 0; j < lists[i].rules->count; j++) {
            const struct gate_rule *rule = &lists[i].rules->rules[j];
            if (rule->given && !is_default(lists[i].rules, rule->pattern) &&
                !is_used(result, rule) &&
                gate_note_add(result,
                              text_format("%s: [%s] %s applies to no metric here",
                                          settings->path ? settings->path : "settings",
                                          lists[i].section, rule->pattern),
                              err) < 0)
                return -1;
        }
    return 0;
}

int gate_note_all(const struct baseline *before, const struct baseline *now,
                  const struct gate_settings *settings, struct gate_result *result,
                  struct error **err) {
    if (note_environments(before, now, result, err) < 0 || note_new(now, result, err) < 0)
        return -1;
    return note_unused(settings, result, err);
}
