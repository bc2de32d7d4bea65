// SPDX-License-Identifier: GPL-3.0-or-later
/* Did all environments get the same CPUs and memory? */
#include "results/audit_checks.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static void examine_cpu_count(struct audit_facts *facts, const struct audit_check *check) {
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        double inside = fact_number(environment->instance, "agent_facts.cpus");
        if (isnan(inside) || isnan(facts->cpus))
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
        else
            audit_say(facts, check, environment, "*",
                      inside == facts->cpus ? AUDIT_OK : AUDIT_FAILING,
                      "%g CPU%s inside, %g in the envelope", inside, plural(inside), facts->cpus);
    }
}

static void examine_memory(struct audit_facts *facts, const struct audit_check *check) {
    double meant = fact_number(facts->envelope, "memory_bytes");
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        double seen = fact_number(environment->instance, "agent_facts.memory_bytes");
        double limit = fact_number(environment->instance, "facts.cgroup_limits.memory_bytes");
        double inside = fmin(seen, limit); /* fmin passes over a NAN */
        if (isnan(inside) || !(meant > 0)) {
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
            continue;
        }
        bool less = inside < meant;
        enum audit_state state = less ? audit_judge("memory_missing", 1 - inside / meant)
                                      : audit_judge("memory_excess", inside / meant - 1);
        audit_say(facts, check, environment, "*", state, "%.0f MiB inside%s, %.0f MiB meant",
                  inside / 0x1p20, !less && state != AUDIT_OK ? " (no limit in force)" : "",
                  meant / 0x1p20);
    }
}

/* "0-1,4" into a set; false when it is not such a list. */
static bool parse_cpus(const char *text, cpu_set_t *ret_set) {
    CPU_ZERO(ret_set);
    while (*text) {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end == text)
            return false;
        if (*end == '-') {
            text = end + 1;
            last = strtoul(text, &end, 10);
            if (end == text)
                return false;
        }
        if (last >= CPU_SETSIZE || first > last || (*end && *end != ','))
            return false;
        for (unsigned long cpu = first; cpu <= last; cpu++)
            CPU_SET(cpu, ret_set);
        text = end + (*end == ',');
    }
    return true;
}

static bool is_within(const char *list, const cpu_set_t *envelope) {
    cpu_set_t set, both;
    if (!parse_cpus(list, &set))
        return false;
    CPU_AND(&both, &set, envelope);
    return CPU_EQUAL(&both, &set);
}

/* What was read back of an environment's CPUs: how many lists, and the first one that strays. */
struct pinning {
    unsigned lists;
    const char *example, *stray, *stray_of;
};

static void look_at(struct pinning *pinning, const cpu_set_t *envelope, const char *list,
                    const char *of) {
    if (!list)
        return;
    pinning->lists++;
    if (!pinning->example)
        pinning->example = list;
    if (!pinning->stray && !is_within(list, envelope)) {
        pinning->stray = list;
        pinning->stray_of = of;
    }
}

static void look_at_instance(struct pinning *pinning, const cpu_set_t *envelope,
                             const json_t *instance, bool same_kernel) {
    look_at(pinning, envelope, fact_text(instance, "facts.cgroup_limits.cpus"), "its cgroup");
    look_at(pinning, envelope, fact_text(instance, "facts.cpus_allowed"), "its first process");
    if (same_kernel) /* a guest numbers its CPUs by itself */
        look_at(pinning, envelope, fact_text(instance, "agent_facts.cpus_allowed"), "the agent");
    size_t index;
    const json_t *thread;
    json_array_foreach(fact(instance, "facts.threads"), index, thread) {
        const char *name = fact_text(thread, "name");
        look_at(pinning, envelope, fact_text(thread, "cpus"), name ? name : "a thread");
    }
}

