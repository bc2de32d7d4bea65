// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/json_list.h"
#include "results/summary.h"

#include <inttypes.h>
#include <math.h>

/* NAN and infinities do not exist in JSON: null says that there is no such figure. */
static json_t *figure(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *flags_to_json(unsigned flags) {
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {
        {SUMMARY_TOO_FEW_BLOCKS, "too_few_blocks"},
        {SUMMARY_DRIFT, "drift"},
        {SUMMARY_OUTLIERS, "outliers"},
        {SUMMARY_NOT_POSITIVE, "not_positive"},
    };
    json_t *array = json_array();
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (flags & names[i].flag)
            array = json_list_append(array, json_string(names[i].name));
    return array;
}

static json_t *cell_to_json(const struct summary_environment *environment,
                            const struct summary_cell *cell) {
    json_t *values = json_array();
    json_t *blocks = json_array();
    for (unsigned i = 0; i < cell->blocks; i++) {
        values = json_list_append(values, figure(cell->values[i]));
        blocks = json_list_append(blocks, json_integer((json_int_t)cell->value_blocks[i]));
    }
    return json_pack(
        "{s:s, s:i, s:I, s:o, s:o, s:o, s:[o,o], s:o, s:o, s:o, s:o, s:i, s:o, s:[o,o], s:o, s:o, "
        "s:o, s:s, s:s?, s:o}",
        "environment", environment->label, "blocks", (int)cell->blocks, "samples",
        (json_int_t)cell->samples, "values", values, "value_blocks", blocks, "median",
        figure(cell->median), "median_interval", figure(cell->median_low),
        figure(cell->median_high), "minimum", figure(cell->minimum), "maximum",
        figure(cell->maximum), "mad", figure(cell->mad), "variation", figure(cell->variation),
        "pairs", (int)cell->pairs, "ratio", figure(cell->ratio), "ratio_interval",
        figure(cell->ratio_low), figure(cell->ratio_high), "p_value", figure(cell->p_value),
        "p_holm", figure(cell->p_holm), "detectable", figure(cell->detectable), "verdict",
        verdict_name(cell->verdict), "reason", cell->reason, "flags", flags_to_json(cell->flags));
}

static json_t *metric_to_json(const struct summary *summary, const struct summary_metric *metric) {
    json_t *cells = json_array();
    for (unsigned e = 0; e < summary->environment_count; e++)
        if (json_array_append_new(cells,
                                  cell_to_json(&summary->environments[e], &metric->cells[e])) < 0) {
            json_decref(cells);
            return NULL;
        }
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "workload", metric->workload, "metric",
                     metric->metric, "unit", metric->unit, "better", metric->better, "headline",
                     metric->headline, "cells", cells);
}

int summary_to_json(const struct summary *summary, json_t **ret_json, struct error **err) {
    const struct summary_options *options = &summary->options;
    char seed[24]; /* as text: JSON's integers here are signed */
    snprintf(seed, sizeof(seed), "%" PRIu64, options->seed);
    json_t *environments = json_array();
    json_t *metrics = json_array();
    int failed = 0;
    for (unsigned e = 0; e < summary->environment_count; e++) {
        const struct summary_environment *environment = &summary->environments[e];
        failed |= json_array_append_new(
            environments, json_pack("{s:s, s:s, s:s}", "label", environment->label, "accelerator",
                                    environment->accelerator, "title", environment->title));
    }
    for (unsigned m = 0; m < summary->metric_count; m++)
        failed |= json_array_append_new(metrics, metric_to_json(summary, &summary->metrics[m]));
    json_t *json =
        json_pack("{s:i, s:{s:s, s:f, s:f, s:i, s:s}, s:b, s:I, s:I, s:b, s:o, s:o}", "schema",
                  SUMMARY_SCHEMA_VERSION, "options", "reference", options->reference, "confidence",
                  options->confidence, "margin", options->margin, "resamples",
                  (int)options->resamples, "seed", seed, "has_reference", summary->has_reference,
                  "samples", (json_int_t)summary->sample_count, "superseded",
                  (json_int_t)summary->superseded_count, "half_row_dropped",
                  summary->half_row_dropped, "environments", environments, "metrics", metrics);
    if (!json || failed) {
        json_decref(json);
        return error_set(err, ERROR_INTERNAL, 0,
                         "the summary cannot be put into JSON: no memory, or a name is not UTF-8");
    }
    *ret_json = json;
    return 0;
}
