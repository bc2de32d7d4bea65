// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

static void set_keeps_kind_and_errno(void **state) {
    (void)state;
    cleanup_error struct error *err = NULL;
    assert_int_equal(error_set(&err, ERROR_USAGE, ENOENT, "cannot open %s", "a%sb"), -1);
    assert_int_equal(err->kind, ERROR_USAGE);
    assert_int_equal(err->errnum, ENOENT);
    assert_string_equal(error_message(err), "cannot open a%sb: No such file or directory");
    assert_null(err->advice);
}

static void wrap_puts_context_before(void **state) {
    (void)state;
    cleanup_error struct error *err = NULL;
    error_set(&err, ERROR_TIMEOUT, 0, "no answer");
    assert_int_equal(error_wrap(&err, "block %d", 3), -1);
    assert_int_equal(error_wrap(&err, "run"), -1);
    assert_string_equal(error_message(err), "run: block 3: no answer");
    assert_int_equal(err->kind, ERROR_TIMEOUT);
}

static void want_of_memory_is_nobodys_fault(void **state) {
    (void)state;
    cleanup_error struct error *err = NULL;
    error_set(&err, ERROR_INTERNAL, 0, "cannot open it");
    assert_int_equal(error_blame_usage(&err), -1);
    assert_int_equal(err->kind, ERROR_USAGE);
    err = error_free(err);
    error_no_memory(&err);
    assert_int_equal(error_blame_usage(&err), -1);
    assert_int_equal(err->kind, ERROR_INTERNAL);
}

static void first_advice_stays(void **state) {
    (void)state;
    cleanup_error struct error *err = NULL;
    error_set(&err, ERROR_USAGE, 0, "bad");
    error_advise(&err, "do %s", "this");
    error_advise(&err, "do that");
    assert_string_equal(err->advice, "do this");
}

static void what_is_quoted_becomes_harmless(void **state) {
    (void)state;
    cleanup_error struct error *err = NULL;
    error_set(&err, ERROR_USAGE, 0, "bad \"%s\"", "a\nb\033[31m\xc3");
    error_wrap(&err, "line\t%d", 1);
    error_advise(&err, "not %.1s", "\xc3\xa4");
    assert_string_equal(error_message(err), "line 1: bad \"a b\xef\xbf\xbd[31m\xef\xbf\xbd\"");
    assert_string_equal(err->advice, "not \xef\xbf\xbd");
}

static void nobody_cares(void **state) {
    (void)state;
    struct error *none = NULL;
    assert_int_equal(error_set(NULL, ERROR_USAGE, 0, "x"), -1);
    assert_int_equal(error_wrap(NULL, "x"), -1);
    assert_int_equal(error_wrap(&none, "x"), -1);
    assert_int_equal(error_advise(&none, "x"), -1);
    assert_int_equal(error_no_memory(NULL), -1);
    assert_null(none);
    assert_null(error_free(NULL));
    assert_string_equal(error_message(NULL), "unknown error");
}

static void no_memory_is_never_changed(void **state) {
    (void)state;
    struct error *err = NULL;
    assert_int_equal(error_no_memory(&err), -1);
    error_wrap(&err, "context");
    error_advise(&err, "advice");
    assert_string_equal(error_message(err), "out of memory");
    assert_null(err->advice);
    assert_int_equal(err->errnum, ENOMEM);
    assert_null(error_free(err));
}

static void move_never_replaces(void **state) {
    (void)state;
    struct error *first = NULL, *second = NULL;
    cleanup_error struct error *kept = NULL;
    error_set(&first, ERROR_USAGE, 0, "first");
    error_set(&second, ERROR_INTERNAL, 0, "second");
    assert_int_equal(error_move(&kept, first), -1);
    assert_int_equal(error_move(&kept, second), -1);
    assert_string_equal(error_message(kept), "first");
    struct error *third = NULL;
    error_set(&third, ERROR_USAGE, 0, "third");
    assert_int_equal(error_move(NULL, third), -1);
}

static void kinds_give_the_documented_exit_codes(void **state) {
    (void)state;
    static const struct {
        enum error_kind kind;
        int code;
    } cases[] = {
        {ERROR_INTERNAL, 70},    {ERROR_USAGE, 2},         {ERROR_UNAVAILABLE, 3},
        {ERROR_INCONCLUSIVE, 4}, {ERROR_UNTRUSTWORTHY, 5}, {ERROR_TIMEOUT, 70},
        {ERROR_CLOSED, 70},      {ERROR_INTERRUPTED, 130},
    };
    assert_int_equal(error_exit_code(NULL), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error error = {.kind = cases[i].kind};
        assert_int_equal(error_exit_code(&error), cases[i].code);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_keeps_kind_and_errno),
        cmocka_unit_test(wrap_puts_context_before),
        cmocka_unit_test(want_of_memory_is_nobodys_fault),
        cmocka_unit_test(first_advice_stays),
        cmocka_unit_test(what_is_quoted_becomes_harmless),
        cmocka_unit_test(nobody_cares),
        cmocka_unit_test(no_memory_is_never_changed),
        cmocka_unit_test(move_never_replaces),
        cmocka_unit_test(kinds_give_the_documented_exit_codes),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
