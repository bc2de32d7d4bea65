// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/process.h"

#include "common/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* After SIGKILL a process ends unless the kernel holds it in an uninterruptible wait. */
#define KILL_WAIT_NS (5 * NS_PER_S)

/* The child's side: sets everything up and executes; reports errno over report_fd and ends. */
__attribute__((noreturn)) static void run_child(const struct process_options *options,
                                                int report_fd, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int standard[3] = {options->stdin_fd, options->stdout_fd, options->stderr_fd};
    int moved[3];
    /* Out of the way first: a source may itself be one of 0, 1, 2. */
    for (int i = 0; i < 3; i++)
        moved[i] = fcntl(standard[i] >= 0 ? standard[i] : null_fd, F_DUPFD_CLOEXEC, 3);
    bool fine = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
    for (int i = 0; i < 3; i++)
        fine = fine && dup2(moved[i], i) >= 0;
    for (const int *fd = options->keep_fds; fine && fd && *fd >= 0; fd++)
        fine = fcntl(*fd, F_SETFD, 0) == 0;
    if (fine && options->cpus)
        fine = sched_setaffinity(0, sizeof(*options->cpus), options->cpus) == 0;
    if (fine && options->cgroup_procs_fd >= 0)
        fine = write(options->cgroup_procs_fd, "0", 1) == 1;
    if (fine)
        execv(options->arguments[0], (char *const *)options->arguments);
    int reason = errno;
    (void)!write(report_fd, &reason, sizeof(reason));
    _exit(127);
}

int process_start(const struct process_options *options, struct process *ret_process,
                  uint64_t *ret_alive_ns, uint64_t *ret_exec_ns, struct error **err) {
    /* The write end closes by exec: its end of file is the moment of the exec. */
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot start %s", options->arguments[0]);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        run_child(options, report[1], parent);
    int fork_errno = errno;
    uint64_t alive_ns = monotonic_ns();
    close(report[1]);
    cleanup_fd int report_fd = report[0];
    if (pid < 0)
        return error_set(err, ERROR_INTERNAL, fork_errno, "cannot start %s", options->arguments[0]);
    int reason = 0;
    ssize_t count;
    do
        count = read(report_fd, &reason, sizeof(reason));
    while (count < 0 && errno == EINTR);
    if (count == sizeof(reason)) {
        waitpid(pid, NULL, 0);
        return error_set(err, ERROR_INTERNAL, reason, "cannot execute %s", options->arguments[0]);
    }
    if (ret_exec_ns)
        *ret_exec_ns = monotonic_ns();
    if (ret_alive_ns)
        *ret_alive_ns = alive_ns;
    *ret_process = process_of_child(pid);
    return 0;
}

struct process process_of_child(pid_t pid) {
    /* A pidfd closes on exec by itself. */
    return (struct process){.pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0)};
}

/*
 * Takes an ended child's status at ordinary priority. Its last thread may still be taking the
 * child's names out of /proc; the kernel's release_task waits for that without sleeping, and where
 * that thread has no CPU but ours, waits for ever at a real-time priority: until the kernel takes
 * it away, 0.95 s later (sched_rt_runtime_us).
 */
static pid_t collect(pid_t pid, int *ret_status) {
    const struct sched_param ordinary = {.sched_priority = 0};
    struct sched_param ours;
    int policy = sched_getscheduler(0);
    bool lowered =
        policy >= 0 && (policy & ~SCHED_RESET_ON_FORK) != SCHED_OTHER &&
        sched_getparam(0, &ours) == 0 &&
        sched_setscheduler(0, SCHED_OTHER | (policy & SCHED_RESET_ON_FORK), &ordinary) == 0;
    pid_t got = waitpid(pid, ret_status, WNOHANG);
    if (lowered)
        (void)sched_setscheduler(0, policy, &ours);
    return got;
}

