// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The file of the disk workload: nameless from the start, preallocated, opened past the page cache
 * where the file system allows it; what was not to be had is kept as text for the notes.
 */
#ifndef BOXMARK_BENCH_DISK_FILE_H
#define BOXMARK_BENCH_DISK_FILE_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct disk_file {
    int fd;
    bool direct;
    char direct_text[96];       /* "yes", or "no: why" */
    char preallocated_text[96]; /* likewise */
};

/* A full disk is an error with errnum ENOSPC, before anything is measured. */
int disk_file_open(const char *folder, uint64_t bytes, struct disk_file *ret_file,
                   struct error **err);

/* Makes the file durable and, where reads would come from the page cache, empties that of it. */
int disk_file_settle(struct disk_file *file, struct error **err);

void disk_file_cleanup(struct disk_file *file);

#endif
