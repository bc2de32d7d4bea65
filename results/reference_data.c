// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/reference_data.h"

#include "common/file.h"
#include "common/installed.h"
#include "common/units.h"

#include <csv.h>
#include <dirent.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <string.h>

enum {
    COLUMN_SOURCE,
    COLUMN_TABLE,
    COLUMN_WORKLOAD,
    COLUMN_METRIC,
    COLUMN_UNIT,
    COLUMN_DIRECTION,
    COLUMN_ENVIRONMENT,
    COLUMN_VARIANT,
    COLUMN_VALUE,
    COLUMN_SD,
    COLUMN_COUNT,
    COLUMN_NOTE,
    COLUMNS,
};

static const char *const figure_columns[] = {
    "source",  "table", "workload", "metric", "unit", "direction", "environment",
    "variant", "value", "sd",       "n",      "note", NULL};
static const char *const source_columns[] = {"source", "citation", NULL};

/* A file being read: fields of the row, then what is done with it. */
struct reading {
    const char *path;
    const char *const *columns;
    unsigned column_count;
    bool without_table; /* a file of figures from before that column was */
    int (*take)(struct reading *reading);
    struct reference_data *data;
    uint64_t line;
    unsigned column;
    char *fields[COLUMNS];
    struct error *err;
    bool failed;
};

static void reading_cleanup(struct reading *reading) {
    for (unsigned i = 0; i < COLUMNS; i++)
        free(reading->fields[i]);
    error_free(reading->err);
}

static void on_field(void *data, size_t size, void *cookie) {
    struct reading *reading = cookie;
    unsigned column = reading->column++;
    if (reading->without_table && column >= COLUMN_TABLE)
        column++;
    if (reading->failed || column >= reading->column_count)
        return;
    free(reading->fields[column]);
    reading->fields[column] = strndup(size ? data : "", size);
    if (!reading->fields[column] || strlen(reading->fields[column]) != size) {
        reading->failed = true;
        if (!reading->fields[column])
            error_no_memory(&reading->err);
        else
            error_set(&reading->err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %s: a NUL character",
                      reading->path, reading->line + 1, reading->columns[column]);
    }
}

static int bad_field(struct reading *reading, unsigned column, const char *why) {
    return error_set(&reading->err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %s: \"%.60s\" %s",
                     reading->path, reading->line, reading->columns[column],
                     reading->fields[column], why);
}

/* The column `table` may be missing, as in files from before it: its fields are empty then. */
static int allow_without_table(struct reading *reading) {
    for (unsigned i = COLUMNS - 1; i > COLUMN_TABLE; i--) {
        free(reading->fields[i]);
        reading->fields[i] = TAKE_PTR(reading->fields[i - 1]);
    }
    reading->without_table = true;
    return (reading->fields[COLUMN_TABLE] = strdup(reading->columns[COLUMN_TABLE]))
               ? 0
               : error_no_memory(&reading->err);
}

static int check_header(struct reading *reading) {
    for (unsigned i = 0; i < reading->column_count; i++)
        if (strcmp(reading->fields[i], reading->columns[i]) != 0)
            return bad_field(reading, i, "stands where this column's name should be");
    return 0;
}

static void on_row(int terminator, void *cookie) {
    struct reading *reading = cookie;
    (void)terminator;
    reading->line++;
    unsigned columns = reading->column;
    reading->column = 0;
    if (reading->failed)
        return;
    if (reading->line == 1 && reading->columns == figure_columns && columns == COLUMNS - 1)
        reading->failed = allow_without_table(reading) < 0;
    unsigned expected = reading->column_count - reading->without_table;
    if (reading->failed)
        return;
    if (columns != expected)
        reading->failed =
            error_set(&reading->err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %u fields instead of %u",
                      reading->path, reading->line, columns, expected) < 0;
    else if (reading->line == 1)
        reading->failed = check_header(reading) < 0;
    else
        reading->failed = reading->take(reading) < 0;
}

/* An optional number; NAN when the field is empty. */
static int read_number(struct reading *reading, unsigned column, double *ret_value) {
    const char *text = reading->fields[column];
    *ret_value = NAN;
    if (!*text)
        return 0;
    static locale_t c_locale;
    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char *end = NULL;
    *ret_value = strtod_l(text, &end, c_locale);
    if (end == text || *end || !isfinite(*ret_value))
        return bad_field(reading, column, "is not a finite number");
    return 0;
}