bool process_ended(struct process *process) {
    if (process->pid <= 0 || process->reaped)
        return true;
    siginfo_t info = {0};
    int status = 0;
    /* Whether there is anything to take; ECHILD: it is gone. */
    int result = waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    if (result == 0 ? info.si_pid == 0 : errno == EINTR)
        return false;
    pid_t got = collect(process->pid, &status);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    process->reaped = true;
    process->status = got == process->pid ? status : 0;
    if (process->pidfd >= 0)
        close_fd(&process->pidfd);
    return true;
}

bool process_wait(struct process *process, uint64_t deadline_ns) {
    while (!process_ended(process)) {
        uint64_t now_ns = monotonic_ns();
        if (now_ns >= deadline_ns)
            return false;
        struct pollfd wait = {.fd = process->pidfd, .events = POLLIN};
        int timeout_ms = deadline_poll_ms(now_ns, deadline_ns);
        /* Without pidfds (before Linux 5.3) there is nothing to wait on: look again soon. */
        if (process->pidfd < 0 && (timeout_ms < 0 || timeout_ms > 2))
            timeout_ms = 2;
        poll(&wait, process->pidfd >= 0 ? 1 : 0, timeout_ms);
    }
    return true;
}

bool process_end(struct process *process, uint64_t grace_deadline_ns) {
    if (process_wait(process, grace_deadline_ns))
        return true;
    kill(process->pid, SIGKILL);
    return process_wait(process, deadline_after(monotonic_ns(), KILL_WAIT_NS));
}

/* Does this process run that program? */
static bool runs(pid_t pid, const char *program) {
    char link[64];
    snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    cleanup_free char *found = realpath(link, NULL);
    cleanup_free char *wanted = realpath(program, NULL);
    return found && wanted && strcmp(found, wanted) == 0;
}

void process_kill_session(pid_t session, const char *program) {
    cleanup_dir DIR *dir = opendir("/proc");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0 && getsid(pid) == session && (!program || runs(pid, program)))
            kill(pid, SIGKILL);
    }
}

char *process_describe_end(const struct process *process) {
    if (!process->reaped)
        return strdup("is still running");
    if (WIFSIGNALED(process->status))
        return text_format("was killed by signal %d (%s)", WTERMSIG(process->status),
                           strsignal(WTERMSIG(process->status)));
    return text_format("exited with status %d", WEXITSTATUS(process->status));
}

char *process_cpus_allowed(pid_t pid) {
    static const char key[] = "\nCpus_allowed_list:\t";
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    cleanup_free char *status = NULL;
    if (file_read(path, &status, NULL, NULL) < 0)
        return NULL;
    const char *at = strstr(status, key);
    return at ? strndup(at + strlen(key), strcspn(at + strlen(key), "\n")) : NULL;
}

uint64_t process_cpu_ns(pid_t pid) {
    clockid_t clock;
    struct timespec spent;
    /* Finer than the clock ticks of /proc/PID/stat. */
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &spent) < 0)
        return 0;
    return (uint64_t)spent.tv_sec * NS_PER_S + (uint64_t)spent.tv_nsec;
}

uint64_t process_pss_bytes(pid_t pid) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    cleanup_free char *text = NULL;
    if (file_read(path, &text, NULL, NULL) < 0)
        return UINT64_MAX;
    const char *line = strstr(text, "\nPss:");
    unsigned long long kibibytes;
    if (!line || sscanf(line, " Pss: %llu kB", &kibibytes) != 1)
        return UINT64_MAX;
    return kibibytes * 1024;
}

uint64_t process_mappings_bytes(pid_t pid, uint64_t minimum_bytes, const char *name) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    cleanup_free char *text = NULL;
    if (file_read(path, &text, NULL, NULL) < 0)
        return UINT64_MAX;
    uint64_t start, end, kibibytes, bytes = 0;
    bool counts = false;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2)
            counts = end - start >= minimum_bytes && (!name || strstr(line, name));
        else if (counts && sscanf(line, "Pss: %" SCNu64 " kB", &kibibytes) == 1)
            bytes += kibibytes << 10;
    }
    return bytes;
}
