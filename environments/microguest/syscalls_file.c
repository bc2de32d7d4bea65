// SPDX-License-Identifier: GPL-3.0-or-later
/* Reading and writing what is open. Data go straight between the host and the program's memory. */
#include "environments/microguest/kvm_stats.h"
#include "environments/microguest/syscalls.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#define VECTORS_MAX 64u
#define POLLS_MAX 64u

/* A descriptor that is held for the length of a call. */
struct held {
    struct call *call;
    struct descriptor *descriptor;
};

static void held_cleanup(struct held *held) {
    if (held->descriptor)
        descriptors_let_go(&held->call->vmm->descriptors, held->descriptor);
}

#define HOLD(name, call, number)                                                                   \
    __attribute__((cleanup(held_cleanup))) struct held name = {                                    \
        call, descriptors_hold(&(call)->vmm->descriptors, (int)(number))}

/*
 * The channel and standard error are only written, read and waited for. They may be files that
 * others keep (a log): the program must not cut, extend or overwrite them, nor change their flags.
 */
static bool is_stream(const struct held *held) {
    return held->descriptor->kind == DESCRIPTOR_STREAM;
}

enum { SIGNAL_PIPE = 13 };

/* A channel without a reader ends a program that does not say otherwise, as SIGPIPE would. */
static int64_t written(struct call *call, int64_t result) {
    if (result < 0 && errno == EPIPE && !(call->vmm->signals_ignored >> SIGNAL_PIPE & 1))
        vmm_end(call->vmm, MONITOR_EXIT_SIGNAL, "the program wrote to a channel that is closed");
    return call_result(result);
}

static int64_t transfer(struct call *call, bool writes, bool at_offset) {
    HOLD(held, call, call->arguments[0]);
    uint64_t bytes = call->arguments[2];
    if (!held.descriptor)
        return -EBADF;
    if (at_offset && is_stream(&held))
        return -ESPIPE;
    if (bytes > CALL_TRANSFER_MAX_BYTES)
        bytes = CALL_TRANSFER_MAX_BYTES;
    /* Nothing to move: the descriptor still has its say. */
    static char nothing;
    void *data =
        bytes ? call_pointer(call, call->arguments[1], bytes, writes ? PROT_READ : PROT_WRITE)
              : &nothing;
    if (!data)
        return -EFAULT;
    int fd = held.descriptor->host_fd;
    off_t offset = (off_t)call->arguments[3];
    if (writes && is_stream(&held))
        kvm_stats_publish(call->vmm);
    if (writes)
        return written(call, at_offset ? pwrite(fd, data, bytes, offset) : write(fd, data, bytes));
    return call_result(at_offset ? pread(fd, data, bytes, offset) : read(fd, data, bytes));
}

static int64_t serve_read(struct call *call) {
    return transfer(call, false, false);
}

static int64_t serve_write(struct call *call) {
    return transfer(call, true, false);
}

static int64_t serve_pread(struct call *call) {
    return transfer(call, false, true);
}

static int64_t serve_pwrite(struct call *call) {
    return transfer(call, true, true);
}

/* The program's vectors, copied once and turned into the host's. */
static int64_t copy_vectors(struct call *call, struct iovec *vectors, bool writes) {
    uint64_t count = call->arguments[2], total = 0;
    if (count > VECTORS_MAX)
        return -EINVAL;
    if (count == 0)
        return 0;
    int result = call_copy_in(call, vectors, call->arguments[1], count * sizeof(*vectors));
    if (result < 0)
        return result;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t bytes = vectors[i].iov_len;
        if (bytes > CALL_TRANSFER_MAX_BYTES - total)
            return -EINVAL;
        total += bytes;
        void *data = bytes ? call_pointer(call, (uint64_t)(uintptr_t)vectors[i].iov_base, bytes,
                                          writes ? PROT_READ : PROT_WRITE)
                           : NULL;
        if (bytes && !data)
            return -EFAULT;
        vectors[i].iov_base = data;
    }
    return (int64_t)count;
}

static int64_t transfer_vectors(struct call *call, bool writes, bool at_offset, int flags) {
    struct iovec vectors[VECTORS_MAX];
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor)
        return -EBADF;
    if (at_offset && is_stream(&held))
        return -ESPIPE;
    int64_t count = copy_vectors(call, vectors, writes);
    if (count < 0)
        return count;
    int fd = held.descriptor->host_fd;
    off_t offset = (off_t)call->arguments[3];
    if (!at_offset)
        return writes ? written(call, writev(fd, vectors, (int)count))
                      : call_result(readv(fd, vectors, (int)count));
    return writes ? written(call, pwritev2(fd, vectors, (int)count, offset, flags))
                  : call_result(preadv2(fd, vectors, (int)count, offset, flags));
}

static int64_t serve_readv(struct call *call) {
    return transfer_vectors(call, false, false, 0);
}

static int64_t serve_writev(struct call *call) {
    return transfer_vectors(call, true, false, 0);
}

/* The fifth argument is the upper half of the offset, which a 64-bit kernel does not look at. */
static int64_t serve_preadv2(struct call *call) {
    return transfer_vectors(call, false, true, (int)call->arguments[5]);
}

static int64_t serve_pwritev2(struct call *call) {
    return transfer_vectors(call, true, true, (int)call->arguments[5]);
}

static int64_t serve_lseek(struct call *call) {
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor)
        return -EBADF;
    if (is_stream(&held))
        return -ESPIPE;
    return call_result(
        lseek(held.descriptor->host_fd, (off_t)call->arguments[1], (int)call->arguments[2]));
}

