// SPDX-License-Identifier: GPL-3.0-or-later
/* The ABI is that of io_uring_setup(2) and io_uring_enter(2); places in the ring are our choice. */
#include "environments/microguest/ring.h"

#include "environments/microguest/syscalls.h" /* CALL_TRANSFER_MAX_BYTES */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The program's ring: this, then the completions, then the array of request numbers. */
struct ring_head {
    uint32_t request_head, request_tail, request_mask, request_entries, request_flags, dropped;
    uint32_t completion_head, completion_tail, completion_mask, completion_entries, overflow,
        completion_flags;
};
#define COMPLETIONS_AT 64u

_Static_assert(sizeof(struct ring_head) <= COMPLETIONS_AT, "the head overlaps the completions");

static const uint8_t operations[] = {IORING_OP_READ, IORING_OP_WRITE};

bool ring_serves(unsigned operation) {
    for (size_t i = 0; i < sizeof(operations); i++)
        if (operations[i] == operation)
            return true;
    return false;
}

/* Some shared libraries of liburing leave these two out. */
static long change(const struct ring *ring, unsigned what, void *data, unsigned count) {
    return syscall(SYS_io_uring_register, ring->host.ring_fd, what, data, count);
}

void ring_make(struct ring *ring) {
    struct io_uring_restriction only[sizeof(operations)] = {0};
    for (size_t i = 0; i < sizeof(operations); i++) {
        only[i].opcode = IORING_RESTRICTION_SQE_OP;
        only[i].sqe_op = operations[i];
    }
    pthread_mutex_init(&ring->lock, NULL);
    /* An interrupt for each record that ends would be an exit: the next call is soon enough, and
     * the flag tells who polls that it must make one. */
    const unsigned quiet = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    if (io_uring_queue_init(RING_ENTRIES_MAX, &ring->host, IORING_SETUP_R_DISABLED | quiet) < 0 &&
        io_uring_queue_init(RING_ENTRIES_MAX, &ring->host, IORING_SETUP_R_DISABLED) < 0)
        return;
    ring->made =
        change(ring, IORING_REGISTER_RESTRICTIONS, only, sizeof(only) / sizeof(*only)) == 0 &&
        change(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0) == 0;
    if (!ring->made)
        io_uring_queue_exit(&ring->host);
}

static uint32_t array_at(const struct ring *ring) {
    return COMPLETIONS_AT + ring->completions * (uint32_t)sizeof(struct io_uring_cqe);
}

static uint64_t rings_bytes(const struct ring *ring) {
    return array_at(ring) + ring->entries * sizeof(uint32_t);
}

static uint64_t requests_bytes(const struct ring *ring) {
    return ring->entries * sizeof(struct io_uring_sqe);
}

static unsigned power_of_two_from(unsigned value) {
    unsigned power = 1;
    while (power < value)
        power *= 2;
    return power;
}

int64_t ring_set_up(struct vmm *vmm, uint64_t entries, struct io_uring_params *params) {
    struct ring *ring = &vmm->ring;
    if (!ring->made)
        return -ENOSYS;
    if (params->flags & ~(uint32_t)IORING_SETUP_CLAMP)
        return -EINVAL;
    for (size_t i = 0; i < sizeof(params->resv) / sizeof(*params->resv); i++)
        if (params->resv[i])
            return -EINVAL;
    if (entries > RING_ENTRIES_MAX && (params->flags & IORING_SETUP_CLAMP))
        entries = RING_ENTRIES_MAX;
    if (entries == 0 || entries > RING_ENTRIES_MAX)
        return -EINVAL;
    if (ring->entries || ring->under_way)
        return -EMFILE;
    ring->entries = power_of_two_from((unsigned)entries);
    ring->completions = 2 * ring->entries;
    ring->rings_gva = ring->requests_gva = 0;
    ring->request_head = ring->completion_tail = 0;
    ring->polled = false;
    ring->sleeps = true;
    params->sq_entries = ring->entries;
    params->cq_entries = ring->completions;
    params->features = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |
                       IORING_FEAT_RW_CUR_POS;
    params->sq_off = (struct io_sqring_offsets){
        .head = offsetof(struct ring_head, request_head),
        .tail = offsetof(struct ring_head, request_tail),
        .ring_mask = offsetof(struct ring_head, request_mask),
        .ring_entries = offsetof(struct ring_head, request_entries),
        .flags = offsetof(struct ring_head, request_flags),
        .dropped = offsetof(struct ring_head, dropped),
        .array = array_at(ring),
    };
    params->cq_off = (struct io_cqring_offsets){
        .head = offsetof(struct ring_head, completion_head),
        .tail = offsetof(struct ring_head, completion_tail),
        .ring_mask = offsetof(struct ring_head, completion_mask),
        .ring_entries = offsetof(struct ring_head, completion_entries),
        .overflow = offsetof(struct ring_head, overflow),
        .cqes = COMPLETIONS_AT,
        .flags = offsetof(struct ring_head, completion_flags),
    };
    return 0;
}

