// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/history_report.h"

#include "common/file.h"
#include "common/text.h"
#include "plots/csv.h"
#include "plots/format.h"
#include "plots/markdown.h"
#include "plots/side_table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Version of the JSON. */
#define HISTORY_REPORT_SCHEMA_VERSION 1

char *history_metric_words(const struct history_series *series) {
    return text_format("%s %s", series->rows[0]->workload, series->rows[0]->metric);
}

char *history_environment_words(const struct history_series *series) {
    const struct history_row *row = series->rows[0];
    if (strcmp(row->accelerator, "none") == 0 || !*row->accelerator)
        return strdup(row->environment);
    return text_format("%s (%s)", row->environment, row->accelerator);
}

char *history_point_reason(const struct history_series *series, const struct change_point *point) {
    const struct history_row *before = series->rows[point->index - 1];
    const struct history_row *after = series->rows[point->index];
    const struct {
        const char *name, *before, *after;
    } facts[] = {{"boxmark", before->boxmark, after->boxmark},
                 {"kernel", before->kernel, after->kernel},
                 {"machine", before->machine, after->machine},
                 {"profile", before->profile, after->profile}};
    char *text = strdup("");
    for (unsigned i = 0; text && i < sizeof(facts) / sizeof(*facts); i++) {
        if (strcmp(facts[i].before, facts[i].after) == 0)
            continue;
        char *longer = text_format("%s%s%s %s -> %s", text, *text ? ", " : "", facts[i].name,
                                   facts[i].before, facts[i].after);
        free(text);
        text = longer;
    }
    return text;
}

/* Runs among the untrustworthy rows, which are in order of date. */
static size_t untrustworthy_runs(const struct history_view *view) {
    size_t count = 0;
    for (size_t i = 0; i < view->untrustworthy_count; i++)
        count +=
            i == 0 || strcmp(view->untrustworthy[i]->run, view->untrustworthy[i - 1]->run) != 0;
    return count;
}

char *history_untrustworthy_words(const struct history_report *report) {
    size_t values = report->view->untrustworthy_count, runs = untrustworthy_runs(report->view);
    if (values == 0)
        return strdup("");
    return text_format("%zu value%s of %zu run%s %s untrustworthy: %s", values,
                       values == 1 ? "" : "s", runs, runs == 1 ? "" : "s",
                       values == 1 ? "is" : "are",
                       report->options.all ? "counted all the same, as was asked"
                                           : "left out (--untrustworthy takes them in)");
}

static char *value_words(const struct history_series *series, double value) {
    char number[FORMAT_BYTES];
    if (series->absolute)
        return text_format("%s %s", format_value(value, number), series->rows[0]->unit);
    return strdup(format_ratio(value, number));
}

static const char *point_word(const struct history_series *series,
                              const struct change_point *point) {
    return history_is_worse(series, point)    ? "worse"
           : history_is_better(series, point) ? "better"
                                              : "changed";
}

/* "+5.0 %" */
static char *change_words(const struct change_point *point) {
    return isfinite(point->change) ? text_format("%+.1f %%", 100 * point->change) : strdup("-");
}

/* Of the last run, which may be one whose value was left out. */
static const char *last_verdict(const struct history_view *view,
                                const struct history_series *series) {
    const struct history_row *last = series->rows[series->count - 1];
    for (size_t i = view->untrustworthy_count; i-- > 0;) {
        const struct history_row *row = view->untrustworthy[i];
        if (row < last)
            break;
        if (history_series_has(series, row))
            return row->verdict;
    }
    return last->verdict;
}

/* ---- Two tables: the series, and their change points ---- */

