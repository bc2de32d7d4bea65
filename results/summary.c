// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/summary.h"

#include "common/file.h"
#include "results/summary_read.h"

#include <gsl/gsl_sort.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* A trend is reported below this p-value: at 5 % every twentieth cell would be. */
#define DRIFT_P 0.01

const struct summary_options summary_defaults = {
    .reference = "host",
    .confidence = 0.95,
    .margin = 0.01,
    .resamples = 10000,
    .seed = 1,
};

static int check_options(const struct summary_options *options, struct error **err) {
    if (!(options->confidence >= 0.5 && options->confidence <= 0.9999))
        return error_set(err, ERROR_USAGE, 0, "a confidence of %g is not between 0.5 and 0.9999",
                         options->confidence);
    if (!(options->margin >= 0 && options->margin < 1))
        return error_set(err, ERROR_USAGE, 0, "an equivalence margin of %g is not between 0 and 1",
                         options->margin);
    if (options->resamples < 100 || options->resamples > 10000000)
        return error_set(err, ERROR_USAGE, 0,
                         "%u bootstrap resamples are not between 100 and 10000000",
                         options->resamples);
    return 0;
}

static void clear_cell(struct summary_cell *cell) {
    free(cell->values);
    free(cell->value_blocks);
    free(cell->reason);
}

struct summary *summary_free(struct summary *summary) {
    if (!summary)
        return NULL;
    for (unsigned i = 0; i < summary->metric_count; i++) {
        struct summary_metric *metric = &summary->metrics[i];
        for (unsigned e = 0; metric->cells && e < summary->environment_count; e++)
            clear_cell(&metric->cells[e]);
        free(metric->cells);
        free(metric->workload);
        free(metric->metric);
        free(metric->unit);
        free(metric->better);
    }
    for (unsigned i = 0; i < summary->environment_count; i++) {
        free(summary->environments[i].label);
        free(summary->environments[i].accelerator);
        free(summary->environments[i].title);
    }
    free(summary->metrics);
    free(summary->environments);
    free((char *)summary->options.reference);
    free(summary);
    return NULL;
}

/* A seed of its own for every cell, so that its figures do not depend on what else was measured. */
static uint64_t cell_seed(const struct summary *summary, const struct summary_metric *metric,
                          unsigned environment) {
    const char *const names[] = {metric->workload, metric->metric,
                                 summary->environments[environment].label};
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (unsigned i = 0; i < 3; i++)
        for (const char *at = names[i];; at++) {
            hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
            if (!*at)
                break;
        }
    return hash ^ summary->options.seed;
}

/* The figures of one cell by itself. */
static int describe_cell(struct summary_cell *cell, double confidence, struct error **err) {
    cell->median = cell->median_low = cell->median_high = NAN;
    cell->minimum = cell->maximum = cell->mad = cell->variation = NAN;
    cell->ratio = cell->ratio_low = cell->ratio_high = NAN;
    cell->p_value = cell->p_holm = cell->detectable = NAN;
    unsigned count = cell->blocks;
    if (count == 0)
        return 0;
    cleanup_free double *sorted = calloc(count, sizeof(*sorted));
    if (!sorted)
        return error_no_memory(err);
    memcpy(sorted, cell->values, count * sizeof(*sorted));
    gsl_sort(sorted, 1, count);
    cell->median = statistics_median_sorted(sorted, count);
    cell->minimum = sorted[0];
    cell->maximum = sorted[count - 1];
    struct interval interval = statistics_median_interval(sorted, count, confidence);
    cell->median_low = interval.low;
    cell->median_high = interval.high;
    if (isnan(interval.low))
        cell->flags |= SUMMARY_TOO_FEW_BLOCKS;
    cell->variation = statistics_variation(cell->values, count);
    if (statistics_trend_p(cell->values, count) < DRIFT_P)
        cell->flags |= SUMMARY_DRIFT;
    /* `sorted` is scratch from here on. */
    cell->mad = statistics_mad(cell->values, count, sorted);
    if (statistics_outliers(cell->values, count, sorted) > 0)
        cell->flags |= SUMMARY_OUTLIERS;
    return 0;
}

/*
 * Logarithms of environment / reference for the blocks that both have; cell->pairs is their number.
 * A zero or negative value has no ratio, and leaving out its block alone would flatter: then there
 * is none at all (0 pairs, flag and reason).
 */
static int pair_blocks(const struct summary *summary, const struct summary_cell *reference,
                       struct summary_cell *cell, unsigned environment, double *logs,
                       struct error **err) {
    unsigned pairs = 0;
    for (unsigned r = 0, c = 0; r < reference->blocks && c < cell->blocks;) {
        uint64_t reference_block = reference->value_blocks[r], block = cell->value_blocks[c];
        if (reference_block != block) {
            reference_block < block ? r++ : c++;
            continue;
        }
        double below = reference->values[r++], above = cell->values[c++];
        if (below > 0 && above > 0) {
            logs[pairs++] = log(above) - log(below);
            continue;
        }
        cell->flags |= SUMMARY_NOT_POSITIVE;
        bool is_reference = !(below > 0);
        cell->reason = text_format("no ratio: in block %" PRIu64 " %s has the value %g", block,
                                   summary->environments[is_reference ? 0 : environment].label,
                                   is_reference ? below : above);
        return cell->reason ? 0 : error_no_memory(err);
    }
    cell->pairs = pairs;
    return 0;
}

