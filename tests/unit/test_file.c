// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

/* A folder of its own for every case. */
static int setup(void **state) {
    const char *parent = getenv("TMPDIR");
    char *folder = text_format("%s/boxmark-test.XXXXXX", parent ? parent : "/tmp");
    *state = folder;
    return folder && mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state) {
    file_remove_tree(*state, NULL);
    free(*state);
    return 0;
}

static char *inside(void **state, const char *name) {
    char *path = text_format("%s/%s", (const char *)*state, name);
    assert_non_null(path);
    return path;
}

static unsigned count_entries(const char *folder) {
    cleanup_dir DIR *dir = opendir(folder);
    assert_non_null(dir);
    unsigned count = 0;
    while (readdir(dir))
        count++;
    return count - 2;
}

static void replace_and_read_agree(void **state) {
    cleanup_free char *path = inside(state, "file");
    struct error *err = NULL;
    cleanup_free char *first = NULL, *second = NULL;
    size_t size;
    file_replace(path, "a\0b", 3, &err);
    assert_no_error(err);
    file_read(path, &first, &size, &err);
    assert_no_error(err);
    assert_int_equal(size, 3);
    assert_memory_equal(first, "a\0b", 4);
    file_replace(path, "", 0, &err);
    assert_no_error(err);
    file_read(path, &second, &size, &err);
    assert_no_error(err);
    assert_int_equal(size, 0);
    assert_int_equal(count_entries(*state), 1);
}

static void replace_leaves_nothing_on_failure(void **state) {
    cleanup_free char *folder = inside(state, "folder");
    cleanup_free char *occupant = inside(state, "folder/occupant");
    struct error *err = NULL;
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(file_replace(occupant, "x", 1, NULL), 0);
    assert_int_equal(file_replace(folder, "x", 1, &err), -1);
    assert_error(err, ERROR_INTERNAL, "cannot rename");
    assert_int_equal(count_entries(*state), 1);
    cleanup_free char *nowhere = inside(state, "missing/file");
    assert_int_equal(file_replace(nowhere, "x", 1, &err), -1);
    assert_error(err, ERROR_INTERNAL, "cannot create");
}

static void read_grows_beyond_its_first_buffer(void **state) {
    cleanup_free char *path = inside(state, "file");
    enum { BYTES = 100001 };
    cleanup_free char *data = malloc(BYTES), *text = NULL;
    size_t size;
    for (size_t i = 0; i < BYTES; i++)
        data[i] = (char)('a' + i % 26);
    assert_int_equal(file_replace(path, data, BYTES, NULL), 0);
    assert_int_equal(file_read(path, &text, &size, NULL), 0);
    assert_int_equal(size, BYTES);
    assert_memory_equal(text, data, BYTES);
    assert_int_equal(text[BYTES], 0);
}

static void read_says_what_is_wrong(void **state) {
    cleanup_free char *path = inside(state, "missing");
    char *text = NULL;
    struct error *err = NULL;
    assert_int_equal(file_read(path, &text, NULL, &err), -1);
    assert_int_equal(err->errnum, ENOENT);
    assert_error(err, ERROR_INTERNAL, path);
    assert_int_equal(file_read(*state, &text, NULL, &err), -1);
    assert_int_equal(err->errnum, EISDIR);
    assert_error(err, ERROR_INTERNAL, *state);
    assert_null(text);
}

static void endless_files_are_refused(void **state) {
    (void)state;
    char *text = NULL;
    struct error *err = NULL;
    assert_int_equal(file_read("/dev/zero", &text, NULL, &err), -1);
    assert_error(err, ERROR_USAGE, "/dev/zero");
}

static void lines_lose_their_newline(void **state) {
    cleanup_free char *path = inside(state, "file");
    assert_int_equal(file_replace(path, "first\nsecond\n", 13, NULL), 0);
    cleanup_free char *line = file_read_line(path);
    assert_string_equal(line, "first");
    cleanup_free char *proc = file_read_line("/proc/sys/kernel/ostype");
    assert_string_equal(proc, "Linux");
    cleanup_free char *nowhere = inside(state, "missing");
    assert_null(file_read_line(nowhere));
}

static void write_text_needs_the_file(void **state) {
    cleanup_free char *path = inside(state, "file");
    struct error *err = NULL;
    assert_int_equal(file_write_text(path, "x", &err), -1);
    assert_error(err, ERROR_INTERNAL, "cannot open");
    assert_false(file_exists(path));
    assert_int_equal(file_replace(path, "", 0, NULL), 0);
    assert_int_equal(file_write_text(path, "hello", &err), 0);
    cleanup_free char *line = file_read_line(path);
    assert_string_equal(line, "hello");
    assert_int_equal(file_write_text("/dev/full", "x", &err), -1);
    assert_error(err, ERROR_INTERNAL, "No space left");
}

static void folders_are_made_with_their_parents(void **state) {
    cleanup_free char *path = inside(state, "a/b//c/");
    struct error *err = NULL;
    file_make_folders(path, 0700, &err);
    assert_no_error(err);
    file_make_folders(path, 0700, &err);
    assert_no_error(err);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    cleanup_free char *file = inside(state, "a/file");
    cleanup_free char *below = inside(state, "a/file/x");
    assert_int_equal(file_replace(file, "", 0, NULL), 0);
    assert_int_equal(file_make_folders(file, 0700, &err), -1);
    assert_error(err, ERROR_INTERNAL, "cannot create the folder");
    assert_int_equal(file_make_folders(below, 0700, &err), -1);
    assert_error(err, ERROR_INTERNAL, "cannot create the folder");
}

