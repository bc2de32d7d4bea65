// SPDX-License-Identifier: GPL-3.0-or-later
/* QEMU's command line, from what was decided about the machine. Text only: nothing is started. */
#ifndef BOXMARK_ENVIRONMENTS_VM_QEMU_COMMAND_H
#define BOXMARK_ENVIRONMENTS_VM_QEMU_COMMAND_H

#include "common/error.h"
#include "environments/vm/guest_modules.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum vm_machine { VM_MACHINE_MICROVM, VM_MACHINE_Q35 };
enum vm_disk_kind { VM_DISK_VIRTIO, VM_DISK_AHCI, VM_DISK_IDE, VM_DISK_NVME };
enum vm_cache { VM_CACHE_NONE, VM_CACHE_WRITEBACK, VM_CACHE_UNSAFE };
enum vm_aio { VM_AIO_IO_URING, VM_AIO_NATIVE, VM_AIO_THREADS };

/* A machine, every choice made. */
struct vm_config {
    enum vm_machine machine;
    enum vm_disk_kind disk;
    enum vm_cache cache;
    enum vm_aio aio;
    bool iothread, hugepages, qcow2;
    bool kvm;          /* accel=kvm, else tcg */
    bool cpu_baseline; /* a processor of least features instead of the host's */
    unsigned cpus;
    uint64_t memory_bytes;
    unsigned tsc_khz;        /* told to the guest's kernel; 0: it finds out by itself */
    unsigned guest_hz;       /* CONFIG_HZ of the guest's kernel; 0: unknown */
    bool shell;              /* a shell on the console instead of the agent */
    char box[192];           /* settings of a container around the agent; "": none */
    bool overlays, veth;     /* that container needs overlay file systems, network devices */
    char huge_page_mode[16]; /* the host's transparent_hugepage mode: always, madvise, never */
};

/* What differs from start to start. */
struct qemu_files {
    const char *qemu, *kernel, *initramfs, *disk;
    int agent_fd, console_fd, qmp_fd; /* ends of socket pairs that QEMU inherits */
};

struct qemu_command {
    unsigned count;
    char **arguments; /* NULL-terminated */
};

int qemu_command_build(const struct vm_config *config, const struct qemu_files *files,
                       struct qemu_command *ret_command, struct error **err);
void qemu_command_clear(struct qemu_command *command);
static inline void qemu_command_cleanup(struct qemu_command *command) {
    qemu_command_clear(command);
}
#define cleanup_qemu_command CLEANUP(qemu_command)

/* One option a line, quoted for a shell, each line but the last ended by a backslash. */
void qemu_command_print(const struct qemu_command *command, FILE *to);

/* The drivers that the guest kernel must have for this machine; ends with a NULL module. */
#define VM_DRIVERS_MAX 12
void vm_config_drivers(const struct vm_config *config,
                       struct guest_driver ret_drivers[VM_DRIVERS_MAX]);

/* Names of things inside QEMU, for QMP. */
#define QEMU_DISK_ID "data"
#define QEMU_CHANNEL_NAME "boxmark"

#endif
