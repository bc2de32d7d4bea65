// SPDX-License-Identifier: GPL-3.0-or-later
/* Published figures as CSV. */
#include "tests/fuzz/fuzz.h"

#include "results/reference_data.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_file FILE *file = fuzz_file(data, size);
    if (!file)
        return 0;
    cleanup_error struct error *err = NULL;
    cleanup_reference struct reference_data references = {0};
    int result = reference_add_stream(&references, file, "figures.csv", &err);
    fuzz_check_result(result, err);
    for (size_t i = 0; i < references.count; i++) {
        const struct reference_row *row = &references.rows[i];
        fuzz_check(*row->source && *row->workload && *row->metric && *row->unit);
        fuzz_check(*row->environment && row->variant && row->note && row->table);
        fuzz_check(isfinite(row->value) && row->value > 0);
        fuzz_check(isnan(row->sd) || (isfinite(row->sd) && row->sd >= 0));
    }
    return 0;
}
