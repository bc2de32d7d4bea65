// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A ZIP archive of one entry, by minizip and zlib, in a blob. The bytes depend on the content, its
 * name and the level only: the time stamp is fixed, no owner is stored. ZIP64 where the entry or
 * the archive needs it; any unzip can read it.
 */
#ifndef BOXMARK_BENCH_ARCHIVE_H
#define BOXMARK_BENCH_ARCHIVE_H

#include "bench/blob.h"

/* A stretch of a blob that becomes an entry. */
struct archive_source {
    struct blob *blob;
    uint64_t offset, size;
};

/* Told how many more bytes are done, from time to time; may be NULL. */
typedef void archive_progress(void *cookie, uint64_t more_bytes);

/* Compresses the source into `archive`, which must be empty. */
int archive_pack(struct blob *archive, const char *entry, const struct archive_source *source,
                 int level, archive_progress *progress, void *cookie, struct error **err);

/* Unpacks the one entry, compares it with the source and checks its CRC-32. A difference is
 * ERROR_UNTRUSTWORTHY. */
int archive_compare(struct blob *archive, const char *entry, const struct archive_source *source,
                    archive_progress *progress, void *cookie, struct error **err);

#endif
