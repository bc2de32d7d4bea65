// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * How a helper program that needs no privileges gives up those of a harness that is root: another
 * user where that can be, and in any case no capabilities and no way to regain any.
 */
#ifndef BOXMARK_ENVIRONMENTS_UNPRIVILEGED_H
#define BOXMARK_ENVIRONMENTS_UNPRIVILEGED_H

#include <stdbool.h>
#include <sys/types.h>

/* The user that owns nothing. */
#define UNPRIVILEGED_ID 65534

struct unprivileged {
    bool change_user;
    uid_t uid;
    gid_t gid;
    bool has_group; /* one more group, for a device */
    gid_t group;
};

/*
 * Another user only where the harness is root, may change users and steer the processes of others
 * (end, pin and own files for them: a container's root often may not), and `device` (NULL: none)
 * can be opened by that user, by its group at least.
 */
void unprivileged_choose(const char *device, struct unprivileged *ret_unprivileged);

/* Can that user read it (its own permissions; not the folders above)? */
bool unprivileged_can_read(const struct unprivileged *unprivileged, const char *path);

/* Can that user execute it: the program and all folders above it? */
bool unprivileged_can_execute(const struct unprivileged *unprivileged, const char *path);

/* In the new process, before it executes; plain system calls only. The parent-death signal must be
 * set afterwards. Negative with errno. */
int unprivileged_become(const struct unprivileged *unprivileged);

#endif
