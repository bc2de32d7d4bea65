// SPDX-License-Identifier: GPL-3.0-or-later
/* Version 2: one tree, controllers enabled from the top (the kernel's admin-guide/cgroup-v2). */
#include "environments/cgroup_backend.h"
#include "environments/owner.h"

#include "common/file.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* Those that are controllers here: accounting of CPU time needs none. */
static const enum cgroup_controller wanted[] = {CGROUP_CPUSET, CGROUP_MEMORY, CGROUP_CPU,
                                                CGROUP_PIDS};
#define WANTED (sizeof(wanted) / sizeof(*wanted))

/* The wanted ones of a list such as "cpuset cpu io memory", as bits. */
static unsigned controllers_in(const char *folder, const char *file) {
    cleanup_free char *path = text_format("%s/%s", folder, file);
    cleanup_free char *list = path ? file_read_line(path) : NULL;
    unsigned found = 0;
    char *rest = list;
    for (char *name; (name = strsep(&rest, " "));)
        for (size_t i = 0; i < WANTED; i++)
            if (strcmp(name, cgroup_controller_names[wanted[i]]) == 0)
                found |= 1U << wanted[i];
    return found;
}

static bool writable(const char *folder, const char *file) {
    cleanup_free char *path = text_format("%s/%s", folder, file);
    return path && access(path, W_OK) == 0;
}

/* How many processes are in it: 0, 1 (we alone) or 2 (others). */
static int members(const char *folder) {
    cleanup_free char *path = text_format("%s/cgroup.procs", folder);
    cleanup_file FILE *list = path ? fopen(path, "re") : NULL;
    int pid, most = 0;
    while (list && fscanf(list, "%d", &pid) == 1)
        if (pid != getpid())
            return 2;
        else
            most = 1;
    return list ? most : 2;
}

/* Only the true root has no type; it alone may hold processes beside groups with controllers. */
static bool is_root(const char *folder) {
    cleanup_free char *path = text_format("%s/cgroup.type", folder);
    return path && !file_exists(path);
}

static int count_bits(unsigned bits) {
    return __builtin_popcount(bits);
}

struct candidate {
    unsigned enabled, enable;
    bool move_self;
};

/* What groups made in this folder would have. False: we may make none here. */
static bool judge(const char *folder, struct candidate *ret_candidate) {
    if (access(folder, W_OK) < 0 || !writable(folder, "cgroup.procs"))
        return false;
    *ret_candidate = (struct candidate){
        .enabled = controllers_in(folder, "cgroup.subtree_control"),
    };
    unsigned available = controllers_in(folder, "cgroup.controllers");
    int inside = is_root(folder) ? 0 : members(folder);
    if (inside < 2 && writable(folder, "cgroup.subtree_control")) {
        ret_candidate->enable = available & ~ret_candidate->enabled;
        ret_candidate->move_self = inside == 1 && ret_candidate->enable != 0;
    }
    return true;
}

/* More controllers; or as many without that we must move. Else the nearer one stays. */
static bool is_better(const struct candidate *candidate, const struct candidate *best) {
    int gain = count_bits(candidate->enabled | candidate->enable) -
               count_bits(best->enabled | best->enable);
    return gain > 0 || (gain == 0 && best->move_self && !candidate->move_self);
}

void cgroup_v2_choose_parent(struct cgroup_world *world) {
    cleanup_free char *best_folder = NULL;
    struct candidate best = {.enabled = 0};
    cleanup_free char *folder = strdup(world->parents[0]);
    size_t mount_length = strlen(world->mount);
    while (folder && strlen(folder) >= mount_length) {
        struct candidate candidate;
        /* Processes may be moved between two groups only by who may write the group above both,
         * which is this one. */
        if (judge(folder, &candidate) && (!best_folder || is_better(&candidate, &best))) {
            free(best_folder);
            best_folder = strdup(folder);
            best = candidate;
        }
        char *slash = strrchr(folder, '/');
        if (!slash || strlen(folder) == mount_length)
            break;
        *slash = '\0';
    }
    unsigned got = best.enabled | best.enable;
    if (!best_folder)
        snprintf(world->reason, sizeof(world->reason), "no cgroup from %.80s up may be written",
                 world->parents[0]);
    else if (got == 0)
        snprintf(world->reason, sizeof(world->reason), "%.100s has no controllers to give",
                 best_folder);
    if (got == 0)
        world->kind = CGROUP_KIND_NONE;
    world->enable = best.enable;
    world->move_self = best.move_self;
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        free(world->parents[i]);
        bool has = i == CGROUP_CPUACCT || (got & 1U << i);
        world->parents[i] = got && has ? strdup(best_folder) : NULL;
    }
}

