// SPDX-License-Identifier: GPL-3.0-or-later
/* What the audit's checks share: the facts, read without trusting their types, and ways to say. */
#ifndef BOXMARK_RESULTS_AUDIT_CHECKS_H
#define BOXMARK_RESULTS_AUDIT_CHECKS_H

#include "results/audit.h"

#include <stdbool.h>

struct audit_environment {
    const char *label, *accelerator; /* accelerator "" when not recorded */
    const json_t *instance;          /* its first instance that could identify itself, or NULL */
    bool same_kernel;                /* runs on the host's own kernel, as far as it says */
};

struct audit_facts {
    const json_t *run, *journal, *machine, *envelope;
    const struct audit_environment *environments;
    unsigned environment_count;
    double cpus; /* of the envelope; NAN unknown */
    struct audit *audit;
    bool out_of_memory;
};

/* One check; adds its items. */
struct audit_check {
    const char *name;
    void (*examine)(struct audit_facts *facts, const struct audit_check *check);
    const char *reason; /* why it matters; one for all items of the check */
};

/* In files by subject; each ends with a NULL name. */
extern const struct audit_check audit_identity_checks[];
extern const struct audit_check audit_envelope_checks[];
extern const struct audit_check audit_machine_checks[];
extern const struct audit_check audit_clock_checks[];
extern const struct audit_check audit_disk_checks[];

/* Adds an item; `environment` NULL: all; `touches` as in struct audit_item. */
void audit_say(struct audit_facts *facts, const struct audit_check *check,
               const struct audit_environment *environment, const char *touches,
               enum audit_state state, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* The state of a value by the table of thresholds; NAN is noted. */
enum audit_state audit_judge(const char *threshold, double value);
const struct audit_threshold *audit_threshold_find(const char *name);

/*
 * The next journal entry of a type (and environment, unless NULL) from *position on, which starts
 * at 0; NULL after the last.
 */
const json_t *audit_next(const struct audit_facts *facts, const char *type, const char *environment,
                         size_t *position);

/* Members by path ("agent_facts.cpus"); NULL or NAN when missing or of another type. */
const json_t *fact(const json_t *object, const char *path);
const char *fact_text(const json_t *object, const char *path);
double fact_number(const json_t *object, const char *path);

/* Sum of a number over an environment's requests; a request without it makes it NAN. */
double fact_request_sum(const struct audit_facts *facts, const char *environment, const char *path);

/* Of the numbers of an array; NAN when it holds none. */
double fact_median(const json_t *array);
double fact_minimum(const json_t *array);

/*
 * The best repetition of an instance's calibration loop in seconds, `when` "calibration_before" or
 * "calibration_after"; NAN: none. In runs of before the agent waited for it, an ordinary user's
 * harness may have seen the beginning late: what the agent's own clock says more than the host's
 * counts.
 */
double fact_calibration(const json_t *instance, const char *when);

static inline void json_array_cleanup(json_t **array) {
    json_decref(*array);
}
#define cleanup_json_array CLEANUP(json_array)

static inline const char *plural(double count) {
    return count == 1 ? "" : "s";
}

#endif
