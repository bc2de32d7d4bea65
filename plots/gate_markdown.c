// SPDX-License-Identifier: GPL-3.0-or-later
/* For a comment on a pull request, and for GitHub's step summary. */
#include "plots/gate_words.h"
#include "plots/markdown.h"

static const char *mark_of(enum verdict verdict) {
    switch (verdict) {
    case VERDICT_WORSE:
        return ":red_circle: ";
    case VERDICT_UNTRUSTWORTHY:
        return ":warning: ";
    case VERDICT_INCONCLUSIVE:
        return ":grey_question: ";
    case VERDICT_BETTER:
        return ":green_circle: ";
    case VERDICT_SAME:
    case VERDICT_NONE:
        break;
    }
    return "";
}

static int put_row(const struct gate_report *report, const struct gate_row *row, FILE *to,
                   struct error **err) {
    char before[FORMAT_BYTES], now[FORMAT_BYTES], change[FORMAT_BYTES];
    char interval[2 * FORMAT_BYTES + 8];
    cleanup_free char *subject = gate_subject(row);
    if (!subject)
        return error_no_memory(err);
    fputs("| ", to);
    if (markdown_text(to, subject, err) < 0)
        return -1;
    fprintf(to, " | %s | %s | %s | %s | %s%s%s", gate_figure(report, row, row->before, before),
            gate_figure(report, row, row->now, now), gate_percent(row->change, change),
            gate_interval(row, interval), mark_of(row->verdict), verdict_name(row->verdict),
            row->ignored ? " (ignored)" : "");
    if (row->reason) {
        fputs(": ", to);
        if (markdown_text(to, row->reason, err) < 0)
            return -1;
    }
    fputs(" |\n", to);
    return 0;
}

static int write_markdown(const struct gate_report *report, FILE *to, struct error **err) {
    const struct gate_result *result = report->result;
    cleanup_free char *conclusion = gate_conclusion(report);
    cleanup_free char *settings = gate_settings_words(report);
    cleanup_free char *legend = gate_legend(report);
    if (!conclusion || !settings || !legend)
        return error_no_memory(err);
    fprintf(to, "### %sboxmark check: ", mark_of(gate_verdict(result)));
    if (markdown_text(to, conclusion, err) < 0)
        return -1;
    fputs("\n\n| metric | baseline | now | change | interval | verdict |\n"
          "| :-- | --: | --: | --: | :-: | :-- |\n",
          to);
    for (size_t i = 0; i < result->row_count; i++)
        if (put_row(report, &result->rows[i], to, err) < 0)
            return -1;
    putc('\n', to);
    for (size_t i = 0; i < result->note_count; i++) {
        fputs("- ", to);
        if (markdown_text(to, result->notes[i], err) < 0)
            return -1;
        putc('\n', to);
    }
    fputs("- ", to);
    if (markdown_text(to, settings, err) < 0)
        return -1;
    fputs("\n\n", to);
    if (markdown_text(to, legend, err) < 0)
        return -1;
    putc('\n', to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the Markdown") : 0;
}

const struct gate_writer gate_writer_markdown = {
    .name = "markdown", .summary = "a table for a comment", .write = write_markdown};
