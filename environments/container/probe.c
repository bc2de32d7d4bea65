// SPDX-License-Identifier: GPL-3.0-or-later
/* Can this user make containers here? Asked by trying, in a child that ends at once. */
#include "environments/container/container.h"

#include "common/file.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

struct refusal {
    int errnum;
    char step[64];
};

/* The steps that a policy (a missing kernel option, AppArmor, an outer sandbox) may forbid. */
static int try_steps(const struct container_plan *plan, const char **step) {
    bool user = plan->user_namespace == USER_NAMESPACE_FIRST;
    *step = "opening /proc";
    cleanup_fd int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc_fd < 0)
        return -1;
    *step = user ? "making a user namespace" : "making namespaces";
    if (user && unshare(CLONE_NEWUSER) < 0)
        return -1;
    *step = "mapping the user";
    if (user && container_map_user(proc_fd, plan->uid, plan->gid) < 0)
        return -1;
    *step = "making namespaces";
    if (unshare((int)(container_namespaces(plan) & ~(uint64_t)CLONE_NEWUSER)) < 0)
        return -1;
    if (plan->network == NETWORK_VETH && container_make_network(proc_fd, step) < 0)
        return -1;
    *step = "mounting inside of a mount namespace";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("boxmark", "/proc", "tmpfs", MS_NOSUID, "size=4k") < 0)
        return -1;
    *step = "mounting an overlay";
    /* Without layers it is refused; a kernel that does not know it says so first. */
    bool overlays = plan->root == ROOT_OVERLAY || plan->data_overlay;
    return overlays && mount("overlay", "/proc", "overlay", 0, NULL) < 0 && errno != EINVAL ? -1
                                                                                            : 0;
}

/* True when all steps went well; else the refusal. */
static bool try_in_child(const struct container_plan *plan, struct refusal *ret_refusal) {
    int report[2];
    *ret_refusal = (struct refusal){.errnum = 0, .step = "starting a process"};
    if (pipe2(report, O_CLOEXEC) < 0) {
        ret_refusal->errnum = errno;
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct refusal refusal = {.errnum = 0};
        const char *step = "";
        if (try_steps(plan, &step) < 0) {
            refusal.errnum = errno;
            strncpy(refusal.step, step, sizeof(refusal.step) - 1);
        }
        _exit(write(report[1], &refusal, sizeof(refusal)) != sizeof(refusal));
    }
    close(report[1]);
    cleanup_fd int report_fd = report[0];
    if (pid < 0) {
        ret_refusal->errnum = errno;
        return false;
    }
    ssize_t count = read(report_fd, ret_refusal, sizeof(*ret_refusal));
    waitpid(pid, NULL, 0);
    return count == sizeof(*ret_refusal) && ret_refusal->errnum == 0;
}

static void missing(struct probe_result *result, const char *advice) {
    result->readiness = READINESS_MISSING;
    snprintf(result->advice, sizeof(result->advice), "%s", advice);
}

static const char *refusal_advice(const struct container_plan *plan) {
    static const char *const switches[][3] = {
        {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
         "as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run boxmark as root"},
        {"/proc/sys/kernel/unprivileged_userns_clone", "0",
         "as root: sysctl kernel.unprivileged_userns_clone=1, or run boxmark as root"},
        {"/proc/sys/user/max_user_namespaces", "0",
         "as root: sysctl user.max_user_namespaces=10000, or run boxmark as root"}};
    for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++) {
        cleanup_free char *value = file_read_line(switches[i][0]);
        if (value && strcmp(value, switches[i][1]) == 0)
            return switches[i][2];
    }
    return plan->user_namespace == USER_NAMESPACE_FIRST
               ? "run boxmark as root, or outside of the container or sandbox that it is in"
               : "run boxmark outside of the container or sandbox that it is in";
}

/* What of the asked-for limits cannot be had; false: it is missing altogether. */
static bool probe_limits(const struct environment *environment, const struct container *container,
                         struct probe_result *result) {
    char groups[160];
    bool complete = enclosure_describe_world(container->world, groups, sizeof(groups));
    if (container->limits.cpu_quota_us && !cgroup_world_has(container->world, CGROUP_CPU)) {
        snprintf(result->detail, sizeof(result->detail),
                 "a CPU quota needs the cpu controller of a cgroup; here: %.150s", groups);
        missing(result, "run boxmark as root, or leave cpu_quota away");
        return false;
    }
    snprintf(result->detail, sizeof(result->detail), "namespaces%s, %s%.150s",
             container->plan.user_namespace == USER_NAMESPACE_NONE ? "" : " with a user namespace",
             environment_is_on(environment, "seccomp") ? "seccomp, " : "", groups);
    if (complete)
        return true;
    result->readiness = READINESS_DEGRADED;
    enclosure_advise(container->world, result->advice, sizeof(result->advice));
    return true;
}

int container_probe(struct environment *environment, struct probe_result *ret_result,
                    struct error **err) {
    *ret_result = (struct probe_result){.readiness = READINESS_READY};
    if (container_open(environment, err) < 0)
        return -1;
    const struct container *container = environment->state;
    const struct container_plan *plan = &container->plan;
    if (plan->user_namespace == USER_NAMESPACE_NONE && geteuid() != 0) {
        snprintf(ret_result->detail, sizeof(ret_result->detail),
                 "an ordinary user needs a user namespace for a container");
        missing(ret_result, "leave userns=off away, or run boxmark as root");
        return 0;
    }
    if (plan->ssbd && !container_can_ssbd()) {
        snprintf(ret_result->detail, sizeof(ret_result->detail),
                 "this machine cannot disable speculative store bypass for one process");
        missing(ret_result, "leave mitigation=ssbd away");
        return 0;
    }
    struct refusal refusal;
    if (!try_in_child(plan, &refusal)) {
        /* ENOSPC, of all things, is how the kernel says that the limit of namespaces is reached. */
        snprintf(ret_result->detail, sizeof(ret_result->detail), "%s failed: %s", refusal.step,
                 refusal.errnum == ENOSPC ? "no more of them are allowed"
                                          : strerror(refusal.errnum));
        missing(ret_result, refusal.errnum == ENODEV       ? "as root: modprobe overlay"
                            : refusal.errnum == EOPNOTSUPP ? "as root: modprobe veth"
                                                           : refusal_advice(plan));
        return 0;
    }
    probe_limits(environment, container, ret_result);
    return 0;
}