static int check_figure(struct reading *reading, struct reference_row *row) {
    static const unsigned required[] = {COLUMN_SOURCE, COLUMN_WORKLOAD,    COLUMN_METRIC,
                                        COLUMN_UNIT,   COLUMN_ENVIRONMENT, COLUMN_VALUE};
    for (unsigned i = 0; i < sizeof(required) / sizeof(*required); i++)
        if (!*reading->fields[required[i]])
            return bad_field(reading, required[i], "is empty");
    const char *direction = reading->fields[COLUMN_DIRECTION];
    if (strcmp(direction, "higher") != 0 && strcmp(direction, "lower") != 0)
        return bad_field(reading, COLUMN_DIRECTION, "is neither \"higher\" nor \"lower\"");
    double count;
    if (read_number(reading, COLUMN_VALUE, &row->value) < 0 ||
        read_number(reading, COLUMN_SD, &row->sd) < 0 ||
        read_number(reading, COLUMN_COUNT, &count) < 0)
        return -1;
    if (!(row->value > 0))
        return bad_field(reading, COLUMN_VALUE, "is not above zero");
    if (row->sd < 0)
        return bad_field(reading, COLUMN_SD, "is below zero");
    if (isfinite(count) && (count < 1 || count > 1e9 || count != floor(count)))
        return bad_field(reading, COLUMN_COUNT, "is not a number of trials");
    row->count = isfinite(count) ? (uint64_t)count : 0;
    if (strcasestr(reading->fields[COLUMN_NOTE], "upper bound"))
        row->bound = REFERENCE_UPPER_BOUND;
    else if (strcasestr(reading->fields[COLUMN_NOTE], "lower bound"))
        row->bound = REFERENCE_LOWER_BOUND;
    return 0;
}

static int take_figure(struct reading *reading) {
    struct reference_data *data = reading->data;
    struct reference_row row = {0};
    if (check_figure(reading, &row) < 0)
        return -1;
    struct reference_row *larger = realloc(data->rows, (data->count + 1) * sizeof(*larger));
    if (!larger)
        return error_no_memory(&reading->err);
    data->rows = larger;
    row.source = TAKE_PTR(reading->fields[COLUMN_SOURCE]);
    char **const texts[] = {&row.workload,  &row.metric,      &row.unit,
                            &row.direction, &row.environment, &row.variant};
    for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        *texts[i] = TAKE_PTR(reading->fields[COLUMN_WORKLOAD + i]);
    row.note = TAKE_PTR(reading->fields[COLUMN_NOTE]);
    row.table = reading->without_table ? strdup("") : TAKE_PTR(reading->fields[COLUMN_TABLE]);
    data->rows[data->count++] = row;
    return 0;
}

static int take_source(struct reading *reading) {
    struct reference_data *data = reading->data;
    if (!*reading->fields[0])
        return bad_field(reading, 0, "is empty");
    struct reference_source *larger =
        realloc(data->sources, (data->source_count + 1) * sizeof(*larger));
    if (!larger)
        return error_no_memory(&reading->err);
    data->sources = larger;
    data->sources[data->source_count++] = (struct reference_source){
        .source = TAKE_PTR(reading->fields[0]), .citation = TAKE_PTR(reading->fields[1])};
    return 0;
}

static void parser_cleanup(struct csv_parser *parser) {
    csv_free(parser);
}

static int read_stream(struct reading *reading, FILE *file, struct error **err) {
    __attribute__((cleanup(parser_cleanup))) struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return error_no_memory(err);
    char chunk[1 << 14];
    size_t size;
    while (!reading->failed && (size = fread(chunk, 1, sizeof(chunk), file)) > 0)
        if (csv_parse(&parser, chunk, size, on_field, on_row, reading) != size && !reading->failed)
            reading->failed = true;
    if (!reading->failed && ferror(file))
        return error_set(err, ERROR_INTERNAL, errno, "cannot read %s", reading->path);
    if (!reading->failed && csv_fini(&parser, on_field, on_row, reading) != 0)
        reading->failed = true;
    if (reading->failed) {
        if (!reading->err)
            error_set(&reading->err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %s", reading->path,
                      reading->line + 1, csv_strerror(csv_error(&parser)));
        error_move(err, TAKE_PTR(reading->err));
        return -1;
    }
    if (reading->line == 0)
        return error_set(err, ERROR_USAGE, 0, "%s:1: no header: the file is empty", reading->path);
    return 0;
}

static int read_file(struct reading *reading, struct error **err) {
    cleanup_file FILE *file = fopen(reading->path, "re");
    if (!file)
        return error_set(err, ERROR_USAGE, errno, "cannot open %s", reading->path);
    return read_stream(reading, file, err);
}

int reference_add_stream(struct reference_data *data, FILE *file, const char *name,
                         struct error **err) {
    __attribute__((cleanup(reading_cleanup))) struct reading reading = {.path = name,
                                                                        .columns = figure_columns,
                                                                        .column_count = COLUMNS,
                                                                        .take = take_figure,
                                                                        .data = data};
    return read_stream(&reading, file, err);
}

