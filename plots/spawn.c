// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/spawn.h"

#include "common/clock.h"
#include "common/text.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* The last of a program's words; more is not kept. */
enum { TAIL_BYTES = 600 };

struct tail {
    char text[TAIL_BYTES + 1];
    size_t size;
};

static void tail_add(struct tail *tail, const char *data, size_t size) {
    if (size > TAIL_BYTES) {
        data += size - TAIL_BYTES;
        size = TAIL_BYTES;
    }
    size_t kept = tail->size + size > TAIL_BYTES ? TAIL_BYTES - size : tail->size;
    if (kept < tail->size)
        memmove(tail->text, tail->text + tail->size - kept, kept);
    memcpy(tail->text + kept, data, size);
    tail->size = kept + size;
    tail->text[tail->size] = '\0';
}

/* Reads until the end of the stream (0) or the deadline (-1). */
static int drain(int fd, uint64_t deadline_ns, struct tail *tail) {
    for (;;) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        int ready = poll(&poller, 1, deadline_poll_ms(monotonic_ns(), deadline_ns));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return -1;
        char chunk[4096];
        ssize_t count = read(fd, chunk, sizeof(chunk));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return 0;
        tail_add(tail, chunk, (size_t)count);
    }
}

static void actions_cleanup(posix_spawn_file_actions_t *actions) {
    posix_spawn_file_actions_destroy(actions);
}

static int start(const char *const *arguments, const char *folder, int output_fd, pid_t *ret_pid,
                 struct error **err) {
    __attribute__((cleanup(actions_cleanup))) posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return error_no_memory(err);
    int failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, output_fd, 1);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, output_fd, 2);
    if (!failed)
        failed = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (!failed)
        failed =
            posix_spawn(ret_pid, arguments[0], &actions, NULL, (char *const *)arguments, environ);
    if (failed)
        return error_set(err, ERROR_INTERNAL, failed, "cannot start %s", arguments[0]);
    return 0;
}

int spawn_and_wait(const char *const *arguments, const char *folder, uint64_t deadline_ns,
                   struct error **err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make a pipe");
    cleanup_fd int from_child = ends[0];
    cleanup_fd int to_us = ends[1];
    pid_t pid = 0;
    if (start(arguments, folder, to_us, &pid, err) < 0)
        return -1;
    close_fd(&to_us);
    struct tail tail = {.size = 0};
    /* The end of its output is its end: gnuplot leaves nothing behind that could hold it open. */
    bool late = drain(from_child, deadline_ns, &tail) < 0;
    if (late)
        kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (late)
        return error_set(err, ERROR_TIMEOUT, 0, "%s did not end in time", arguments[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    cleanup_free char *words = text_clean(tail.text);
    if (WIFEXITED(status))
        return error_set(err, ERROR_INTERNAL, 0, "%s ended with status %d: %s", arguments[0],
                         WEXITSTATUS(status), words ? words : "");
    return error_set(err, ERROR_INTERNAL, 0, "%s was killed by signal %d: %s", arguments[0],
                     WTERMSIG(status), words ? words : "");
}
