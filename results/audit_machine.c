// SPDX-License-Identifier: GPL-3.0-or-later
/* What the machine is, and what else happened on it. */
#include "results/audit_checks.h"

#include <math.h>
#include <string.h>

/*
 * Time of the calibration loop at the start of an environment's instances; NAN unknown. The best of
 * each instance: a neighbour's share of the CPU is another check's.
 */
static double calibration_seconds(const struct audit_facts *facts, const char *environment,
                                  double *ret_instances) {
    cleanup_json_array json_t *best = json_array();
    size_t position = 0;
    for (const json_t *entry; (entry = audit_next(facts, "instance", environment, &position));) {
        double seconds = fact_calibration(entry, "calibration_before");
        if (seconds > 0)
            json_array_append_new(best, json_real(seconds));
    }
    *ret_instances = (double)json_array_size(best);
    return fact_median(best);
}

/* How long whole work takes, by the median of its requests; NaN where it was not done. */
static double prime_seconds(const struct audit_facts *facts, const char *environment) {
    cleanup_json_array json_t *times = json_array();
    size_t position = 0;
    for (const json_t *entry; (entry = audit_next(facts, "request", environment, &position));) {
        const char *workload = fact_text(entry, "workload");
        double seconds = fact_number(entry, "witness.elapsed_ns") / 1e9;
        if (workload && strcmp(workload, "prime") == 0 && seconds > 0)
            json_array_append_new(times, json_real(seconds));
    }
    return fact_median(times);
}

/* A quota explains a slow guest as well. */
static bool has_quota(const struct audit_environment *environment) {
    return !isnan(fact_number(environment->instance, "facts.cgroup_limits.cpu_quota_us"));
}

static void examine_accelerator(struct audit_facts *facts, const struct audit_check *check) {
    double reference = NAN, reference_prime = NAN, instances;
    for (unsigned i = 0; i < facts->environment_count && isnan(reference); i++)
        if (strcmp(facts->environments[i].accelerator, "none") == 0) {
            reference = calibration_seconds(facts, facts->environments[i].label, &instances);
            reference_prime = prime_seconds(facts, facts->environments[i].label);
        }
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        const char *accelerator = environment->accelerator;
        if (strcmp(accelerator, "none") == 0)
            continue;
        const char *qemus = fact_text(environment->instance, "facts.qemu_accelerator");
        /* "KVM emulated" is KVM to QEMU. */
        if (qemus && strncmp(qemus, accelerator, strlen(qemus)) != 0) {
            audit_say(facts, check, environment, "*", AUDIT_FAILING,
                      "labelled %.20s, but QEMU says that it uses %.20s", accelerator, qemus);
            continue;
        }
        double times = calibration_seconds(facts, environment->label, &instances) / reference;
        bool emulated = strcmp(accelerator, "TCG") == 0 || strcmp(accelerator, "KVM emulated") == 0;
        enum audit_state state = emulated ? AUDIT_NOTED : audit_judge("accelerator", times);
        double start_s = audit_threshold_find("accelerator_work_start")->noted;
        double primes = (prime_seconds(facts, environment->label) - start_s) / reference_prime;
        enum audit_state work = emulated || isnan(primes) || has_quota(environment)
                                    ? AUDIT_OK
                                    : audit_judge("accelerator_work", primes);
        bool few = audit_judge("calibration_instances", instances) == AUDIT_OK;
        if (state == AUDIT_FAILING && few)
            state = AUDIT_NOTED;
        if (work != AUDIT_OK)
            audit_say(facts, check, environment, "*", few ? AUDIT_NOTED : work,
                      "%s: prime takes %.3g times as long as without a guest%s",
                      *accelerator ? accelerator : "unknown", primes,
                      work == AUDIT_FAILING ? ": that is no native execution" : "");
        else if (isnan(times))
            audit_say(facts, check, environment, "*", AUDIT_NOTED,
                      "%s; no calibration loop to compare", *accelerator ? accelerator : "unknown");
        else
            audit_say(facts, check, environment, "*", state,
                      "%s: the calibration loop takes %.3g times as long as without a guest%s",
                      *accelerator ? accelerator : "unknown", times,
                      emulated                 ? " (software emulation)"
                      : state == AUDIT_FAILING ? ": that is no native execution"
                                               : "");
    }
}

static void examine_nested(struct audit_facts *facts, const struct audit_check *check) {
    const json_t *is_virtual = fact(facts->machine, "virtual_machine");
    const char *product = fact_text(facts->machine, "product");
    if (json_is_true(is_virtual))
        audit_say(facts, check, NULL, "*", AUDIT_NOTED,
                  "this machine is virtual itself%s%.80s%s; what its hypervisor adds is in all "
                  "figures, a guest's included",
                  product ? " (" : "", product ? product : "", product ? ")" : "");
    else
        audit_say(facts, check, NULL, "*", json_is_false(is_virtual) ? AUDIT_OK : AUDIT_NOTED, "%s",
                  json_is_false(is_virtual) ? "this machine shows no hypervisor" : "not recorded");
}

