// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/manifest.h"

#include "common/file.h"

#include <fts.h>
#include <stdbool.h>
#include <string.h>

enum { HEX_LENGTH = 64 };

void manifest_clear(struct manifest *manifest) {
    for (size_t i = 0; i < manifest->count; i++)
        free(manifest->entries[i].path);
    free(manifest->entries);
    *manifest = (struct manifest){0};
}

/* Takes `path` (NULL: out of memory). */
static int add(struct manifest *manifest, const char *sha256, char *path, struct error **err) {
    struct manifest_entry *larger =
        path ? reallocarray(manifest->entries, manifest->count + 1, sizeof(*larger)) : NULL;
    if (!larger) {
        free(path);
        return error_no_memory(err);
    }
    manifest->entries = larger;
    memcpy(larger[manifest->count].sha256, sha256, HEX_LENGTH);
    larger[manifest->count].sha256[HEX_LENGTH] = '\0';
    larger[manifest->count++].path = path;
    return 0;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct manifest_entry *)a)->path,
                  ((const struct manifest_entry *)b)->path);
}

/* Made from the others, at any time again: reports, figures, and what vouches for the rest. */
static bool is_derived(const char *path) {
    return strcmp(path, MANIFEST_NAME) == 0 || strcmp(path, MANIFEST_SIGNATURE_NAME) == 0 ||
           strncmp(path, "plots/", strlen("plots/")) == 0 ||
           (strncmp(path, "report.", strlen("report.")) == 0 && !strchr(path, '/'));
}

/*
 * In place of the hash of a link, a socket or a device: it is not written into a manifest, and it
 * is never equal to what is there for a file of this name.
 */
static const char no_hash[HEX_LENGTH + 1] =
    "----------------------------------------------------------------";

static int add_file(struct manifest *manifest, const FTSENT *entry, const char *path,
                    struct error **err) {
    char sha256[HEX_LENGTH + 1];
    bool is_file = entry->fts_info == FTS_F;
    if (is_file && file_sha256(entry->fts_accpath, sha256, err) < 0)
        return -1;
    return add(manifest, is_file ? sha256 : no_hash, strdup(path), err);
}

static int walk(FTS *tree, size_t prefix, struct manifest *manifest, struct error **err) {
    for (FTSENT *entry; (errno = 0, entry = fts_read(tree));) {
        if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP)
            continue;
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            return error_set(err, ERROR_INTERNAL, entry->fts_errno, "cannot read %s",
                             entry->fts_path);
        const char *path = entry->fts_path + prefix;
        if (!is_derived(path) && add_file(manifest, entry, path, err) < 0)
            return -1;
    }
    return errno ? error_set(err, ERROR_INTERNAL, errno, "cannot read the run folder") : 0;
}

static void tree_cleanup(FTS **tree) {
    if (*tree)
        fts_close(*tree);
}

int manifest_make(const char *folder, struct manifest *ret_manifest, struct error **err) {
    cleanup_free char *root = realpath(folder, NULL);
    if (!root)
        return error_set(err, ERROR_USAGE, errno, "cannot open the run %s", folder);
    char *const roots[] = {root, NULL};
    __attribute__((cleanup(tree_cleanup))) FTS *tree =
        fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (!tree)
        return error_set(err, ERROR_INTERNAL, errno, "cannot read %s", root);
    cleanup_manifest struct manifest manifest = {0};
    if (walk(tree, strlen(root) + 1, &manifest, err) < 0)
        return -1;
    if (manifest.count > 0)
        qsort(manifest.entries, manifest.count, sizeof(*manifest.entries), by_path);
    *ret_manifest = manifest;
    manifest = (struct manifest){0};
    return 0;
}

/* A name with a line end or a backslash is escaped, and its line begins with a backslash. */
static void put_line(FILE *to, const struct manifest_entry *entry) {
    bool escape = entry->path[strcspn(entry->path, "\\\n\r")] != '\0';
    fprintf(to, "%s%s  ", escape ? "\\" : "", entry->sha256);
    for (const char *at = entry->path; *at; at++) {
        if (*at == '\\')
            fputs("\\\\", to);
        else if (*at == '\n')
            fputs("\\n", to);
        else if (*at == '\r')
            fputs("\\r", to);
        else
            putc(*at, to);
    }
    putc('\n', to);
}

int manifest_format(const struct manifest *manifest, char **ret_text, struct error **err) {
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return error_no_memory(err);
    for (size_t i = 0; i < manifest->count; i++)
        if (strcmp(manifest->entries[i].sha256, no_hash) != 0)
            put_line(to, &manifest->entries[i]);
    if (fclose(to) != 0) {
        free(text);
        return error_no_memory(err);
    }
    *ret_text = text;
    return 0;
}

