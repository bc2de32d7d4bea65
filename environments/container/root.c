// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the container sees: a read-only root with nothing but the agent, five devices, a private
 * /proc, four read-only pieces of /sys that describe the machine, and its data folder. In the
 * order of few system calls: every one of them is part of the start that is measured.
 */
#include "environments/container/container.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* Their numbers are fixed (the kernel's admin-guide/devices.txt). */
struct device {
    const char *path;
    unsigned minor; /* major 1 */
};
static const struct device devices[] = {
    {"dev/null", 3}, {"dev/zero", 5}, {"dev/full", 7}, {"dev/random", 8}, {"dev/urandom", 9}};
#define DEVICES (sizeof(devices) / sizeof(*devices))
enum { DEVICE_MAJOR = 1 };
const char *const container_devices[] = {"null", "zero", "full", "random", "urandom", NULL};

/* What the agent tells about the machine. The rest of /sys is not there at all. */
const char *const container_system_folders[] = {"sys/devices/system/clocksource",
                                                "sys/devices/system/cpu/vulnerabilities",
                                                "sys/kernel/mm/transparent_hugepage", NULL};
static const char system_cpus[] = "sys/devices/system/cpu/online";

/* Docker's list and what else tells of the host's memory, keys and hardware. Those that are
 * read-only there are so here too, as is all of /proc. */
const char *const container_masked_paths[] = {"proc/acpi",
                                              "proc/asound",
                                              "proc/interrupts",
                                              "proc/kallsyms",
                                              "proc/kcore",
                                              "proc/keys",
                                              "proc/key-users",
                                              "proc/kpagecgroup",
                                              "proc/kpagecount",
                                              "proc/kpageflags",
                                              "proc/latency_stats",
                                              "proc/sched_debug",
                                              "proc/scsi",
                                              "proc/slabinfo",
                                              "proc/sysrq-trigger",
                                              "proc/timer_list",
                                              "proc/timer_stats",
                                              "proc/vmallocinfo",
                                              NULL};

/* An empty folder that covers masked folders. */
static const char empty_folder[] = "dev/.empty";

static int make_file(int folder_fd, const char *path) {
    return mknodat(folder_fd, path, S_IFREG | 0444, 0);
}

int container_make_skeleton(int folder_fd, bool agent_file) {
    static const char *const folders[] = {"dev",
                                          "proc",
                                          "data",
                                          "sys",
                                          "sys/devices",
                                          "sys/devices/system",
                                          "sys/devices/system/clocksource",
                                          "sys/devices/system/cpu",
                                          "sys/devices/system/cpu/vulnerabilities",
                                          "sys/kernel",
                                          "sys/kernel/mm",
                                          "sys/kernel/mm/transparent_hugepage",
                                          NULL};
    for (const char *const *folder = folders; *folder; folder++)
        if (mkdirat(folder_fd, *folder, 0755) < 0)
            return -1;
    if (make_file(folder_fd, system_cpus) < 0)
        return -1;
    return agent_file ? make_file(folder_fd, &CONTAINER_AGENT[1]) : 0;
}

/* Adds flags to a mount. In a user namespace those that it has must be kept. */
static int restrict_mount(const char *path, unsigned long flags) {
    static const struct {
        unsigned long statfs_flag, mount_flag;
    } kept[] = {{ST_NOSUID, MS_NOSUID},    {ST_NODEV, MS_NODEV},     {ST_NOEXEC, MS_NOEXEC},
                {ST_RDONLY, MS_RDONLY},    {ST_NOATIME, MS_NOATIME}, {ST_NODIRATIME, MS_NODIRATIME},
                {ST_RELATIME, MS_RELATIME}};
    struct statfs status;
    if (statfs(path, &status) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        if ((unsigned long)status.f_flags & kept[i].statfs_flag)
            flags |= kept[i].mount_flag;
    return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL);
}

static int bind_restricted(const char *from, const char *to, unsigned long flags) {
    return mount(from, to, NULL, MS_BIND, NULL) < 0 ? -1 : restrict_mount(to, flags);
}

/* A folder that a descriptor holds may be covered by another mount: reached through /proc. */
static void descriptor_path(int fd, char text[32]) {
    snprintf(text, 32, "/proc/self/fd/%d", fd);
}

static int make_devices(void) {
    for (size_t i = 0; i < DEVICES; i++) {
        if (mknod(devices[i].path, S_IFCHR | 0666, makedev(DEVICE_MAJOR, devices[i].minor)) == 0) {
            if (chmod(devices[i].path, 0666) < 0)
                return -1;
            continue;
        }
        if (errno != EPERM)
            return -1;
        /* In a user namespace the host's own are borrowed, so that nothing can be done to them but
         * to use them. */
        char host_path[32];
        snprintf(host_path, sizeof(host_path), "/%s", devices[i].path);
        if (make_file(AT_FDCWD, devices[i].path) < 0 ||
            bind_restricted(host_path, devices[i].path, MS_RDONLY | MS_NOSUID | MS_NOEXEC) < 0)
            return -1;
    }
    return 0;
}

