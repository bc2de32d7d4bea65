// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The guest's memory: what the program has mapped, with which rights, and the host's memory behind.
 *
 * The arena is one private anonymous mapping of the host, reserved and not backed until touched, so
 * that the host's policy (huge pages, control groups) is in force for it just as for a process. It
 * becomes the guest's in slots, as far as the program has come: KVM keeps books for every page of
 * a slot, and making those for all of it would be most of the start-up time.
 *
 * All functions may be called from any thread. Results are 0 (or an address) or -errno.
 */
#ifndef BOXMARK_MICROGUEST_MEMORY_H
#define BOXMARK_MICROGUEST_MEMORY_H

#include "environments/microguest/paging.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

/* The program's view: [start, end) with these rights. Sorted, never overlapping. */
struct area {
    uint64_t start, end;
    int prot;
};

struct memory {
    pthread_mutex_t lock;
    int vm_fd;
    uint8_t *control, *arena; /* one mapping */
    uint64_t control_bytes, arena_bytes;
    bool populates;    /* first touches are dear here (memory_populate) */
    uint64_t slot_end; /* place in control memory and arena up to which there are slots */
    unsigned slots;
    uint64_t used_bytes, limit_bytes; /* accessible pages */
    uint64_t heap_start, heap_end;    /* brk */
    struct area *areas;
    unsigned area_count;
    struct paging paging;
};

/* A guest with at most limit_bytes of accessible memory; vm_fd is borrowed. */
int memory_create(struct memory *memory, int vm_fd, uint64_t limit_bytes);

/* mmap, private and anonymous. `fixed`: exactly at gva; otherwise gva is not looked at. */
int64_t memory_map(struct memory *memory, uint64_t gva, uint64_t bytes, int prot, bool fixed,
                   bool replace);
int memory_unmap(struct memory *memory, uint64_t gva, uint64_t bytes);
int memory_protect(struct memory *memory, uint64_t gva, uint64_t bytes, int prot);
int64_t memory_remap(struct memory *memory, uint64_t gva, uint64_t old_bytes, uint64_t new_bytes,
                     bool may_move);
int memory_advise(struct memory *memory, uint64_t gva, uint64_t bytes, int advice);

/* brk: the new end of the heap, or the old one where that cannot be. */
uint64_t memory_break(struct memory *memory, uint64_t end);
void memory_set_heap(struct memory *memory, uint64_t start);

/* The program's bytes for the host, if the program itself may do this with all of them (PROT_READ,
 * PROT_WRITE, PROT_EXEC); NULL if not. They stay mapped for the host for ever. */
void *memory_pointer(struct memory *memory, uint64_t gva, uint64_t bytes, int prot);

/* The same without regard to rights; the range must lie in the arena. For loading. */
void *memory_host(struct memory *memory, uint64_t gva, uint64_t bytes);

/* Puts memory behind now what will be touched at once; where that fails, touching does it. */
void memory_populate(struct memory *memory, uint64_t gva, uint64_t bytes);

/* Replaces host memory behind an image's pages by a private mapping of a file. */
int memory_back_by_file(struct memory *memory, uint64_t gva, uint64_t bytes, int fd, off_t offset);

#endif
