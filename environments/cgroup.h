// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Control groups of one instance: limits, accounting, the certain end of all its members. Version
 * 1 and version 2 differ behind one struct of functions; where neither can be used (an ordinary
 * user without delegation, a read-only tree) an instance runs without, which is a fact of the run
 * and no error. docs/containers.md has the layouts that are understood.
 */
#ifndef BOXMARK_ENVIRONMENTS_CGROUP_H
#define BOXMARK_ENVIRONMENTS_CGROUP_H

#include "common/error.h"
#include "environments/envelope.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum cgroup_controller {
    CGROUP_CPUSET,
    CGROUP_MEMORY,
    CGROUP_CPU,
    CGROUP_CPUACCT, /* version 2: always there, as part of "cpu.stat" */
    CGROUP_PIDS,
    CGROUP_CONTROLLERS,
};
extern const char *const cgroup_controller_names[CGROUP_CONTROLLERS];

enum cgroup_kind { CGROUP_KIND_NONE, CGROUP_KIND_V1, CGROUP_KIND_V2 };

/* Where this process stands in the machine's cgroup trees, and where it may make groups. */
struct cgroup_world {
    enum cgroup_kind kind;    /* what we may use */
    enum cgroup_kind mounted; /* what the machine has */
    bool hybrid;              /* version 1 with a version 2 tree beside it */
    /* The folder under which groups can be made; NULL without that controller. Version 1: one for
     * each controller (some may be the same); version 2: the same for all. */
    char *parents[CGROUP_CONTROLLERS];
    char *mount;      /* version 2: where the tree is mounted */
    bool move_self;   /* version 2: this process must first leave that folder for one of its own */
    unsigned enable;  /* version 2: controllers (1 << x) still to be enabled in the folder */
    char reason[160]; /* why there is none, or not all; "" */
};

/* "none", "v1", "v1 (hybrid)", "v2". */
const char *cgroup_world_name(const struct cgroup_world *world);

/*
 * Reads the two texts (/proc/self/cgroup, /proc/self/mountinfo). Pure: *ret_world has this
 * process's own folders as parents, whether it may write there or not. A world to be freed.
 */
int cgroup_world_parse(const char *self_cgroup, const char *mountinfo,
                       struct cgroup_world **ret_world, struct error **err);

/* Parses this process's own and finds where it may make groups. Makes nothing. */
int cgroup_world_find(struct cgroup_world **ret_world, struct error **err);

struct cgroup_world *cgroup_world_free(struct cgroup_world *world);

/* Does the world have that controller for us? */
bool cgroup_world_has(const struct cgroup_world *world, enum cgroup_controller controller);

/* Limits; NULL and 0: not limited. */
struct cgroup_limits {
    char cpu_list[512], node_list[128];
    uint64_t memory_bytes;
    uint64_t pids;
    uint64_t cpu_quota_us, cpu_period_us;
};

/* What every instance of an envelope gets. */
void cgroup_limits_of(const struct envelope *envelope, struct cgroup_limits *ret_limits);

struct cgroup_backend;

struct cgroup {
    const struct cgroup_backend *backend; /* NULL: no cgroup is used */
    const char *kind_name;
    char *folders[CGROUP_CONTROLLERS];    /* NULL without that controller */
    int join_fds[CGROUP_CONTROLLERS + 1]; /* distinct cgroup.procs files, ended by -1 */
    char *distinct[CGROUP_CONTROLLERS];   /* distinct folders, borrowed from `folders` */
    unsigned distinct_count;
};

/*
 * Makes a group "boxmark-..." with these limits. Without a usable world the group is an empty one
 * for which all functions below do nothing. Controllers that are missing are left out; a limit
 * that a controller refuses is an error.
 */
int cgroup_create(const struct cgroup_world *world, const struct cgroup_limits *limits,
                  struct cgroup **ret_cgroup, struct error **err);

/* The group that a process is in, whoever made it: to read only. */
int cgroup_open_of(pid_t pid, struct cgroup **ret_cgroup, struct error **err);
struct cgroup *cgroup_close(struct cgroup *cgroup); /* NULL is fine; returns NULL */

/* True when it limits or accounts by that controller. */
bool cgroup_has(const struct cgroup *cgroup, enum cgroup_controller controller);

/* The limits as the kernel has them now. */
void cgroup_read_limits(const struct cgroup *cgroup, struct cgroup_limits *ret_limits);

/* Counters; CGROUP_UNKNOWN where the kernel does not tell. */
#define CGROUP_UNKNOWN UINT64_MAX
struct cgroup_usage {
    uint64_t cpu_ns;
    uint64_t throttled_ns;
    uint64_t memory_bytes, memory_peak_bytes;
    uint64_t oom_kills;
};
void cgroup_read_usage(const struct cgroup *cgroup, struct cgroup_usage *ret_usage);

/* Kind, limits read back and peak memory into a JSON object. */
void cgroup_facts(const struct cgroup *cgroup, json_t *facts);

/* Kills every member and waits until none is left, or the deadline. */
int cgroup_kill(const struct cgroup *cgroup, uint64_t deadline_ns, struct error **err);

/* Kills, removes (with groups inside) and frees; NULL is fine. Fails when a folder could not be
 * removed. */
int cgroup_remove(struct cgroup *cgroup, struct error **err);

/* Removes groups whose harness is dead (it was killed). Returns how many. */
unsigned cgroup_remove_leftovers(const struct cgroup_world *world);

/* Removes empty groups of these names beside this process's own, in every hierarchy that there is.
 */
void cgroup_remove_empty(const char *const *names);

static inline void cgroup_world_cleanup(struct cgroup_world **world) {
    cgroup_world_free(*world);
}
#define cleanup_cgroup_world CLEANUP(cgroup_world)

#endif
