// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/channel.h"

#include "common/line.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

struct fd_channel {
    struct channel channel;
    int read_fd, write_fd, cancel_fd;
    struct line_reader reader;
};

static int fd_send(struct channel *channel, const char *line, size_t length, uint64_t deadline_ns,
                   struct error **err) {
    struct fd_channel *self = (struct fd_channel *)channel;
    while (length > 0) {
        ssize_t count = write(self->write_fd, line, length);
        if (count > 0) {
            line += count;
            length -= (size_t)count;
            continue;
        }
        if (errno == EPIPE || errno == ECONNRESET)
            return error_set(err, ERROR_CLOSED, 0, "the agent closed its channel");
        if (errno != EAGAIN && errno != EINTR)
            return error_set(err, ERROR_CLOSED, errno, "cannot write to the agent");
        struct pollfd waits[2] = {{.fd = self->write_fd, .events = POLLOUT},
                                  {.fd = self->cancel_fd, .events = POLLIN}};
        poll(waits, self->cancel_fd >= 0 ? 2 : 1, deadline_poll_ms(monotonic_ns(), deadline_ns));
        if (self->cancel_fd >= 0 && waits[1].revents)
            return error_set(err, ERROR_INTERRUPTED, 0, "interrupted");
        if (monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_TIMEOUT, 0, "the agent does not read its requests");
    }
    return 0;
}

static int fd_receive(struct channel *channel, uint64_t deadline_ns, char **ret_line,
                      size_t *ret_length, uint64_t *ret_arrival_ns, struct error **err) {
    struct fd_channel *self = (struct fd_channel *)channel;
    return line_read(&self->reader, self->cancel_fd, deadline_ns, ret_line, ret_length,
                     ret_arrival_ns, err);
}

static void fd_close(struct channel *channel) {
    struct fd_channel *self = (struct fd_channel *)channel;
    if (self->write_fd >= 0 && self->write_fd != self->read_fd)
        close(self->write_fd);
    if (self->read_fd >= 0)
        close(self->read_fd);
    free(self);
}

static const struct channel_ops fd_ops = {fd_send, fd_receive, fd_close};

int channel_open_fds(int read_fd, int write_fd, int cancel_fd, struct channel **ret_channel,
                     struct error **err) {
    struct fd_channel *self = calloc(1, sizeof(*self));
    if (!self) {
        close(read_fd);
        if (write_fd != read_fd)
            close(write_fd);
        return error_no_memory(err);
    }
    self->channel.ops = &fd_ops;
    self->read_fd = read_fd;
    self->write_fd = write_fd;
    self->cancel_fd = cancel_fd;
    line_reader_init(&self->reader, read_fd);
    /* A peer that does not read must not block the harness for ever. */
    int flags = fcntl(write_fd, F_GETFL);
    if (flags >= 0)
        (void)fcntl(write_fd, F_SETFL, flags | O_NONBLOCK);
    *ret_channel = &self->channel;
    return 0;
}

struct held_channel {
    struct channel channel;
    struct channel *inner;
    char *line;
    size_t length;
    uint64_t arrival_ns;
    bool given;
};

static int held_send(struct channel *channel, const char *line, size_t length, uint64_t deadline_ns,
                     struct error **err) {
    struct held_channel *self = (struct held_channel *)channel;
    return self->inner->ops->send(self->inner, line, length, deadline_ns, err);
}

static int held_receive(struct channel *channel, uint64_t deadline_ns, char **ret_line,
                        size_t *ret_length, uint64_t *ret_arrival_ns, struct error **err) {
    struct held_channel *self = (struct held_channel *)channel;
    if (self->given)
        return self->inner->ops->receive(self->inner, deadline_ns, ret_line, ret_length,
                                         ret_arrival_ns, err);
    self->given = true;
    *ret_line = self->line;
    if (ret_length)
        *ret_length = self->length;
    if (ret_arrival_ns)
        *ret_arrival_ns = self->arrival_ns;
    return 1;
}

static void held_close(struct channel *channel) {
    struct held_channel *self = (struct held_channel *)channel;
    channel_close(self->inner);
    free(self->line);
    free(self);
}

static const struct channel_ops held_ops = {held_send, held_receive, held_close};

int channel_open_held(struct channel *inner, const char *line, size_t length, uint64_t arrival_ns,
                      struct channel **ret_channel, struct error **err) {
    struct held_channel *self = calloc(1, sizeof(*self));
    char *copy = malloc(length + 1);
    if (!self || !copy) {
        free(self);
        free(copy);
        channel_close(inner);
        return error_no_memory(err);
    }
    memcpy(copy, line, length);
    copy[length] = '\0';
    *self = (struct held_channel){.channel = {&held_ops},
                                  .inner = inner,
                                  .line = copy,
                                  .length = length,
                                  .arrival_ns = arrival_ns};
    *ret_channel = &self->channel;
    return 0;
}

struct channel *channel_close(struct channel *channel) {
    if (channel)
        channel->ops->close(channel);
    return NULL;
}
