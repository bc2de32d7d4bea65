// SPDX-License-Identifier: GPL-3.0-or-later
/* A static ELF program into the guest: its segments, and the stack that Linux would give it. */
#ifndef BOXMARK_MICROGUEST_ELF_LOAD_H
#define BOXMARK_MICROGUEST_ELF_LOAD_H

#include "environments/microguest/vmm.h"

struct program {
    uint64_t entry, headers_gva; /* first instruction; program headers in memory, or 0 */
    unsigned headers, header_bytes;
    uint64_t stack_pointer;
};

/* Maps the program of this descriptor; refuses what is dynamic, foreign or malformed. */
int elf_load(struct vmm *vmm, int fd, struct program *ret_program, struct error **err);

/* Its stack with arguments, environment and auxiliary vector (System V ABI, AMD64, 3.4.1). */
int elf_make_stack(struct vmm *vmm, struct program *program, char *const *arguments,
                   const char *const *environment, struct error **err);

#endif