static void examine_frequency(struct audit_facts *facts, const struct audit_check *check) {
    const char *governor = fact_text(facts->machine, "governor");
    const char *no_turbo = fact_text(facts->machine, "intel_no_turbo");
    const char *boost = fact_text(facts->machine, "boost");
    bool turbo = (no_turbo && strcmp(no_turbo, "0") == 0) || (boost && strcmp(boost, "1") == 0);
    double worst = NAN;
    size_t position = 0;
    for (const json_t *entry; (entry = audit_next(facts, "instance", NULL, &position));) {
        double moved = fabs(fact_number(entry, "frequency_after_khz") /
                                fact_number(entry, "frequency_before_khz") -
                            1);
        worst = fmax(worst, moved); /* fmax passes over a NAN */
    }
    enum audit_state state =
        governor && strcmp(governor, "performance") == 0 && !turbo ? AUDIT_OK : AUDIT_NOTED;
    if (!isnan(worst) && audit_judge("frequency", worst) > state)
        state = audit_judge("frequency", worst);
    if (!governor)
        audit_say(facts, check, NULL, "*", AUDIT_NOTED,
                  "the frequency cannot be seen here; see the calibration loop");
    else if (isnan(worst))
        audit_say(facts, check, NULL, "*", state, "governor %.40s, turbo %s", governor,
                  turbo ? "on" : "off or unknown");
    else
        audit_say(facts, check, NULL, "*", state,
                  "governor %.40s, turbo %s, moved by up to %.1f %% within an instance", governor,
                  turbo ? "on" : "off or unknown", 100 * worst);
}

static void examine_steal(struct audit_facts *facts, const struct audit_check *check) {
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        double steal = fact_request_sum(facts, environment->label, "witness.steal_ns");
        double busy = fact_request_sum(facts, environment->label, "witness.busy_ns");
        double wanted = (steal + busy) / 1e9;
        double share = steal / 1e9 / wanted;
        enum audit_state state = audit_judge("steal", share);
        if (state == AUDIT_FAILING && audit_judge("tick_resolution", wanted) == AUDIT_OK)
            state = AUDIT_NOTED;
        if (steal == 0)
            audit_say(facts, check, environment, "*", AUDIT_OK, "none");
        else if (isnan(share))
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
        else
            audit_say(facts, check, environment, "*", state,
                      "%.1f %% of the CPU time wanted was taken by the hypervisor (%.2f s)",
                      100 * share, steal / 1e9);
    }
}

/* By quotas of groups that boxmark itself is in; 0 where nothing was recorded. */
static double outside_throttled_seconds(const struct audit_facts *facts, const char *environment) {
    double sum = 0;
    size_t position = 0;
    for (const json_t *entry; (entry = audit_next(facts, "request", environment, &position));) {
        double seconds = fact_number(entry, "witness.throttled_ns") / 1e9;
        sum += seconds > 0 ? seconds : 0;
    }
    return sum;
}

static void examine_throttling(struct audit_facts *facts, const struct audit_check *check) {
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        double throttled = 0;
        unsigned known = 0;
        size_t position = 0;
        for (const json_t *entry;
             (entry = audit_next(facts, "instance", environment->label, &position));) {
            double seconds = fact_number(entry, "footprint.throttled_ns") / 1e9;
            if (isnan(seconds))
                continue;
            throttled += seconds;
            known++;
        }
        double elapsed = fact_request_sum(facts, environment->label, "witness.elapsed_ns") / 1e9;
        double quota = fact_number(environment->instance, "facts.cgroup_limits.cpu_quota_us") /
                       fact_number(environment->instance, "facts.cgroup_limits.cpu_period_us");
        double outside = outside_throttled_seconds(facts, environment->label);
        if (elapsed > 0 && outside > 0)
            audit_say(facts, check, environment, "*", audit_judge("throttling", outside / elapsed),
                      "held back for %.2f s of %.2f s by the quota of a control group that boxmark "
                      "itself is in",
                      outside, elapsed);
        if (!known || !(elapsed > 0))
            continue; /* nothing that could be throttled, or that could tell */
        if (!isnan(quota))
            audit_say(facts, check, environment, "*", AUDIT_NOTED,
                      "held back for %.2f s of %.2f s by its own quota of %.3g CPUs", throttled,
                      elapsed, quota);
        else
            audit_say(facts, check, environment, "*",
                      audit_judge("throttling", throttled / elapsed),
                      "held back for %.2f s of %.2f s by a cgroup's quota", throttled, elapsed);
    }
}

