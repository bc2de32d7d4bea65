// SPDX-License-Identifier: GPL-3.0-or-later
/* The layout is in Linux's Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD. */
#include "environments/microguest/kvm_stats.h"

#include "environments/microguest/vmm.h"

#include <string.h>
#include <sys/ioctl.h>

#ifdef KVM_GET_STATS_FD

#define DATA_BYTES_MAX 8192u
#define ABOUT_BYTES_MAX 32768u

/* The same for all virtual CPUs; learnt from the first. Under vcpus_lock. */
static struct {
    bool learnt;
    uint32_t data_offset, bytes; /* of the numbers, as far as they are wanted */
    unsigned count;
    uint32_t offsets[STATUS_ENGINE_MAX];
} layout;

/* Single numbers that only grow: of events, or nanoseconds. */
static bool is_wanted(const struct kvm_stats_desc *about) {
    uint32_t type = about->flags & KVM_STATS_TYPE_MASK, unit = about->flags & KVM_STATS_UNIT_MASK;
    return about->size == 1 && type == KVM_STATS_TYPE_CUMULATIVE &&
           (unit == KVM_STATS_UNIT_NONE || unit == KVM_STATS_UNIT_SECONDS) &&
           about->offset <= DATA_BYTES_MAX - sizeof(uint64_t);
}

static void learn_one(const struct kvm_stats_desc *about, size_t name_bytes,
                      struct status *status) {
    if (layout.count == STATUS_ENGINE_MAX || !is_wanted(about))
        return;
    char *name = status->engine[layout.count].name;
    size_t capacity = sizeof(status->engine[layout.count].name) - 1;
    memcpy(name, about->name, name_bytes < capacity ? name_bytes : capacity);
    layout.offsets[layout.count++] = about->offset;
    uint32_t end = about->offset + (uint32_t)sizeof(uint64_t);
    layout.bytes = end > layout.bytes ? end : layout.bytes;
}

static void learn(int fd, struct status *status) {
    _Alignas(struct kvm_stats_desc) static char room[ABOUT_BYTES_MAX];
    struct kvm_stats_header header;
    layout.learnt = true;
    if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
        header.name_size > sizeof(room) || header.name_size % sizeof(uint64_t) != 0)
        return;
    size_t step = sizeof(struct kvm_stats_desc) + header.name_size;
    size_t count = header.num_desc < sizeof(room) / step ? header.num_desc : sizeof(room) / step;
    if (pread(fd, room, count * step, header.desc_offset) != (ssize_t)(count * step))
        return;
    for (size_t i = 0; i < count; i++)
        learn_one((const struct kvm_stats_desc *)(const void *)(room + i * step), header.name_size,
                  status);
    layout.data_offset = header.data_offset;
    atomic_store_explicit(&status->engine_count, layout.count, memory_order_release);
}

void kvm_stats_open(struct vcpu *vcpu) {
    if (vcpu->stats_fd == 0)
        vcpu->stats_fd = ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL);
}

static bool add_up(struct vcpu *vcpu, uint64_t *sums) {
    _Alignas(uint64_t) char data[DATA_BYTES_MAX];
    if (vcpu->stats_fd <= 0)
        return false;
    if (!layout.learnt)
        learn(vcpu->stats_fd, vcpu->vmm->status);
    if (layout.count == 0 ||
        pread(vcpu->stats_fd, data, layout.bytes, layout.data_offset) != (ssize_t)layout.bytes)
        return false;
    for (unsigned i = 0; i < layout.count; i++) {
        uint64_t value;
        memcpy(&value, data + layout.offsets[i], sizeof(value));
        sums[i] += value;
    }
    return true;
}

void kvm_stats_publish(struct vmm *vmm) {
    static atomic_flag not_the_first = ATOMIC_FLAG_INIT;
    uint64_t sums[STATUS_ENGINE_MAX] = {0};
    bool complete = atomic_flag_test_and_set(&not_the_first);
    if (!complete)
        return;
    pthread_mutex_lock(&vmm->vcpus_lock);
    /* As long as there is one only, it is the one that calls. */
    if (vmm->vcpu_count == 1)
        kvm_stats_open(vmm->vcpus[0]);
    for (unsigned i = 0; i < vmm->vcpu_count && complete; i++)
        complete = add_up(vmm->vcpus[i], sums);
    for (unsigned i = 0; i < layout.count && complete; i++)
        atomic_store_explicit(&vmm->status->engine[i].value, sums[i], memory_order_relaxed);
    pthread_mutex_unlock(&vmm->vcpus_lock);
}

#else

void kvm_stats_open(struct vcpu *vcpu) {
    (void)vcpu;
}

void kvm_stats_publish(struct vmm *vmm) {
    (void)vmm;
}

#endif
