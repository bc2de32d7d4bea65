// SPDX-License-Identifier: GPL-3.0-or-later
/* What every unit test includes first: cmocka with what it needs, and a few helpers. */
#ifndef BOXMARK_TESTS_UNIT_H
#define BOXMARK_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/error.h"

#include <string.h>

/* Ends the case as skipped and says why in the log. */
#define skip_because(...)                                                                          \
    do {                                                                                           \
        print_message("# skipped: " __VA_ARGS__);                                                  \
        print_message("\n");                                                                       \
        skip();                                                                                    \
    } while (0)

#define assert_no_error(err)                                                                       \
    do {                                                                                           \
        if (err)                                                                                   \
            fail_msg("unexpected error: %s", error_message(err));                                  \
    } while (0)

/* The error is there, of this kind, its message holds the text; it is freed and reset. */
#define assert_error(err, expected_kind, text)                                                     \
    do {                                                                                           \
        const char *expected_text_ = (text);                                                       \
        assert_non_null(err);                                                                      \
        assert_int_equal((err)->kind, (expected_kind));                                            \
        if (!strstr(error_message(err), expected_text_))                                           \
            fail_msg("\"%s\" does not hold \"%s\"", error_message(err), expected_text_);           \
        (err) = error_free(err);                                                                   \
    } while (0)

#endif
