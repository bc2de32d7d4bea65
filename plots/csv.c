// SPDX-License-Identifier: GPL-3.0-or-later
/* The summary as tidy CSV: one row for each (workload, metric, environment). Quoting is libcsv's.
 */
#include "plots/csv.h"
#include "common/text.h"
#include "plots/compare.h"
#include "plots/format.h"
#include "plots/words.h"
#include "plots/writers.h"

#include <csv.h>
#include <inttypes.h>
#include <string.h>

static const char header[] =
    "workload,metric,unit,better,headline,environment,accelerator,blocks,samples,median,median_low,"
    "median_high,minimum,maximum,mad,variation,pairs,ratio,ratio_low,ratio_high,p_value,p_holm,"
    "detectable,verdict,reason\n";

/*
 * Spreadsheets run a text that begins like a formula, quoted or not. No name of ours does; one that
 * comes from elsewhere is shown to be text.
 */
int csv_text(FILE *to, const char *text, struct error **err) {
    cleanup_free char *clean = text_clean(text);
    if (!clean)
        return error_no_memory(err);
    if (*clean && strchr("=+-@", *clean)) {
        cleanup_free char *marked = malloc(strlen(clean) + 2);
        if (!marked)
            return error_no_memory(err);
        marked[0] = '\'';
        strcpy(marked + 1, clean);
        csv_fwrite(to, marked, strlen(marked));
    } else {
        csv_fwrite(to, clean, strlen(clean));
    }
    return 0;
}

static int put_row(const struct report *report, const struct summary_metric *metric,
                   unsigned environment, FILE *to, struct error **err) {
    const struct summary_cell *cell = &metric->cells[environment];
    const struct summary_environment *own = &report->summary->environments[environment];
    const char *const names[] = {metric->workload, metric->metric, metric->unit, metric->better};
    for (unsigned i = 0; i < 4; i++) {
        if (csv_text(to, names[i], err) < 0)
            return -1;
        putc(',', to);
    }
    fprintf(to, "%d,", metric->headline);
    if (csv_text(to, own->label, err) < 0)
        return -1;
    putc(',', to);
    if (csv_text(to, own->accelerator, err) < 0)
        return -1;
    fprintf(to, ",%u,%" PRIu64, cell->blocks, cell->samples);
    bool measured = cell->blocks > 0;
    const double before[] = {cell->median,  cell->median_low, cell->median_high, cell->minimum,
                             cell->maximum, cell->mad,        cell->variation};
    const double after[] = {cell->ratio,   cell->ratio_low, cell->ratio_high,
                            cell->p_value, cell->p_holm,    cell->detectable};
    char number[FORMAT_BYTES];
    for (unsigned i = 0; i < sizeof(before) / sizeof(*before); i++)
        fprintf(to, ",%s", measured ? format_exact(before[i], number) : "");
    fprintf(to, ",%u", cell->pairs);
    for (unsigned i = 0; i < sizeof(after) / sizeof(*after); i++)
        fprintf(to, ",%s", measured ? format_exact(after[i], number) : "");
    fprintf(to, ",%s,", verdict_name(report_verdict(report, cell)));
    if (csv_text(to, cell->reason ? cell->reason : "", err) < 0)
        return -1;
    putc('\n', to);
    return 0;
}

static int write_csv(const struct report *report, FILE *to, struct error **err) {
    fputs(header, to);
    for (unsigned i = 0; i < report->summary->metric_count; i++)
        for (unsigned j = 0; j < report->summary->environment_count; j++)
            if (put_row(report, &report->summary->metrics[i], j, to, err) < 0)
                return -1;
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the CSV") : 0;
}

const struct report_writer writer_csv = {
    .name = "csv",
    .extension = "csv",
    .summary = "every figure of the summary, one row for each environment and metric",
    .write = write_csv,
    .compare = compare_csv,
};