/* In place; false for an escape that sha256sum does not write. */
static bool unescape(char *path) {
    char *to = path;
    for (const char *at = path; *at; at++) {
        if (*at != '\\') {
            *to++ = *at;
            continue;
        }
        static const char codes[] = "\\nr", meanings[] = "\\\n\r";
        const char *code = at[1] ? strchr(codes, at[1]) : NULL;
        if (!code)
            return false;
        *to++ = meanings[code - codes];
        at++;
    }
    *to = '\0';
    return true;
}

/* No absolute path, no empty part, no "." nor "..". */
static bool stays_inside(const char *path) {
    for (;;) {
        size_t length = strcspn(path, "/");
        if (length == 0 || (length == 1 && path[0] == '.') ||
            (length == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        if (!path[length])
            return true;
        path += length + 1;
    }
}

static int parse_line(const char *line, size_t length, struct manifest *manifest, const char *name,
                      size_t number, struct error **err) {
    bool escaped = length > 0 && line[0] == '\\';
    line += escaped;
    length -= escaped;
    if (length < HEX_LENGTH + 3 || strspn(line, "0123456789abcdef") != HEX_LENGTH ||
        line[HEX_LENGTH] != ' ' || !strchr(" *", line[HEX_LENGTH + 1]))
        return error_set(err, ERROR_USAGE, 0, "%s:%zu: not \"SHA-256, two spaces, file\"", name,
                         number);
    cleanup_free char *path = strndup(line + HEX_LENGTH + 2, length - HEX_LENGTH - 2);
    if (!path)
        return error_no_memory(err);
    if ((escaped && !unescape(path)) || !stays_inside(path))
        return error_set(err, ERROR_USAGE, 0, "%s:%zu: \"%.60s\" is not a file of this folder",
                         name, number, path);
    return add(manifest, line, TAKE_PTR(path), err);
}

int manifest_parse(const char *text, const char *name, struct manifest *ret_manifest,
                   struct error **err) {
    cleanup_manifest struct manifest manifest = {0};
    size_t number = 1;
    for (const char *line = text; *line; number++) {
        size_t length = strcspn(line, "\n");
        if (parse_line(line, length, &manifest, name, number, err) < 0)
            return -1;
        line += length + (line[length] == '\n');
    }
    if (manifest.count > 0)
        qsort(manifest.entries, manifest.count, sizeof(*manifest.entries), by_path);
    for (size_t i = 1; i < manifest.count; i++)
        if (by_path(&manifest.entries[i - 1], &manifest.entries[i]) == 0)
            return error_set(err, ERROR_USAGE, 0, "%s: \"%.60s\" stands there twice", name,
                             manifest.entries[i].path);
    *ret_manifest = manifest;
    manifest = (struct manifest){0};
    return 0;
}

int manifest_remove(const char *folder, struct error **err) {
    static const char *const names[] = {MANIFEST_SIGNATURE_NAME, MANIFEST_NAME};
    for (unsigned i = 0; i < 2; i++) {
        cleanup_free char *path = text_format("%s/%s", folder, names[i]);
        if (!path)
            return error_no_memory(err);
        if (unlink(path) < 0 && errno != ENOENT)
            return error_set(err, ERROR_INTERNAL, errno, "cannot remove %s", path);
    }
    return 0;
}

int manifest_write(const char *folder, struct error **err) {
    cleanup_manifest struct manifest manifest = {0};
    cleanup_free char *text = NULL;
    cleanup_free char *path = text_format("%s/" MANIFEST_NAME, folder);
    if (!path)
        return error_no_memory(err);
    if (manifest_remove(folder, err) < 0 || manifest_make(folder, &manifest, err) < 0 ||
        manifest_format(&manifest, &text, err) < 0)
        return -1;
    return file_replace(path, text, strlen(text), err);
}

int manifest_compare(const struct manifest *was, const struct manifest *is,
                     manifest_differs differs, void *cookie, struct error **err) {
    for (size_t i = 0, j = 0; i < was->count || j < is->count;) {
        int order = i == was->count  ? 1
                    : j == is->count ? -1
                                     : by_path(&was->entries[i], &is->entries[j]);
        int result = 0;
        if (order < 0)
            result = differs(MANIFEST_MISSING, was->entries[i].path, cookie, err);
        else if (order > 0)
            result = differs(MANIFEST_ADDITIONAL, is->entries[j].path, cookie, err);
        else if (strcmp(was->entries[i].sha256, is->entries[j].sha256) != 0)
            result = differs(MANIFEST_CHANGED, was->entries[i].path, cookie, err);
        if (result < 0)
            return -1;
        i += order <= 0;
        j += order >= 0;
    }
    return 0;
}
