// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What fuzz targets share. A target feeds one input to the code that reads such things and checks
 * what must hold whatever the input is; it writes no file and starts nothing, so that it can be
 * called millions of times.
 */
#ifndef BOXMARK_TESTS_FUZZ_H
#define BOXMARK_TESTS_FUZZ_H

#include "common/error.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
