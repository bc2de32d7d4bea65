// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/definition.h"

#include "common/file.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>

static const char suffix[] = ".ini";

char *definition_folder(void) {
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    /* A relative path is to be ignored (XDG Base Directory Specification). */
    if (config && *config == '/')
        return text_format("%s/boxmark/environments.d", config);
    return home && *home ? text_format("%s/.config/boxmark/environments.d", home) : NULL;
}

static bool is_name(const char *name) {
    bool fine = isalnum((unsigned char)*name);
    for (const char *at = name; *at; at++)
        fine = fine && (isalnum((unsigned char)*at) || strchr("._-", *at));
    return fine;
}

/* The kind that the sections name; they must all name the same. */
static int find_kind(const struct ini_file *file, const struct environment_ops **ret_ops,
                     struct error **err) {
    const struct environment_ops *ops = NULL;
    if (file->count == 0) {
        error_set(err, ERROR_USAGE, 0, "%s: it describes no environment", file->path);
        return error_advise(err, "begin it with [command] and a line exec = ...");
    }
    for (unsigned i = 0; i < file->count; i++) {
        const struct ini_entry *entry = &file->entries[i];
        const struct environment_ops *kind = environment_kind(entry->section);
        if (!*entry->section) {
            error_set(err, ERROR_USAGE, 0, "it stands before the first [section]");
            error_advise(err, "begin the file with [command]");
        } else if (!kind || kind == &environment_stack)
            error_set(err, ERROR_USAGE, 0, "[%s] is no kind of environment", entry->section);
        else if (ops && kind != ops)
            error_set(err, ERROR_USAGE, 0, "[%s] behind [%s]: a file describes one environment",
                      entry->section, ops->name);
        else {
            ops = kind;
            continue;
        }
        return ini_file_refuse(file, entry, err);
    }
    *ret_ops = ops;
    return 0;
}

static int check(const struct definition *definition, struct error **err) {
    const struct ini_file *file = definition->file;
    for (unsigned i = 0; i < file->count; i++) {
        const struct ini_entry *entry = &file->entries[i];
        if (environment_check_entry(definition->ops, &(struct spec_entry){entry->key, entry->value},
                                    err) < 0)
            return ini_file_refuse(file, entry, err);
    }
    return 0;
}

/* Takes the file over if there is nothing wrong with it. */
static int describe(struct ini_file **file, struct definition **ret_definition,
                    struct error **err) {
    cleanup_free struct definition *definition = calloc(1, sizeof(*definition));
    if (!definition)
        return error_no_memory(err);
    definition->file = *file;
    if (find_kind(*file, &definition->ops, err) < 0 || check(definition, err) < 0)
        return -1;
    *file = NULL;
    *ret_definition = TAKE_PTR(definition);
    return 0;
}

int definition_parse(const char *text, size_t size, const char *name,
                     struct definition **ret_definition, struct error **err) {
    cleanup_ini_file struct ini_file *file = NULL;
    if (ini_file_parse(text, size, name, &file, err) < 0)
        return -1;
    return describe(&file, ret_definition, err);
}

int definition_load(const char *name, struct definition **ret_definition, struct error **err) {
    cleanup_free char *folder = definition_folder();
    if (!folder || !is_name(name))
        return 0;
    cleanup_free char *path = text_format("%s/%s%s", folder, name, suffix);
    cleanup_ini_file struct ini_file *file = NULL;
    cleanup_error struct error *failure = NULL;
    if (!path)
        return error_no_memory(err);
    if (ini_file_load(path, &file, &failure) < 0) {
        if (failure->errnum == ENOENT || failure->errnum == ENOTDIR)
            return 0;
        return error_move(err, TAKE_PTR(failure));
    }
    return describe(&file, ret_definition, err) < 0 ? -1 : 1;
}

int definition_apply(const struct definition *definition, struct spec *spec, struct error **err) {
    const struct ini_file *file = definition->file;
    for (unsigned i = 0; i < file->count; i++)
        if (!spec_given(spec, file->entries[i].key) &&
            spec_add(spec, file->entries[i].key, file->entries[i].value, err) < 0)
            return -1;
    return 0;
}

struct definition *definition_free(struct definition *definition) {
    if (definition)
        ini_file_free(definition->file);
    free(definition);
    return NULL;
}

static int is_definition(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return is_name(entry->d_name) && length >= sizeof(suffix) &&
           strcmp(entry->d_name + length + 1 - sizeof(suffix), suffix) == 0;
}

int definitions_find(struct definitions *ret_definitions, struct error **err) {
    cleanup_free char *folder = definition_folder();
    struct dirent **found;
    *ret_definitions = (struct definitions){0};
    int count = folder ? scandir(folder, &found, is_definition, alphasort) : 0;
    if (count < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (count < 0)
        return error_set(err, ERROR_USAGE, errno, "cannot read %s", folder);
    struct definitions definitions = {0};
    bool fine =
        count == 0 || (definitions.entries = calloc((size_t)count, sizeof(*definitions.entries)));
    for (int i = 0; i < count; i++) {
        if (fine) {
            struct definition_entry *entry = &definitions.entries[definitions.count++];
            entry->path = text_format("%s/%s", folder, found[i]->d_name);
            entry->name = strndup(found[i]->d_name, strlen(found[i]->d_name) + 1 - sizeof(suffix));
            fine = entry->path && entry->name;
        }
        free(found[i]);
    }
    if (folder)
        free(found);
    if (!fine) {
        definitions_clear(&definitions);
        return error_no_memory(err);
    }
    *ret_definitions = definitions;
    return 0;
}

void definitions_clear(struct definitions *definitions) {
    for (unsigned i = 0; i < definitions->count; i++) {
        free(definitions->entries[i].name);
        free(definitions->entries[i].path);
    }
    free(definitions->entries);
    *definitions = (struct definitions){0};
}
