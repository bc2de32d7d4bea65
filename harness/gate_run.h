// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Runs as the gate reads them: from their folders into a baseline's form, with those that measured
 * suspicious metrics again (RUN.retry-1, RUN.retry-2, ...), which always count.
 */
#ifndef BOXMARK_HARNESS_GATE_RUN_H
#define BOXMARK_HARNESS_GATE_RUN_H

#include "results/baseline.h"

/*
 * Reads a run and adds it; *ret_record (may be NULL) receives its run.json. ERROR_USAGE for one
 * that is not finished, was changed since, or is not comparable with what is there.
 */
int gate_run_add(struct baseline *baseline, const char *folder, bool full, bool as_blocks,
                 json_t **ret_record, struct error **err);

/* "RUN.retry-N", N from 1. NULL: out of memory. */
char *gate_retry_folder(const char *folder, unsigned number);

/* Adds every RUN.retry-N that is there as further blocks of the run; says how many. */
int gate_retries_add(struct baseline *baseline, const char *folder, unsigned *ret_count,
                     struct error **err);

#endif
