// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The first program of a guest in which the tests of control groups and containers run in worlds
 * that this machine may not have; see tests/worlds/run. The kernel's command line says which:
 * world=v1 (none at all, then version 1 in pairs, then no user namespaces) or world=v2 (version 2
 * as root, and in the layouts that systemd makes for users). Powers off at the end.
 */
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"
#define SLICE ROOT "/user.slice"
#define SERVICE SLICE "/user.service"

enum { USER = 1000, STRANGER = 1001 };

static unsigned failures;

static void check(int result, const char *what) {
    if (result < 0) {
        perror(what);
        failures++;
    }
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    check(fd < 0 ? -1 : (int)write(fd, text, strlen(text)), path);
    close(fd);
}

static void make_group(const char *path, const char *enabled) {
    char file[256];
    check(mkdir(path, 0755), path);
    snprintf(file, sizeof(file), "%s/cgroup.subtree_control", path);
    if (enabled)
        put(file, enabled);
}

/* What systemd gives to the user of a delegated unit. */
static void delegate(const char *path, uid_t user) {
    static const char *const files[] = {"", "/cgroup.procs", "/cgroup.subtree_control",
                                        "/cgroup.threads"};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char file[256];
        snprintf(file, sizeof(file), "%s%s", path, files[i]);
        check(chown(file, user, user), file);
    }
}

static void become(uid_t user) {
    if (user)
        if (setgroups(0, NULL) < 0 || setgid(user) < 0 || setuid(user) < 0)
            _exit(1);
}

/* Runs one test program, in a group (or where we are) and as a user. */
static void run(const char *world, const char *program, const char *group, uid_t user) {
    printf("== %s: %s\n", world, program);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char procs[256];
        snprintf(procs, sizeof(procs), "%s/cgroup.procs", group ? group : "");
        if (group)
            put(procs, "0");
        become(user);
        execl(program, program, (char *)NULL);
        _exit(1);
    }
    int status = 1;
    while (waitpid(-1, &status, 0) != pid)
        ;
    printf("== %s: %s: %s\n", world, program, status == 0 ? "passed" : "FAILED");
    failures += status != 0;
}

static void run_both(const char *world, const char *group, uid_t user) {
    run(world, "/test_cgroup", group, user);
    run(world, "/test_container", group, user);
}

static void version_1(void) {
    static const char *const hierarchies[] = {"cpu,cpuacct", "memory", "cpuset", "pids"};
    run_both("no cgroups", NULL, 0);
    check(mount("tmpfs", ROOT, "tmpfs", 0, NULL), ROOT);
    for (size_t i = 0; i < sizeof(hierarchies) / sizeof(*hierarchies); i++) {
        char path[64];
        snprintf(path, sizeof(path), ROOT "/%s", hierarchies[i]);
        check(mkdir(path, 0755), path);
        check(mount("cgroup", path, "cgroup", 0, hierarchies[i]), path);
    }
    run_both("v1, controllers in pairs", NULL, 0);
    run_both("v1, a user", NULL, USER);
    put("/proc/sys/user/max_user_namespaces", "0");
    run("no user namespaces", "/test_container", NULL, USER);
}

static void version_2(void) {
    static const char all[] = "+cpuset +cpu +memory +pids";
    check(mount("cgroup2", ROOT, "cgroup2", 0, "nsdelegate"), ROOT);
    run_both("v2, root in the root group", NULL, 0);
    put(ROOT "/cgroup.subtree_control", all);
    make_group(SLICE, all);
    make_group(SERVICE, "+memory +pids");
    make_group(SERVICE "/a.scope", NULL);
    run_both("v2, root in a scope", SERVICE "/a.scope", 0);
    delegate(SERVICE, USER);
    delegate(SERVICE "/a.scope", USER);
    run_both("v2, a user in a scope of a delegated service", SERVICE "/a.scope", USER);
    make_group(SLICE "/own.scope", NULL);
    delegate(SLICE "/own.scope", USER);
    run_both("v2, a user alone in a delegated scope", SLICE "/own.scope", USER);
    run_both("v2, a user without delegation", SLICE "/own.scope", STRANGER);
}

int main(void) {
    char command_line[1024] = "";
    check(mount("proc", "/proc", "proc", 0, NULL), "/proc");
    check(mount("sysfs", "/sys", "sysfs", 0, NULL), "/sys");
    check(mount("devtmpfs", "/dev", "devtmpfs", 0, NULL), "/dev");
    check(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777"), "/tmp");
    int console = open("/dev/ttyS0", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(console, fd);
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    check((int)read(fd, command_line, sizeof(command_line) - 1), "/proc/cmdline");
    close(fd);
    setenv("AGENT", "/boxmark-agent", 1);
    setenv("ATTACKER", "/attacker", 1);
    setenv("PATH", "/bin", 1);
    struct utsname name;
    uname(&name);
    printf("== Linux %s\n", name.release);
    (strstr(command_line, "world=v1") ? version_1 : version_2)();
    printf("== %s\n", failures ? "FAILED" : "all passed");
    fflush(stdout);
    sync();
    reboot(RB_AUTOBOOT);
    return 1;
}
