// SPDX-License-Identifier: GPL-3.0-or-later
/* A report made up by hand, the same on every machine: for golden files and for looking at. */
#ifndef BOXMARK_TESTS_REPORT_FIXTURE_H
#define BOXMARK_TESTS_REPORT_FIXTURE_H

#include "plots/report.h"

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

/* Writes FOLDER/samples.csv with three samples around each block's value, and makes it the run. */
void fixture_store_samples(struct report *report, const char *folder);

/* The text with everything that some format treats as special. */
extern const char fixture_hostile_text[];

#endif
