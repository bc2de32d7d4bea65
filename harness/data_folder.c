// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/data_folder.h"

#include "common/file.h"
#include "common/units.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

/* A guest's disk image holds a file system around the data: 1/16 more, and some for small sizes. */
static uint64_t room_needed(uint64_t bytes) {
    return bytes ? bytes + bytes / 8 + (UINT64_C(64) << 20) : 0;
}

int data_folder_make(const char *parent, uint64_t bytes, char **ret_path, struct error **err) {
    cleanup_free char *absolute = realpath(parent, NULL);
    struct stat status;
    if (!absolute || stat(absolute, &status) < 0) {
        error_set(err, ERROR_USAGE, errno, "the data folder %s cannot be used", parent);
        return error_advise(err, "make it, or choose another with --data");
    }
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_USAGE, 0, "the data folder %s is not a folder", parent);
    struct statvfs space;
    if (statvfs(absolute, &space) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot examine %s", absolute);
    cleanup_free char *path = text_format("%s/boxmark-data.XXXXXX", absolute);
    if (!path)
        return error_no_memory(err);
    if ((space.f_flag & ST_RDONLY) || !mkdtemp(path)) {
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
    return 0;
}
