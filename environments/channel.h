// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The duplex byte channel to an agent: pipes, a socket, a virtio-serial port, a command's stdin and
 * stdout, or the mock's script. A struct of functions, so that the harness does not know which.
 */
#ifndef BOXMARK_ENVIRONMENTS_CHANNEL_H
#define BOXMARK_ENVIRONMENTS_CHANNEL_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

struct channel;

struct channel_ops {
    /* Sends one line, newline included, before the deadline. */
    int (*send)(struct channel *channel, const char *line, size_t length, uint64_t deadline_ns,
                struct error **err);
    /* As line_read of common/line.h: 1 line, 0 end of stream, -1 error. */
    int (*receive)(struct channel *channel, uint64_t deadline_ns, char **ret_line,
                   size_t *ret_length, uint64_t *ret_arrival_ns, struct error **err);
    void (*close)(struct channel *channel);
};

struct channel {
    const struct channel_ops *ops;
};

/*
 * A channel over two descriptors (may be the same one); takes them over, even on failure.
 * `cancel_fd` (or -1, borrowed) ends every wait with ERROR_INTERRUPTED when it becomes readable.
 */
int channel_open_fds(int read_fd, int write_fd, int cancel_fd, struct channel **ret_channel,
                     struct error **err);

/*
 * A channel that gives a line (copied) first, as if it had arrived at that time, and then what the
 * inner one gives; takes that over, even on failure.
 */
int channel_open_held(struct channel *inner, const char *line, size_t length, uint64_t arrival_ns,
                      struct channel **ret_channel, struct error **err);

/* Closes and frees; NULL is fine; returns NULL. */
struct channel *channel_close(struct channel *channel);

#endif