static int fill_series(const struct history_report *report, struct side_tables *tables,
                       struct error **err) {
    static const char *const heads[] = {"metric", "environment", "runs",
                                        "now",    "changes",     "last run"};
    struct side_table *table;
    if (side_tables_add(tables, strdup(report->options.absolute ? "Medians" : "Ratios to the host"),
                        "now: mean since the last change point; last run: its own verdict.", heads,
                        6, &table, err) < 0)
        return -1;
    for (size_t i = 0; i < report->view->count; i++) {
        const struct history_series *series = &report->view->series[i];
        size_t from = series->point_count > 0 ? series->points[series->point_count - 1].index : 0;
        double sum = 0;
        for (size_t j = from; j < series->count; j++)
            sum += series->values[j];
        if (side_table_add_row(table, err) < 0 ||
            side_table_set(table, 0, history_metric_words(series), err) < 0 ||
            side_table_set(table, 1, history_environment_words(series), err) < 0 ||
            side_table_set(table, 2, text_format("%zu", series->count), err) < 0 ||
            side_table_set(table, 3, value_words(series, sum / (double)(series->count - from)),
                           err) < 0 ||
            side_table_set(table, 4, text_format("%zu", series->point_count), err) < 0 ||
            side_table_set(table, 5, strdup(last_verdict(report->view, series)), err) < 0)
            return -1;
    }
    return 0;
}

/* `full`: with everything; else what fits on a terminal of 80 columns. */
static int fill_point(struct side_table *table, const struct history_series *series,
                      const struct change_point *point, bool full, struct error **err) {
    const struct history_row *row = series->rows[point->index];
    cleanup_free char *before = value_words(series, point->before);
    cleanup_free char *after = value_words(series, point->after);
    cleanup_free char *reason = history_point_reason(series, point);
    if (!before || !after || !reason)
        return error_no_memory(err);
    if (side_table_add_row(table, err) < 0 ||
        side_table_set(table, 0, history_metric_words(series), err) < 0 ||
        side_table_set(table, 1, history_environment_words(series), err) < 0 ||
        side_table_set(table, 2, text_format("%.*s", full ? 40 : 10, row->created), err) < 0 ||
        side_table_set(table, 3, text_format("%s to %s", before, after), err) < 0 ||
        side_table_set(table, 4, change_words(point), err) < 0 ||
        side_table_set(table, 5, strdup(point_word(series, point)), err) < 0)
        return -1;
    if (full && (side_table_set(table, 6, text_format("%.1g", point->p_value), err) < 0 ||
                 side_table_set(table, 7, strdup(row->run), err) < 0 ||
                 side_table_set(table, 8, strdup(*reason ? reason : "-"), err) < 0))
        return -1;
    return 0;
}

static int fill_points(const struct history_report *report, bool full, struct side_tables *tables,
                       struct error **err) {
    static const char *const heads[] = {
        "metric", "environment", "since", "mean", "change", "", "p", "run", "what else changed"};
    struct side_table *table;
    if (side_tables_add(tables, strdup("Change points"),
                        "since: the first run after the change; p: of Student's t-test.", heads,
                        full ? 9 : 6, &table, err) < 0)
        return -1;
    for (size_t i = 0; i < report->view->count; i++)
        for (size_t j = 0; j < report->view->series[i].point_count; j++)
            if (fill_point(table, &report->view->series[i], &report->view->series[i].points[j],
                           full, err) < 0)
                return -1;
    return 0;
}

/* What a terminal has no room for in the table itself: once for every run. */
static int fill_reasons(const struct history_report *report, struct side_tables *tables,
                        struct error **err) {
    static const char *const heads[] = {"since", "run", "what changed with it"};
    struct side_table *table;
    if (side_tables_add(tables, strdup("What else changed then"), "", heads, 3, &table, err) < 0)
        return -1;
    for (size_t i = 0; i < report->view->count; i++)
        for (size_t j = 0; j < report->view->series[i].point_count; j++) {
            const struct history_series *series = &report->view->series[i];
            const struct history_row *row = series->rows[series->points[j].index];
            char *reason = history_point_reason(series, &series->points[j]);
            bool told = reason && !*reason;
            for (unsigned k = 0; k < table->row_count; k++)
                told = told || strcmp(side_table_cell(table, k, 1), row->run) == 0;
            if (told) {
                free(reason);
                continue;
            }
            if (side_table_add_row(table, err) < 0) {
                free(reason);
                return -1;
            }
            if (side_table_set(table, 2, reason, err) < 0 ||
                side_table_set(table, 0, text_format("%.10s", row->created), err) < 0 ||
                side_table_set(table, 1, strdup(row->run), err) < 0)
                return -1;
        }
    return 0;
}

