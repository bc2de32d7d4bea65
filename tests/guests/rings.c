// SPDX-License-Identifier: GPL-3.0-or-later
/* An io_uring used rightly, wrongly and with malice. Where the host has none there is nothing to
 * try: the payload then exits with 78. */
#include "tests/guests/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>

#define NO_RING 78
#define ENTRIES 4u

/* As the parameters of io_uring_setup describe it. */
struct ring {
    long fd;
    struct io_uring_params params;
    char *rings;
    struct io_uring_sqe *requests;
};

static unsigned *word(const struct ring *ring, unsigned offset) {
    return (unsigned *)(void *)(ring->rings + offset);
}

static long map_ring(long fd, size_t bytes, int prot, long offset) {
    return call6(__NR_mmap, 0, (long)bytes, prot, MAP_SHARED | MAP_POPULATE, fd, offset);
}

static size_t rings_bytes(const struct ring *ring) {
    return ring->params.sq_off.array + ring->params.sq_entries * sizeof(unsigned);
}

static int open_ring(struct ring *ring) {
    const int prot = PROT_READ | PROT_WRITE;
    for (size_t i = 0; i < sizeof(ring->params); i++)
        ((volatile char *)&ring->params)[i] = 0;
    ring->fd = CALL(__NR_io_uring_setup, ENTRIES, &ring->params, 0);
    if (ring->fd < 0)
        return (int)ring->fd;
    /* Nothing is under way in what is not mapped. */
    EXPECT(CALL4(__NR_io_uring_enter, ring->fd, 1, 0, 0) == -EFAULT);
    ring->rings = (char *)map_ring(ring->fd, rings_bytes(ring), prot, IORING_OFF_SQ_RING);
    ring->requests = (struct io_uring_sqe *)map_ring(ring->fd, ENTRIES * sizeof(*ring->requests),
                                                     prot, IORING_OFF_SQES);
    EXPECT((long)ring->rings > 0 && (long)ring->requests > 0);
    EXPECT(*word(ring, ring->params.sq_off.ring_entries) == ENTRIES);
    EXPECT(*word(ring, ring->params.sq_off.ring_mask) == ENTRIES - 1);
    EXPECT(*word(ring, ring->params.cq_off.ring_entries) == 2 * ENTRIES);
    return 0;
}

/* Puts a request in, not yet submitted. */
static struct io_uring_sqe *put(struct ring *ring, int operation, long fd, const void *data,
                                unsigned bytes, unsigned long offset) {
    unsigned *tail = word(ring, ring->params.sq_off.tail), at = *tail % ENTRIES;
    struct io_uring_sqe *request = &ring->requests[at];
    for (size_t i = 0; i < sizeof(*request); i++)
        ((volatile char *)request)[i] = 0;
    request->opcode = (unsigned char)operation;
    request->fd = (int)fd;
    request->addr = (unsigned long)data;
    request->len = bytes;
    request->off = offset;
    request->user_data = 1000 + *tail;
    word(ring, ring->params.sq_off.array)[at] = at;
    ++*tail;
    return request;
}

/* The next completion's result; far off where there is none. */
static long take(struct ring *ring) {
    unsigned *head = word(ring, ring->params.cq_off.head);
    if (*head == *(volatile unsigned *)word(ring, ring->params.cq_off.tail))
        return 1L << 40;
    const struct io_uring_cqe *cqes =
        (const struct io_uring_cqe *)(void *)(ring->rings + ring->params.cq_off.cqes);
    return cqes[(*head)++ % (2 * ENTRIES)].res;
}

static long enter(const struct ring *ring, unsigned submit, unsigned wait) {
    return CALL4(__NR_io_uring_enter, ring->fd, submit, wait, wait ? IORING_ENTER_GETEVENTS : 0);
}

/* One request alone: what became of it. */
static long ask(struct ring *ring, int operation, long fd, const void *data, unsigned bytes,
                unsigned long offset) {
    put(ring, operation, fd, data, bytes, offset);
    return enter(ring, 1, 1) == 1 ? take(ring) : 1L << 41;
}

