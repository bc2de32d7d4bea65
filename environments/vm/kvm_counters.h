// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What KVM counts about a guest's virtual CPUs (exits by reason, halt polling, page faults), as
 * QEMU reads it from KVM's statistics descriptors (KVM_GET_STATS_FD, Linux 5.14; QEMU 7.1).
 */
#ifndef BOXMARK_ENVIRONMENTS_VM_KVM_COUNTERS_H
#define BOXMARK_ENVIRONMENTS_VM_KVM_COUNTERS_H

#include "environments/vm/qmp.h"

/*
 * Adds "exits", "halt_exits", "halt_wait_ns" ...: sums over all virtual CPUs since the start of the
 * guest; names are the kernel's. Adds nothing where kernel or QEMU do not offer them.
 */
int kvm_counters_read(struct qmp *qmp, uint64_t deadline_ns, json_t *counters, struct error **err);

#endif
