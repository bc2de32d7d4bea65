// SPDX-License-Identifier: GPL-3.0-or-later
/* From what the user wrote (vm:machine=q35,...) to a machine; refuses what cannot be combined. */
#ifndef BOXMARK_ENVIRONMENTS_VM_VM_OPTIONS_H
#define BOXMARK_ENVIRONMENTS_VM_VM_OPTIONS_H

#include "environments/environment.h"
#include "environments/vm/kvm_probe.h"
#include "environments/vm/qemu_command.h"

enum vm_accel { VM_ACCEL_AUTO, VM_ACCEL_KVM, VM_ACCEL_TCG };

struct vm_options {
    struct vm_config config; /* its kvm is set by vm_options_choose_accelerator */
    enum vm_accel accel;
    bool pin;           /* each virtual CPU onto one CPU of the envelope */
    bool aio_given;     /* the user asked for this aio: it is not replaced by another */
    const char *kernel; /* as guest_kernel_find takes it; belongs to the environment */
};

extern const struct spec_key vm_keys[];

/* ERROR_USAGE for combinations that cannot be, ERROR_UNAVAILABLE for what this host lacks. */
int vm_options_read(const struct environment *environment, struct vm_options *ret_options,
                    struct error **err);

/*
 * KVM only where it was measured to be native, or where the user insists (accel=kvm) and it can be
 * opened at all; else TCG. Writes "KVM", "TCG" or "KVM emulated" into the label. With require_kvm
 * anything but native KVM is ERROR_UNAVAILABLE.
 */
int vm_options_choose_accelerator(struct vm_options *options, const struct kvm_probe_result *kvm,
                                  bool require_kvm, char label[16], struct error **err);

#endif
