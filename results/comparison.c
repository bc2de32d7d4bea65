// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/comparison.h"

#include "common/file.h"

#include <math.h>
#include <string.h>

bool comparison_has_workload(const char *const *workloads, const char *name) {
    if (!workloads || !workloads[0])
        return true;
    for (; *workloads; workloads++)
        if (strcmp(*workloads, name) == 0)
            return true;
    return false;
}

struct interval comparison_quotient(double above, struct interval above_interval, double below,
                                    struct interval below_interval) {
    double point = log(above) - log(below);
    double down =
        hypot(log(above) - log(above_interval.low), log(below_interval.high) - log(below));
    double up = hypot(log(above_interval.high) - log(above), log(below) - log(below_interval.low));
    struct interval quotient = {.low = exp(point - down), .high = exp(point + up)};
    return isfinite(quotient.low) && isfinite(quotient.high) ? quotient : INTERVAL_NONE;
}

static const struct summary_cell *find_cell(const struct summary *summary, const char *workload,
                                            const char *metric, const char *title,
                                            const struct summary_metric **ret_metric) {
    const struct summary_metric *own = summary_find(summary, workload, metric);
    for (unsigned i = 0; own && i < summary->environment_count; i++)
        if (strcmp(summary->environments[i].title, title) == 0 && own->cells[i].blocks > 0) {
            *ret_metric = own;
            return &own->cells[i];
        }
    return NULL;
}

/* This run's ratio against the first one's. */
static void judge_change(struct comparison_row *row, unsigned run, double margin) {
    struct comparison_cell *own = &row->cells[run];
    const struct summary_cell *first = row->cells[0].cell;
    own->change = own->change_low = own->change_high = NAN;
    own->verdict = VERDICT_NONE;
    if (run == 0 || row->reference || !own->cell || !first || !(own->cell->ratio > 0) ||
        !(first->ratio > 0))
        return;
    own->change = own->cell->ratio / first->ratio;
    struct interval change = comparison_quotient(
        own->cell->ratio,
        (struct interval){.low = own->cell->ratio_low, .high = own->cell->ratio_high}, first->ratio,
        (struct interval){.low = first->ratio_low, .high = first->ratio_high});
    own->change_low = change.low;
    own->change_high = change.high;
    own->verdict = verdict_decide(change, margin, row->metric->better);
    if (own->cell->verdict == VERDICT_UNTRUSTWORTHY || first->verdict == VERDICT_UNTRUSTWORTHY)
        own->verdict = VERDICT_UNTRUSTWORTHY;
}

static bool has_row(const struct comparison *comparison, const char *workload, const char *metric,
                    const char *title) {
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct comparison_row *row = &comparison->rows[i];
        if (strcmp(row->metric->workload, workload) == 0 &&
            strcmp(row->metric->metric, metric) == 0 && strcmp(row->environment->title, title) == 0)
            return true;
    }
    return false;
}

static int add_row(struct comparison *comparison, const struct summary *summary,
                   const struct summary_metric *metric, unsigned environment, struct error **err) {
    struct comparison_row *rows =
        realloc(comparison->rows, (comparison->row_count + 1) * sizeof(*rows));
    if (!rows)
        return error_no_memory(err);
    comparison->rows = rows;
    struct comparison_row *row = &rows[comparison->row_count];
    *row = (struct comparison_row){
        .metric = metric,
        .environment = &summary->environments[environment],
        .reference = summary->has_reference && environment == 0,
        .cells = calloc(comparison->run_count, sizeof(*row->cells)),
    };
    if (!row->cells)
        return error_no_memory(err);
    comparison->row_count++;
    for (unsigned i = 0; i < comparison->run_count; i++) {
        row->cells[i].cell =
            find_cell(comparison->runs[i].summary, metric->workload, metric->metric,
                      row->environment->title, &row->cells[i].metric);
        judge_change(row, i, summary->options.margin);
    }
    return 0;
}

/* All environments of one metric, those of the first run first. */
static int add_metric(struct comparison *comparison, const char *workload, const char *name,
                      struct error **err) {
    for (unsigned i = 0; i < comparison->run_count; i++) {
        const struct summary *summary = comparison->runs[i].summary;
        const struct summary_metric *metric = summary_find(summary, workload, name);
        for (unsigned j = 0; metric && j < summary->environment_count; j++)
            if (metric->cells[j].blocks > 0 &&
                !has_row(comparison, workload, name, summary->environments[j].title) &&
                add_row(comparison, summary, metric, j, err) < 0)
                return -1;
    }
    return 0;
}

static int add_rows(struct comparison *comparison, const char *const *workloads,
                    struct error **err) {
    for (unsigned i = 0; i < comparison->run_count; i++) {
        const struct summary *summary = comparison->runs[i].summary;
        for (unsigned j = 0; j < summary->metric_count; j++) {
            const struct summary_metric *metric = &summary->metrics[j];
            bool known = false;
            for (unsigned k = 0; k < i; k++)
                known = known ||
                        summary_find(comparison->runs[k].summary, metric->workload, metric->metric);
            if (!known && comparison_has_workload(workloads, metric->workload) &&
                add_metric(comparison, metric->workload, metric->metric, err) < 0)
                return -1;
        }
    }
    if (comparison->row_count > 0)
        return 0;
    error_set(err, ERROR_USAGE, 0, "the runs hold nothing of the chosen workloads");
    return error_advise(err, "`boxmark report RUN' shows what a run holds");
}

int comparison_make(const struct compared_run *runs, unsigned count, const char *const *workloads,
                    struct comparison **ret_comparison, struct error **err) {
    if (count < 2 || count > COMPARISON_RUNS_MAX)
        return error_set(err, ERROR_USAGE, 0, "a comparison takes two to %d runs, not %u",
                         COMPARISON_RUNS_MAX, count);
    cleanup_comparison struct comparison *comparison = calloc(1, sizeof(*comparison));
    if (!comparison)
        return error_no_memory(err);
    comparison->runs = runs;
    comparison->run_count = count;
    if (comparison_check_work(runs, count, workloads, err) < 0 ||
        add_rows(comparison, workloads, err) < 0 ||
        comparison_find_differences(comparison, err) < 0)
        return -1;
    *ret_comparison = TAKE_PTR(comparison);
    return 0;
}

struct comparison *comparison_free(struct comparison *comparison) {
    if (!comparison)
        return NULL;
    for (size_t i = 0; i < comparison->row_count; i++)
        free(comparison->rows[i].cells);
    free(comparison->rows);
    for (size_t i = 0; i < comparison->difference_count; i++) {
        for (unsigned j = 0; j < comparison->run_count; j++)
            free(comparison->differences[i].values[j]);
        free(comparison->differences[i].values);
        free(comparison->differences[i].what);
    }
    free(comparison->differences);
    free(comparison);
    return NULL;
}
