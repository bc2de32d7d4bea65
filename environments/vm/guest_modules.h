// SPDX-License-Identifier: GPL-3.0-or-later
/* The modules of a kernel that a guest needs, in the order in which they can be loaded. */
#ifndef BOXMARK_ENVIRONMENTS_VM_GUEST_MODULES_H
#define BOXMARK_ENVIRONMENTS_VM_GUEST_MODULES_H

#include "common/error.h"

#include <stdbool.h>

/* A driver, by its module's name and its option in the kernel's configuration. */
struct guest_driver {
    const char *module, *config;
    bool optional; /* used where the kernel has it as a module */
};

struct guest_modules {
    unsigned count;
    char **paths; /* files, possibly compressed */
};

/*
 * Finds the drivers (ended by a NULL module) and what they depend on. A driver that is neither a
 * module nor built in is ERROR_UNAVAILABLE. `modules_folder` (/lib/modules/RELEASE) may be NULL for
 * a kernel without modules; then `config_path` (may be NULL too) tells what is built in.
 */
int guest_modules_find(const char *modules_folder, const char *config_path,
                       const struct guest_driver *drivers, struct guest_modules *ret_modules,
                       struct error **err);

void guest_modules_clear(struct guest_modules *modules);
static inline void guest_modules_cleanup(struct guest_modules *modules) {
    guest_modules_clear(modules);
}
#define cleanup_guest_modules CLEANUP(guest_modules)

/* "virtio_blk.ko" of "/.../virtio_blk.ko.xz"; malloc'ed. */
char *guest_module_file_name(const char *path);

#endif
