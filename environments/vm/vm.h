// SPDX-License-Identifier: GPL-3.0-or-later
/* What the files of the virtual machine share. */
#ifndef BOXMARK_ENVIRONMENTS_VM_VM_H
#define BOXMARK_ENVIRONMENTS_VM_VM_H

#include "environments/enclosure.h"
#include "environments/environment.h"
#include "environments/process.h"
#include "environments/vm/console.h"
#include "environments/vm/guest_image.h"
#include "environments/vm/kvm_probe.h"
#include "environments/vm/qemu_command.h"
#include "environments/vm/qmp.h"
#include "environments/vm/vm_options.h"

/* environment->state, made by probe. */
struct vm_state {
    struct vm_options options;
    struct kvm_probe_result kvm;
    char *qemu;            /* path of the program; NULL where there is none */
    char qemu_version[32]; /* "7.2.22" */
    bool provisioned;
    struct cgroup_world *world;
    struct cgroup_limits limits; /* the guest's memory is limited by its size */
    struct guest_image image;
    struct unprivileged unprivileged; /* what QEMU is */
    const char *cold_files[4];
};

/* A virtual CPU's thread and where it was found to run after pinning. */
struct vm_vcpu {
    pid_t thread;
    char cpu_list[64];
};

/* instance->state */
struct vm_instance {
    struct enclosure enclosure;
    struct process process;
    struct qemu_command command;
    struct console *console;
    struct qmp *qmp;
    int stderr_fd; /* a memory file with QEMU's own words */
    unsigned vcpu_count;
    struct vm_vcpu *vcpus;
};

/* Starts QEMU and waits for the agent; on failure vm_instance_stop cleans up. */
int vm_instance_start(struct instance *instance, struct error **err);
int vm_instance_stop(struct instance *instance, struct error **err);

/* Starts QEMU with the user's terminal as the guest's console, until the guest ends. */
int vm_instance_shell(struct instance *instance, struct error **err);

int vm_footprint(struct instance *instance, struct footprint *ret_footprint, struct error **err);

/* Adds what the fairness audit wants to know. */
int vm_facts(struct instance *instance, json_t *facts, struct error **err);

#endif
