// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The regression gate: has isolation become dearer than a baseline says? For each metric and
 * environment of the baseline one row with a verdict. Pure functions; docs/method.md has the
 * formulas and their measured rates of false alarms.
 *
 * Worse is said only when both hold: the interval of the change excludes no change, at a level that
 * holds for all rows of the check together; and the change is beyond the metric's margin, and its
 * floor. A change beyond the margin that noise may have made, and noise that could hide a change of
 * `resolution`, are inconclusive.
 */
#ifndef BOXMARK_RESULTS_GATE_H
#define BOXMARK_RESULTS_GATE_H

#include "results/baseline.h"
#include "results/gate_settings.h"
#include "results/verdict.h"

/* Fewer blocks than this show no spread. */
#define GATE_BLOCKS_MIN 3

struct gate_row {
    const char *workload, *metric, *unit, *better; /* borrowed from the baselines */
    const char *environment;                       /* label in the run (baseline: if missing) */
    const char *environment_before;                /* label in the baseline */
    char *title;                                   /* label with its accelerator */
    /* Middle of the overhead ratios, or of the values in absolute terms; NAN unknown. */
    double before, now;
    double change, change_low, change_high; /* now / before - 1, with its interval; NAN unknown */
    double margin, floor;                   /* of the change; in the metric's unit */
    size_t before_blocks, now_blocks;
    bool measured; /* in the run, at least once */
    bool ignored;  /* shown, never counted */
    enum verdict verdict;
    char *reason; /* NULL: nothing to add */
};

struct gate_result {
    bool absolute;
    double confidence;    /* of all rows together */
    unsigned compared;    /* rows that it is shared among */
    unsigned before_runs; /* of the baseline */
    unsigned fail_on;     /* bits of enum gate_fail_on */
    const char *reference;
    const char *settings_path; /* borrowed from the settings; NULL: the defaults alone */
    struct gate_row *rows;
    size_t row_count;
    unsigned counts[VERDICT_UNTRUSTWORTHY + 1]; /* rows by verdict, without the ignored */
    char **notes;                               /* what else a reader must know: see gate_notes.h */
    size_t note_count;
};

/* Both sides must have passed baseline_comparable; the result borrows from them. */
int gate_decide(const struct baseline *before, const struct baseline *now,
                const struct gate_settings *settings, bool absolute, struct gate_result *ret_result,
                struct error **err);

/*
 * The verdict of the whole check: worse, else untrustworthy, else inconclusive, else same or
 * better. What `fail_on` leaves out is passed over, but never when nothing at all was decided.
 */
enum verdict gate_verdict(const struct gate_result *result);
enum exit_code gate_exit_code(const struct gate_result *result);

/* Would this row make the check fail? */
bool gate_row_fails(const struct gate_result *result, const struct gate_row *row);

/* Is it worth measuring again: worse or inconclusive, and more blocks could tell. */
bool gate_row_suspicious(const struct gate_row *row);

void gate_result_clear(struct gate_result *result);
static inline void gate_result_cleanup(struct gate_result *result) {
    gate_result_clear(result);
}
#define cleanup_gate_result CLEANUP(gate_result)

#endif
