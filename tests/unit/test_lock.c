// SPDX-License-Identifier: GPL-3.0-or-later
/* Locks of folders, files and CPUs: one at a time, whoever it is, and none after its end. */
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/lock.h"
#include "harness/cpu_lock.h"
#include "harness/data_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[] = "/tmp/boxmark-lock.XXXXXX";

static int make_folder(void **state) {
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) && setenv("BOXMARK_LOCKS", folder, 1) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return file_remove_tree(folder, NULL);
}

static char *path_of(const char *name) {
    char *path = text_format("%s/%s", folder, name);
    assert_non_null(path);
    return path;
}

static void a_lock_is_held_once(void **state) {
    (void)state;
    cleanup_free char *path = path_of("lock");
    cleanup_fd int first = -1, second = -1;
    assert_int_equal(lock_file(path, &first), LOCK_TAKEN);
    assert_int_equal(lock_file(path, &second), LOCK_HELD);
    cleanup_free char *holder = lock_holder(path);
    cleanup_free char *me = text_format("process %d (", (int)getpid());
    if (strcmp(holder, "another process") != 0) /* a /proc/locks without us */
        assert_ptr_equal(strstr(holder, me), holder);
    lock_file_remove(path, &first);
    assert_int_equal(first, -1);
    assert_false(file_exists(path));
    assert_int_equal(lock_file(path, &second), LOCK_TAKEN);
    lock_file_remove(path, &second);
}

static void a_killed_holder_holds_nothing(void **state) {
    (void)state;
    cleanup_free char *path = path_of("lock");
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = -1;
        char state_byte = (char)lock_file(path, &fd);
        (void)!write(ready[1], &state_byte, 1);
        pause();
        _exit(0);
    }
    char state_byte = 0;
    assert_int_equal(read(ready[0], &state_byte, 1), 1);
    assert_int_equal(state_byte, LOCK_TAKEN);
    cleanup_fd int fd = -1;
    assert_int_equal(lock_file(path, &fd), LOCK_HELD);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(lock_file(path, &fd), LOCK_TAKEN);
    close(ready[0]);
    close(ready[1]);
}

static void a_trap_is_not_walked_into(void **state) {
    (void)state;
    cleanup_free char *victim = path_of("victim");
    cleanup_free char *link = path_of("link");
    cleanup_free char *pipe_path = path_of("pipe");
    cleanup_fd int fd = -1;
    assert_int_equal(symlink(victim, link), 0);
    assert_int_equal(lock_file(link, &fd), LOCK_UNABLE);
    assert_false(file_exists(victim));
    assert_int_equal(lock_folder(link, &fd), LOCK_UNABLE);
    /* Nobody writes into it: opening must not wait. */
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(lock_file(pipe_path, &fd), LOCK_TAKEN);
}

static void cpus_are_for_one_at_a_time(void **state) {
    (void)state;
    const struct envelope both = {.cpu_count = 2, .cpus = {3, 5}};
    const struct envelope other = {.cpu_count = 1, .cpus = {4}};
    const struct envelope overlapping = {.cpu_count = 2, .cpus = {2, 5}};
    struct cpu_locks *first = NULL, *second = NULL, *third = NULL;
    struct error *err = NULL;
    assert_int_equal(cpu_locks_take(&both, 0, -1, NULL, NULL, &first, NULL), 0);
    assert_int_equal(cpu_locks_take(&other, 0, -1, NULL, NULL, &second, NULL), 0);
    assert_int_equal(cpu_locks_take(&overlapping, 0, -1, NULL, NULL, &third, &err), -1);
    assert_error(err, ERROR_UNAVAILABLE, "CPU 5 is being measured by");
    /* What it had taken on the way is free again. */
    const struct envelope two = {.cpu_count = 1, .cpus = {2}};
    assert_int_equal(cpu_locks_take(&two, 0, -1, NULL, NULL, &third, NULL), 0);
    third = cpu_locks_release(third);
    first = cpu_locks_release(first);
    assert_int_equal(cpu_locks_take(&overlapping, 0, -1, NULL, NULL, &third, NULL), 0);
    cpu_locks_release(third);
    /* As a killed run leaves it; what is held stays. */
    cleanup_free char *leftover = text_format("%s/boxmark-cpu-9", folder);
    assert_int_equal(file_replace(leftover, "", 0, NULL), 0);
    assert_int_equal(cpu_locks_remove_leftovers(), 1);
    assert_false(file_exists(leftover));
    assert_int_equal(cpu_locks_take(&other, 0, -1, NULL, NULL, &third, &err), -1);
    assert_error(err, ERROR_UNAVAILABLE, "CPU 4 is being measured by");
    cpu_locks_release(second);
    /* No file is left. */
    assert_int_equal(rmdir(folder), 0);
}