static int mask_paths(void) {
    for (const char *const *path = container_masked_paths; *path; path++) {
        struct stat status;
        if (stat(*path, &status) < 0)
            continue;
        const char *cover = S_ISDIR(status.st_mode) ? empty_folder : devices[0].path;
        if (mount(cover, *path, NULL, MS_BIND, NULL) < 0)
            return -1;
    }
    return 0;
}

static int mount_proc(const char **step) {
    *step = "mounting its /proc";
    if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return -1;
    *step = "masking its /proc";
    return mask_paths();
}

static int bind_system(const char **step) {
    *step = "showing the machine's description in /sys";
    for (const char *const *folder = container_system_folders; *folder; folder++) {
        char host_path[64];
        snprintf(host_path, sizeof(host_path), "/%s", *folder);
        /* A kernel may lack one. */
        if (mount(host_path, *folder, NULL, MS_BIND, NULL) < 0) {
            if (errno == ENOENT)
                continue;
            return -1;
        }
        if (restrict_mount(*folder, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC) < 0)
            return -1;
    }
    return bind_restricted("/sys/devices/system/cpu/online", system_cpus,
                           MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

/* Leaves the host's tree: what was "/" is detached, the current folder is the new one. */
static int pivot(void) {
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
        return -1;
    return chdir("/");
}

static int mount_data(const struct container_plan *plan, int data_fd) {
    char path[32];
    (void)plan;
    descriptor_path(data_fd, path);
    return bind_restricted(path, &CONTAINER_DATA[1], MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

/* The root of the agent, built on the current folder; the rest of the host stays behind. */
static int build_agent_root(const struct container_plan *plan, int data_fd, const char **step) {
    *step = "mounting its root";
    if (mount("boxmark", plan->data_path, "tmpfs", MS_NOSUID, "mode=755,size=256k") < 0 ||
        chdir(plan->data_path) < 0)
        return -1;
    *step = "making its mount points";
    if (container_make_skeleton(AT_FDCWD, true) < 0 || mkdir(empty_folder, 0555) < 0)
        return -1;
    *step = "making its devices";
    if (make_devices() < 0)
        return -1;
    *step = "binding its agent";
    if (bind_restricted(plan->agent_path, &CONTAINER_AGENT[1], MS_RDONLY | MS_NOSUID | MS_NODEV) <
        0)
        return -1;
    *step = "binding its data folder";
    if (mount_data(plan, data_fd) < 0 || bind_system(step) < 0)
        return -1;
    return mount_proc(step);
}

/* The root of a shell: the host's files, read-only, without its devices and its sockets. */
static int build_shell_root(const struct container_plan *plan, int data_fd, const char **step) {
    *step = "binding the host's files";
    struct mount_attr read_only = {.attr_set =
                                       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    if (mount("/", plan->data_path, NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(plan->data_path) < 0)
        return -1;
    *step = "making the host's files read-only (needs Linux 5.12)";
    if (syscall(SYS_mount_setattr, AT_FDCWD, ".", AT_RECURSIVE, &read_only, sizeof(read_only)) < 0)
        return -1;
    *step = "making its devices";
    if (mount("boxmark", "dev", "tmpfs", MS_NOSUID, "mode=755,size=64k") < 0 ||
        mkdir(empty_folder, 0555) < 0 || make_devices() < 0)
        return -1;
    if (make_file(AT_FDCWD, "dev/tty") < 0 ||
        bind_restricted("/dev/tty", "dev/tty", MS_RDONLY | MS_NOSUID | MS_NOEXEC) < 0)
        return -1;
    *step = "covering the host's sockets";
    if (mount(empty_folder, "run", NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
        return -1;
    *step = "binding its data folder";
    char from[32];
    descriptor_path(data_fd, from);
    if (bind_restricted(from, plan->data_path + 1, MS_NOSUID | MS_NODEV | MS_NOEXEC) < 0)
        return -1;
    return mount_proc(step);
}

int container_enter_root(const struct container_plan *plan, const char **step) {
    *step = "making its mounts private";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    umask(022);
    /* The new root is mounted over the data folder: the one place that is surely ours. */
    *step = "opening its data folder";
    cleanup_fd int data_fd = open(plan->data_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (data_fd < 0)
        return -1;
    if ((plan->shell ? build_shell_root : build_agent_root)(plan, data_fd, step) < 0)
        return -1;
    *step = "making its root read-only";
    if (restrict_mount("proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC) < 0 ||
        restrict_mount(".", MS_RDONLY | MS_NOSUID) < 0)
        return -1;
    *step = "entering its root";
    return pivot();
}
