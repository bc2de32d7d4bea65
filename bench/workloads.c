// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/workload.h"

const struct workload *const workloads[] = {
    &workload_null,
    &workload_calibrate,
    &workload_prime,
    NULL,
};
