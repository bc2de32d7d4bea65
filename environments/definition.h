// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Environments that the user has described in files: NAME.ini in environments.d of the
 * configuration folder defines the environment NAME. Its one section is named after the kind and
 * holds that kind's keys. docs/command.md; environments/examples/.
 */
#ifndef BOXMARK_ENVIRONMENTS_DEFINITION_H
#define BOXMARK_ENVIRONMENTS_DEFINITION_H

#include "common/ini.h"
#include "environments/environment.h"

struct definition {
    const struct environment_ops *ops;
    struct ini_file *file;
};

/*
 * Reads and checks NAME's file: 1, 0 when there is none (or the name cannot be a file's), -1 with
 * the file, line and key in the message.
 */
int definition_load(const char *name, struct definition **ret_definition, struct error **err);

/* The same of a text that ends with NUL, without a file; `name` stands in messages. 0 or -1. */
int definition_parse(const char *text, size_t size, const char *name,
                     struct definition **ret_definition, struct error **err);

/* Adds to the spec what it does not say itself. */
int definition_apply(const struct definition *definition, struct spec *spec, struct error **err);

struct definition *definition_free(struct definition *definition); /* NULL is fine */
static inline void definition_cleanup(struct definition **definition) {
    definition_free(*definition);
}
#define cleanup_definition CLEANUP(definition)

/* All files, read or not, sorted by name. */
struct definitions {
    unsigned count;
    struct definition_entry {
        char *name, *path;
    } * entries;
};

/* A folder that is not there holds none. */
int definitions_find(struct definitions *ret_definitions, struct error **err);
void definitions_clear(struct definitions *definitions);
static inline void definitions_cleanup(struct definitions *definitions) {
    definitions_clear(definitions);
}
#define cleanup_definitions CLEANUP(definitions)

/* Where they are looked for; malloc'ed; NULL when the user has no home. */
char *definition_folder(void);

#endif
