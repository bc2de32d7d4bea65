// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The guest's page tables: four levels (Intel SDM volume 3, section 4.5; AMD APM volume 2, section
 * 5.3), 4 KiB pages, and 2 MiB pages where a whole one has the same rights. No page is both
 * writable and executable.
 *
 * The host edits them while virtual CPUs run. A right that is *added* needs nothing more: a CPU
 * that faults on an old translation forgets it (SDM 4.10.4.1) and tries again. For a right that is
 * *taken away* memory.c makes KVM forget its translations of the pages behind.
 */
#ifndef BOXMARK_MICROGUEST_PAGING_H
#define BOXMARK_MICROGUEST_PAGING_H

#include "environments/microguest/layout.h"

#include <stdbool.h>
#include <stdint.h>

struct page_directory;

struct paging {
    uint8_t *control;                        /* the control memory, as the host sees it */
    uint64_t next, end;                      /* tables not yet used, in bytes of control memory */
    uint64_t control_bytes, arena_bytes;     /* the arena lies behind the control memory */
    struct page_directory *directories[512]; /* by GiB of address */
};

/* Bytes of control memory that serve an arena of this size: whole 2 MiB pages. */
uint64_t paging_control_bytes(uint64_t arena_bytes);

/* Tables for the control pages themselves; -ENOMEM. */
int paging_init(struct paging *paging, uint8_t *control, uint64_t control_bytes,
                uint64_t arena_bytes);

/* Gives [gva, gva + bytes) of the arena the rights PROT_READ, _WRITE, _EXEC or none. -ENOMEM. */
int paging_set(struct paging *paging, uint64_t gva, uint64_t bytes, int prot);

/* One control page that the program may read (and execute), never write. */
int paging_show_control(struct paging *paging, uint64_t gva, unsigned page, bool executable);

/* The entry that translates an address (a PTE or a 2 MiB PDE), 0 where there is none. */
uint64_t paging_entry(const struct paging *paging, uint64_t gva);

#define PTE_PRESENT (UINT64_C(1) << 0)
#define PTE_WRITABLE (UINT64_C(1) << 1)
#define PTE_USER (UINT64_C(1) << 2)
#define PTE_ACCESSED (UINT64_C(1) << 5)
#define PTE_DIRTY (UINT64_C(1) << 6)
#define PTE_LARGE (UINT64_C(1) << 7)
#define PTE_NO_EXECUTE (UINT64_C(1) << 63)

#endif
