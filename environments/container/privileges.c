// SPDX-License-Identifier: GPL-3.0-or-later
/* What the container's processes may do: nothing that needs a privilege. */
#include "environments/container/container.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int write_at(int folder_fd, const char *path, const char *text) {
    cleanup_fd int fd = openat(folder_fd, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

int container_map_user(int proc_fd, uid_t uid, gid_t gid) {
    char uid_map[32], gid_map[32];
    snprintf(uid_map, sizeof(uid_map), "0 %u 1", (unsigned)uid);
    snprintf(gid_map, sizeof(gid_map), "0 %u 1", (unsigned)gid);
    /* Before an ordinary user may map a group, nobody inside may drop one (user_namespaces(7)). */
    if (write_at(proc_fd, "self/setgroups", "deny") < 0 && errno != ENOENT)
        return -1;
    if (write_at(proc_fd, "self/uid_map", uid_map) < 0)
        return -1;
    return write_at(proc_fd, "self/gid_map", gid_map);
}

int container_enter_user_namespace(const struct container_plan *plan, int proc_fd) {
    if (setgroups(0, NULL) < 0 || syscall(SYS_setresgid, plan->gid, plan->gid, plan->gid) < 0 ||
        syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid) < 0)
        return -1;
    /* Changing the user made our /proc entries root's and forgot the parent-death signal. */
    if (prctl(PR_SET_DUMPABLE, 1) < 0 || unshare(CLONE_NEWUSER) < 0 ||
        container_map_user(proc_fd, plan->uid, plan->gid) < 0)
        return -1;
    return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int lower_limit(int resource, rlim_t most) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0)
        return -1;
    if (limit.rlim_max > most)
        limit.rlim_max = most;
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max;
    /* The kernel never refuses a lower limit; valgrind does, for it has descriptors of its own. */
    return setrlimit(resource, &limit) < 0 && errno != EPERM ? -1 : 0;
}

static int lower_limits(void) {
    enum { OPEN_FILES_MAX = 4096 };
    return lower_limit(RLIMIT_CORE, 0) < 0 || lower_limit(RLIMIT_NOFILE, OPEN_FILES_MAX) < 0 ? -1
                                                                                             : 0;
}

static int drop_capabilities(void) {
    /* Nothing that is executed can regain what the bounding set lacks. Its end is where the kernel
     * knows no more of them. */
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        if (prctl(PR_CAPBSET_DROP, capability) < 0)
            return -1;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -1;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    return (int)syscall(SYS_capset, &header, none);
}

bool container_can_ssbd(void) {
    int state = prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0);
    return state > 0 && (state & PR_SPEC_PRCTL);
}

int container_drop_privileges(const struct container_plan *plan, const char **step) {
    *step = "setting its resource limits";
    if (lower_limits() < 0)
        return -1;
    *step = "dropping its capabilities";
    if (drop_capabilities() < 0)
        return -1;
    *step = "forbidding new privileges";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    *step = "disabling speculative store bypass";
    if (plan->ssbd &&
        prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE, 0, 0) < 0)
        return -1;
    *step = "loading its seccomp filter";
    /* Whether the filter switches speculation mitigations on is left to the kernel's default:
     * that is what other engines' containers get. */
    if (plan->filter.len > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &plan->filter) < 0)
        return -1;
    return 0;
}
