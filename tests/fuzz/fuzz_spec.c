// SPDX-License-Identifier: GPL-3.0-or-later
/* NAME[:KEY=VALUE,...] of an environment, with the keys of all kinds. */
#include "tests/fuzz/fuzz.h"

#include "environments/environment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct environment_setup setup = {.version = "0.1.0", .cancel_fd = -1};
    /* Without a home there are no files of the user's to look into. */
    static bool homeless;
    if (!homeless)
        homeless = unsetenv("HOME") == 0 && unsetenv("XDG_CONFIG_HOME") == 0;
    cleanup_free char *text = fuzz_text(data, size);
    cleanup_error struct error *err = NULL;
    struct environment *environment = NULL;
    int result = environment_new(text, &setup, &environment, &err);
    fuzz_check_result(result, err);
    if (result < 0)
        return 0;
    char title[64];
    environment_title(environment, title, sizeof(title));
    fuzz_check(strcmp(environment->spec->name, environment->ops->name) == 0);
    for (const struct spec_key *key = environment->ops->keys; key && key->name; key++) {
        const char *value = environment_value(environment, key->name);
        const char *const *allowed = key->values;
        while (allowed && *allowed && strcmp(*allowed, value) != 0)
            allowed++;
        fuzz_check(!allowed || *allowed);
        (void)environment_is_on(environment, key->name);
    }
    environment_free(environment);
    return 0;
}