int reference_add_file(struct reference_data *data, const char *path, struct error **err) {
    cleanup_file FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, ERROR_USAGE, errno, "cannot open %s", path);
    return reference_add_stream(data, file, path, err);
}

static int add_sources(struct reference_data *data, const char *path, struct error **err) {
    __attribute__((cleanup(reading_cleanup))) struct reading reading = {.path = path,
                                                                        .columns = source_columns,
                                                                        .column_count = 2,
                                                                        .take = take_source,
                                                                        .data = data};
    return read_file(&reading, err);
}

static int is_csv(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".csv") == 0;
}

int reference_add_folder(struct reference_data *data, const char *folder, struct error **err) {
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_csv, alphasort);
    if (count < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (count < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot read the folder %s", folder);
    int result = 0;
    for (int i = 0; i < count; i++) {
        cleanup_free char *path = text_format("%s/%s", folder, entries[i]->d_name);
        if (!path)
            result = result ? result : error_no_memory(err);
        else if (result == 0)
            result = strcmp(entries[i]->d_name, "sources.csv") == 0
                         ? add_sources(data, path, err)
                         : reference_add_file(data, path, err);
        free(entries[i]);
    }
    free(entries);
    return result;
}

static char *user_folder(void) {
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && data[0] == '/')
        return text_format("%s/boxmark/reference", data);
    return home && home[0] == '/' ? text_format("%s/.local/share/boxmark/reference", home) : NULL;
}

int reference_load_all(struct reference_data *data, struct error **err) {
    cleanup_free char *installed = installed_data("reference");
    cleanup_free char *own = user_folder();
    if (installed && reference_add_folder(data, installed, err) < 0)
        return -1;
    return own ? reference_add_folder(data, own, err) : 0;
}

static void row_clear(struct reference_row *row) {
    free(row->source);
    free(row->table);
    free(row->workload);
    free(row->metric);
    free(row->unit);
    free(row->direction);
    free(row->environment);
    free(row->variant);
    free(row->note);
}

static int unknown_source(const struct reference_data *data, const char *name, struct error **err) {
    cleanup_free const char **names = calloc(data->count + 1, sizeof(*names));
    size_t count = 0;
    if (!names)
        return error_no_memory(err);
    for (size_t i = 0; i < data->count; i++) {
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || strcmp(names[j], data->rows[i].source) == 0;
        if (!known)
            names[count++] = data->rows[i].source;
    }
    return error_unknown_name("reference", name, names, err);
}

/* Moves rows of this source (NULL: of all) and all citations from one to the other. */
static int move_rows(struct reference_data *to, struct reference_data *from, const char *source,
                     struct error **err) {
    struct reference_row *rows = realloc(to->rows, (to->count + from->count + 1) * sizeof(*rows));
    if (!rows)
        return error_no_memory(err);
    to->rows = rows;
    struct reference_source *sources =
        realloc(to->sources, (to->source_count + from->source_count + 1) * sizeof(*sources));
    if (!sources)
        return error_no_memory(err);
    to->sources = sources;
    size_t kept = 0;
    for (size_t i = 0; i < from->count; i++) {
        if (!source || strcmp(from->rows[i].source, source) == 0)
            to->rows[to->count++] = from->rows[i];
        else
            from->rows[kept++] = from->rows[i];
    }
    from->count = kept;
    for (size_t i = 0; i < from->source_count; i++)
        to->sources[to->source_count++] = from->sources[i];
    from->source_count = 0;
    return 0;
}

int reference_load_named(struct reference_data *data, const char *name, struct error **err) {
    size_t length = strlen(name);
    if (strchr(name, '/') || (length > 4 && strcmp(name + length - 4, ".csv") == 0))
        return reference_add_file(data, name, err);
    cleanup_reference struct reference_data all = {0};
    if (reference_load_all(&all, err) < 0)
        return -1;
    bool known = false;
    for (size_t i = 0; i < all.count; i++)
        known = known || strcmp(all.rows[i].source, name) == 0;
    return known ? move_rows(data, &all, name, err) : unknown_source(&all, name, err);
}

const char *reference_citation(const struct reference_data *data, const char *source) {
    for (size_t i = 0; i < data->source_count; i++)
        if (strcmp(data->sources[i].source, source) == 0)
            return data->sources[i].citation;
    return NULL;
}

void reference_clear(struct reference_data *data) {
    for (size_t i = 0; i < data->count; i++)
        row_clear(&data->rows[i]);
    for (size_t i = 0; i < data->source_count; i++) {
        free(data->sources[i].source);
        free(data->sources[i].citation);
    }
    free(data->rows);
    free(data->sources);
    *data = (struct reference_data){0};
}