static int64_t serve_close(struct call *call) {
    struct vmm *vmm = call->vmm;
    int closed = descriptors_close(&vmm->descriptors, (int)call->arguments[0]);
    if (closed == DESCRIPTOR_RING) {
        pthread_mutex_lock(&vmm->ring.lock);
        ring_poll_close(vmm);
        pthread_mutex_unlock(&vmm->ring.lock);
    }
    return closed < 0 ? closed : 0;
}

static int64_t serve_fsync(struct call *call) {
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor || is_stream(&held))
        return held.descriptor ? -EINVAL : -EBADF;
    return call_result(fsync(held.descriptor->host_fd));
}

static int64_t serve_fdatasync(struct call *call) {
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor || is_stream(&held))
        return held.descriptor ? -EINVAL : -EBADF;
    return call_result(fdatasync(held.descriptor->host_fd));
}

static int64_t serve_ftruncate(struct call *call) {
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor)
        return -EBADF;
    if (is_stream(&held))
        return -EINVAL;
    return call_result(ftruncate(held.descriptor->host_fd, (off_t)call->arguments[1]));
}

static int64_t serve_fallocate(struct call *call) {
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor)
        return -EBADF;
    if (is_stream(&held))
        return -ESPIPE;
    return call_result(fallocate(held.descriptor->host_fd, (int)call->arguments[1],
                                 (off_t)call->arguments[2], (off_t)call->arguments[3]));
}

static int64_t serve_fadvise(struct call *call) {
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor)
        return -EBADF;
    if (is_stream(&held))
        return -ESPIPE;
    return -posix_fadvise(held.descriptor->host_fd, (off_t)call->arguments[1],
                          (off_t)call->arguments[2], (int)call->arguments[3]);
}

static int64_t serve_fstat(struct call *call) {
    struct stat status;
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor)
        return -EBADF;
    if (fstat(held.descriptor->host_fd, &status) < 0)
        return -errno;
    return call_copy_out(call, call->arguments[1], &status, sizeof(status));
}

static int64_t serve_fstatfs(struct call *call) {
    struct statfs status;
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor)
        return -EBADF;
    if (fstatfs(held.descriptor->host_fd, &status) < 0)
        return -errno;
    return call_copy_out(call, call->arguments[1], &status, sizeof(status));
}

static int64_t serve_fcntl(struct call *call) {
    const uint64_t changeable = O_DIRECT | O_APPEND | O_NONBLOCK;
    HOLD(held, call, call->arguments[0]);
    if (!held.descriptor)
        return -EBADF;
    int fd = held.descriptor->host_fd;
    switch (call->arguments[1]) {
    case F_GETFD:
        return FD_CLOEXEC;
    case F_SETFD:
        return 0;
    case F_GETFL:
        return call_result(fcntl(fd, F_GETFL));
    case F_SETFL:
        return held.descriptor->kind != DESCRIPTOR_DATA
                   ? -EPERM
                   : call_result(fcntl(fd, F_SETFL, (int)(call->arguments[2] & changeable)));
    default:
        return -EINVAL;
    }
}

/* Nothing here is a terminal or another device. */
static int64_t serve_ioctl(struct call *call) {
    HOLD(held, call, call->arguments[0]);
    return held.descriptor ? -ENOTTY : -EBADF;
}

static int64_t serve_poll(struct call *call) {
    struct pollfd waits[POLLS_MAX];
    struct held holds[POLLS_MAX];
    uint64_t count = call->arguments[1];
    if (count > POLLS_MAX)
        return -EINVAL;
    if (count && call_copy_in(call, waits, call->arguments[0], count * sizeof(*waits)) < 0)
        return -EFAULT;
    int numbers[POLLS_MAX];
    for (uint64_t i = 0; i < count; i++) {
        numbers[i] = waits[i].fd;
        holds[i] = (struct held){call, descriptors_hold(&call->vmm->descriptors, waits[i].fd)};
        waits[i].fd = holds[i].descriptor ? holds[i].descriptor->host_fd : -1;
    }
    int64_t result = call_result(poll(waits, count, (int)call->arguments[2]));
    for (uint64_t i = 0; i < count; i++) {
        held_cleanup(&holds[i]);
        waits[i].fd = numbers[i];
    }
    if (count && result >= 0 &&
        call_copy_out(call, call->arguments[0], waits, count * sizeof(*waits)) < 0)
        return -EFAULT;
    return result;
}

const struct call_entry file_calls[] = {
    {SYS_read, "read", serve_read},
    {SYS_write, "write", serve_write},
    {SYS_pread64, "pread64", serve_pread},
    {SYS_pwrite64, "pwrite64", serve_pwrite},
    {SYS_readv, "readv", serve_readv},
    {SYS_writev, "writev", serve_writev},
    {SYS_preadv2, "preadv2", serve_preadv2},
    {SYS_pwritev2, "pwritev2", serve_pwritev2},
    {SYS_lseek, "lseek", serve_lseek},
    {SYS_close, "close", serve_close},
    {SYS_fsync, "fsync", serve_fsync},
    {SYS_fdatasync, "fdatasync", serve_fdatasync},
    {SYS_ftruncate, "ftruncate", serve_ftruncate},
    {SYS_fallocate, "fallocate", serve_fallocate},
    {SYS_fadvise64, "fadvise64", serve_fadvise},
    {SYS_fstat, "fstat", serve_fstat},
    {SYS_fstatfs, "fstatfs", serve_fstatfs},
    {SYS_fcntl, "fcntl", serve_fcntl},
    {SYS_ioctl, "ioctl", serve_ioctl},
    {SYS_poll, "poll", serve_poll},
    {0, NULL, NULL},
};
