// SPDX-License-Identifier: GPL-3.0-or-later
/* The KVM probe against devices that are not there, may not be used, are something else, or real.
 */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "environments/vm/kvm_probe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *folder;

static int set_up(void **state) {
    (void)state;
    char template[] = "test-kvm-probe.XXXXXX";
    folder = mkdtemp(template) ? realpath(template, NULL) : NULL;
    return folder ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    int result = file_remove_tree(folder, NULL);
    free(folder);
    return result;
}

static struct kvm_probe_result probe(const char *device_path) {
    struct kvm_probe_result result;
    kvm_probe(&(struct kvm_probe_options){.device_path = device_path}, &result);
    print_message("# %s: %s (%s)\n", kvm_state_name(result.state), result.reason, result.advice);
    /* Whatever the answer, there is a reason and no child is left. */
    assert_true(*result.reason);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    return result;
}

static void assert_holds(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("\"%s\" does not hold \"%s\"", text, part);
}

static void test_a_missing_device_is_absent(void **state) {
    (void)state;
    struct kvm_probe_result result = probe("/nonexistent/kvm");
    assert_int_equal(result.state, KVM_ABSENT);
    assert_holds(result.reason, "there is no /nonexistent/kvm");
    assert_true(*result.advice);
}

static void test_a_device_that_may_not_be_opened(void **state) {
    (void)state;
    char *path = text_format("%s/forbidden", folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0000);
    assert_true(fd >= 0);
    close(fd);
    uid_t user = geteuid();
    if (user == 0) {
        assert_int_equal(chmod(folder, 0755), 0);
        assert_int_equal(seteuid(65534), 0);
        if (access(path, F_OK) < 0) {
            assert_int_equal(seteuid(0), 0);
            free(path);
            skip_because("the build folder is closed to other users");
        }
    }
    struct kvm_probe_result result = probe(path);
    assert_int_equal(seteuid(user), 0);
    assert_int_equal(result.state, KVM_NO_PERMISSION);
    assert_holds(result.reason, "no permission");
    assert_holds(result.advice, "group");
    free(path);
}

static void test_other_devices_are_unusable(void **state) {
    (void)state;
    char *fifo = text_format("%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const char *const paths[] = {"/dev/null", fifo, folder};
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        struct kvm_probe_result result = probe(paths[i]);
        assert_int_equal(result.state, KVM_UNUSABLE);
        assert_holds(result.reason, paths[i]);
        assert_true(result.guest_loops_per_second == 0);
    }
    free(fifo);
}

static void test_the_back_end_is_named(void **state) {
    (void)state;
    char *parameters = text_format("%s/kvm_intel/parameters", folder);
    char *nested = text_format("%s/nested", parameters);
    assert_int_equal(file_make_folders(parameters, 0700, NULL), 0);
    assert_int_equal(file_replace(nested, "Y\n", 2, NULL), 0);
    struct kvm_probe_result result;
    kvm_probe(
        &(struct kvm_probe_options){.device_path = "/nonexistent/kvm", .module_folder = folder},
        &result);
    assert_string_equal(result.back_end, "kvm_intel");
    assert_true(result.nested);
    free(nested);
    free(parameters);
}

static void test_the_time_is_limited(void **state) {
    (void)state;
    struct kvm_probe_result result;
    kvm_probe(&(struct kvm_probe_options){.timeout_ns = 1}, &result);
    if (!strstr(result.reason, "did not end within"))
        skip_because("KVM cannot be used here: %s", result.reason);
    assert_int_equal(result.state, KVM_UNUSABLE);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_the_real_device_is_judged_by_its_rate(void **state) {
    (void)state;
    struct kvm_probe_result result = probe(NULL);
    if (result.state != KVM_NATIVE && result.state != KVM_EMULATED)
        skip_because("no guest runs here: %s", result.reason);
    assert_true(result.guest_loops_per_second > 0);
    assert_true(result.host_loops_per_second > 0);
    double fraction = result.guest_loops_per_second / result.host_loops_per_second;
    assert_int_equal(result.state, fraction >= 0.5 ? KVM_NATIVE : KVM_EMULATED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_missing_device_is_absent),
        cmocka_unit_test(test_a_device_that_may_not_be_opened),
        cmocka_unit_test(test_other_devices_are_unusable),
        cmocka_unit_test(test_the_back_end_is_named),
        cmocka_unit_test(test_the_time_is_limited),
        cmocka_unit_test(test_the_real_device_is_judged_by_its_rate),
    };
    return cmocka_run_group_tests_name("kvm_probe", tests, set_up, tear_down);
}