/*
 * CPU time on the envelope's CPUs that is not the instance's own. Requests to the disk are judged
 * apart: what the kernel does for them on its own threads looks like somebody else's work.
 */
static void judge_load(struct audit_facts *facts, const struct audit_check *check,
                       const struct audit_environment *environment, bool disk) {
    double others = 0, elapsed = 0;
    size_t position = 0;
    bool any = false;
    for (const json_t *entry;
         (entry = audit_next(facts, "request", environment->label, &position));) {
        const char *workload = fact_text(entry, "workload");
        if (disk != (workload && strcmp(workload, "disk") == 0))
            continue;
        any = true;
        others += (fact_number(entry, "witness.busy_ns") - fact_number(entry, "cpu_ns")) / 1e9;
        elapsed += fact_number(entry, "witness.elapsed_ns") / 1e9;
    }
    double cpus = fmax(others, 0) / elapsed;
    const char *of = disk ? "disk/*" : "*";
    if (!any)
        return;
    if (isnan(others) || isnan(elapsed) || elapsed == 0)
        audit_say(facts, check, environment, of, AUDIT_NOTED, "not recorded");
    else if (audit_judge("tick_resolution", elapsed) == AUDIT_OK)
        audit_say(facts, check, environment, of, AUDIT_NOTED,
                  "%.2f s of work are too short to tell", elapsed);
    else
        audit_say(facts, check, environment, of, audit_judge(disk ? "load_disk" : "load", cpus),
                  "others used %.2f of the envelope's %g CPUs on average%s", cpus, facts->cpus,
                  disk ? ", the kernel's work for the disk included" : "");
}

static void examine_load(struct audit_facts *facts, const struct audit_check *check) {
    for (unsigned i = 0; i < facts->environment_count; i++) {
        judge_load(facts, check, &facts->environments[i], false);
        judge_load(facts, check, &facts->environments[i], true);
    }
}

/* STREAM's rule: arrays of at least four times the cache, or it is the cache that is measured. */
static void examine_stream_size(struct audit_facts *facts, const struct audit_check *check) {
    double cache = fact_number(facts->machine, "last_level_cache_bytes"), elements = NAN;
    size_t index;
    json_t *work;
    json_array_foreach(json_object_get(facts->run, "workloads"), index, work) {
        const char *name = fact_text(work, "name");
        if (name && strcmp(name, "stream") == 0)
            elements = fact_number(work, "parameters.elements");
    }
    if (isnan(elements))
        return;
    double bytes = elements * sizeof(double);
    if (isnan(cache))
        audit_say(facts, check, NULL, "stream/*", AUDIT_NOTED,
                  "arrays of %.0f MiB; the size of the cache is not recorded", bytes / 0x1p20);
    else
        audit_say(facts, check, NULL, "stream/*", bytes < 4 * cache ? AUDIT_NOTED : AUDIT_OK,
                  "arrays of %.0f MiB, %.2g times the last-level cache of %.0f MiB%s",
                  bytes / 0x1p20, bytes / cache, cache / 0x1p20,
                  bytes < 4 * cache ? ": this is the speed of the cache rather than of memory"
                                    : "");
}

static void examine_swap(struct audit_facts *facts, const struct audit_check *check) {
    for (unsigned i = 0; i < facts->environment_count; i++) {
        const struct audit_environment *environment = &facts->environments[i];
        double bytes = fact_request_sum(facts, environment->label, "witness.swapped_pages") * 4096;
        double elapsed = fact_request_sum(facts, environment->label, "witness.elapsed_ns") / 1e9;
        if (isnan(bytes) || !(elapsed > 0))
            audit_say(facts, check, environment, "*", AUDIT_NOTED, "not recorded");
        else
            audit_say(facts, check, environment, "*", audit_judge("swap", bytes / elapsed),
                      "%.1f MiB swapped in and out in %.1f s", bytes / 0x1p20, elapsed);
    }
}

const struct audit_check audit_machine_checks[] = {
    {"accelerator", examine_accelerator,
     "software emulation executes guest code several times slower than hardware virtualisation"},
    {"nested", examine_nested,
     "a hypervisor below may take CPU time and slow page faults and exits"},
    {"frequency", examine_frequency, "a CPU that changes its clock changes every figure"},
    {"steal", examine_steal, "time taken by the hypervisor below looks like slowness"},
    {"throttling", examine_throttling, "time spent held back looks like slowness"},
    {"load", examine_load, "a neighbour on the same CPUs takes time, caches and memory bandwidth"},
    {"stream_size", examine_stream_size,
     "STREAM asks for arrays of four times the cache, so that memory is measured"},
    {"swap", examine_swap, "a program that waits for swapped pages measures the swap device"},
    {0},
};
