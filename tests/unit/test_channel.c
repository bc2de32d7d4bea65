// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "environments/channel.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

/* A channel to ourselves: what it sends is read from peer_fd. */
struct fixture {
    struct channel *channel;
    int peer_fd, cancel_read, cancel_write;
};

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int sockets[2], cancel[2];
    if (!fixture || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0 ||
        pipe2(cancel, O_CLOEXEC) < 0)
        return -1;
    fixture->peer_fd = sockets[1];
    fixture->cancel_read = cancel[0];
    fixture->cancel_write = cancel[1];
    signal(SIGPIPE, SIG_IGN);
    *state = fixture;
    return channel_open_fds(sockets[0], sockets[0], cancel[0], &fixture->channel, NULL);
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    channel_close(fixture->channel);
    close_fd(&fixture->peer_fd);
    close_fd(&fixture->cancel_read);
    close_fd(&fixture->cancel_write);
    free(fixture);
    return 0;
}

static int receive(struct fixture *fixture, uint64_t deadline_ns, char **ret_line,
                   struct error **err) {
    return fixture->channel->ops->receive(fixture->channel, deadline_ns, ret_line, NULL, NULL, err);
}

static int send_text(struct fixture *fixture, const char *text, size_t size, uint64_t deadline_ns,
                     struct error **err) {
    return fixture->channel->ops->send(fixture->channel, text, size, deadline_ns, err);
}

static void both_directions_work(void **state) {
    struct fixture *fixture = *state;
    char buffer[8], *line;
    assert_int_equal(send_text(fixture, "ask\n", 4, DEADLINE_NONE, NULL), 0);
    assert_int_equal(read(fixture->peer_fd, buffer, sizeof(buffer)), 4);
    assert_memory_equal(buffer, "ask\n", 4);
    assert_int_equal(write(fixture->peer_fd, "yes\n", 4), 4);
    assert_int_equal(receive(fixture, DEADLINE_NONE, &line, NULL), 1);
    assert_string_equal(line, "yes");
}

static void a_peer_that_does_not_read_times_out(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    enum { BYTES = 8 << 20 };
    cleanup_free char *data = calloc(1, BYTES);
    assert_int_equal(
        send_text(fixture, data, BYTES, deadline_after(monotonic_ns(), NS_PER_MS), &err), -1);
    assert_error(err, ERROR_TIMEOUT, "does not read");
}

static void a_peer_that_left_is_closed(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    char *line;
    close_fd(&fixture->peer_fd);
    assert_int_equal(receive(fixture, DEADLINE_NONE, &line, &err), 0);
    assert_no_error(err);
    assert_int_equal(send_text(fixture, "x\n", 2, DEADLINE_NONE, &err), -1);
    assert_error(err, ERROR_CLOSED, "closed");
}

static void interrupting_ends_both_waits(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    char *line;
    enum { BYTES = 8 << 20 };
    cleanup_free char *data = calloc(1, BYTES);
    assert_int_equal(write(fixture->cancel_write, "x", 1), 1);
    assert_int_equal(receive(fixture, DEADLINE_NONE, &line, &err), -1);
    assert_error(err, ERROR_INTERRUPTED, "interrupted");
    assert_int_equal(send_text(fixture, data, BYTES, DEADLINE_NONE, &err), -1);
    assert_error(err, ERROR_INTERRUPTED, "interrupted");
}

static void closing_closes_each_descriptor_once(void **state) {
    (void)state;
    int to[2], from[2];
    struct channel *channel = NULL;
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    assert_int_equal(channel_open_fds(from[0], to[1], -1, &channel, NULL), 0);
    assert_null(channel_close(channel));
    assert_int_equal(fcntl(from[0], F_GETFD), -1);
    assert_int_equal(fcntl(to[1], F_GETFD), -1);
    assert_int_equal(close(to[0]), 0);
    assert_int_equal(close(from[1]), 0);
    assert_null(channel_close(NULL));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(both_directions_work),
        CASE(a_peer_that_does_not_read_times_out),
        CASE(a_peer_that_left_is_closed),
        CASE(interrupting_ends_both_waits),
        cmocka_unit_test(closing_closes_each_descriptor_once),
    };
    return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
