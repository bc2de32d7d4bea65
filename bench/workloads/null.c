// SPDX-License-Identifier: GPL-3.0-or-later
/* Nothing at all: what a request costs by itself. */
#include "bench/workload.h"

static int run_null(struct workload_run *run, struct error **err) {
    (void)err;
    run_digest(run, "null");
    return 0;
}

const struct workload workload_null = {"null", run_null};
