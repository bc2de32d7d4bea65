// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/history.h"

#include "common/file.h"
#include "common/output.h"
#include "results/csv_rows.h"

#include <csv.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

enum {
    COLUMN_SCHEMA,
    COLUMN_RUN,
    COLUMN_CREATED,
    COLUMN_BOXMARK,
    COLUMN_KERNEL,
    COLUMN_MACHINE,
    COLUMN_PROFILE,
    COLUMN_WORK,
    COLUMN_WORKLOAD,
    COLUMN_METRIC,
    COLUMN_UNIT,
    COLUMN_BETTER,
    COLUMN_HEADLINE,
    COLUMN_ENVIRONMENT,
    COLUMN_ACCELERATOR,
    COLUMN_BLOCKS,
    COLUMN_VALUE,
    COLUMN_RATIO,
    COLUMN_RATIO_LOW,
    COLUMN_RATIO_HIGH,
    COLUMN_VERDICT,
    COLUMNS,
};

static const char *const column_names[COLUMNS + 1] = {
    "schema",    "run",         "created",     "boxmark", "kernel", "machine",
    "profile",   "work",        "workload",    "metric",  "unit",   "better",
    "headline",  "environment", "accelerator", "blocks",  "value",  "ratio",
    "ratio_low", "ratio_high",  "verdict",     NULL};

/* Which member of a row a text column is. */
static char **text_member(struct history_row *row, unsigned column) {
    switch (column) {
    case COLUMN_RUN:
        return &row->run;
    case COLUMN_CREATED:
        return &row->created;
    case COLUMN_BOXMARK:
        return &row->boxmark;
    case COLUMN_KERNEL:
        return &row->kernel;
    case COLUMN_MACHINE:
        return &row->machine;
    case COLUMN_PROFILE:
        return &row->profile;
    case COLUMN_WORK:
        return &row->work;
    case COLUMN_WORKLOAD:
        return &row->workload;
    case COLUMN_METRIC:
        return &row->metric;
    case COLUMN_UNIT:
        return &row->unit;
    case COLUMN_BETTER:
        return &row->better;
    case COLUMN_ENVIRONMENT:
        return &row->environment;
    case COLUMN_ACCELERATOR:
        return &row->accelerator;
    case COLUMN_VERDICT:
        return &row->verdict;
    default:
        return NULL;
    }
}

static void row_clear(struct history_row *row) {
    for (unsigned i = 0; i < COLUMNS; i++)
        if (text_member(row, i))
            free(*text_member(row, i));
    *row = (struct history_row){0};
}

void history_clear(struct history *history) {
    for (size_t i = 0; i < history->count; i++)
        row_clear(&history->rows[i]);
    free(history->rows);
    json_decref(history->runs);
    *history = (struct history){0};
}

/* Takes the row's texts, also on failure. */
static int add_row(struct history *history, struct history_row *row, struct error **err) {
    bool whole = true;
    for (unsigned i = 0; i < COLUMNS; i++)
        whole = whole && (!text_member(row, i) || *text_member(row, i));
    if (whole && history->count == history->capacity) {
        size_t capacity = history->capacity ? history->capacity * 2 : 256;
        struct history_row *larger = reallocarray(history->rows, capacity, sizeof(*larger));
        whole = larger != NULL;
        if (larger) {
            history->rows = larger;
            history->capacity = capacity;
        }
    }
    if (!history->runs)
        history->runs = json_object();
    if (whole && !json_object_get(history->runs, row->run))
        whole = json_object_set_new_nocheck(history->runs, row->run,
                                            json_integer((json_int_t)history->count)) == 0;
    if (!whole) {
        row_clear(row);
        return error_no_memory(err);
    }
    history->rows[history->count++] = *row;
    *row = (struct history_row){0};
    return 0;
}

