// SPDX-License-Identifier: GPL-3.0-or-later
/* A table for pull requests and issues: GitHub's Markdown, readable as plain text too. */
#include "plots/markdown.h"
#include "common/file.h"
#include "common/text.h"
#include "plots/claim_words.h"
#include "plots/compare.h"
#include "plots/format.h"
#include "plots/methods.h"
#include "plots/side_table.h"
#include "plots/writers.h"

#include <math.h>
#include <string.h>

/*
 * Text from elsewhere: every mark of Markdown and HTML is escaped; where a backslash does not help
 * (mentions, numbers of issues, addresses) an empty comment comes between.
 */
int markdown_text(FILE *to, const char *text, struct error **err) {
    cleanup_free char *clean = text_clean(text);
    if (!clean)
        return error_no_memory(err);
    for (const char *at = clean; *at; at++) {
        if (strncasecmp(at, "www.", 4) == 0) {
            fputs("www<!-- -->.", to);
            at += 3;
            continue;
        }
        if (strncmp(at, "://", 3) == 0)
            fputs("<!-- -->", to);
        if (strchr("\\`*_{}[]<>|~&!$^#@", *at))
            putc('\\', to);
        putc(*at, to);
        if (*at == '@' || *at == '#')
            fputs("<!-- -->", to);
    }
    return 0;
}

static const char *mark_of(enum verdict verdict) {
    switch (verdict) {
    case VERDICT_SAME:
        return "\\~ ";
    case VERDICT_INCONCLUSIVE:
        return "? ";
    case VERDICT_UNTRUSTWORTHY:
        return "**!** ";
    case VERDICT_BETTER:
    case VERDICT_WORSE:
    case VERDICT_NONE:
        break;
    }
    return "";
}

void markdown_verdict(FILE *to, enum verdict verdict) {
    fprintf(to, "%s%s", mark_of(verdict), verdict_name(verdict));
}

static int put_row(const struct report *report, const struct summary_metric *metric,
                   unsigned environment, FILE *to, struct error **err) {
    const struct summary_cell *cell = &metric->cells[environment];
    struct scale scale = scale_for(metric, report->summary->environment_count);
    enum verdict verdict = report_verdict(report, cell);
    char first[FORMAT_BYTES], second[FORMAT_BYTES];
    fputs("| ", to);
    if (environment == 0) {
        if (markdown_text(to, metric->workload, err) < 0)
            return -1;
        putc(' ', to);
        if (markdown_text(to, metric->metric, err) < 0)
            return -1;
        if (*better_words(metric))
            fprintf(to, " (%s)", better_words(metric));
    }
    fputs(" | ", to);
    if (markdown_text(to, report->summary->environments[environment].title, err) < 0)
        return -1;
    if (cell->blocks == 0) {
        fputs(" | not measured | | | | |\n", to);
        return 0;
    }
    fprintf(to, " | %s ", format_value(cell->median * scale.factor, first));
    if (markdown_text(to, scale.unit, err) < 0)
        return -1;
    fprintf(to, " | %s%s | ", isfinite(cell_spread(cell)) ? "±" : "",
            format_percent(cell_spread(cell), false, first));
    if (isfinite(cell->ratio))
        fputs(format_ratio(cell->ratio, first), to);
    fputs(" | ", to);
    if (cell_has_ratio_interval(cell))
        fprintf(to, "%s to %s", format_end(cell->ratio_low, cell->ratio_high, first),
                format_end(cell->ratio_high, cell->ratio_low, second));
    fputs(" | ", to);
    markdown_verdict(to, verdict);
    fputs(" |\n", to);
    return 0;
}

static int put_table(const struct report *report, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    char confidence[40];
    fprintf(to,
            "| metric | environment | median | spread | ratio | %s interval | verdict |\n"
            "| :-- | :-- | --: | --: | --: | :-: | :-- |\n",
            report_confidence(report, confidence));
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 0;
             report_shows(report, &summary->metrics[i]) && j < summary->environment_count; j++)
            if (put_row(report, &summary->metrics[i], j, to, err) < 0)
                return -1;
    return 0;
}

static int put_sentences(const struct report *report, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    if (!summary->has_reference || summary->environment_count < 2)
        return 0;
    fputs("\nIn words:\n\n", to);
    for (unsigned i = 0; i < summary->metric_count; i++)
        for (unsigned j = 1; j < summary->environment_count; j++) {
            if (!summary->metrics[i].headline)
                continue;
            cleanup_free char *sentence = report_sentence(report, &summary->metrics[i], j);
            if (!sentence)
                return error_no_memory(err);
            fputs("- ", to);
            if (markdown_text(to, sentence, err) < 0)
                return -1;
            putc('\n', to);
        }
    return 0;
}

