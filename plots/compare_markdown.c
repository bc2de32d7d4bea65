// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs side by side for a pull request: one row a run. */
#include "common/file.h"
#include "plots/compare.h"
#include "plots/format.h"
#include "plots/markdown.h"

#include <math.h>

static void put_ratio(FILE *to, double ratio, double low, double high) {
    char first[FORMAT_BYTES], second[FORMAT_BYTES];
    fputs(" | ", to);
    if (isfinite(ratio))
        fputs(format_ratio(ratio, first), to);
    if (isfinite(ratio) && isfinite(low) && isfinite(high))
        fprintf(to, " (%s to %s)", format_end(low, high, first), format_end(high, low, second));
}

static int put_run(const struct report_comparison *report, const struct comparison_row *row,
                   unsigned run, FILE *to, struct error **err) {
    const struct comparison_cell *own = &row->cells[run];
    struct scale scale = compare_scale(report->comparison, row);
    char number[FORMAT_BYTES];
    cleanup_free char *metric = text_format("%s %s", row->metric->workload, row->metric->metric);
    if (!metric)
        return error_no_memory(err);
    fputs("| ", to);
    if (run == 0 && markdown_text(to, metric, err) < 0)
        return -1;
    fputs(" | ", to);
    if (run == 0 && markdown_text(to, row->environment->title, err) < 0)
        return -1;
    fputs(" | ", to);
    if (markdown_text(to, report->comparison->runs[run].name, err) < 0)
        return -1;
    if (!own->cell) {
        fputs(" | not measured | | | | |\n", to);
        return 0;
    }
    fprintf(to, " | %s ", format_value(own->cell->median * scale.factor, number));
    if (markdown_text(to, scale.unit, err) < 0)
        return -1;
    put_ratio(to, own->cell->ratio, own->cell->ratio_low, own->cell->ratio_high);
    fputs(" | ", to);
    markdown_verdict(to, compare_verdict(row, run));
    put_ratio(to, own->change, own->change_low, own->change_high);
    fputs(" | ", to);
    markdown_verdict(to, own->verdict);
    fputs(" |\n", to);
    return 0;
}

static int put_differences(const struct comparison *comparison, FILE *to, struct error **err) {
    if (comparison->difference_count == 0) {
        fputs("\nNothing that was recorded differs between the machines.\n", to);
        return 0;
    }
    fputs("\n<details><summary>What differs</summary>\n\n| |", to);
    for (unsigned i = 0; i < comparison->run_count; i++) {
        putc(' ', to);
        if (markdown_text(to, comparison->runs[i].name, err) < 0)
            return -1;
        fputs(" |", to);
    }
    fputs("\n| :-- |", to);
    for (unsigned i = 0; i < comparison->run_count; i++)
        fputs(" :-- |", to);
    for (size_t i = 0; i < comparison->difference_count; i++) {
        fputs("\n| ", to);
        if (markdown_text(to, compare_fact_name(&comparison->differences[i]), err) < 0)
            return -1;
        for (unsigned j = 0; j < comparison->run_count; j++) {
            fputs(" | ", to);
            if (markdown_text(to, comparison->differences[i].values[j], err) < 0)
                return -1;
        }
        fputs(" |", to);
    }
    fputs("\n\n</details>\n", to);
    return 0;
}

int compare_markdown(const struct report_comparison *report, FILE *to, struct error **err) {
    const struct comparison *comparison = report->comparison;
    cleanup_text_list struct text_list legend = {0}, warnings = {0};
    if (compare_legend(report, &legend, err) < 0 || compare_warnings(report, &warnings, err) < 0)
        return -1;
    fprintf(to, "### boxmark: %u runs side by side\n\n", comparison->run_count);
    for (unsigned i = 0; i < comparison->run_count; i++) {
        cleanup_free char *words = compare_run_words(report, i);
        if (!words)
            return error_no_memory(err);
        fputs("- ", to);
        if (markdown_text(to, comparison->runs[i].name, err) < 0)
            return -1;
        fputs(": ", to);
        if (markdown_text(to, words, err) < 0)
            return -1;
        putc('\n', to);
    }
    putc('\n', to);
    if (markdown_warnings(to, &warnings, err) < 0)
        return -1;
    fputs("| metric | environment | run | median | ratio | verdict | change | verdict |\n"
          "| :-- | :-- | :-- | --: | :-- | :-- | :-- | :-- |\n",
          to);
    for (size_t i = 0; i < comparison->row_count; i++)
        for (unsigned j = 0;
             compare_shows(report, &comparison->rows[i]) && j < comparison->run_count; j++)
            if (put_run(report, &comparison->rows[i], j, to, err) < 0)
                return -1;
    if (put_differences(comparison, to, err) < 0)
        return -1;
    fputs("\n<details><summary>What the numbers mean</summary>\n\n", to);
    for (size_t i = 0; i < legend.count; i++) {
        fputs("- ", to);
        if (markdown_text(to, legend.items[i], err) < 0)
            return -1;
        putc('\n', to);
    }
    fputs("\n</details>\n", to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the Markdown") : 0;
}