/* Which values were left out, or counted although they are untrustworthy: a line a run. */
static int fill_untrustworthy(const struct history_report *report, struct side_tables *tables,
                              struct error **err) {
    static const char *const heads[] = {"date", "run", "metrics"};
    const struct history_view *view = report->view;
    struct side_table *table;
    if (side_tables_add(tables, strdup("Untrustworthy"),
                        "metrics: how many, and the first; the run's own report says why.", heads,
                        3, &table, err) < 0)
        return -1;
    for (size_t i = 0, next; i < view->untrustworthy_count; i = next) {
        const struct history_row *row = view->untrustworthy[i];
        for (next = i + 1; next < view->untrustworthy_count &&
                           strcmp(view->untrustworthy[next]->run, row->run) == 0;)
            next++;
        if (side_table_add_row(table, err) < 0 ||
            side_table_set(table, 0, text_format("%.10s", row->created), err) < 0 ||
            side_table_set(table, 1, strdup(row->run), err) < 0 ||
            side_table_set(table, 2,
                           text_format("%zu: %s %s in %s", next - i, row->workload, row->metric,
                                       row->environment),
                           err) < 0)
            return -1;
    }
    return 0;
}

static size_t point_count(const struct history_view *view) {
    size_t count = 0;
    for (size_t i = 0; i < view->count; i++)
        count += view->series[i].point_count;
    return count;
}

static int put_heading(const struct history_report *report, FILE *to, struct error **err) {
    cleanup_free char *untrustworthy = history_untrustworthy_words(report);
    if (!untrustworthy)
        return error_no_memory(err);
    const struct history *history = report->history;
    size_t points = point_count(report->view);
    fprintf(to, "%zu run%s from %.10s to %.10s: %zu change point%s in %zu series\n",
            history_run_count(history), history_run_count(history) == 1 ? "" : "s",
            history->rows[0].created, history->rows[history->count - 1].created, points,
            points == 1 ? "" : "s", report->view->count);
    if (*untrustworthy)
        fprintf(to, "%s\n", untrustworthy);
    return 0;
}

static int write_terminal(const struct history_report *report, FILE *to, struct error **err) {
    cleanup_side_tables struct side_tables tables = {0};
    if (fill_series(report, &tables, err) < 0 || fill_points(report, false, &tables, err) < 0 ||
        fill_reasons(report, &tables, err) < 0 || fill_untrustworthy(report, &tables, err) < 0 ||
        put_heading(report, to, err) < 0)
        return -1;
    for (unsigned i = 0; i < tables.count; i++)
        if (tables.tables[i].row_count > 0 &&
            side_table_write(&tables.tables[i], report->columns, report->ascii, to, err) < 0)
            return -1;
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the table") : 0;
}

static int markdown_table(const struct side_table *table, FILE *to, struct error **err) {
    fputs("\n#### ", to);
    if (markdown_text(to, table->title, err) < 0)
        return -1;
    fputs("\n\n|", to);
    for (unsigned i = 0; i < table->column_count; i++)
        fprintf(to, " %s |", side_table_head(table, i));
    fputs("\n|", to);
    for (unsigned i = 0; i < table->column_count; i++)
        fputs(" :-- |", to);
    for (unsigned i = 0; i < table->row_count; i++) {
        fputs("\n|", to);
        for (unsigned j = 0; j < table->column_count; j++) {
            const char *cell = side_table_cell(table, i, j);
            putc(' ', to);
            if (markdown_text(to, cell ? cell : "", err) < 0)
                return -1;
            fputs(" |", to);
        }
    }
    fprintf(to, "\n\n%s\n", table->note);
    return 0;
}

static int write_markdown(const struct history_report *report, FILE *to, struct error **err) {
    cleanup_side_tables struct side_tables tables = {0};
    if (fill_points(report, true, &tables, err) < 0 || fill_series(report, &tables, err) < 0 ||
        fill_untrustworthy(report, &tables, err) < 0)
        return -1;
    fputs("### boxmark: history\n\n", to);
    if (put_heading(report, to, err) < 0)
        return -1;
    for (unsigned i = 0; i < tables.count; i++)
        if (tables.tables[i].row_count > 0 && markdown_table(&tables.tables[i], to, err) < 0)
            return -1;
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the Markdown") : 0;
}

/* ---- For programs ---- */