static bool parse_time(const char *text, int64_t *ret_time_s) {
    struct tm when = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &when);
    if (!end || *end || strlen(text) != strlen("2026-01-31T12:00:00Z"))
        return false;
    *ret_time_s = (int64_t)timegm(&when);
    return true;
}

/* ---- The file ---- */

static int check_row(const struct csv_row *csv, struct history_row *row, struct error **err) {
    static const unsigned required[] = {COLUMN_RUN, COLUMN_WORKLOAD, COLUMN_METRIC,
                                        COLUMN_ENVIRONMENT};
    uint64_t schema, headline;
    if (csv_row_count(csv, COLUMN_SCHEMA, &schema, err) < 0)
        return -1;
    if (schema != HISTORY_SCHEMA_VERSION)
        return csv_row_refuse(csv, COLUMN_SCHEMA, "is a schema that this version does not read",
                              err);
    for (unsigned i = 0; i < sizeof(required) / sizeof(*required); i++)
        if (!*csv->fields[required[i]])
            return csv_row_refuse(csv, required[i], "is empty", err);
    if (!parse_time(csv->fields[COLUMN_CREATED], &row->time_s))
        return csv_row_refuse(csv, COLUMN_CREATED, "is not a date like 2026-01-31T12:00:00Z", err);
    if (csv_row_count(csv, COLUMN_HEADLINE, &headline, err) < 0 ||
        csv_row_count(csv, COLUMN_BLOCKS, &row->blocks, err) < 0 ||
        csv_row_number(csv, COLUMN_VALUE, false, &row->value, err) < 0 ||
        csv_row_number(csv, COLUMN_RATIO, true, &row->ratio, err) < 0 ||
        csv_row_number(csv, COLUMN_RATIO_LOW, true, &row->ratio_low, err) < 0 ||
        csv_row_number(csv, COLUMN_RATIO_HIGH, true, &row->ratio_high, err) < 0)
        return -1;
    if (headline > 1)
        return csv_row_refuse(csv, COLUMN_HEADLINE, "is not 0 or 1", err);
    row->headline = headline;
    return 0;
}

static int take_row(const struct csv_row *csv, void *cookie, struct error **err) {
    struct history *history = cookie;
    struct history_row row = {.order = history->count};
    if (check_row(csv, &row, err) < 0)
        return -1;
    for (unsigned i = 0; i < COLUMNS; i++)
        if (text_member(&row, i))
            *text_member(&row, i) = strdup(csv->fields[i]);
    return add_row(history, &row, err);
}

int history_read(FILE *file, const char *name, struct history *history, struct error **err) {
    if (csv_rows_read(file, name, column_names, take_row, history, err) < 0)
        return error_advise(err, "put it right, or move it away: it is made anew from the runs");
    return 0;
}

int history_load(const char *path, struct history *history, struct error **err) {
    cleanup_file FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT)
        return 0;
    if (!file)
        return error_set(err, ERROR_USAGE, errno, "cannot open %s", path);
    return history_read(file, path, history, err);
}

/* Shortest text that reads back as the same number; the caller has set the C locale. */
static void put_number(FILE *to, double value) {
    char text[40];
    if (!isfinite(value))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, to);
}

static void write_row(const struct history_row *row, FILE *to) {
    for (unsigned i = 0; i < COLUMNS; i++) {
        /* Members are read only: the table of members serves reading, too. */
        char **text = text_member((struct history_row *)(uintptr_t)row, i);
        if (i > 0)
            putc(',', to);
        if (text)
            csv_fwrite(to, *text, strlen(*text));
        else if (i == COLUMN_SCHEMA)
            fprintf(to, "%d", HISTORY_SCHEMA_VERSION);
        else if (i == COLUMN_HEADLINE)
            fprintf(to, "%d", row->headline);
        else if (i == COLUMN_BLOCKS)
            fprintf(to, "%" PRIu64, row->blocks);
        else
            put_number(to, i == COLUMN_VALUE       ? row->value
                           : i == COLUMN_RATIO     ? row->ratio
                           : i == COLUMN_RATIO_LOW ? row->ratio_low
                                                   : row->ratio_high);
    }
    putc('\n', to);
}

