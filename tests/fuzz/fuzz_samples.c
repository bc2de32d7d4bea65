// SPDX-License-Identifier: GPL-3.0-or-later
/* samples.csv. */
#include "tests/fuzz/fuzz.h"

#include "results/store.h"

#include <math.h>

static int visit(const struct sample *sample, void *cookie, struct error **err) {
    (void)err;
    fuzz_check(*sample->environment && *sample->accelerator && *sample->workload);
    fuzz_check(*sample->metric && *sample->unit && *sample->better);
    fuzz_check(isfinite(sample->value));
    fuzz_check(isfinite(sample->agent_value) || isnan(sample->agent_value));
    ++*(uint64_t *)cookie;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_file FILE *file = fuzz_file(data, size);
    if (!file)
        return 0;
    cleanup_error struct error *err = NULL;
    uint64_t rows = 0;
    bool dropped = false;
    int result = store_read_stream(file, "samples.csv", visit, &rows, &dropped, &err);
    fuzz_check_result(result, err);
    return 0;
}
