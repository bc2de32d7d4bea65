// SPDX-License-Identifier: GPL-3.0-or-later
/* Both ways of having records in flight, each by itself, on a real file. */
#include "tests/unit/unit.h"

#include "bench/disk_file.h"
#include "bench/disk_io.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { DEPTH = 4, RECORD_BYTES = 8192, RECORDS = 19 };

struct fixture {
    struct disk_io io;
    struct disk_file file;
};

static int set_up(void **state, const struct disk_io_ops *ops) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct error *err = NULL;
    const char *base = getenv("TMPDIR");
    fixture->file.fd = -1;
    fixture->io = (struct disk_io){.fd = -1,
                                   .depth = DEPTH,
                                   .record_bytes = RECORD_BYTES,
                                   .buffers_bytes = DEPTH * RECORD_BYTES};
    fixture->io.buffers = mmap(NULL, DEPTH * RECORD_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *state = fixture;
    if (ops->open(&fixture->io, &err) == 0)
        fixture->io.ops = ops;
    error_free(err);
    disk_file_open(base ? base : "/tmp", RECORDS * RECORD_BYTES, &fixture->file, &err);
    assert_no_error(err);
    fixture->io.fd = fixture->file.fd;
    return 0;
}

static int set_up_uring(void **state) {
    return set_up(state, &disk_io_uring);
}

static int set_up_pwritev2(void **state) {
    return set_up(state, &disk_io_pwritev2);
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    disk_io_cleanup(&fixture->io);
    disk_file_cleanup(&fixture->file);
    free(fixture);
    return 0;
}

static struct disk_io *io_of(void **state) {
    struct fixture *fixture = *state;
    if (!fixture->io.ops)
        skip_because("io_uring cannot be had here");
    return &fixture->io;
}

static void begin(struct disk_io *io, enum disk_operation operation, unsigned slot,
                  unsigned record) {
    struct error *err = NULL;
    io->ops->start(io, operation, slot, (uint64_t)record * RECORD_BYTES, &err);
    assert_no_error(err);
}

static unsigned end(struct disk_io *io, int64_t expected) {
    struct error *err = NULL;
    unsigned slot;
    int64_t result;
    io->ops->wait(io, &slot, &result, &err);
    assert_no_error(err);
    assert_in_range(slot, 0, io->depth - 1);
    assert_int_equal(result, expected);
    return slot;
}

/* Every record through as many slots as there are; buffers hold the record's number. */
static void pass(struct disk_io *io, enum disk_operation operation) {
    unsigned started = 0, held[DEPTH];
    for (; started < io->depth; started++) {
        held[started] = started;
        memset(disk_io_buffer(io, started), (int)started, RECORD_BYTES);
        begin(io, operation, started, started);
    }
    for (unsigned ended = 0; ended < RECORDS; ended++) {
        unsigned slot = end(io, RECORD_BYTES);
        unsigned char *buffer = disk_io_buffer(io, slot);
        assert_int_equal(buffer[0], held[slot]);
        assert_int_equal(buffer[RECORD_BYTES - 1], held[slot]);
        if (started == RECORDS)
            continue;
        held[slot] = started;
        memset(buffer, operation == DISK_WRITE ? (int)started : 0xee, RECORD_BYTES);
        begin(io, operation, slot, started++);
    }
}

static void what_is_written_is_read(void **state) {
    struct disk_io *io = io_of(state);
    pass(io, DISK_WRITE);
    pass(io, DISK_READ);
}

static void the_end_of_the_file_is_short(void **state) {
    struct disk_io *io = io_of(state);
    begin(io, DISK_READ, 0, RECORDS);
    end(io, 0);
}

static void a_failure_is_its_errno(void **state) {
    struct disk_io *io = io_of(state);
    cleanup_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int kept = io->fd;
    io->fd = null;
    begin(io, DISK_WRITE, 0, 0);
    end(io, -EBADF);
    io->fd = kept;
}

static void the_first_way_that_works_is_taken(void **state) {
    (void)state;
    struct error *err = NULL;
    CLEANUP(disk_io) struct disk_io io = {.fd = -1};
    disk_io_open(3, RECORD_BYTES, &io, &err);
    assert_no_error(err);
    assert_true((io.ops == &disk_io_uring && io.depth == 3 && !io.fallback[0]) ||
                (io.ops == &disk_io_pwritev2 && io.depth == 1 && io.fallback[0]));
    assert_int_equal((uintptr_t)disk_io_buffer(&io, 0) % 4096, 0);
}

#define CASE(name, way)                                                                            \
    { #way ": " #name, name, set_up_##way, tear_down, NULL }

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_written_is_read, uring),
        CASE(the_end_of_the_file_is_short, uring),
        CASE(a_failure_is_its_errno, uring),
        CASE(what_is_written_is_read, pwritev2),
        CASE(the_end_of_the_file_is_short, pwritev2),
        CASE(a_failure_is_its_errno, pwritev2),
        cmocka_unit_test(the_first_way_that_works_is_taken),
    };
    return cmocka_run_group_tests_name("disk_io", tests, NULL, NULL);
}
