// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/gate_words.h"

#include "common/file.h"

#include <math.h>
#include <string.h>

char *gate_subject(const struct gate_row *row) {
    return text_format("%s/%s in %s", row->workload, row->metric, row->title);
}

char *gate_figure(const struct gate_report *report, const struct gate_row *row, double value,
                  char text[FORMAT_BYTES]) {
    char number[FORMAT_BYTES];
    if (!report->result->absolute || !isfinite(value))
        return format_ratio(value, text);
    snprintf(text, FORMAT_BYTES, "%.28s %.8s", format_value(value, number), row->unit);
    return text;
}

char *gate_percent(double change, char text[FORMAT_BYTES]) {
    char number[FORMAT_BYTES];
    if (!isfinite(change))
        return strcpy(text, "-");
    /* 0.04 % is shown as no change, and without a sign. */
    const char *sign = fabs(change) < 0.0005 ? "" : change < 0 ? "-" : "+";
    snprintf(text, FORMAT_BYTES, "%s%s", sign,
             format_percent(fabs(change) < 0.0005 ? 0 : fabs(change), false, number));
    return text;
}

char *gate_interval(const struct gate_row *row, char text[2 * FORMAT_BYTES + 8]) {
    char low[FORMAT_BYTES], high[FORMAT_BYTES];
    text[0] = '\0';
    if (isfinite(row->change_low) && isfinite(row->change_high))
        snprintf(text, 2 * FORMAT_BYTES + 8, "%s to %s", gate_percent(row->change_low, low),
                 gate_percent(row->change_high, high));
    return text;
}

char *gate_sentence(const struct gate_report *report, const struct gate_row *row) {
    char before[FORMAT_BYTES], now[FORMAT_BYTES], change[FORMAT_BYTES], margin[FORMAT_BYTES];
    char interval[2 * FORMAT_BYTES + 8];
    if (!isfinite(row->change))
        return text_format("%s", row->reason ? row->reason : verdict_name(row->verdict));
    return text_format("%s %s in the baseline, %s now: %s (%s); margin %s%s%s",
                       report->result->absolute ? "value" : "overhead",
                       gate_figure(report, row, row->before, before),
                       gate_figure(report, row, row->now, now), gate_percent(row->change, change),
                       gate_interval(row, interval), format_percent(row->margin, false, margin),
                       row->reason ? "; " : "", row->reason ? row->reason : "");
}

char *gate_conclusion(const struct gate_report *report) {
    static const enum verdict order[] = {VERDICT_WORSE, VERDICT_UNTRUSTWORTHY, VERDICT_INCONCLUSIVE,
                                         VERDICT_BETTER, VERDICT_SAME};
    const struct gate_result *result = report->result;
    unsigned ignored = 0;
    for (size_t i = 0; i < result->row_count; i++)
        ignored += result->rows[i].ignored;
    char *text =
        text_format("%s: of %zu metrics", verdict_name(gate_verdict(result)), result->row_count);
    const char *separator = " ";
    for (unsigned i = 0; text && i < sizeof(order) / sizeof(*order); i++) {
        if (result->counts[order[i]] == 0)
            continue;
        char *longer = text_format("%s%s%u %s", text, separator, result->counts[order[i]],
                                   verdict_name(order[i]));
        separator = ", ";
        free(text);
        text = longer;
    }
    if (text && ignored) {
        char *longer = text_format("%s%s%u ignored", text, separator, ignored);
        free(text);
        text = longer;
    }
    return text;
}

char *gate_settings_words(const struct gate_report *report) {
    const char *path = report->result->settings_path;
    return path ? text_format("Settings: %s", path) : strdup("Settings: the defaults, no file");
}

char *gate_legend(const struct gate_report *report) {
    const struct gate_result *result = report->result;
    char confidence[FORMAT_BYTES];
    return text_format(
        "%s. Worse: the interval excludes no change, and the change is beyond the margin. The "
        "intervals hold together: when nothing has changed, the chance that any of the %u metrics "
        "is called worse is at most %s. The baseline holds %u run%s.%s",
        result->absolute ? "Figures are the environment's own, in this machine's time"
                         : "Figures are ratios to the host of the same run",
        result->compared, format_percent(1 - result->confidence, false, confidence),
        result->before_runs, result->before_runs == 1 ? "" : "s",
        report->retries ? " Suspicious metrics were measured again; all of their blocks count."
                        : "");
}
