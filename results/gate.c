// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/gate.h"

#include "common/file.h"
#include "results/gate_estimate.h"
#include "results/gate_notes.h"

#include <math.h>
#include <string.h>

void gate_result_clear(struct gate_result *result) {
    for (size_t i = 0; i < result->row_count; i++) {
        free(result->rows[i].title);
        free(result->rows[i].reason);
    }
    free(result->rows);
    for (size_t i = 0; i < result->note_count; i++)
        free(result->notes[i]);
    free(result->notes);
    *result = (struct gate_result){0};
}

/* ---- Figures of a row -------------------------------------------------------------------------
 */

struct centres {
    struct gate_centre *of_run;
    size_t count; /* runs with enough blocks */
    size_t blocks;
};

static const double *blocks_of(const struct baseline_blocks *blocks, bool absolute,
                               size_t *ret_count) {
    *ret_count = absolute ? blocks->value_count : blocks->ratio_count;
    return absolute ? blocks->values : blocks->ratios;
}

static int centre_runs(const struct baseline *baseline, const struct baseline_series *series,
                       bool absolute, struct centres *ret_centres, struct error **err) {
    *ret_centres =
        (struct centres){.of_run = calloc(baseline->run_count + 1, sizeof(*ret_centres->of_run))};
    if (!ret_centres->of_run)
        return error_no_memory(err);
    for (unsigned r = 0; r < baseline->run_count; r++) {
        size_t count;
        const double *values = blocks_of(&series->runs[r], absolute, &count);
        ret_centres->blocks += count;
        if (count < GATE_BLOCKS_MIN)
            continue;
        cleanup_free double *logs = calloc(count, sizeof(*logs));
        if (!logs)
            return error_no_memory(err);
        for (size_t i = 0; i < count; i++)
            logs[i] = log(values[i]);
        ret_centres->of_run[ret_centres->count++] = gate_centre_of(logs, count);
    }
    return 0;
}

static void centres_cleanup(struct centres *centres) {
    free(centres->of_run);
}

/* A row while it is judged: the change as cost, in logarithms: positive is dearer. */
struct judged {
    double cost, low, high;
    double unit_change; /* what it is in the metric's own unit, in this run */
    double unit_before; /* what the metric would be without the change */
};

/* Middle of the reference's values in this run: what a ratio is worth in the metric's unit. */
static double reference_value(const struct baseline *now, const struct gate_row *row) {
    const struct baseline_series *series =
        baseline_find(now, row->workload, row->metric, now->reference);
    if (!series || series->runs[0].value_count == 0)
        return NAN;
    size_t count = series->runs[0].value_count;
    cleanup_free double *values = calloc(count, sizeof(*values));
    if (!values)
        return NAN;
    memcpy(values, series->runs[0].values, count * sizeof(*values));
    return statistics_median(values, count);
}

/*
 * Half of the interval's width. Student's distribution is an approximation: where the standard
 * error is so large that changes of the resolution go unseen, it lets through more than it says,
 * and there is no power to lose: the chance is taken to be a hundredth.
 */
static double half_width(const struct gate_change *change, double alpha, double resolution) {
    bool blind = change->error > log1p(resolution) / 4;
    return gate_critical(blind ? alpha / 100 : alpha, change->df) * change->error;
}

static void fill_figures(struct gate_row *row, const struct gate_change *change, double wide,
                         double unit, struct judged *ret_judged) {
    double sign = strcmp(row->better, "lower") == 0 ? 1 : -1;
    double difference = change->now - change->before;
    row->before = exp(change->before);
    row->now = exp(change->now);
    row->change = expm1(difference);
    row->change_low = expm1(difference - wide);
    row->change_high = expm1(difference + wide);
    *ret_judged = (struct judged){.cost = sign * difference,
                                  .low = sign * difference - wide,
                                  .high = sign * difference + wide,
                                  .unit_change = unit * (row->now - row->before),
                                  .unit_before = unit * row->before};
}

/* ---- Verdict of a row -------------------------------------------------------------------------
 */

static int say(struct gate_row *row, enum verdict verdict, char *reason, struct error **err) {
    row->verdict = verdict;
    free(row->reason);
    row->reason = reason;
    return reason ? 0 : error_no_memory(err);
}

static bool beyond_floor(const struct gate_row *row, double unit_change) {
    return row->floor <= 0 || isnan(unit_change) || fabs(unit_change) >= row->floor;
}

