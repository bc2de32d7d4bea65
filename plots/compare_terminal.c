// SPDX-License-Identifier: GPL-3.0-or-later
/* Runs side by side on a terminal: one line a run, what does not fit goes to the next. */
#include "plots/compare.h"

#include "common/file.h"
#include "common/text.h"
#include "plots/format.h"

#include <math.h>
#include <string.h>

enum { COLUMNS_MIN = 32, NAME_COLUMNS_MAX = 20, INDENT = 4, FURTHER_INDENT = 8 };

struct page {
    const struct report_comparison *report;
    FILE *to;
    unsigned columns, name_columns;
    unsigned used; /* of the line that is being written */
};

static char *harmless(const struct page *page, const char *text) {
    return page->report->ascii ? text_clean_ascii(text) : text_clean(text);
}

static void put_toned(const struct page *page, const char *tone, const char *text) {
    if (page->report->color && tone && *text)
        fprintf(page->to, "\033[%sm%s\033[0m", tone, text);
    else
        fputs(text, page->to);
}

/* A paragraph, further lines indented by `indent` columns, the first by `first`. */
static int put_paragraph(const struct page *page, unsigned first, unsigned indent, const char *tone,
                         const char *text, struct error **err) {
    cleanup_free char *clean = harmless(page, text);
    cleanup_free char *wrapped =
        clean ? text_wrap(clean, page->columns - (indent > first ? indent : first)) : NULL;
    if (!wrapped)
        return error_no_memory(err);
    char *rest = wrapped;
    for (char *line; (line = strsep(&rest, "\n")); first = indent) {
        fprintf(page->to, "%*s", (int)first, "");
        put_toned(page, tone, line);
        putc('\n', page->to);
    }
    return 0;
}

/* A piece of a line, a space before it; on the next line where this one is full. */
static void put_piece(struct page *page, const char *tone, const char *text, unsigned padded) {
    unsigned width = text_width(text);
    if (width == 0)
        return;
    unsigned before = padded > width ? padded - width : 0;
    if (page->used + 1 + before + width > page->columns) {
        fprintf(page->to, "\n%*s", FURTHER_INDENT, "");
        page->used = FURTHER_INDENT;
        before = 0;
    }
    fprintf(page->to, " %*s", (int)before, "");
    put_toned(page, tone, text);
    page->used += 1 + before + width;
}

static void put_verdict(struct page *page, enum verdict verdict) {
    static const char *const tones[] = {
        [VERDICT_NONE] = NULL, [VERDICT_BETTER] = "32",       [VERDICT_WORSE] = "31",
        [VERDICT_SAME] = "2",  [VERDICT_INCONCLUSIVE] = "33", [VERDICT_UNTRUSTWORTHY] = "1;35",
    };
    char text[32];
    bool marked = verdict != VERDICT_BETTER && verdict != VERDICT_WORSE;
    snprintf(text, sizeof(text), "%s%s%s", marked ? verdict_mark(verdict) : "", marked ? " " : "",
             verdict_name(verdict));
    if (verdict != VERDICT_NONE)
        put_piece(page, tones[verdict], text, 0);
}

static void format_interval(double low, double high, char text[2 * FORMAT_BYTES + 8]) {
    char first[FORMAT_BYTES], second[FORMAT_BYTES];
    if (isfinite(low) && isfinite(high))
        snprintf(text, 2 * FORMAT_BYTES + 8, "[%s, %s]", format_end(low, high, first),
                 format_end(high, low, second));
    else
        strcpy(text, "no interval");
}

static int put_run(struct page *page, const struct comparison_row *row, unsigned run,
                   struct scale scale, struct error **err) {
    const struct comparison_cell *own = &row->cells[run];
    char number[FORMAT_BYTES], interval[2 * FORMAT_BYTES + 8];
    cleanup_free char *name = harmless(page, page->report->comparison->runs[run].name);
    if (!name)
        return error_no_memory(err);
    unsigned width = text_width(name);
    fprintf(page->to, "%*s%s", INDENT, "", name);
    page->used = INDENT + width;
    if (width > page->name_columns) {
        fprintf(page->to, "\n%*s", INDENT + (int)page->name_columns, "");
        page->used = INDENT + page->name_columns;
    } else {
        fprintf(page->to, "%*s", (int)(page->name_columns - width), "");
        page->used = INDENT + page->name_columns;
    }
    if (!own->cell) {
        put_piece(page, "2", "not measured", 0);
        putc('\n', page->to);
        return 0;
    }
    put_piece(page, NULL, format_value(own->cell->median * scale.factor, number), 9);
    if (isfinite(own->cell->ratio)) {
        put_piece(page, NULL, format_ratio(own->cell->ratio, number), 7);
        format_interval(own->cell->ratio_low, own->cell->ratio_high, interval);
        put_piece(page, NULL, interval, 0);
    }
    put_verdict(page, compare_verdict(row, run));
    putc('\n', page->to);
    if (!isfinite(own->change))
        return 0;
    fprintf(page->to, "%*schange", FURTHER_INDENT, "");
    page->used = FURTHER_INDENT + 6;
    put_piece(page, NULL, format_ratio(own->change, number), 0);
    format_interval(own->change_low, own->change_high, interval);
    put_piece(page, NULL, interval, 0);
    put_verdict(page, own->verdict);
    putc('\n', page->to);
    return 0;
}

