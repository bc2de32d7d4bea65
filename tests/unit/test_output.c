// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "common/file.h"
#include "common/output.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

static void put(const char *path, const char *text) {
    struct error *err = NULL;
    output_write(path, text, strlen(text), &err);
    assert_no_error(err);
}

static void assert_holds(const char *path, const char *text) {
    cleanup_free char *found = NULL;
    struct error *err = NULL;
    file_read(path, &found, NULL, &err);
    assert_no_error(err);
    assert_string_equal(found, text);
}

static void a_file_is_replaced_and_keeps_its_mode(void **state) {
    cleanup_free char *path = inside(state, "file");
    struct stat before, after;
    put(path, "first");
    assert_holds(path, "first");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(stat(path, &before), 0);
    put(path, "second");
    assert_holds(path, "second");
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_mode & 07777, 0640);
    assert_true(before.st_ino != after.st_ino);
}

static void a_link_is_followed(void **state) {
    cleanup_free char *target = inside(state, "target"), *link = inside(state, "link");
    struct stat status;
    assert_int_equal(symlink("target", link), 0);
    put(link, "one"); /* to what is not there yet */
    assert_holds(target, "one");
    put(link, "two");
    assert_holds(target, "two");
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void other_names_of_a_file_stay(void **state) {
    cleanup_free char *path = inside(state, "file"), *other = inside(state, "other");
    put(path, "something long");
    assert_int_equal(link(path, other), 0);
    put(path, "new");
    assert_holds(other, "new");
}

static void a_pipe_is_written_to(void **state) {
    cleanup_free char *path = inside(state, "pipe");
    struct stat status;
    char text[16] = "";
    assert_int_equal(mkfifo(path, 0600), 0);
    cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    put(path, "through");
    assert_int_equal(read(fd, text, sizeof(text)), 7);
    assert_string_equal(text, "through");
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
}

/* A node of our own: the machine's would be lost to all if this failed. */
static void a_device_is_written_to(void **state) {
    cleanup_free char *path = inside(state, "full");
    struct stat status;
    struct error *err = NULL;
    if (mknod(path, S_IFCHR | 0600, makedev(1, 7)) < 0)
        skip_because("no device can be made here");
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        skip_because("devices cannot be opened here");
    assert_int_equal(output_write(path, "x", 1, &err), -1);
    assert_error(err, ERROR_INTERNAL, "No space left");
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

static void a_descriptor_stays_where_it_is(void **state) {
    cleanup_free char *path = inside(state, "stdout");
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    struct error *err = NULL;
    printf("before ");
    int written = output_write("/dev/stdout", "it ", 3, &err);
    printf("after");
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    assert_no_error(err);
    assert_int_equal(written, 0);
    assert_holds(path, "before it after");
}

static void what_cannot_be_written_is_named(void **state) {
    cleanup_free char *nowhere = inside(state, "missing/file");
    struct error *err = NULL;
    assert_int_equal(output_write(*state, "x", 1, &err), -1);
    assert_error(err, ERROR_USAGE, "Is a directory");
    assert_int_equal(output_write(nowhere, "x", 1, &err), -1);
    assert_error(err, ERROR_USAGE, "missing/file");
}

static void half_an_output_is_none(void **state) {
    cleanup_free char *path = inside(state, "file");
    put(path, "whole");
    struct error *err = NULL;
    {
        cleanup_output struct output output = {0};
        assert_int_equal(output_open(path, &output, &err), 0);
        fputs("half", output.file);
        fflush(output.file);
    }
    assert_holds(path, "whole");
    cleanup_output struct output output = {0};
    assert_int_equal(output_open(path, &output, &err), 0);
    fputs("all", output.file);
    assert_int_equal(output_commit(&output, &err), 0);
    assert_holds(path, "all");
}

static void a_dash_is_standard_output(void **state) {
    (void)state;
    assert_null(output_path("-"));
    assert_null(output_path(NULL));
    assert_string_equal(output_path("./-"), "./-");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_replaced_and_keeps_its_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(other_names_of_a_file_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pipe_is_written_to, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_is_written_to, setup, teardown),
        cmocka_unit_test_setup_teardown(a_descriptor_stays_where_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(half_an_output_is_none, setup, teardown),
        cmocka_unit_test(a_dash_is_standard_output),
    };
    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
