// SPDX-License-Identifier: GPL-3.0-or-later
/* Test Anything Protocol, version 13. */
#include "common/text.h"
#include "plots/gate_words.h"

/* One line; '#' would begin a directive. */
static int put_text(FILE *to, const char *text, struct error **err) {
    cleanup_free char *clean = text_clean(text);
    if (!clean)
        return error_no_memory(err);
    for (const char *at = clean; *at; at++) {
        if (*at == '#' || *at == '\\')
            putc('\\', to);
        putc(*at, to);
    }
    return 0;
}

static int put_row(const struct gate_report *report, const struct gate_row *row, size_t number,
                   FILE *to, struct error **err) {
    cleanup_free char *subject = gate_subject(row);
    cleanup_free char *sentence = gate_sentence(report, row);
    if (!subject || !sentence)
        return error_no_memory(err);
    bool fails = gate_row_fails(report->result, row);
    bool passed = row->verdict == VERDICT_SAME || row->verdict == VERDICT_BETTER;
    fprintf(to, "%s %zu - ", fails ? "not ok" : "ok", number);
    if (put_text(to, subject, err) < 0)
        return -1;
    fprintf(to, ": %s%s\n# ", verdict_name(row->verdict),
            passed || fails ? "" : " # SKIP does not count");
    if (put_text(to, sentence, err) < 0)
        return -1;
    putc('\n', to);
    return 0;
}

static int write_tap(const struct gate_report *report, FILE *to, struct error **err) {
    const struct gate_result *result = report->result;
    fprintf(to, "TAP version 13\n1..%zu\n", result->row_count);
    for (size_t i = 0; i < result->row_count; i++)
        if (put_row(report, &result->rows[i], i + 1, to, err) < 0)
            return -1;
    cleanup_free char *settings = gate_settings_words(report);
    if (!settings)
        return error_no_memory(err);
    fputs("# ", to);
    if (put_text(to, settings, err) < 0)
        return -1;
    putc('\n', to);
    for (size_t i = 0; i < result->note_count; i++) {
        fputs("# ", to);
        if (put_text(to, result->notes[i], err) < 0)
            return -1;
        putc('\n', to);
    }
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the TAP") : 0;
}

const struct gate_writer gate_writer_tap = {
    .name = "tap", .summary = "Test Anything Protocol", .write = write_tap};
