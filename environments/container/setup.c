// SPDX-License-Identifier: GPL-3.0-or-later
/* The container's first process, from the clone to its program. */
#include "environments/container/container.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/*
 * No time namespace: its clocks could be shifted, and the agent's clock is to be the host's; even
 * with no shift the clock would be read in another way than on the host.
 */
uint64_t container_namespaces(const struct container_plan *plan) {
    uint64_t flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (plan->user_namespace == USER_NAMESPACE_FIRST)
        flags |= CLONE_NEWUSER;
    if (plan->network != NETWORK_HOST)
        flags |= CLONE_NEWNET;
    return flags;
}

/* A shell keeps the user's terminal and descriptors; job control needs a process group that exists
 * inside. */
static int settle_shell(void) {
    if (launched_process_signals() < 0 || setpgid(0, 0) < 0)
        return -1;
    signal(SIGTTOU, SIG_IGN);
    (void)tcsetpgrp(STDIN_FILENO, getpgrp());
    signal(SIGTTOU, SIG_DFL);
    return 0;
}

static int set_up(const struct container_plan *plan, const char **step) {
    *step = "taking its descriptors";
    if ((plan->shell
             ? settle_shell()
             : launched_process_settle(plan->stdin_fd, plan->stdout_fd, plan->stderr_fd)) < 0)
        return -1;
    *step = "leaving the session's keys";
    /* The keys of whoever started us are not for the container. */
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS &&
        errno != EDQUOT && errno != EPERM)
        return -1;
    *step = "opening /proc";
    /* The host's, by which a process writes its own user map; the container's is read-only. */
    cleanup_fd int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc_fd < 0)
        return -1;
    *step = "mapping its user";
    if (plan->user_namespace == USER_NAMESPACE_FIRST &&
        container_map_user(proc_fd, plan->uid, plan->gid) < 0)
        return -1;
    if (plan->network == NETWORK_VETH && container_make_network(proc_fd, step) < 0)
        return -1;
    *step = "setting its host name";
    if (sethostname(CONTAINER_HOSTNAME, strlen(CONTAINER_HOSTNAME)) < 0)
        return -1;
    if (container_enter_root(plan, step) < 0)
        return -1;
    *step = "entering its user namespace";
    if (plan->user_namespace == USER_NAMESPACE_LAST &&
        container_enter_user_namespace(plan, proc_fd) < 0)
        return -1;
    return container_drop_privileges(plan, step);
}

void container_child(const void *cookie, const char **step) {
    const struct container_plan *plan = cookie;
    if (set_up(plan, step) < 0)
        return;
    *step = plan->shell ? "executing the shell" : "executing the agent";
    execve(plan->arguments[0], (char *const *)plan->arguments,
           plan->shell ? environ : (char *const *)launch_environment);
}
