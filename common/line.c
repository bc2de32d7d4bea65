// SPDX-License-Identifier: GPL-3.0-or-later
#include "common/line.h"

#include <poll.h>
#include <string.h>

void line_reader_init(struct line_reader *reader, int fd) {
    reader->fd = fd;
    reader->start = reader->end = 0;
    reader->read_ns = 0;
}

/* Waits until the descriptor is readable; 0 or -1. */
static int wait_readable(int fd, int cancel_fd, uint64_t deadline_ns, struct error **err) {
    for (;;) {
        struct pollfd waits[2] = {{.fd = fd, .events = POLLIN},
                                  {.fd = cancel_fd, .events = POLLIN}};
        int ready =
            poll(waits, cancel_fd >= 0 ? 2 : 1, deadline_poll_ms(monotonic_ns(), deadline_ns));
        if (ready < 0 && errno != EINTR)
            return error_set(err, ERROR_INTERNAL, errno, "cannot wait for the other side");
        if (ready < 0)
            continue;
        if (cancel_fd >= 0 && waits[1].revents)
            return error_set(err, ERROR_INTERRUPTED, 0, "interrupted");
        if (waits[0].revents)
            return 0;
        if (monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_TIMEOUT, 0, "no answer before the deadline");
    }
}

int line_read(struct line_reader *reader, int cancel_fd, uint64_t deadline_ns, char **ret_line,
              size_t *ret_length, uint64_t *ret_arrival_ns, struct error **err) {
    size_t searched = reader->start;
    for (;;) {
        char *newline = memchr(reader->buffer + searched, '\n', reader->end - searched);
        if (newline) {
            *newline = '\0';
            *ret_line = reader->buffer + reader->start;
            if (ret_length)
                *ret_length = (size_t)(newline - *ret_line);
            if (ret_arrival_ns)
                *ret_arrival_ns = reader->read_ns;
            reader->start = (size_t)(newline - reader->buffer) + 1;
            return 1;
        }
        if (reader->start > 0) {
            memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
            reader->end -= reader->start;
            reader->start = 0;
        }
        searched = reader->end;
        if (reader->end == sizeof(reader->buffer))
            return error_set(err, ERROR_CLOSED, 0, "a line of more than %d bytes", LINE_MAX_BYTES);
        if (wait_readable(reader->fd, cancel_fd, deadline_ns, err) < 0)
            return -1;
        ssize_t count =
            read(reader->fd, reader->buffer + reader->end, sizeof(reader->buffer) - reader->end);
        reader->read_ns = monotonic_ns();
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        /* A pipe or socket whose peer died abruptly is at its end, too. */
        if (count == 0 || (count < 0 && (errno == ECONNRESET || errno == EIO || errno == EPIPE)))
            return 0;
        if (count < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot read from the other side");
        reader->end += (size_t)count;
    }
}
