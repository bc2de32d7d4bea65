// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Starts a program from inside its envelope.
 *
 * A launcher is a small copy of this process that stands in the instance's cgroup and on its CPUs
 * and waits for a word. What it makes on that word inherits both, so that joining a cgroup (which
 * costs an RCU grace period of some 10 ms, in every kind of environment alike) is no part of the
 * start that is measured. Everything that belongs to the instance itself (its process, namespaces,
 * mounts, program) is made after the word. docs/containers.md says why.
 */
#ifndef BOXMARK_ENVIRONMENTS_LAUNCHER_H
#define BOXMARK_ENVIRONMENTS_LAUNCHER_H

#include "common/error.h"
#include "environments/process.h"
#include "environments/unprivileged.h"

#include <sched.h>
#include <stdint.h>

struct launch_plan {
    const char *name;      /* of what is started, for messages */
    const cpu_set_t *cpus; /* affinity, or NULL */
    const int *join_fds;   /* cgroup.procs files to join by, ended by -1; or NULL */
    uint64_t namespaces;   /* CLONE_NEW... of the new process */
    uint64_t timeout_ns;   /* the word to the program's exec */
    int cancel_fd;         /* or -1 */
    pid_t *session;        /* in shared memory: there the new process tells its number; or NULL */
    /*
     * The new process: sets itself up and executes. Only plain system calls: it runs after a raw
     * clone. Returns only when it failed, with errno; *step says at what.
     */
    void (*child)(const void *cookie, const char **step);
    const void *cookie;
};

struct launcher {
    const struct launch_plan *plan;
    struct process process; /* the launcher itself */
    int gate_fd, report_fd;
    struct launch_shared *shared;
};

#define LAUNCHER_NONE                                                                              \
    ((struct launcher){.process = PROCESS_NONE, .gate_fd = -1, .report_fd = -1, .shared = NULL})

/* Makes the launcher and waits until it stands in its envelope. The plan must outlive it. */
int launcher_prepare(struct launcher *launcher, const struct launch_plan *plan, struct error **err);

/*
 * Gives the word; returns when the new process, a child of ours, has executed its program.
 * *ret_alive_ns is when it began to run, *ret_exec_ns when it executed (either may be NULL).
 * On failure nothing of it is left.
 */
int launcher_go(struct launcher *launcher, struct process *ret_process, uint64_t *ret_alive_ns,
                uint64_t *ret_exec_ns, struct error **err);

/* Ends the launcher (not what it started); fine at any time. */
void launcher_dismiss(struct launcher *launcher);

/* Dies with the harness; takes signals as a fresh process does. Negative with errno on failure. */
int launched_process_signals(void);

/*
 * The usual first steps of a launched process: that, a session of its own, the three standard
 * descriptors, nothing else left open over the exec. Negative with errno on failure.
 */
int launched_process_settle(int stdin_fd, int stdout_fd, int stderr_fd);

/* An ordinary program, for a plan whose `child` is launch_program_child. */
struct launch_program {
    const char *const *arguments;       /* NULL-terminated; arguments[0] is the path */
    const char *const *environment;     /* NULL-terminated; NULL: launch_environment */
    int stdin_fd, stdout_fd, stderr_fd; /* -1: /dev/null */
    const int *keep_fds;                /* further descriptors to pass on, ended by -1; or NULL */
    const struct unprivileged *unprivileged; /* what it becomes; NULL: stays as the harness is */
};
void launch_program_child(const void *program, const char **step);

/* The same few words for every environment: what the user has set must not reach a workload in
 * one of them and not in another. */
extern const char *const launch_environment[];

#endif
