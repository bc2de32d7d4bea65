// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The table for a terminal. One line an environment, so that any number of environments fits any
 * width; where a line is too narrow, ratio and interval go to a second one.
 */
#include "common/file.h"
#include "common/text.h"
#include "plots/claim_words.h"
#include "plots/compare.h"
#include "plots/format.h"
#include "plots/side_table.h"
#include "plots/words.h"
#include "plots/writers.h"

#include <math.h>
#include <string.h>

/* Widths of the columns after the environment's title, the space before each included. */
enum {
    MEDIAN_COLUMNS = 10,
    SPREAD_COLUMNS = 7,
    RATIO_COLUMNS = 8,
    INTERVAL_COLUMNS = 17,
    VERDICT_COLUMNS = 17, /* "! untrustworthy" after two spaces */
    FIGURES_COLUMNS =
        MEDIAN_COLUMNS + SPREAD_COLUMNS + RATIO_COLUMNS + INTERVAL_COLUMNS + VERDICT_COLUMNS,
    INDENT_COLUMNS = 2,
    TITLE_COLUMNS_MIN = 11,
    BAR_COLUMNS_MIN = 6,
    BAR_COLUMNS_MAX = 30,
    COLUMNS_MIN = 32,
};

struct table {
    const struct report *report;
    FILE *to;
    unsigned columns, title_columns, bar_columns;
    bool wide;
    char **titles; /* harmless, one an environment */
};

static void table_cleanup(struct table *table) {
    for (unsigned i = 0; table->titles && i < table->report->summary->environment_count; i++)
        free(table->titles[i]);
    free(table->titles);
}

enum tone { TONE_PLAIN, TONE_BOLD, TONE_DIM, TONE_GOOD, TONE_BAD, TONE_UNSURE, TONE_DISTRUST };
static const char *const tones[] = {
    [TONE_PLAIN] = NULL, [TONE_BOLD] = "1",    [TONE_DIM] = "2",         [TONE_GOOD] = "32",
    [TONE_BAD] = "31",   [TONE_UNSURE] = "33", [TONE_DISTRUST] = "1;35",
};

static void put_toned(const struct table *table, enum tone tone, const char *text) {
    if (table->report->color && tones[tone] && *text)
        fprintf(table->to, "\033[%sm%s\033[0m", tones[tone], text);
    else
        fputs(text, table->to);
}

static void put_spaces(const struct table *table, unsigned count) {
    fprintf(table->to, "%*s", (int)count, "");
}

static void put_right(const struct table *table, const char *text, unsigned columns) {
    unsigned width = text_width(text);
    put_spaces(table, width < columns ? columns - width : 1);
    fputs(text, table->to);
}

static char *harmless(const struct table *table, const char *text) {
    return table->report->ascii ? text_clean_ascii(text) : text_clean(text);
}

/* A paragraph, its further lines indented. */
static int put_paragraph(const struct table *table, const char *first, const char *indent,
                         enum tone tone, const char *text, struct error **err) {
    cleanup_free char *clean = harmless(table, text);
    if (!clean)
        return error_no_memory(err);
    cleanup_free char *wrapped = text_wrap(clean, table->columns - text_width(indent));
    if (!wrapped)
        return error_no_memory(err);
    char *rest = wrapped;
    for (char *line; (line = strsep(&rest, "\n")); first = indent) {
        fputs(first, table->to);
        put_toned(table, tone, line);
        putc('\n', table->to);
    }
    return 0;
}

static const char *shown_unit(const struct table *table, const char *unit) {
    return strcmp(unit, "us") == 0 && !table->report->ascii ? "µs" : unit;
}

static void put_verdict(const struct table *table, enum verdict verdict) {
    char text[32];
    switch (verdict) {
    case VERDICT_BETTER:
        put_toned(table, TONE_GOOD, "better");
        return;
    case VERDICT_WORSE:
        put_toned(table, TONE_BAD, "worse");
        return;
    case VERDICT_NONE:
        return;
    case VERDICT_SAME:
    case VERDICT_INCONCLUSIVE:
    case VERDICT_UNTRUSTWORTHY:
        break;
    }
    snprintf(text, sizeof(text), "%s %s", verdict_mark(verdict), verdict_name(verdict));
    put_toned(table,
              verdict == VERDICT_SAME           ? TONE_DIM
              : verdict == VERDICT_INCONCLUSIVE ? TONE_UNSURE
                                                : TONE_DISTRUST,
              text);
}