static long open_data(const char *path) {
    return CALL4(__NR_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
}

static int do_ring(void) {
    struct ring ring;
    int opened = open_ring(&ring);
    if (opened)
        return opened == -ENOSYS ? NO_RING : 1;
    long fd = open_data("/data/ring");
    char *page = map(2 * 4096, PROT_READ | PROT_WRITE), *back = page + 4096;
    EXPECT(fd >= 0);
    for (int i = 0; i < 4096; i++)
        page[i] = (char)(i * 7);
    EXPECT(ask(&ring, IORING_OP_WRITE, fd, page, 4096, 8192) == 4096);
    EXPECT(ask(&ring, IORING_OP_READ, fd, back, 4096, 8192) == 4096);
    for (int i = 0; i < 4096; i++)
        EXPECT(back[i] == page[i]);
    EXPECT(ask(&ring, IORING_OP_READ, fd, back, 4096, 1 << 20) == 0);
    EXPECT(ask(&ring, IORING_OP_READ, fd, back, 0, 0) == 0);
    /* All at once, in whatever order they end; twice as many as fit, as room comes. */
    for (unsigned i = 0; i < ENTRIES; i++)
        put(&ring, IORING_OP_WRITE, fd, page, 512, i * 512);
    EXPECT(enter(&ring, ENTRIES, ENTRIES) == ENTRIES);
    for (unsigned i = 0; i < ENTRIES; i++)
        EXPECT(take(&ring) == 512);
    EXPECT(enter(&ring, 1, 0) == 0);
    EXPECT(CALL(__NR_unlinkat, AT_FDCWD, "/data/ring", 0) == 0);
    /* Closed with requests under way, and another one after it. */
    put(&ring, IORING_OP_WRITE, fd, page, 4096, 0);
    put(&ring, IORING_OP_READ, fd, back, 4096, 0);
    EXPECT(enter(&ring, 2, 0) == 2);
    EXPECT(CALL(__NR_close, fd, 0, 0) == 0);
    EXPECT(CALL(__NR_close, ring.fd, 0, 0) == 0);
    EXPECT(enter(&ring, 0, 0) == -EBADF);
    EXPECT(open_ring(&ring) == 0);
    return 0;
}

static int wrong_setups(void) {
    struct io_uring_params params = {0};
    EXPECT(CALL(__NR_io_uring_setup, 4, 0, 0) == -EFAULT);
    EXPECT(CALL(__NR_io_uring_setup, 4, 0x400000, 0) == -EFAULT);
    EXPECT(CALL(__NR_io_uring_setup, 0, &params, 0) == -EINVAL);
    EXPECT(CALL(__NR_io_uring_setup, 257, &params, 0) == -EINVAL);
    EXPECT(CALL(__NR_io_uring_setup, 1UL << 32, &params, 0) == -EINVAL);
    params.flags = IORING_SETUP_SQPOLL;
    EXPECT(CALL(__NR_io_uring_setup, 4, &params, 0) == -EINVAL);
    params.flags = 0;
    params.resv[1] = 1;
    EXPECT(CALL(__NR_io_uring_setup, 4, &params, 0) == -EINVAL);
    return 0;
}

static int wrong_maps(struct ring *ring) {
    const int prot = PROT_READ | PROT_WRITE;
    EXPECT(map_ring(ring->fd, 64, prot, IORING_OFF_SQES) == -EBUSY);
    EXPECT(map_ring(ring->fd, 64, prot, IORING_OFF_SQ_RING) == -EBUSY);
    EXPECT(map_ring(ring->fd, 64, prot | PROT_EXEC, IORING_OFF_SQES) == -EACCES);
    EXPECT(map_ring(ring->fd, 64, prot, 4096) == -EINVAL);
    EXPECT(map_ring(1, 64, prot, 0) == -ENODEV);
    EXPECT(map_ring(63, 64, prot, 0) == -EBADF);
    return 0;
}

static int wrong_requests(struct ring *ring, long fd) {
    char *page = map(4096, PROT_READ | PROT_WRITE), *none = map(4096, PROT_NONE);
    static const unsigned char operations[] = {IORING_OP_NOP,    IORING_OP_OPENAT,
                                               IORING_OP_FSYNC,  IORING_OP_READ_FIXED,
                                               IORING_OP_SOCKET, 255};
    for (unsigned i = 0; i < sizeof(operations); i++)
        EXPECT(ask(ring, operations[i], fd, page, 16, 0) == -EINVAL);
    EXPECT(ask(ring, IORING_OP_READ, 63, page, 16, 0) == -EBADF);
    EXPECT(ask(ring, IORING_OP_READ, -1, page, 16, 0) == -EBADF);
    EXPECT(ask(ring, IORING_OP_WRITE, 1, page, 16, 0) == -EOPNOTSUPP);
    EXPECT(ask(ring, IORING_OP_READ, ring->fd, page, 16, 0) == -EOPNOTSUPP);
    EXPECT(ask(ring, IORING_OP_READ, fd, (void *)0x400000, 16, 0) == -EFAULT);
    EXPECT(ask(ring, IORING_OP_READ, fd, none, 16, 0) == -EFAULT);
    EXPECT(ask(ring, IORING_OP_WRITE, fd, none, 16, 0) == -EFAULT);
    EXPECT(ask(ring, IORING_OP_WRITE, fd, page + 4090, 16, 0) == -EFAULT);
    EXPECT(ask(ring, IORING_OP_WRITE, fd, (void *)-8L, 16, 0) == -EFAULT);
    EXPECT(ask(ring, IORING_OP_WRITE, fd, (void *)0x7fc0001000, 16, 0) == -EFAULT);
    EXPECT(ask(ring, IORING_OP_WRITE, fd, page, -1u, 0) == -EINVAL);
    /* Whatever would give a request another meaning. */
    struct io_uring_sqe *request = put(ring, IORING_OP_READ, 0, page, 16, 0);
    request->flags = IOSQE_FIXED_FILE;
    put(ring, IORING_OP_READ, fd, page, 16, 0)->personality = 1;
    put(ring, IORING_OP_READ, fd, page, 16, 0)->rw_flags = 1;
    put(ring, IORING_OP_READ, fd, page, 16, 0)->ioprio = 1;
    EXPECT(enter(ring, 4, 4) == 4);
    for (unsigned i = 0; i < 4; i++)
        EXPECT(take(ring) == -EINVAL);
    return 0;
}

static int wrong_indexes(struct ring *ring, long fd) {
    char *page = map(4096, PROT_READ | PROT_WRITE);
    unsigned *tail = word(ring, ring->params.sq_off.tail);
    unsigned *head = word(ring, ring->params.cq_off.head);
    put(ring, IORING_OP_READ, fd, page, 16, 0);
    word(ring, ring->params.sq_off.array)[(*tail - 1) % ENTRIES] = 0xffffff;
    EXPECT(enter(ring, 1, 0) == 1 && take(ring) == 1L << 40);
    EXPECT(*word(ring, ring->params.sq_off.dropped) == 1);
    /* A tail far ahead is a ring that is full, and no more. */
    *tail += 1000000;
    EXPECT(enter(ring, 1000, 0) == ENTRIES);
    /* A head of completions that is nonsense leaves no room for any. */
    *head += 77;
    EXPECT(enter(ring, 1, 0) == -EBUSY);
    EXPECT(enter(ring, 0, 1) == 0);
    return 0;
}

static int do_wrong_ring(void) {
    struct ring ring;
    EXPECT(CALL4(__NR_io_uring_enter, 0, 1, 1, 0) == -EBADF);
    EXPECT(CALL4(__NR_io_uring_register, 0, IORING_REGISTER_PROBE, 0, 0) == -EBADF);
    int opened = open_ring(&ring);
    if (opened)
        return opened == -ENOSYS ? NO_RING : 1;
    struct io_uring_params params = {0};
    EXPECT(CALL(__NR_io_uring_setup, 4, &params, 0) == -EMFILE);
    EXPECT(CALL4(__NR_io_uring_enter, ring.fd, 0, 0, 1 << 5) == -EINVAL);
    EXPECT(CALL4(__NR_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &params, 1) == -EINVAL);
    EXPECT(CALL4(__NR_io_uring_register, ring.fd, IORING_REGISTER_PROBE, 0, 8) == -EFAULT);
    char byte;
    EXPECT(CALL(__NR_read, ring.fd, &byte, 1) < 0);
    EXPECT(CALL(__NR_write, ring.fd, &byte, 1) < 0);
    EXPECT(CALL(__NR_fcntl, ring.fd, F_SETFL, O_NONBLOCK) == -EPERM);
    long fd = open_data("/data/wrong");
    EXPECT(fd >= 0 && CALL(__NR_unlinkat, AT_FDCWD, "/data/wrong", 0) == 0);
    EXPECT(wrong_maps(&ring) == 0);
    EXPECT(wrong_requests(&ring, fd) == 0);
    EXPECT(wrong_indexes(&ring, fd) == 0);
    /* Gone from under it. */
    EXPECT(CALL(__NR_munmap, ring.rings, rings_bytes(&ring), 0) == 0);
    EXPECT(enter(&ring, 1, 1) == -EFAULT);
    EXPECT(CALL(__NR_close, ring.fd, 0, 0) == 0);
    EXPECT(wrong_setups() == 0);
    return 0;
}

/* Whether somebody looks at the ring unasked. */
static int is_polled(const struct ring *ring) {
    return (ring->params.flags & IORING_SETUP_SQPOLL) != 0;
}

/* As ask, but calls only where it must. */
static long ask_polled(struct ring *ring, int operation, long fd, const void *data, unsigned bytes,
                       unsigned long offset) {
    volatile unsigned *flags = word(ring, ring->params.sq_off.flags);
    volatile unsigned *tail = word(ring, ring->params.cq_off.tail);
    unsigned head = *word(ring, ring->params.cq_off.head);
    put(ring, operation, fd, data, bytes, offset);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (long spins = 0; *tail == head && spins < 1000000000; spins++) {
        if (*flags & IORING_SQ_NEED_WAKEUP)
            CALL4(__NR_io_uring_enter, ring->fd, 1, 0, IORING_ENTER_SQ_WAKEUP);
        __builtin_ia32_pause();
    }
    return take(ring);
}

static int use_polled(struct ring *ring, long fd) {
    char *page = map(2 * 4096, PROT_READ | PROT_WRITE), *back = page + 4096;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 4096; i++)
            page[i] = (char)(i * 7 + round);
        EXPECT(ask_polled(ring, IORING_OP_WRITE, fd, page, 4096, 4096) == 4096);
        EXPECT(ask_polled(ring, IORING_OP_READ, fd, back, 4096, 4096) == 4096);
        for (int i = 0; i < 4096; i++)
            EXPECT(back[i] == page[i]);
        /* Now and then it is left alone for so long that it sleeps. */
        if (round % 50 == 0)
            for (volatile long i = 0; i < 1000000; i++)
                ;
    }
    EXPECT(ask_polled(ring, IORING_OP_READ, fd, (void *)0x400000, 16, 0) == -EFAULT);
    EXPECT(ask_polled(ring, IORING_OP_OPENAT, fd, page, 16, 0) == -EINVAL);
    /* Whoever waits by a call is served as well. */
    EXPECT(ask(ring, IORING_OP_READ, fd, back, 4096, 4096) == 4096 || take(ring) == 4096);
    return 0;
}

