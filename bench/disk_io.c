// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/disk_io.h"

#include <sys/mman.h>

// clang-format off
static const struct disk_io_ops *const ways[] = {
    &disk_io_uring,
    &disk_io_pwritev2,
    NULL,
};
// clang-format on

int disk_io_open(unsigned depth, size_t record_bytes, struct disk_io *ret_io, struct error **err) {
    CLEANUP(disk_io)
    struct disk_io io = {.fd = -1, .depth = depth, .record_bytes = record_bytes};
    size_t bytes = (size_t)depth * record_bytes;
    void *buffers = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (buffers == MAP_FAILED)
        return error_set(err, ERROR_INTERNAL, errno,
                         "cannot get %zu bytes for %u records in flight", bytes, depth);
    io.buffers = buffers;
    io.buffers_bytes = bytes;
    for (const struct disk_io_ops *const *way = ways; *way; way++) {
        cleanup_error struct error *refused = NULL;
        if ((*way)->open(&io, &refused) < 0) {
            snprintf(io.fallback, sizeof(io.fallback), "%s", error_message(refused));
            continue;
        }
        io.ops = *way;
        *ret_io = io;
        io = (struct disk_io){.fd = -1};
        return 0;
    }
    return error_set(err, ERROR_UNAVAILABLE, 0, "no way to read and write: %s", io.fallback);
}

void disk_io_cleanup(struct disk_io *io) {
    if (io->ops)
        io->ops->close(io);
    if (io->buffers)
        munmap(io->buffers, io->buffers_bytes);
}
