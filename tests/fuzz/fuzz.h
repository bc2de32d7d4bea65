// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What fuzz targets share. A target feeds one input to the code that reads such things and checks
 * what must hold whatever the input is; it writes no file and starts nothing, so that it can be
 * called millions of times.
 */
#ifndef BOXMARK_TESTS_FUZZ_H
#define BOXMARK_TESTS_FUZZ_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * libFuzzer calls this first; the replay of `make check` does not, so that it examines every input.
 */
int LLVMFuzzerInitialize(int *argc, char ***argv);
static bool fuzz_in_parts;
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    fuzz_in_parts = true;
    return 0;
}

/*
 * Is this one of the inputs, one in `share`, that are examined at length? Decided by what is in it:
 * what is found is found again.
 */
static inline bool fuzz_at_length(const uint8_t *data, size_t size, unsigned share) {
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
    for (size_t i = 0; fuzz_in_parts && i < size; i++)
        hash = (uint32_t)((hash ^ data[i]) * UINT64_C(16777619));
    return !fuzz_in_parts || (hash ^ hash >> 16) % share == 0;
}

/* Something that must hold does not: the sanitizers show where. */
#define fuzz_check(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            __builtin_trap();                                                                      \
    } while (0)

/* A failure has a reason, a success has none. */
static inline void fuzz_check_result(int result, const struct error *err) {
    fuzz_check((result < 0) == (err != NULL));
    fuzz_check(!err || (err->message && *err->message && !strchr(err->message, '\n')));
}

/* The input as a text: exactly as long, so that reading past its end is seen. Caller frees. */
static inline char *fuzz_text(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    fuzz_check(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* The input as an open file; NULL for none (fmemopen takes no empty buffer). Caller closes. */
static inline FILE *fuzz_file(const uint8_t *data, size_t size) {
    return size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
}

#endif
