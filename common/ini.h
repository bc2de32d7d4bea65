// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A settings file: "[section]", "key = value", comments with # or ; at the beginning of a line, and
 * with " ;" behind a value. Blanks before a key mean nothing; a value is one line. What is wrong is
 * told with the file, the line and the key.
 */
#ifndef BOXMARK_COMMON_INI_H
#define BOXMARK_COMMON_INI_H

#include "common/error.h"

/* Largest file that is read. */
#define INI_FILE_MAX_BYTES (64 << 10)

struct ini_entry {
    char *section; /* "" before the first */
    char *key, *value;
    unsigned line;
};

struct ini_file {
    char *path;
    unsigned count;
    struct ini_entry *entries; /* in the order of the file; no key twice in a section */
};

/* ERROR_USAGE for what is wrong in the file; a file that cannot be read keeps its errnum. */
int ini_file_load(const char *path, struct ini_file **ret_file, struct error **err);

/* The same from a text that ends with NUL; `name` stands in messages. */
int ini_file_parse(const char *text, size_t size, const char *name, struct ini_file **ret_file,
                   struct error **err);

/*
 * Puts "FILE, line 3, key \"exec\": " before an error already set about the entry (before an entry
 * without a key: "FILE, line 3: "); returns -1.
 */
int ini_file_refuse(const struct ini_file *file, const struct ini_entry *entry, struct error **err);

struct ini_file *ini_file_free(struct ini_file *file); /* NULL is fine; returns NULL */
static inline void ini_file_cleanup(struct ini_file **file) {
    ini_file_free(*file);
}
#define cleanup_ini_file CLEANUP(ini_file)

#endif
