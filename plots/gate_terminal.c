// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The table of a check for a terminal: a line each, two where that is too narrow for them, three
 * where it is narrower still. The interval, which decides, is shown in each.
 */
#include "common/file.h"
#include "common/text.h"
#include "plots/gate_words.h"

#include <string.h>

enum {
    FIGURE_COLUMNS = 11,
    CHANGE_COLUMNS = 9,
    COLUMNS_MIN = 32,
};

struct table {
    const struct gate_report *report;
    FILE *to;
    unsigned columns, subject_columns, interval_columns;
    bool wide;  /* the subject stands before its figures, not on a line of its own */
    bool three; /* the interval stands on a line of its own, too */
};

static const char *ignored_word(const struct gate_row *row) {
    return row->ignored ? " (ignored)" : "";
}

static const char *tone_of(enum verdict verdict) {
    switch (verdict) {
    case VERDICT_WORSE:
        return "31";
    case VERDICT_BETTER:
        return "32";
    case VERDICT_INCONCLUSIVE:
        return "33";
    case VERDICT_UNTRUSTWORTHY:
        return "1;35";
    case VERDICT_SAME:
    case VERDICT_NONE:
        break;
    }
    return "2";
}

static void put_toned(const struct table *table, const char *tone, const char *text) {
    if (table->report->color && *text)
        fprintf(table->to, "\033[%sm%s\033[0m", tone, text);
    else
        fputs(text, table->to);
}

static int put_paragraph(const struct table *table, const char *indent, const char *tone,
                         const char *text, struct error **err) {
    cleanup_free char *clean = table->report->ascii ? text_clean_ascii(text) : text_clean(text);
    cleanup_free char *wrapped =
        clean ? text_wrap(clean, table->columns - (unsigned)strlen(indent)) : NULL;
    if (!wrapped)
        return error_no_memory(err);
    char *rest = wrapped;
    for (char *line; (line = strsep(&rest, "\n"));) {
        fputs(indent, table->to);
        put_toned(table, tone, line);
        putc('\n', table->to);
    }
    return 0;
}

static int put_row(const struct table *table, const struct gate_row *row, struct error **err) {
    char before[FORMAT_BYTES], now[FORMAT_BYTES], change[FORMAT_BYTES];
    char interval[2 * FORMAT_BYTES + 8];
    cleanup_free char *subject = gate_subject(row);
    cleanup_free char *clean =
        subject ? (table->report->ascii ? text_clean_ascii(subject) : text_clean(subject)) : NULL;
    if (!clean)
        return error_no_memory(err);
    fprintf(table->to, "%s%*s", clean,
            table->wide && text_width(clean) < table->subject_columns
                ? (int)(table->subject_columns - text_width(clean))
                : 0,
            "");
    if (!table->wide || text_width(clean) > table->subject_columns)
        fprintf(table->to, "\n%*s", table->wide ? (int)table->subject_columns : 0, "");
    fprintf(table->to, " %*s %*s %*s", FIGURE_COLUMNS - 1,
            gate_figure(table->report, row, row->before, before), FIGURE_COLUMNS - 1,
            gate_figure(table->report, row, row->now, now), CHANGE_COLUMNS - 1,
            gate_percent(row->change, change));
    gate_interval(row, interval);
    if (!table->three)
        fprintf(table->to, "  %-*s", (int)table->interval_columns, interval);
    fputs("  ", table->to);
    put_toned(table, tone_of(row->verdict), verdict_name(row->verdict));
    fprintf(table->to, "%s\n", ignored_word(row));
    if (table->three && *interval)
        fprintf(table->to, "    interval %s\n", interval);
    return row->reason ? put_paragraph(table, "    ", tone_of(row->verdict), row->reason, err) : 0;
}

static void table_init(struct table *table, const struct gate_report *report, FILE *to) {
    *table = (struct table){
        .report = report, .to = to, .columns = report->columns ? report->columns : 80};
    if (table->columns < COLUMNS_MIN)
        table->columns = COLUMNS_MIN;
    unsigned verdict_columns = 0, figures_columns;
    table->interval_columns = strlen("interval");
    for (size_t i = 0; i < report->result->row_count; i++) {
        const struct gate_row *row = &report->result->rows[i];
        char interval[2 * FORMAT_BYTES + 8];
        unsigned width = (unsigned)strlen(gate_interval(row, interval));
        unsigned verdict =
            (unsigned)(strlen(verdict_name(row->verdict)) + strlen(ignored_word(row)));
        if (width > table->interval_columns)
            table->interval_columns = width;
        if (verdict > verdict_columns)
            verdict_columns = verdict;
    }
    figures_columns =
        2 * FIGURE_COLUMNS + CHANGE_COLUMNS + 2 + table->interval_columns + 2 + verdict_columns;
    table->three = table->columns < figures_columns;
    unsigned room = table->columns > figures_columns ? table->columns - figures_columns : 0;
    for (size_t i = 0; i < report->result->row_count; i++) {
        cleanup_free char *subject = gate_subject(&report->result->rows[i]);
        unsigned width = subject ? text_width(subject) : 0;
        if (width > table->subject_columns && width <= room)
            table->subject_columns = width;
        table->wide |= width > 0 && width <= room;
    }
}

static void put_head(const struct table *table) {
    if (table->three)
        return;
    fprintf(table->to, "%*s %*s %*s %*s  %-*s  verdict\n", (int)table->subject_columns, "",
            FIGURE_COLUMNS - 1, "baseline", FIGURE_COLUMNS - 1, "now", CHANGE_COLUMNS - 1, "change",
            (int)table->interval_columns, "interval");
}

static int write_terminal(const struct gate_report *report, FILE *to, struct error **err) {
    struct table table;
    table_init(&table, report, to);
    put_head(&table);
    for (size_t i = 0; i < report->result->row_count; i++)
        if (put_row(&table, &report->result->rows[i], err) < 0)
            return -1;
    putc('\n', to);
    for (size_t i = 0; i < report->result->note_count; i++)
        if (put_paragraph(&table, "", "0", report->result->notes[i], err) < 0)
            return -1;
    cleanup_free char *settings = gate_settings_words(report);
    cleanup_free char *legend = gate_legend(report);
    cleanup_free char *conclusion = gate_conclusion(report);
    if (!settings || !legend || !conclusion)
        return error_no_memory(err);
    if (put_paragraph(&table, "", "0", settings, err) < 0 ||
        put_paragraph(&table, "", "0", legend, err) < 0)
        return -1;
    putc('\n', to);
    if (put_paragraph(&table, "", "1", conclusion, err) < 0)
        return -1;
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the table") : 0;
}

const struct gate_writer gate_writer_terminal = {
    .name = "terminal", .summary = "a table", .write = write_terminal};
