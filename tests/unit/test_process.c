// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/unit.h"

#include "environments/process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define LONG_NS (60 * NS_PER_S)

static struct process_options shell(const char *const *arguments) {
    return (struct process_options){.arguments = arguments,
                                    .stdin_fd = -1,
                                    .stdout_fd = -1,
                                    .stderr_fd = -1,
                                    .cgroup_procs_fd = -1};
}

static void start(const struct process_options *options, struct process *ret_process) {
    struct error *err = NULL;
    process_start(options, ret_process, NULL, NULL, &err);
    assert_no_error(err);
}

/* Runs a shell command to its end and returns what it wrote to its standard output. */
static void run_shell(const char *command, struct process_options *options, char *output,
                      size_t capacity) {
    const char *const arguments[] = {"/bin/sh", "-c", command, NULL};
    int fds[2];
    struct process process;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    options->arguments = arguments;
    options->stdout_fd = fds[1];
    start(options, &process);
    close(fds[1]);
    size_t length = 0;
    for (ssize_t count; (count = read(fds[0], output + length, capacity - 1 - length)) > 0;)
        length += (size_t)count;
    output[length] = '\0';
    close(fds[0]);
    assert_true(process_wait(&process, deadline_after(monotonic_ns(), LONG_NS)));
}

static void status_is_told(void **state) {
    (void)state;
    const char *const arguments[] = {"/bin/sh", "-c", "exit 3", NULL};
    struct process_options options = shell(arguments);
    struct process process;
    start(&options, &process);
    assert_true(process.pid > 0);
    assert_true(process_wait(&process, deadline_after(monotonic_ns(), LONG_NS)));
    assert_true(process.reaped);
    assert_true(WIFEXITED(process.status));
    cleanup_free char *end = process_describe_end(&process);
    assert_string_equal(end, "exited with status 3");
    /* Asking again changes nothing. */
    assert_true(process_ended(&process));
    assert_true(process_end(&process, 0));
    assert_int_equal(process.pidfd, -1);
}

/* The linker gives everybody this one instead. */
pid_t __real_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
static int policy_of_wait = -1;

pid_t __wrap_waitpid(pid_t pid, int *status, int options) {
    policy_of_wait = sched_getscheduler(0);
    return __real_waitpid(pid, status, options);
}

/* An end is taken at ordinary priority, whatever that of who waits: it has it again afterwards. */
static void ends_are_taken_at_ordinary_priority(void **state) {
    (void)state;
    const char *const arguments[] = {"/bin/true", NULL};
    const struct sched_param lowest = {.sched_priority = 1}, ordinary = {.sched_priority = 0};
    struct process_options options = shell(arguments);
    struct process process;
    struct sched_param is;
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) < 0)
        skip_because("no real-time priority for this user");
    start(&options, &process);
    bool ended = process_wait(&process, deadline_after(monotonic_ns(), LONG_NS));
    int policy = sched_getscheduler(0), got = sched_getparam(0, &is);
    assert_int_equal(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary), 0);
    assert_true(ended);
    assert_int_equal(policy_of_wait, SCHED_OTHER | SCHED_RESET_ON_FORK);
    assert_int_equal(policy, SCHED_RR | SCHED_RESET_ON_FORK);
    assert_int_equal(got, 0);
    assert_int_equal(is.sched_priority, 1);
}

static void stamps_are_in_order(void **state) {
    (void)state;
    const char *const arguments[] = {"/bin/true", NULL};
    struct process_options options = shell(arguments);
    struct process process;
    uint64_t alive_ns = 0, exec_ns = 0, before_ns = monotonic_ns();
    assert_int_equal(process_start(&options, &process, &alive_ns, &exec_ns, NULL), 0);
    assert_true(process_wait(&process, deadline_after(monotonic_ns(), LONG_NS)));
    assert_true(before_ns <= alive_ns && alive_ns <= exec_ns && exec_ns <= monotonic_ns());
}

