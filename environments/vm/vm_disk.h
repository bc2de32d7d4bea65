// SPDX-License-Identifier: GPL-3.0-or-later
/* The guest's data disk: an image file beside the other environments' data, with a fresh ext4. */
#ifndef BOXMARK_ENVIRONMENTS_VM_VM_DISK_H
#define BOXMARK_ENVIRONMENTS_VM_VM_DISK_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* The size of a disk whose file system has room for so many bytes of files. */
uint64_t vm_disk_bytes(uint64_t data_bytes);

/*
 * Can such a disk be made in the folder, with O_DIRECT when `direct`? Programs, room, the file
 * system's ability. Leaves nothing behind.
 */
int vm_disk_check(const char *folder, uint64_t disk_bytes, bool direct, bool qcow2,
                  struct error **err);

/*
 * Makes the file, fully allocated (raw) or growing (qcow2), with an ext4 file system whose tables
 * are all written now, so that no background thread of the guest writes them while something is
 * measured.
 */
int vm_disk_make(const char *path, uint64_t disk_bytes, bool qcow2, int cancel_fd,
                 struct error **err);

#endif
