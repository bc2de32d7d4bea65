// SPDX-License-Identifier: GPL-3.0-or-later
/* What `boxmark guest` does, for the command line. */
#ifndef BOXMARK_ENVIRONMENTS_VM_GUEST_H
#define BOXMARK_ENVIRONMENTS_VM_GUEST_H

#include "environments/vm/guest_image.h"

#include <jansson.h>

struct guest_build_options {
    const char *agent_path;
    const char *kernel; /* lean, cloud, host, a file, or NULL: the default */
    bool lean;          /* build the lean kernel first, unless it has been */
    const char *source; /* for lean: an archive of the kernel's source; NULL: the distribution's */
    struct guest_progress progress;
};

/* Builds (or reuses) the image that the environment `vm` uses by default. */
int guest_build(const struct guest_build_options *options, struct guest_image *ret_image,
                struct error **err);

/*
 * What there is in the cache:
 *   {"folder", "bytes", "kernels": [{"name": "lean"|"cloud"|"host", "path", "origin",
 *    "default": bool, "release"? , "error"?}]}
 */
int guest_info(json_t **ret_info, struct error **err);

/* Removes everything about guests from the cache; *ret_bytes (may be NULL) is what was freed. */
int guest_clean(uint64_t *ret_bytes, struct error **err);

#endif
