// SPDX-License-Identifier: GPL-3.0-or-later
/* First steps of a launched process (launcher.h); also of the container inside of a guest. */
#include "environments/launcher.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int launched_process_signals(void) {
    /* A harness that died before this line is noticed by the end of file on the channel. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -1;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

int launched_process_settle(int stdin_fd, int stdout_fd, int stderr_fd) {
    if (launched_process_signals() < 0)
        return -1;
    /* Away from the user's terminal: neither its Ctrl-C nor its input is for us. */
    setsid();
    const int standard[3] = {stdin_fd, stdout_fd, stderr_fd};
    int moved[3];
    /* Out of the way first: a source may itself be one of 0, 1, 2. */
    for (int i = 0; i < 3; i++) {
        int source = standard[i] >= 0 ? standard[i] : open("/dev/null", O_RDWR | O_CLOEXEC);
        moved[i] = fcntl(source, F_DUPFD_CLOEXEC, 3);
        if (moved[i] < 0)
            return -1;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(moved[i], i) < 0)
            return -1;
    /* Descriptors that our own parent left open are not for the program. */
    if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        for (int fd = 3; fd < 1024; fd++)
            (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return 0;
}

const char *const launch_environment[] = {"LANG=C", NULL};
