// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs side by side as tidy CSV: one row for each (workload, metric, environment, run). */
#include "plots/compare.h"
#include "plots/csv.h"
#include "plots/format.h"

#include <inttypes.h>

static const char header[] =
    "workload,metric,unit,better,headline,environment,accelerator,run,folder,created,blocks,"
    "samples,median,median_low,median_high,ratio,ratio_low,ratio_high,verdict,change,change_low,"
    "change_high,change_verdict\n";

static int put_run(const struct comparison *comparison, const struct comparison_row *row,
                   unsigned index, FILE *to, struct error **err) {
    const struct comparison_cell *own = &row->cells[index];
    const struct compared_run *run = &comparison->runs[index];
    const char *created = json_string_value(json_object_get(run->record, "created"));
    const char *const before[] = {row->metric->workload, row->metric->metric, row->metric->unit,
                                  row->metric->better};
    const char *const after[] = {row->environment->label, row->environment->accelerator, run->name,
                                 run->folder, created ? created : ""};
    char number[FORMAT_BYTES];
    for (unsigned i = 0; i < sizeof(before) / sizeof(*before); i++) {
        if (csv_text(to, before[i], err) < 0)
            return -1;
        putc(',', to);
    }
    fprintf(to, "%d", row->metric->headline);
    for (unsigned i = 0; i < sizeof(after) / sizeof(*after); i++) {
        putc(',', to);
        if (csv_text(to, after[i], err) < 0)
            return -1;
    }
    if (!own->cell) {
        fputs(",0,0,,,,,,,,,,,\n", to);
        return 0;
    }
    fprintf(to, ",%u,%" PRIu64, own->cell->blocks, own->cell->samples);
    const double own_figures[] = {own->cell->median, own->cell->median_low, own->cell->median_high,
                                  own->cell->ratio,  own->cell->ratio_low,  own->cell->ratio_high};
    for (unsigned i = 0; i < sizeof(own_figures) / sizeof(*own_figures); i++)
        fprintf(to, ",%s", format_exact(own_figures[i], number));
    fprintf(to, ",%s", verdict_name(compare_verdict(row, index)));
    const double change[] = {own->change, own->change_low, own->change_high};
    for (unsigned i = 0; i < sizeof(change) / sizeof(*change); i++)
        fprintf(to, ",%s", format_exact(change[i], number));
    fprintf(to, ",%s\n", verdict_name(own->verdict));
    return 0;
}

int compare_csv(const struct report_comparison *report, FILE *to, struct error **err) {
    const struct comparison *comparison = report->comparison;
    fputs(header, to);
    for (size_t i = 0; i < comparison->row_count; i++)
        for (unsigned j = 0; j < comparison->run_count; j++)
            if (put_run(comparison, &comparison->rows[i], j, to, err) < 0)
                return -1;
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the CSV") : 0;
}
