// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The guest's image: an uncompressed kernel and an initramfs that holds the agent as /init and
 * just the modules it needs. Reproducible (same agent, kernel and drivers: same bytes) and
 * content-addressed in the user's cache folder.
 */
#ifndef BOXMARK_ENVIRONMENTS_VM_GUEST_IMAGE_H
#define BOXMARK_ENVIRONMENTS_VM_GUEST_IMAGE_H

#include "environments/vm/guest_kernel.h"
#include "environments/vm/guest_modules.h"

#include <stdint.h>

struct guest_image {
    char *kernel_path, *initramfs_path;
    char kernel_sha256[65], initramfs_sha256[65];
    uint64_t kernel_bytes, initramfs_bytes;
    char release[128]; /* of the kernel */
    unsigned hz;       /* its CONFIG_HZ; 0: unknown */
    char *origin;      /* of the kernel, for people */
    char *modules;     /* in loading order, "virtio.ko virtio_ring.ko"; "" for none */
};

/* A file that is put into the initramfs beside the agent and the modules. */
struct guest_extra {
    const char *name; /* in it, such as "bin/busybox"; its folder is made */
    unsigned mode;    /* permissions */
    const char *path; /* of the file to copy; NULL: `bytes` */
    const void *bytes;
    size_t size;
};

/* Builds or reuses. `extras` ends with a NULL name (NULL: none); `drivers` as guest_modules_find
 * takes them. */
int guest_image_build(const char *agent_path, const struct guest_kernel *kernel,
                      const struct guest_driver *drivers, const struct guest_extra *extras,
                      struct guest_image *ret_image, struct error **err);

/* The initramfs alone, for a kernel that is a file of its own: fills those members of the image. */
int guest_initramfs_build(const char *agent_path, const struct guest_modules *modules,
                          const struct guest_extra *extras, struct guest_image *ret_image,
                          struct error **err);

void guest_image_clear(struct guest_image *image);
static inline void guest_image_cleanup(struct guest_image *image) {
    guest_image_clear(image);
}
#define cleanup_guest_image CLEANUP(guest_image)

#endif
