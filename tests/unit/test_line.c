// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/file.h"
#include "common/line.h"

#include <fcntl.h>

/* One pipe and its reader; a reader is large. */
struct fixture {
    int read_fd, write_fd;
    struct line_reader reader;
};

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int fds[2];
    if (!fixture || pipe2(fds, O_CLOEXEC) < 0) {
        free(fixture);
        return -1;
    }
    fixture->read_fd = fds[0];
    fixture->write_fd = fds[1];
    /* Room for the longest line without a second thread. */
    (void)fcntl(fixture->write_fd, F_SETPIPE_SZ, 4 * LINE_MAX_BYTES);
    line_reader_init(&fixture->reader, fixture->read_fd);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    close_fd(&fixture->read_fd);
    close_fd(&fixture->write_fd);
    free(fixture);
    return 0;
}

static void put(struct fixture *fixture, const void *data, size_t size) {
    struct error *err = NULL;
    file_write_all(fixture->write_fd, data, size, "pipe", &err);
    assert_no_error(err);
}

static int get(struct fixture *fixture, char **ret_line, struct error **err) {
    size_t length;
    int got = line_read(&fixture->reader, -1, deadline_after(monotonic_ns(), 5 * NS_PER_S),
                        ret_line, &length, NULL, err);
    if (got == 1)
        assert_true(strlen(*ret_line) <= length);
    return got;
}

static void assert_line(struct fixture *fixture, const char *expected) {
    struct error *err = NULL;
    char *line;
    assert_int_equal(get(fixture, &line, &err), 1);
    assert_string_equal(line, expected);
}

static void merged_lines_are_split(void **state) {
    struct fixture *fixture = *state;
    put(fixture, "one\n\nthree\n", 11);
    assert_line(fixture, "one");
    assert_line(fixture, "");
    assert_line(fixture, "three");
}

static void partial_lines_are_joined(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    char *line;
    put(fixture, "hal", 3);
    assert_int_equal(line_read(&fixture->reader, -1, monotonic_ns(), &line, NULL, NULL, &err), -1);
    assert_error(err, ERROR_TIMEOUT, "deadline");
    put(fixture, "f\nnext", 6);
    assert_line(fixture, "half");
    put(fixture, "\n", 1);
    assert_line(fixture, "next");
}

static void end_of_stream_is_zero(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    char *line;
    put(fixture, "last\nunfinished", 15);
    close_fd(&fixture->write_fd);
    assert_line(fixture, "last");
    assert_int_equal(get(fixture, &line, &err), 0);
    assert_int_equal(get(fixture, &line, &err), 0);
    assert_no_error(err);
}

static void longest_line_passes_and_one_more_byte_does_not(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    char *line;
    cleanup_free char *text = malloc(LINE_MAX_BYTES + 1);
    memset(text, 'x', LINE_MAX_BYTES + 1);
    text[LINE_MAX_BYTES - 1] = '\n';
    put(fixture, text, LINE_MAX_BYTES);
    assert_int_equal(get(fixture, &line, &err), 1);
    assert_int_equal(strlen(line), LINE_MAX_BYTES - 1);
    text[LINE_MAX_BYTES - 1] = 'x';
    put(fixture, text, LINE_MAX_BYTES + 1);
    assert_int_equal(get(fixture, &line, &err), -1);
    assert_error(err, ERROR_CLOSED, "more than");
}

static void nul_bytes_do_not_hide_the_length(void **state) {
    struct fixture *fixture = *state;
    char *line;
    size_t length;
    put(fixture, "a\0b\n", 4);
    assert_int_equal(line_read(&fixture->reader, -1, DEADLINE_NONE, &line, &length, NULL, NULL), 1);
    assert_int_equal(length, 3);
}

static void arrival_is_between_before_and_after(void **state) {
    struct fixture *fixture = *state;
    uint64_t before_ns = monotonic_ns(), arrival_ns = 0;
    char *line;
    put(fixture, "x\n", 2);
    assert_int_equal(line_read(&fixture->reader, -1, DEADLINE_NONE, &line, NULL, &arrival_ns, NULL),
                     1);
    assert_true(arrival_ns >= before_ns && arrival_ns <= monotonic_ns());
}

static void cancelling_ends_the_wait(void **state) {
    struct fixture *fixture = *state;
    struct error *err = NULL;
    char *line;
    int cancel[2];
    assert_int_equal(pipe2(cancel, O_CLOEXEC), 0);
    cleanup_fd int cancel_read = cancel[0];
    close(cancel[1]);
    assert_int_equal(
        line_read(&fixture->reader, cancel_read, DEADLINE_NONE, &line, NULL, NULL, &err), -1);
    assert_error(err, ERROR_INTERRUPTED, "interrupted");
}

static void a_bad_descriptor_is_an_error(void **state) {
    (void)state;
    struct error *err = NULL;
    cleanup_free struct line_reader *reader = malloc(sizeof(*reader));
    char *line;
    cleanup_fd int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    line_reader_init(reader, fd);
    assert_int_equal(line_read(reader, -1, DEADLINE_NONE, &line, NULL, NULL, &err), -1);
    assert_error(err, ERROR_INTERNAL, "cannot read");
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(merged_lines_are_split),
        CASE(partial_lines_are_joined),
        CASE(end_of_stream_is_zero),
        CASE(longest_line_passes_and_one_more_byte_does_not),
        CASE(nul_bytes_do_not_hide_the_length),
        CASE(arrival_is_between_before_and_after),
        CASE(cancelling_ends_the_wait),
        cmocka_unit_test(a_bad_descriptor_is_an_error),
    };
    return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
