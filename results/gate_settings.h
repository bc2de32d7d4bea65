// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the gate is asked to obey: defaults for every metric and the user's boxmark.ini over them
 * (docs/ci/boxmark.ini shows every key). What is wrong in that file is named by file, line and key.
 */
#ifndef BOXMARK_RESULTS_GATE_SETTINGS_H
#define BOXMARK_RESULTS_GATE_SETTINGS_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/* What makes a check fail. A regression always does. */
enum gate_fail_on {
    GATE_FAIL_ON_WORSE = 1 << 0,
    GATE_FAIL_ON_INCONCLUSIVE = 1 << 1,
    GATE_FAIL_ON_UNTRUSTWORTHY = 1 << 2,
};
/* In the order of the bits; ends with NULL. */
extern const char *const gate_fail_on_names[];

/* `pattern` (fnmatch) is of "WORKLOAD/METRIC" or "WORKLOAD/METRIC@ENVIRONMENT"; the last rule that
 * matches counts. */
struct gate_rule {
    char *pattern;
    double value;
    const char *unit; /* of a floor, a base unit; NULL: a fraction */
    bool given;       /* in a file, not a default */
};

struct gate_rules {
    struct gate_rule *rules;
    size_t count;
};

struct gate_settings {
    double confidence; /* that no unchanged metric of a whole check is called worse: 0.99 */
    double resolution; /* noise that could hide a change of this size is inconclusive: 0.1 */
    unsigned fail_on;
    struct gate_rules margins; /* smallest change of a ratio that matters: 0.03 */
    struct gate_rules floors;  /* smallest absolute change that matters, in the metric's unit */
    struct gate_rules between_runs; /* standard deviation between runs that nothing differs in */
    struct gate_rules ignored;      /* metrics that are shown, but never fail */
    char *path;                     /* of the file that was read; NULL: defaults alone */
};

int gate_settings_default(struct gate_settings *ret_settings, struct error **err);

/* Reads a file over what is there. ERROR_USAGE for anything that is wrong in it. */
int gate_settings_read(struct gate_settings *settings, const char *path, struct error **err);

/* "worse", "worse,untrustworthy": a list of names; `what` is for the message. */
int gate_fail_on_parse(const char *text, const char *what, unsigned *ret_bits, struct error **err);

double gate_settings_margin(const struct gate_settings *settings, const char *workload,
                            const char *metric, const char *environment);
/* In `unit`; 0: none. A floor of another kind of unit does not apply. */
double gate_settings_floor(const struct gate_settings *settings, const char *workload,
                           const char *metric, const char *environment, const char *unit);
double gate_settings_between_runs(const struct gate_settings *settings, const char *workload,
                                  const char *metric, const char *environment);
bool gate_settings_ignores(const struct gate_settings *settings, const char *workload,
                           const char *metric, const char *environment);

/* Does it apply to this metric? A floor only where the unit is of its kind. */
bool gate_rule_fits(const struct gate_rule *rule, const char *workload, const char *metric,
                    const char *environment, const char *unit);

void gate_settings_clear(struct gate_settings *settings);
static inline void gate_settings_cleanup(struct gate_settings *settings) {
    gate_settings_clear(settings);
}
#define cleanup_gate_settings CLEANUP(gate_settings)

#endif
