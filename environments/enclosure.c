// SPDX-License-Identifier: GPL-3.0-or-later
#include "environments/enclosure.h"

#include "common/file.h"

#include "common/units.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

int enclosure_prepare(struct enclosure *enclosure, const struct environment_setup *setup,
                      const struct cgroup_world *world, const struct cgroup_limits *limits,
                      const struct launch_plan *plan, struct error **err) {
    uint64_t begin_ns = monotonic_ns();
    *enclosure = (struct enclosure){.plan = *plan, .launcher = LAUNCHER_NONE};
    if (cgroup_create(world, limits, &enclosure->cgroup, err) < 0)
        return -1;
    envelope_cpu_set(&setup->envelope, &enclosure->cpus);
    enclosure->plan.cpus = &enclosure->cpus;
    enclosure->plan.join_fds = enclosure->cgroup->join_fds;
    enclosure->plan.timeout_ns = setup->start_timeout_ns;
    enclosure->plan.cancel_fd = setup->cancel_fd;
    enclosure->plan.session = setup->session;
    if (launcher_prepare(&enclosure->launcher, &enclosure->plan, err) < 0)
        return -1;
    cgroup_read_usage(enclosure->cgroup, &enclosure->before);
    enclosure->prepared_ns = monotonic_ns() - begin_ns;
    return 0;
}

int enclosure_launch(struct enclosure *enclosure, struct instance *instance,
                     struct process *ret_process, struct error **err) {
    instance_stamp(instance, STAMP_LAUNCH);
    if (launcher_go(&enclosure->launcher, ret_process, &instance->stamps[STAMP_HELPER_ALIVE],
                    &instance->stamps[STAMP_USER_INSTRUCTION], err) < 0)
        return -1;
    instance->pid = ret_process->pid;
    return 0;
}

void enclosure_settled(struct enclosure *enclosure) {
    launcher_dismiss(&enclosure->launcher);
}

static uint64_t since(uint64_t now, uint64_t before) {
    if (now == CGROUP_UNKNOWN || before == CGROUP_UNKNOWN)
        return FOOTPRINT_UNKNOWN;
    return now > before ? now - before : 0;
}

void enclosure_footprint(const struct enclosure *enclosure, pid_t pid,
                         struct footprint *footprint) {
    struct cgroup_usage now;
    cgroup_read_usage(enclosure->cgroup, &now);
    footprint->cpu_ns = since(now.cpu_ns, enclosure->before.cpu_ns);
    if (footprint->cpu_ns == FOOTPRINT_UNKNOWN)
        footprint->cpu_ns = process_cpu_ns(pid);
    footprint->throttled_ns = since(now.throttled_ns, enclosure->before.throttled_ns);
    footprint->resident_bytes = process_pss_bytes(pid);
}

void enclosure_facts(const struct enclosure *enclosure, pid_t pid, json_t *facts) {
    cgroup_facts(enclosure->cgroup, facts);
    cleanup_free char *cpus = process_cpus_allowed(pid);
    if (cpus)
        json_object_set_new(facts, "cpus_allowed", json_string(cpus));
    json_object_set_new(facts, "envelope_prepared_ns",
                        json_integer((json_int_t)enclosure->prepared_ns));
}

uint64_t enclosure_oom_kills(const struct enclosure *enclosure) {
    struct cgroup_usage now;
    if (!enclosure->cgroup)
        return 0;
    cgroup_read_usage(enclosure->cgroup, &now);
    return now.oom_kills == CGROUP_UNKNOWN ? 0 : now.oom_kills;
}

bool enclosure_killed_by_limit(const struct enclosure *enclosure, const struct process *process) {
    return process->reaped && WIFSIGNALED(process->status) &&
           WTERMSIG(process->status) == SIGKILL && enclosure_oom_kills(enclosure) > 0;
}

int enclosure_end(struct enclosure *enclosure, struct error **err) {
    launcher_dismiss(&enclosure->launcher);
    /* It has ended; its number may become another's. */
    if (enclosure->plan.session)
        *enclosure->plan.session = 0;
    int result = cgroup_remove(enclosure->cgroup, err);
    enclosure->cgroup = NULL;
    return result;
}

bool enclosure_describe_world(const struct cgroup_world *world, char *text, size_t capacity) {
    static const enum cgroup_controller needed[] = {CGROUP_CPUSET, CGROUP_MEMORY, CGROUP_PIDS};
    size_t length = (size_t)snprintf(text, capacity, "cgroup %s", cgroup_world_name(world));
    bool complete = true;
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
        if (cgroup_world_has(world, needed[i]))
            continue;
        if (world->kind != CGROUP_KIND_NONE && length < capacity)
            length +=
                (size_t)snprintf(text + length, capacity - length, "%s%s",
                                 complete ? " without " : ", ", cgroup_controller_names[needed[i]]);
        complete = false;
    }
    if (world->kind == CGROUP_KIND_NONE && length < capacity)
        snprintf(text + length, capacity - length, ": CPU affinity only (%s)", world->reason);
    return complete;
}

void enclosure_advise(const struct cgroup_world *world, char *text, size_t capacity) {
    const char *advice = "run boxmark as root";
    if (geteuid() == 0)
        advice = "give this process a writable cgroup tree with cpuset, memory and pids";
    else if (world->mounted == CGROUP_KIND_V2)
        advice = "run it in a scope of its own: systemd-run --user --scope -p Delegate=yes "
                 "boxmark ..., or as root";
    snprintf(text, capacity, "%s", advice);
}

void enclosure_describe(const struct environment_setup *setup, const struct cgroup_world *world,
                        const struct cgroup_limits *limits, FILE *to) {
    char groups[256], size[32];
    enclosure_describe_world(world, groups, sizeof(groups));
    fprintf(to, "Before the clock runs (alike in every environment):\n");
    fprintf(to, "  CPU affinity %s\n", setup->envelope.cpu_list);
    fprintf(to, "  %s\n", groups);
    for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
        if (!cgroup_world_has(world, (enum cgroup_controller)i))
            continue;
        fprintf(to, "    %s/boxmark-...:", world->parents[i]);
        if (i == CGROUP_CPUSET)
            fprintf(to, " CPUs %s, memory nodes %s", limits->cpu_list, limits->node_list);
        else if (i == CGROUP_MEMORY && limits->memory_bytes)
            fprintf(to, " at most %s, no swap", format_size(limits->memory_bytes, size));
        else if (i == CGROUP_PIDS)
            fprintf(to, " at most %" PRIu64 " processes and threads", limits->pids);
        else if (i == CGROUP_CPU && limits->cpu_quota_us)
            fprintf(to, " %" PRIu64 " us of CPU time in every %" PRIu64 " us", limits->cpu_quota_us,
                    limits->cpu_period_us);
        else
            fprintf(to, " %s", i == CGROUP_CPUACCT ? "CPU time is counted" : "no limit");
        fputc('\n', to);
    }
}
