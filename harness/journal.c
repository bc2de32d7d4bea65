// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/journal.h"

#include "bench/protocol.h"
#include "common/clock.h"
#include "common/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct journal {
    int fd;
    char *path;
};

int journal_open(const char *path, struct journal **ret_journal, struct error **err) {
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot open %s", path);
    if (status.st_size > 0) {
        cleanup_free char *text = NULL;
        size_t size;
        if (file_read(path, &text, &size, err) < 0)
            return -1;
        const char *newline = memrchr(text, '\n', size);
        off_t end = newline ? newline - text + 1 : 0;
        if (ftruncate(fd, end) < 0 || lseek(fd, end, SEEK_SET) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot continue %s", path);
    }
    struct journal *journal = calloc(1, sizeof(*journal));
    if (!journal || !(journal->path = strdup(path))) {
        free(journal);
        return error_no_memory(err);
    }
    journal->fd = TAKE_FD(fd);
    *ret_journal = journal;
    return 0;
}

int journal_append(struct journal *journal, const char *type, json_t *entry, struct error **err) {
    cleanup_json json_t *owned = entry;
    char now[21];
    clock_utc_text(now);
    cleanup_json json_t *line = json_pack("{s:s, s:s}", "type", type, "utc", now);
    if (!line || json_object_update(line, owned) < 0)
        return error_no_memory(err);
    cleanup_free char *text = json_dumps(line, JSON_COMPACT);
    cleanup_free char *ended = text ? text_format("%s\n", text) : NULL;
    if (!ended)
        return error_no_memory(err);
    if (file_write_all(journal->fd, ended, strlen(ended), journal->path, err) < 0)
        return -1;
    if (fdatasync(journal->fd) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot write %s", journal->path);
    return 0;
}

struct journal *journal_close(struct journal *journal) {
    if (journal) {
        close(journal->fd);
        free(journal->path);
        free(journal);
    }
    return NULL;
}

int journal_read(const char *path, json_t **ret_entries, struct error **err) {
    cleanup_free char *text = NULL;
    if (file_read(path, &text, NULL, err) < 0)
        return -1;
    return journal_parse(text, path, ret_entries, err);
}

int journal_parse(const char *text, const char *name, json_t **ret_entries, struct error **err) {
    cleanup_json json_t *entries = json_array();
    unsigned number = 0;
    for (const char *line = text, *newline; (newline = strchr(line, '\n')); line = newline + 1) {
        json_error_t problem;
        number++;
        json_t *entry = json_loadb(line, (size_t)(newline - line), 0, &problem);
        if (!json_is_object(entry)) {
            json_decref(entry);
            return error_set(err, ERROR_USAGE, 0, "%s:%u: not a journal entry (%s)", name, number,
                             problem.text);
        }
        if (json_array_append_new(entries, entry) < 0)
            return error_no_memory(err);
    }
    *ret_entries = json_incref(entries);
    return 0;
}
