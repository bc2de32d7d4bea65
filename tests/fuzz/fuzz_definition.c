// SPDX-License-Identifier: GPL-3.0-or-later
/* The file of an environment that the user describes, and a spec that takes its keys over. */
#include "tests/fuzz/fuzz.h"

#include "environments/definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_free char *text = fuzz_text(data, size);
    cleanup_error struct error *err = NULL;
    cleanup_definition struct definition *definition = NULL;
    int result = definition_parse(text, size, "guest1.ini", &definition, &err);
    fuzz_check_result(result, err);
    fuzz_check((result < 0) == !definition);
    if (result < 0)
        return 0;
    fuzz_check(definition->ops && definition->file->count > 0);
    struct spec *spec = NULL;
    fuzz_check(spec_parse("guest1:label=x", &spec, &err) == 0);
    result = definition_apply(definition, spec, &err);
    fuzz_check_result(result, err);
    for (unsigned i = 0; result == 0 && i < definition->file->count; i++) {
        const struct ini_entry *entry = &definition->file->entries[i];
        fuzz_check(environment_kind(entry->section) == definition->ops);
        fuzz_check(spec_given(spec, entry->key));
    }
    spec_free(spec);
    return 0;
}
