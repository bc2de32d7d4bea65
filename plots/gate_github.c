// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * GitHub Actions' workflow commands: an annotation for each metric that fails or is undecided. A
 * line that begins with "::" is a command, so nothing else may make one: text is escaped as the
 * runner undoes it.
 */
#include "common/text.h"
#include "plots/gate_words.h"

#include <string.h>

/* In a property ':' and ',' mean something, too. */
static int put_text(FILE *to, const char *text, bool property, struct error **err) {
    cleanup_free char *clean = text_clean(text);
    if (!clean)
        return error_no_memory(err);
    for (const char *at = clean; *at; at++) {
        if (*at == '%' || (property && strchr(":,", *at)))
            fprintf(to, "%%%02X", (unsigned char)*at);
        else
            putc(*at, to);
    }
    return 0;
}

static int put_annotation(const struct gate_report *report, const struct gate_row *row, FILE *to,
                          struct error **err) {
    cleanup_free char *subject = gate_subject(row);
    cleanup_free char *sentence = gate_sentence(report, row);
    if (!subject || !sentence)
        return error_no_memory(err);
    fprintf(to, "::%s file=", gate_row_fails(report->result, row) ? "error" : "warning");
    if (put_text(to, report->baseline_path, true, err) < 0)
        return -1;
    fprintf(to, ",title=%s%%3A ", verdict_name(row->verdict));
    if (put_text(to, subject, true, err) < 0)
        return -1;
    fputs("::", to);
    if (put_text(to, sentence, false, err) < 0)
        return -1;
    putc('\n', to);
    return 0;
}

static int write_github(const struct gate_report *report, FILE *to, struct error **err) {
    const struct gate_result *result = report->result;
    cleanup_free char *conclusion = gate_conclusion(report);
    cleanup_free char *settings = gate_settings_words(report);
    if (!conclusion || !settings)
        return error_no_memory(err);
    for (size_t i = 0; i < result->row_count; i++) {
        const struct gate_row *row = &result->rows[i];
        bool passed = row->verdict == VERDICT_SAME || row->verdict == VERDICT_BETTER;
        if (!passed && !row->ignored && put_annotation(report, row, to, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < result->note_count; i++) {
        fputs("::notice title=boxmark check::", to);
        if (put_text(to, result->notes[i], false, err) < 0)
            return -1;
        putc('\n', to);
    }
    fputs("::notice title=boxmark check::", to);
    if (put_text(to, conclusion, false, err) < 0)
        return -1;
    fputs(". ", to);
    if (put_text(to, settings, false, err) < 0)
        return -1;
    putc('\n', to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the annotations") : 0;
}

const struct gate_writer gate_writer_github = {
    .name = "github",
    .summary = "annotations; the table goes to $GITHUB_STEP_SUMMARY",
    .write = write_github};