static void examine_pinning(struct audit_facts *facts, const struct audit_check *check) {
    const char *meant = fact_text(facts->envelope, "cpus");
    cpu_set_t envelope;
    bool known = meant && parse_cpus(meant, &envelope);
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        struct pinning pinning = {0};
        size_t position = 0;
        for (const json_t *entry;
             known && (entry = audit_next(facts, "instance", environment->label, &position));)
            look_at_instance(&pinning, &envelope, entry, environment->same_kernel);
        if (pinning.lists == 0)
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "nothing was read back");
        else if (pinning.stray)
            audit_say(facts, check, environment, "*", AUDIT_FAILING,
                      "%s may run on CPUs %s, the envelope is %s", pinning.stray_of, pinning.stray,
                      meant);
        else
            audit_say(facts, check, environment, "*", AUDIT_OK,
                      "CPUs %s read back (%u list%s within the envelope's %s)", pinning.example,
                      pinning.lists, plural(pinning.lists), meant);
    }
}

static void examine_numa(struct audit_facts *facts, const struct audit_check *check) {
    const char *meant = fact_text(facts->envelope, "nodes");
    for (unsigned i = 0; meant && i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        const char *limit = fact_text(environment->instance, "facts.cgroup_limits.memory_nodes");
        if (!limit && environment->same_kernel)
            limit = fact_text(environment->instance, "agent_facts.nodes_allowed");
        if (limit)
            audit_say(facts, check, environment, "*",
                      strcmp(limit, meant) == 0 ? AUDIT_OK : AUDIT_NOTED,
                      "memory may come from node %s, the CPUs are on node %s", limit, meant);
    }
}

/* Which limits of the envelope the kernel says are in force around an environment; memory has an
 * item of its own. */
static void examine_limits(struct audit_facts *facts, const struct audit_check *check) {
    static const char *const limits[][2] = {{"cpus", "CPUs (affinity only)"},
                                            {"pids", "processes"}};
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        const json_t *held = fact(environment->instance, "facts.cgroup_limits");
        char missing[64] = "";
        if (!json_is_object(held))
            continue;
        for (size_t j = 0; j < sizeof(limits) / sizeof(*limits); j++)
            if (!json_object_get(held, limits[j][0])) {
                size_t length = strlen(missing);
                snprintf(missing + length, sizeof(missing) - length, "%s%s", *missing ? ", " : "",
                         limits[j][1]);
            }
        if (*missing)
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "no limit is in force on: %s",
                      missing);
        else
            audit_say(facts, check, environment, "*", AUDIT_OK,
                      "CPUs and processes are limited, as read back");
    }
}

/* A machine that is reached by a command: what boxmark set there, which is nothing. */
static void examine_reach(struct audit_facts *facts, const struct audit_check *check) {
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        const json_t *instance = environment->instance;
        const char *kernel = fact_text(instance, "agent_facts.kernel");
        const char *cpu = fact_text(instance, "agent_facts.cpu_model");
        if (!json_is_true(fact(instance, "facts.out_of_reach")))
            continue;
        audit_say(
            facts, check, environment, "*", AUDIT_NOTED,
            "the other side of a command: no limit of CPUs, memory or processes is set there, "
            "nor can one be read back; by its own words %.0f CPUs (%.60s), %.0f MiB, kernel "
            "%.60s; times hold the way there and back",
            fact_number(instance, "agent_facts.cpus"), cpu ? cpu : "of no known model",
            fact_number(instance, "agent_facts.memory_bytes") / 0x1p20,
            kernel ? kernel : "not told");
    }
}

const struct audit_check audit_envelope_checks[] = {
    {"reach", examine_reach,
     "what boxmark cannot hold, the owner of the other side must: give it the envelope's CPUs and "
     "memory"},
    {"limits", examine_limits,
     "what one environment may take and another may not is no property of isolation"},
    {"cpu_count", examine_cpu_count,
     "a guest with one CPU against a host with many compares sizes, not isolation"},
    {"memory", examine_memory, "unequal memory means unequal caching and reclaim"},
    {"pinning", examine_pinning,
     "other CPUs have other caches, neighbours and memory: STREAM in a guest lost 22 % unbound and 3 "
     "% bound (Felter et al. 2014)"},
    {"numa", examine_numa, "memory of another node is slower"},
    {0},
};
