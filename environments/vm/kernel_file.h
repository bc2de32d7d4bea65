// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a file that is said to be a Linux kernel holds. QEMU boots the uncompressed ELF kernel
 * through its PVH entry: faster than a bzImage, which first has to unpack itself in the guest.
 */
#ifndef BOXMARK_ENVIRONMENTS_VM_KERNEL_FILE_H
#define BOXMARK_ENVIRONMENTS_VM_KERNEL_FILE_H

#include "common/error.h"

#include <stddef.h>

struct kernel_file {
    void *elf; /* the uncompressed kernel */
    size_t size;
    char release[128]; /* "6.1.0-56-cloud-amd64" */
};

/*
 * Reads a kernel: an ELF vmlinux, or a bzImage whose payload (gzip, xz, zstd, lz4, lzma, bzip2) is
 * unpacked. ERROR_USAGE when the file is no kernel, is cut off, is for another architecture or
 * has no PVH entry.
 */
int kernel_file_read(const char *path, struct kernel_file *ret_kernel, struct error **err);

void kernel_file_clear(struct kernel_file *kernel);
static inline void kernel_file_cleanup(struct kernel_file *kernel) {
    kernel_file_clear(kernel);
}
#define cleanup_kernel_file CLEANUP(kernel_file)

/* Unpacks whole compressed data (any of libarchive's filters); `limit` bounds the result. */
int unpack_bytes(const void *data, size_t size, size_t limit, void **ret_bytes, size_t *ret_size,
                 struct error **err);

#endif
