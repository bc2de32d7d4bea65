// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/store.h"

#include "common/file.h"

#include <csv.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* One column of samples.csv: how a field is written from and read into a sample. */
enum column {
    COLUMN_SCHEMA,
    COLUMN_BLOCK,
    COLUMN_POSITION,
    COLUMN_ENVIRONMENT,
    COLUMN_ACCELERATOR,
    COLUMN_WORKLOAD,
    COLUMN_METRIC,
    COLUMN_UNIT,
    COLUMN_BETTER,
    COLUMN_ITERATION,
    COLUMN_WARMUP,
    COLUMN_VALUE,
    COLUMN_AGENT_VALUE,
    COLUMN_TIME_NS,
    COLUMNS,
};

static const char *const column_names[COLUMNS] = {
    [COLUMN_SCHEMA] = "schema",           [COLUMN_BLOCK] = "block",
    [COLUMN_POSITION] = "position",       [COLUMN_ENVIRONMENT] = "environment",
    [COLUMN_ACCELERATOR] = "accelerator", [COLUMN_WORKLOAD] = "workload",
    [COLUMN_METRIC] = "metric",           [COLUMN_UNIT] = "unit",
    [COLUMN_BETTER] = "better",           [COLUMN_ITERATION] = "iteration",
    [COLUMN_WARMUP] = "warmup",           [COLUMN_VALUE] = "value",
    [COLUMN_AGENT_VALUE] = "agent_value", [COLUMN_TIME_NS] = "time_ns",
};

struct store {
    FILE *file;
    char *path;
    uint64_t size_bytes; /* made durable */
};

/* "schema,block,...": malloc'ed, with its newline. */
static char *header_line(void) {
    char *line = NULL;
    for (unsigned i = 0; i < COLUMNS; i++) {
        char *longer = text_format("%s%s%s%s", line ? line : "", i ? "," : "", column_names[i],
                                   i + 1 == COLUMNS ? "\n" : "");
        free(line);
        if (!longer)
            return NULL;
        line = longer;
    }
    return line;
}

/*
 * Offset after the last whole row, so that a half-written one can be cut. A newline within quotes
 * is part of a text: only the quotes from the start on tell.
 */
static int find_end_of_rows(int fd, const char *path, off_t size, off_t *ret_end,
                            struct error **err) {
    char chunk[1 << 15];
    bool quoted = false;
    off_t offset = 0, end = 0;
    while (offset < size) {
        ssize_t count = pread(fd, chunk, sizeof(chunk), offset);
        if (count <= 0)
            return error_set(err, ERROR_INTERNAL, count < 0 ? errno : EIO, "cannot read %s", path);
        for (ssize_t i = 0; i < count; i++)
            if (chunk[i] == '"')
                quoted = !quoted;
            else if (chunk[i] == '\n' && !quoted)
                end = offset + i + 1;
        offset += count;
    }
    *ret_end = end;
    return 0;
}

static int check_header(int fd, const char *path, struct error **err) {
    cleanup_free char *expected = header_line();
    if (!expected)
        return error_no_memory(err);
    size_t length = strlen(expected);
    cleanup_free char *found = calloc(1, length + 1);
    if (!found)
        return error_no_memory(err);
    if (pread(fd, found, length, 0) != (ssize_t)length || strcmp(found, expected) != 0)
        return error_set(err, ERROR_USAGE, 0, "%s:1: not the header of schema %d", path,
                         SAMPLE_SCHEMA_VERSION);
    return 0;
}