static int judge(struct gate_row *row, const struct judged *judged, double resolution,
                 struct error **err) {
    bool matters = beyond_floor(row, judged->unit_change);
    bool dearer = expm1(judged->cost) > row->margin && matters;
    bool cheaper = expm1(-judged->cost) > row->margin && matters;
    double hidden = expm1(judged->high), limit = fmax(resolution, row->margin);
    row->verdict = VERDICT_SAME;
    if (dearer && judged->low > 0) {
        row->verdict = VERDICT_WORSE;
    } else if (cheaper && judged->high < 0) {
        row->verdict = VERDICT_BETTER;
    } else if (dearer) {
        return say(row, VERDICT_INCONCLUSIVE,
                   text_format("beyond the margin of %.3g %%, but noise may have made it",
                               100 * row->margin),
                   err);
    } else if (hidden > limit && beyond_floor(row, judged->unit_before * hidden)) {
        return say(row, VERDICT_INCONCLUSIVE,
                   text_format("so much noise could hide a cost of %.3g %%", 100 * hidden), err);
    } else if (!matters && fabs(judged->cost) > log1p(row->margin)) {
        return say(row, VERDICT_SAME,
                   text_format("less than the floor of %g %s", row->floor, row->unit), err);
    } else if (judged->low > 0 || judged->high < 0) {
        return say(row, VERDICT_SAME,
                   text_format("a change, but within the margin of %.3g %%", 100 * row->margin),
                   err);
    }
    return 0;
}

/* Why a row has no figures; NULL: it has. */
static char *missing(const struct baseline_series *now, const struct centres *was,
                     const struct centres *is) {
    if (!now)
        return text_format("not measured in this run");
    if (was->count == 0)
        return text_format("the baseline has %zu usable block%s; it takes %d", was->blocks,
                           was->blocks == 1 ? "" : "s", GATE_BLOCKS_MIN);
    if (is->count == 0)
        return text_format("this run has %zu usable block%s; it takes %d", is->blocks,
                           is->blocks == 1 ? "" : "s", GATE_BLOCKS_MIN);
    return NULL;
}

struct decision {
    const struct baseline *before, *now;
    const struct gate_settings *settings;
    struct gate_result *result;
    double alpha; /* for one side of one row */
};

static void fill_row(const struct decision *decision, struct gate_row *row,
                     const struct centres *was, const struct centres *is,
                     struct judged *ret_judged) {
    double between = gate_settings_between_runs(decision->settings, row->workload, row->metric,
                                                row->environment);
    struct gate_change change = gate_change_of(was->of_run, was->count, &is->of_run[0], between);
    double unit = decision->result->absolute ? 1 : reference_value(decision->now, row);
    double wide = half_width(&change, decision->alpha, decision->settings->resolution);
    fill_figures(row, &change, wide, unit, ret_judged);
}

static int decide_row(const struct decision *decision, const struct baseline_series *series,
                      struct gate_row *row, struct error **err) {
    const struct baseline_series *other =
        baseline_find(decision->now, row->workload, row->metric, row->environment);
    __attribute__((cleanup(centres_cleanup))) struct centres was = {0}, is = {0};
    bool absolute = decision->result->absolute;
    if (centre_runs(decision->before, series, absolute, &was, err) < 0 ||
        (other && centre_runs(decision->now, other, absolute, &is, err) < 0))
        return -1;
    row->before_blocks = was.blocks;
    row->now_blocks = is.blocks;
    row->measured = other != NULL;
    cleanup_free char *reason = missing(other, &was, &is);
    struct judged judged;
    if (!reason)
        fill_row(decision, row, &was, &is, &judged);
    if (other && other->distrust)
        return say(row, VERDICT_UNTRUSTWORTHY, strdup(other->distrust), err);
    if (reason)
        return say(row, VERDICT_INCONCLUSIVE, TAKE_PTR(reason), err);
    return judge(row, &judged, decision->settings->resolution, err);
}

/* ---- All rows ---------------------------------------------------------------------------------
 */

static int name_row(const struct decision *decision, const struct baseline_series *series,
                    struct gate_row *row, struct error **err) {
    const struct baseline_environment *old =
        baseline_environment(decision->before, series->environment);
    const struct baseline_environment *found =
        baseline_partner(decision->before, decision->now, series->environment);
    const struct baseline_environment *shown = found ? found : old;
    const struct gate_settings *settings = decision->settings;
    *row = (struct gate_row){.workload = series->workload,
                             .metric = series->metric,
                             .unit = series->unit,
                             .better = series->better,
                             .environment = shown->label,
                             .environment_before = series->environment,
                             .before = NAN,
                             .now = NAN,
                             .change = NAN,
                             .change_low = NAN,
                             .change_high = NAN};
    bool plain = strcmp(shown->accelerator, "none") == 0;
    row->title =
        plain ? strdup(shown->label) : text_format("%s (%s)", shown->label, shown->accelerator);
    row->margin = gate_settings_margin(settings, row->workload, row->metric, row->environment);
    row->floor =
        gate_settings_floor(settings, row->workload, row->metric, row->environment, row->unit);
    row->ignored = gate_settings_ignores(settings, row->workload, row->metric, row->environment);
    return row->title ? 0 : error_no_memory(err);
}

