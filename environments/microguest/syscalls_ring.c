// SPDX-License-Identifier: GPL-3.0-or-later
/* io_uring: the calls, and what they copy. The ring itself: ring.h; who looks at it uncalled:
 * ring_poll.h. */
#include "environments/microguest/syscalls.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PROBES_MAX 256u

static bool is_ring(struct call *call, uint64_t number) {
    struct descriptors *descriptors = &call->vmm->descriptors;
    struct descriptor *descriptor = descriptors_hold(descriptors, (int)number);
    bool yes = descriptor && descriptor->kind == DESCRIPTOR_RING;
    if (descriptor)
        descriptors_let_go(descriptors, descriptor);
    return yes;
}

static int64_t serve_setup(struct call *call) {
    struct vmm *vmm = call->vmm;
    struct io_uring_params params;
    uint64_t at = call->arguments[1];
    if (call_copy_in(call, &params, at, sizeof(params)) < 0 ||
        !call_pointer(call, at, sizeof(params), PROT_WRITE))
        return -EFAULT;
    pthread_mutex_lock(&vmm->ring.lock);
    int64_t result = ring_set_up(vmm, call->arguments[0], &params);
    if (result == 0) {
        result = descriptors_add_ring(&vmm->descriptors, vmm->ring.host.ring_fd);
        if (result < 0)
            ring_close(vmm);
        else if (ring_poll_begin(vmm))
            params.flags |= IORING_SETUP_SQPOLL;
    }
    pthread_mutex_unlock(&vmm->ring.lock);
    return result >= 0 && call_copy_out(call, at, &params, sizeof(params)) < 0 ? -EFAULT : result;
}

static int64_t serve_enter(struct call *call) {
    struct ring *ring = &call->vmm->ring;
    if (!is_ring(call, call->arguments[0]))
        return -EBADF;
    atomic_fetch_add(&ring->wanted, 1);
    pthread_mutex_lock(&ring->lock);
    atomic_fetch_sub(&ring->wanted, 1);
    int64_t result = (ring->polled ? ring_poll_enter : ring_enter)(
        call->vmm, (unsigned)call->arguments[1], (unsigned)call->arguments[2],
        (unsigned)call->arguments[3]);
    pthread_mutex_unlock(&ring->lock);
    return result;
}

/* Only the question what there is. */
static int64_t serve_register(struct call *call) {
    _Alignas(struct io_uring_probe) char
        room[sizeof(struct io_uring_probe) + PROBES_MAX * sizeof(struct io_uring_probe_op)] = {0};
    struct io_uring_probe *answer = (struct io_uring_probe *)(void *)room;
    uint64_t count = call->arguments[3];
    if (!is_ring(call, call->arguments[0]))
        return -EBADF;
    if (call->arguments[1] != IORING_REGISTER_PROBE || count > PROBES_MAX)
        return -EINVAL;
    for (unsigned i = 0; i < count; i++) {
        answer->ops[i].op = (uint8_t)i;
        if (ring_serves(i)) {
            answer->ops[i].flags = IO_URING_OP_SUPPORTED;
            answer->last_op = (uint8_t)i;
        }
    }
    answer->ops_len = (uint8_t)(count < PROBES_MAX ? count : PROBES_MAX - 1);
    return call_copy_out(call, call->arguments[2], room,
                         sizeof(*answer) + count * sizeof(*answer->ops));
}

const struct call_entry ring_calls[] = {
    {SYS_io_uring_setup, "io_uring_setup", serve_setup},
    {SYS_io_uring_enter, "io_uring_enter", serve_enter},
    {SYS_io_uring_register, "io_uring_register", serve_register},
    {0, NULL, NULL},
};