static int64_t map_at(struct vmm *vmm, uint64_t *gva, uint64_t have, uint64_t want, int prot) {
    if (*gva)
        return -EBUSY;
    if (prot != (PROT_READ | PROT_WRITE) || want == 0 || want > page_ceiling(have))
        return -EINVAL;
    int64_t got = memory_map(&vmm->memory, 0, have, prot, false, false);
    if (got >= 0)
        *gva = (uint64_t)got;
    return got;
}

static uint32_t request_flags(const struct ring *ring) {
    return ring->polled && ring->sleeps ? IORING_SQ_NEED_WAKEUP : 0;
}

int64_t ring_map(struct vmm *vmm, uint64_t offset, uint64_t bytes, int prot) {
    struct ring *ring = &vmm->ring;
    if (!ring->entries)
        return -EBADF;
    if (offset == IORING_OFF_SQES)
        return map_at(vmm, &ring->requests_gva, requests_bytes(ring), bytes, prot);
    if (offset != IORING_OFF_SQ_RING)
        return -EINVAL;
    int64_t got = map_at(vmm, &ring->rings_gva, rings_bytes(ring), bytes, prot);
    if (got < 0)
        return got;
    struct ring_head *head = memory_host(&vmm->memory, (uint64_t)got, sizeof(*head));
    head->request_entries = ring->entries;
    head->request_mask = ring->entries - 1;
    head->request_flags = request_flags(ring);
    head->completion_entries = ring->completions;
    head->completion_mask = ring->completions - 1;
    return got;
}

/* The program's ring, where it still is. */
struct view {
    struct ring_head *head;
    struct io_uring_cqe *completions;
    const uint32_t *array;
    const struct io_uring_sqe *requests;
};

static bool look(struct vmm *vmm, struct view *ret_view) {
    const struct ring *ring = &vmm->ring;
    const int prot = PROT_READ | PROT_WRITE;
    uint8_t *head = memory_pointer(&vmm->memory, ring->rings_gva, rings_bytes(ring), prot);
    const void *requests =
        memory_pointer(&vmm->memory, ring->requests_gva, requests_bytes(ring), prot);
    if (!ring->rings_gva || !ring->requests_gva || !head || !requests)
        return false;
    *ret_view = (struct view){
        .head = (struct ring_head *)(void *)head,
        .completions = (struct io_uring_cqe *)(void *)(head + COMPLETIONS_AT),
        .array = (const uint32_t *)(const void *)(head + array_at(ring)),
        .requests = requests,
    };
    return true;
}

/* Completions that the program has not yet taken; more than fit where its head is nonsense. */
static unsigned waiting(const struct ring *ring, const struct view *view) {
    return ring->completion_tail - __atomic_load_n(&view->head->completion_head, __ATOMIC_ACQUIRE);
}

