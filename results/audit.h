// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The fairness audit: was it the same work, on the same CPUs, by the same clock, undisturbed? Every
 * check is a pure function from facts that the harness recorded (run.json and journal.jsonl; the
 * members that each check reads are in docs/schema.md, "What the audit reads") to items. An item
 * that fails takes the verdict from what it touches.
 *
 * The thresholds stand in one table (audit_thresholds.c) with their reasons. They are such that an
 * ordinary laptop, server or CI machine gives usable results: being virtual oneself, software
 * emulation (it is in the label) and an unknown frequency are notes. A fact that was not recorded
 * is a note too, never a failure.
 */
#ifndef BOXMARK_RESULTS_AUDIT_H
#define BOXMARK_RESULTS_AUDIT_H

#include "common/error.h"
#include "results/summary.h"

#include <jansson.h>
#include <stddef.h>

enum audit_state { AUDIT_OK, AUDIT_NOTED, AUDIT_FAILING };

struct audit_item {
    char *name;        /* of the check: "guest_clock" */
    char *environment; /* label, or NULL: all of them */
    char *touches;     /* pattern (fnmatch) on "WORKLOAD/METRIC": all, "disk/" and all, ... */
    enum audit_state state;
    char *evidence; /* what was seen, with figures */
    char *reason;   /* why it matters */
};

struct audit {
    size_t count, capacity;
    struct audit_item *items;
};

/* One limit; `failing` is INFINITY where nothing of this kind can fail. */
struct audit_threshold {
    const char *name;
    double noted, failing; /* above these */
    const char *unit;
    const char *reason; /* why these figures */
};

/* Ends with a NULL name. */
extern const struct audit_threshold audit_thresholds[];

/*
 * Examines a run: `run` is run.json, `journal` the array of journal.jsonl's entries. Members of a
 * wrong type count as not recorded. Fails only when memory does.
 */
int audit_examine(const json_t *run, const json_t *journal, struct audit **ret_audit,
                  struct error **err);

/* Marks what failing items touch through summary_distrust. */
void audit_apply(const struct audit *audit, struct summary *summary);

/* The worst state of all items. */
enum audit_state audit_worst(const struct audit *audit);

/* An array of objects (docs/schema.md, "audit"). */
int audit_to_json(const struct audit *audit, json_t **ret_json, struct error **err);
/* `name` stands in messages: the file that it came from. */
int audit_from_json(const json_t *json, const char *name, struct audit **ret_audit,
                    struct error **err);

const char *audit_state_name(enum audit_state state); /* "ok", "noted", "failing" */

struct audit *audit_free(struct audit *audit); /* NULL is fine; returns NULL */
static inline void audit_cleanup(struct audit **audit) {
    audit_free(*audit);
}
#define cleanup_audit CLEANUP(audit)

#endif
