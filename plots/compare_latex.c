// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs side by side as a booktabs table: ratios alone, since medians of machines do not compare. */
#include "common/file.h"
#include "plots/compare.h"
#include "plots/format.h"
#include "plots/latex.h"

#include <math.h>

static void put_ratio(FILE *to, double ratio, double low, double high) {
    char text[FORMAT_BYTES];
    fputs(" & ", to);
    if (isfinite(ratio))
        latex_number(to, format_ratio(ratio, text));
    fputs(" & ", to);
    if (!isfinite(ratio) || !isfinite(low) || !isfinite(high))
        return;
    fputs("[", to);
    latex_number(to, format_end(low, high, text));
    fputs(", ", to);
    latex_number(to, format_end(high, low, text));
    fputs("]", to);
}

static int put_run(const struct report_comparison *report, const struct comparison_row *row,
                   unsigned run, FILE *to, struct error **err) {
    const struct comparison_cell *own = &row->cells[run];
    cleanup_free char *metric = text_format("%s %s", row->metric->workload, row->metric->metric);
    if (!metric)
        return error_no_memory(err);
    fputs("  ", to);
    if (run == 0 && latex_text(to, metric, err) < 0)
        return -1;
    fputs(" & ", to);
    if (run == 0 && latex_text(to, row->environment->title, err) < 0)
        return -1;
    fputs(" & ", to);
    if (latex_text(to, report->comparison->runs[run].name, err) < 0)
        return -1;
    if (!own->cell) {
        fputs(" & -- & & & & not measured \\\\\n", to);
        return 0;
    }
    put_ratio(to, own->cell->ratio, own->cell->ratio_low, own->cell->ratio_high);
    put_ratio(to, own->change, own->change_low, own->change_high);
    fprintf(to, " & %s \\\\\n", verdict_name(own->verdict));
    return 0;
}

static int put_caption(const struct report_comparison *report, FILE *to, struct error **err) {
    const struct comparison *comparison = report->comparison;
    const struct summary *first = comparison->runs[0].summary;
    char confidence[FORMAT_BYTES], margin[FORMAT_BYTES];
    cleanup_text_list struct text_list warnings = {0};
    cleanup_free char *text = text_format(
        "Ratios to %s within each run, and their change since %s, with %s confidence intervals; "
        "the equivalence margin is %s.",
        first->options.reference, comparison->runs[0].name,
        format_percent(first->options.confidence, false, confidence),
        format_percent(first->options.margin, false, margin));
    if (!text)
        return error_no_memory(err);
    if (compare_warnings(report, &warnings, err) < 0)
        return -1;
    fputs("  \\caption{", to);
    if (latex_text(to, text, err) < 0)
        return -1;
    for (size_t i = 0; i < warnings.count; i++) {
        putc(' ', to);
        if (latex_text(to, warnings.items[i], err) < 0)
            return -1;
        putc('.', to);
    }
    fputs("}\n", to);
    return 0;
}

int compare_latex(const struct report_comparison *report, FILE *to, struct error **err) {
    const struct comparison *comparison = report->comparison;
    fputs("% Written by boxmark. Needs \\usepackage{booktabs} and \\usepackage{textcomp}, and\n"
          "% \\usepackage[T1]{fontenc}.\n"
          "\\begin{table}\n  \\centering\n",
          to);
    if (put_caption(report, to, err) < 0)
        return -1;
    fputs("  \\label{tab:boxmark-comparison}\n  \\begin{tabular}{@{}lllrcrcl@{}}\n  \\toprule\n"
          "  Metric & Environment & Run & Ratio & Interval & Change & Interval & Verdict \\\\\n"
          "  \\midrule\n",
          to);
    bool first = true;
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct comparison_row *row = &comparison->rows[i];
        if (!compare_shows(report, row) || row->reference)
            continue;
        fputs(first ? "" : "  \\addlinespace\n", to);
        first = false;
        for (unsigned j = 0; j < comparison->run_count; j++)
            if (put_run(report, row, j, to, err) < 0)
                return -1;
    }
    fputs("  \\bottomrule\n  \\end{tabular}\n\\end{table}\n", to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the LaTeX") : 0;
}