/* Ratio, interval, test and smallest detectable difference from the paired logarithms. */
static int compare_cell(const struct summary *summary, const struct summary_metric *metric,
                        struct summary_cell *cell, unsigned environment, double *logs,
                        struct error **err) {
    const struct summary_options *options = &summary->options;
    uint64_t seed = cell_seed(summary, metric, environment);
    cell->p_value = cell->pairs < STATISTICS_SIGN_FLIP_PAIRS
                        ? statistics_paired_t_p(logs, cell->pairs)
                        : statistics_sign_flip_p(logs, cell->pairs, options->resamples, seed);
    gsl_sort(logs, 1, cell->pairs);
    cell->ratio = exp(statistics_median_sorted(logs, cell->pairs));
    struct interval interval;
    if (statistics_headline_interval(logs, cell->pairs, options->confidence, options->resamples,
                                     seed, &interval, err) < 0)
        return -1;
    if (isnan(interval.low))
        cell->flags |= SUMMARY_TOO_FEW_BLOCKS;
    cell->ratio_low = exp(interval.low);
    cell->ratio_high = exp(interval.high);
    interval = (struct interval){.low = cell->ratio_low, .high = cell->ratio_high};
    cell->detectable = statistics_detectable(interval, options->confidence, options->margin);
    return 0;
}

/* Why a cell has no interval, or why its interval does not decide; NULL when out of memory. */
static char *explain(const struct summary *summary, const struct summary_cell *reference,
                     const struct summary_cell *cell) {
    const struct summary_options *options = &summary->options;
    if (cell->blocks == 0)
        return text_format("not measured in this environment");
    if (!summary->has_reference || reference->blocks == 0)
        return text_format("not measured in the reference %s", options->reference);
    if (cell->pairs == 0)
        return text_format("no block has both this environment and %s", options->reference);
    if (cell->flags & SUMMARY_TOO_FEW_BLOCKS && isnan(cell->ratio_low))
        return text_format("%u %s too few for an interval at %g %%: it takes %u", cell->pairs,
                           cell->pairs == 1 ? "block is" : "blocks are", 100 * options->confidence,
                           statistics_values_needed(options->confidence));
    struct interval interval = {.low = cell->ratio_low, .high = cell->ratio_high};
    return verdict_explain(interval, options->margin);
}

static int judge_cell(const struct summary *summary, const struct summary_metric *metric,
                      const struct summary_cell *reference, struct summary_cell *cell,
                      struct error **err) {
    struct interval interval = {.low = cell->ratio_low, .high = cell->ratio_high};
    cell->verdict = verdict_decide(interval, summary->options.margin, metric->better);
    bool comparable = cell->blocks > 0 && summary->has_reference && reference->blocks > 0;
    /* A side figure that an environment does not have (a kernel to enter) is no open question. */
    if (!comparable && !metric->headline)
        cell->verdict = VERDICT_NONE;
    if (!cell->reason && (!comparable || cell->verdict == VERDICT_INCONCLUSIVE)) {
        cell->reason = explain(summary, reference, cell);
        if (!cell->reason)
            return error_no_memory(err);
    }
    return 0;
}

static int finish_metric(struct summary *summary, struct summary_metric *metric,
                         struct error **err) {
    for (unsigned e = 0; e < summary->environment_count; e++)
        if (describe_cell(&metric->cells[e], summary->options.confidence, err) < 0)
            return -1;
    const struct summary_cell *reference = &metric->cells[0];
    for (unsigned e = summary->has_reference; e < summary->environment_count; e++) {
        struct summary_cell *cell = &metric->cells[e];
        cleanup_free double *logs = calloc(cell->blocks + 1, sizeof(*logs));
        if (!logs)
            return error_no_memory(err);
        if (summary->has_reference && pair_blocks(summary, reference, cell, e, logs, err) < 0)
            return -1;
        if (cell->pairs > 0 && compare_cell(summary, metric, cell, e, logs, err) < 0)
            return -1;
        if (judge_cell(summary, metric, reference, cell, err) < 0)
            return -1;
    }
    return 0;
}

/*
 * Among many comparisons some intervals exclude 1 by chance alone: a difference is claimed only
 * where it survives the correction, too.
 */
static int doubt_chance(struct summary_cell *cell, double confidence, struct error **err) {
    bool claimed = cell->verdict == VERDICT_BETTER || cell->verdict == VERDICT_WORSE;
    if (!claimed || isnan(cell->p_holm) || cell->p_holm <= 1 - confidence)
        return 0;
    cell->verdict = VERDICT_INCONCLUSIVE;
    cell->reason = text_format("among so many comparisons it may be chance (p = %.2g after Holm's "
                               "correction); more blocks decide",
                               cell->p_holm);
    return cell->reason ? 0 : error_no_memory(err);
}

