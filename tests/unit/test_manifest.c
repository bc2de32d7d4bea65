// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/file.h"
#include "results/manifest.h"
#include "results/signature.h"

#include <sys/stat.h>

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char folder[] = "/tmp/boxmark-manifest-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

static char *path_of(const char *name) {
    return text_format("%s/%s", folder, name);
}

static void put(const char *name, const char *text) {
    cleanup_free char *path = path_of(name);
    struct error *err = NULL;
    file_replace(path, text, strlen(text), &err);
    assert_no_error(err);
}

static void names_of_any_kind_survive(void **state) {
    (void)state;
    struct manifest_entry entries[] = {{HASH_A, (char *)"a\nb\\c"}, {HASH_B, (char *)"run.json"}};
    const struct manifest manifest = {.count = 2, .entries = entries};
    cleanup_free char *text = NULL;
    cleanup_manifest struct manifest again = {0};
    struct error *err = NULL;
    manifest_format(&manifest, &text, &err);
    assert_no_error(err);
    assert_string_equal(text, "\\" HASH_A "  a\\nb\\\\c\n" HASH_B "  run.json\n");
    manifest_parse(text, "x", &again, &err);
    assert_no_error(err);
    assert_int_equal(again.count, 2);
    assert_string_equal(again.entries[0].path, "a\nb\\c");
    assert_string_equal(again.entries[1].sha256, HASH_B);
}

static void what_is_no_manifest_is_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"x\n", "m:1: not"},
        {HASH_A "  a\n" HASH_A " a\n", "m:2: not"},
        {HASH_A "  \n", "m:1: not"},
        {HASH_A "  /etc/passwd\n", "not a file of this folder"},
        {HASH_A "  a/../b\n", "not a file of this folder"},
        {HASH_A "  a//b\n", "not a file of this folder"},
        {"\\" HASH_A "  a\\x\n", "not a file of this folder"},
        {HASH_A "  a\n" HASH_B "  a\n", "stands there twice"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct manifest manifest = {0};
        struct error *err = NULL;
        assert_int_equal(manifest_parse(cases[i].text, "m", &manifest, &err), -1);
        assert_error(err, ERROR_USAGE, cases[i].message);
    }
}

static int note(enum manifest_difference difference, const char *path, void *cookie,
                struct error **err) {
    (void)err;
    char *seen = cookie;
    sprintf(seen + strlen(seen), "%d %s;", difference, path);
    return 0;
}

static void differences_are_told_in_order(void **state) {
    (void)state;
    put("a", "1");
    put("b", "2");
    put("report.html", "derived");
    cleanup_manifest struct manifest was = {0}, is = {0};
    struct error *err = NULL;
    manifest_make(folder, &was, &err);
    assert_no_error(err);
    assert_int_equal(was.count, 2);
    put("a", "3");
    put("report.html", "again");
    put("c", "4");
    cleanup_free char *gone = path_of("b");
    cleanup_free char *link = path_of("l");
    assert_int_equal(unlink(gone), 0);
    assert_int_equal(symlink("a", link), 0);
    manifest_make(folder, &is, &err);
    assert_no_error(err);
    char seen[200] = "";
    assert_int_equal(manifest_compare(&was, &is, note, seen, &err), 0);
    assert_string_equal(seen, "0 a;1 b;2 c;2 l;");
}

static void keys_sign_and_check(void **state) {
    (void)state;
    cleanup_free char *key = path_of("key");
    cleanup_free char *public = path_of("key.pub");
    cleanup_free char *other = path_of("other");
    cleanup_free char *other_public = path_of("other.pub");
    struct error *err = NULL;
    unsigned char signature[SIGNATURE_BYTES];
    bool good = false;
    struct stat status;
    signature_new_key(key, &err);
    assert_no_error(err);
    signature_new_key(other, &err);
    assert_no_error(err);
    assert_int_equal(stat(key, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(signature_new_key(key, &err), -1);
    assert_error(err, ERROR_USAGE, "cannot make the key");
    signature_make(key, "text", 4, signature, &err);
    assert_no_error(err);
    signature_check(public, "text", 4, signature, sizeof(signature), &good, &err);
    assert_no_error(err);
    assert_true(good);
    signature_check(public, "texT", 4, signature, sizeof(signature), &good, &err);
    assert_false(good);
    signature_check(other_public, "text", 4, signature, sizeof(signature), &good, &err);
    assert_false(good);
    signature_check(public, "text", 4, signature, sizeof(signature) - 1, &good, &err);
    assert_false(good);
    assert_int_equal(signature_check(key, "text", 4, signature, sizeof(signature), &good, &err),
                     -1);
    assert_error(err, ERROR_USAGE, "not a public Ed25519 key");
    chmod(key, 0640);
    assert_int_equal(signature_make(key, "text", 4, signature, &err), -1);
    assert_error(err, ERROR_USAGE, "others may read");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_any_kind_survive),
        cmocka_unit_test(what_is_no_manifest_is_named),
        cmocka_unit_test(differences_are_told_in_order),
        cmocka_unit_test(keys_sign_and_check),
    };
    return cmocka_run_group_tests_name("manifest", tests, make_folder, remove_folder);
}
