// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "environments/spec.h"

static const char *const switches[] = {"on", "off", NULL};
static const struct spec_key keys[] = {
    {"seccomp", switches, "filter system calls"}, {"append", NULL, "any text"}, {NULL, NULL, NULL}};

static void a_name_alone_has_defaults(void **state) {
    (void)state;
    cleanup_spec struct spec *spec = NULL;
    assert_int_equal(spec_parse("container", &spec, NULL), 0);
    assert_int_equal(spec_check(spec, keys, NULL), 0);
    assert_string_equal(spec->name, "container");
    assert_string_equal(spec->text, "container");
    assert_int_equal(spec->count, 0);
    assert_string_equal(spec_value(spec, keys, "seccomp"), "on");
    assert_true(spec_is_on(spec, keys, "seccomp"));
    assert_null(spec_value(spec, keys, "append"));
    assert_null(spec_value(spec, keys, "unheard-of"));
    assert_false(spec_is_on(spec, NULL, "seccomp"));
}

static void given_values_win(void **state) {
    (void)state;
    cleanup_spec struct spec *spec = NULL;
    struct error *err = NULL;
    spec_parse("container:seccomp=off,append=\"a,b=\\\"c\\\" \\\\ d\"", &spec, &err);
    assert_no_error(err);
    assert_int_equal(spec_check(spec, keys, NULL), 0);
    assert_false(spec_is_on(spec, keys, "seccomp"));
    assert_string_equal(spec_value(spec, keys, "append"), "a,b=\"c\" \\ d");
}

static void quotes_inside_of_a_value_are_kept(void **state) {
    (void)state;
    cleanup_spec struct spec *spec = NULL;
    struct error *err = NULL;
    spec_parse("command:exec=sh -c \"a, \\\"b\\\"; c\" 'd',label=x", &spec, &err);
    assert_no_error(err);
    assert_string_equal(spec_given(spec, "exec"), "sh -c \"a, \\\"b\\\"; c\" 'd'");
    assert_string_equal(spec_given(spec, "label"), "x");
}

static void values_may_be_empty_and_hold_equal_signs(void **state) {
    (void)state;
    cleanup_spec struct spec *spec = NULL;
    assert_int_equal(spec_parse("vm:a=,b=c=d", &spec, NULL), 0);
    assert_string_equal(spec_value(spec, NULL, "a"), "");
    assert_string_equal(spec_value(spec, NULL, "b"), "c=d");
}

static void hostile_specs_are_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        ":",
        ":a=b",
        "vm:",
        "vm:a",
        "vm:=b",
        "vm:a=b,",
        "vm:,a=b",
        "vm:a=b,,c=d",
        "vm:a=\"b",
        "vm:a=\"b\\\"",
        "vm:a=\"b\"c",
        "vm:a=b\"c,d=e",
        "vm:a=b,a=c",
        "vm\n:a=b",
        "vm:a=\x1b",
        "vm:a,b=c",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error *err = NULL;
        struct spec *spec = NULL;
        if (spec_parse(cases[i], &spec, &err) != -1)
            fail_msg("\"%s\" was taken", cases[i]);
        assert_null(spec);
        assert_error(err, ERROR_USAGE, "environment");
    }
}

static void unknown_keys_and_values_are_named(void **state) {
    (void)state;
    cleanup_spec struct spec *wrong_key = NULL, *wrong_value = NULL, *no_keys = NULL;
    struct error *err = NULL;
    assert_int_equal(spec_parse("container:secomp=off", &wrong_key, NULL), 0);
    assert_int_equal(spec_check(wrong_key, keys, &err), -1);
    assert_string_equal(err->advice, "did you mean \"seccomp\"?");
    assert_error(err, ERROR_USAGE, "container:secomp=off");
    assert_int_equal(spec_parse("container:seccomp=maybe", &wrong_value, NULL), 0);
    assert_int_equal(spec_check(wrong_value, keys, &err), -1);
    assert_string_equal(err->advice, "known: on, off");
    assert_error(err, ERROR_USAGE, "\"seccomp\"");
    assert_int_equal(spec_parse("host:x=y", &no_keys, NULL), 0);
    assert_int_equal(spec_check(no_keys, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "unknown key \"x\"");
}

static void nothing_is_freed_twice(void **state) {
    (void)state;
    assert_null(spec_free(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_alone_has_defaults),
        cmocka_unit_test(given_values_win),
        cmocka_unit_test(quotes_inside_of_a_value_are_kept),
        cmocka_unit_test(values_may_be_empty_and_hold_equal_signs),
        cmocka_unit_test(hostile_specs_are_refused),
        cmocka_unit_test(unknown_keys_and_values_are_named),
        cmocka_unit_test(nothing_is_freed_twice),
    };
    return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
