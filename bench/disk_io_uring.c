// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * io_uring by liburing, with plain reads and writes: registered buffers would be a little faster,
 * but count against RLIMIT_MEMLOCK for ordinary users and so would differ between environments.
 */
#include "bench/disk_io.h"

#include "common/clock.h"

#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>

static int refuse(struct io_uring *ring, int errnum, const char *what, struct error **err) {
    if (ring->ring_fd >= 0)
        io_uring_queue_exit(ring);
    free(ring);
    return error_set(err, ERROR_UNAVAILABLE, errnum, "io_uring: %s", what);
}

static int uring_open(struct disk_io *io, struct error **err) {
    struct io_uring *ring = calloc(1, sizeof(*ring));
    if (!ring)
        return error_no_memory(err);
    ring->ring_fd = -1;
    int code = io_uring_queue_init(io->depth, ring, 0);
    if (code < 0) {
        ring->ring_fd = -1;
        return refuse(ring, -code, "cannot set it up", err);
    }
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    bool able = probe && io_uring_opcode_supported(probe, IORING_OP_READ) &&
                io_uring_opcode_supported(probe, IORING_OP_WRITE);
    io_uring_free_probe(probe);
    if (!able)
        return refuse(ring, 0, "this kernel's is too old", err);
    io->state = ring;
    io->polled = ring->flags & IORING_SETUP_SQPOLL;
    return 0;
}

static int uring_start(struct disk_io *io, enum disk_operation operation, unsigned slot,
                       uint64_t offset, struct error **err) {
    struct io_uring_sqe *entry = io_uring_get_sqe(io->state);
    if (!entry)
        return error_set(err, ERROR_INTERNAL, 0, "io_uring: more operations than slots");
    unsigned char *buffer = disk_io_buffer(io, slot);
    if (operation == DISK_READ)
        io_uring_prep_read(entry, io->fd, buffer, (unsigned)io->record_bytes, offset);
    else
        io_uring_prep_write(entry, io->fd, buffer, (unsigned)io->record_bytes, offset);
    io_uring_sqe_set_data(entry, (void *)(uintptr_t)slot);
    return 0;
}

/*
 * A ring whose submissions somebody polls (IORING_SETUP_SQPOLL, which is never asked for here):
 * there a call is dear, and completions are watched for as well. Bounds for those who do not come:
 * to take what was submitted, and for a record to end.
 */
#define TAKE_NS 20000u
#define END_NS NS_PER_MS

static bool is_polled(const struct io_uring *ring) {
    return (ring->flags & IORING_SETUP_SQPOLL) &&
           !(IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_NEED_WAKEUP);
}

static bool watch(struct io_uring *ring, struct io_uring_cqe **ret_done) {
    uint64_t start_ns = monotonic_ns();
    for (;;) {
        if (io_uring_peek_cqe(ring, ret_done) == 0)
            return true;
        if (monotonic_ns() - start_ns > (io_uring_sq_ready(ring) ? TAKE_NS : END_NS))
            return false;
#ifdef __x86_64__
        /* Long enough to leave the core to its other hardware thread, where it has one. */
        for (unsigned i = 0; i < 16; i++)
            __builtin_ia32_pause();
#endif
    }
}

/* What was started since the last wait is submitted by the same system call that waits. */
static int uring_wait(struct disk_io *io, unsigned *ret_slot, int64_t *ret_result,
                      struct error **err) {
    struct io_uring *ring = io->state;
    struct io_uring_cqe *done;
    bool got = is_polled(ring) && io_uring_submit(ring) >= 0 && watch(ring, &done);
    while (!got) {
        int code = io_uring_submit_and_wait(ring, 1);
        if (code < 0 && code != -EINTR && code != -EAGAIN)
            return error_set(err, ERROR_INTERNAL, -code, "io_uring: cannot submit");
        got = io_uring_peek_cqe(ring, &done) == 0;
    }
    *ret_slot = (unsigned)(uintptr_t)io_uring_cqe_get_data(done);
    *ret_result = done->res;
    io_uring_cqe_seen(ring, done);
    return 0;
}

static void uring_close(struct disk_io *io) {
    io_uring_queue_exit(io->state);
    free(io->state);
}

const struct disk_io_ops disk_io_uring = {
    .name = "io_uring",
    .open = uring_open,
    .start = uring_start,
    .wait = uring_wait,
    .close = uring_close,
};
