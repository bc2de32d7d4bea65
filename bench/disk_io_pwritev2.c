// SPDX-License-Identifier: GPL-3.0-or-later
/* One blocking call after the other: a depth of one, whatever was asked for. */
#include "bench/disk_io.h"

#include <stdlib.h>
#include <sys/uio.h>

struct plain_state {
    unsigned slot;
    int64_t result;
};

static int plain_open(struct disk_io *io, struct error **err) {
    io->state = calloc(1, sizeof(struct plain_state));
    if (!io->state)
        return error_no_memory(err);
    io->depth = 1;
    return 0;
}

static int plain_start(struct disk_io *io, enum disk_operation operation, unsigned slot,
                       uint64_t offset, struct error **err) {
    (void)err;
    struct plain_state *state = io->state;
    struct iovec record = {.iov_base = disk_io_buffer(io, slot), .iov_len = io->record_bytes};
    ssize_t count = operation == DISK_READ ? preadv2(io->fd, &record, 1, (off_t)offset, 0)
                                           : pwritev2(io->fd, &record, 1, (off_t)offset, 0);
    *state = (struct plain_state){.slot = slot, .result = count < 0 ? -errno : count};
    return 0;
}

static int plain_wait(struct disk_io *io, unsigned *ret_slot, int64_t *ret_result,
                      struct error **err) {
    (void)err;
    const struct plain_state *state = io->state;
    *ret_slot = state->slot;
    *ret_result = state->result;
    return 0;
}

static void plain_close(struct disk_io *io) {
    free(io->state);
}

const struct disk_io_ops disk_io_pwritev2 = {
    .name = "pwritev2",
    .open = plain_open,
    .start = plain_start,
    .wait = plain_wait,
    .close = plain_close,
};
