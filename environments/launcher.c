// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/launcher.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PREPARE_TIMEOUT_NS (10 * NS_PER_S)

/* Seen by the harness, the launcher and the new process until it executes. */
struct launch_shared {
    pid_t pid; /* of the new process; the kernel writes it before that runs */
    uint64_t alive_ns;
};

/* What went wrong, as it comes through the report pipe. */
struct launch_failure {
    int errnum;
    char step[96];
};

static void report_failure(int report_fd, const char *step) {
    struct launch_failure failure = {.errnum = errno};
    strncpy(failure.step, step, sizeof(failure.step) - 1);
    (void)!write(report_fd, &failure, sizeof(failure));
}

/* clone3, or clone where a sandbox or a tool hides clone3. The child goes on with a copy of this
 * stack; it becomes a child of the harness, so that the launcher may go. */
static pid_t make_process(uint64_t namespaces, pid_t *pid_to) {
    struct clone_args arguments = {
        .flags = namespaces | CLONE_PARENT | CLONE_PARENT_SETTID,
        .parent_tid = (uint64_t)(uintptr_t)pid_to,
    };
    long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid < 0 && (errno == ENOSYS || errno == EPERM))
        pid = syscall(SYS_clone, arguments.flags | SIGCHLD, NULL, pid_to, NULL, 0);
    return (pid_t)pid;
}

void launch_program_child(const void *cookie, const char **step) {
    const struct launch_program *program = cookie;
    *step = "giving up its privileges";
    if (program->unprivileged && unprivileged_become(program->unprivileged) < 0)
        return;
    *step = "taking its descriptors";
    if (launched_process_settle(program->stdin_fd, program->stdout_fd, program->stderr_fd) < 0)
        return;
    for (const int *fd = program->keep_fds; fd && *fd >= 0; fd++)
        if (fcntl(*fd, F_SETFD, 0) < 0)
            return;
    *step = "executing it";
    execve(program->arguments[0], (char *const *)program->arguments,
           (char *const *)(program->environment ? program->environment : launch_environment));
}

static bool take_place(const struct launch_plan *plan, const char **step) {
    *step = "pinning to the CPUs";
    if (plan->cpus && sched_setaffinity(0, sizeof(*plan->cpus), plan->cpus) < 0)
        return false;
    *step = "joining the cgroup";
    for (const int *fd = plan->join_fds; fd && *fd >= 0; fd++)
        if (write(*fd, "0", 1) != 1)
            return false;
    return true;
}

__attribute__((noreturn)) static void run_child(const struct launch_plan *plan,
                                                struct launch_shared *shared, int report_fd) {
    const char *step = plan->name;
    shared->alive_ns = monotonic_ns();
    if (plan->session)
        *plan->session = shared->pid;
    plan->child(plan->cookie, &step);
    report_failure(report_fd, step);
    _exit(127);
}

__attribute__((noreturn)) static void run_launcher(const struct launch_plan *plan,
                                                   struct launch_shared *shared, int gate_fd,
                                                   int report_fd, pid_t harness) {
    const char *step = "the launcher";
    char word;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != harness || !take_place(plan, &step)) {
        report_failure(report_fd, step);
        _exit(1);
    }
    /* The user's Ctrl-C is the harness's business. */
    signal(SIGINT, SIG_IGN);
    if (write(report_fd, "", 1) != 1 || read(gate_fd, &word, 1) != 1)
        _exit(0);
    pid_t pid = make_process(plan->namespaces, &shared->pid);
    if (pid == 0)
        run_child(plan, shared, report_fd);
    if (pid < 0)
        report_failure(report_fd, "making its process and namespaces");
    /* Its end of file is now the moment of the exec. */
    close(report_fd);
    /* Taking this copy down costs CPU time: not while the new process starts. */
    (void)!read(gate_fd, &word, 1);
    _exit(0);
}

