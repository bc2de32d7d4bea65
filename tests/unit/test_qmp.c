// SPDX-License-Identifier: GPL-3.0-or-later
/* QEMU's control channel: against scripted peers, and against a real QEMU that stays paused. */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "environments/process.h"
#include "environments/vm/kvm_counters.h"
#include "environments/vm/qmp.h"

#include <sys/socket.h>

#define SOON_NS (30 * NS_PER_S)

static const char greeting[] = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";

/* A peer that has said everything before it is asked; its end stays open in *ret_peer. */
static int scripted(const char *text, int *ret_peer) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
    *ret_peer = ends[1];
    return ends[0];
}

static void assert_open_fails(const char *text, bool close_peer, enum error_kind kind,
                              const char *reason) {
    int peer;
    int fd = scripted(text, &peer);
    struct qmp *qmp = NULL;
    struct error *err = NULL;
    if (close_peer)
        close_fd(&peer);
    assert_int_equal(qmp_open(fd, -1, monotonic_ns() + 100 * NS_PER_MS, &qmp, &err), -1);
    assert_error(err, kind, reason);
    if (peer >= 0)
        close(peer);
}

static void test_peers_that_are_no_qemu(void **state) {
    (void)state;
    assert_open_fails("", false, ERROR_TIMEOUT, "control channel");
    assert_open_fails("", true, ERROR_CLOSED, "closed its control channel");
    assert_open_fails("hello\n", false, ERROR_INTERNAL, "not a JSON object");
    assert_open_fails("[1]\n", false, ERROR_INTERNAL, "not a JSON object");
    assert_open_fails("{\"event\": \"RESET\"}\n", false, ERROR_INTERNAL, "no greeting");
    assert_open_fails(greeting, false, ERROR_TIMEOUT, "control channel");
}

static void test_events_and_errors(void **state) {
    (void)state;
    char *text = text_format("%s{\"return\": {}, \"id\": 1}\n"
                             "{\"event\": \"RESUME\"}\n"
                             "{\"return\": \"of something old\", \"id\": 1}\n"
                             "{\"return\": {\"enabled\": true}, \"id\": 2}\n"
                             "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no such\"}, "
                             "\"id\": 3}\n",
                             greeting);
    int peer;
    int fd = scripted(text, &peer);
    struct qmp *qmp = NULL;
    struct error *err = NULL;
    json_t *answer = NULL;
    uint64_t deadline_ns = monotonic_ns() + SOON_NS;
    qmp_open(fd, -1, deadline_ns, &qmp, &err);
    assert_no_error(err);
    qmp_execute(qmp, "query-kvm", NULL, deadline_ns, &answer, &err);
    assert_no_error(err);
    assert_true(json_is_true(json_object_get(answer, "enabled")));
    json_decref(answer);
    assert_int_equal(qmp_execute(qmp, "other", NULL, deadline_ns, &answer, &err), -1);
    assert_error(err, ERROR_INTERNAL, "refuses other: no such");
    close(peer);
    assert_int_equal(qmp_execute(qmp, "more", NULL, deadline_ns, NULL, &err), -1);
    assert_error(err, ERROR_CLOSED, "");
    qmp_close(qmp);
    free(text);
}

/* A QEMU that has been told not to start its processor. NULL where it cannot be had. */
static struct qmp *start_paused(const char *accel, struct process *process) {
    cleanup_free char *path = file_find_program("qemu-system-x86_64");
    int ends[2];
    if (!path)
        return NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    cleanup_free char *chardev = text_format("socket,id=qmp,fd=%d", ends[1]);
    const char *const arguments[] = {path,
                                     "-S",
                                     "-machine",
                                     "microvm",
                                     "-accel",
                                     accel,
                                     "-m",
                                     "32",
                                     "-smp",
                                     "2",
                                     "-nodefaults",
                                     "-no-user-config",
                                     "-nographic",
                                     "-chardev",
                                     chardev,
                                     "-mon",
                                     "chardev=qmp,mode=control",
                                     NULL};
    const int keep[] = {ends[1], -1};
    struct error *err = NULL;
    process_start(&(struct process_options){.arguments = arguments,
                                            .stdin_fd = -1,
                                            .stdout_fd = -1,
                                            .stderr_fd = -1,
                                            .keep_fds = keep,
                                            .cgroup_procs_fd = -1},
                  process, NULL, NULL, &err);
    assert_no_error(err);
    close(ends[1]);
    struct qmp *qmp = NULL;
    if (qmp_open(ends[0], -1, monotonic_ns() + SOON_NS, &qmp, NULL) < 0)
        process_end(process, 0);
    return qmp;
}

static void quit(struct qmp *qmp, struct process *process) {
    struct error *err = NULL;
    qmp_execute(qmp, "quit", NULL, monotonic_ns() + SOON_NS, NULL, &err);
    assert_no_error(err);
    assert_true(process_wait(process, monotonic_ns() + SOON_NS));
    qmp_close(qmp);
}

static void test_a_real_qemu(void **state) {
    (void)state;
    struct process process = PROCESS_NONE;
    struct qmp *qmp = start_paused("tcg", &process);
    if (!qmp)
        skip_because("there is no QEMU for x86-64");
    struct error *err = NULL;
    uint64_t deadline_ns = monotonic_ns() + SOON_NS;
    json_t *answer = NULL, *counters = json_object();
    qmp_execute(qmp, "query-cpus-fast", NULL, deadline_ns, &answer, &err);
    assert_no_error(err);
    assert_int_equal(json_array_size(answer), 2);
    json_decref(answer);
    /* Without KVM there is nothing to count, and that is no error. */
    kvm_counters_read(qmp, deadline_ns, counters, &err);
    assert_no_error(err);
    assert_int_equal(json_object_size(counters), 0);
    json_decref(counters);
    quit(qmp, &process);
}

static void test_counters_of_kvm(void **state) {
    (void)state;
    struct process process = PROCESS_NONE;
    struct qmp *qmp = start_paused("kvm", &process);
    if (!qmp)
        skip_because("QEMU does not start with KVM here");
    struct error *err = NULL;
    json_t *counters = json_object();
    kvm_counters_read(qmp, monotonic_ns() + SOON_NS, counters, &err);
    assert_no_error(err);
    bool offered = json_object_size(counters) > 0;
    bool has_exits = json_is_integer(json_object_get(counters, "exits"));
    json_decref(counters);
    quit(qmp, &process);
    if (!offered)
        skip_because("this kernel or QEMU does not offer KVM's statistics");
    assert_true(has_exits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers_that_are_no_qemu),
        cmocka_unit_test(test_events_and_errors),
        cmocka_unit_test(test_a_real_qemu),
        cmocka_unit_test(test_counters_of_kvm),
    };
    return cmocka_run_group_tests_name("qmp", tests, NULL, NULL);
}
