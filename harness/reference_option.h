// SPDX-License-Identifier: GPL-3.0-or-later
/* --reference NAME of `report` and `plot`: published figures beside those of a run. */
#ifndef BOXMARK_HARNESS_REFERENCE_OPTION_H
#define BOXMARK_HARNESS_REFERENCE_OPTION_H

#include "plots/report.h"

enum { REFERENCES_MAX = 16 };

#define REFERENCE_OPTION_HELP                                                                      \
    "published figures beside the run's: a source of `boxmark list references', or a CSV file; "   \
    "may be repeated"

/* What was asked for, and what was found. */
struct reference_option {
    const char *names[REFERENCES_MAX];
    unsigned count;
    struct reference_data data;
    struct claims claims;
};

int reference_option_add(struct reference_option *option, const char *name, struct error **err);

/* Loads the sources and judges their claims; the report borrows them. Nothing asked: nothing done.
 */
int reference_option_apply(struct reference_option *option, struct report *report,
                           struct error **err);

void reference_option_clear(struct reference_option *option);
#define cleanup_reference_option __attribute__((cleanup(reference_option_clear)))

#endif
