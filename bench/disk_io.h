// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Ways to have records in flight to a file: io_uring, or, where a kernel or a sandbox refuses it,
 * one pwritev2 or preadv2 after the other. A struct of functions; disk_io_open takes the first of
 * its table that works and says why not an earlier one.
 */
#ifndef BOXMARK_BENCH_DISK_IO_H
#define BOXMARK_BENCH_DISK_IO_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_operation { DISK_READ, DISK_WRITE };

struct disk_io;

struct disk_io_ops {
    const char *name;
    /* Makes io->state; may lower io->depth. Fails where this way is not to be had here. */
    int (*open)(struct disk_io *io, struct error **err);
    /* Begins one operation; at most io->depth are under way. */
    int (*start)(struct disk_io *io, enum disk_operation operation, unsigned slot, uint64_t offset,
                 struct error **err);
    /* Waits for one to end: its slot, and the bytes done or a negative errno. */
    int (*wait)(struct disk_io *io, unsigned *ret_slot, int64_t *ret_result, struct error **err);
    void (*close)(struct disk_io *io);
};

struct disk_io {
    const struct disk_io_ops *ops;
    int fd;         /* borrowed; may change while nothing is in flight */
    unsigned depth; /* slots in use */
    size_t record_bytes;
    unsigned char *buffers; /* depth * record_bytes, page-aligned */
    size_t buffers_bytes;
    void *state;
    bool polled;        /* submissions leave without a system call: somebody looks for them */
    char fallback[128]; /* why not the first way; "" when it is the first */
};

extern const struct disk_io_ops disk_io_uring;
extern const struct disk_io_ops disk_io_pwritev2;

int disk_io_open(unsigned depth, size_t record_bytes, struct disk_io *ret_io, struct error **err);
void disk_io_cleanup(struct disk_io *io); /* an all-zero io is fine */

static inline unsigned char *disk_io_buffer(const struct disk_io *io, unsigned slot) {
    return io->buffers + (size_t)slot * io->record_bytes;
}

#endif
