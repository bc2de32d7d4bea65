// SPDX-License-Identifier: GPL-3.0-or-later
/* A table for a paper: booktabs, one row an environment, software emulation in the caption. */
#include "plots/latex.h"
#include "common/file.h"
#include "common/text.h"
#include "plots/compare.h"
#include "plots/format.h"
#include "plots/methods.h"
#include "plots/words.h"
#include "plots/writers.h"

#include <math.h>
#include <string.h>

static const struct {
    char character;
    const char *latex;
} specials[] = {
    {'\\', "\\textbackslash{}"},
    {'{', "\\{"},
    {'}', "\\}"},
    {'$', "\\$"},
    {'&', "\\&"},
    {'#', "\\#"},
    {'%', "\\%"},
    {'_', "\\_"},
    {'^', "\\textasciicircum{}"},
    {'~', "\\textasciitilde{}"},
    {'<', "\\textless{}"},
    {'>', "\\textgreater{}"},
    {'|', "\\textbar{}"},
    {'"', "\\textquotedbl{}"},
    {'`', "\\textasciigrave{}"},
    {'\'', "\\textquotesingle{}"},
    {0, NULL},
};

/* ASCII only: what else a paper's fonts and encoding hold is not known here. */
int latex_text(FILE *to, const char *text, struct error **err) {
    cleanup_free char *clean = text_clean_ascii(text);
    if (!clean)
        return error_no_memory(err);
    for (const char *at = clean; *at; at++) {
        unsigned i = 0;
        while (specials[i].latex && specials[i].character != *at)
            i++;
        if (specials[i].latex)
            fputs(specials[i].latex, to);
        else
            putc(*at, to);
        /* Two hyphens would be a dash. */
        if (at[0] == '-' && at[1] == '-')
            fputs("{}", to);
    }
    return 0;
}

const char *latex_unit(const char *unit) {
    return strcmp(unit, "us") == 0 ? "\\textmu{}s" : NULL;
}

/* "1.2e+09" as "$1.2 \times 10^{9}$"; everything else as it is. */
void latex_number(FILE *to, const char *text) {
    const char *exponent = strchr(text, 'e');
    if (exponent)
        fprintf(to, "$%.*s \\times 10^{%d}$", (int)(exponent - text), text, atoi(exponent + 1));
    else
        fputs(strcmp(text, "-") == 0 ? "--" : text, to);
}

static int put_row(const struct report *report, const struct summary_metric *metric,
                   unsigned environment, FILE *to, struct error **err) {
    const struct summary_cell *cell = &metric->cells[environment];
    struct scale scale = scale_for(metric, report->summary->environment_count);
    char number[FORMAT_BYTES];
    fputs(environment ? "  & " : "  ", to);
    if (environment == 0) {
        if (latex_text(to, metric->workload, err) < 0)
            return -1;
        putc(' ', to);
        if (latex_text(to, metric->metric, err) < 0)
            return -1;
        fputs(" [", to);
        if (latex_unit(scale.unit))
            fputs(latex_unit(scale.unit), to);
        else if (latex_text(to, scale.unit, err) < 0)
            return -1;
        fputs("] & ", to);
    }
    if (latex_text(to, report->summary->environments[environment].title, err) < 0)
        return -1;
    if (cell->blocks == 0) {
        fputs(" & -- & & & & not measured \\\\\n", to);
        return 0;
    }
    fputs(" & ", to);
    latex_number(to, format_value(cell->median * scale.factor, number));
    fputs(" & ", to);
    if (isfinite(cell_spread(cell)) &&
        latex_text(to, format_percent(cell_spread(cell), true, number), err) < 0)
        return -1;
    fputs(" & ", to);
    if (isfinite(cell->ratio))
        latex_number(to, format_ratio(cell->ratio, number));
    fputs(" & ", to);
    if (cell_has_ratio_interval(cell)) {
        fputs("[", to);
        latex_number(to, format_end(cell->ratio_low, cell->ratio_high, number));
        fputs(", ", to);
        latex_number(to, format_end(cell->ratio_high, cell->ratio_low, number));
        fputs("]", to);
    }
    fprintf(to, " & %s \\\\\n", verdict_name(report_verdict(report, cell)));
    return 0;
}

static int put_rows(const struct report *report, FILE *to, struct error **err) {
    const struct summary *summary = report->summary;
    bool first = true;
    for (unsigned i = 0; i < summary->metric_count; i++) {
        if (!report_shows(report, &summary->metrics[i]))
            continue;
        fputs(first ? "" : "  \\addlinespace\n", to);
        first = false;
        for (unsigned j = 0; j < summary->environment_count; j++)
            if (put_row(report, &summary->metrics[i], j, to, err) < 0)
                return -1;
    }
    return 0;
}

static int put_caption(const struct report *report, FILE *to, struct error **err) {
    char confidence[40], margin[FORMAT_BYTES];
    unsigned blocks = report_blocks(report);
    report_confidence(report, confidence);
    format_percent(report->summary->options.margin, false, margin);
    cleanup_free char *text = text_format(
        "Medians of %u %s, their spread (scaled median absolute deviation), and ratios%s%s paired "
        "within blocks, with %s confidence intervals; the equivalence margin is %s.",
        blocks, blocks == 1 ? "block" : "blocks", report->summary->has_reference ? " to " : "",
        report->summary->has_reference ? report->summary->environments[0].title : "", confidence,
        margin);
    cleanup_text_list struct text_list warnings = {0};
    if (!text)
        return error_no_memory(err);
    if (report_warnings(report, &warnings, err) < 0)
        return -1;
    fputs("  \\caption{", to);
    if (latex_text(to, text, err) < 0)
        return -1;
    for (size_t i = 0; i < warnings.count; i++) {
        putc(' ', to);
        if (latex_text(to, warnings.items[i], err) < 0)
            return -1;
    }
    fputs("}\n", to);
    return 0;
}

static int write_latex(const struct report *report, FILE *to, struct error **err) {
    char confidence[40];
    cleanup_free char *methods = methods_paragraph(report);
    if (!methods)
        return error_no_memory(err);
    report_confidence(report, confidence);
    fputs("% Written by boxmark. Needs \\usepackage{booktabs} and \\usepackage{textcomp}, and\n"
          "% \\usepackage[T1]{fontenc}.\n"
          "\\begin{table}\n  \\centering\n",
          to);
    if (put_caption(report, to, err) < 0)
        return -1;
    fputs("  \\label{tab:boxmark}\n  \\begin{tabular}{@{}llrrrcl@{}}\n  \\toprule\n"
          "  Metric & Environment & Median & Spread & Ratio & ",
          to);
    if (latex_text(to, confidence, err) < 0)
        return -1;
    fputs(" interval & Verdict \\\\\n  \\midrule\n", to);
    if (put_rows(report, to, err) < 0)
        return -1;
    fputs("  \\bottomrule\n  \\end{tabular}\n\\end{table}\n\n% The methods, as text.\n", to);
    if (latex_text(to, methods, err) < 0)
        return -1;
    putc('\n', to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the LaTeX") : 0;
}

const struct report_writer writer_latex = {
    .name = "latex",
    .extension = "tex",
    .summary = "a table for a paper (booktabs)",
    .write = write_latex,
    .compare = compare_latex,
};