static void a_missing_program_is_an_error_not_a_child(void **state) {
    (void)state;
    const char *const arguments[] = {"/nonexistent/program", NULL};
    struct process_options options = shell(arguments);
    struct process process = PROCESS_NONE;
    struct error *err = NULL;
    assert_int_equal(process_start(&options, &process, NULL, NULL, &err), -1);
    assert_int_equal(err->errnum, ENOENT);
    assert_error(err, ERROR_INTERNAL, "/nonexistent/program");
    assert_int_equal(process.pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_true(process_ended(&process));
}

static void one_that_does_not_end_is_killed(void **state) {
    (void)state;
    const char *const arguments[] = {"/bin/sh", "-c", "trap '' TERM INT HUP; kill -STOP $$", NULL};
    struct process_options options = shell(arguments);
    struct process process;
    start(&options, &process);
    assert_false(process_ended(&process));
    assert_false(process_wait(&process, monotonic_ns()));
    cleanup_free char *running = process_describe_end(&process);
    assert_string_equal(running, "is still running");
    assert_true(process_end(&process, monotonic_ns()));
    cleanup_free char *end = process_describe_end(&process);
    assert_string_equal(end, "was killed by signal 9 (Killed)");
}

/* The harness's own descriptors must not leak into what it measures. */
static void only_the_given_descriptors_are_passed_on(void **state) {
    (void)state;
    const char *const none[] = {NULL};
    struct process_options options = shell(none);
    cleanup_fd int kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
    cleanup_fd int private = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char output[256], command[256];
    snprintf(command, sizeof(command),
             "test -e /proc/self/fd/%d && echo kept; test -e /proc/self/fd/%d && echo leaked", kept,
             private);
    options.keep_fds = (const int[]){kept, -1};
    run_shell(command, &options, output, sizeof(output));
    assert_string_equal(output, "kept\n");
}

static void standard_descriptors_may_be_swapped(void **state) {
    (void)state;
    const char *const none[] = {NULL};
    struct process_options options = shell(none);
    char output[256];
    /* Without a given descriptor it is /dev/null: reading ends at once. */
    run_shell("cat; readlink /proc/self/fd/0", &options, output, sizeof(output));
    assert_string_equal(output, "/dev/null\n");
}

static void signals_and_affinity_are_set(void **state) {
    (void)state;
    const char *const none[] = {NULL};
    struct process_options options = shell(none);
    cpu_set_t allowed, one;
    char output[256], expected[32];
    unsigned cpu = 0;
    assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    options.cpus = &one;
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    run_shell("sed -n 's/^Cpus_allowed_list:.//p; s/^SigBlk:.//p' /proc/self/status", &options,
              output, sizeof(output));
    sigprocmask(SIG_SETMASK, &before, NULL);
    snprintf(expected, sizeof(expected), "0000000000000000\n%u\n", cpu);
    assert_string_equal(output, expected);
}

static void own_usage_can_be_read(void **state) {
    (void)state;
    volatile uint64_t spin = 0;
    while (process_cpu_ns(getpid()) == 0)
        spin++;
    uint64_t pss_bytes = process_pss_bytes(getpid());
    if (pss_bytes != UINT64_MAX)
        assert_true(pss_bytes > 0);
    /* A pid above the kernel's limit cannot exist. */
    assert_int_equal(process_cpu_ns(1 << 23), 0);
    assert_true(process_pss_bytes(1 << 23) == UINT64_MAX);
}

static void mappings_can_be_told_apart(void **state) {
    (void)state;
    enum { BYTES = 64 << 20, TOUCHED = 8 << 20 };
    uint64_t before = process_mappings_bytes(getpid(), BYTES, NULL);
    int fd = memfd_create("marked", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, BYTES), 0);
    char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(memory != MAP_FAILED);
    memset(memory, 1, TOUCHED);
    assert_true(process_mappings_bytes(getpid(), BYTES, NULL) >= before + TOUCHED);
    assert_true(process_mappings_bytes(getpid(), 0, "memfd:marked") == TOUCHED);
    assert_true(process_mappings_bytes(getpid(), 2 * (uint64_t)BYTES, "memfd:marked") == 0);
    assert_true(process_mappings_bytes(1 << 23, 0, NULL) == UINT64_MAX);
    munmap(memory, BYTES);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_told),
        cmocka_unit_test(ends_are_taken_at_ordinary_priority),
        cmocka_unit_test(stamps_are_in_order),
        cmocka_unit_test(a_missing_program_is_an_error_not_a_child),
        cmocka_unit_test(one_that_does_not_end_is_killed),
        cmocka_unit_test(only_the_given_descriptors_are_passed_on),
        cmocka_unit_test(standard_descriptors_may_be_swapped),
        cmocka_unit_test(signals_and_affinity_are_set),
        cmocka_unit_test(own_usage_can_be_read),
        cmocka_unit_test(mappings_can_be_told_apart),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
