// SPDX-License-Identifier: GPL-3.0-or-later
/* SHA256SUMS of a run folder, and public keys. */
#include "tests/fuzz/fuzz.h"

#include "results/manifest.h"
#include "results/signature.h"

static int never(enum manifest_difference difference, const char *path, void *cookie,
                 struct error **err) {
    (void)cookie;
    (void)err;
    fuzz_check(difference > MANIFEST_ADDITIONAL && path);
    return 0;
}

/* What can be read can be written and reads as the same. */
static void check_round_trip(const struct manifest *manifest) {
    cleanup_error struct error *err = NULL;
    cleanup_free char *text = NULL;
    cleanup_manifest struct manifest again = {0};
    fuzz_check(manifest_format(manifest, &text, &err) == 0);
    fuzz_check(manifest_parse(text, "again", &again, &err) == 0);
    fuzz_check(again.count == manifest->count);
    fuzz_check(manifest_compare(manifest, &again, never, NULL, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_free char *text = fuzz_text(data, size);
    cleanup_error struct error *err = NULL, *key_error = NULL;
    cleanup_manifest struct manifest manifest = {0};
    int result = manifest_parse(text, "SHA256SUMS", &manifest, &err);
    fuzz_check_result(result, err);
    for (size_t i = 0; i < manifest.count; i++) {
        fuzz_check(strlen(manifest.entries[i].sha256) == 64);
        fuzz_check(manifest.entries[i].path[0] != '/' && manifest.entries[i].path[0]);
    }
    if (result == 0)
        check_round_trip(&manifest);
    unsigned char key[SIGNATURE_PUBLIC_BYTES];
    result = signature_parse_public(text, "key.pub", key, &key_error);
    fuzz_check_result(result, key_error);
    return 0;
}
