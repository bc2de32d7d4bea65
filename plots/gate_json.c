// SPDX-License-Identifier: GPL-3.0-or-later
/* For programs (docs/schema.md); everything that is not ASCII is escaped. */
#include "common/text.h"
#include "plots/gate_words.h"

#include <jansson.h>
#include <math.h>

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* Text that jansson takes whatever came in. */
static json_t *text(const char *value) {
    cleanup_free char *clean = value ? text_clean(value) : NULL;
    return clean ? json_string(clean) : json_null();
}

static json_t *row_json(const struct gate_result *result, const struct gate_row *row) {
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:[o,o], s:o, s:o, s:I, s:I, s:s, s:b, s:b, "
        "s:o}",
        "workload", text(row->workload), "metric", text(row->metric), "environment",
        text(row->environment), "environment_before", text(row->environment_before), "unit",
        text(row->unit), "better", text(row->better), "before", number(row->before), "now",
        number(row->now), "change", number(row->change), "interval", number(row->change_low),
        number(row->change_high), "margin", number(row->margin), "floor", number(row->floor),
        "before_blocks", (json_int_t)row->before_blocks, "now_blocks", (json_int_t)row->now_blocks,
        "verdict", verdict_name(row->verdict), "ignored", row->ignored, "fails",
        gate_row_fails(result, row), "reason", text(row->reason));
}

static int write_json(const struct gate_report *report, FILE *to, struct error **err) {
    const struct gate_result *result = report->result;
    json_t *rows = json_array(), *notes = json_array();
    for (size_t i = 0; i < result->row_count; i++)
        json_array_append_new(rows, row_json(result, &result->rows[i]));
    for (size_t i = 0; i < result->note_count; i++)
        json_array_append_new(notes, text(result->notes[i]));
    json_t *json = json_pack(
        "{s:i, s:s, s:i, s:o, s:o, s:o, s:b, s:f, s:i, s:o, s:o}", "schema", 1, "verdict",
        verdict_name(gate_verdict(result)), "exit_code", (int)gate_exit_code(result), "baseline",
        text(report->baseline_path), "run", text(report->run_folder), "settings",
        text(result->settings_path), "absolute", result->absolute, "confidence", result->confidence,
        "retries", (int)report->retries, "notes", notes, "metrics", rows);
    int written = json ? json_dumpf(json, to, JSON_INDENT(2) | JSON_ENSURE_ASCII) : -1;
    bool good = written == 0 && putc('\n', to) != EOF;
    json_decref(json);
    return good ? 0 : error_set(err, ERROR_INTERNAL, errno, "cannot write the JSON");
}

const struct gate_writer gate_writer_json = {
    .name = "json", .summary = "for programs", .write = write_json};
