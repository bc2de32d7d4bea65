// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/units.h"

static void sizes_are_powers_of_1024(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"0", 0},
        {"17", 17},
        {"17B", 17},
        {"512M", UINT64_C(512) << 20},
        {"4GiB", UINT64_C(4) << 30},
        {"1.5g", UINT64_C(3) << 29},
        {".5k", 512},
        {"2tb", UINT64_C(2) << 40},
        {"10K", 10240},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cleanup_error struct error *err = NULL;
        uint64_t bytes = 1;
        assert_int_equal(parse_size(cases[i].text, "size", &bytes, &err), 0);
        assert_true(bytes == cases[i].bytes);
    }
}

static void hostile_sizes_are_refused(void **state) {
    (void)state;
    static const char *const cases[] = {"",     "-1",    "+1",       " 1",
                                        "1 ",   "1X",    "G",        "0x10",
                                        "1e3",  ".",     "inf",      "nan",
                                        "1,5M", "1.2.3", "1GiBB",    "1\nM",
                                        "1%",   "M1",    "8388608T", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error *err = NULL;
        uint64_t bytes = 7;
        if (parse_size(cases[i], "memory", &bytes, &err) != -1)
            fail_msg("\"%s\" was taken", cases[i]);
        assert_int_equal(bytes, 7);
        assert_non_null(err->advice);
        assert_error(err, ERROR_USAGE, "memory");
    }
}

static void durations_have_units(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } cases[] = {
        {"90", UINT64_C(90000000000)},
        {"30s", UINT64_C(30000000000)},
        {"5m", UINT64_C(300000000000)},
        {"1h", UINT64_C(3600000000000)},
        {"250ms", 250000000},
        {"1.5us", 1500},
        {"3ns", 3},
        {"2min", UINT64_C(120000000000)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint64_t ns = 0;
        assert_int_equal(parse_duration(cases[i].text, "budget", &ns, NULL), 0);
        assert_true(ns == cases[i].ns);
    }
    struct error *err = NULL;
    uint64_t ns;
    assert_int_equal(parse_duration("5 parsecs", "budget", &ns, &err), -1);
    assert_error(err, ERROR_USAGE, "\"5 parsecs\"");
}

static void percentages_are_above_nothing(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double fraction;
    } cases[] = {{"1", 0.01}, {"0.5%", 0.005}, {"100", 1}, {"100.0%", 1}, {".001", 0.00001}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        double fraction = 0;
        assert_int_equal(parse_percentage(cases[i].text, "precision", &fraction, NULL), 0);
        assert_true(fraction == cases[i].fraction);
    }
    static const char *const refused[] = {"",    "0",    "0.0%", "101",         "100.001",
                                          "-1",  "0x10", "1e-1", "1s",          "nan",
                                          "inf", "1 %",  "1%%",  "0.0000000001"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct error *err = NULL;
        double fraction = 7;
        if (parse_percentage(refused[i], "precision", &fraction, &err) != -1)
            fail_msg("\"%s\" was taken", refused[i]);
        assert_true(fraction == 7);
        assert_non_null(err->advice);
        assert_error(err, ERROR_USAGE, "precision");
    }
}

static void counts_are_bounded(void **state) {
    (void)state;
    static const char *const refused[] = {
        "", "0", "11", "-1", "1.0", "1a", " 1", "18446744073709551616", "+3"};
    uint64_t count = 0;
    assert_int_equal(parse_count("1", "blocks", 1, 10, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(parse_count("10", "blocks", 1, 10, &count, NULL), 0);
    assert_int_equal(count, 10);
    assert_int_equal(parse_count("18446744073709551615", "seed", 0, UINT64_MAX, &count, NULL), 0);
    assert_true(count == UINT64_MAX);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct error *err = NULL;
        if (parse_count(refused[i], "blocks", 1, 10, &count, &err) != -1)
            fail_msg("\"%s\" was taken", refused[i]);
        assert_string_equal(err->advice, "give a number from 1 to 10");
        assert_error(err, ERROR_USAGE, "blocks");
    }
}

static void sizes_are_formatted(void **state) {
    (void)state;
    char text[32];
    assert_string_equal(format_size(0, text), "0 B");
    assert_string_equal(format_size(1023, text), "1023 B");
    assert_string_equal(format_size(1024, text), "1.0 KiB");
    assert_string_equal(format_size(UINT64_C(4) << 30, text), "4.0 GiB");
    assert_string_equal(format_size(UINT64_C(200) << 20, text), "200 MiB");
    assert_string_equal(format_size(UINT64_MAX, text), "16.0 EiB");
}

static void durations_are_formatted(void **state) {
    (void)state;
    char text[32];
    assert_string_equal(format_duration(0, text), "0 us");
    assert_string_equal(format_duration(830000, text), "830 us");
    assert_string_equal(format_duration(1500000, text), "1.5 ms");
    assert_string_equal(format_duration(1250000000, text), "1.25 s");
    assert_string_equal(format_duration(UINT64_C(200000000000), text), "3 min 20 s");
    assert_string_equal(format_duration(UINT64_C(7260000000000), text), "2 h 1 min");
    format_duration(UINT64_MAX, text);
    assert_true(strlen(text) < 32);
}

static void nearest_name_forgives_slips(void **state) {
    (void)state;
    static const char *const names[] = {"host", "container", "vm", NULL};
    assert_string_equal(nearest_name("hots", names), "host");
    assert_string_equal(nearest_name("HOST", names), "host");
    assert_string_equal(nearest_name("contianer", names), "container");
    assert_string_equal(nearest_name("cont", names), "container");
    assert_null(nearest_name("zebra", names));
    assert_null(nearest_name("host", (const char *const[]){NULL}));
    char long_word[4096];
    memset(long_word, 'x', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = '\0';
    nearest_name(long_word, names);
}

static void unknown_names_come_with_advice(void **state) {
    (void)state;
    static const char *const names[] = {"host", "container", NULL};
    struct error *err = NULL;
    assert_int_equal(error_unknown_name("environment", "hots", names, &err), -1);
    assert_string_equal(err->advice, "did you mean \"host\"?");
    assert_error(err, ERROR_USAGE, "unknown environment \"hots\"");
    error_unknown_name("environment", "zebra", names, &err);
    assert_string_equal(err->advice, "known: host, container");
    assert_error(err, ERROR_USAGE, "zebra");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(hostile_sizes_are_refused),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(percentages_are_above_nothing),
        cmocka_unit_test(counts_are_bounded),
        cmocka_unit_test(sizes_are_formatted),
        cmocka_unit_test(durations_are_formatted),
        cmocka_unit_test(nearest_name_forgives_slips),
        cmocka_unit_test(unknown_names_come_with_advice),
    };
    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
