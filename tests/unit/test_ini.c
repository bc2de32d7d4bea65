// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/file.h"
#include "common/ini.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static char path[] = "/tmp/boxmark-ini.XXXXXX";

static struct ini_file *load_bytes(const void *bytes, size_t size, struct error **err) {
    struct ini_file *file = NULL;
    assert_int_equal(file_replace(path, bytes, size, NULL), 0);
    ini_file_load(path, &file, err);
    return file;
}

static struct ini_file *load(const char *text, struct error **err) {
    return load_bytes(text, strlen(text), err);
}

static void assert_entry(const struct ini_file *file, unsigned index, const char *section,
                         const char *key, const char *value, unsigned line) {
    assert_true(index < file->count);
    assert_string_equal(file->entries[index].section, section);
    assert_string_equal(file->entries[index].key, key);
    assert_string_equal(file->entries[index].value, value);
    assert_int_equal(file->entries[index].line, line);
}

static void test_reads(void **state) {
    (void)state;
    struct error *err = NULL;
    struct ini_file *file = load("before = 1\n"
                                 "# words\n"
                                 "[one]\r\n"
                                 "  a = b = c  \r\n"
                                 "\n"
                                 "    indented = yes ; words\n"
                                 "; words\n"
                                 "[two]\n"
                                 "a=\n"
                                 "last = \"x y\" 'z'",
                                 &err);
    assert_no_error(err);
    assert_int_equal(file->count, 5);
    assert_entry(file, 0, "", "before", "1", 1);
    assert_entry(file, 1, "one", "a", "b = c", 4);
    assert_entry(file, 2, "one", "indented", "yes", 6);
    assert_entry(file, 3, "two", "a", "", 9);
    assert_entry(file, 4, "two", "last", "\"x y\" 'z'", 10);
    ini_file_free(file);
    file = load("", &err);
    assert_no_error(err);
    assert_int_equal(file->count, 0);
    ini_file_free(file);
}

static void test_refuses(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[one]\na = 1\nnonsense\nb = 2\n", ", line 3: neither \"key = value\""},
        {"[one\na = 1\n", ", line 1: neither"},
        {"[one]\na = 1\nb = 2\na = 3\n", ", line 4, key \"a\": it stands there twice"},
        {"[one]\nexec = a\n   and more of it\n", ", line 3: neither"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error *err = NULL;
        assert_null(load(cases[i].text, &err));
        assert_non_null(strstr(error_message(err), path));
        assert_error(err, ERROR_USAGE, cases[i].message);
    }
}

static void test_refuses_what_is_too_long(void **state) {
    (void)state;
    struct error *err = NULL;
    char *text = malloc(INI_FILE_MAX_BYTES + 2);
    assert_non_null(text);
    memset(text, 'a', INI_FILE_MAX_BYTES + 1);
    memcpy(text, "x = 1\nb = ", 10);
    text[INI_FILE_MAX_BYTES + 1] = '\0';
    assert_null(load(text, &err));
    assert_error(err, ERROR_USAGE, "too large");
    text[INI_FILE_MAX_BYTES / 2] = '\0';
    assert_null(load(text, &err));
    assert_error(err, ERROR_USAGE, ", line 2: the line is longer than");
    free(text);
    assert_null(load_bytes("a = 1\0b = 2\n", 12, &err));
    assert_error(err, ERROR_USAGE, "not a text file");
}

static void test_names_a_place(void **state) {
    (void)state;
    struct error *err = NULL;
    struct ini_file *file = load("[one]\n\na = 1\n", &err);
    assert_no_error(err);
    error_set(&err, ERROR_USAGE, 0, "wrong");
    ini_file_refuse(file, &file->entries[0], &err);
    assert_error(err, ERROR_USAGE, ", line 3, key \"a\": wrong");
    ini_file_free(file);
    assert_int_equal(ini_file_load("/nonexistent/x.ini", &file, &err), -1);
    assert_int_equal(err->errnum, ENOENT);
    error_free(err);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_refuses_what_is_too_long),
        cmocka_unit_test(test_names_a_place),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