static unsigned said;

static void count_words(void *cookie, const char *text) {
    (void)cookie;
    assert_non_null(strstr(text, "waiting for "));
    said++;
}

static void waiting_ends(void **state) {
    (void)state;
    const struct envelope one = {.cpu_count = 1, .cpus = {0}};
    struct cpu_locks *first = NULL, *second = NULL;
    struct error *err = NULL;
    int cancel[2];
    assert_int_equal(pipe(cancel), 0);
    assert_int_equal(cpu_locks_take(&one, 0, -1, NULL, NULL, &first, NULL), 0);
    said = 0;
    assert_int_equal(cpu_locks_take(&one, NS_PER_S, -1, count_words, NULL, &second, &err), -1);
    assert_error(err, ERROR_UNAVAILABLE, "CPU 0");
    assert_int_equal(said, 1);
    /* The user's wish comes first. */
    err = NULL;
    assert_int_equal(write(cancel[1], "!", 1), 1);
    assert_int_equal(
        cpu_locks_take(&one, DEADLINE_NONE, cancel[0], count_words, NULL, &second, &err), -1);
    assert_error(err, ERROR_INTERRUPTED, "interrupted");
    cpu_locks_release(first);
    close(cancel[0]);
    close(cancel[1]);
}

static void no_locks_are_no_obstacle(void **state) {
    (void)state;
    const struct envelope one = {.cpu_count = 1, .cpus = {0}};
    struct cpu_locks *locks = NULL;
    setenv("BOXMARK_LOCKS", "/nonexistent", 1);
    assert_int_equal(cpu_locks_take(&one, 0, -1, NULL, NULL, &locks, NULL), 0);
    cpu_locks_release(locks);
}

static void left_data_are_removed_used_data_are_not(void **state) {
    (void)state;
    cleanup_free char *left = path_of("boxmark-data.aBcDeF");
    cleanup_free char *inner = path_of("boxmark-data.aBcDeF/instance.x");
    cleanup_free char *other = path_of("boxmark-data.old.aBcDeF");
    cleanup_free char *file = path_of("boxmark-data.ghijkl");
    assert_int_equal(mkdir(left, 0700), 0);
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(file_replace(file, "x", 1, NULL), 0);
    cleanup_free char *used = NULL, *again = NULL;
    cleanup_fd int used_fd = -1, again_fd = -1;
    assert_int_equal(data_folder_make(folder, 0, &used, &used_fd, NULL), 0);
    assert_false(file_exists(left));
    assert_true(file_exists(other) && file_exists(file));
    assert_int_equal(data_folder_make(folder, 0, &again, &again_fd, NULL), 0);
    assert_true(file_exists(used) && file_exists(again));
    struct stat status;
    assert_int_equal(stat(used, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    close_fd(&used_fd);
    assert_int_equal(data_folder_remove_leftovers(folder), 1);
    assert_false(file_exists(used));
    assert_true(file_exists(again));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_lock_is_held_once),
        CASE(a_killed_holder_holds_nothing),
        CASE(a_trap_is_not_walked_into),
        CASE(cpus_are_for_one_at_a_time),
        CASE(waiting_ends),
        CASE(no_locks_are_no_obstacle),
        CASE(left_data_are_removed_used_data_are_not),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