static unsigned verdict_columns(enum verdict verdict) {
    bool marked = verdict == VERDICT_SAME || verdict == VERDICT_INCONCLUSIVE ||
                  verdict == VERDICT_UNTRUSTWORTHY;
    return (unsigned)strlen(verdict_name(verdict)) + (marked ? 2 : 0);
}

/* The median as a bar, the longest of the metric being 1. */
static void put_bar(const struct table *table, double part) {
    if (!(part > 0) || part > 1)
        return;
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    unsigned steps = (unsigned)lround(part * table->bar_columns * 8);
    if (table->report->ascii)
        steps = (steps + 4) / 8 * 8;
    if (steps == 0)
        steps = table->report->ascii ? 8 : 1;
    for (; steps >= 8; steps -= 8)
        fputs(table->report->ascii ? "#" : "█", table->to);
    fputs(eighths[steps], table->to);
}

static void format_interval(const struct summary_cell *cell, char text[2 * FORMAT_BYTES + 8]) {
    char low[FORMAT_BYTES], high[FORMAT_BYTES];
    text[0] = '\0';
    if (cell_has_ratio_interval(cell))
        snprintf(text, 2 * FORMAT_BYTES + 8, "[%s, %s]",
                 format_end(cell->ratio_low, cell->ratio_high, low),
                 format_end(cell->ratio_high, cell->ratio_low, high));
    else if (isfinite(cell->ratio))
        strcpy(text, "no interval");
}

/* Ratio, interval, verdict on a line of their own. */
static void put_comparison_narrow(const struct table *table, const struct summary_cell *cell) {
    char ratio[FORMAT_BYTES], interval[2 * FORMAT_BYTES + 8];
    if (!isfinite(cell->ratio) && report_verdict(table->report, cell) == VERDICT_NONE)
        return;
    format_interval(cell, interval);
    unsigned used = (unsigned)fprintf(table->to, "    ");
    if (isfinite(cell->ratio))
        used += (unsigned)fprintf(table->to, "%s %s ", format_ratio(cell->ratio, ratio), interval);
    if (used + verdict_columns(report_verdict(table->report, cell)) > table->columns)
        fputs("\n    ", table->to);
    put_verdict(table, report_verdict(table->report, cell));
    putc('\n', table->to);
}

static void put_comparison_wide(const struct table *table, const struct summary_cell *cell,
                                double part) {
    char ratio[FORMAT_BYTES], interval[2 * FORMAT_BYTES + 8];
    bool compared = isfinite(cell->ratio);
    format_interval(cell, interval);
    bool bar = table->bar_columns > 0 && part > 0;
    if (!compared && report_verdict(table->report, cell) == VERDICT_NONE && !bar) {
        putc('\n', table->to);
        return;
    }
    put_right(table, compared ? format_ratio(cell->ratio, ratio) : "", RATIO_COLUMNS);
    unsigned width = (unsigned)fprintf(table->to, " %s", interval);
    if (bar || report_verdict(table->report, cell) != VERDICT_NONE)
        put_spaces(table, (width < INTERVAL_COLUMNS ? INTERVAL_COLUMNS - width : 0) + 2);
    put_verdict(table, report_verdict(table->report, cell));
    if (bar) {
        put_spaces(table,
                   VERDICT_COLUMNS - 1 - verdict_columns(report_verdict(table->report, cell)));
        put_bar(table, part);
    }
    putc('\n', table->to);
}

static int put_environment(const struct table *table, const struct summary_metric *metric,
                           unsigned environment, struct scale scale, double longest,
                           struct error **err) {
    const struct summary_cell *cell = &metric->cells[environment];
    const char *title = table->titles[environment];
    unsigned width = text_width(title);
    if (width <= table->title_columns) {
        fprintf(table->to, "  %s", title);
        put_spaces(table, table->title_columns - width);
    } else {
        if (put_paragraph(table, "  ", "    ", TONE_PLAIN, title, err) < 0)
            return -1;
        put_spaces(table, INDENT_COLUMNS + table->title_columns);
    }
    if (cell->blocks == 0) {
        fputs("  ", table->to);
        put_toned(table, TONE_DIM, "not measured");
        putc('\n', table->to);
        return 0;
    }
    char number[FORMAT_BYTES], spread[FORMAT_BYTES + 4] = "-";
    put_right(table, format_value(cell->median * scale.factor, number), MEDIAN_COLUMNS);
    if (isfinite(cell_spread(cell)))
        snprintf(spread, sizeof(spread), "%s%s", table->report->ascii ? "+-" : "±",
                 format_percent(cell_spread(cell), true, number));
    put_right(table, spread, SPREAD_COLUMNS);
    if (table->wide) {
        put_comparison_wide(table, cell, cell->median / longest);
    } else {
        putc('\n', table->to);
        put_comparison_narrow(table, cell);
    }
    return 0;
}

