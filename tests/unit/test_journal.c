// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/file.h"
#include "harness/journal.h"

static char *folder, *path;

static int setup(void **state) {
    (void)state;
    const char *parent = getenv("TMPDIR");
    folder = text_format("%s/boxmark-test.XXXXXX", parent ? parent : "/tmp");
    if (!folder || !mkdtemp(folder))
        return -1;
    path = text_format("%s/journal.jsonl", folder);
    return path ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    file_remove_tree(folder, NULL);
    free(folder);
    free(path);
    return 0;
}

static void append(const char *type, int number) {
    struct journal *journal = NULL;
    struct error *err = NULL;
    journal_open(path, &journal, &err);
    assert_no_error(err);
    journal_append(journal, type, json_pack("{s:i}", "number", number), &err);
    assert_no_error(err);
    assert_null(journal_close(journal));
}

static void assert_numbers(const char *expected) {
    json_t *entries = NULL;
    struct error *err = NULL;
    char text[64] = "";
    journal_read(path, &entries, &err);
    assert_no_error(err);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        char number[16];
        snprintf(number, sizeof(number), "%d ",
                 (int)json_integer_value(json_object_get(entry, "number")));
        strcat(text, number);
        assert_non_null(json_object_get(entry, "type"));
        assert_non_null(json_object_get(entry, "utc"));
    }
    json_decref(entries);
    assert_string_equal(text, expected);
}

static void entries_come_back_in_order(void **state) {
    (void)state;
    append("a", 1);
    append("b", 2);
    append("a", 3);
    assert_numbers("1 2 3 ");
}

static void a_half_written_line_is_cut_off(void **state) {
    (void)state;
    append("a", 1);
    cleanup_free char *text = NULL;
    size_t size;
    assert_int_equal(file_read(path, &text, &size, NULL), 0);
    cleanup_free char *torn = text_format("%s{\"type\":\"a\",\"num", text);
    assert_int_equal(file_replace(path, torn, strlen(torn), NULL), 0);
    assert_numbers("1 ");
    append("a", 2);
    assert_numbers("1 2 ");
    /* Nothing but a half line. */
    assert_int_equal(file_replace(path, "{", 1, NULL), 0);
    assert_numbers("");
    append("a", 3);
    assert_numbers("3 ");
}

static void a_spoiled_line_is_named(void **state) {
    (void)state;
    static const char *const spoiled[] = {"{}\n[]\n",   "{}\n\n",         "{}\n{\"a\":1,}\n",
                                          "{}\nnull\n", "{}\n\xff\xfe\n", "{}\n{} {}\n"};
    for (size_t i = 0; i < sizeof(spoiled) / sizeof(*spoiled); i++) {
        struct error *err = NULL;
        json_t *entries = NULL;
        assert_int_equal(file_replace(path, spoiled[i], strlen(spoiled[i]), NULL), 0);
        if (journal_read(path, &entries, &err) != -1)
            fail_msg("\"%s\" was taken", spoiled[i]);
        assert_null(entries);
        assert_error(err, ERROR_USAGE, "journal.jsonl:2:");
    }
}

static void a_full_disk_is_told(void **state) {
    (void)state;
    struct journal *journal = NULL;
    struct error *err = NULL;
    assert_int_equal(symlink("/dev/full", path), 0);
    assert_int_equal(journal_open(path, &journal, NULL), 0);
    assert_int_equal(journal_append(journal, "a", json_object(), &err), -1);
    assert_error(err, ERROR_INTERNAL, "No space left");
    journal_close(journal);
}

static void a_missing_journal_is_an_error(void **state) {
    (void)state;
    struct error *err = NULL;
    json_t *entries = NULL;
    struct journal *journal = NULL;
    assert_int_equal(journal_read(path, &entries, &err), -1);
    assert_int_equal(err->errnum, ENOENT);
    assert_error(err, ERROR_INTERNAL, path);
    assert_int_equal(journal_open("/nonexistent/journal", &journal, &err), -1);
    assert_error(err, ERROR_INTERNAL, "/nonexistent/journal");
    assert_null(journal_close(NULL));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(entries_come_back_in_order),    CASE(a_half_written_line_is_cut_off),
        CASE(a_spoiled_line_is_named),       CASE(a_full_disk_is_told),
        CASE(a_missing_journal_is_an_error),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