/* The next thing on the report pipe: its size, 0 at the end of file, -1 with an error. */
static ssize_t await_report(struct launcher *launcher, uint64_t timeout_ns,
                            struct launch_failure *ret_failure, uint64_t *ret_arrival_ns,
                            struct error **err) {
    const struct launch_plan *plan = launcher->plan;
    uint64_t deadline_ns = deadline_after(monotonic_ns(), timeout_ns);
    for (;;) {
        struct pollfd waits[2] = {{.fd = launcher->report_fd, .events = POLLIN},
                                  {.fd = plan->cancel_fd, .events = POLLIN}};
        poll(waits, 2, deadline_poll_ms(monotonic_ns(), deadline_ns));
        if (waits[1].revents)
            return error_set(err, ERROR_INTERRUPTED, 0, "interrupted");
        if (waits[0].revents) {
            ssize_t count = read(launcher->report_fd, ret_failure, sizeof(*ret_failure));
            if (count < 0 && errno == EINTR)
                continue;
            *ret_arrival_ns = monotonic_ns();
            return count;
        }
        if (monotonic_ns() >= deadline_ns)
            return error_set(err, ERROR_TIMEOUT, 0, "%s was not started within %.1f s", plan->name,
                             (double)timeout_ns / 1e9);
    }
}

static int failure_error(const struct launch_plan *plan, const struct launch_failure *failure,
                         struct error **err) {
    return error_set(err, ERROR_INTERNAL, failure->errnum, "cannot start %s: %s", plan->name,
                     failure->step);
}

int launcher_prepare(struct launcher *launcher, const struct launch_plan *plan,
                     struct error **err) {
    *launcher = LAUNCHER_NONE;
    launcher->plan = plan;
    int gate[2], report[2];
    if (pipe2(gate, O_CLOEXEC) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot start %s", plan->name);
    cleanup_fd int gate_read_fd = gate[0];
    launcher->gate_fd = gate[1];
    if (pipe2(report, O_CLOEXEC) < 0) {
        error_set(err, ERROR_INTERNAL, errno, "cannot start %s", plan->name);
        launcher_dismiss(launcher);
        return -1;
    }
    cleanup_fd int report_write_fd = report[1];
    launcher->report_fd = report[0];
    void *page = mmap(NULL, sizeof(struct launch_shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t harness = getpid();
    pid_t pid = -1;
    if (page != MAP_FAILED) {
        launcher->shared = page;
        pid = fork();
    }
    if (pid == 0) {
        close(launcher->gate_fd);
        close(launcher->report_fd);
        run_launcher(plan, launcher->shared, gate_read_fd, report_write_fd, harness);
    }
    if (pid < 0) {
        error_set(err, ERROR_INTERNAL, errno, "cannot start %s", plan->name);
        launcher_dismiss(launcher);
        return -1;
    }
    launcher->process = process_of_child(pid);
    close_fd(&report_write_fd);
    struct launch_failure failure = {.errnum = 0, .step = "the launcher ended"};
    uint64_t arrival_ns;
    ssize_t count = await_report(launcher, PREPARE_TIMEOUT_NS, &failure, &arrival_ns, err);
    if (count == 1)
        return 0;
    if (count >= 0)
        failure_error(plan, &failure, err);
    launcher_dismiss(launcher);
    return -1;
}

int launcher_go(struct launcher *launcher, struct process *ret_process, uint64_t *ret_alive_ns,
                uint64_t *ret_exec_ns, struct error **err) {
    const struct launch_plan *plan = launcher->plan;
    volatile struct launch_shared *shared = launcher->shared;
    struct launch_failure failure = {.errnum = 0, .step = "the launcher ended"};
    uint64_t arrival_ns = 0;
    if (write(launcher->gate_fd, "", 1) != 1)
        return failure_error(plan, &failure, err);
    ssize_t count = await_report(launcher, plan->timeout_ns, &failure, &arrival_ns, err);
    if (count == 0 && shared->pid > 0) {
        *ret_process = process_of_child(shared->pid);
        if (ret_alive_ns)
            *ret_alive_ns = shared->alive_ns;
        if (ret_exec_ns)
            *ret_exec_ns = arrival_ns;
        return 0;
    }
    if (count >= 0)
        failure_error(plan, &failure, err);
    /* First the launcher, so that nothing new appears; then what it made. */
    process_end(&launcher->process, 0);
    if (shared->pid > 0) {
        struct process half_made = process_of_child(shared->pid);
        process_end(&half_made, 0);
    }
    return -1;
}

void launcher_dismiss(struct launcher *launcher) {
    if (launcher->gate_fd >= 0)
        close_fd(&launcher->gate_fd);
    /* It has nothing to clean up, and others may hold copies of its gate. */
    if (launcher->process.pid > 0)
        process_end(&launcher->process, 0);
    if (launcher->report_fd >= 0)
        close_fd(&launcher->report_fd);
    if (launcher->shared)
        munmap(launcher->shared, sizeof(*launcher->shared));
    launcher->shared = NULL;
}
