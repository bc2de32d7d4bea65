// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Bounded lines over a descriptor: partial and merged lines are put together, a line that is too
 * long is an error (never memory without bound). Works on blocking and non-blocking descriptors.
 */
#ifndef BOXMARK_COMMON_LINE_H
#define BOXMARK_COMMON_LINE_H

#include "common/clock.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

/* Longest line accepted, newline included. */
#define LINE_MAX_BYTES 65536

struct line_reader {
    int fd; /* borrowed */
    size_t start, end;
    uint64_t read_ns; /* when the last bytes were read */
    char buffer[LINE_MAX_BYTES];
};

void line_reader_init(struct line_reader *reader, int fd);

/*
 * Waits for one line until the deadline (on CLOCK_MONOTONIC). Returns 1 with *ret_line (NUL-ended,
 * without the newline, valid until the next call) and *ret_arrival_ns (when its last byte was
 * read; may be NULL); 0 at the end of the stream; -1 with ERROR_TIMEOUT, ERROR_CLOSED or another.
 * `cancel_fd` (or -1) is a descriptor whose readability ends the wait with ERROR_INTERRUPTED.
 */
int line_read(struct line_reader *reader, int cancel_fd, uint64_t deadline_ns, char **ret_line,
              size_t *ret_length, uint64_t *ret_arrival_ns, struct error **err);

#endif
