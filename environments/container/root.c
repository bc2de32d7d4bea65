// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The root that the container sees: read-only, with nothing but the agent, what mounts.c puts into
 * every root, and the data folder. In the order of few system calls: every one of them is part of
 * the start that is measured.
 */
#include "environments/container/mounts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int container_make_skeleton(int folder_fd) {
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
    return container_make_file(folder_fd, container_system_cpus);
}

int container_copy_agent(const char *from, int folder_fd) {
    cleanup_fd int from_fd = open(from, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (from_fd < 0 || fstat(from_fd, &status) < 0)
        return -1;
    cleanup_fd int to_fd =
        openat(folder_fd, &CONTAINER_AGENT[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (to_fd < 0 || fchmod(to_fd, 0755) < 0)
        return -1;
    for (off_t left = status.st_size; left > 0;) {
        ssize_t count = sendfile(to_fd, from_fd, NULL, (size_t)left);
        if (count <= 0)
            return -1;
        left -= count;
    }
    return 0;
}

/* An empty file system in memory, with the agent bound or copied into it. */
static int mount_tmpfs_root(const struct container_plan *plan, const char **step) {
    char options[64];
    *step = "mounting its root";
    snprintf(options, sizeof(options), "mode=755,size=%lluk",
             (unsigned long long)(plan->root_bytes / 1024));
    if (mount("boxmark", plan->data_path, "tmpfs", MS_NOSUID, options) < 0 ||
        chdir(plan->data_path) < 0)
        return -1;
    *step = "making its mount points";
    if (container_make_skeleton(AT_FDCWD) < 0)
        return -1;
    if (plan->root == ROOT_TMPFS) {
        *step = "copying its agent";
        return container_copy_agent(plan->agent_path, AT_FDCWD);
    }
    *step = "binding its agent";
    if (container_make_file(AT_FDCWD, &CONTAINER_AGENT[1]) < 0)
        return -1;
    return container_bind(plan->agent_path, &CONTAINER_AGENT[1], MS_RDONLY | MS_NOSUID | MS_NODEV);
}

/* The layers of one overlay; -1 where not open. */
struct layers {
    int lower_fd, upper_fd, work_fd;
};

static void layers_cleanup(struct layers *layers) {
    fd_cleanup(&layers->lower_fd);
    fd_cleanup(&layers->upper_fd);
    fd_cleanup(&layers->work_fd);
}

static int open_folder(int parent_fd, const char *path) {
    return openat(parent_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Agent and mount points from the image, a layer of its own above it, as engines store them. */
static int mount_overlay_root(const struct container_plan *plan, const char **step) {
    *step = "opening its layers";
    cleanup_fd int scratch_fd = open_folder(AT_FDCWD, plan->scratch_path);
    __attribute__((cleanup(layers_cleanup))) struct layers layers = {
        .lower_fd = open_folder(AT_FDCWD, plan->image_path),
        .upper_fd = open_folder(scratch_fd, CONTAINER_ROOT_UPPER),
        .work_fd = open_folder(scratch_fd, CONTAINER_ROOT_WORK),
    };
    if (layers.lower_fd < 0 || layers.upper_fd < 0 || layers.work_fd < 0)
        return -1;
    *step = "mounting its root as an overlay";
    if (container_mount_overlay(layers.lower_fd, layers.upper_fd, layers.work_fd, plan->data_path,
                                MS_NOSUID | MS_NODEV,
                                plan->user_namespace == USER_NAMESPACE_FIRST) < 0)
        return -1;
    return chdir(plan->data_path);
}

static int mount_devices(const struct container_plan *plan, const char **step) {
    *step = "making its devices";
    bool on_root = !plan->shell && plan->root != ROOT_OVERLAY;
    if (!on_root && mount("boxmark", "dev", "tmpfs", MS_NOSUID, "mode=755,size=64k") < 0)
        return -1;
    if (mkdir(container_empty_folder, 0555) < 0 || container_make_devices() < 0)
        return -1;
    /* A shell has the user's terminal anyway. */
    if (plan->shell &&
        (container_make_file(AT_FDCWD, "dev/tty") < 0 ||
         container_bind("/dev/tty", "dev/tty", MS_RDONLY | MS_NOSUID | MS_NOEXEC) < 0))
        return -1;
    return on_root ? 0 : container_restrict_mount("dev", MS_RDONLY | MS_NOSUID);
}

static int mount_data(const struct container_plan *plan, int data_fd, const char **step) {
    static const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (!plan->data_overlay) {
        *step = "binding its data folder";
        return container_bind_descriptor(data_fd, &CONTAINER_DATA[1], flags);
    }
    *step = "opening the layers of its data folder";
    cleanup_fd int scratch_fd = open_folder(AT_FDCWD, plan->scratch_path);
    cleanup_fd int lower_fd = open_folder(scratch_fd, CONTAINER_DATA_LOWER);
    cleanup_fd int work_fd = open_folder(scratch_fd, CONTAINER_DATA_WORK);
    if (lower_fd < 0 || work_fd < 0)
        return -1;
    *step = "mounting its data folder as an overlay";
    return container_mount_overlay(lower_fd, data_fd, work_fd, &CONTAINER_DATA[1], flags,
                                   plan->user_namespace == USER_NAMESPACE_FIRST);
}

static int build_agent_root(const struct container_plan *plan, int data_fd, const char **step) {
    if ((plan->root == ROOT_OVERLAY ? mount_overlay_root : mount_tmpfs_root)(plan, step) < 0 ||
        mount_devices(plan, step) < 0 || mount_data(plan, data_fd, step) < 0 ||
        container_bind_system(step) < 0)
        return -1;
    return container_mount_proc(step);
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
    if (mount_devices(plan, step) < 0)
        return -1;
    *step = "covering the host's sockets";
    if (mount(container_empty_folder, "run", NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
        return -1;
    *step = "binding its data folder";
    if (container_bind_descriptor(data_fd, plan->data_path + 1, MS_NOSUID | MS_NODEV | MS_NOEXEC) <
        0)
        return -1;
    return container_mount_proc(step);
}

/* Leaves the host's tree: what was "/" is detached, the current folder is the new one. */
static int pivot(void) {
    if (syscall(SYS_pivot_root, ".", ".") == 0)
        return umount2(".", MNT_DETACH) < 0 ? -1 : chdir("/");
    /* A host that runs from its initramfs cannot be left like that (pivot_root(2)). The new root
     * then covers it; without CAP_SYS_CHROOT nobody gets below. */
    if (errno != EINVAL || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
        return -1;
    return chdir("/");
}

int container_enter_root(const struct container_plan *plan, const char **step) {
    *step = "making its mounts private";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    umask(022);
    /* The new root is mounted over the data folder: the one place that is surely ours. */
    *step = "opening its data folder";
    cleanup_fd int data_fd = open_folder(AT_FDCWD, plan->data_path);
    if (data_fd < 0)
        return -1;
    if ((plan->shell ? build_shell_root : build_agent_root)(plan, data_fd, step) < 0)
        return -1;
    *step = "making its root read-only";
    if (container_restrict_mount("proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC) < 0 ||
        container_restrict_mount(".", MS_RDONLY | MS_NOSUID) < 0)
        return -1;
    *step = "entering its root";
    return pivot();
}
