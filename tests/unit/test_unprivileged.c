// SPDX-License-Identifier: GPL-3.0-or-later
/* Programs that need no privileges have none, whoever starts them. */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "environments/unprivileged.h"

#include <sys/stat.h>
#include <sys/wait.h>

static char *folder;

static int set_up(void **state) {
    (void)state;
    char template[] = "test-unprivileged.XXXXXX";
    folder = mkdtemp(template) ? realpath(template, NULL) : NULL;
    return folder ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    int result = file_remove_tree(folder, NULL);
    free(folder);
    return result;
}

/* "Uid", "CapEff" ... of this process: the first figure of its line. */
static bool status_is(const char *name, const char *expected) {
    cleanup_free char *text = NULL;
    char line[64];
    if (file_read("/proc/thread-self/status", &text, NULL, NULL) < 0)
        return false;
    snprintf(line, sizeof(line), "\n%s:\t%s", name, expected);
    const char *at = strstr(text, line);
    return at && strchr("\t\n", at[strlen(line)]);
}

static void test_a_program_has_no_privileges(void **state) {
    (void)state;
    struct unprivileged unprivileged;
    char uid[16];
    unprivileged_choose(NULL, &unprivileged);
    /* The machine may not let root be anybody else; that it then has nothing is tried below. */
    snprintf(uid, sizeof(uid), "%u", unprivileged.change_user ? UNPRIVILEGED_ID : geteuid());
    for (int change = unprivileged.change_user; change >= 0; change--) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            unprivileged.change_user = change;
            if (unprivileged_become(&unprivileged) < 0)
                _exit(1);
            if (!status_is("CapEff", "0000000000000000") || !status_is("NoNewPrivs", "1"))
                _exit(2);
            if (change && (!status_is("Uid", uid) || !status_is("Gid", uid)))
                _exit(3);
            /* There is no way back. */
            if (change && (seteuid(0) == 0 || setegid(0) == 0))
                _exit(4);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

static void test_only_root_changes_the_user(void **state) {
    (void)state;
    struct unprivileged unprivileged;
    if (geteuid() != 0) {
        unprivileged_choose(NULL, &unprivileged);
        assert_false(unprivileged.change_user);
        return;
    }
    unprivileged_choose(NULL, &unprivileged);
    if (!unprivileged.change_user)
        skip_because("root may not become somebody else here");
    /* A device that only root may open keeps it root; a group of its own is taken along. */
    char *device = text_format("%s/device", folder);
    assert_int_equal(file_replace(device, "", 0, NULL), 0);
    assert_int_equal(chmod(device, 0600), 0);
    unprivileged_choose(device, &unprivileged);
    assert_false(unprivileged.change_user);
    assert_int_equal(chmod(device, 0660), 0);
    unprivileged_choose(device, &unprivileged);
    assert_false(unprivileged.change_user);
    assert_int_equal(chown(device, 0, 12345), 0);
    assert_int_equal(chmod(device, 0660), 0);
    unprivileged_choose(device, &unprivileged);
    assert_true(unprivileged.change_user && unprivileged.has_group);
    assert_int_equal(unprivileged.group, 12345);
    assert_int_equal(chmod(device, 0666), 0);
    unprivileged_choose(device, &unprivileged);
    assert_true(unprivileged.change_user && !unprivileged.has_group);
    unprivileged_choose("/nonexistent/device", &unprivileged);
    assert_false(unprivileged.change_user);
    free(device);
}

static void test_what_it_can_reach(void **state) {
    (void)state;
    const struct unprivileged other = {.change_user = true}, same = {.change_user = false};
    char *program = text_format("%s/program", folder);
    assert_int_equal(file_replace(program, "", 0, NULL), 0);
    assert_int_equal(chmod(program, 0700), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_false(unprivileged_can_execute(&other, program));
    assert_false(unprivileged_can_read(&other, program));
    assert_true(unprivileged_can_execute(&same, program));
    assert_true(unprivileged_can_read(&same, program));
    assert_int_equal(chmod(program, 0755), 0);
    assert_true(unprivileged_can_read(&other, program));
    assert_true(unprivileged_can_execute(&other, "/bin/sh"));
    /* A folder above it that is closed. */
    assert_int_equal(chmod(folder, 0700), 0);
    assert_false(unprivileged_can_execute(&other, program));
    assert_true(unprivileged_can_read(&other, program));
    free(program);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_program_has_no_privileges),
        cmocka_unit_test(test_only_root_changes_the_user),
        cmocka_unit_test(test_what_it_can_reach),
    };
    return cmocka_run_group_tests_name("unprivileged", tests, set_up, tear_down);
}
