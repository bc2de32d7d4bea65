// SPDX-License-Identifier: GPL-3.0-or-later
/* journal.jsonl, and (one in 64) the audit of a run with these entries. */
#include "tests/fuzz/fuzz.h"

#include "harness/journal.h"
#include "results/audit.h"

/* A run that asks every check for something. */
static const char record_text[] =
    "{\"agent\":{\"sha256\":\"00\"},\"environments\":[{\"label\":\"host\",\"accelerator\":\"none\"}"
    ",{\"label\":\"vm\",\"accelerator\":\"KVM\"}],\"machine\":{\"cpu_flags\":\"fpu sse2\","
    "\"virtual_machine\":true,\"product\":\"x\",\"governor\":\"performance\","
    "\"last_level_cache_bytes\":1048576,\"clock_source\":\"tsc\",\"transparent_huge_pages\":"
    "\"always\",\"mitigations\":\"a\",\"speculation_store_bypass\":\"b\",\"seccomp\":\"c\","
    "\"envelope\":{\"cpu_count\":2,\"cpus\":\"0-1\",\"nodes\":\"0\",\"memory_bytes\":1073741824}},"
    "\"workloads\":[{\"name\":\"stream\",\"parameters\":{\"elements\":1000}},{\"name\":\"disk\","
    "\"parameters\":{\"bytes\":4096,\"iterations\":2}}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static json_t *record;
    if (!record)
        fuzz_check((record = json_loads(record_text, 0, NULL)));
    cleanup_free char *text = fuzz_text(data, size);
    cleanup_error struct error *err = NULL;
    json_auto_t *entries = NULL;
    int result = journal_parse(text, "journal.jsonl", &entries, &err);
    fuzz_check_result(result, err);
    if (result < 0 || json_array_size(entries) == 0 || !fuzz_at_length(data, size, 64))
        return 0;
    struct audit *audit = NULL;
    fuzz_check(audit_examine(record, entries, &audit, &err) == 0);
    json_auto_t *json = NULL;
    fuzz_check(audit_to_json(audit, &json, &err) == 0);
    audit_free(audit);
    return 0;
}