/* Holm's correction over all comparisons of headlines with the reference. */
static int correct_headlines(struct summary *summary, struct error **err) {
    size_t cells = (size_t)summary->metric_count * summary->environment_count;
    cleanup_free double *p_values = calloc(cells + 1, sizeof(*p_values));
    if (!p_values)
        return error_no_memory(err);
    size_t at = 0;
    for (unsigned m = 0; m < summary->metric_count; m++)
        for (unsigned e = 0; e < summary->environment_count; e++)
            p_values[at++] =
                summary->metrics[m].headline ? summary->metrics[m].cells[e].p_value : NAN;
    if (statistics_holm(p_values, cells, err) < 0)
        return -1;
    at = 0;
    for (unsigned m = 0; m < summary->metric_count; m++)
        for (unsigned e = 0; e < summary->environment_count; e++) {
            struct summary_cell *cell = &summary->metrics[m].cells[e];
            cell->p_holm = p_values[at++];
            if (doubt_chance(cell, summary->options.confidence, err) < 0)
                return -1;
        }
    return 0;
}

static int fill_cells(struct summary *summary, struct series_set *set, struct error **err) {
    for (unsigned m = 0; m < summary->metric_count; m++) {
        summary->metrics[m].cells = calloc(summary->environment_count, sizeof(struct summary_cell));
        if (!summary->metrics[m].cells)
            return error_no_memory(err);
    }
    for (unsigned i = 0; i < set->count; i++) {
        struct series *series = &set->series[i];
        struct summary_cell *cell = &summary->metrics[series->metric].cells[series->environment];
        uint64_t superseded;
        if (series_to_values(series, &cell->values, &cell->value_blocks, &cell->blocks,
                             &cell->samples, &superseded, err) < 0)
            return -1;
        summary->superseded_count += superseded;
        summary->sample_count -= superseded;
        free(series->entries); /* as early as possible: they are most of the memory */
        series->entries = NULL;
    }
    return 0;
}

int summary_build(const char *samples_path, const struct summary_options *options,
                  struct summary **ret_summary, struct error **err) {
    if (check_options(options, err) < 0)
        return -1;
    __attribute__((cleanup(series_set_clear))) struct series_set set = {0};
    cleanup_summary struct summary *summary = calloc(1, sizeof(*summary));
    if (!summary)
        return error_no_memory(err);
    summary->options = *options;
    summary->options.reference = strdup(options->reference);
    if (!summary->options.reference)
        return error_no_memory(err);
    if (summary_read(samples_path, summary, &set, err) < 0)
        return -1;
    if (summary->sample_count == 0)
        return error_set(err, ERROR_USAGE, 0, "%s holds no counted sample: nothing to report",
                         samples_path);
    if (fill_cells(summary, &set, err) < 0)
        return -1;
    for (unsigned m = 0; m < summary->metric_count; m++)
        if (finish_metric(summary, &summary->metrics[m], err) < 0)
            return -1;
    if (correct_headlines(summary, err) < 0)
        return -1;
    *ret_summary = TAKE_PTR(summary);
    return 0;
}

static void distrust_cell(struct summary_cell *cell, const char *prefix, const char *reason) {
    if (cell->blocks == 0)
        return; /* there is no figure to distrust */
    bool again = cell->verdict == VERDICT_UNTRUSTWORTHY && cell->reason;
    cell->verdict = VERDICT_UNTRUSTWORTHY;
    char *both =
        text_format("%s%s%s%s", again ? cell->reason : "", again ? "; " : "", prefix, reason);
    if (!both)
        return;
    free(cell->reason);
    cell->reason = both;
}

void summary_distrust(struct summary *summary, const char *environment, const char *workload,
                      const char *metric, const char *reason) {
    const char *reference = summary->has_reference ? summary->options.reference : NULL;
    /* Every ratio is over the reference: what is wrong there is wrong in all. */
    bool all = !environment || (reference && strcmp(environment, reference) == 0);
    cleanup_free char *prefix =
        environment && all ? text_format("the reference %s: ", reference) : NULL;
    for (unsigned m = 0; m < summary->metric_count; m++) {
        struct summary_metric *row = &summary->metrics[m];
        if ((workload && strcmp(workload, row->workload) != 0) ||
            (metric && strcmp(metric, row->metric) != 0))
            continue;
        for (unsigned e = 0; e < summary->environment_count; e++) {
            bool named = environment && strcmp(environment, summary->environments[e].label) == 0;
            if (all || named)
                distrust_cell(&row->cells[e], prefix && !named ? prefix : "", reason);
        }
    }
}

const struct summary_metric *summary_find(const struct summary *summary, const char *workload,
                                          const char *metric) {
    for (unsigned i = 0; i < summary->metric_count; i++)
        if (strcmp(summary->metrics[i].workload, workload) == 0 &&
            strcmp(summary->metrics[i].metric, metric) == 0)
            return &summary->metrics[i];
    return NULL;
}
