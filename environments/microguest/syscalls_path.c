// SPDX-License-Identifier: GPL-3.0-or-later
/* Names of files: what can be opened, looked at and removed (descriptors.h). */
#include "environments/microguest/syscalls.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define NAME_BYTES 1024u

/* Relative names are relative to the working directory, which is the data folder. */
static int copy_path(struct call *call, uint64_t folder, uint64_t gva, char path[NAME_BYTES]) {
    int length = call_copy_text(call, path, gva, NAME_BYTES);
    if (length < 0)
        return length;
    return path[0] == '/' || (int)folder == AT_FDCWD ? length : -EBADF;
}

static int64_t serve_openat(struct call *call) {
    char path[NAME_BYTES];
    int result = copy_path(call, call->arguments[0], call->arguments[1], path);
    return result < 0 ? result
                      : descriptors_open(&call->vmm->descriptors, path, (int)call->arguments[2],
                                         (mode_t)call->arguments[3]);
}

/* Of an open file by its number, or of a name in the data folder. */
static int64_t serve_newfstatat(struct call *call) {
    char path[NAME_BYTES];
    struct stat status;
    int length = call_copy_text(call, path, call->arguments[1], NAME_BYTES);
    if (length < 0)
        return length;
    struct descriptors *descriptors = &call->vmm->descriptors;
    int result;
    if (length == 0 && (call->arguments[3] & AT_EMPTY_PATH)) {
        struct descriptor *held = descriptors_hold(descriptors, (int)call->arguments[0]);
        if (!held)
            return -EBADF;
        result = fstat(held->host_fd, &status) < 0 ? -errno : 0;
        descriptors_let_go(descriptors, held);
    } else {
        /* Opened as any other file, so that no name can lead further than opening does. */
        int number = descriptors_open(descriptors, path, O_RDONLY | O_NONBLOCK, 0);
        if (number < 0)
            return number;
        struct descriptor *held = descriptors_hold(descriptors, number);
        result = held && fstat(held->host_fd, &status) == 0 ? 0 : -EBADF;
        if (held)
            descriptors_let_go(descriptors, held);
        descriptors_close(descriptors, number);
    }
    return result < 0 ? result : call_copy_out(call, call->arguments[2], &status, sizeof(status));
}

/* Only right in the data folder: a name with a slash could lead through a folder elsewhere. */
static int64_t unlink_name(struct call *call, const char *path) {
    const char *inside = descriptors_data_path(path);
    if (!inside || call->vmm->descriptors.data_fd < 0)
        return -ENOENT;
    if (strchr(inside, '/') || strcmp(inside, ".") == 0 || strcmp(inside, "..") == 0)
        return -EACCES;
    return call_result(unlinkat(call->vmm->descriptors.data_fd, inside, 0));
}

static int64_t serve_unlink(struct call *call) {
    char path[NAME_BYTES];
    int result = call_copy_text(call, path, call->arguments[0], NAME_BYTES);
    return result < 0 ? result : unlink_name(call, path);
}

static int64_t serve_unlinkat(struct call *call) {
    char path[NAME_BYTES];
    int result = copy_path(call, call->arguments[0], call->arguments[1], path);
    if (result < 0)
        return result;
    return call->arguments[2] ? -EINVAL : unlink_name(call, path);
}

static int64_t serve_getdents64(struct call *call) {
    uint64_t bytes = call->arguments[2];
    void *entries = call_pointer(call, call->arguments[1], bytes, PROT_WRITE);
    if (!entries)
        return -EFAULT;
    struct descriptor *held = descriptors_hold(&call->vmm->descriptors, (int)call->arguments[0]);
    if (!held)
        return -EBADF;
    int64_t result = call_result(
        syscall(SYS_getdents64, held->host_fd, entries, bytes > INT_MAX ? INT_MAX : bytes));
    descriptors_let_go(&call->vmm->descriptors, held);
    return result;
}

/* The C library looks where its program is. */
static int64_t serve_readlink(struct call *call) {
    char path[NAME_BYTES];
    int result = call_copy_text(call, path, call->arguments[0], NAME_BYTES);
    if (result < 0)
        return result;
    if (strcmp(path, "/proc/self/exe") != 0)
        return -ENOENT;
    uint64_t bytes = strlen(GUEST_PROGRAM);
    if (bytes > call->arguments[2])
        bytes = call->arguments[2];
    result = bytes ? call_copy_out(call, call->arguments[1], GUEST_PROGRAM, bytes) : -EINVAL;
    return result < 0 ? result : (int64_t)bytes;
}

static int64_t serve_getcwd(struct call *call) {
    if (call->arguments[1] < sizeof(GUEST_DATA_FOLDER))
        return -ERANGE;
    int result =
        call_copy_out(call, call->arguments[0], GUEST_DATA_FOLDER, sizeof(GUEST_DATA_FOLDER));
    return result < 0 ? result : (int64_t)sizeof(GUEST_DATA_FOLDER);
}

const struct call_entry path_calls[] = {
    {SYS_openat, "openat", serve_openat},
    {SYS_newfstatat, "newfstatat", serve_newfstatat},
    {SYS_unlink, "unlink", serve_unlink},
    {SYS_unlinkat, "unlinkat", serve_unlinkat},
    {SYS_getdents64, "getdents64", serve_getdents64},
    {SYS_readlink, "readlink", serve_readlink},
    {SYS_getcwd, "getcwd", serve_getcwd},
    {0, NULL, NULL},
};
