// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/vm/vm_disk.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/units.h"
#include "environments/capture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#define MEBIBYTE (UINT64_C(1) << 20)

/* Making 4 GiB takes well under a second; a slow disk gets time. */
#define MAKE_TIMEOUT_NS (300 * NS_PER_S)

uint64_t vm_disk_bytes(uint64_t data_bytes) {
    /* Journal, inode tables, bitmaps and extent blocks, with room to spare. */
    uint64_t bytes = data_bytes + data_bytes / 16 + 64 * MEBIBYTE;
    return (bytes + MEBIBYTE - 1) / MEBIBYTE * MEBIBYTE;
}

static int check_direct(const char *folder, struct error **err) {
    cleanup_free char *path = text_format("%s/direct.XXXXXX", folder);
    if (!path)
        return error_no_memory(err);
    cleanup_fd int fd = mkostemp(path, O_CLOEXEC | O_DIRECT);
    int errnum = errno;
    /* Some file systems refuse after they have created the file. */
    if (fd >= 0 || errnum == EINVAL)
        (void)unlink(path);
    if (fd >= 0)
        return 0;
    error_set(err, ERROR_UNAVAILABLE, errnum, "cannot write past the host's page cache in %s",
              folder);
    return error_advise(err, "choose a data folder on a disk's file system (not tmpfs), or "
                             "vm:cache=writeback, which measures the host's cache too");
}

int vm_disk_check(const char *folder, uint64_t disk_bytes, bool direct, bool qcow2,
                  struct error **err) {
    const char *const programs[] = {"mke2fs", qcow2 ? "qemu-img" : NULL, NULL};
    for (const char *const *program = programs; *program; program++) {
        cleanup_free char *found = file_find_program(*program);
        if (!found) {
            error_set(err, ERROR_UNAVAILABLE, 0, "the program %s is not installed", *program);
            return error_advise(err, "install the package %s",
                                **program == 'm' ? "e2fsprogs" : "qemu-utils");
        }
    }
    struct statvfs status;
    if (statvfs(folder, &status) < 0)
        return error_set(err, ERROR_USAGE, errno, "the data folder %s", folder);
    uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    if (free_bytes < disk_bytes) {
        char need[32], have[32];
        return error_set(err, ERROR_USAGE, 0, "the guest's disk needs %s in %s, which has %s",
                         format_size(disk_bytes, need), folder, format_size(free_bytes, have));
    }
    return direct ? check_direct(folder, err) : 0;
}

static int run(const char *const *arguments, int cancel_fd, struct error **err) {
    return capture_run(&(struct capture_options){.arguments = arguments,
                                                 .timeout_ns = MAKE_TIMEOUT_NS,
                                                 .cancel_fd = cancel_fd},
                       NULL, err);
}

static int allocate(const char *path, uint64_t bytes, bool sparse, struct error **err) {
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot create %s", path);
    int result = sparse ? ftruncate(fd, (off_t)bytes) : fallocate(fd, 0, 0, (off_t)bytes);
    if (result < 0 && errno == EOPNOTSUPP) {
        /* Writes zeroes where the file system cannot reserve. */
        errno = posix_fallocate(fd, 0, (off_t)bytes);
        result = errno ? -1 : 0;
    }
    if (result < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot reserve room for %s", path);
    return 0;
}

static int make_file_system(const char *path, int cancel_fd, struct error **err) {
    /*
     * Nothing is left for later (lazy_*), nothing that was reserved is given back (nodiscard), no
     * blocks are held for root, and few inodes are made for few large files.
     */
    const char *const arguments[] = {
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-m",
        "0",
        "-i",
        "1048576",
        "-E",
        "lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0",
        path,
        NULL};
    return run(arguments, cancel_fd, err);
}

/* What was just written shall not be on its way to the disk, nor cached, when the guest runs. */
static int settle(const char *path, struct error **err) {
    cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot write %s", path);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return 0;
}

int vm_disk_make(const char *path, uint64_t disk_bytes, bool qcow2, int cancel_fd,
                 struct error **err) {
    cleanup_free char *raw = qcow2 ? text_format("%s.raw", path) : strdup(path);
    if (!raw)
        return error_no_memory(err);
    int result = allocate(raw, disk_bytes, qcow2, err);
    if (result == 0)
        result = make_file_system(raw, cancel_fd, err);
    if (result == 0 && qcow2) {
        const char *const arguments[] = {"qemu-img", "convert", "-f", "raw", "-O",
                                         "qcow2",    raw,       path, NULL};
        result = run(arguments, cancel_fd, err);
    }
    if (qcow2)
        (void)unlink(raw);
    if (result == 0)
        result = settle(path, err);
    return result < 0 ? error_wrap(err, "cannot make the guest's disk") : 0;
}