int store_open(const char *path, struct store **ret_store, bool *ret_dropped, struct error **err) {
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot open %s", path);
    struct stat status;
    off_t end = 0;
    if (fstat(fd, &status) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot stat %s", path);
    if (find_end_of_rows(fd, path, status.st_size, &end, err) < 0)
        return -1;
    if (end > 0 && check_header(fd, path, err) < 0)
        return -1;
    if (end < status.st_size && ftruncate(fd, end) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot cut a half-written row from %s", path);
    cleanup_store struct store *store = calloc(1, sizeof(*store));
    if (!store || !(store->path = strdup(path)))
        return error_no_memory(err);
    lseek(fd, end, SEEK_SET);
    store->file = fdopen(fd, "r+");
    if (!store->file)
        return error_set(err, ERROR_INTERNAL, errno, "cannot open %s", path);
    fd = -1;
    fseeko(store->file, end, SEEK_SET);
    store->size_bytes = (uint64_t)end;
    if (end == 0) {
        cleanup_free char *header = header_line();
        if (!header)
            return error_no_memory(err);
        fputs(header, store->file);
        if (store_sync(store, err) < 0)
            return -1;
    }
    if (ret_dropped)
        *ret_dropped = end < status.st_size;
    *ret_store = TAKE_PTR(store);
    return 0;
}

static locale_t c_locale(void) {
    static locale_t locale;
    if (!locale)
        locale = newlocale(LC_ALL_MASK, "C", NULL);
    return locale;
}

/* Shortest text that reads back as the same number; the caller has set the C locale. */
static void format_number(double value, char text[40]) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, 40, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

int store_append(struct store *store, const struct sample *sample, struct error **err) {
    if (!isfinite(sample->value))
        return error_set(err, ERROR_INTERNAL, 0, "a value of %s %s is not finite", sample->workload,
                         sample->metric);
    char numbers[COLUMNS][40] = {{0}};
    snprintf(numbers[COLUMN_SCHEMA], 40, "%d", SAMPLE_SCHEMA_VERSION);
    snprintf(numbers[COLUMN_BLOCK], 40, "%" PRIu64, sample->block);
    snprintf(numbers[COLUMN_POSITION], 40, "%" PRIu64, sample->position);
    snprintf(numbers[COLUMN_ITERATION], 40, "%" PRIu64, sample->iteration);
    snprintf(numbers[COLUMN_WARMUP], 40, "%d", sample->warmup);
    snprintf(numbers[COLUMN_TIME_NS], 40, "%" PRIu64, sample->time_ns);
    locale_t users = uselocale(c_locale());
    format_number(sample->value, numbers[COLUMN_VALUE]);
    if (isfinite(sample->agent_value))
        format_number(sample->agent_value, numbers[COLUMN_AGENT_VALUE]);
    uselocale(users);
    const char *fields[COLUMNS] = {
        [COLUMN_ENVIRONMENT] = sample->environment,
        [COLUMN_ACCELERATOR] = sample->accelerator,
        [COLUMN_WORKLOAD] = sample->workload,
        [COLUMN_METRIC] = sample->metric,
        [COLUMN_UNIT] = sample->unit,
        [COLUMN_BETTER] = sample->better,
    };
    for (unsigned i = 0; i < COLUMNS; i++) {
        if (i)
            putc(',', store->file);
        /* Numbers need no quotes; texts get them from libcsv. */
        if (fields[i])
            csv_fwrite(store->file, fields[i], strlen(fields[i]));
        else
            fputs(numbers[i], store->file);
    }
    putc('\n', store->file);
    if (ferror(store->file))
        return error_set(err, ERROR_INTERNAL, errno, "cannot write %s", store->path);
    return 0;
}

int store_sync(struct store *store, struct error **err) {
    if (fflush(store->file) != 0 || fsync(fileno(store->file)) < 0) {
        error_set(err, ERROR_INTERNAL, errno, "cannot write %s", store->path);
        return error_advise(err, "what was stored before is safe; make room and use --resume");
    }
    store->size_bytes = (uint64_t)ftello(store->file);
    return 0;
}

uint64_t store_size_bytes(const struct store *store) {
    return store->size_bytes;
}

struct store *store_close(struct store *store) {
    if (store) {
        if (store->file)
            fclose(store->file);
        free(store->path);
        free(store);
    }
    return NULL;
}

/* The reader: libcsv calls back for every field and row. */
struct reading {
    const char *path;
    uint64_t line; /* of the file, being parsed */
    bool header_seen;
    unsigned column;
    char *fields[COLUMNS]; /* of the row being read */
    size_t capacities[COLUMNS];
    store_visit visit;
    void *cookie;
    struct error *err;
    bool failed;
};

static void reading_cleanup(struct reading *reading) {
    for (unsigned i = 0; i < COLUMNS; i++)
        free(reading->fields[i]);
    error_free(reading->err);
}

static void bad_field(struct reading *reading, unsigned column, const char *why) {
    reading->failed = true;
    error_set(&reading->err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %s: \"%.60s\" %s", reading->path,
              reading->line, column_names[column], reading->fields[column], why);
}

static void on_field(void *data, size_t size, void *cookie) {
    struct reading *reading = cookie;
    unsigned column = reading->column++;
    if (reading->failed || column >= COLUMNS)
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
        bad_field(reading, column, "goes on after a zero byte");
}

static uint64_t read_unsigned(struct reading *reading, unsigned column) {
    const char *text = reading->fields[column];
    char *end = NULL;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (!reading->failed && (*text < '0' || *text > '9' || *end || errno))
        bad_field(reading, column, "is not a whole number");
    return value;
}

static double read_number(struct reading *reading, unsigned column, bool may_be_empty) {
    const char *text = reading->fields[column];
    if (may_be_empty && !*text)
        return NAN;
    char *end = NULL;
    double value = strtod_l(text, &end, c_locale());
    /* strtod knows more than numbers: spaces, hexadecimal, "inf", "nan(...)". */
    bool plain = text[strspn(text, "+-.0123456789eE")] == '\0';
    if (!reading->failed && (end == text || *end || !plain || !isfinite(value)))
        bad_field(reading, column, "is not a finite number");
    return value;
}

static const char *read_text(struct reading *reading, unsigned column) {
    if (!reading->failed && !*reading->fields[column])
        bad_field(reading, column, "is empty");
    return reading->fields[column];
}

static bool read_flag(struct reading *reading, unsigned column) {
    uint64_t value = read_unsigned(reading, column);
    if (!reading->failed && value > 1)
        bad_field(reading, column, "is not 0 or 1");
    return value == 1;
}

static const char *read_better(struct reading *reading) {
    const char *text = read_text(reading, COLUMN_BETTER);
    if (!reading->failed && strcmp(text, "lower") != 0 && strcmp(text, "higher") != 0 &&
        strcmp(text, "neither") != 0)
        bad_field(reading, COLUMN_BETTER, "is not lower, higher or neither");
    return text;
}

static void visit_row(struct reading *reading) {
    uint64_t schema = read_unsigned(reading, COLUMN_SCHEMA);
    if (!reading->failed && schema != SAMPLE_SCHEMA_VERSION)
        bad_field(reading, COLUMN_SCHEMA, "is a schema that this version does not read");
    struct sample sample = {
        .block = read_unsigned(reading, COLUMN_BLOCK),
        .position = read_unsigned(reading, COLUMN_POSITION),
        .environment = read_text(reading, COLUMN_ENVIRONMENT),
        .accelerator = read_text(reading, COLUMN_ACCELERATOR),
        .workload = read_text(reading, COLUMN_WORKLOAD),
        .metric = read_text(reading, COLUMN_METRIC),
        .unit = read_text(reading, COLUMN_UNIT),
        .better = read_better(reading),
        .iteration = read_unsigned(reading, COLUMN_ITERATION),
        .warmup = read_flag(reading, COLUMN_WARMUP),
        .value = read_number(reading, COLUMN_VALUE, false),
        .agent_value = read_number(reading, COLUMN_AGENT_VALUE, true),
        .time_ns = read_unsigned(reading, COLUMN_TIME_NS),
    };
    if (!reading->failed && reading->visit(&sample, reading->cookie, &reading->err) < 0) {
        reading->failed = true;
        error_wrap(&reading->err, "%s:%" PRIu64, reading->path, reading->line);
    }
}

static void on_row(int terminator, void *cookie) {
    struct reading *reading = cookie;
    (void)terminator;
    unsigned columns = reading->column;
    reading->column = 0;
    if (reading->failed)
        return;
    if (columns != COLUMNS) {
        reading->failed = true;
        error_set(&reading->err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %u fields instead of %d",
                  reading->path, reading->line, columns, COLUMNS);
    } else if (!reading->header_seen) {
        reading->header_seen = true;
        for (unsigned i = 0; i < COLUMNS && !reading->failed; i++)
            if (strcmp(reading->fields[i], column_names[i]) != 0)
                bad_field(reading, i, "stands where this column's name should be");
    } else {
        visit_row(reading);
    }
}

static void parser_cleanup(struct csv_parser *parser) {
    csv_free(parser);
}

/* Parses a chunk line by line, so that messages can name the line. */
static void parse_chunk(struct csv_parser *parser, const char *chunk, size_t size,
                        struct reading *reading) {
    while (size > 0 && !reading->failed) {
        const char *newline = memchr(chunk, '\n', size);
        size_t length = newline ? (size_t)(newline - chunk) + 1 : size;
        if (csv_parse(parser, chunk, length, on_field, on_row, reading) != length &&
            !reading->failed) {
            reading->failed = true;
            error_set(&reading->err, ERROR_USAGE, 0, "%s:%" PRIu64 ": %s", reading->path,
                      reading->line, csv_strerror(csv_error(parser)));
        }
        reading->line += newline != NULL;
        chunk += length;
        size -= length;
    }
}

int store_read(const char *path, store_visit visit, void *cookie, bool *ret_dropped,
               struct error **err) {
    cleanup_file FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, ERROR_USAGE, errno, "cannot open %s", path);
    return store_read_stream(file, path, visit, cookie, ret_dropped, err);
}

int store_read_stream(FILE *file, const char *name, store_visit visit, void *cookie,
                      bool *ret_dropped, struct error **err) {
    __attribute__((cleanup(parser_cleanup))) struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT) != 0)
        return error_no_memory(err);
    __attribute__((cleanup(reading_cleanup))) struct reading reading = {
        .path = name, .line = 1, .visit = visit, .cookie = cookie};
    char chunk[1 << 15];
    char last = '\n';
    size_t size;
    while (!reading.failed && (size = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        last = chunk[size - 1];
        parse_chunk(&parser, chunk, size, &reading);
    }
    if (!reading.failed && ferror(file))
        return error_set(err, ERROR_INTERNAL, errno, "cannot read %s", name);
    if (reading.failed) {
        error_move(err, reading.err);
        reading.err = NULL;
        return -1;
    }
    if (!reading.header_seen)
        return error_set(err, ERROR_USAGE, 0, "%s:1: no header: the file is empty", name);
    /* What follows the last whole row was being written when the program died: no row. */
    if (ret_dropped)
        *ret_dropped = last != '\n' || reading.column > 0;
    return 0;
}
