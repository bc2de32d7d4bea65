// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/disk_file.h"

#include "bench/disk_record.h"
#include "common/file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

static void set_text(char text[96], const char *why) {
    snprintf(text, 96, "no: %s", why);
}

static int open_nameless(const char *path, int flags) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
    int errnum = errno;
    /* A file system that refuses O_DIRECT may have made the file all the same. */
    (void)unlink(path);
    errno = errnum;
    return fd;
}

/* Some file systems take the flag and ignore it. */
static bool keeps_files_in_memory(int fd) {
    struct statfs status;
    return fstatfs(fd, &status) == 0 &&
           (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

static int stop_being_direct(struct disk_file *file, const char *why, struct error **err) {
    int flags = fcntl(file->fd, F_GETFL);
    if (flags < 0 || fcntl(file->fd, F_SETFL, flags & ~O_DIRECT) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot turn off O_DIRECT");
    file->direct = false;
    set_text(file->direct_text, why);
    return 0;
}

static int open_direct(const char *folder, struct disk_file *file, struct error **err) {
    cleanup_free char *path = text_format("%s/disk.dat", folder);
    if (!path)
        return error_no_memory(err);
    file->direct = true;
    strcpy(file->direct_text, "yes");
    file->fd = open_nameless(path, O_DIRECT);
    if (file->fd < 0 && errno == EINVAL) {
        file->direct = false;
        set_text(file->direct_text, strerror(errno));
        file->fd = open_nameless(path, 0);
    }
    if (file->fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot create %s", path);
    if (file->direct && keeps_files_in_memory(file->fd))
        return stop_being_direct(file, "this file system keeps files in memory", err);
    return 0;
}

static int preallocate(struct disk_file *file, uint64_t bytes, struct error **err) {
    int code;
    do
        code = fallocate(file->fd, 0, 0, (off_t)bytes);
    while (code < 0 && errno == EINTR);
    strcpy(file->preallocated_text, "yes");
    if (code == 0)
        return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return error_set(err, ERROR_INTERNAL, errno, "cannot allocate a file of %llu bytes",
                         (unsigned long long)bytes);
    set_text(file->preallocated_text, strerror(errno));
    return 0;
}

/* Others take the flag and then refuse to write: better known now than in the middle. */
static int try_direct(struct disk_file *file, struct error **err) {
    cleanup_free void *block = NULL;
    if (posix_memalign(&block, RECORD_BLOCK_BYTES, RECORD_BLOCK_BYTES) != 0)
        return error_no_memory(err);
    memset(block, 0, RECORD_BLOCK_BYTES);
    if (pwrite(file->fd, block, RECORD_BLOCK_BYTES, 0) == RECORD_BLOCK_BYTES)
        return 0;
    if (errno == EINVAL)
        return stop_being_direct(file, strerror(errno), err);
    return error_set(err, ERROR_INTERNAL, errno, "cannot write the file");
}

int disk_file_open(const char *folder, uint64_t bytes, struct disk_file *ret_file,
                   struct error **err) {
    CLEANUP(disk_file) struct disk_file file = {.fd = -1};
    if (open_direct(folder, &file, err) < 0 || preallocate(&file, bytes, err) < 0)
        return -1;
    if (file.direct && try_direct(&file, err) < 0)
        return -1;
    /* The journal's share of making the file is not part of writing it. */
    if (fsync(file.fd) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot sync the file");
    *ret_file = file;
    file.fd = -1;
    return 0;
}

int disk_file_settle(struct disk_file *file, struct error **err) {
    if (fsync(file->fd) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot sync the file");
    if (!file->direct)
        (void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
    return 0;
}

void disk_file_cleanup(struct disk_file *file) {
    if (file->fd >= 0)
        close(file->fd);
}
