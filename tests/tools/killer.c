// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Kills a program with SIGKILL at a chosen moment, and finds what outlives it: every descendant is
 * adopted here (subreaper), whatever namespaces and sessions it went into.
 *
 *   killer (--after NANOSECONDS | --at CALL | --never) -- COMMAND [ARGUMENT]...
 *
 * --at kills at the entry of the N-th system call of the program itself, found by ptrace. Its
 * output goes to standard error; on standard output: "killed", or "ended STATUS"; "calls N" (with
 * --at) and "ns N"; one line "orphan PID COMMAND" for each process that still lives ten seconds
 * later, which is then killed. Status 0 unless there were orphans (3), or it could not be done
 * (77).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_NS UINT64_C(10000000000)

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void sleep_ns(uint64_t ns) {
    struct timespec left = {.tv_sec = (time_t)(ns / 1000000000),
                            .tv_nsec = (long)(ns % 1000000000)};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static pid_t start(char **command, bool traced) {
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    dup2(STDERR_FILENO, STDOUT_FILENO);
    if (traced && (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0))
        _exit(77);
    execvp(command[0], command);
    _exit(127);
}

/* Goes from call to call; true when the program was killed. *status is set when it ended. */
static bool kill_at_call(pid_t pid, uint64_t at, uint64_t *calls, int *status) {
    bool inside = false;
    if (waitpid(pid, status, 0) != pid || !WIFSTOPPED(*status))
        return false;
    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (int pass_on = 0;; pass_on = 0) {
        if (ptrace(PTRACE_SYSCALL, pid, NULL, pass_on) < 0 || waitpid(pid, status, 0) != pid)
            return false;
        if (!WIFSTOPPED(*status))
            return false;
        if (WSTOPSIG(*status) != (SIGTRAP | 0x80)) {
            pass_on = WSTOPSIG(*status) == SIGTRAP ? 0 : WSTOPSIG(*status);
            continue;
        }
        inside = !inside;
        if (inside && ++*calls == at) {
            kill(pid, SIGKILL);
            return true;
        }
    }
}

static bool kill_after(pid_t pid, uint64_t ns, int *status) {
    for (uint64_t end_ns = now_ns() + ns; now_ns() < end_ns; sleep_ns(200000))
        if (waitpid(pid, status, WNOHANG) == pid)
            return false;
    kill(pid, SIGKILL);
    return true;
}

static void tell_orphan(pid_t pid) {
    char path[64], text[200] = "";
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    for (ssize_t i = 0; i + 1 < count; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    if (fd >= 0)
        close(fd);
    printf("orphan %d %s\n", (int)pid, text);
    kill(pid, SIGKILL);
}

/* Names and kills our children that live; returns how many there were. */
static unsigned end_orphans(void) {
    char path[64];
    unsigned count = 0;
    int pid;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "re");
    while (children && fscanf(children, "%d", &pid) == 1) {
        tell_orphan(pid);
        count++;
    }
    if (children)
        fclose(children);
    return count;
}

/* Waits until nobody is left; returns how many had to be killed. */
static unsigned wait_for_all(void) {
    unsigned orphans = 0;
    uint64_t deadline_ns = now_ns() + GRACE_NS;
    for (;;) {
        pid_t got = waitpid(-1, NULL, orphans ? 0 : WNOHANG);
        if (got < 0 && errno == ECHILD)
            return orphans;
        if (got == 0 && now_ns() >= deadline_ns) {
            unsigned more = end_orphans();
            if (more == 0)
                return orphans;
            orphans += more;
        } else if (got == 0) {
            sleep_ns(1000000);
        }
    }
}

int main(int argc, char **argv) {
    enum { AFTER, AT, NEVER } mode = NEVER;
    int at = 1;
    uint64_t number = 0, calls = 0;
    if (argc > 2 && (strcmp(argv[1], "--after") == 0 || strcmp(argv[1], "--at") == 0)) {
        mode = argv[1][3] == 'f' ? AFTER : AT;
        number = strtoull(argv[2], NULL, 10);
        at = 3;
    } else if (argc > 1 && strcmp(argv[1], "--never") == 0) {
        at = 2;
    }
    if (at == 1 || at + 1 >= argc || strcmp(argv[at], "--") != 0) {
        fputs("usage: killer (--after NANOSECONDS | --at CALL | --never) -- COMMAND...\n", stderr);
        return 2;
    }
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return 77;
    uint64_t begin_ns = now_ns();
    pid_t pid = start(argv + at + 1, mode != AFTER);
    int status = 0;
    bool killed = mode == AFTER ? kill_after(pid, number, &status)
                                : kill_at_call(pid, number, &calls, &status);
    if (killed)
        waitpid(pid, &status, 0);
    uint64_t ns = now_ns() - begin_ns;
    if (killed && WIFSIGNALED(status))
        puts("killed");
    else
        printf("ended %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    printf("pid %d\ncalls %llu\nns %llu\n", (int)pid, (unsigned long long)calls,
           (unsigned long long)ns);
    return wait_for_all() > 0 ? 3 : WIFEXITED(status) && WEXITSTATUS(status) == 77 ? 77 : 0;
}
