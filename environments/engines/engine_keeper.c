// SPDX-License-Identifier: GPL-3.0-or-later
/* Cleans up after a harness that was killed. */
#include "environments/engines/engine.h"

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

/* Away from the harness's terminal, signals and descriptors (locks among them). */
static void settle(int pipe_fd, int harness_fd) {
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    setsid();
    for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
        signal(ignored[i], SIG_IGN);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        dup2(null_fd, fd);
    for (int fd = 3; fd < 1024; fd++)
        if (fd != pipe_fd && fd != harness_fd)
            close(fd);
}

static void say_nothing(void *cookie, const char *what) {
    (void)cookie;
    (void)what;
}

__attribute__((noreturn)) static void run_keeper(struct environment *environment, int pipe_fd,
                                                 int harness_fd) {
    settle(pipe_fd, harness_fd);
    if (is_orphaned(pipe_fd, harness_fd)) {
        const struct engine_world *world = environment->state;
        cgroup_remove_leftovers(world->cgroups);
        file_remove_tree(world->folder, NULL);
        engine_remove_leftovers(environment->ops, say_nothing, NULL);
    }
    _exit(0);
}

int engine_keeper_start(struct environment *environment, struct error **err) {
    struct engine_world *world = environment->state;
    int ends[2];
    if (world->keeper > 0)
        return 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot watch over %s", environment->label);
    int harness_fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    pid_t pid = fork();
    if (pid == 0)
        run_keeper(environment, ends[0], harness_fd);
    int fork_errno = errno;
    close(ends[0]);
    if (harness_fd >= 0)
        close(harness_fd);
    if (pid < 0) {
        close(ends[1]);
        return error_set(err, ERROR_INTERNAL, fork_errno, "cannot watch over %s",
                         environment->label);
    }
    world->keeper = pid;
    world->keeper_fd = ends[1];
    return 0;
}

void engine_keeper_dismiss(struct engine_world *world) {
    if (world->keeper <= 0)
        return;
    /* Killed by someone: nobody reads. */
    void (*kept)(int) = signal(SIGPIPE, SIG_IGN);
    (void)!write(world->keeper_fd, "", 1);
    signal(SIGPIPE, kept);
    close(world->keeper_fd);
    while (waitpid(world->keeper, NULL, 0) < 0 && errno == EINTR)
        continue;
    world->keeper = 0;
    world->keeper_fd = -1;
}
