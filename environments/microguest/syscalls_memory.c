// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory: private, anonymous, never executable. */
#include "environments/microguest/syscalls.h"

#include <sys/mman.h>
#include <sys/syscall.h>

/* Rights that a program can ask for after it was loaded. */
static int check_prot(uint64_t prot) {
    if (prot & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC))
        return -EINVAL;
    return prot & PROT_EXEC ? -EACCES : 0;
}

/* Of files only a ring. */
static int64_t map_file(struct call *call, int prot) {
    struct vmm *vmm = call->vmm;
    const uint64_t flags = MAP_SHARED | MAP_POPULATE;
    struct descriptor *descriptor = descriptors_hold(&vmm->descriptors, (int)call->arguments[4]);
    int64_t result = descriptor ? -ENODEV : -EBADF;
    if (descriptor && descriptor->kind == DESCRIPTOR_RING) {
        pthread_mutex_lock(&vmm->ring.lock);
        result = call->arguments[3] & ~flags
                     ? -EINVAL
                     : ring_map(vmm, call->arguments[5], call->arguments[1], prot);
        pthread_mutex_unlock(&vmm->ring.lock);
    }
    if (descriptor)
        descriptors_let_go(&vmm->descriptors, descriptor);
    return result;
}

static int64_t serve_mmap(struct call *call) {
    const uint64_t flags_known = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_FIXED_NOREPLACE |
                                 MAP_NORESERVE | MAP_STACK | MAP_POPULATE;
    uint64_t gva = call->arguments[0], bytes = call->arguments[1], prot = call->arguments[2];
    uint64_t flags = call->arguments[3];
    int result = check_prot(prot);
    if (result < 0)
        return result;
    if (!(flags & MAP_ANONYMOUS))
        return map_file(call, (int)prot);
    if ((flags & ~flags_known) || !(flags & MAP_PRIVATE))
        return -EINVAL;
    int64_t got = memory_map(&call->vmm->memory, gva, bytes, (int)prot,
                             flags & (MAP_FIXED | MAP_FIXED_NOREPLACE),
                             (flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE));
    if (got >= 0 && (flags & MAP_POPULATE) && (prot & PROT_WRITE))
        (void)memory_advise(&call->vmm->memory, (uint64_t)got, bytes, MADV_POPULATE_WRITE);
    return got;
}

static int64_t serve_munmap(struct call *call) {
    return memory_unmap(&call->vmm->memory, call->arguments[0], call->arguments[1]);
}

static int64_t serve_mprotect(struct call *call) {
    int result = check_prot(call->arguments[2]);
    return result < 0 ? result
                      : memory_protect(&call->vmm->memory, call->arguments[0], call->arguments[1],
                                       (int)call->arguments[2]);
}

static int64_t serve_mremap(struct call *call) {
    uint64_t flags = call->arguments[3];
    if (flags & ~(uint64_t)MREMAP_MAYMOVE)
        return -EINVAL;
    return memory_remap(&call->vmm->memory, call->arguments[0], call->arguments[1],
                        call->arguments[2], flags & MREMAP_MAYMOVE);
}

static int64_t serve_brk(struct call *call) {
    return (int64_t)memory_break(&call->vmm->memory, call->arguments[0]);
}

/* Huge pages and the like are the host's business: the advice goes there. */
static int64_t serve_madvise(struct call *call) {
    uint64_t advice = call->arguments[2];
    switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
        return 0;
    case MADV_DONTNEED:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        return memory_advise(&call->vmm->memory, call->arguments[0], call->arguments[1],
                             (int)advice);
    default:
        return -EINVAL;
    }
}

const struct call_entry memory_calls[] = {
    {SYS_mmap, "mmap", serve_mmap},
    {SYS_munmap, "munmap", serve_munmap},
    {SYS_mprotect, "mprotect", serve_mprotect},
    {SYS_mremap, "mremap", serve_mremap},
    {SYS_brk, "brk", serve_brk},
    {SYS_madvise, "madvise", serve_madvise},
    {0, NULL, NULL},
};
