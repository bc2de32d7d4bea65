// SPDX-License-Identifier: GPL-3.0-or-later
/* What a virtual machine takes: files, memory in and beyond the guest, CPU time of all of QEMU. */
#include "common/file.h"
#include "environments/vm/vm.h"

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

int vm_footprint(struct instance *instance, struct footprint *ret_footprint, struct error **err) {
    const struct vm_state *state = instance->environment->state;
    (void)err;
    const struct vm_instance *self = instance->state;
    *ret_footprint =
        (struct footprint){.image_bytes = state->image.kernel_bytes + state->image.initramfs_bytes +
                                          allocated_bytes(instance->data_path)};
    enclosure_footprint(&self->enclosure, instance->pid, ret_footprint);
    /* Nothing else in QEMU is as large as half the guest's memory. */
    ret_footprint->guest_bytes =
        process_mappings_bytes(instance->pid, state->options.config.memory_bytes / 2, NULL);
    return 0;
}