static int put_metric(const struct table *table, const struct summary_metric *metric,
                      struct error **err) {
    unsigned environment_count = table->report->summary->environment_count;
    struct scale scale = scale_for(metric, environment_count);
    cleanup_free char *name = text_format("%s %s", metric->workload, metric->metric);
    cleanup_free char *clean = name ? harmless(table, name) : NULL;
    const char *better = better_words(metric);
    cleanup_free char *unit = harmless(table, shown_unit(table, scale.unit));
    if (!clean || !unit)
        return error_no_memory(err);
    putc('\n', table->to);
    put_toned(table, TONE_BOLD, clean);
    unsigned used = text_width(clean) + text_width(unit) + (unsigned)strlen(better) + 5;
    fprintf(table->to, "%s(%s%s%s)\n", used > table->columns ? "\n  " : " ", unit,
            *better ? ", " : "", better);
    double longest = 0;
    for (unsigned i = 0; i < environment_count; i++)
        if (metric->cells[i].blocks > 0 && metric->cells[i].median > longest)
            longest = metric->cells[i].median;
    for (unsigned i = 0; i < environment_count; i++)
        if (put_environment(table, metric, i, scale, longest, err) < 0)
            return -1;
    return 0;
}

static int put_head(const struct table *table, struct error **err) {
    const struct report *report = table->report;
    cleanup_free char *names = NULL;
    for (unsigned i = 0; i < report->summary->environment_count; i++) {
        char *longer =
            text_format("%s%s%s", names ? names : "boxmark: ", names ? ", " : "", table->titles[i]);
        free(names);
        names = longer;
        if (!names)
            return error_no_memory(err);
    }
    if (put_paragraph(table, "", "  ", TONE_BOLD, names ? names : "boxmark: nothing was measured",
                      err) < 0)
        return -1;
    cleanup_free char *profile = report_member_text(report->run, REPORT_PATH("profile"));
    cleanup_free char *created = report_member_text(report->run, REPORT_PATH("created"));
    unsigned blocks = report_blocks(report);
    cleanup_free char *facts =
        text_format("%u %s, %llu samples%s%s%s%s", blocks, blocks == 1 ? "block" : "blocks",
                    (unsigned long long)report->summary->sample_count, profile ? ", profile " : "",
                    profile ? profile : "", created ? ", " : "", created ? created : "");
    if (!facts)
        return error_no_memory(err);
    if (put_paragraph(table, "", "  ", TONE_PLAIN, facts, err) < 0)
        return -1;
    if (!table->wide || report->summary->metric_count == 0)
        return 0;
    char confidence[40], interval[64];
    snprintf(interval, sizeof(interval), "%s interval", report_confidence(report, confidence));
    putc('\n', table->to);
    put_spaces(table, INDENT_COLUMNS + table->title_columns);
    put_right(table, "median", MEDIAN_COLUMNS);
    put_right(table, "spread", SPREAD_COLUMNS);
    put_right(table, "ratio", RATIO_COLUMNS);
    fprintf(table->to, " %-*s verdict\n", INTERVAL_COLUMNS, interval);
    return 0;
}

/* Published ratios: they need words more than columns. */
static int put_claims(const struct table *table, struct error **err) {
    const struct report *report = table->report;
    if (!report->claims || report->claims->count == 0)
        return 0;
    cleanup_free char *total = claims_total(report->claims);
    if (!total)
        return error_no_memory(err);
    putc('\n', table->to);
    if (put_paragraph(table, "", "  ", TONE_BOLD, total, err) < 0)
        return -1;
    for (size_t i = 0; i < report->claims->count; i++) {
        const struct claim *claim = &report->claims->claims[i];
        cleanup_free char *subject = claim_subject(report, claim);
        cleanup_free char *published = claim_published(claim);
        cleanup_free char *own = claim_own(claim);
        cleanup_free char *outcome = claim_outcome_text(claim);
        cleanup_free char *line =
            subject && published && own && outcome
                ? text_format("published %s, here %s: %s", published, own, outcome)
                : NULL;
        if (!line)
            return error_no_memory(err);
        enum tone tone = claim->outcome == CLAIM_REPRODUCED       ? TONE_GOOD
                         : claim->outcome == CLAIM_NOT_REPRODUCED ? TONE_BAD
                                                                  : TONE_PLAIN;
        if (put_paragraph(table, "", "  ", TONE_PLAIN, subject, err) < 0 ||
            put_paragraph(table, "    ", "    ", tone, line, err) < 0)
            return -1;
    }
    return 0;
}

