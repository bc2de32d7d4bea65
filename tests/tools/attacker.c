// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Stands in for the agent inside of a container and tries what an attacker would: a static program
 * that reads commands from its standard input and writes one line an attempt, "NAME ERRNO TEXT",
 * ERRNO 0 when it succeeded; "done" ends the answer. Commands: "attempts", "forks", "memory MIB".
 * Calls that could do harm if they were allowed have arguments that the kernel refuses in another
 * way (EINVAL, EFAULT), so that being allowed shows too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *name, int errnum) {
    printf("%s %d %s\n", name, errnum, strerror(errnum));
}

/* A call that returns -1 when it was refused. */
#define TRY(name, call) tell(name, (errno = 0, (long)(call) < 0) ? errno : 0)

static void try_open(const char *name, const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0644);
    tell(name, fd < 0 ? errno : 0);
    if (fd >= 0)
        close(fd);
}

/* Reading what is masked gives nothing. */
static void try_read(const char *name, const char *path) {
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : read(fd, &byte, 1);
    tell(name, count > 0 ? 0 : count == 0 ? ENODATA : errno);
    if (fd >= 0)
        close(fd);
}

static void try_socket(const char *name, int family, int type) {
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    tell(name, fd < 0 ? errno : 0);
    if (fd >= 0)
        close(fd);
}

static void try_files(void) {
    try_open("read-host-file", "/etc/passwd", O_RDONLY);
    try_open("read-host-file-by-proc", "/proc/1/root/etc/passwd", O_RDONLY);
    try_open("climb-out", "/../../../../etc/passwd", O_RDONLY);
    try_open("write-root", "/file", O_WRONLY | O_CREAT);
    try_open("write-dev", "/dev/file", O_WRONLY | O_CREAT);
    try_open("write-agent", "/boxmark-agent", O_RDWR);
    try_open("write-agent-by-proc", "/proc/self/exe", O_RDWR);
    TRY("chmod-agent", chmod("/boxmark-agent", 0777));
    TRY("unlink-agent", unlink("/boxmark-agent"));
    TRY("chmod-null", chmod("/dev/null", 0777));
    try_open("write-sys", "/sys/kernel/mm/transparent_hugepage/enabled", O_WRONLY);
    try_open("write-proc-sys", "/proc/sys/kernel/hostname", O_WRONLY);
    try_open("write-sysrq", "/proc/sysrq-trigger", O_WRONLY);
    try_open("write-own-proc", "/proc/self/oom_score_adj", O_WRONLY);
    try_read("read-kcore", "/proc/kcore");
    try_read("read-keys", "/proc/keys");
    try_read("read-kallsyms", "/proc/kallsyms");
    try_read("read-timers", "/proc/timer_list");
    try_open("raw-disk", "/dev/vda", O_RDONLY);
    try_open("physical-memory", "/dev/mem", O_RDONLY);
    try_open("kvm", "/dev/kvm", O_RDWR);
    TRY("make-device", mknod("/data/disk", S_IFBLK | 0600, makedev(254, 0)));
    try_open("terminal", "/dev/tty", O_RDWR);
}