static void complete(struct ring *ring, const struct view *view, uint64_t user_data, int result) {
    struct io_uring_cqe *to = &view->completions[ring->completion_tail & (ring->completions - 1)];
    to->user_data = user_data;
    to->res = result;
    to->flags = 0;
    __atomic_store_n(&view->head->completion_tail, ++ring->completion_tail, __ATOMIC_RELEASE);
}

/* What the host has done. Without a view nobody is told. */
static unsigned reap(struct vmm *vmm, const struct view *view) {
    struct ring *ring = &vmm->ring;
    struct io_uring_cqe *done;
    unsigned ended = 0;
    while (io_uring_peek_cqe(&ring->host, &done) == 0) {
        struct ring_request *slot = &ring->slots[(uintptr_t)io_uring_cqe_get_data(done)];
        int result = done->res;
        io_uring_cqe_seen(&ring->host, done);
        descriptors_let_go(&vmm->descriptors, slot->descriptor);
        slot->descriptor = NULL;
        ring->under_way--;
        if (view)
            complete(ring, view, slot->user_data, result);
        ended++;
    }
    return ended;
}

static struct ring_request *free_slot(struct ring *ring) {
    for (unsigned i = 0; i < RING_ENTRIES_MAX; i++)
        if (!ring->slots[i].descriptor)
            return &ring->slots[i];
    return NULL;
}

/* Nothing but which file, where, how much. */
static bool is_plain(const struct io_uring_sqe *request) {
    static const uint8_t zero[sizeof(*request)];
    const size_t rest = offsetof(struct io_uring_sqe, buf_index);
    return ring_serves(request->opcode) && request->flags == 0 && request->ioprio == 0 &&
           request->rw_flags == 0 &&
           memcmp((const uint8_t *)request + rest, zero, sizeof(*request) - rest) == 0;
}

/* 0 when it is on its way to the host, else the errno that ends it. `request` is a copy. */
static int start(struct vmm *vmm, const struct io_uring_sqe *request) {
    struct ring *ring = &vmm->ring;
    bool writes = request->opcode == IORING_OP_WRITE;
    if (!is_plain(request) || request->len > CALL_TRANSFER_MAX_BYTES)
        return EINVAL;
    struct descriptor *descriptor = descriptors_hold(&vmm->descriptors, request->fd);
    if (!descriptor)
        return EBADF;
    static char nothing;
    void *data = request->len ? memory_pointer(&vmm->memory, request->addr, request->len,
                                               writes ? PROT_READ : PROT_WRITE)
                              : &nothing;
    struct ring_request *slot = free_slot(ring);
    /* What can be waited for without end has no business here. */
    int errnum = descriptor->kind != DESCRIPTOR_DATA ? EOPNOTSUPP : !data ? EFAULT : 0;
    struct io_uring_sqe *to = slot && !errnum ? io_uring_get_sqe(&ring->host) : NULL;
    if (!to) {
        descriptors_let_go(&vmm->descriptors, descriptor);
        return errnum ? errnum : EAGAIN;
    }
    io_uring_prep_rw(request->opcode, to, descriptor->host_fd, data, request->len, request->off);
    io_uring_sqe_set_data(to, (void *)(uintptr_t)(slot - ring->slots));
    *slot = (struct ring_request){.descriptor = descriptor, .user_data = request->user_data};
    ring->under_way++;
    return 0;
}

/* Another request could not complete. */
static bool is_full(const struct ring *ring, const struct view *view) {
    unsigned not_taken = waiting(ring, view);
    return ring->under_way >= RING_ENTRIES_MAX || not_taken >= ring->completions ||
           not_taken + ring->under_way >= ring->completions;
}

