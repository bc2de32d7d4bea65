// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * SHA256SUMS of a run folder: what every file was when the run ended, in the format of sha256sum
 * (`sha256sum -c SHA256SUMS` checks it, too). It covers all that is not derived: figures and
 * reports may be made anew at any time, and the folder's own signature is over this file.
 */
#ifndef BOXMARK_RESULTS_MANIFEST_H
#define BOXMARK_RESULTS_MANIFEST_H

#include "common/error.h"

#include <stddef.h>

#define MANIFEST_NAME "SHA256SUMS"
#define MANIFEST_SIGNATURE_NAME "SHA256SUMS.sig"

struct manifest_entry {
    char sha256[65];
    char *path; /* below the folder; never leads out of it */
};

struct manifest {
    size_t count;
    struct manifest_entry *entries; /* in order of path */
};

/* What differs between a folder and its manifest. */
enum manifest_difference { MANIFEST_CHANGED, MANIFEST_MISSING, MANIFEST_ADDITIONAL };

/* Hashes the folder's files as they are now. */
int manifest_make(const char *folder, struct manifest *ret_manifest, struct error **err);

/* As sha256sum writes it; malloc'ed. */
int manifest_format(const struct manifest *manifest, char **ret_text, struct error **err);

/* ERROR_USAGE names the line that is not of this format; `name` stands in messages. */
int manifest_parse(const char *text, const char *name, struct manifest *ret_manifest,
                   struct error **err);

/* Writes FOLDER/SHA256SUMS in one step and removes a signature, which was over another one. */
int manifest_write(const char *folder, struct error **err);

/* Removes both: the folder is about to change. */
int manifest_remove(const char *folder, struct error **err);

/* Calls `differs` for every difference, in order of path; a negative return of it stops. */
typedef int (*manifest_differs)(enum manifest_difference difference, const char *path, void *cookie,
                                struct error **err);
int manifest_compare(const struct manifest *was, const struct manifest *is,
                     manifest_differs differs, void *cookie, struct error **err);

void manifest_clear(struct manifest *manifest);
static inline void manifest_cleanup(struct manifest *manifest) {
    manifest_clear(manifest);
}
#define cleanup_manifest CLEANUP(manifest)

#endif
