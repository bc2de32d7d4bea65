// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A child process that ends with us: started without a shell, killed when the harness dies
 * (parent-death signal), reaped in bounded time by its id.
 */
#ifndef BOXMARK_ENVIRONMENTS_PROCESS_H
#define BOXMARK_ENVIRONMENTS_PROCESS_H

#include "common/clock.h"
#include "common/error.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid; /* 0: none */
    int pidfd; /* -1: none or no pidfd here */
    bool reaped;
    int status; /* as of waitpid, once reaped */
};

#define PROCESS_NONE ((struct process){.pid = 0, .pidfd = -1})

struct process_options {
    const char *const *arguments;       /* NULL-terminated; arguments[0] is the path */
    int stdin_fd, stdout_fd, stderr_fd; /* borrowed; -1: /dev/null */
    const int *keep_fds;                /* further descriptors to pass on, ended by -1; or NULL */
    const cpu_set_t *cpus;              /* affinity, or NULL */
    int cgroup_procs_fd;                /* the child joins by writing to it before exec; or -1 */
};

/*
 * fork, exec; returns when the exec has happened: *ret_alive_ns (may be NULL) is when the child
 * existed and *ret_exec_ns (may be NULL) when it executed the program. A failing exec is an error.
 */
int process_start(const struct process_options *options, struct process *ret_process,
                  uint64_t *ret_alive_ns, uint64_t *ret_exec_ns, struct error **err);

/* A child that exists already, by its number. */
struct process process_of_child(pid_t pid);

/* True when it has ended (and is reaped). Never blocks. */
bool process_ended(struct process *process);

/* A process whose channel has closed can be reaped a little later: by then. One that runs on costs
 * a message so much more time. */
#define PROCESS_END_IS_NEAR_NS (300 * NS_PER_MS)

/* Waits until the deadline for its end; true when it has ended. */
bool process_wait(struct process *process, uint64_t deadline_ns);

/* Waits until the grace ends, then SIGKILL, then waits up to 5 s more; false: still there. */
bool process_end(struct process *process, uint64_t grace_deadline_ns);

/*
 * SIGKILL to every process of a session, such as what a launched program (which leads a session of
 * its own) has left behind. `program`: only those that run this executable; NULL: all.
 */
void process_kill_session(pid_t session, const char *program);

/* "exited with status 1", "was killed by signal 9 (Killed)"; malloc'ed. */
char *process_describe_end(const struct process *process);

/* CPUs that a process or thread may run on ("0-1,4"), as the kernel has it; malloc'ed, or NULL. */
char *process_cpus_allowed(pid_t pid);

/* CPU time of one process in nanoseconds, threads included; 0 when gone. */
uint64_t process_cpu_ns(pid_t pid);

/* Proportional set size from /proc/PID/smaps_rollup; UINT64_MAX when it cannot be read. */
uint64_t process_pss_bytes(pid_t pid);

/*
 * The same of those of its mappings that are at least so large and whose name holds `name` (NULL:
 * any); UINT64_MAX when it cannot be read.
 */
uint64_t process_mappings_bytes(pid_t pid, uint64_t minimum_bytes, const char *name);

#endif
