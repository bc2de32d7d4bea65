// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/terminal.h"

#include "common/file.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>

enum { KEY_LEAVE = 0x1d }; /* Ctrl-] */

/* For a shell whose input is a file or a pipe that has ended. */
static const char farewell[] = "exit\n";

int terminal_wait(struct process *process) {
    /* Ctrl-C is for the shell. */
    void (*kept_int)(int) = signal(SIGINT, SIG_IGN);
    process_wait(process, DEADLINE_NONE);
    signal(SIGINT, kept_int);
    /* From a shell that had job control. */
    void (*kept_ttou)(int) = signal(SIGTTOU, SIG_IGN);
    if (isatty(STDIN_FILENO))
        (void)tcsetpgrp(STDIN_FILENO, getpgrp());
    signal(SIGTTOU, kept_ttou);
    return WIFEXITED(process->status) ? WEXITSTATUS(process->status)
                                      : 128 + WTERMSIG(process->status);
}

struct relay {
    int console_fd;
    const char *marker;
    size_t matched; /* of the marker */
    bool input_ended, leave;
};

/* Watches for the marker; bytes come in any portions. */
static void watch(struct relay *relay, const char *bytes, size_t count) {
    for (size_t i = 0; i < count && relay->marker[relay->matched]; i++) {
        if (bytes[i] != relay->marker[relay->matched])
            relay->matched = 0;
        relay->matched += bytes[i] == relay->marker[relay->matched];
    }
}

/* 0 at the end of the guest's output. */
static int pass_output(struct relay *relay, struct error **err) {
    char bytes[4096];
    ssize_t count = read(relay->console_fd, bytes, sizeof(bytes));
    if (count < 0 && errno == EINTR)
        return 1;
    if (count <= 0)
        return 0;
    watch(relay, bytes, (size_t)count);
    return file_write_all(STDOUT_FILENO, bytes, (size_t)count, "the terminal", err) < 0 ? -1 : 1;
}

static int pass_input(struct relay *relay, bool terminal, struct error **err) {
    char bytes[512];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (count < 0 && errno == EINTR)
        return 1;
    if (count <= 0) {
        relay->input_ended = true;
        count = sizeof(farewell) - 1;
        memcpy(bytes, farewell, sizeof(farewell) - 1);
    }
    const char *leave = terminal ? memchr(bytes, KEY_LEAVE, (size_t)count) : NULL;
    relay->leave = leave != NULL;
    if (leave)
        count = leave - bytes;
    return count > 0 &&
                   file_write_all(relay->console_fd, bytes, (size_t)count, "the console", err) < 0
               ? -1
               : 1;
}

static int relay_all(struct relay *relay, struct process *process, bool terminal,
                     struct error **err) {
    for (;;) {
        bool listens = !relay->marker[relay->matched] && !relay->input_ended;
        struct pollfd waits[3] = {{.fd = relay->console_fd, .events = POLLIN},
                                  {.fd = listens || terminal ? STDIN_FILENO : -1, .events = POLLIN},
                                  {.fd = process->pidfd, .events = POLLIN}};
        if (relay->input_ended)
            waits[1].fd = -1;
        if (poll(waits, 3, -1) < 0 && errno != EINTR)
            return error_set(err, ERROR_INTERNAL, errno, "cannot wait for the guest");
        if (waits[0].revents) {
            int got = pass_output(relay, err);
            if (got <= 0)
                return got;
        } else if (waits[2].revents) {
            return 0;
        }
        if (waits[1].fd >= 0 && waits[1].revents && pass_input(relay, terminal, err) < 0)
            return -1;
        if (relay->leave)
            return 0;
    }
}

int terminal_relay(int console_fd, const char *marker, struct process *process,
                   struct error **err) {
    struct relay relay = {.console_fd = console_fd, .marker = marker};
    struct termios kept;
    bool terminal = tcgetattr(STDIN_FILENO, &kept) == 0;
    if (terminal) {
        struct termios raw = kept;
        cfmakeraw(&raw);
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    }
    int result = relay_all(&relay, process, terminal, err);
    if (relay.leave)
        kill(process->pid, SIGKILL);
    if (terminal)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &kept);
    return result;
}
