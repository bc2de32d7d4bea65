// SPDX-License-Identifier: GPL-3.0-or-later
/* Is a run folder what it was when the run ended, and do its figures follow from its samples? */
#ifndef BOXMARK_HARNESS_VERIFICATION_H
#define BOXMARK_HARNESS_VERIFICATION_H

#include "common/error.h"

#include <stddef.h>

struct verification {
    size_t file_count;   /* in the manifest */
    size_t figure_count; /* numbers of summary.json that were computed again */
    char **problems;     /* what does not hold, one line each */
    size_t problem_count;
    char *manifest; /* text of SHA256SUMS; NULL: there is none */
};

/*
 * Checks everything but the signature. What is wrong with the run is a problem, not an error;
 * ERROR_USAGE is for a folder that is no run at all.
 */
int verification_make(const char *folder, struct verification *ret_verification,
                      struct error **err);

int verification_add(struct verification *verification, struct error **err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void verification_clear(struct verification *verification);
static inline void verification_cleanup(struct verification *verification) {
    verification_clear(verification);
}
#define cleanup_verification CLEANUP(verification)

#endif
