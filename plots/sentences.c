// SPDX-License-Identifier: GPL-3.0-or-later
/* Figures as sentences: one comparison in full, or one headline in short. */
#include "plots/words.h"

#include "common/file.h"
#include "plots/format.h"
#include "plots/reasons.h"

#include <math.h>
#include <string.h>

/* How a sentence calls what was done. */
static const struct subject {
    const char *workload, *metric, *words;
} subjects[] = {
    {"prime", "time", "Finding prime numbers"},
    {"zip", "time", "Compression"},
    {"stream", "copy", "Copying memory"},
    {"stream", "triad", "Memory traffic (triad)"},
    {"disk", "seq_write", "Sequential writing to disk"},
    {"disk", "seq_read", "Sequential reading from disk"},
    {"disk", "rand_read", "Random reading from disk"},
    {"disk", "rand_write", "Random writing to disk"},
    {"startup", "ready", "Starting"},
    {"startup", "cold_ready", "Starting with cold caches"},
    {NULL, NULL, NULL},
};

static char *subject_of(const struct summary_metric *metric) {
    for (const struct subject *at = subjects; at->workload; at++)
        if (strcmp(at->workload, metric->workload) == 0 && strcmp(at->metric, metric->metric) == 0)
            return strdup(at->words);
    return text_format("%s %s", metric->workload, metric->metric);
}

static bool is_time(const struct summary_metric *metric) {
    static const char *const units[] = {"s", "ms", "us", "ns", NULL};
    for (const char *const *unit = units; *unit; unit++)
        if (strcmp(metric->unit, *unit) == 0)
            return true;
    return false;
}

static bool is_rate(const struct summary_metric *metric) {
    const char *slash = strchr(metric->unit, '/');
    return slash && strcmp(slash, "/s") == 0;
}

/* One runs "on" a host and "in" everything else. */
static const char *preposition(const char *label) {
    return strncmp(label, "host", 4) == 0 ? "on" : "in";
}

static char *verdict_clause(const struct report *report, const struct summary_metric *metric,
                            const struct summary_cell *cell) {
    char margin[FORMAT_BYTES];
    format_percent(report->summary->options.margin, false, margin);
    switch (report_verdict(report, cell)) {
    case VERDICT_BETTER:
        return strdup(": better");
    case VERDICT_WORSE:
        return strdup(": worse");
    case VERDICT_SAME:
        return text_format(": the same within %s", margin);
    case VERDICT_INCONCLUSIVE:
        if (reason_is_chance(report, metric, cell))
            return text_format(": inconclusive, although the interval lies beyond the margin of "
                               "%s: %s",
                               margin, cell->reason);
        /* Its reason repeats the interval, where there is one. */
        if (cell_has_ratio_interval(cell) || !cell->reason)
            return text_format(": inconclusive at a margin of %s", margin);
        return text_format(": inconclusive (%s)", cell->reason);
    case VERDICT_UNTRUSTWORTHY:
        /* Why is said once, among the warnings. */
        return strdup(": not to be trusted");
    case VERDICT_NONE:
        break;
    }
    return strdup("");
}