/* The footprint; what was counted is long, and only shown with everything else. */
static int put_side_tables(const struct table *table, struct error **err) {
    cleanup_side_tables struct side_tables tables = {0};
    if (side_tables_make(table->report, &tables, err) < 0)
        return -1;
    for (unsigned i = 0; i < tables.count && (i == 0 || table->report->full); i++) {
        putc('\n', table->to);
        if (side_table_write(&tables.tables[i], table->columns, table->report->ascii, table->to,
                             err) < 0)
            return -1;
    }
    return 0;
}

static int put_foot(const struct table *table, struct error **err) {
    cleanup_text_list struct text_list legend = {0}, warnings = {0};
    if (report_legend(table->report, &legend, err) < 0 ||
        report_warnings(table->report, &warnings, err) < 0)
        return -1;
    putc('\n', table->to);
    for (size_t i = 0; i < legend.count; i++)
        if (put_paragraph(table, "", "  ", TONE_PLAIN, legend.items[i], err) < 0)
            return -1;
    for (size_t i = 0; i < warnings.count; i++) {
        cleanup_free char *text = text_format("WARNING: %s", warnings.items[i]);
        if (!text)
            return error_no_memory(err);
        putc('\n', table->to);
        if (put_paragraph(table, "", "  ", TONE_DISTRUST, text, err) < 0)
            return -1;
    }
    return 0;
}

static int table_init(struct table *table, const struct report *report, FILE *to,
                      struct error **err) {
    *table = (struct table){.report = report, .to = to};
    table->columns = report->columns ? report->columns : 80;
    if (table->columns < COLUMNS_MIN)
        table->columns = COLUMNS_MIN;
    table->titles = calloc(report->summary->environment_count + 1, sizeof(*table->titles));
    if (!table->titles)
        return error_no_memory(err);
    unsigned widest = TITLE_COLUMNS_MIN;
    table->wide = table->columns >= INDENT_COLUMNS + TITLE_COLUMNS_MIN + FIGURES_COLUMNS;
    unsigned most = table->columns - INDENT_COLUMNS -
                    (table->wide ? FIGURES_COLUMNS : MEDIAN_COLUMNS + SPREAD_COLUMNS);
    for (unsigned i = 0; i < report->summary->environment_count; i++) {
        table->titles[i] = harmless(table, report->summary->environments[i].title);
        if (!table->titles[i])
            return error_no_memory(err);
        unsigned width = text_width(table->titles[i]);
        /* A title that does not fit gets a line of its own and sets no width. */
        if (width > widest && width <= most)
            widest = width;
    }
    table->title_columns = widest < most ? widest : most;
    unsigned rest = table->wide ? most - table->title_columns : 0;
    if (rest > BAR_COLUMNS_MIN)
        table->bar_columns = rest - 1 < BAR_COLUMNS_MAX ? rest - 1 : BAR_COLUMNS_MAX;
    return 0;
}

static int write_terminal(const struct report *report, FILE *to, struct error **err) {
    __attribute__((cleanup(table_cleanup))) struct table table = {0};
    if (table_init(&table, report, to, err) < 0 || put_head(&table, err) < 0)
        return -1;
    for (unsigned i = 0; i < report->summary->metric_count; i++)
        if (report_shows(report, &report->summary->metrics[i]) &&
            put_metric(&table, &report->summary->metrics[i], err) < 0)
            return -1;
    if (put_claims(&table, err) < 0 || put_side_tables(&table, err) < 0 ||
        put_foot(&table, err) < 0)
        return -1;
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the table") : 0;
}

const struct report_writer writer_terminal = {
    .name = "terminal",
    .extension = "txt",
    .summary = "a table for a terminal",
    .write = write_terminal,
    .compare = compare_terminal,
};