static int put_claims(const struct report *report, FILE *to, struct error **err) {
    if (!report->claims || report->claims->count == 0)
        return 0;
    cleanup_free char *total = claims_total(report->claims);
    if (!total)
        return error_no_memory(err);
    fprintf(to, "\n%s\n\n| claim | published | here | outcome |\n| :-- | :-- | :-- | :-- |\n",
            total);
    for (size_t i = 0; i < report->claims->count; i++) {
        const struct claim *claim = &report->claims->claims[i];
        cleanup_free char *subject = claim_subject(report, claim);
        cleanup_free char *published = claim_published(claim);
        cleanup_free char *own = claim_own(claim);
        cleanup_free char *outcome = claim_outcome_text(claim);
        const char *const cells[] = {subject, published, own, outcome};
        for (unsigned j = 0; j < 4; j++) {
            if (!cells[j])
                return error_no_memory(err);
            fputs(j ? " | " : "| ", to);
            if (markdown_text(to, cells[j], err) < 0)
                return -1;
        }
        fputs(" |\n", to);
    }
    return 0;
}

static int put_side_table(const struct side_table *table, FILE *to, struct error **err) {
    for (unsigned line = 0; line <= table->row_count; line++) {
        for (unsigned j = 0; j < table->column_count; j++) {
            const char *cell = table->cells[line * table->column_count + j];
            fputs(j ? " | " : "| ", to);
            if (markdown_text(to, cell ? cell : "", err) < 0)
                return -1;
        }
        fputs(" |\n", to);
        for (unsigned j = 0; line == 0 && j < table->column_count; j++)
            fputs(j ? " --: |" : "| :-- |", to);
        fputs(line == 0 ? "\n" : "", to);
    }
    return 0;
}

static int put_side_tables(const struct report *report, FILE *to, struct error **err) {
    cleanup_side_tables struct side_tables tables = {0};
    if (side_tables_make(report, &tables, err) < 0)
        return -1;
    for (unsigned i = 0; i < tables.count; i++) {
        fputs("\n<details><summary>", to);
        if (markdown_text(to, tables.tables[i].title, err) < 0)
            return -1;
        fputs("</summary>\n\n", to);
        if (put_side_table(&tables.tables[i], to, err) < 0)
            return -1;
        fprintf(to, "\n%s\n\n</details>\n", tables.tables[i].note);
    }
    return 0;
}

static int put_foot(const struct report *report, FILE *to, struct error **err) {
    cleanup_text_list struct text_list legend = {0};
    cleanup_free char *methods = methods_paragraph(report);
    if (!methods)
        return error_no_memory(err);
    if (report_legend(report, &legend, err) < 0)
        return -1;
    fputs("\n<details><summary>What the numbers mean, how they were measured</summary>\n\n", to);
    for (size_t i = 0; i < legend.count; i++) {
        fputs("- ", to);
        if (markdown_text(to, legend.items[i], err) < 0)
            return -1;
        putc('\n', to);
    }
    putc('\n', to);
    if (markdown_text(to, methods, err) < 0)
        return -1;
    fputs("\n\n</details>\n", to);
    return 0;
}

int markdown_warnings(FILE *to, const struct text_list *warnings, struct error **err) {
    for (size_t i = 0; i < warnings->count; i++) {
        fputs(i ? ">\n> " : "> [!WARNING]\n> ", to);
        if (markdown_text(to, warnings->items[i], err) < 0)
            return -1;
        putc('\n', to);
    }
    if (warnings->count)
        putc('\n', to);
    return 0;
}

static int write_markdown(const struct report *report, FILE *to, struct error **err) {
    cleanup_text_list struct text_list warnings = {0};
    if (report_warnings(report, &warnings, err) < 0)
        return -1;
    fputs("### boxmark: ", to);
    for (unsigned i = 0; i < report->summary->environment_count; i++) {
        fputs(i ? ", " : "", to);
        if (markdown_text(to, report->summary->environments[i].title, err) < 0)
            return -1;
    }
    fputs("\n\n", to);
    if (markdown_warnings(to, &warnings, err) < 0)
        return -1;
    if (put_table(report, to, err) < 0 || put_sentences(report, to, err) < 0 ||
        put_claims(report, to, err) < 0 || put_side_tables(report, to, err) < 0 ||
        put_foot(report, to, err) < 0)
        return -1;
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the Markdown") : 0;
}

const struct report_writer writer_markdown = {
    .name = "markdown",
    .extension = "md",
    .summary = "a table for a pull request",
    .write = write_markdown,
    .compare = compare_markdown,
};
