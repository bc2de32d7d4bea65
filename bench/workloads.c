// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/workload.h"

// clang-format off
const struct workload *const workloads[] = {
    &workload_null,
    &workload_calibrate,
    &workload_calls,
    &workload_prime,
    &workload_zip,
    &workload_stream,
    &workload_disk,
    NULL,
};
// clang-format on
