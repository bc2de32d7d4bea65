// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/unprivileged.h"

#include "common/file.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* In a user namespace there may be root and nobody else. */
static bool is_mapped(const char *map_path, uint64_t id) {
    cleanup_free char *text = NULL;
    if (file_read(map_path, &text, NULL, NULL) < 0)
        return false;
    uint64_t inside, outside, count;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64, &inside, &outside, &count) == 3 &&
            id >= inside && id - inside < count)
            return true;
    return false;
}

static bool have_capabilities(void) {
    static const cap_value_t needed[] = {CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SYS_NICE};
    cap_t own = cap_get_proc();
    bool all = own != NULL;
    for (size_t i = 0; all && i < sizeof(needed) / sizeof(*needed); i++) {
        cap_flag_value_t value = CAP_CLEAR;
        all = cap_get_flag(own, needed[i], CAP_EFFECTIVE, &value) == 0 && value == CAP_SET;
    }
    if (own)
        cap_free(own);
    return all;
}

/* As far as the usual permissions go. */
static bool can_open_device(const char *device, struct unprivileged *unprivileged) {
    struct stat status;
    if (!device)
        return true;
    if (stat(device, &status) < 0)
        return false;
    if ((status.st_mode & S_IROTH) && (status.st_mode & S_IWOTH))
        return true;
    /* Root's own group opens more than this device. */
    if (status.st_gid == 0 || !(status.st_mode & S_IRGRP) || !(status.st_mode & S_IWGRP))
        return false;
    unprivileged->has_group = true;
    unprivileged->group = status.st_gid;
    return true;
}

void unprivileged_choose(const char *device, struct unprivileged *ret_unprivileged) {
    struct unprivileged chosen = {.uid = UNPRIVILEGED_ID, .gid = UNPRIVILEGED_ID};
    chosen.change_user =
        geteuid() == 0 && have_capabilities() && is_mapped("/proc/self/uid_map", chosen.uid) &&
        is_mapped("/proc/self/gid_map", chosen.gid) && can_open_device(device, &chosen);
    *ret_unprivileged = chosen;
}

bool unprivileged_can_read(const struct unprivileged *unprivileged, const char *path) {
    struct stat status;
    return !unprivileged->change_user ||
           (stat(path, &status) == 0 && (status.st_mode & S_IROTH) != 0);
}

bool unprivileged_can_execute(const struct unprivileged *unprivileged, const char *path) {
    if (!unprivileged->change_user)
        return true;
    cleanup_free char *real = realpath(path, NULL);
    struct stat status;
    if (!real || stat(real, &status) < 0 || !(status.st_mode & S_IXOTH) ||
        !(status.st_mode & S_IROTH))
        return false;
    for (char *slash; (slash = strrchr(real, '/')) && slash != real;) {
        *slash = '\0';
        if (stat(real, &status) < 0 || !(status.st_mode & S_IXOTH))
            return false;
    }
    return true;
}

static int drop_capabilities(void) {
    /* What is executed regains nothing that the bounding set lacks. An ordinary user may not lower
     * it, and need not. */
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        if (prctl(PR_CAPBSET_DROP, capability) < 0 && errno != EPERM)
            return -1;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -1;
    return 0;
}

int unprivileged_become(const struct unprivileged *unprivileged) {
    if (drop_capabilities() < 0)
        return -1;
    if (unprivileged->change_user) {
        gid_t group = unprivileged->group;
        if (syscall(SYS_setgroups, unprivileged->has_group ? 1 : 0, &group) < 0 ||
            syscall(SYS_setresgid, unprivileged->gid, unprivileged->gid, unprivileged->gid) < 0 ||
            syscall(SYS_setresuid, unprivileged->uid, unprivileged->uid, unprivileged->uid) < 0)
            return -1;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    if (syscall(SYS_capset, &header, none) < 0)
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
