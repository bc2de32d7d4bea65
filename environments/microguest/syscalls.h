// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The system calls that the program can make: one table, served on the host by the thread that
 * runs the virtual CPU. What is not in it does not exist (ENOSYS, counted). Everything that the
 * program points at is checked against its own rights and, where it is small, copied before use,
 * so that another thread of the program cannot change it in between.
 */
#ifndef BOXMARK_MICROGUEST_SYSCALLS_H
#define BOXMARK_MICROGUEST_SYSCALLS_H

#include "environments/microguest/vmm.h"

/* As Linux does. */
#define CALL_TRANSFER_MAX_BYTES UINT64_C(0x7ffff000)

struct call {
    struct vcpu *vcpu;
    struct vmm *vmm;
    uint64_t arguments[6];
};

struct call_entry {
    uint16_t number;
    const char *name;
    int64_t (*serve)(struct call *call); /* result or -errno */
};

/* Each file's own part of the table, ended by a NULL name. */
extern const struct call_entry memory_calls[];
extern const struct call_entry file_calls[];
extern const struct call_entry path_calls[];
extern const struct call_entry thread_calls[];
extern const struct call_entry process_calls[];
extern const struct call_entry time_calls[];
extern const struct call_entry ring_calls[];

/* Puts the table together and its names into the status page. Once. */
void syscalls_init(struct vmm *vmm);

/* Serves the call that this CPU has made, and prepares its return; says what kind of exit it was.
 */
enum status_exit syscalls_serve(struct vcpu *vcpu);

/* The program's memory. NULL or -EFAULT where it may not do that itself. */
void *call_pointer(struct call *call, uint64_t gva, uint64_t bytes, int prot);
int call_copy_in(struct call *call, void *to, uint64_t gva, uint64_t bytes);
int call_copy_out(struct call *call, uint64_t gva, const void *from, uint64_t bytes);
/* A NUL-terminated text: its length, -EFAULT, or -ENAMETOOLONG. */
int call_copy_text(struct call *call, char *to, uint64_t gva, size_t capacity);

/* The result of a host system call as the guest's. */
static inline int64_t call_result(int64_t result) {
    return result < 0 ? -errno : result;
}

#endif
