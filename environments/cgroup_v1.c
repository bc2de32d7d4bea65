// SPDX-License-Identifier: GPL-3.0-or-later
/* Version 1: a hierarchy for each controller (the kernel's admin-guide/cgroup-v1). */
#include "environments/cgroup_backend.h"

#include "common/file.h"

#include <inttypes.h>
#include <string.h>

/* "No limit" reads as the largest multiple of the page size. */
#define MEMORY_UNLIMITED (UINT64_C(1) << 62)

static int write_number(const struct cgroup *cgroup, enum cgroup_controller controller,
                        const char *file, uint64_t number, struct error **err) {
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    return cgroup_write(cgroup, controller, file, text, err);
}

static int apply_memory(const struct cgroup *cgroup, uint64_t bytes, struct error **err) {
    if (write_number(cgroup, CGROUP_MEMORY, "memory.limit_in_bytes", bytes, err) < 0)
        return -1;
    /* No swap on top, as in the other environments. The file is missing where the kernel does not
     * account swap: then there is nothing to limit. */
    cleanup_error struct error *swap_err = NULL;
    if (write_number(cgroup, CGROUP_MEMORY, "memory.memsw.limit_in_bytes", bytes, &swap_err) < 0 &&
        swap_err->errnum != ENOENT)
        return error_move(err, TAKE_PTR(swap_err));
    return 0;
}

static int apply_limits(const struct cgroup *cgroup, const struct cgroup_limits *limits,
                        struct error **err) {
    /* A fresh cpuset is empty and takes no process: both must be written. */
    if (cgroup_has(cgroup, CGROUP_CPUSET) &&
        (cgroup_write(cgroup, CGROUP_CPUSET, "cpuset.cpus", limits->cpu_list, err) < 0 ||
         cgroup_write(cgroup, CGROUP_CPUSET, "cpuset.mems", limits->node_list, err) < 0))
        return -1;
    if (cgroup_has(cgroup, CGROUP_MEMORY) && limits->memory_bytes &&
        apply_memory(cgroup, limits->memory_bytes, err) < 0)
        return -1;
    if (cgroup_has(cgroup, CGROUP_PIDS) && limits->pids &&
        write_number(cgroup, CGROUP_PIDS, "pids.max", limits->pids, err) < 0)
        return -1;
    if (cgroup_has(cgroup, CGROUP_CPU) && limits->cpu_quota_us &&
        (write_number(cgroup, CGROUP_CPU, "cpu.cfs_period_us", limits->cpu_period_us, err) < 0 ||
         write_number(cgroup, CGROUP_CPU, "cpu.cfs_quota_us", limits->cpu_quota_us, err) < 0))
        return -1;
    return 0;
}

static void read_list(const struct cgroup *cgroup, const char *file, char *list, size_t capacity) {
    cleanup_free char *text = cgroup_read_text(cgroup, CGROUP_CPUSET, file);
    if (text)
        snprintf(list, capacity, "%.*s", (int)strcspn(text, "\n"), text);
}

static void read_limits(const struct cgroup *cgroup, struct cgroup_limits *ret_limits) {
    read_list(cgroup, "cpuset.cpus", ret_limits->cpu_list, sizeof(ret_limits->cpu_list));
    read_list(cgroup, "cpuset.mems", ret_limits->node_list, sizeof(ret_limits->node_list));
    uint64_t bytes = cgroup_read_number(cgroup, CGROUP_MEMORY, "memory.limit_in_bytes");
    if (bytes < MEMORY_UNLIMITED)
        ret_limits->memory_bytes = bytes;
    uint64_t pids = cgroup_read_number(cgroup, CGROUP_PIDS, "pids.max");
    if (pids != CGROUP_UNKNOWN)
        ret_limits->pids = pids;
    cleanup_free char *quota = cgroup_read_text(cgroup, CGROUP_CPU, "cpu.cfs_quota_us");
    if (quota && quota[0] != '-') {
        ret_limits->cpu_quota_us = strtoull(quota, NULL, 10);
        ret_limits->cpu_period_us = cgroup_read_number(cgroup, CGROUP_CPU, "cpu.cfs_period_us");
    }
}

static void read_usage(const struct cgroup *cgroup, struct cgroup_usage *ret_usage) {
    ret_usage->cpu_ns = cgroup_read_number(cgroup, CGROUP_CPUACCT, "cpuacct.usage");
    ret_usage->throttled_ns = cgroup_read_keyed(cgroup, CGROUP_CPU, "cpu.stat", "throttled_time");
    ret_usage->memory_bytes = cgroup_read_number(cgroup, CGROUP_MEMORY, "memory.usage_in_bytes");
    ret_usage->memory_peak_bytes =
        cgroup_read_number(cgroup, CGROUP_MEMORY, "memory.max_usage_in_bytes");
    ret_usage->oom_kills =
        cgroup_read_keyed(cgroup, CGROUP_MEMORY, "memory.oom_control", "oom_kill");
}

static bool kill_at_once(const struct cgroup *cgroup) {
    (void)cgroup;
    return false;
}

const struct cgroup_backend cgroup_v1 = {
    .name = "v1",
    .apply_limits = apply_limits,
    .read_limits = read_limits,
    .read_usage = read_usage,
    .kill_at_once = kill_at_once,
};