static int do_polled_ring(void) {
    struct ring ring;
    long fd = open_data("/data/polled");
    EXPECT(fd >= 0 && CALL(__NR_unlinkat, AT_FDCWD, "/data/polled", 0) == 0);
    for (int round = 0; round < 20; round++) {
        int opened = open_ring(&ring);
        if (opened)
            return opened == -ENOSYS ? NO_RING : 1;
        if (!is_polled(&ring))
            return NO_RING;
        if (round == 0)
            EXPECT(use_polled(&ring, fd) == 0);
        /* Closed, or taken away, under its eyes. */
        char *page = map(4096, PROT_READ | PROT_WRITE);
        put(&ring, IORING_OP_WRITE, fd, page, 4096, 0);
        put(&ring, IORING_OP_READ, fd, page, 4096, 0);
        if (round % 2)
            EXPECT(CALL(__NR_munmap, ring.rings, rings_bytes(&ring), 0) == 0);
        EXPECT(CALL(__NR_close, ring.fd, 0, 0) == 0);
    }
    return 0;
}

/* Rights to the ring change, and its numbers are nonsense, while somebody looks at it. */
static int do_shaken_ring(void) {
    struct ring ring;
    long fd = open_data("/data/shaken");
    EXPECT(fd >= 0 && CALL(__NR_unlinkat, AT_FDCWD, "/data/shaken", 0) == 0);
    int opened = open_ring(&ring);
    if (opened)
        return opened == -ENOSYS ? NO_RING : 1;
    if (!is_polled(&ring))
        return NO_RING;
    char *page = map(4096, PROT_READ | PROT_WRITE);
    volatile unsigned *tail = word(&ring, ring.params.sq_off.tail);
    volatile unsigned *head = word(&ring, ring.params.cq_off.head);
    for (int round = 0; round < 3000; round++) {
        struct io_uring_sqe *request = put(&ring, IORING_OP_WRITE, fd, page, 4096, 0);
        request->opcode = (unsigned char)round;
        *tail += (unsigned)round * 1000003;
        *head += (unsigned)round * 7919;
        if (round % 3 == 0)
            EXPECT(CALL(__NR_mprotect, ring.rings, 4096, PROT_READ) == 0 &&
                   CALL(__NR_mprotect, ring.rings, 4096, PROT_NONE) == 0 &&
                   CALL(__NR_mprotect, ring.rings, 4096, PROT_READ | PROT_WRITE) == 0);
        if (round % 7 == 0)
            CALL4(__NR_io_uring_enter, ring.fd, 1, 0, IORING_ENTER_SQ_WAKEUP);
    }
    EXPECT(CALL(__NR_close, ring.fd, 0, 0) == 0);
    return 0;
}

const struct payload rings[] = {
    PAYLOAD(ring), PAYLOAD(wrong_ring), PAYLOAD(polled_ring), PAYLOAD(shaken_ring), {"", 0}};
