// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/text.h"

static void assert_clean(const char *text, const char *expected, const char *expected_ascii) {
    cleanup_free char *clean = text_clean(text);
    cleanup_free char *ascii = text_clean_ascii(text);
    assert_string_equal(clean, expected);
    assert_string_equal(ascii, expected_ascii);
}

static void plain_text_stays(void **state) {
    (void)state;
    assert_clean("container:seccomp=off", "container:seccomp=off", "container:seccomp=off");
    assert_clean("", "", "");
    assert_clean(NULL, "", "");
    assert_clean("12 µs, 한글", "12 µs, 한글", "12 us, ??");
}

static void control_characters_go(void **state) {
    (void)state;
    assert_clean("a\x1b[31mb", "a\uFFFD[31mb", "a?[31mb");
    assert_clean("a\nb\tc\r", "a b c ", "a b c ");
    assert_clean("a\x7f\xc2\x9b"
                 "31m",
                 "a\uFFFD\uFFFD31m", "a??31m");
    assert_clean("a\u202eb\u2066c\u2028d\ufeff", "a\uFFFDb\uFFFDc d\uFFFD", "a?b?c d?");
}

static void invalid_utf8_is_replaced(void **state) {
    (void)state;
    assert_clean("\xff", "\uFFFD", "?");
    assert_clean("\xc3", "\uFFFD", "?");                                  /* cut off */
    assert_clean("\xc0\xaf", "\uFFFD\uFFFD", "??");                       /* overlong */
    assert_clean("\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD", "???");            /* surrogate */
    assert_clean("\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", "????"); /* beyond the last */
    assert_clean("\xe2\x82 x", "\uFFFD\uFFFD x", "?? x");
}

static void width_counts_columns(void **state) {
    (void)state;
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("vm (TCG)"), 8);
    assert_int_equal(text_width("±µ"), 2);
    assert_int_equal(text_width("한글"), 4);
    assert_int_equal(text_width("e\u0301"), 1);
}

static void assert_wrapped(const char *text, unsigned width, const char *expected) {
    cleanup_free char *wrapped = text_wrap(text, width);
    assert_string_equal(wrapped, expected);
}

static void wrapping_prefers_spaces(void **state) {
    (void)state;
    assert_wrapped("", 5, "");
    assert_wrapped("one two three", 7, "one two\nthree");
    assert_wrapped("one two three", 8, "one two\nthree");
    assert_wrapped("one   two", 3, "one\ntwo");
    assert_wrapped("  ab cd", 2, "ab\ncd");
    assert_wrapped("ab  cd    ", 4, "ab\ncd");
    assert_wrapped("ab  ", 4, "ab");
    assert_wrapped("a:b=c,d=efg", 7, "a:b=c,\nd=efg");
    assert_wrapped("abcdefgh", 3, "abc\ndef\ngh");
    assert_wrapped("한글", 1, "한\n글");
    assert_wrapped("ab", 0, "a\nb");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),         cmocka_unit_test(control_characters_go),
        cmocka_unit_test(invalid_utf8_is_replaced), cmocka_unit_test(width_counts_columns),
        cmocka_unit_test(wrapping_prefers_spaces),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
