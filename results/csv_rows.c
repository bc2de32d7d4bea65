// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/csv_rows.h"

#include <csv.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

struct reading {
    struct csv_row row;
    unsigned column_count;
    unsigned column; /* being read */
    char *fields[COLUMNS_MAX];
    size_t capacities[COLUMNS_MAX];
    bool header_seen;
    csv_rows_visit visit;
    void *cookie;
    struct error *err;
    bool failed;
};

static void reading_cleanup(struct reading *reading) {
    for (unsigned i = 0; i < COLUMNS_MAX; i++)
        free(reading->fields[i]);
    error_free(reading->err);
}

int csv_row_refuse(const struct csv_row *row, unsigned column, const char *why,
                   struct error **err) {
    return error_set(err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %s: \"%.60s\" %s", row->name, row->line,
                     row->columns[column], row->fields[column], why);
}

int csv_row_number(const struct csv_row *row, unsigned column, bool may_be_empty, double *ret_value,
                   struct error **err) {
    static locale_t c_locale;
    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const char *text = row->fields[column];
    char *end = NULL;
    *ret_value = NAN;
    if (!*text && may_be_empty)
        return 0;
    *ret_value = strtod_l(text, &end, c_locale);
    /* strtod knows more than numbers: spaces, hexadecimal, "inf", "nan(...)". */
    bool plain = text[strspn(text, "+-.0123456789eE")] == '\0';
    if (end == text || *end || !plain || !isfinite(*ret_value))
        return csv_row_refuse(row, column, "is not a finite number", err);
    return 0;
}

int csv_row_count(const struct csv_row *row, unsigned column, uint64_t *ret_count,
                  struct error **err) {
    const char *text = row->fields[column];
    char *end = NULL;
    errno = 0;
    *ret_count = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return csv_row_refuse(row, column, "is not a whole number", err);
    return 0;
}

static void on_field(void *data, size_t size, void *cookie) {
    struct reading *reading = cookie;
    unsigned column = reading->column++;
    if (reading->failed || column >= reading->column_count)
        return;
    if (reading->capacities[column] <= size) {
        char *larger = realloc(reading->fields[column], size + 1);
        if (!larger) {
            reading->failed = true;
            error_no_memory(&reading->err);
            return;
        }
        reading->fields[column] = larger;
        reading->capacities[column] = size + 1;
    }
    if (size > 0)
        memcpy(reading->fields[column], data, size);
    reading->fields[column][size] = '\0';
    if (strlen(reading->fields[column]) != size)
        reading->failed =
            csv_row_refuse(&reading->row, column, "goes on after a zero byte", &reading->err) < 0;
}

static int check_header(struct reading *reading) {
    for (unsigned i = 0; i < reading->column_count; i++)
        if (strcmp(reading->fields[i], reading->row.columns[i]) != 0)
            return csv_row_refuse(&reading->row, i, "stands where this column's name should be",
                                  &reading->err);
    return 0;
}

static void on_row(int terminator, void *cookie) {
    struct reading *reading = cookie;
    (void)terminator;
    unsigned columns = reading->column;
    reading->column = 0;
    if (reading->failed)
        return;
    if (columns != reading->column_count) {
        reading->failed = true;
        error_set(&reading->err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %u fields instead of %u",
                  reading->row.name, reading->row.line, columns, reading->column_count);
    } else if (!reading->header_seen) {
        reading->header_seen = true;
        reading->failed = check_header(reading) < 0;
    } else {
        reading->failed = reading->visit(&reading->row, reading->cookie, &reading->err) < 0;
    }
}

/* Line by line, so that messages can name the line. */
static void parse_chunk(struct csv_parser *parser, const char *chunk, size_t size,
                        struct reading *reading) {
    while (size > 0 && !reading->failed) {
        const char *newline = memchr(chunk, '\n', size);
        size_t length = newline ? (size_t)(newline - chunk) + 1 : size;
        if (csv_parse(parser, chunk, length, on_field, on_row, reading) != length &&
            !reading->failed) {
            reading->failed = true;
            error_set(&reading->err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %s", reading->row.name,
                      reading->row.line, csv_strerror(csv_error(parser)));
        }
        reading->row.line += newline != NULL;
        chunk += length;
        size -= length;
    }
}

static void parser_cleanup(struct csv_parser *parser) {
    csv_free(parser);
}

int csv_rows_read(FILE *file, const char *name, const char *const *columns, csv_rows_visit visit,
                  void *cookie, struct error **err) {
    __attribute__((cleanup(parser_cleanup))) struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return error_no_memory(err);
    __attribute__((cleanup(reading_cleanup))) struct reading reading = {
        .row = {.name = name, .line = 1, .columns = columns}, .visit = visit, .cookie = cookie};
    reading.row.fields = reading.fields;
    while (columns[reading.column_count])
        reading.column_count++;
    if (reading.column_count > COLUMNS_MAX)
        return error_set(err, ERROR_INTERNAL, 0, "%s: too many columns", name);
    char chunk[1 << 15];
    size_t size;
    while (!reading.failed && (size = fread(chunk, 1, sizeof(chunk), file)) > 0)
        parse_chunk(&parser, chunk, size, &reading);
    if (!reading.failed && ferror(file))
        return error_set(err, ERROR_INTERNAL, errno, "cannot read %s", name);
    if (!reading.failed && csv_fini(&parser, on_field, on_row, &reading) != 0) {
        reading.failed = true;
        error_set(&reading.err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %s", name, reading.row.line,
                  csv_strerror(csv_error(&parser)));
    }
    if (reading.failed) {
        error_move(err, TAKE_PTR(reading.err));
        return -1;
    }
    if (!reading.header_seen)
        return error_set(err, ERROR_USAGE, 0, "%s:1: no header: the file is empty", name);
    return 0;
}
