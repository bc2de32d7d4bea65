// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A run of bytes that lives in memory or in a file of the data folder, so that the zip workload is
 * written once for both. A file is nameless from the moment that it is open (unless it is to be
 * kept), so that nothing can be left behind, however the agent ends.
 */
#ifndef BOXMARK_BENCH_BLOB_H
#define BOXMARK_BENCH_BLOB_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
    const char *name;      /* for messages; borrowed */
    int fd;                /* -1: in memory */
    unsigned char *memory; /* NULL: in a file */
    uint64_t capacity;     /* of memory; grows when it is exceeded */
    uint64_t size;
    uint64_t position; /* of a stream on it (archive.c) */
    int errnum;        /* the first failure of a read or write, or 0 */
};

int blob_new_in_memory(const char *name, uint64_t capacity_bytes, struct blob **ret_blob,
                       struct error **err);
int blob_new_in_file(const char *folder, const char *name, bool keep, struct blob **ret_blob,
                     struct error **err);
struct blob *blob_free(struct blob *blob); /* NULL is fine; returns NULL */

/* Touches the memory from the calling thread, so that no page is missing later. */
void blob_prefault(struct blob *blob);

/* Empties it for another round; memory stays mapped. */
int blob_clear(struct blob *blob, struct error **err);

/* Bytes done, fewer than asked only at the end of the blob (read) or on failure (errnum). */
size_t blob_read_at(struct blob *blob, uint64_t offset, void *data, size_t size);
size_t blob_write_at(struct blob *blob, uint64_t offset, const void *data, size_t size);

/*
 * The bytes [offset, offset + size) without copying where they are in memory, else read into
 * `buffer`; NULL when they cannot be had (errnum; 0 when the blob is too short).
 */
const unsigned char *blob_view(struct blob *blob, uint64_t offset, size_t size, void *buffer);

/* Waits until a file's bytes are on the disk; nothing to do in memory. */
int blob_sync(struct blob *blob, struct error **err);

/* Asks the kernel to forget a synced file's bytes, so that the next read comes from the disk. */
void blob_forget_cached(struct blob *blob);

/* ERROR_INTERNAL from a blob's errnum: "cannot WHAT NAME: reason"; returns -1. */
int blob_error(const struct blob *blob, const char *what, struct error **err);

static inline void blob_cleanup(struct blob **blob) {
    blob_free(*blob);
}
#define cleanup_blob CLEANUP(blob)

#endif