int history_write(const struct history *history, FILE *to, struct error **err) {
    static locale_t c_locale;
    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t users = uselocale(c_locale);
    for (unsigned i = 0; i < COLUMNS; i++)
        fprintf(to, "%s%s", i > 0 ? "," : "", column_names[i]);
    putc('\n', to);
    for (size_t i = 0; i < history->count; i++)
        write_row(&history->rows[i], to);
    uselocale(users);
    return ferror(to) ? error_set(err, ERROR_INTERNAL, errno, "cannot write the history") : 0;
}

int history_save(const char *path, const struct history *history, struct error **err) {
    cleanup_free char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return error_no_memory(err);
    int result = history_write(history, to, err);
    if (fclose(to) != 0 && result == 0)
        result = error_no_memory(err);
    return result < 0 ? -1 : output_write(path, text, size, err);
}

static int by_date(const void *a, const void *b) {
    const struct history_row *first = a, *second = b;
    if (first->time_s != second->time_s)
        return first->time_s < second->time_s ? -1 : 1;
    int order = strcmp(first->run, second->run);
    return order ? order : (first->order > second->order) - (first->order < second->order);
}

void history_sort(struct history *history, size_t *ret_moved) {
    size_t moved = 0;
    for (size_t i = 1; i < history->count; i++)
        moved += history->rows[i - 1].time_s > history->rows[i].time_s;
    if (history->count > 0)
        qsort(history->rows, history->count, sizeof(*history->rows), by_date);
    json_object_clear(history->runs);
    for (size_t i = 0; i < history->count; i++)
        if (!json_object_get(history->runs, history->rows[i].run))
            (void)json_object_set_new_nocheck(history->runs, history->rows[i].run,
                                              json_integer((json_int_t)i));
    if (ret_moved)
        *ret_moved = moved;
}

size_t history_run_count(const struct history *history) {
    return json_object_size(history->runs);
}

/* ---- Runs ---- */

