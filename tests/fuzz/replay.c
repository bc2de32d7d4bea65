// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * In place of libFuzzer: gives a target every file of its corpus, once, as one TAP case.
 *
 *   fuzz_NAME [FILE...]     without any: all of SRCDIR/tests/fuzz/corpus/NAME
 */
#include "tests/fuzz/fuzz.h"

#include "common/file.h"

#include <dirent.h>
#include <errno.h>

/* Says which file before it is read: if the target dies of it, the log ends with its name. */
static int replay(const char *path) {
    cleanup_error struct error *err = NULL;
    cleanup_free char *text = NULL;
    size_t size;
    printf("# %s\n", path);
    fflush(stdout);
    if (file_read(path, &text, &size, &err) < 0) {
        printf("# %s\n", error_message(err));
        return -1;
    }
    /* Without the NUL that file_read adds, so that reading past the end is seen. */
    cleanup_free uint8_t *data = malloc(size ? size : 1);
    if (!data)
        return -1;
    memcpy(data, text, size);
    LLVMFuzzerTestOneInput(data, size);
    return 0;
}

static int is_case(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int replay_folder(const char *folder, unsigned *ret_count) {
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_case, alphasort);
    int result = count > 0 ? 0 : -1;
    for (int i = 0; i < count; i++) {
        cleanup_free char *path = text_format("%s/%s", folder, entries[i]->d_name);
        if (!path || replay(path) < 0)
            result = -1;
        free(entries[i]);
    }
    free(entries);
    *ret_count = count > 0 ? (unsigned)count : 0;
    return result;
}

int main(int argc, char **argv) {
    const char *name = strstr(program_invocation_short_name, "fuzz_");
    const char *source = getenv("SRCDIR");
    unsigned count = 0;
    int result = 0;
    puts("1..1");
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++, count++)
        if (replay(argv[i]) < 0)
            result = -1;
    if (argc == 1) {
        cleanup_free char *folder = text_format("%s/tests/fuzz/corpus/%s", source ? source : ".",
                                                name ? name + strlen("fuzz_") : "");
        result = folder ? replay_folder(folder, &count) : -1;
    }
    printf("%sok 1 - %u inputs\n", result < 0 ? "not " : "", count);
    return 0;
}
