// SPDX-License-Identifier: GPL-3.0-or-later
/* The root that every engine gets: the built-in container's, and what engines look for in one. */
#include "environments/container/mounts.h"
#include "environments/engines/engine.h"

#include "common/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int engine_make_root(const char *agent_path, const char *root, uint64_t *ret_bytes,
                     struct error **err) {
    /* systemd-nspawn: a root is known by these; others mount over some of them. */
    static const char *const folders[] = {"etc", "usr", "run", "tmp", "var", NULL};
    static const char release[] = "ID=boxmark\nNAME=boxmark\n";
    struct stat agent;
    if (mkdir(root, 0755) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make the root folder %s", root);
    cleanup_fd int folder_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0 || fchmod(folder_fd, 0755) < 0 || container_make_skeleton(folder_fd) < 0 ||
        container_copy_agent(agent_path, folder_fd) < 0 ||
        fstatat(folder_fd, &ENGINE_AGENT[1], &agent, 0) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot fill the root folder %s", root);
    for (const char *const *folder = folders; *folder; folder++)
        if (mkdirat(folder_fd, *folder, 0755) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot make %s/%s", root, *folder);
    cleanup_fd int release_fd =
        openat(folder_fd, "etc/os-release", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (release_fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make %s/etc/os-release", root);
    *ret_bytes = (uint64_t)agent.st_size;
    return file_write_all(release_fd, release, strlen(release), "os-release", err);
}

/* One file of the root into the archive, its content included. */
static int add_entry(struct archive *from, struct archive *to, struct archive_entry *entry,
                     size_t root_length) {
    const char *path = archive_entry_pathname(entry) + root_length;
    cleanup_free char *inside = text_format(".%s", path);
    if (!inside)
        return ARCHIVE_FATAL;
    archive_entry_set_pathname(entry, inside);
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
    archive_entry_set_uname(entry, "root");
    archive_entry_set_gname(entry, "root");
    if (archive_entry_filetype(entry) == AE_IFDIR && archive_read_disk_descend(from) < ARCHIVE_OK)
        return ARCHIVE_FATAL;
    if (archive_write_header(to, entry) < ARCHIVE_OK)
        return ARCHIVE_FATAL;
    const void *data;
    size_t size;
    la_int64_t offset;
    while (archive_entry_size(entry) > 0 &&
           archive_read_data_block(from, &data, &size, &offset) == ARCHIVE_OK)
        if (archive_write_data(to, data, size) != (la_ssize_t)size)
            return ARCHIVE_FATAL;
    return ARCHIVE_OK;
}

int engine_make_archive(const char *root, const char *archive_path, struct error **err) {
    struct archive *from = archive_read_disk_new(), *to = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    bool fine = from && to && entry && archive_write_set_format_ustar(to) == ARCHIVE_OK &&
                archive_write_open_filename(to, archive_path) == ARCHIVE_OK &&
                archive_read_disk_open(from, root) == ARCHIVE_OK;
    int result = ARCHIVE_OK;
    while (fine && (result = archive_read_next_header2(from, entry)) == ARCHIVE_OK)
        fine = add_entry(from, to, entry, strlen(root)) == ARCHIVE_OK;
    fine = fine && result == ARCHIVE_EOF && archive_write_close(to) == ARCHIVE_OK;
    if (!fine) {
        const char *reason = to ? archive_error_string(to) : NULL;
        if (!reason && from)
            reason = archive_error_string(from);
        error_set(err, ERROR_INTERNAL, 0, "cannot write %s: %s", archive_path,
                  reason ? reason : "out of memory");
    }
    archive_entry_free(entry);
    if (from)
        archive_read_free(from);
    if (to)
        archive_write_free(to);
    return fine ? 0 : -1;
}
