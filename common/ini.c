// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/ini.h"

#include "common/file.h"

#include <ctype.h>
#include <ini.h>
#include <stdbool.h>
#include <string.h>

/* The text as inih reads it, line by line. */
struct reading {
    struct ini_file *file;
    const char *rest;
    unsigned line;       /* of what was read last */
    struct error *error; /* the first of ours */
};

/*
 * The next line without the blanks before it: inih takes an indented line for the continuation of
 * the value before, which would swallow an indented key. A line that does not fit would be taken
 * for two.
 */
static char *read_line(char *text, int capacity, void *cookie) {
    struct reading *reading = cookie;
    if (!*reading->rest || reading->error)
        return NULL;
    size_t length = strcspn(reading->rest, "\n");
    const char *start = reading->rest;
    reading->rest += length + (start[length] == '\n');
    reading->line++;
    while (length > 0 && isspace((unsigned char)*start)) {
        start++;
        length--;
    }
    if (length + 2 > (size_t)capacity) {
        struct ini_entry place = {.line = reading->line};
        error_set(&reading->error, ERROR_USAGE, 0, "the line is longer than %d characters",
                  capacity - 2);
        ini_file_refuse(reading->file, &place, &reading->error);
        return NULL;
    }
    memcpy(text, start, length);
    text[length] = '\n';
    text[length + 1] = '\0';
    return text;
}

static bool is_there(const struct ini_file *file, const char *section, const char *key) {
    for (unsigned i = 0; i < file->count; i++)
        if (strcmp(file->entries[i].section, section) == 0 &&
            strcmp(file->entries[i].key, key) == 0)
            return true;
    return false;
}

static int add_entry(struct reading *reading, const char *section, const char *key,
                     const char *value) {
    struct ini_file *file = reading->file;
    struct ini_entry *entries = reallocarray(file->entries, file->count + 1, sizeof(*entries));
    if (!entries)
        return error_no_memory(&reading->error);
    file->entries = entries;
    struct ini_entry *entry = &entries[file->count++];
    *entry = (struct ini_entry){strdup(section), strdup(key), strdup(value), reading->line};
    return entry->section && entry->key && entry->value ? 0 : error_no_memory(&reading->error);
}

/* inih wants 0 for a failure. */
static int on_entry(void *cookie, const char *section, const char *key, const char *value) {
    struct reading *reading = cookie;
    if (reading->error)
        return 0;
    struct ini_entry place = {NULL, (char *)key, NULL, reading->line};
    if (is_there(reading->file, section, key)) {
        error_set(&reading->error, ERROR_USAGE, 0, "it stands there twice");
        ini_file_refuse(reading->file, &place, &reading->error);
        return 0;
    }
    return add_entry(reading, section, key, value) == 0;
}

int ini_file_load(const char *path, struct ini_file **ret_file, struct error **err) {
    cleanup_free char *text = NULL;
    size_t size;
    if (file_read(path, &text, &size, err) < 0)
        return -1;
    return ini_file_parse(text, size, path, ret_file, err);
}

int ini_file_parse(const char *text, size_t size, const char *name, struct ini_file **ret_file,
                   struct error **err) {
    cleanup_ini_file struct ini_file *file = calloc(1, sizeof(*file));
    if (!file || !(file->path = strdup(name)))
        return error_no_memory(err);
    if (size > INI_FILE_MAX_BYTES || strlen(text) != size)
        return error_set(err, ERROR_USAGE, 0, "%s: %s", name,
                         size > INI_FILE_MAX_BYTES ? "too large for a file of settings"
                                                   : "not a text file");
    struct reading reading = {.file = file, .rest = text};
    int result = ini_parse_stream(read_line, &reading, on_entry, &reading);
    if (reading.error)
        return error_move(err, reading.error);
    if (result == 0) {
        *ret_file = TAKE_PTR(file);
        return 0;
    }
    if (result < 0)
        return error_no_memory(err);
    /* The line of the first error that inih found. */
    struct ini_entry place = {.line = (unsigned)result};
    error_set(err, ERROR_USAGE, 0, "neither \"key = value\" nor \"[section]\"");
    return ini_file_refuse(file, &place, err);
}

int ini_file_refuse(const struct ini_file *file, const struct ini_entry *entry,
                    struct error **err) {
    return entry->key
               ? error_wrap(err, "%s, line %u, key \"%s\"", file->path, entry->line, entry->key)
               : error_wrap(err, "%s, line %u", file->path, entry->line);
}

struct ini_file *ini_file_free(struct ini_file *file) {
    for (unsigned i = 0; file && i < file->count; i++) {
        free(file->entries[i].section);
        free(file->entries[i].key);
        free(file->entries[i].value);
    }
    if (file) {
        free(file->entries);
        free(file->path);
    }
    free(file);
    return NULL;
}
