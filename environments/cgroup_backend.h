// SPDX-License-Identifier: GPL-3.0-or-later
/* What the two versions of control groups do differently; for cgroup*.c only. */
#ifndef BOXMARK_ENVIRONMENTS_CGROUP_BACKEND_H
#define BOXMARK_ENVIRONMENTS_CGROUP_BACKEND_H

#include "environments/cgroup.h"

struct cgroup_backend {
    const char *name;
    int (*apply_limits)(const struct cgroup *cgroup, const struct cgroup_limits *limits,
                        struct error **err);
    void (*read_limits)(const struct cgroup *cgroup, struct cgroup_limits *ret_limits);
    void (*read_usage)(const struct cgroup *cgroup, struct cgroup_usage *ret_usage);
    /* Sends SIGKILL to all members at once, where the kernel can; false: it cannot. */
    bool (*kill_at_once)(const struct cgroup *cgroup);
    /* Before the first group is made in the world: enables controllers. */
    int (*ready_world)(const struct cgroup_world *world, struct error **err);
};

extern const struct cgroup_backend cgroup_v1, cgroup_v2;

/* Version 2: chooses the folder among our own and those above it; sets parents or the reason. */
void cgroup_v2_choose_parent(struct cgroup_world *world);

/* Calls `each` for the top of every hierarchy that is mounted, also of controllers that are not
 * used here, and for this process's own folder in it. */
void cgroup_for_each_hierarchy(void (*each)(const char *folder, void *cookie), void *cookie);

/* FOLDER/FILE of a controller's folder; no error objects: false or CGROUP_UNKNOWN without it. */
int cgroup_write(const struct cgroup *cgroup, enum cgroup_controller controller, const char *file,
                 const char *text, struct error **err);
char *cgroup_read_text(const struct cgroup *cgroup, enum cgroup_controller controller,
                       const char *file);
uint64_t cgroup_read_number(const struct cgroup *cgroup, enum cgroup_controller controller,
                            const char *file);
/* The number after "KEY " in a file of such lines. */
uint64_t cgroup_read_keyed(const struct cgroup *cgroup, enum cgroup_controller controller,
                           const char *file, const char *key);

#endif
