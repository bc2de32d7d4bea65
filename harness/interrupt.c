// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/interrupt.h"

#include <fcntl.h>
#include <signal.h>

static int pipe_fds[2] = {-1, -1};

static void on_signal(int number) {
    int saved_errno = errno;
    (void)number;
    (void)!write(pipe_fds[1], "!", 1);
    errno = saved_errno;
}

int interrupt_install(struct error **err) {
    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot prepare for signals");
    struct sigaction action = {.sa_handler = on_signal};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++)
        if (sigaction(signals[i], &action, NULL) < 0)
            return error_set(err, ERROR_INTERNAL, errno, "cannot prepare for signals");
    return 0;
}

int interrupt_fd(void) {
    return pipe_fds[0];
}
