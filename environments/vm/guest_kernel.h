// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where the guest's kernel comes from. Everything that is special to a distribution (package
 * names, package tools) is in guest_kernel.c.
 */
#ifndef BOXMARK_ENVIRONMENTS_VM_GUEST_KERNEL_H
#define BOXMARK_ENVIRONMENTS_VM_GUEST_KERNEL_H

#include "common/error.h"

#include <stdbool.h>

struct guest_kernel {
    char *path;           /* vmlinux or bzImage */
    char *modules_folder; /* .../lib/modules/RELEASE; NULL: a kernel without modules */
    char *config_path;    /* its configuration; NULL where unknown */
    char *origin;         /* for people: "cloud (linux-image-6.1.0-56-cloud-amd64)" */
};

/* Progress of long steps, and how to end them. */
struct guest_progress {
    void (*say)(void *cookie, const char *text); /* may be NULL */
    void *cookie;
    int cancel_fd; /* or -1 */
};

/*
 * `wanted`: "lean" (built by guest_lean_build), "cloud" (the distribution's kernel for virtual
 * machines, unpacked in the cache folder, never installed), "host" (the running kernel's file), a
 * file's path, or NULL: the first of lean, cloud and host that can be had. With `fetch`, the cloud
 * kernel is downloaded when it is not in the cache. Does not look into the kernel itself.
 */
int guest_kernel_find(const char *wanted, bool fetch, const struct guest_progress *progress,
                      struct guest_kernel *ret_kernel, struct error **err);

/*
 * The distribution's newest package of the kernel's source, and its version. Both malloc'ed.
 */
int guest_kernel_find_source(const struct guest_progress *progress, char **ret_package,
                             char **ret_version, struct error **err);

/* Downloads and unpacks that package into a folder; *ret_archive is the source's archive there. */
int guest_kernel_fetch_source(const char *package, const char *folder,
                              const struct guest_progress *progress, char **ret_archive,
                              struct error **err);

void guest_kernel_clear(struct guest_kernel *kernel);
static inline void guest_kernel_cleanup(struct guest_kernel *kernel) {
    guest_kernel_clear(kernel);
}
#define cleanup_guest_kernel CLEANUP(guest_kernel)

/* The folder of everything about guests in the user's cache, made. */
int guest_cache_folder(char **ret_path, struct error **err);

__attribute__((format(printf, 2, 3))) void guest_say(const struct guest_progress *progress,
                                                     const char *format, ...);

#endif