static void remove_tree_does_not_follow_links(void **state) {
    cleanup_free char *tree = inside(state, "tree/deep"), *top = inside(state, "tree");
    cleanup_free char *outside = inside(state, "outside"), *kept = inside(state, "outside/kept");
    cleanup_free char *link = inside(state, "tree/deep/link");
    struct error *err = NULL;
    assert_int_equal(file_make_folders(tree, 0700, NULL), 0);
    assert_int_equal(file_make_folders(outside, 0700, NULL), 0);
    assert_int_equal(file_replace(kept, "x", 1, NULL), 0);
    assert_int_equal(symlink(outside, link), 0);
    file_remove_tree(top, &err);
    assert_no_error(err);
    assert_false(file_exists(top));
    assert_true(file_exists(kept));
    file_remove_tree(top, &err);
    assert_no_error(err);
    /* The tree itself a link: the link goes, not what it shows. */
    assert_int_equal(symlink(outside, top), 0);
    file_remove_tree(top, &err);
    assert_no_error(err);
    assert_true(file_exists(kept));
}

static void a_dangling_link_is_removed(void **state) {
    cleanup_free char *link = inside(state, "link");
    struct stat status;
    struct error *err = NULL;
    assert_int_equal(symlink("nowhere", link), 0);
    file_remove_tree(link, &err);
    assert_no_error(err);
    assert_int_equal(lstat(link, &status), -1);
}

static void sha256_is_the_standard_one(void **state) {
    cleanup_free char *path = inside(state, "file");
    char hex[65];
    struct error *err = NULL;
    assert_int_equal(file_replace(path, "abc", 3, NULL), 0);
    file_sha256(path, hex, &err);
    assert_no_error(err);
    /* FIPS 180-2, appendix B.1. */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(file_sha256(*state, hex, &err), -1);
    assert_error(err, ERROR_INTERNAL, "cannot read");
}

static void cache_folder_follows_the_environment(void **state) {
    struct error *err = NULL;
    cleanup_free char *by_xdg = NULL, *by_home = NULL, *odd = NULL;
    cleanup_free char *xdg = inside(state, "cache"), *home = inside(state, "home");
    cleanup_free char *expected_xdg = inside(state, "cache/boxmark");
    cleanup_free char *expected_home = inside(state, "home/.cache/boxmark");
    setenv("XDG_CACHE_HOME", xdg, 1);
    setenv("HOME", home, 1);
    file_cache_folder(&by_xdg, &err);
    assert_no_error(err);
    assert_string_equal(by_xdg, expected_xdg);
    /* The specification says that a relative path is to be ignored. */
    setenv("XDG_CACHE_HOME", "relative", 1);
    file_cache_folder(&by_home, &err);
    assert_no_error(err);
    assert_string_equal(by_home, expected_home);
    struct stat status;
    assert_int_equal(stat(by_home, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    setenv("XDG_CACHE_HOME", "/proc/none", 1);
    assert_int_equal(file_cache_folder(&odd, &err), -1);
    assert_non_null(err->advice);
    assert_error(err, ERROR_INTERNAL, "/proc/none");
}

static void a_planted_cache_folder_is_refused(void **state) {
    struct error *err = NULL;
    cleanup_free char *path = NULL, *shared = inside(state, "shared");
    cleanup_free char *link = inside(state, "shared/boxmark"), *ours = inside(state, "ours");
    assert_int_equal(mkdir(shared, 0777), 0);
    assert_int_equal(mkdir(ours, 0700), 0);
    assert_int_equal(symlink(ours, link), 0);
    setenv("XDG_CACHE_HOME", shared, 1);
    assert_int_equal(file_cache_folder(&path, &err), -1);
    assert_error(err, ERROR_INTERNAL, "not a folder of this user");
}

static void programs_are_found(void **state) {
    cleanup_free char *shell = file_find_program("sh");
    assert_non_null(shell);
    assert_int_equal(shell[0], '/');
    cleanup_free char *same = file_find_program(shell);
    assert_string_equal(same, shell);
    assert_null(file_find_program("no-such-program-here"));
    /* The folders of $PATH are no programs. */
    assert_null(file_find_program(""));
    assert_null(file_find_program("."));
    assert_null(file_find_program("/"));
    cleanup_free char *plain = inside(state, "plain");
    assert_int_equal(file_replace(plain, "", 0, NULL), 0);
    assert_int_equal(chmod(plain, 0644), 0);
    assert_null(file_find_program(plain));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(replace_and_read_agree),
        CASE(replace_leaves_nothing_on_failure),
        CASE(read_grows_beyond_its_first_buffer),
        CASE(read_says_what_is_wrong),
        cmocka_unit_test(endless_files_are_refused),
        CASE(lines_lose_their_newline),
        CASE(write_text_needs_the_file),
        CASE(folders_are_made_with_their_parents),
        CASE(remove_tree_does_not_follow_links),
        CASE(a_dangling_link_is_removed),
        CASE(sha256_is_the_standard_one),
        CASE(cache_folder_follows_the_environment),
        CASE(a_planted_cache_folder_is_refused),
        CASE(programs_are_found),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
