// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/data_folder.h"

#include "common/file.h"
#include "common/lock.h"
#include "common/units.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* A guest's disk image holds a file system around the data: 1/16 more, and some for small sizes. */
static uint64_t room_needed(uint64_t bytes) {
    return bytes ? bytes + bytes / 8 + (UINT64_C(64) << 20) : 0;
}

#define NAME "boxmark-data"

int data_folder_remove_leftover(const char *path, struct error **err) {
    const char *name = strrchr(path, '/');
    struct stat status;
    if (!name || fnmatch("/" NAME ".??????", name, 0) != 0 || lstat(path, &status) < 0 ||
        !S_ISDIR(status.st_mode) || status.st_uid != geteuid())
        return 0;
    cleanup_fd int lock_fd = -1;
    return lock_folder(path, &lock_fd) == LOCK_TAKEN ? file_remove_tree(path, err) : 0;
}

unsigned data_folder_remove_leftovers(const char *parent) {
    cleanup_dir DIR *dir = opendir(parent);
    unsigned removed = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strncmp(entry->d_name, NAME ".", strlen(NAME ".")) != 0)
            continue;
        cleanup_free char *path = text_format("%s/%s", parent, entry->d_name);
        if (path && data_folder_remove_leftover(path, NULL) == 0)
            removed += !file_exists(path);
    }
    return removed;
}

/* A folder of a fresh name that is ours: nobody takes it for a leftover. 0, or -1 with errno. */
static int make_locked(const char *parent, char **ret_path, int *ret_lock_fd) {
    /* Who removes leftovers may lock it before we do. */
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        cleanup_free char *path = text_format("%s/" NAME ".XXXXXX", parent);
        if (!path || !mkdtemp(path))
            return -1;
        enum lock_state state = lock_folder(path, ret_lock_fd);
        if (state == LOCK_HELD || (state == LOCK_UNABLE && !file_exists(path)))
            continue;
        *ret_path = TAKE_PTR(path);
        return 0;
    }
    errno = EAGAIN;
    return -1;
}

int data_folder_make(const char *parent, uint64_t bytes, char **ret_path, int *ret_lock_fd,
                     struct error **err) {
    cleanup_free char *absolute = realpath(parent, NULL);
    struct stat status;
    if (!absolute || stat(absolute, &status) < 0) {
        error_set(err, ERROR_USAGE, errno, "the data folder %s cannot be used", parent);
        return error_advise(err, "make it, or choose another with --data");
    }
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_USAGE, 0, "the data folder %s is not a folder", parent);
    data_folder_remove_leftovers(absolute);
    struct statvfs space;
    if (statvfs(absolute, &space) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot examine %s", absolute);
    cleanup_free char *path = NULL;
    cleanup_fd int lock_fd = -1;
    if ((space.f_flag & ST_RDONLY) || make_locked(absolute, &path, &lock_fd) < 0) {
        error_set(err, ERROR_USAGE, (space.f_flag & ST_RDONLY) ? EROFS : errno,
                  "the data folder %s cannot be written", absolute);
        return error_advise(err, "choose another with --data");
    }
    uint64_t free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    if (free_bytes < room_needed(bytes)) {
        char need[32], have[32];
        rmdir(path);
        error_set(err, ERROR_USAGE, 0, "the data folder %s is too small: %s are free, %s needed",
                  absolute, format_size(free_bytes, have), format_size(room_needed(bytes), need));
        return error_advise(err, "make room, choose another with --data, or a smaller profile");
    }
    *ret_path = TAKE_PTR(path);
    *ret_lock_fd = TAKE_FD(lock_fd);
    return 0;
}
