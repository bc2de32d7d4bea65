// SPDX-License-Identifier: GPL-3.0-or-later
/* Measuring what is suspicious again: the same work, on the same machine, in a run of its own. */
#ifndef BOXMARK_HARNESS_RETRY_H
#define BOXMARK_HARNESS_RETRY_H

#include "results/gate.h"

#include <jansson.h>

/*
 * Measures the suspicious pairs of workload and environment, and the reference with them, into
 * `folder`. `record` is run.json of the run that is checked: its parameters, envelope and number of
 * blocks are used, and this must be its machine (ERROR_USAGE). CPUs that another run has are waited
 * for.
 */
int retry_measure(const struct gate_result *result, const json_t *record, const char *folder,
                  uint64_t wait_ns, bool quiet, struct error **err);

#endif
