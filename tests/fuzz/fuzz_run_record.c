// SPDX-License-Identifier: GPL-3.0-or-later
/* run.json, and (one in 64) the audit of whatever stands in it. */
#include "tests/fuzz/fuzz.h"

#include "results/audit.h"
#include "results/run_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_free char *text = fuzz_text(data, size);
    cleanup_error struct error *err = NULL;
    json_auto_t *record = NULL;
    int result = run_record_parse(text, size, "run.json", &record, &err);
    fuzz_check_result(result, err);
    err = error_free(err);
    if (!fuzz_at_length(data, size, 64))
        return 0;
    /* The audit trusts no member, so it must not mind those that the check refuses. */
    if (!record)
        record = json_loadb(text, size, 0, NULL);
    if (!json_is_object(record))
        return 0;
    struct audit *audit = NULL;
    fuzz_check(audit_examine(record, NULL, &audit, &err) == 0);
    json_auto_t *json = NULL;
    fuzz_check(audit_to_json(audit, &json, &err) == 0);
    audit_free(audit);
    return 0;
}
