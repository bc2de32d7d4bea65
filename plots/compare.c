// SPDX-License-Identifier: GPL-3.0-or-later
/* What a comparison of runs says in words. */
#include "plots/compare.h"

#include "common/file.h"
#include "plots/format.h"

#include <math.h>
#include <string.h>

bool compare_shows(const struct report_comparison *report, const struct comparison_row *row) {
    if (report->full || row->metric->headline)
        return true;
    for (size_t i = 0; i < report->comparison->row_count; i++)
        if (report->comparison->rows[i].metric->headline)
            return false;
    return true;
}

struct scale compare_scale(const struct comparison *comparison, const struct comparison_row *row) {
    struct summary_cell ends[2] = {{.blocks = 0}, {.blocks = 0}};
    struct summary_metric all = *row->metric;
    all.cells = ends;
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct comparison_row *other = &comparison->rows[i];
        if (strcmp(other->metric->workload, all.workload) != 0 ||
            strcmp(other->metric->metric, all.metric) != 0)
            continue;
        for (unsigned j = 0; j < comparison->run_count; j++) {
            const struct summary_cell *cell = other->cells[j].cell;
            if (!cell || cell->blocks == 0 || !(fabs(cell->median) > 0))
                continue;
            if (ends[0].blocks == 0 || fabs(cell->median) < fabs(ends[0].median))
                ends[0] = *cell;
            if (ends[1].blocks == 0 || fabs(cell->median) > fabs(ends[1].median))
                ends[1] = *cell;
        }
    }
    return scale_for(&all, 2);
}

enum verdict compare_verdict(const struct comparison_row *row, unsigned run) {
    const struct summary_cell *cell = row->cells[run].cell;
    bool judged = cell && (isfinite(cell->ratio) || cell->verdict == VERDICT_UNTRUSTWORTHY);
    return judged ? cell->verdict : VERDICT_NONE;
}

const char *compare_fact_name(const struct comparison_difference *difference) {
    static const char machine[] = "machine.";
    return strncmp(difference->what, machine, strlen(machine)) == 0
               ? difference->what + strlen(machine)
               : difference->what;
}

char *compare_run_words(const struct report_comparison *report, unsigned run) {
    const struct compared_run *own = &report->comparison->runs[run];
    unsigned blocks = 0;
    for (unsigned i = 0; i < own->summary->metric_count; i++)
        for (unsigned j = 0; j < own->summary->environment_count; j++)
            if (own->summary->metrics[i].cells[j].blocks > blocks)
                blocks = own->summary->metrics[i].cells[j].blocks;
    cleanup_free char *created = report_member_text(own->record, REPORT_PATH("created"));
    cleanup_free char *profile = report_member_text(own->record, REPORT_PATH("profile"));
    cleanup_free char *status = report_member_text(own->record, REPORT_PATH("status"));
    return text_format("%s, profile %s, %u block%s, %s, in %s", created ? created : "?",
                       profile ? profile : "?", blocks, blocks == 1 ? "" : "s",
                       status ? status : "?", own->folder);
}

int compare_legend(const struct report_comparison *report, struct text_list *list,
                   struct error **err) {
    const struct summary *first = report->comparison->runs[0].summary;
    char confidence[FORMAT_BYTES], margin[FORMAT_BYTES];
    format_percent(first->options.confidence, false, confidence);
    format_percent(first->options.margin, false, margin);
    if (text_list_add(list,
                      text_format("ratio: to %s of the same run, with its %s interval; these can "
                                  "be compared between machines, medians cannot",
                                  first->options.reference, confidence),
                      err) < 0 ||
        text_list_add(list,
                      text_format("change: the run's ratio over that of %s; its interval follows "
                                  "from those of both (method of variance estimates recovery)",
                                  report->comparison->runs[0].name),
                      err) < 0)
        return -1;
    return text_list_add(list,
                         text_format("better, worse: the whole interval lies more than %s from 1; "
                                     "~ same: all of it within %s; ? inconclusive: neither; "
                                     "! untrustworthy: the audit of one of the two runs failed. "
                                     "Changes are not corrected for their number",
                                     margin, margin),
                         err);
}

/* Environments under software emulation, run by run. */
static int warn_of_emulation(const struct compared_run *run, struct text_list *list,
                             struct error **err) {
    for (unsigned i = 0; i < run->summary->environment_count; i++)
        if (strcmp(run->summary->environments[i].accelerator, "TCG") == 0 &&
            text_list_add(list,
                          text_format("%s: %s ran under software emulation (TCG), not KVM: it says "
                                      "nothing about virtual machines on real hardware",
                                      run->name, run->summary->environments[i].title),
                          err) < 0)
            return -1;
    return 0;
}

static int warn_of_audit(const struct comparison *comparison, unsigned run, struct text_list *list,
                         struct error **err) {
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct summary_cell *cell = comparison->rows[i].cells[run].cell;
        if (cell && cell->verdict == VERDICT_UNTRUSTWORTHY)
            return text_list_add(
                list,
                text_format("%s: its audit failed (%s): what this touches is untrustworthy",
                            comparison->runs[run].name, cell->reason ? cell->reason : "no reason"),
                err);
    }
    return 0;
}

int compare_warnings(const struct report_comparison *report, struct text_list *list,
                     struct error **err) {
    const struct comparison *comparison = report->comparison;
    for (unsigned i = 0; i < comparison->run_count; i++) {
        const struct compared_run *run = &comparison->runs[i];
        const char *status = json_string_value(json_object_get(run->record, "status"));
        if (run->files_problem &&
            text_list_add(list,
                          text_format("%s: its files are not known to be as they were written: %s",
                                      run->name, run->files_problem),
                          err) < 0)
            return -1;
        if (warn_of_emulation(run, list, err) < 0 || warn_of_audit(comparison, i, list, err) < 0)
            return -1;
        if (status && strcmp(status, "finished") != 0 &&
            text_list_add(list,
                          text_format("%s: the run is not finished (%s): it holds fewer blocks "
                                      "than were planned",
                                      run->name, status),
                          err) < 0)
            return -1;
    }
    return 0;
}
