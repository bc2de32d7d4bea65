// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * samples.csv: appended row by row, made durable after every instance, read back as a stream.
 * Writing and reading CSV itself is libcsv's.
 */
#ifndef BOXMARK_RESULTS_STORE_H
#define BOXMARK_RESULTS_STORE_H

#include "common/error.h"
#include "results/sample.h"

struct store;

/*
 * Opens for appending; a new or empty file gets the header. A last row without its newline (the
 * program was killed while writing) is cut off; *ret_dropped (may be NULL) says so. A file with
 * another header is refused.
 */
int store_open(const char *path, struct store **ret_store, bool *ret_dropped, struct error **err);
int store_append(struct store *store, const struct sample *sample, struct error **err);
/* Flushes and fsyncs: what was appended survives a crash. */
int store_sync(struct store *store, struct error **err);
/* Size of the file after the last store_sync. */
uint64_t store_size_bytes(const struct store *store);
struct store *store_close(struct store *store); /* NULL is fine; returns NULL */
static inline void store_cleanup(struct store **store) {
    store_close(*store);
}
#define cleanup_store CLEANUP(store)

/*
 * Calls `visit` for every row in order; strings of the sample are valid during the call only. A
 * negative return of visit stops. Bad rows are errors that name file, line, column and value; a
 * half-written last row is passed over and reported through *ret_dropped (may be NULL).
 */
typedef int (*store_visit)(const struct sample *sample, void *cookie, struct error **err);
int store_read(const char *path, store_visit visit, void *cookie, bool *ret_dropped,
               struct error **err);
/* The same from an open file; `name` stands in messages. */
int store_read_stream(FILE *file, const char *name, store_visit visit, void *cookie,
                      bool *ret_dropped, struct error **err);

#endif
