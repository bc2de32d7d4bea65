// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The architecture's part of the KVM probe: a guest that counts down in kernel mode and stops,
 * and the same loop on the host.
 */
#ifndef BOXMARK_ENVIRONMENTS_VM_KVM_LOOP_H
#define BOXMARK_ENVIRONMENTS_VM_KVM_LOOP_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

/* Guest memory that the loop needs, in bytes, from guest address 0. */
extern const uint64_t kvm_loop_memory_bytes;

/* False where no guest has been written for this architecture: the others then do nothing. */
extern const bool kvm_loop_known;

/* Writes code and tables into the guest's memory. */
void kvm_loop_write(void *memory);

/* Sets the virtual CPU to the start of a loop of `count` steps; -1 with errno. */
int kvm_loop_enter(int vm_fd, int vcpu_fd, uint32_t count);

/* True when the exit says that the loop has come to its end. */
bool kvm_loop_done(const struct kvm_run *run);

/* The same loop here. */
void kvm_loop_on_host(uint32_t count);

#endif
