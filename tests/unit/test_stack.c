// SPDX-License-Identifier: GPL-3.0-or-later
/* container@vm: how it is written, and what the guest is told. The guest itself: tests/tap/stack.t.
 */
#include "tests/unit/unit.h"

#include "environments/container/box.h"
#include "environments/environment.h"
#include "environments/stack.h"
#include "environments/vm/guest_box.h"

#include <stdlib.h>

static struct environment_setup setup = {
    .agent_path = "/agent",
    .envelope = {.cpu_count = 2, .cpu_list = "0-1", .memory_bytes = UINT64_C(512) << 20},
    .cancel_fd = -1};

static void a_stack_is_split(void **state) {
    (void)state;
    static const struct {
        const char *text, *inner, *outer;
    } cases[] = {
        {"container@vm", "container", "vm"},
        {"container:seccomp=off@vm:machine=q35,disk=ide", "container:seccomp=off",
         "vm:machine=q35,disk=ide"},
        {"container:root=overlay@vm", "container:root=overlay", "vm"},
        {"container@vm:kernel=/boot/a@b", "container", "vm:kernel=/boot/a@b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error *err = NULL;
        cleanup_free char *inner = NULL, *outer = NULL;
        assert_int_equal(stack_split(cases[i].text, &inner, &outer, &err), 1);
        assert_string_equal(inner, cases[i].inner);
        assert_string_equal(outer, cases[i].outer);
    }
}

static void other_texts_are_none(void **state) {
    (void)state;
    static const char *const texts[] = {
        "host",
        "vm:kernel=/boot/a@b",
        "command:exec=ssh root@vm",
        "container@vmm",
        "fast@vm",
        "@vm",
        "container@",
        "vm:kernel=\"/x@vm\"",
        "",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct error *err = NULL;
        char *inner = NULL, *outer = NULL;
        assert_int_equal(stack_split(texts[i], &inner, &outer, &err), 0);
        assert_null(inner);
        assert_null(err);
    }
}

static void stacks_that_are_not_built_in_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"vm@container",    "container@host",  "container@uml",
                                        "container@vm@vm", "vm:cpu=host@vm",  "host@vm",
                                        "microguest@vm",   "container@vm@uml"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct error *err = NULL;
        struct environment *environment = NULL;
        assert_int_equal(environment_new(texts[i], &setup, &environment, &err), -1);
        assert_error(err, ERROR_USAGE, "not built in");
    }
}

static void both_sides_are_checked(void **state) {
    (void)state;
    struct error *err = NULL;
    struct environment *environment = NULL;
    assert_int_equal(environment_new("container:cpu=host@vm", &setup, &environment, &err), -1);
    assert_error(err, ERROR_USAGE, "environment \"container:cpu=host\": unknown key \"cpu\"");
    assert_int_equal(environment_new("container@vm:seccomp=off", &setup, &environment, &err), -1);
    assert_error(err, ERROR_USAGE, "environment \"vm:seccomp=off\": unknown key \"seccomp\"");
    environment_new("container:seccomp=off@vm:machine=q35", &setup, &environment, &err);
    assert_no_error(err);
    assert_string_equal(environment->label, "container:seccomp=off@vm:machine=q35");
    assert_string_equal(environment->spec->text, "container:seccomp=off@vm:machine=q35");
    assert_string_equal(environment_value(environment, "machine"), "q35");
    assert_string_equal(spec_given(environment->inner, "seccomp"), "off");
    environment_free(environment);
}

static void the_guest_is_told(void **state) {
    (void)state;
    struct error *err = NULL;
    struct environment *environment = NULL;
    struct vm_config config = {.cpus = 2};
    struct container_plan plan = {.agent_path = NULL};
    struct cgroup_limits limits = {.memory_bytes = 0};
    environment_new("container:userns=on,net=veth,data=overlay,cpu_quota=150%,mitigation=ssbd@vm",
                    &setup, &environment, &err);
    assert_no_error(err);
    assert_int_equal(guest_box_read(environment, &config, &err), 0);
    assert_true(config.overlays && config.veth);
    /* The kernel splits its command line at blanks and understands quotes. */
    assert_null(strpbrk(config.box, " \t\"'"));
    assert_int_equal(box_read(config.box, &plan, &limits), 0);
    assert_int_equal(plan.user_namespace, USER_NAMESPACE_LAST);
    assert_int_equal(plan.uid, CONTAINER_NOBODY);
    assert_int_equal(plan.root, ROOT_BIND);
    assert_true(plan.data_overlay);
    assert_true(plan.ssbd);
    assert_int_equal(plan.network, NETWORK_VETH);
    assert_int_equal(limits.memory_bytes, UINT64_C(512) << 20);
    assert_int_equal(limits.cpu_quota_us * 100 / limits.cpu_period_us, 150);
    environment_free(environment);
    environment_new("vm", &setup, &environment, &err);
    assert_no_error(err);
    config = (struct vm_config){.cpus = 2};
    assert_int_equal(guest_box_read(environment, &config, &err), 0);
    assert_string_equal(config.box, "");
    environment_free(environment);
}

static void nonsense_is_refused_in_the_guest(void **state) {
    (void)state;
    static const char *const texts[] = {
        "", "userns=1", "nonsense",
        "userns=9,id=0,net=0,root=0,overlay=0,ssbd=0,memory=1,pids=1,quota_us=0,period_us=0",
        "userns=0,id=0,net=0,root=7,overlay=0,ssbd=0,memory=1,pids=1,quota_us=0,period_us=0"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct container_plan plan = {.agent_path = NULL};
        struct cgroup_limits limits = {.memory_bytes = 0};
        assert_int_equal(box_read(texts[i], &plan, &limits), -1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_is_split),
        cmocka_unit_test(other_texts_are_none),
        cmocka_unit_test(stacks_that_are_not_built_in_are_refused),
        cmocka_unit_test(both_sides_are_checked),
        cmocka_unit_test(the_guest_is_told),
        cmocka_unit_test(nonsense_is_refused_in_the_guest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