/* Out of the folder whose children are to have controllers: "no internal processes". */
static int move_self(const char *parent, struct error **err) {
    cleanup_free char *name = owner_make_name();
    cleanup_free char *folder = name ? text_format("%s/%s", parent, name) : NULL;
    cleanup_free char *procs = folder ? text_format("%s/cgroup.procs", folder) : NULL;
    if (!procs)
        return error_no_memory(err);
    if (mkdir(folder, 0755) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot make the cgroup %s", folder);
    return file_write_text(procs, "0", err);
}

static int ready_world(const struct cgroup_world *world, struct error **err) {
    const char *parent = world->parents[CGROUP_CPUACCT];
    unsigned enabled = controllers_in(parent, "cgroup.subtree_control");
    if ((world->enable & ~enabled) == 0)
        return 0;
    if (world->move_self && members(parent) == 1 && move_self(parent, err) < 0)
        return -1;
    cleanup_free char *path = text_format("%s/cgroup.subtree_control", parent);
    if (!path)
        return error_no_memory(err);
    for (size_t i = 0; i < WANTED; i++) {
        char text[32];
        snprintf(text, sizeof(text), "+%s", cgroup_controller_names[wanted[i]]);
        if ((world->enable & ~enabled & 1U << wanted[i]) && file_write_text(path, text, err) < 0)
            return -1;
    }
    return 0;
}

static int write_number(const struct cgroup *cgroup, enum cgroup_controller controller,
                        const char *file, uint64_t number, struct error **err) {
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    return cgroup_write(cgroup, controller, file, text, err);
}

static int apply_limits(const struct cgroup *cgroup, const struct cgroup_limits *limits,
                        struct error **err) {
    if (cgroup_has(cgroup, CGROUP_CPUSET) &&
        (cgroup_write(cgroup, CGROUP_CPUSET, "cpuset.cpus", limits->cpu_list, err) < 0 ||
         cgroup_write(cgroup, CGROUP_CPUSET, "cpuset.mems", limits->node_list, err) < 0))
        return -1;
    if (cgroup_has(cgroup, CGROUP_MEMORY) && limits->memory_bytes) {
        if (write_number(cgroup, CGROUP_MEMORY, "memory.max", limits->memory_bytes, err) < 0)
            return -1;
        /* Missing where the kernel has no swap: then there is nothing to limit. */
        cleanup_error struct error *swap_err = NULL;
        if (cgroup_write(cgroup, CGROUP_MEMORY, "memory.swap.max", "0", &swap_err) < 0 &&
            swap_err->errnum != ENOENT)
            return error_move(err, TAKE_PTR(swap_err));
    }
    if (cgroup_has(cgroup, CGROUP_PIDS) && limits->pids &&
        write_number(cgroup, CGROUP_PIDS, "pids.max", limits->pids, err) < 0)
        return -1;
    if (cgroup_has(cgroup, CGROUP_CPU) && limits->cpu_quota_us) {
        char text[64];
        snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64, limits->cpu_quota_us,
                 limits->cpu_period_us);
        return cgroup_write(cgroup, CGROUP_CPU, "cpu.max", text, err);
    }
    return 0;
}

static void read_list(const struct cgroup *cgroup, const char *file, char *list, size_t capacity) {
    cleanup_free char *text = cgroup_read_text(cgroup, CGROUP_CPUSET, file);
    if (text)
        snprintf(list, capacity, "%.*s", (int)strcspn(text, "\n"), text);
}

static void read_limits(const struct cgroup *cgroup, struct cgroup_limits *ret_limits) {
    read_list(cgroup, "cpuset.cpus.effective", ret_limits->cpu_list, sizeof(ret_limits->cpu_list));
    read_list(cgroup, "cpuset.mems.effective", ret_limits->node_list,
              sizeof(ret_limits->node_list));
    /* "max", which is no number, is unlimited. */
    uint64_t bytes = cgroup_read_number(cgroup, CGROUP_MEMORY, "memory.max");
    if (bytes != CGROUP_UNKNOWN)
        ret_limits->memory_bytes = bytes;
    uint64_t pids = cgroup_read_number(cgroup, CGROUP_PIDS, "pids.max");
    if (pids != CGROUP_UNKNOWN)
        ret_limits->pids = pids;
    cleanup_free char *quota = cgroup_read_text(cgroup, CGROUP_CPU, "cpu.max");
    uint64_t quota_us, period_us;
    if (quota && sscanf(quota, "%" SCNu64 " %" SCNu64, &quota_us, &period_us) == 2) {
        ret_limits->cpu_quota_us = quota_us;
        ret_limits->cpu_period_us = period_us;
    }
}

static uint64_t microseconds(uint64_t value_us) {
    return value_us == CGROUP_UNKNOWN ? CGROUP_UNKNOWN : value_us * 1000;
}

static void read_usage(const struct cgroup *cgroup, struct cgroup_usage *ret_usage) {
    ret_usage->cpu_ns =
        microseconds(cgroup_read_keyed(cgroup, CGROUP_CPUACCT, "cpu.stat", "usage_usec"));
    ret_usage->throttled_ns =
        microseconds(cgroup_read_keyed(cgroup, CGROUP_CPU, "cpu.stat", "throttled_usec"));
    ret_usage->memory_bytes = cgroup_read_number(cgroup, CGROUP_MEMORY, "memory.current");
    ret_usage->memory_peak_bytes = cgroup_read_number(cgroup, CGROUP_MEMORY, "memory.peak");
    ret_usage->oom_kills = cgroup_read_keyed(cgroup, CGROUP_MEMORY, "memory.events", "oom_kill");
}

static bool kill_at_once(const struct cgroup *cgroup) {
    /* Since Linux 5.14. */
    return cgroup_write(cgroup, CGROUP_CPUACCT, "cgroup.kill", "1", NULL) == 0;
}

const struct cgroup_backend cgroup_v2 = {
    .name = "v2",
    .apply_limits = apply_limits,
    .read_limits = read_limits,
    .read_usage = read_usage,
    .kill_at_once = kill_at_once,
    .ready_world = ready_world,
};
