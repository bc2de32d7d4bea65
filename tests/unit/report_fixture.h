// SPDX-License-Identifier: GPL-3.0-or-later
/* A report made up by hand, the same on every machine: for golden files and for looking at. */
#ifndef BOXMARK_TESTS_REPORT_FIXTURE_H
#define BOXMARK_TESTS_REPORT_FIXTURE_H

#include "plots/compare.h"

struct fixture_options {
    unsigned environments; /* 1 to 9 */
    unsigned blocks;       /* 1: no intervals */
    bool hostile;          /* labels full of what formats treat as special */
    bool long_labels;
    bool holes; /* a workload that one environment lacks, an untrustworthy cell */
    bool alone; /* no reference environment */
};

/* malloc'ed; ends with the process or by fixture_free. */
struct report *fixture_report(const struct fixture_options *options);
struct report *fixture_free(struct report *report);

/*
 * Three such reports side by side, the second with another kernel, a virtual machine 5 % dearer and
 * a name of its own (hostile where that is asked for), the third with one environment less. `shape`
 * gives width, colour and so on.
 */
int fixture_compare(const struct fixture_options *options, const struct report_writer *writer,
                    const struct report_comparison *shape, FILE *to, struct error **err);

/* Writes FOLDER/samples.csv with three samples around each block's value, and makes it the run. */
void fixture_store_samples(struct report *report, const char *folder);

/* The text with everything that some format treats as special. */
extern const char fixture_hostile_text[];

#endif
