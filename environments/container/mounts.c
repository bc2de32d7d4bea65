// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Mounts, and what every root of a container gets: five devices, a private /proc, a few read-only
 * pieces of /sys that describe the machine. Paths without a leading slash are below the root that
 * is being built, which is the current folder.
 */
#include "environments/container/mounts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
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
const char container_system_cpus[] = "sys/devices/system/cpu/online";

/* Docker's list and what else tells of the host's memory, keys and hardware. Those that are
 * read-only there are so here too, as is all of /proc. */
const char *const container_masked_paths[] = {
    "proc/acpi",       "proc/asound",      "proc/interrupts",    "proc/kallsyms",
    "proc/kcore",      "proc/keys",        "proc/key-users",     "proc/kpagecgroup",
    "proc/kpagecount", "proc/kpageflags",  "proc/latency_stats", "proc/sched_debug",
    "proc/scsi",       "proc/slabinfo",

    "proc/timer_list", "proc/timer_stats", "proc/vmallocinfo",   NULL};

/* An empty folder that covers masked folders. */
const char container_empty_folder[] = "dev/.empty";

int container_make_file(int folder_fd, const char *path) {
    return mknodat(folder_fd, path, S_IFREG | 0444, 0);
}

/* Adds flags to a mount. In a user namespace those that it has must be kept. */
int container_restrict_mount(const char *path, unsigned long flags) {
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

int container_bind(const char *from, const char *to, unsigned long flags) {
    return mount(from, to, NULL, MS_BIND, NULL) < 0 ? -1 : container_restrict_mount(to, flags);
}

/* A folder that a descriptor holds may be covered by another mount: reached through /proc. */
static void descriptor_path(int fd, char text[32]) {
    snprintf(text, 32, "/proc/self/fd/%d", fd);
}

int container_bind_descriptor(int fd, const char *to, unsigned long flags) {
    char from[32];
    descriptor_path(fd, from);
    return container_bind(from, to, flags);
}

int container_mount_overlay(int lower_fd, int upper_fd, int work_fd, const char *to,
                            unsigned long flags, bool user_attributes) {
    char options[160];
    /* By descriptors: their paths may hold commas and colons, or be covered. */
    snprintf(options, sizeof(options),
             "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d%s",
             lower_fd, upper_fd, work_fd, user_attributes ? ",userxattr" : "");
    return mount("overlay", to, "overlay", flags, options);
}

int container_make_devices(void) {
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
        if (container_make_file(AT_FDCWD, devices[i].path) < 0 ||
            container_bind(host_path, devices[i].path, MS_RDONLY | MS_NOSUID | MS_NOEXEC) < 0)
            return -1;
    }
    return 0;
}

static int mask_paths(void) {
    for (const char *const *path = container_masked_paths; *path; path++) {
        struct stat status;
        if (stat(*path, &status) < 0)
            continue;
        const char *cover = S_ISDIR(status.st_mode) ? container_empty_folder : devices[0].path;
        if (mount(cover, *path, NULL, MS_BIND, NULL) < 0)
            return -1;
    }
    return 0;
}

int container_mount_proc(const char **step) {
    *step = "mounting its /proc";
    if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return -1;
    *step = "masking its /proc";
    return mask_paths();
}

int container_bind_system(const char **step) {
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
        if (container_restrict_mount(*folder, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC) < 0)
            return -1;
    }
    return container_bind("/sys/devices/system/cpu/online", container_system_cpus,
                          MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
}
