// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * boxmark-box SETTINGS AGENT DATA [shell]: makes the built-in container in a guest whose first
 * process started it, with its standard input and output as the agent's channel. A static program
 * in the guest's initramfs, of the same sources as the container on the host. What fails is said on
 * the console.
 */
#include "environments/container/box.h"

#include "common/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CGROUPS "/sys/fs/cgroup"
#define GROUP CGROUPS "/boxmark"

static int failed(const char *step) {
    fprintf(stderr, "boxmark-box: %s: %s\n", step, strerror(errno));
    return -1;
}

static int write_number(const char *path, uint64_t number, const char *more) {
    cleanup_free char *text = text_format("%" PRIu64 "%s", number, more);
    return text ? file_write_text(path, text, NULL) : -1;
}

/* The envelope once more, inside: as in a cloud's guest, where the container's manager sets it. */
static int enter_cgroup(const struct cgroup_limits *limits) {
    static const char *const controllers[] = {"+cpu", "+memory", "+pids", NULL};
    if (mount("cgroup2", CGROUPS, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return failed("mounting the control groups (the guest's kernel may lack them)");
    for (const char *const *controller = controllers; *controller; controller++)
        if (file_write_text(CGROUPS "/cgroup.subtree_control", *controller, NULL) < 0)
            return failed("enabling a controller of control groups");
    if (mkdir(GROUP, 0755) < 0 || write_number(GROUP "/memory.max", limits->memory_bytes, "") < 0 ||
        write_number(GROUP "/pids.max", limits->pids, "") < 0)
        return failed("setting the limits of its control group");
    cleanup_free char *period = text_format(" %" PRIu64, limits->cpu_period_us);
    if (limits->cpu_quota_us &&
        (!period || write_number(GROUP "/cpu.max", limits->cpu_quota_us, period) < 0))
        return failed("setting its CPU quota");
    return file_write_text(GROUP "/cgroup.procs", "0", NULL) < 0
               ? failed("joining its control group")
               : 0;
}

static int read_filter(struct container_plan *plan) {
    char *bytes = NULL;
    size_t size = 0;
    if (!file_exists(BOX_FILTER))
        return 0;
    if (file_read(BOX_FILTER, &bytes, &size, NULL) < 0 || size % sizeof(struct sock_filter) != 0)
        return failed("reading its seccomp filter");
    plan->filter = (struct sock_fprog){.len = (unsigned short)(size / sizeof(struct sock_filter)),
                                       .filter = (struct sock_filter *)bytes};
    return 0;
}

static int make_folder(const char *parent, const char *name, char **ret_path) {
    *ret_path = text_format("%s/%s", parent, name);
    return *ret_path && mkdir(*ret_path, 0755) == 0 ? 0 : failed("making its folders");
}

/* On the guest's disk, as on the host: data, and with overlays an image and layers. */
static int make_storage(struct container_plan *plan, const char *disk) {
    static const char *const layers[] = {CONTAINER_ROOT_UPPER, CONTAINER_ROOT_WORK,
                                         CONTAINER_DATA_LOWER, CONTAINER_DATA_WORK, NULL};
    char *data, *image, *scratch, *layer;
    if (make_folder(disk, "instance", &data) < 0)
        return -1;
    plan->data_path = data;
    if (plan->user_namespace == USER_NAMESPACE_LAST && chown(data, plan->uid, plan->gid) < 0)
        return failed("giving the data folder to its user");
    if (plan->root != ROOT_OVERLAY && !plan->data_overlay)
        return 0;
    if (make_folder(disk, "layers", &scratch) < 0 || make_folder(disk, "image", &image) < 0)
        return -1;
    plan->scratch_path = scratch;
    plan->image_path = image;
    for (const char *const *name = layers; *name; name++) {
        if (make_folder(scratch, *name, &layer) < 0)
            return -1;
        free(layer);
    }
    cleanup_fd int image_fd = open(image, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (plan->root == ROOT_OVERLAY && (image_fd < 0 || container_make_skeleton(image_fd) < 0 ||
                                       container_copy_agent(plan->agent_path, image_fd) < 0))
        return failed("making its image");
    return 0;
}

static int root_bytes(struct container_plan *plan) {
    /* Folders and mount points take pages too. */
    enum { ROOT_BYTES = 256 << 10 };
    struct stat status;
    if (stat(plan->agent_path, &status) < 0)
        return failed("finding the agent");
    plan->root_bytes = ROOT_BYTES + (plan->root == ROOT_TMPFS ? (uint64_t)status.st_size : 0);
    return 0;
}

/* clone3: the new process goes on with a copy of this one's memory. */
static pid_t make_process(uint64_t namespaces) {
    struct clone_args arguments = {.flags = namespaces, .exit_signal = SIGCHLD};
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

static int run(const struct container_plan *plan) {
    pid_t pid = make_process(container_namespaces(plan));
    if (pid < 0)
        return failed("making its process and namespaces (the guest's kernel may lack them)");
    if (pid == 0) {
        const char *step = "starting it";
        container_child(plan, &step);
        failed(step);
        _exit(127);
    }
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return failed("waiting for it");
    if (WIFSIGNALED(status))
        fprintf(stderr, "boxmark-box: the agent was killed by signal %d (%s)\n", WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv) {
    static const char *const agent[] = {CONTAINER_AGENT, "--data", CONTAINER_DATA, NULL};
    static const char *const shell[] = {"/bin/sh", "-i", NULL};
    bool is_shell = argc == 5 && strcmp(argv[4], "shell") == 0;
    struct container_plan plan = {.arguments = is_shell ? shell : agent,
                                  .shell = is_shell,
                                  .stdin_fd = STDIN_FILENO,
                                  .stdout_fd = STDOUT_FILENO,
                                  .stderr_fd = STDERR_FILENO};
    struct cgroup_limits limits = {.memory_bytes = 0};
    if ((argc != 4 && !is_shell) || getppid() != 1 || box_read(argv[1], &plan, &limits) < 0) {
        fputs("boxmark-box: this is for the first process of a guest of boxmark\n", stderr);
        return 2;
    }
    plan.agent_path = argv[2];
    if (root_bytes(&plan) < 0 || read_filter(&plan) < 0 || make_storage(&plan, argv[3]) < 0 ||
        enter_cgroup(&limits) < 0)
        return 1;
    int status = run(&plan);
    return status < 0 ? 1 : status;
}