static void try_execute_data(void) {
    static char name[] = "program";
    char *const arguments[] = {name, NULL};
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open("/data/program", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    char bytes[4096];
    for (ssize_t count; (count = read(from, bytes, sizeof(bytes))) > 0;)
        if (write(to, bytes, (size_t)count) != count)
            break;
    close(from);
    close(to);
    /* Executed, it finds that it is not the first process, and ends with status 2. */
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        execv("/data/program", arguments);
        _exit(100 + errno);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    tell("execute-data", WEXITSTATUS(status) == 2 ? 0 : WEXITSTATUS(status) - 100);
}

static int child_of_clone(void *unused) {
    (void)unused;
    _exit(0);
}

static void try_clone(const char *name, int flags) {
    static char stack[16384];
    pid_t pid = clone(child_of_clone, stack + sizeof(stack), flags | SIGCHLD, NULL);
    tell(name, pid < 0 ? errno : 0);
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

static void try_privileges(void) {
    TRY("mount-tmpfs", mount("x", "/data", "tmpfs", 0, NULL));
    TRY("remount-root", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
    TRY("umount-proc", umount2("/proc", MNT_DETACH));
    TRY("umount-mask", umount2("/proc/kcore", 0));
    TRY("chroot", chroot("/data"));
    TRY("pivot-root", syscall(SYS_pivot_root, ".", "."));
    TRY("unshare-user", unshare(CLONE_NEWUSER));
    TRY("unshare-mount", unshare(CLONE_NEWNS));
    try_clone("clone-user", CLONE_NEWUSER);
    try_clone("clone-net", CLONE_NEWNET);
    TRY("clone3", syscall(SYS_clone3, NULL, 0));
    int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    TRY("setns", setns(fd, 0));
    close(fd);
    TRY("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    TRY("read-other-memory", syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
    TRY("set-host-name", syscall(SYS_sethostname, NULL, -1));
    TRY("set-clock", syscall(SYS_clock_settime, 0, &(struct timespec){.tv_nsec = -1}));
    TRY("load-module", syscall(SYS_init_module, "", 0, ""));
    TRY("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    TRY("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
    TRY("swapon", syscall(SYS_swapon, "/data", 0));
    TRY("bpf", syscall(SYS_bpf, 0, NULL, 0));
    TRY("perf", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    TRY("userfaultfd", syscall(SYS_userfaultfd, 0));
    TRY("open-by-handle", syscall(SYS_open_by_handle_at, -1, NULL, 0));
    TRY("kernel-log", syscall(SYS_syslog, 3, NULL, 0));
    TRY("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1));
    TRY("add-key", syscall(SYS_add_key, "user", "x", "x", 1, KEY_SPEC_PROCESS_KEYRING));
    TRY("no-randomization", syscall(SYS_personality, 0x0040000));
    TRY("real-time", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}));
    const struct rlimit many = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    TRY("raise-open-files", setrlimit(RLIMIT_NOFILE, &many));
    TRY("signal-others", kill(-1, 0));
}

static void try_network(void) {
    try_socket("socket-inet", AF_INET, SOCK_STREAM);
    try_socket("socket-inet6", AF_INET6, SOCK_DGRAM);
    try_socket("socket-netlink", AF_NETLINK, SOCK_RAW);
    try_socket("socket-packet", AF_PACKET, SOCK_RAW);
    try_socket("socket-vsock", AF_VSOCK, SOCK_STREAM);
    try_socket("socket-crypto", AF_ALG, SOCK_SEQPACKET);
}

/* System calls of another architecture than the filter's: whoever makes one is killed. */
static void try_foreign_calls(void) {
#ifdef __x86_64__
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            long result;
            if (i == 0)
                result = syscall(0x40000000L | SYS_getpid);
            else
                __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
            _exit(result > 0 ? 1 : 0);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        tell(i == 0 ? "x32-call" : "i386-call",
             WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 0 : EPERM);
    }
#endif
}

/* Not refused: what is there to be seen. "processes" and "interfaces" count. */
static void look_around(void) {
    int processes = 0, interfaces = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));)
        processes += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    closedir(proc);
    FILE *devices = fopen("/proc/net/dev", "re");
    char line[512];
    while (devices && fgets(line, sizeof(line), devices))
        interfaces += strchr(line, ':') != NULL;
    if (devices)
        fclose(devices);
    char name[65];
    gethostname(name, sizeof(name));
    printf("processes %d\ninterfaces %d\npid %d\nhostname %s\n", processes, interfaces,
           (int)getpid(), name);
    /* Needed by the disk workload, and so allowed; an invalid call says so. */
    TRY("io-uring", syscall(SYS_io_uring_setup, 0, NULL));
    try_open("write-data", "/data/file", O_WRONLY | O_CREAT);
    try_open("write-null", "/dev/null", O_WRONLY);
}

static void fork_until_refused(void) {
    enum { FORKS_MAX = 2000 };
    static pid_t children[FORKS_MAX];
    int count = 0, reason = 0;
    while (count < FORKS_MAX && (children[count] = fork()) >= 0) {
        if (children[count] == 0) {
            pause();
            _exit(0);
        }
        count++;
    }
    if (count < FORKS_MAX)
        reason = errno;
    for (int i = 0; i < count; i++)
        kill(children[i], SIGKILL);
    for (int i = 0; i < count; i++)
        waitpid(children[i], NULL, 0);
    printf("forks %d\n", count);
    tell("fork-bomb", reason);
}

static void fill_memory(size_t mebibytes) {
    for (size_t i = 0; i < mebibytes; i++) {
        void *memory =
            mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            break;
        memset(memory, 1, 1 << 20);
    }
    tell("fill-memory", 0);
}

int main(void) {
    char line[64];
    /* Nobody shall start this outside of a box by mistake. */
    if (getpid() != 1 || access("/bin/sh", F_OK) == 0) {
        fputs("attacker: this is not the inside of a container\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    fputs("a last word\n", stderr);
    puts("attacker");
    while (fgets(line, sizeof(line), stdin)) {
        if (strcmp(line, "attempts\n") == 0) {
            look_around();
            try_files();
            try_execute_data();
            try_privileges();
            try_network();
            try_foreign_calls();
        } else if (strcmp(line, "forks\n") == 0) {
            fork_until_refused();
        } else if (strncmp(line, "memory ", 7) == 0) {
            fill_memory(strtoul(line + 7, NULL, 10));
        }
        puts("done");
    }
    return 0;
}
