// SPDX-License-Identifier: GPL-3.0-or-later
/* What a virtual machine takes: files, memory in and beyond the guest, CPU time of all of QEMU. */
#include "common/file.h"
#include "environments/vm/vm.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* What the disk's image really takes in the host's file system. */
static uint64_t allocated_bytes(const char *folder) {
    static const char *const names[] = {"disk.raw", "disk.qcow2"};
    uint64_t bytes = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        cleanup_free char *path = text_format("%s/%s", folder, names[i]);
        struct stat status;
        if (path && stat(path, &status) == 0)
            bytes += (uint64_t)status.st_blocks * 512;
    }
    return bytes;
}

/*
 * Proportional set size of a process, and of its mappings that can only be the guest's memory:
 * those of at least half its size.
 */
static void measure_memory(pid_t pid, uint64_t memory_bytes, struct footprint *footprint) {
    char path[64];
    cleanup_free char *text = NULL;
    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    if (file_read(path, &text, NULL, NULL) < 0) {
        footprint->resident_bytes = footprint->guest_bytes = FOOTPRINT_UNKNOWN;
        return;
    }
    uint64_t start, end, size = 0, kibibytes;
    footprint->resident_bytes = 0;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2) {
            size = end - start;
        } else if (sscanf(line, "Pss: %" SCNu64 " kB", &kibibytes) == 1) {
            footprint->resident_bytes += kibibytes << 10;
            if (size >= memory_bytes / 2)
                footprint->guest_bytes += kibibytes << 10;
        }
    }
}

int vm_footprint(struct instance *instance, struct footprint *ret_footprint, struct error **err) {
    const struct vm_state *state = instance->environment->state;
    (void)err;
    const struct vm_instance *self = instance->state;
    *ret_footprint =
        (struct footprint){.image_bytes = state->image.kernel_bytes + state->image.initramfs_bytes +
                                          allocated_bytes(instance->data_path)};
    enclosure_footprint(&self->enclosure, instance->pid, ret_footprint);
    measure_memory(instance->pid, state->options.config.memory_bytes, ret_footprint);
    return 0;
}