/* Is it a row: the reference has ratios to nothing. */
static bool is_row(const struct decision *decision, const struct baseline_series *series) {
    return decision->result->absolute ||
           strcmp(series->environment, decision->before->reference) != 0;
}

/* Rows share the chance of a false alarm: Bonferroni's inequality. */
static void share_alpha(struct decision *decision) {
    struct gate_result *result = decision->result;
    for (size_t i = 0; i < result->row_count; i++)
        result->compared += !result->rows[i].ignored;
    decision->alpha =
        (1 - decision->settings->confidence) / (result->compared ? result->compared : 1);
}

int gate_decide(const struct baseline *before, const struct baseline *now,
                const struct gate_settings *settings, bool absolute, struct gate_result *ret_result,
                struct error **err) {
    cleanup_gate_result struct gate_result result = {.absolute = absolute,
                                                     .confidence = settings->confidence,
                                                     .before_runs = before->run_count,
                                                     .fail_on = settings->fail_on,
                                                     .settings_path = settings->path,
                                                     .reference = before->reference};
    struct decision decision = {
        .before = before, .now = now, .settings = settings, .result = &result};
    cleanup_free const struct baseline_series **series =
        calloc(before->series_count + 1, sizeof(*series));
    result.rows = calloc(before->series_count + 1, sizeof(*result.rows));
    if (!series || !result.rows)
        return error_no_memory(err);
    for (size_t i = 0; i < before->series_count; i++) {
        if (!is_row(&decision, &before->series[i]))
            continue;
        series[result.row_count] = &before->series[i];
        if (name_row(&decision, &before->series[i], &result.rows[result.row_count++], err) < 0)
            return -1;
    }
    share_alpha(&decision);
    for (size_t i = 0; i < result.row_count; i++) {
        if (decide_row(&decision, series[i], &result.rows[i], err) < 0)
            return -1;
        if (!result.rows[i].ignored)
            result.counts[result.rows[i].verdict]++;
    }
    if (gate_note_all(before, now, settings, &result, err) < 0)
        return -1;
    *ret_result = result;
    result = (struct gate_result){0};
    return 0;
}

/* ---- The whole check --------------------------------------------------------------------------
 */

enum verdict gate_verdict(const struct gate_result *result) {
    const unsigned *counts = result->counts;
    if (counts[VERDICT_WORSE])
        return VERDICT_WORSE;
    unsigned decided = counts[VERDICT_SAME] + counts[VERDICT_BETTER];
    if (counts[VERDICT_UNTRUSTWORTHY] &&
        (result->fail_on & GATE_FAIL_ON_UNTRUSTWORTHY || decided == 0))
        return VERDICT_UNTRUSTWORTHY;
    if (decided == 0 ||
        (counts[VERDICT_INCONCLUSIVE] && result->fail_on & GATE_FAIL_ON_INCONCLUSIVE))
        return VERDICT_INCONCLUSIVE;
    return counts[VERDICT_BETTER] ? VERDICT_BETTER : VERDICT_SAME;
}

enum exit_code gate_exit_code(const struct gate_result *result) {
    switch (gate_verdict(result)) {
    case VERDICT_WORSE:
        return EXIT_CODE_REGRESSION;
    case VERDICT_UNTRUSTWORTHY:
        return EXIT_CODE_UNTRUSTWORTHY;
    case VERDICT_INCONCLUSIVE:
        return EXIT_CODE_INCONCLUSIVE;
    case VERDICT_SAME:
    case VERDICT_BETTER:
    case VERDICT_NONE:
        break;
    }
    return EXIT_CODE_OK;
}

bool gate_row_fails(const struct gate_result *result, const struct gate_row *row) {
    if (row->ignored)
        return false;
    bool undecided = result->counts[VERDICT_SAME] + result->counts[VERDICT_BETTER] +
                         result->counts[VERDICT_WORSE] ==
                     0;
    switch (row->verdict) {
    case VERDICT_WORSE:
        return true;
    case VERDICT_UNTRUSTWORTHY:
        return undecided || result->fail_on & GATE_FAIL_ON_UNTRUSTWORTHY;
    case VERDICT_INCONCLUSIVE:
        return undecided || result->fail_on & GATE_FAIL_ON_INCONCLUSIVE;
    case VERDICT_SAME:
    case VERDICT_BETTER:
    case VERDICT_NONE:
        break;
    }
    return false;
}

bool gate_row_suspicious(const struct gate_row *row) {
    return !row->ignored && row->measured &&
           (row->verdict == VERDICT_WORSE || row->verdict == VERDICT_INCONCLUSIVE);
}
