// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The system call filter: a list of what is allowed, everything else fails with EPERM. It is a
 * subset of the default list of Docker (moby's profiles/seccomp/default.json) with one exception:
 * io_uring, which Docker's list has left out since 2023, is allowed, because the disk workload is
 * made of it. Calls of other architectures (i386, x32), which Docker allows, kill who makes them.
 */
#include "environments/container/container.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* By name, since not every architecture has all of them. NULL-terminated. */
static const char *const allowed[] = {
    /* memory */
    "brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mlockall", "mmap", "mprotect",
    "mremap", "msync", "munlock", "munlockall", "munmap", "memfd_create",
    /* files */
    "access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat", "dup",
    "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod",
    "fchmodat", "fchown", "fchownat", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync",
    "ftruncate", "getcwd", "getdents", "getdents64", "getxattr", "fgetxattr", "lgetxattr",
    "listxattr", "flistxattr", "llistxattr", "ioctl", "lchown", "link", "linkat", "lseek", "lstat",
    "mkdir", "mkdirat", "newfstatat", "open", "openat", "openat2", "pread64", "preadv", "preadv2",
    "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv",
    "rename", "renameat", "renameat2", "rmdir", "sendfile", "stat", "statfs", "statx", "symlink",
    "symlinkat", "sync", "sync_file_range", "syncfs", "truncate", "umask", "unlink", "unlinkat",
    "utime", "utimensat", "utimes", "write", "writev", "splice", "tee",
    /* the disk workload */
    "io_uring_setup", "io_uring_enter", "io_uring_register", "io_setup", "io_submit",
    "io_getevents", "io_cancel", "io_destroy", "ioprio_get", "ioprio_set",
    /* waiting */
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait",
    "eventfd", "eventfd2", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
    "pipe", "pipe2", "poll", "ppoll", "pselect6", "select", "signalfd", "signalfd4",
    "timerfd_create", "timerfd_gettime", "timerfd_settime",
    /* processes, threads, signals */
    "arch_prctl", "capget", "execve", "execveat", "exit", "exit_group", "fork", "futex",
    "get_robust_list", "getcpu", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp",
    "getpid", "getppid", "getpriority", "getresgid", "getresuid", "getrlimit", "getrusage",
    "getsid", "gettid", "getuid", "kill", "pause", "pidfd_open", "pidfd_send_signal", "prctl",
    "prlimit64", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
    "sched_getparam", "sched_getscheduler", "sched_rr_get_interval", "sched_setaffinity",
    "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield", "seccomp",
    "set_robust_list", "set_tid_address", "setgid", "setgroups", "setitimer", "getitimer",
    "setpgid", "setpriority", "setregid", "setresgid", "setresuid", "setreuid", "setrlimit",
    "setsid", "setuid", "sigaltstack", "tgkill", "tkill", "vfork", "wait4", "waitid", "alarm",
    /* time */
    "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time",
    "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "times",
    /* the channel, which is a socket already made */
    "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmmsg", "recvmsg", "sendmmsg",
    "sendmsg", "sendto", "setsockopt", "shutdown", "socketpair",
    /* the machine */
    "getrandom", "sysinfo", "uname", NULL};

/* With a network only. */
static const char *const allowed_network[] = {"accept",  "accept4", "bind",
                                              "connect", "listen",  NULL};

/* Namespaces are no toy for inside: clone without any of their flags. */
#define CLONE_NAMESPACES                                                                           \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

static int allow_list(scmp_filter_ctx context, const char *const *names) {
    for (; *names; names++) {
        int number = seccomp_syscall_resolve_name(*names);
        /* Unknown to this library, or a call that this architecture does not have. */
        if (number == __NR_SCMP_ERROR || number < 0)
            continue;
        int result = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Allows a call when its first argument, masked, has this value. */
static int allow_first(scmp_filter_ctx context, int number, uint64_t mask, uint64_t value) {
    const struct scmp_arg_cmp first = {
        .arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
    return seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 1, &first);
}

static int allow_sockets(scmp_filter_ctx context, bool network) {
    static const unsigned families[] = {AF_UNIX, AF_INET, AF_INET6};
    for (size_t i = 0; i < (network ? 3 : 1); i++) {
        int result = allow_first(context, SCMP_SYS(socket), UINT32_MAX, families[i]);
        if (result < 0)
            return result;
    }
    return network ? allow_list(context, allowed_network) : 0;
}

static int add_rules(scmp_filter_ctx context, bool network) {
    int result = allow_list(context, allowed);
    if (result == 0)
        result = allow_sockets(context, network);
    if (result == 0)
        result = allow_first(context, SCMP_SYS(clone), CLONE_NAMESPACES, 0);
    /* Its flags cannot be seen by a filter; "not there" makes the C library use clone. */
    if (result == 0)
        result = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (result == 0)
        result = allow_first(context, SCMP_SYS(personality), UINT64_MAX, 0);
    return result;
}

/* The compiled filter goes through a file in memory: the library writes to a descriptor only. */
static int export_filter(scmp_filter_ctx context, struct sock_fprog *ret_filter,
                         struct error **err) {
    cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot compile the seccomp filter");
    int result = seccomp_export_bpf(context, fd);
    struct stat status;
    if (result < 0 || fstat(fd, &status) < 0)
        return error_set(err, ERROR_INTERNAL, result < 0 ? -result : errno,
                         "cannot compile the seccomp filter");
    cleanup_free struct sock_filter *instructions = malloc((size_t)status.st_size);
    if (!instructions)
        return error_no_memory(err);
    if (pread(fd, instructions, (size_t)status.st_size, 0) != status.st_size)
        return error_set(err, ERROR_INTERNAL, EIO, "cannot compile the seccomp filter");
    ret_filter->len = (unsigned short)((size_t)status.st_size / sizeof(*instructions));
    ret_filter->filter = TAKE_PTR(instructions);
    return 0;
}

static void context_cleanup(scmp_filter_ctx *context) {
    if (*context)
        seccomp_release(*context);
}

int container_filter_compile(bool network, struct sock_fprog *ret_filter, struct error **err) {
    __attribute__((cleanup(context_cleanup))) scmp_filter_ctx context =
        seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!context)
        return error_no_memory(err);
    int result = add_rules(context, network);
    /* A binary tree: some ten steps for a call instead of some two hundred. */
    if (result == 0)
        result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (result < 0)
        return error_set(err, ERROR_INTERNAL, -result, "cannot make the seccomp filter");
    return export_filter(context, ret_filter, err);
}

void container_filter_free(struct sock_fprog *filter) {
    free(filter->filter);
    *filter = (struct sock_fprog){.len = 0, .filter = NULL};
}