char *report_sentence(const struct report *report, const struct summary_metric *metric,
                      unsigned environment) {
    const struct summary *summary = report->summary;
    const struct summary_environment *own = &summary->environments[environment];
    const struct summary_cell *cell = &metric->cells[environment];
    int reference = report_reference(report);
    cleanup_free char *subject = subject_of(metric);
    cleanup_free char *clause = verdict_clause(report, metric, cell);
    if (!subject || !clause)
        return NULL;
    const char *in = preposition(own->label);
    char first[FORMAT_BYTES], low[FORMAT_BYTES], high[FORMAT_BYTES], confidence[40];
    if (cell->blocks == 0)
        return text_format("%s %s %s was not measured.", subject, in, own->title);
    if (reference < 0 || !isfinite(cell->ratio)) {
        struct scale scale = scale_for(metric, summary->environment_count);
        return text_format("%s %s %s: %s %s (median of %u %s)%s.", subject, in, own->title,
                           format_value(cell->median * scale.factor, first), scale.unit,
                           cell->blocks, cell->blocks == 1 ? "block" : "blocks", clause);
    }
    cleanup_free char *interval =
        cell_has_ratio_interval(cell)
            ? text_format(", %s interval %s to %s", report_confidence(report, confidence),
                          format_end(cell->ratio_low, cell->ratio_high, low),
                          format_end(cell->ratio_high, cell->ratio_low, high))
            : strdup(" (too few blocks for an interval)");
    const char *host = summary->environments[reference].title;
    const char *on = preposition(summary->environments[reference].label);
    format_ratio(cell->ratio, first);
    if (!interval)
        return NULL;
    if (is_time(metric))
        return text_format("%s %s %s takes %s times as long as %s %s%s%s.", subject, in, own->title,
                           first, on, host, interval, clause);
    return text_format("%s %s %s reaches %s times the %s %s %s%s%s.", subject, in, own->title,
                       first, is_rate(metric) ? "throughput" : "figure", on, host, interval,
                       clause);
}

/* How a figure reads beside the reference's: "times as long as". */
static const char *relation(const struct summary_metric *metric) {
    return is_time(metric)   ? "times as long as"
           : is_rate(metric) ? "times the throughput"
                             : "times the figure";
}

/* "1.002 in container (same)". */
static char *answer_part(const struct report *report, const struct summary_metric *metric,
                         unsigned environment) {
    const struct summary_cell *cell = &metric->cells[environment];
    const struct summary_environment *own = &report->summary->environments[environment];
    const char *verdict = verdict_name(report_verdict(report, cell));
    char ratio[FORMAT_BYTES];
    if (!isfinite(cell->ratio))
        return text_format("no ratio %s %s", preposition(own->label), own->title);
    return text_format("%s %s %s%s%s%s", format_ratio(cell->ratio, ratio), preposition(own->label),
                       own->title, *verdict ? " (" : "", verdict, *verdict ? ")" : "");
}

enum { ANSWER_PARTS = 2 };

/* The environments that a short answer names: all, or where there are many the two extremes. */
static unsigned answer_choose(const struct report *report, const struct summary_metric *metric,
                              unsigned chosen[ANSWER_PARTS], bool *ret_extremes) {
    unsigned measured = 0, count = 0, low = 0, high = 0;
    for (unsigned i = 1; i < report->summary->environment_count; i++) {
        const struct summary_cell *cell = &metric->cells[i];
        if (cell->blocks == 0)
            continue;
        if (++measured <= ANSWER_PARTS)
            chosen[count++] = i;
        if (!isfinite(cell->ratio))
            continue;
        if (!low || cell->ratio < metric->cells[low].ratio)
            low = i;
        if (!high || cell->ratio > metric->cells[high].ratio)
            high = i;
    }
    *ret_extremes = measured > ANSWER_PARTS && low != high;
    if (*ret_extremes) {
        chosen[0] = low;
        chosen[1] = high;
        count = 2;
    }
    return count;
}

char *report_answer(const struct report *report, const struct summary_metric *metric) {
    const struct summary *summary = report->summary;
    unsigned chosen[ANSWER_PARTS];
    bool extremes = false;
    unsigned count =
        report_reference(report) < 0 ? 0 : answer_choose(report, metric, chosen, &extremes);
    if (count == 0)
        return report_sentence(report, metric, 0);
    cleanup_free char *subject = subject_of(metric);
    cleanup_free char *parts = strdup("");
    for (unsigned i = 0; parts && i < count; i++) {
        cleanup_free char *part = answer_part(report, metric, chosen[i]);
        char *longer = part ? text_format("%s%s%s", parts,
                                          i == 0           ? ""
                                          : extremes       ? " to "
                                          : i + 1 == count ? " and "
                                                           : ", ",
                                          part)
                            : NULL;
        free(parts);
        parts = longer;
    }
    if (!subject || !parts)
        return NULL;
    return text_format("%s, %s %s %s: %s%s.", subject, relation(metric),
                       preposition(summary->environments[0].label), summary->environments[0].title,
                       extremes ? "from " : "", parts);
}
