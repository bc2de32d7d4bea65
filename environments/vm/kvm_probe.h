// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Does KVM run guest code at the processor's speed here? That the device opens proves nothing: a
 * back end may execute every guest instruction in an emulator. So a guest of a few bytes counts
 * in kernel mode (ring 0; user mode can be fast where kernel mode is not) and is timed against
 * the same loop on the host. Bounded in time whatever KVM does; needs no privilege but access to
 * the device.
 */
#ifndef BOXMARK_ENVIRONMENTS_VM_KVM_PROBE_H
#define BOXMARK_ENVIRONMENTS_VM_KVM_PROBE_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

enum kvm_state {
    KVM_NATIVE,        /* guest code runs at the host's speed, or near it */
    KVM_EMULATED,      /* it runs, instruction by instruction in software */
    KVM_UNUSABLE,      /* the device is there, but no guest runs to its end in time */
    KVM_NO_PERMISSION, /* the device is there, but not for this user */
    KVM_ABSENT,        /* there is no device */
};

struct kvm_probe_options {
    const char *device_path;   /* NULL: /dev/kvm */
    const char *module_folder; /* NULL: /sys/module */
    uint64_t timeout_ns;       /* 0: 900 ms */
};

struct kvm_probe_result {
    enum kvm_state state;
    char back_end[32];             /* "kvm_intel", "kvm_amd", "kvm_pvm" ...; "" where unknown */
    bool host_is_virtual;          /* this machine runs under a hypervisor itself */
    bool nested;                   /* the back end lets guests have guests of their own */
    double guest_loops_per_second; /* 0: not measured */
    double host_loops_per_second;
    uint64_t probe_ns; /* how long the answer took */
    char reason[192];  /* one line without a full stop */
    char advice[192];  /* "" where there is nothing to do */
};

/* NULL options: the defaults. Never fails: what cannot be found out is KVM_UNUSABLE with a reason.
 */
void kvm_probe(const struct kvm_probe_options *options, struct kvm_probe_result *ret_result);

/* "native", "emulated", "unusable", "no permission", "absent" */
const char *kvm_state_name(enum kvm_state state);

#endif