static int write_csv(const struct history_report *report, FILE *to, struct error **err) {
    fputs("workload,metric,environment,accelerator,work,created,run,index,before,after,change,p,"
          "direction,reason\n",
          to);
    for (size_t i = 0; i < report->view->count; i++) {
        const struct history_series *series = &report->view->series[i];
        for (size_t j = 0; j < series->point_count; j++) {
            const struct change_point *point = &series->points[j];
            const struct history_row *row = series->rows[point->index];
            const char *const texts[] = {row->workload,    row->metric, row->environment,
                                         row->accelerator, row->work,   row->created,
                                         row->run};
            const double numbers[] = {point->before, point->after, point->change, point->p_value};
            char number[FORMAT_BYTES];
            cleanup_free char *reason = history_point_reason(series, point);
            for (unsigned k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
                if (csv_text(to, texts[k], err) < 0)
                    return -1;
                putc(',', to);
            }
            fprintf(to, "%zu", point->index);
            for (unsigned k = 0; k < sizeof(numbers) / sizeof(*numbers); k++)
                fprintf(to, ",%s", format_exact(numbers[k], number));
            fprintf(to, ",%s,", point_word(series, point));
            if (csv_text(to, reason, err) < 0)
                return -1;
            putc('\n', to);
        }
    }
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the CSV") : 0;
}

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text(const char *from) {
    cleanup_free char *clean = text_clean(from);
    return json_string(clean ? clean : "");
}

static json_t *points_json(const struct history_series *series) {
    json_t *list = json_array();
    for (size_t i = 0; i < series->point_count; i++) {
        const struct change_point *point = &series->points[i];
        const struct history_row *row = series->rows[point->index];
        cleanup_free char *reason = history_point_reason(series, point);
        json_array_append_new(
            list, json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "index",
                            (json_int_t)point->index, "created", text(row->created), "run",
                            text(row->run), "before", number(point->before), "after",
                            number(point->after), "change", number(point->change), "p_value",
                            number(point->p_value), "direction", point_word(series, point),
                            "what_else_changed", text(reason)));
    }
    return list;
}

static json_t *series_json(const struct history_series *series) {
    const struct history_row *row = series->rows[0];
    json_t *values = json_array(), *runs = json_array(), *dates = json_array();
    for (size_t i = 0; i < series->count; i++) {
        json_array_append_new(values, number(series->values[i]));
        json_array_append_new(runs, text(series->rows[i]->run));
        json_array_append_new(dates, text(series->rows[i]->created));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "workload",
                     text(row->workload), "metric", text(row->metric), "environment",
                     text(row->environment), "accelerator", text(row->accelerator), "work",
                     text(row->work), "unit", text(series->absolute ? row->unit : "x"), "better",
                     text(row->better), "absolute", series->absolute, "runs", runs, "created",
                     dates, "values", values, "change_points", points_json(series));
}

static json_t *untrustworthy_json(const struct history_report *report) {
    json_t *list = json_array();
    for (size_t i = 0; i < report->view->untrustworthy_count; i++) {
        const struct history_row *row = report->view->untrustworthy[i];
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "run", text(row->run), "created",
                            text(row->created), "workload", text(row->workload), "metric",
                            text(row->metric), "environment", text(row->environment), "value",
                            number(report->options.absolute ? row->value : row->ratio), "counted",
                            report->options.all));
    }
    return list;
}

static int write_json(const struct history_report *report, FILE *to, struct error **err) {
    const struct change_point_options *change = &report->options.change;
    json_t *list = json_array();
    for (size_t i = 0; i < report->view->count; i++)
        json_array_append_new(list, series_json(&report->view->series[i]));
    json_auto_t *json = json_pack(
        "{s:i, s:I, s:{s:I, s:f, s:f}, s:o, s:o}", "schema", HISTORY_REPORT_SCHEMA_VERSION, "runs",
        (json_int_t)history_run_count(report->history), "options", "window",
        (json_int_t)change->window, "max_p", change->max_p, "min_change", change->min_change,
        "series", list, "untrustworthy", untrustworthy_json(report));
    if (!json)
        return error_no_memory(err);
    if (json_dumpf(json, to, JSON_INDENT(2)) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot write the JSON");
    putc('\n', to);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the JSON") : 0;
}

const struct history_writer history_writers[] = {
    {"terminal", write_terminal},
    {"markdown", write_markdown},
    {"csv", write_csv},
    {"json", write_json},
    {NULL, NULL},
};