/* Takes the program's requests, as many as it says and as have room to complete. */
static unsigned take_requests(struct vmm *vmm, const struct view *view, unsigned most) {
    struct ring *ring = &vmm->ring;
    unsigned tail = __atomic_load_n(&view->head->request_tail, __ATOMIC_ACQUIRE), taken = 0;
    if (tail - ring->request_head > ring->entries)
        tail = ring->request_head + ring->entries;
    for (; taken < most && ring->request_head != tail; taken++) {
        if (is_full(ring, view))
            break;
        uint32_t index = __atomic_load_n(&view->array[ring->request_head++ & (ring->entries - 1)],
                                         __ATOMIC_RELAXED);
        if (index >= ring->entries) {
            view->head->dropped++;
            continue;
        }
        struct io_uring_sqe request;
        memcpy(&request, &view->requests[index], sizeof(request));
        __asm__ volatile("" : : "r"(&request) : "memory"); /* not to be read a second time */
        int errnum = start(vmm, &request);
        if (errnum)
            complete(ring, view, request.user_data, -errnum);
    }
    __atomic_store_n(&view->head->request_head, ring->request_head, __ATOMIC_RELEASE);
    return taken;
}

static bool lacks(const struct ring *ring, const struct view *view, unsigned min_complete) {
    return ring->under_way > 0 && waiting(ring, view) < min_complete;
}

bool ring_advance(struct vmm *vmm, unsigned *ended) {
    struct view view;
    bool seen = vmm->ring.entries && look(vmm, &view);
    unsigned reaped = reap(vmm, seen ? &view : NULL);
    unsigned taken = seen ? take_requests(vmm, &view, RING_ENTRIES_MAX) : 0;
    /* What the host had no room for the last time, too. */
    if (io_uring_sq_ready(&vmm->ring.host) > 0)
        (void)io_uring_submit(&vmm->ring.host);
    *ended += reaped;
    return reaped || taken;
}

void ring_sleeps(struct vmm *vmm, bool sleeps) {
    struct view view;
    vmm->ring.sleeps = sleeps;
    if (!vmm->ring.entries || !look(vmm, &view))
        return;
    __atomic_store_n(&view.head->request_flags, request_flags(&vmm->ring), __ATOMIC_SEQ_CST);
    /* The program writes its tail and then looks here; we the other way round. */
    atomic_thread_fence(memory_order_seq_cst);
}

bool ring_lags(struct vmm *vmm) {
    struct view view;
    if (!vmm->ring.entries || !look(vmm, &view))
        return false;
    bool left =
        __atomic_load_n(&view.head->request_tail, __ATOMIC_ACQUIRE) != vmm->ring.request_head;
    return reap(vmm, &view) > 0 || left;
}

int ring_check(struct vmm *vmm, unsigned flags) {
    struct view view;
    if (flags & ~(unsigned)(IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP))
        return -EINVAL;
    if (!vmm->ring.entries)
        return -EBADF;
    return look(vmm, &view) ? 0 : -EFAULT;
}

int64_t ring_enter(struct vmm *vmm, unsigned to_submit, unsigned min_complete, unsigned flags) {
    struct ring *ring = &vmm->ring;
    struct view view;
    int errnum = ring_check(vmm, flags);
    if (errnum < 0 || !look(vmm, &view))
        return errnum < 0 ? errnum : -EFAULT;
    reap(vmm, &view);
    unsigned taken = take_requests(vmm, &view, to_submit);
    if (to_submit && !taken && !ring->polled && is_full(ring, &view))
        return -EBUSY;
    if (min_complete > ring->completions)
        min_complete = ring->completions;
    bool waits = flags & IORING_ENTER_GETEVENTS;
    int result;
    do {
        result = waits && lacks(ring, &view, min_complete)
                     ? io_uring_submit_and_wait(&ring->host, 1)
                     : io_uring_submit(&ring->host);
        reap(vmm, &view);
    } while (result >= 0 && waits && lacks(ring, &view, min_complete));
    /* What was taken is ours to submit, now or with the next call. */
    if (taken || result >= 0)
        return taken;
    return result;
}

void ring_close(struct vmm *vmm) {
    struct ring *ring = &vmm->ring;
    while (ring->under_way > 0) {
        int result = io_uring_submit_and_wait(&ring->host, 1);
        if (result < 0 && result != -EINTR && result != -EAGAIN)
            break;
        reap(vmm, NULL);
    }
    ring->polled = false;
    ring->entries = 0;
}