static void hash_text(const char *text, size_t bytes, char hex[65]) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(hex, 65, hash, sizeof(hash));
    hex[bytes * 2] = '\0';
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double number_of(const json_t *value) {
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static char *machine_of(const json_t *record) {
    const json_t *machine = json_object_get(record, "machine");
    return text_format("%s, %lld CPUs, %.0f GiB", text_of(machine, "cpu_model"),
                       (long long)json_integer_value(json_object_get(machine, "cpus_online")),
                       json_number_value(json_object_get(machine, "memory_bytes")) / 0x1p30);
}

/* A short name of the workload's parameters: other parameters, other work. */
static char *work_of(const json_t *record, const char *workload) {
    size_t index;
    const json_t *entry;
    char hex[65] = "";
    json_array_foreach(json_object_get(record, "workloads"), index, entry) {
        if (strcmp(text_of(entry, "name"), workload) != 0)
            continue;
        cleanup_free char *text =
            json_dumps(json_object_get(entry, "parameters"), JSON_COMPACT | JSON_SORT_KEYS);
        if (text)
            hash_text(text, 4, hex);
    }
    return strdup(hex);
}

/* The figures of a run as rows of their own. */
static int rows_of(const char *id, const json_t *record, const json_t *summary,
                   struct history *rows, struct error **err) {
    size_t m, c;
    const json_t *metric, *cell;
    cleanup_free char *machine = machine_of(record);
    int64_t time_s;
    if (!machine)
        return error_no_memory(err);
    if (!parse_time(text_of(record, "created"), &time_s))
        return error_set(err, ERROR_USAGE, 0, "run.json: created: \"%.40s\" is not a date",
                         text_of(record, "created"));
    json_array_foreach(json_object_get(summary, "metrics"), m, metric) {
        json_array_foreach(json_object_get(metric, "cells"), c, cell) {
            const json_t *environment = json_array_get(json_object_get(summary, "environments"), c);
            const json_t *interval = json_object_get(cell, "ratio_interval");
            double value = number_of(json_object_get(cell, "median"));
            if (!isfinite(value) || !*text_of(metric, "workload") || !*text_of(metric, "metric") ||
                !*text_of(cell, "environment"))
                continue; /* never measured */
            struct history_row row = {
                .time_s = time_s,
                .order = rows->count,
                .run = strdup(id),
                .created = strdup(text_of(record, "created")),
                .boxmark = strdup(text_of(record, "boxmark")),
                .kernel = strdup(text_of(json_object_get(record, "machine"), "kernel")),
                .machine = strdup(machine),
                .profile = strdup(text_of(record, "profile")),
                .work = work_of(record, text_of(metric, "workload")),
                .workload = strdup(text_of(metric, "workload")),
                .metric = strdup(text_of(metric, "metric")),
                .unit = strdup(text_of(metric, "unit")),
                .better = strdup(text_of(metric, "better")),
                .environment = strdup(text_of(cell, "environment")),
                .accelerator = strdup(text_of(environment, "accelerator")),
                .verdict = strdup(text_of(cell, "verdict")),
                .headline = json_is_true(json_object_get(metric, "headline")),
                .blocks = (uint64_t)json_integer_value(json_object_get(cell, "blocks")),
                .value = value,
                .ratio = number_of(json_object_get(cell, "ratio")),
                .ratio_low = number_of(json_array_get(interval, 0)),
                .ratio_high = number_of(json_array_get(interval, 1)),
            };
            if (add_row(rows, &row, err) < 0)
                return -1;
        }
    }
    if (rows->count == 0)
        return error_set(err, ERROR_USAGE, 0, "summary.json: holds no figures");
    return 0;
}

static bool same(double was, double is) {
    return (isnan(was) && isnan(is)) || was == is ||
           fabs(was - is) <= 1e-9 * fmax(fabs(was), fabs(is));
}

static bool same_key(const struct history_row *a, const struct history_row *b) {
    return strcmp(a->workload, b->workload) == 0 && strcmp(a->metric, b->metric) == 0 &&
           strcmp(a->environment, b->environment) == 0;
}

/* The run is there already, from `first` on: the same figures must stand there, in any order. */
static int check_known(const struct history *history, size_t first, const struct history *rows,
                       struct error **err) {
    for (size_t i = 0; i < rows->count; i++) {
        const struct history_row *is = &rows->rows[i], *was = NULL;
        for (size_t j = first;
             !was && j < history->count && strcmp(history->rows[j].run, is->run) == 0; j++)
            was = same_key(&history->rows[j], is) ? &history->rows[j] : NULL;
        if (was && same(was->value, is->value) && same(was->ratio, is->ratio))
            continue;
        error_set(err, ERROR_UNTRUSTWORTHY, 0,
                  "the history has run %s already, with other figures for %s %s of %s", is->run,
                  is->workload, is->metric, is->environment);
        return error_advise(err, "`boxmark verify' tells whether the run was edited; else move the "
                                 "history away: it is made anew from the runs");
    }
    return 0;
}

int history_add_run(struct history *history, const char *record_text, const json_t *record,
                    const json_t *summary, bool *ret_added, struct error **err) {
    cleanup_history struct history rows = {0};
    char id[65];
    hash_text(record_text, 6, id);
    if (rows_of(id, record, summary, &rows, err) < 0)
        return -1;
    const json_t *known = json_object_get(history->runs, id);
    *ret_added = !known;
    if (known)
        return check_known(history, (size_t)json_integer_value(known), &rows, err);
    for (size_t i = 0; i < rows.count; i++)
        if (add_row(history, &rows.rows[i], err) < 0)
            return -1;
    rows.count = 0;
    return 0;
}