static int put_row(struct page *page, const struct comparison_row *row,
                   const struct comparison_row *previous, struct error **err) {
    struct scale scale = compare_scale(page->report->comparison, row);
    bool micro = strcmp(scale.unit, "us") == 0 && !page->report->ascii;
    const char *better = better_words(row->metric);
    if (!previous || strcmp(previous->metric->workload, row->metric->workload) != 0 ||
        strcmp(previous->metric->metric, row->metric->metric) != 0) {
        cleanup_free char *heading =
            text_format("%s %s (%s%s%s)", row->metric->workload, row->metric->metric,
                        micro ? "µs" : scale.unit, *better ? ", " : "", better);
        putc('\n', page->to);
        if (!heading || put_paragraph(page, 0, 2, "1", heading, err) < 0)
            return error_no_memory(err);
    }
    if (put_paragraph(page, 2, 4, NULL, row->environment->title, err) < 0)
        return -1;
    for (unsigned i = 0; i < page->report->comparison->run_count; i++)
        if (put_run(page, row, i, scale, err) < 0)
            return -1;
    return 0;
}

static int put_differences(const struct page *page, struct error **err) {
    const struct comparison *comparison = page->report->comparison;
    putc('\n', page->to);
    put_toned(page, "1",
              comparison->difference_count ? "What differs" : "Nothing that was recorded differs");
    putc('\n', page->to);
    for (size_t i = 0; i < comparison->difference_count; i++) {
        const struct comparison_difference *difference = &comparison->differences[i];
        if (put_paragraph(page, 2, 4, NULL, compare_fact_name(difference), err) < 0)
            return -1;
        for (unsigned j = 0; j < comparison->run_count; j++) {
            const char *value = difference->values[j];
            cleanup_free char *line =
                text_format("%s: %s", comparison->runs[j].name, *value ? value : "-");
            if (!line || put_paragraph(page, 4, 6, NULL, line, err) < 0)
                return error_no_memory(err);
        }
    }
    return 0;
}

static int put_list(const struct page *page, const struct text_list *list, const char *before,
                    const char *tone, struct error **err) {
    for (size_t i = 0; i < list->count; i++) {
        cleanup_free char *line = text_format("%s%s", before, list->items[i]);
        if (!line || put_paragraph(page, 0, 2, tone, line, err) < 0)
            return error_no_memory(err);
    }
    return 0;
}

int compare_terminal(const struct report_comparison *report, FILE *to, struct error **err) {
    const struct comparison *comparison = report->comparison;
    struct page page = {.report = report, .to = to};
    page.columns = report->columns > COLUMNS_MIN ? report->columns : COLUMNS_MIN;
    unsigned most = page.columns / 4 < NAME_COLUMNS_MAX ? page.columns / 4 : NAME_COLUMNS_MAX;
    cleanup_text_list struct text_list legend = {0}, warnings = {0};
    cleanup_free char *head = text_format("boxmark: %u runs side by side", comparison->run_count);
    if (!head || put_paragraph(&page, 0, 2, "1", head, err) < 0)
        return error_no_memory(err);
    for (unsigned i = 0; i < comparison->run_count; i++) {
        cleanup_free char *name = harmless(&page, comparison->runs[i].name);
        cleanup_free char *words = compare_run_words(report, i);
        cleanup_free char *line =
            words ? text_format("%s: %s", comparison->runs[i].name, words) : NULL;
        if (!name || !line || put_paragraph(&page, 2, 4, NULL, line, err) < 0)
            return error_no_memory(err);
        if (text_width(name) <= most && text_width(name) > page.name_columns)
            page.name_columns = text_width(name);
    }
    if (page.name_columns == 0)
        page.name_columns = FURTHER_INDENT - INDENT;
    const struct comparison_row *previous = NULL;
    for (size_t i = 0; i < comparison->row_count; i++) {
        if (!compare_shows(report, &comparison->rows[i]))
            continue;
        if (put_row(&page, &comparison->rows[i], previous, err) < 0)
            return -1;
        previous = &comparison->rows[i];
    }
    if (put_differences(&page, err) < 0 || compare_legend(report, &legend, err) < 0 ||
        compare_warnings(report, &warnings, err) < 0)
        return -1;
    putc('\n', to);
    if (put_list(&page, &legend, "", NULL, err) < 0)
        return -1;
    if (warnings.count)
        putc('\n', to);
    if (put_list(&page, &warnings, "WARNING: ", "1;35", err) < 0)
        return -1;
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the table") : 0;
}
