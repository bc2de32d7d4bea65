// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/microguest/paging.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ENTRIES 512
#define ADDRESS_BITS UINT64_C(0x000ffffffffff000)

/* One GiB of addresses: 512 entries, each a 2 MiB page or a table of 4 KiB pages. */
struct page_directory {
    uint64_t *entries;
    /* The table that an entry has or had. It never serves another one: a CPU may still know it. */
    uint64_t tables[ENTRIES];
};

static unsigned level_index(uint64_t gva, unsigned level) {
    return (gva >> (12 + 9 * level)) & (ENTRIES - 1);
}

/* CPUs walk the tables meanwhile: an entry changes in one step. */
static void store_entry(uint64_t *entry, uint64_t value) {
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static uint64_t *table_at(const struct paging *paging, uint64_t gpa) {
    return (uint64_t *)(void *)(paging->control + (gpa & ADDRESS_BITS));
}

static uint64_t new_table(struct paging *paging) {
    if (paging->next + PAGE_BYTES > paging->end)
        return 0;
    uint64_t gpa = paging->next;
    paging->next += PAGE_BYTES;
    return gpa;
}

/* Rights of the levels above do not limit: the last entry decides. */
#define TABLE_BITS (PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED)

static struct page_directory *directory_of(struct paging *paging, uint64_t gva) {
    unsigned index = level_index(gva, 2);
    struct page_directory *directory = paging->directories[index];
    if (directory)
        return directory;
    uint64_t gpa = new_table(paging);
    directory = gpa ? calloc(1, sizeof(*directory)) : NULL;
    if (!directory)
        return NULL;
    directory->entries = table_at(paging, gpa);
    paging->directories[index] = directory;
    uint64_t third = *table_at(paging, CONTROL_TOP * PAGE_BYTES);
    store_entry(&table_at(paging, third)[index], gpa | TABLE_BITS);
    return directory;
}

/* The table of 4 KiB pages under an entry; a 2 MiB page is split into the same rights. */
static uint64_t *table_of(struct paging *paging, struct page_directory *directory, uint64_t gva) {
    unsigned index = level_index(gva, 1);
    uint64_t entry = directory->entries[index];
    if ((entry & PTE_PRESENT) && !(entry & PTE_LARGE))
        return table_at(paging, directory->tables[index]);
    if (!directory->tables[index])
        directory->tables[index] = new_table(paging);
    if (!directory->tables[index])
        return NULL;
    uint64_t *table = table_at(paging, directory->tables[index]);
    for (unsigned i = 0; i < ENTRIES; i++)
        store_entry(&table[i], entry & PTE_PRESENT ? (entry & ~PTE_LARGE) + i * PAGE_BYTES : 0);
    store_entry(&directory->entries[index], directory->tables[index] | TABLE_BITS);
    return table;
}

/* Accessed and dirty are set beforehand: nobody reads them, and setting them costs the CPU time. */
static uint64_t entry_bits(int prot) {
    if (prot == PROT_NONE)
        return 0;
    return PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY |
           (prot & PROT_WRITE ? PTE_WRITABLE : 0) | (prot & PROT_EXEC ? 0 : PTE_NO_EXECUTE);
}

static uint64_t gva_gpa(const struct paging *paging, uint64_t gva) {
    uint64_t offset = 0;
    (void)arena_offset(gva, paging->arena_bytes, &offset);
    return place_gpa(paging->control_bytes + offset);
}

static int set_small(struct paging *paging, struct page_directory *directory, uint64_t gva,
                     uint64_t end, uint64_t bits) {
    uint64_t *table = table_of(paging, directory, gva);
    if (!table)
        return -ENOMEM;
    for (; gva < end; gva += PAGE_BYTES)
        store_entry(&table[level_index(gva, 0)], bits ? gva_gpa(paging, gva) | bits : 0);
    return 0;
}

int paging_set(struct paging *paging, uint64_t gva, uint64_t bytes, int prot) {
    uint64_t bits = entry_bits(prot), end = gva + bytes;
    while (gva < end) {
        uint64_t next = (gva / LARGE_PAGE_BYTES + 1) * LARGE_PAGE_BYTES;
        if (next > end)
            next = end;
        struct page_directory *directory = directory_of(paging, gva);
        if (!directory)
            return -ENOMEM;
        uint64_t *entry = &directory->entries[level_index(gva, 1)];
        bool whole = next - gva == LARGE_PAGE_BYTES;
        bool table = (*entry & PTE_PRESENT) && !(*entry & PTE_LARGE);
        if (!bits && (whole || !(*entry & PTE_PRESENT))) {
            store_entry(entry, 0);
        } else if (whole && !table && gva_gpa(paging, gva) % LARGE_PAGE_BYTES == 0) {
            store_entry(entry, gva_gpa(paging, gva) | bits | PTE_LARGE);
        } else if (set_small(paging, directory, gva, next, bits) < 0) {
            return -ENOMEM;
        }
        gva = next;
    }
    return 0;
}

static int map_control(struct paging *paging, uint64_t gva, unsigned page, uint64_t bits) {
    struct page_directory *directory = directory_of(paging, gva);
    uint64_t *table = directory ? table_of(paging, directory, gva) : NULL;
    if (!table)
        return -ENOMEM;
    store_entry(&table[level_index(gva, 0)],
                page * PAGE_BYTES | PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | bits);
    return 0;
}

int paging_show_control(struct paging *paging, uint64_t gva, unsigned page, bool executable) {
    return map_control(paging, gva, page, PTE_USER | (executable ? 0 : PTE_NO_EXECUTE));
}

uint64_t paging_control_bytes(uint64_t arena_bytes) {
    /* A table for every 2 MiB, a directory for every GiB, and those of the control pages. */
    uint64_t tables = arena_bytes / LARGE_PAGE_BYTES + arena_bytes / GIB_BYTES + 16;
    uint64_t bytes = CONTROL_TABLES * PAGE_BYTES + tables * PAGE_BYTES;
    return (bytes + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
}

int paging_init(struct paging *paging, uint8_t *control, uint64_t control_bytes,
                uint64_t arena_bytes) {
    *paging = (struct paging){.control = control,
                              .next = CONTROL_TABLES * PAGE_BYTES,
                              .end = control_bytes,
                              .control_bytes = control_bytes,
                              .arena_bytes = arena_bytes};
    uint64_t third = new_table(paging);
    if (!third)
        return -ENOMEM;
    *table_at(paging, CONTROL_TOP * PAGE_BYTES) = third | TABLE_BITS;
    *table_at(paging, CONTROL_TOP_OTHER * PAGE_BYTES) = third | TABLE_BITS;
    /* Without PTE_USER: these pages exist for the processor, not for the program. */
    if (map_control(paging, control_gva(CONTROL_STUBS), CONTROL_STUBS, 0) < 0 ||
        map_control(paging, control_gva(CONTROL_IDT), CONTROL_IDT, PTE_NO_EXECUTE) < 0)
        return -ENOMEM;
    for (unsigned page = CONTROL_VCPUS; page < CONTROL_VCPUS + VCPUS_MAX; page++)
        if (map_control(paging, control_gva(page), page, PTE_WRITABLE | PTE_NO_EXECUTE) < 0)
            return -ENOMEM;
    return 0;
}

uint64_t paging_entry(const struct paging *paging, uint64_t gva) {
    const struct page_directory *directory =
        gva < ENTRIES * GIB_BYTES ? paging->directories[level_index(gva, 2)] : NULL;
    if (!directory)
        return 0;
    uint64_t entry = directory->entries[level_index(gva, 1)];
    if (!(entry & PTE_PRESENT) || (entry & PTE_LARGE))
        return entry;
    return table_at(paging, directory->tables[level_index(gva, 1)])[level_index(gva, 0)];
}
