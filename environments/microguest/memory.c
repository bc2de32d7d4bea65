// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/memory.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* As many as Linux gives a process would let a guest spend much of our memory. */
#define AREAS_MAX 8192u
#define SLOT_STEP_BYTES (128 * MIB_BYTES)
/* Address space beyond the memory: reservations that are never touched (stacks, heaps). */
#define RESERVE_BYTES GIB_BYTES

struct locked {
    pthread_mutex_t *mutex;
};

static void locked_cleanup(struct locked *locked) {
    pthread_mutex_unlock(locked->mutex);
}

#define LOCK(memory)                                                                               \
    __attribute__((cleanup(locked_cleanup), unused)) struct locked locked_ = {&(memory)->lock};    \
    pthread_mutex_lock(&(memory)->lock)

static int add_slot(struct memory *memory, uint64_t start, uint64_t end) {
    struct kvm_userspace_memory_region region = {
        .slot = memory->slots,
        .guest_phys_addr = place_gpa(start),
        .memory_size = end - start,
        .userspace_addr = (uint64_t)(uintptr_t)(memory->control + start),
    };
    if (ioctl(memory->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return -errno;
    memory->slots++;
    memory->slot_end = end;
    return 0;
}

/* Makes control memory and arena up to this place the guest's. */
static int extend_slots(struct memory *memory, uint64_t end) {
    const uint64_t last = memory->control_bytes + memory->arena_bytes;
    while (memory->slot_end < end) {
        uint64_t start = memory->slot_end;
        uint64_t next = start ? start + SLOT_STEP_BYTES : end;
        if (next < end)
            next = (end + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
        if (next > last)
            next = last;
        /* A slot does not span the hole. */
        if (start < HOLE_GPA && next > HOLE_GPA)
            next = HOLE_GPA;
        int result = add_slot(memory, start, next);
        if (result < 0)
            return result;
    }
    return 0;
}

static void *reserve(uint64_t bytes) {
    /* Aligned to huge pages, so that the guest's and the host's begin together. */
    uint8_t *start = mmap(NULL, bytes + LARGE_PAGE_BYTES, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    uint64_t skip = -(uintptr_t)start % LARGE_PAGE_BYTES;
    if (skip)
        munmap(start, skip);
    munmap(start + skip + bytes, LARGE_PAGE_BYTES - skip);
    return mprotect(start + skip, bytes, PROT_READ | PROT_WRITE) < 0 ? NULL : start + skip;
}

int memory_create(struct memory *memory, int vm_fd, uint64_t limit_bytes) {
    *memory = (struct memory){.vm_fd = vm_fd, .limit_bytes = limit_bytes};
    pthread_mutex_init(&memory->lock, NULL);
    uint64_t bytes = LOW_BYTES + 2 * limit_bytes + RESERVE_BYTES;
    if (limit_bytes > ARENA_MAX_BYTES || bytes > ARENA_MAX_BYTES)
        bytes = ARENA_MAX_BYTES;
    memory->arena_bytes = bytes / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    memory->control_bytes = paging_control_bytes(memory->arena_bytes);
    memory->areas = calloc(AREAS_MAX, sizeof(*memory->areas));
    memory->control = reserve(memory->control_bytes + memory->arena_bytes);
    if (!memory->areas || !memory->control)
        return -ENOMEM;
    memory->arena = memory->control + memory->control_bytes;
    int result =
        paging_init(&memory->paging, memory->control, memory->control_bytes, memory->arena_bytes);
    return result < 0 ? result : extend_slots(memory, memory->control_bytes + FIRST_SLOT_BYTES);
}

/* The first area that ends above the address. */
static unsigned find_area(const struct memory *memory, uint64_t gva) {
    unsigned low = 0, high = memory->area_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (memory->areas[middle].end <= gva)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert_area(struct memory *memory, unsigned at, struct area area) {
    memmove(&memory->areas[at + 1], &memory->areas[at],
            (memory->area_count - at) * sizeof(*memory->areas));
    memory->areas[at] = area;
    memory->area_count++;
}

static void split_at(struct memory *memory, uint64_t gva) {
    unsigned at = find_area(memory, gva);
    if (at == memory->area_count || memory->areas[at].start >= gva)
        return;
    struct area rest = memory->areas[at];
    memory->areas[at].end = rest.start = gva;
    insert_area(memory, at + 1, rest);
}

static uint64_t accessible(const struct area *area) {
    return area->prot == PROT_NONE ? 0 : area->end - area->start;
}

/* Room for the pieces that any one change can make. */
static bool room_for_areas(const struct memory *memory) {
    return memory->area_count + 3 <= AREAS_MAX;
}

static void remove_areas(struct memory *memory, uint64_t start, uint64_t end) {
    split_at(memory, start);
    split_at(memory, end);
    unsigned first = find_area(memory, start), last = first;
    for (; last < memory->area_count && memory->areas[last].start < end; last++)
        memory->used_bytes -= accessible(&memory->areas[last]);
    memmove(&memory->areas[first], &memory->areas[last],
            (memory->area_count - last) * sizeof(*memory->areas));
    memory->area_count -= last - first;
}

static void add_area(struct memory *memory, uint64_t start, uint64_t end, int prot) {
    struct area area = {start, end, prot};
    unsigned at = find_area(memory, start);
    memory->used_bytes += accessible(&area);
    if (at > 0 && memory->areas[at - 1].end == start && memory->areas[at - 1].prot == prot) {
        memory->areas[at - 1].end = end;
        at--;
    } else {
        insert_area(memory, at, area);
    }
    if (at + 1 < memory->area_count && memory->areas[at + 1].start == end &&
        memory->areas[at + 1].prot == prot) {
        memory->areas[at].end = memory->areas[at + 1].end;
        memmove(&memory->areas[at + 1], &memory->areas[at + 2],
                (memory->area_count - at - 2) * sizeof(*memory->areas));
        memory->area_count--;
    }
}

/* Bytes of the range that are accessible now; *ret_mapped: all of it is mapped; *ret_prots: the
 * union of all rights. */
static uint64_t survey(const struct memory *memory, uint64_t start, uint64_t end, bool *ret_mapped,
                       int *ret_prots) {
    uint64_t bytes = 0, at_gva = start;
    *ret_mapped = true;
    *ret_prots = PROT_NONE;
    for (unsigned at = find_area(memory, start);
         at < memory->area_count && memory->areas[at].start < end; at++) {
        struct area part = memory->areas[at];
        *ret_mapped = *ret_mapped && part.start <= at_gva;
        part.start = part.start > start ? part.start : start;
        part.end = part.end < end ? part.end : end;
        bytes += accessible(&part);
        *ret_prots |= part.prot;
        at_gva = part.end;
    }
    *ret_mapped = *ret_mapped && at_gva >= end;
    return bytes;
}

static bool in_arena(const struct memory *memory, uint64_t gva, uint64_t bytes) {
    uint64_t first, last;
    return bytes > 0 && gva + bytes > gva && arena_offset(gva, memory->arena_bytes, &first) &&
           arena_offset(gva + bytes - 1, memory->arena_bytes, &last) && last - first == bytes - 1;
}

void *memory_host(struct memory *memory, uint64_t gva, uint64_t bytes) {
    uint64_t offset = 0;
    if (!in_arena(memory, gva, bytes) || !arena_offset(gva, memory->arena_bytes, &offset))
        return NULL;
    return memory->arena + offset;
}

/*
 * First fit above the image and heap. As in Linux, whole huge pages begin at one, and everything
 * else follows what was there before: arrays that all began at the same place of a huge page would
 * get in each other's way in caches and memory banks, and not so on the host.
 */
static uint64_t find_free(const struct memory *memory, uint64_t bytes) {
    uint64_t align = bytes % LARGE_PAGE_BYTES == 0 ? LARGE_PAGE_BYTES : PAGE_BYTES;
    uint64_t start = HIGH_GVA + LOW_BYTES;
    for (unsigned at = find_area(memory, start);; at++) {
        uint64_t limit =
            at < memory->area_count ? memory->areas[at].start : HIGH_GVA + memory->arena_bytes;
        uint64_t aligned = (start + align - 1) / align * align;
        if (aligned <= limit && limit - aligned >= bytes)
            return aligned;
        if (at >= memory->area_count)
            return 0;
        start = memory->areas[at].end;
    }
}

/* Fresh zero pages with the host's default policy; whoever cached a translation must look again. */
static int refresh_host(struct memory *memory, uint64_t gva, uint64_t bytes) {
    void *host = memory_host(memory, gva, bytes);
    void *got = mmap(host, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return got == MAP_FAILED ? -errno : 0;
}

static int unmap_locked(struct memory *memory, uint64_t gva, uint64_t bytes) {
    if (!room_for_areas(memory))
        return -ENOMEM;
    int result = paging_set(&memory->paging, gva, bytes, PROT_NONE);
    if (result < 0)
        return result;
    remove_areas(memory, gva, gva + bytes);
    return refresh_host(memory, gva, bytes);
}

static int64_t map_locked(struct memory *memory, uint64_t gva, uint64_t bytes, int prot) {
    uint64_t offset = 0;
    if (prot != PROT_NONE && memory->used_bytes + bytes > memory->limit_bytes)
        return -ENOMEM;
    if (!room_for_areas(memory) || !arena_offset(gva, memory->arena_bytes, &offset))
        return -ENOMEM;
    int result = extend_slots(memory, memory->control_bytes + offset + bytes);
    if (result == 0)
        result = paging_set(&memory->paging, gva, bytes, prot);
    if (result < 0)
        return -ENOMEM;
    add_area(memory, gva, gva + bytes, prot);
    return (int64_t)gva;
}

int64_t memory_map(struct memory *memory, uint64_t gva, uint64_t bytes, int prot, bool fixed,
                   bool replace) {
    LOCK(memory);
    if (bytes == 0 || bytes > memory->arena_bytes)
        return bytes ? -ENOMEM : -EINVAL;
    bytes = page_ceiling(bytes);
    if (!fixed)
        gva = find_free(memory, bytes);
    if (gva == 0)
        return -ENOMEM;
    if (gva % PAGE_BYTES || !in_arena(memory, gva, bytes))
        return -EINVAL;
    unsigned at = find_area(memory, gva);
    if (fixed && at < memory->area_count && memory->areas[at].start < gva + bytes) {
        int result = replace ? unmap_locked(memory, gva, bytes) : -EEXIST;
        if (result < 0)
            return result;
    }
    return map_locked(memory, gva, bytes, prot);
}

int memory_unmap(struct memory *memory, uint64_t gva, uint64_t bytes) {
    LOCK(memory);
    if (gva % PAGE_BYTES || bytes == 0 || bytes > memory->arena_bytes)
        return -EINVAL;
    bytes = page_ceiling(bytes);
    return in_arena(memory, gva, bytes) ? unmap_locked(memory, gva, bytes) : -EINVAL;
}

int memory_protect(struct memory *memory, uint64_t gva, uint64_t bytes, int prot) {
    LOCK(memory);
    bool mapped;
    int before;
    if (gva % PAGE_BYTES || bytes > memory->arena_bytes)
        return -EINVAL;
    bytes = page_ceiling(bytes);
    if (bytes == 0)
        return 0;
    if (!in_arena(memory, gva, bytes) || !room_for_areas(memory))
        return -ENOMEM;
    uint64_t had = survey(memory, gva, gva + bytes, &mapped, &before);
    if (!mapped)
        return -ENOMEM;
    if (prot != PROT_NONE && memory->used_bytes - had + bytes > memory->limit_bytes)
        return -ENOMEM;
    int result = paging_set(&memory->paging, gva, bytes, prot);
    if (result < 0)
        return result;
    remove_areas(memory, gva, gva + bytes);
    add_area(memory, gva, gva + bytes, prot);
    if ((before & ~prot) == 0)
        return 0;
    /* Rights were taken away. Taking the host's away for a moment makes KVM drop what it has
     * translated of these pages; a CPU that comes by just then waits in vcpu.c. */
    void *host = memory_host(memory, gva, bytes);
    if (mprotect(host, bytes, PROT_NONE) < 0 || mprotect(host, bytes, PROT_READ | PROT_WRITE) < 0)
        return -errno;
    return 0;
}

/* Moves pages, not bytes, where the host can; the old place stays mapped, and empty. */
static void move_pages_of(struct memory *memory, uint64_t from, uint64_t to, uint64_t bytes) {
    void *old = memory_host(memory, from, bytes), *new = memory_host(memory, to, bytes);
    if (mremap(old, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, new) ==
        MAP_FAILED)
        memcpy(new, old, bytes);
}

int64_t memory_remap(struct memory *memory, uint64_t gva, uint64_t old_bytes, uint64_t new_bytes,
                     bool may_move) {
    LOCK(memory);
    if (gva % PAGE_BYTES || old_bytes == 0 || new_bytes == 0 || old_bytes > memory->arena_bytes ||
        new_bytes > memory->arena_bytes)
        return -EINVAL;
    old_bytes = page_ceiling(old_bytes);
    new_bytes = page_ceiling(new_bytes);
    unsigned at = find_area(memory, gva);
    if (!in_arena(memory, gva, old_bytes) || at == memory->area_count ||
        memory->areas[at].start > gva || memory->areas[at].end < gva + old_bytes)
        return -EFAULT;
    int prot = memory->areas[at].prot;
    if (new_bytes <= old_bytes) {
        int result = new_bytes < old_bytes
                         ? unmap_locked(memory, gva + new_bytes, old_bytes - new_bytes)
                         : 0;
        return result < 0 ? result : (int64_t)gva;
    }
    uint64_t end = gva + old_bytes, more = new_bytes - old_bytes;
    bool last = memory->areas[at].end == end;
    uint64_t next = at + 1 < memory->area_count ? memory->areas[at + 1].start : UINT64_MAX;
    if (last && in_arena(memory, gva, new_bytes) && next >= end + more &&
        map_locked(memory, end, more, prot) >= 0)
        return (int64_t)gva;
    if (!may_move || prot == PROT_NONE || (prot & PROT_EXEC))
        return -ENOMEM;
    uint64_t place = find_free(memory, new_bytes);
    if (place == 0)
        return -ENOMEM;
    int64_t result = map_locked(memory, place, new_bytes, prot);
    if (result < 0)
        return result;
    move_pages_of(memory, gva, place, old_bytes);
    int unmapped = unmap_locked(memory, gva, old_bytes);
    return unmapped < 0 ? unmapped : result;
}

int memory_advise(struct memory *memory, uint64_t gva, uint64_t bytes, int advice) {
    LOCK(memory);
    bool mapped;
    int prots;
    if (gva % PAGE_BYTES || bytes > memory->arena_bytes)
        return -EINVAL;
    bytes = page_ceiling(bytes);
    if (bytes == 0)
        return 0;
    if (!in_arena(memory, gva, bytes))
        return -ENOMEM;
    survey(memory, gva, gva + bytes, &mapped, &prots);
    if (!mapped)
        return -ENOMEM;
    return madvise(memory_host(memory, gva, bytes), bytes, advice) < 0 ? -errno : 0;
}

void memory_set_heap(struct memory *memory, uint64_t start) {
    memory->heap_start = memory->heap_end = page_ceiling(start);
}

uint64_t memory_break(struct memory *memory, uint64_t end) {
    LOCK(memory);
    if (end < memory->heap_start || end > LOW_GVA + LOW_BYTES)
        return memory->heap_end;
    uint64_t before = page_ceiling(memory->heap_end), after = page_ceiling(end);
    int64_t result = 0;
    unsigned at = find_area(memory, before);
    if (at < memory->area_count && memory->areas[at].start < after)
        return memory->heap_end;
    if (after > before)
        result = map_locked(memory, before, after - before, PROT_READ | PROT_WRITE);
    else if (after < before)
        result = unmap_locked(memory, after, before - after);
    if (result >= 0)
        memory->heap_end = end;
    return memory->heap_end;
}

void *memory_pointer(struct memory *memory, uint64_t gva, uint64_t bytes, int prot) {
    LOCK(memory);
    if (!in_arena(memory, gva, bytes))
        return NULL;
    uint64_t at_gva = gva;
    for (unsigned at = find_area(memory, gva); at_gva < gva + bytes; at++) {
        if (at == memory->area_count || memory->areas[at].start > at_gva ||
            (memory->areas[at].prot & prot) != prot)
            return NULL;
        at_gva = memory->areas[at].end;
    }
    return memory_host(memory, gva, bytes);
}

int memory_back_by_file(struct memory *memory, uint64_t gva, uint64_t bytes, int fd, off_t offset) {
    void *host = memory_host(memory, gva, bytes);
    if (!host)
        return -EINVAL;
    void *got = mmap(host, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, offset);
    return got == MAP_FAILED ? -errno : 0;
}

void memory_populate(struct memory *memory, uint64_t gva, uint64_t bytes) {
    void *host = memory_host(memory, page_floor(gva), bytes);
    if (host && memory->populates)
        (void)madvise(host, page_ceiling(bytes), MADV_POPULATE_WRITE);
}
