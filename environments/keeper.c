// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/keeper.h"

#include "common/file.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The harness's end: by its pidfd where there are such, else by the end of the pipe. */
static bool is_orphaned(int pipe_fd, int harness_fd) {
    for (;;) {
        struct pollfd waits[2] = {{.fd = pipe_fd, .events = POLLIN},
                                  {.fd = harness_fd, .events = POLLIN}};
        char word;
        if (poll(waits, 2, -1) < 0 && errno != EINTR)
            return false;
        if (waits[0].revents) {
            ssize_t count = read(pipe_fd, &word, 1);
            if (count == 1)
                return false;
            if (count == 0 && harness_fd < 0)
                return true;
            /* Others may still hold the pipe's other end, or it is closed a moment too early. */
            if (count == 0)
                waits[0].fd = pipe_fd = -1;
        }
        if (waits[1].revents)
            return true;
    }
}

static void take_signals(void (*how)(int)) {
    static const int disturbing[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof(disturbing) / sizeof(*disturbing); i++)
        signal(disturbing[i], how);
}

/* Away from the harness's terminal, signals and descriptors (locks among them). */
static void settle(int pipe_fd, int harness_fd) {
    setsid();
    take_signals(SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        dup2(null_fd, fd);
    for (int fd = 3; fd < 1024; fd++)
        if (fd != pipe_fd && fd != harness_fd)
            close(fd);
}

__attribute__((noreturn)) static void run_keeper(void (*clean)(const void *cookie),
                                                 const void *cookie, int pipe_fd, int harness_fd) {
    settle(pipe_fd, harness_fd);
    if (is_orphaned(pipe_fd, harness_fd)) {
        /* The commands that it may start are to be ended like any other. */
        take_signals(SIG_DFL);
        clean(cookie);
    }
    _exit(0);
}

int keeper_start(struct keeper *keeper, void (*clean)(const void *cookie), const void *cookie,
                 struct error **err) {
    int ends[2];
    if (keeper->pid > 0)
        return 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a pipe");
    int harness_fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    pid_t pid = fork();
    if (pid == 0)
        run_keeper(clean, cookie, ends[0], harness_fd);
    int fork_errno = errno;
    close(ends[0]);
    if (harness_fd >= 0)
        close(harness_fd);
    if (pid < 0) {
        close(ends[1]);
        return error_set(err, ERROR_INTERNAL, fork_errno, "cannot make a process");
    }
    *keeper = (struct keeper){.pid = pid, .fd = ends[1]};
    return 0;
}

void keeper_dismiss(struct keeper *keeper) {
    if (keeper->pid <= 0)
        return;
    /* Killed by someone: nobody reads. */
    void (*kept)(int) = signal(SIGPIPE, SIG_IGN);
    (void)!write(keeper->fd, "", 1);
    signal(SIGPIPE, kept);
    close(keeper->fd);
    while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    *keeper = KEEPER_NONE;
}
