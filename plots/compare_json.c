// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs side by side for programs (docs/comparison.schema.json). */
#include "common/text.h"
#include "plots/compare.h"

#include <math.h>
#include <stdlib.h>

/* Version of this format. */
#define COMPARISON_SCHEMA_VERSION 1

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *interval(double low, double high) {
    return isfinite(low) && isfinite(high) ? json_pack("[f,f]", low, high) : json_null();
}

/* A text that may not be valid UTF-8. */
static json_t *text(const char *from) {
    json_t *plain = json_string(from ? from : "");
    if (plain)
        return plain;
    cleanup_free char *clean = text_clean(from);
    return json_string(clean ? clean : "");
}

static json_t *runs_of(const struct comparison *comparison) {
    json_t *list = json_array();
    for (unsigned i = 0; i < comparison->run_count; i++) {
        const struct compared_run *run = &comparison->runs[i];
        json_t *entry =
            json_pack("{s:o, s:o}", "name", text(run->name), "folder", text(run->folder));
        static const char *const copied[] = {"created", "status", "profile", "boxmark"};
        for (size_t j = 0; j < sizeof(copied) / sizeof(*copied); j++)
            json_object_set(entry, copied[j], json_object_get(run->record, copied[j]));
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *cells_of(const struct comparison *comparison, const struct comparison_row *row) {
    json_t *list = json_array();
    for (unsigned i = 0; i < comparison->run_count; i++) {
        const struct comparison_cell *own = &row->cells[i];
        const struct summary_cell *cell = own->cell;
        if (!cell) {
            json_array_append_new(list, json_null());
            continue;
        }
        json_array_append_new(
            list,
            json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:s}", "blocks",
                      (json_int_t)cell->blocks, "samples", (json_int_t)cell->samples, "median",
                      number(cell->median), "median_interval",
                      interval(cell->median_low, cell->median_high), "ratio", number(cell->ratio),
                      "ratio_interval", interval(cell->ratio_low, cell->ratio_high), "verdict",
                      verdict_name(compare_verdict(row, i)), "change", number(own->change),
                      "change_interval", interval(own->change_low, own->change_high),
                      "change_verdict", verdict_name(own->verdict)));
    }
    return list;
}

static json_t *rows_of(const struct comparison *comparison) {
    json_t *list = json_array();
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct comparison_row *row = &comparison->rows[i];
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b, s:o}", "workload",
                      text(row->metric->workload), "metric", text(row->metric->metric), "unit",
                      text(row->metric->unit), "better", text(row->metric->better), "headline",
                      row->metric->headline, "environment", text(row->environment->label),
                      "accelerator", text(row->environment->accelerator), "title",
                      text(row->environment->title), "reference", row->reference, "runs",
                      cells_of(comparison, row)));
    }
    return list;
}

static json_t *differences_of(const struct comparison *comparison) {
    json_t *list = json_array();
    for (size_t i = 0; i < comparison->difference_count; i++) {
        json_t *values = json_array();
        for (unsigned j = 0; j < comparison->run_count; j++)
            json_array_append_new(values, text(comparison->differences[i].values[j]));
        json_array_append_new(list,
                              json_pack("{s:o, s:o}", "what", text(comparison->differences[i].what),
                                        "values", values));
    }
    return list;
}

int compare_json(const struct report_comparison *report, FILE *to, struct error **err) {
    const struct comparison *comparison = report->comparison;
    const struct summary *first = comparison->runs[0].summary;
    json_auto_t *json = json_pack(
        "{s:i, s:{s:s, s:f, s:f}, s:o, s:o, s:o}", "schema", COMPARISON_SCHEMA_VERSION, "options",
        "reference", first->options.reference, "confidence", first->options.confidence, "margin",
        first->options.margin, "runs", runs_of(comparison), "rows", rows_of(comparison),
        "differences", differences_of(comparison));
    if (!json)
        return error_no_memory(err);
    if (json_dumpf(json, to, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot write the JSON");
    putc('\n', to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the JSON") : 0;
}
