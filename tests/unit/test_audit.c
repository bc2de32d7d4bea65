// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The audit on recorded facts: a fair run of three environments on an ordinary machine, and the
 * same with one fact changed. Facts are texts, as they stand in run.json and journal.jsonl.
 */
#include "tests/unit/unit.h"

#include "common/file.h"
#include "common/random.h"
#include "results/audit.h"
#include "tests/unit/samples.h"

static const char run_text[] =
    "{'schema': 1, 'agent': {'sha256': 'aaaa'},"
    " 'environments': [{'label': 'host', 'accelerator': 'none'},"
    "   {'label': 'container', 'accelerator': 'none'}, {'label': 'vm', 'accelerator': 'KVM'}],"
    " 'workloads': [{'name': 'prime', 'parameters': {'iterations': 3}},"
    "   {'name': 'disk', 'parameters': {'bytes': 1000000, 'iterations': 2}}],"
    " 'machine': {'kernel_version': '#1 SMP', 'cpu_flags': 'fpu sse2 avx avx2',"
    "   'virtual_machine': false, 'governor': 'performance', 'clock_source': 'tsc',"
    "   'transparent_huge_pages': 'always [madvise] never', 'intel_no_turbo': '1',"
    "   'speculation_store_bypass': 'thread vulnerable', 'mitigations': {'meltdown': 'Not affected'},"
    "   'envelope': {'cpus': '0-1', 'nodes': '0', 'cpu_count': 2, 'memory_bytes': 536870912}}}";

static const char instance_text[] =
    "{'type': 'instance', 'block': 0, 'environment': 'host', 'outcome': 'done',"
    " 'agent_sha256': 'aaaa', 'calibration_before': [0.01, 0.05, 0.0101],"
    " 'calibration_before_agent': [0.01, 0.05, 0.0101],"
    " 'calibration_after': [0.0101, 0.0102, 0.0102],"
    " 'footprint': {'throttled_ns': 0},"
    " 'facts': {'cgroup_limits': {'cpus': '0-1', 'memory_bytes': 536870912, 'pids': 544}},"
    " 'agent_facts': {'kernel_version': '#1 SMP', 'cpus': 2, 'memory_bytes': 25000000000,"
    "   'cpus_allowed': '0-1', 'nodes_allowed': '0', 'cpu_flags': 'fpu sse2 avx avx2',"
    "   'clock_source': 'tsc', 'transparent_huge_pages': 'always [madvise] never',"
    "   'seccomp': '0', 'speculation_store_bypass': 'thread vulnerable',"
    "   'mitigations': {'meltdown': 'Not affected'}}}";

static const char prime_text[] =
    "{'type': 'request', 'block': 0, 'environment': 'host', 'workload': 'prime', 'digest': '1228',"
    " 'host_elapsed_ns': 5000000000, 'agent_elapsed_ns': 4999000000, 'cpu_ns': 9900000000,"
    " 'notes': {'anon_huge_pages': '0 KiB'},"
    " 'witness': {'elapsed_ns': 5001000000, 'steal_ns': 0, 'busy_ns': 9950000000,"
    "   'swapped_pages': 0, 'disk_read_bytes': 0, 'disk_written_bytes': 0}}";

static const char disk_text[] =
    "{'type': 'request', 'block': 0, 'environment': 'host', 'workload': 'disk', 'digest': 'd00d',"
    " 'host_elapsed_ns': 1000000000, 'agent_elapsed_ns': 1000000000, 'cpu_ns': 800000000,"
    " 'notes': {'direct': 'yes', 'io': 'io_uring'},"
    " 'witness': {'elapsed_ns': 3001000000, 'steal_ns': 0, 'busy_ns': 900000000,"
    "   'swapped_pages': 0, 'disk_read_bytes': 8000000, 'disk_written_bytes': 4100000}}";

/* JSON with ' for ". */
static json_t *parse(const char *text) {
    cleanup_free char *copy = strdup(text);
    for (char *at = copy; (at = strchr(at, '\'')); at++)
        *at = '"';
    json_error_t problem;
    json_t *json = json_loads(copy, JSON_DECODE_ANY, &problem);
    if (!json)
        fail_msg("%s in %s", problem.text, text);
    return json;
}

struct facts {
    json_t *run, *journal;
    json_t *instances[3], *primes[3], *disks[3]; /* borrowed from the journal */
};

static void set(json_t *object, const char *path, const char *value) {
    cleanup_free char *copy = strdup(path);
    char *dot;
    while ((dot = strchr(copy, '.'))) {
        *dot = '\0';
        json_t *next = json_object_get(object, copy);
        if (!next) {
            next = json_object();
            json_object_set_new(object, copy, next);
        }
        object = next;
        memmove(copy, dot + 1, strlen(dot + 1) + 1);
    }
    if (value)
        json_object_set_new(object, copy, parse(value));
    else
        json_object_del(object, copy);
}

static json_t *add_entry(struct facts *facts, const char *text, unsigned environment) {
    static const char *const labels[] = {"'host'", "'container'", "'vm'"};
    json_t *entry = parse(text);
    set(entry, "environment", labels[environment]);
    json_array_append_new(facts->journal, entry);
    return entry;
}

static int facts_setup(void **state) {
    struct facts *facts = calloc(1, sizeof(*facts));
    facts->run = parse(run_text);
    facts->journal = json_array();
    for (unsigned e = 0; e < 3; e++) {
        facts->instances[e] = add_entry(facts, instance_text, e);
        facts->primes[e] = add_entry(facts, prime_text, e);
        facts->disks[e] = add_entry(facts, disk_text, e);
    }
    /* A guest: its own kernel and memory, QEMU's threads read back, a virtual disk. */
    set(facts->instances[2], "agent_facts.kernel_version", "'#2 guest'");
    set(facts->instances[2], "agent_facts.memory_bytes", "505000000");
    set(facts->instances[2], "agent_facts.cpus_allowed", "'0-1'");
    set(facts->instances[2], "facts.threads",
        "[{'name': 'CPU 0/KVM', 'cpus': '0'}, {'name': 'CPU 1/KVM', 'cpus': '1'},"
        " {'name': 'qemu', 'cpus': '0-1'}]");
    set(facts->instances[2], "facts.disk", "{'cache': 'none', 'flush': true}");
    *state = facts;
    return 0;
}

static int facts_teardown(void **state) {
    struct facts *facts = *state;
    json_decref(facts->run);
    json_decref(facts->journal);
    free(facts);
    return 0;
}

static struct audit *examine(const struct facts *facts) {
    struct audit *audit = NULL;
    struct error *err = NULL;
    audit_examine(facts->run, facts->journal, &audit, &err);
    assert_no_error(err);
    assert_non_null(audit);
    return audit;
}

/* The first item of a check about an environment (NULL: about all). */
static const struct audit_item *find(const struct audit *audit, const char *name,
                                     const char *environment) {
    for (size_t i = 0; i < audit->count; i++) {
        const struct audit_item *item = &audit->items[i];
        if (strcmp(item->name, name) == 0 &&
            (environment ? item->environment && strcmp(item->environment, environment) == 0
                         : !item->environment))
            return item;
    }
    return NULL;
}

static void check(const struct audit *audit, const char *name, const char *environment,
                  enum audit_state state, const char *evidence) {
    const struct audit_item *item = find(audit, name, environment);
    if (!item)
        fail_msg("no item %s of %s", name, environment ? environment : "all");
    if (item->state != state || !strstr(item->evidence, evidence))
        fail_msg("%s of %s is %s: %s", name, environment ? environment : "all",
                 audit_state_name(item->state), item->evidence);
}

static void a_fair_run_has_no_failure_and_few_notes(void **state) {
    cleanup_audit struct audit *audit = examine(*state);
    for (size_t i = 0; i < audit->count; i++)
        if (audit->items[i].state != AUDIT_OK)
            fail_msg("%s: %s", audit->items[i].name, audit->items[i].evidence);
    assert_int_equal(audit_worst(audit), AUDIT_OK);
    static const char *const every[] = {"limits",       "failures",   "agent",       "cpu_count",
                                        "memory",       "pinning",    "steal",       "throttling",
                                        "load",         "swap",       "calibration", "guest_clock",
                                        "clock_source", "huge_pages", "cpu_flags",   "speculation",
                                        "mitigations",  "page_cache", "direct_io"};
    for (size_t i = 0; i < sizeof(every) / sizeof(*every); i++)
        for (unsigned e = 0; e < 3; e++) {
            static const char *const labels[] = {"host", "container", "vm"};
            if (!find(audit, every[i], labels[e]))
                fail_msg("no item %s of %s", every[i], labels[e]);
        }
    assert_non_null(find(audit, "digests", NULL));
    assert_non_null(find(audit, "nested", NULL));
    assert_non_null(find(audit, "frequency", NULL));
    assert_non_null(find(audit, "accelerator", "vm"));
    assert_non_null(find(audit, "flush", "vm"));
    assert_non_null(find(audit, "numa", "host"));
}

/* One fact changed: what it does. `entry`: r run, i instance, p prime request, d disk request. */
struct change {
    char entry;
    unsigned environment;
    const char *path, *value; /* NULL: taken away */
    const char *name, *label; /* the item to look at */
    enum audit_state state;
    const char *evidence;
};

static const struct change changes[] = {
    {'i', 2, "agent_sha256", "'bbbb'", "agent", "vm", AUDIT_FAILING, "bbbb... inside, aaaa..."},
    {'i', 2, "agent_sha256", NULL, "agent", "vm", AUDIT_NOTED, "not recorded"},
    {'p', 1, "digest", "'1229'", "digests", NULL, AUDIT_FAILING, "1229 in container, 1228 before"},
    {'i', 1, "outcome", "'failed'", "failures", "container", AUDIT_FAILING, "0 instances done, 1"},
    {'r', 0, "machine.virtual_machine", "true", "nested", NULL, AUDIT_NOTED, "virtual itself"},
    {'r', 0, "machine.virtual_machine", NULL, "nested", NULL, AUDIT_NOTED, "not recorded"},
    {'i', 2, "calibration_before", "[0.08]", "accelerator", "vm", AUDIT_NOTED,
     "KVM: the calibration loop takes 8 times as long"},
    {'i', 2, "calibration_before", "[0.0104]", "accelerator", "vm", AUDIT_OK, "1.04 times"},
    /* The harness saw the beginning of one late. */
    {'i', 0, "calibration_before", "[0.01, 0.05, 0.004]", "accelerator", "vm", AUDIT_OK, "1 times"},
    {'i', 0, "calibration_before", "[0.01, 0.05, 0.004]", "calibration", "host", AUDIT_OK, "1.0 %"},
    {'i', 2, "calibration_before", "['x', null]", "accelerator", "vm", AUDIT_NOTED,
     "no calibration loop"},
    {'i', 2, "agent_facts.cpu_flags", "'fpu sse2 avx2'", "cpu_flags", "vm", AUDIT_NOTED,
     "1 missing inside: avx"},
    {'i', 2, "agent_facts.cpus", "1", "cpu_count", "vm", AUDIT_FAILING, "1 CPU inside, 2 in"},
    {'i', 2, "agent_facts.cpus", "'2'", "cpu_count", "vm", AUDIT_NOTED, "not recorded"},
    {'i', 2, "agent_facts.memory_bytes", "450000000", "memory", "vm", AUDIT_NOTED, "429 MiB"},
    {'i', 2, "agent_facts.memory_bytes", "200000000", "memory", "vm", AUDIT_FAILING, "191 MiB"},
    {'i', 0, "facts.cgroup_limits.memory_bytes", NULL, "memory", "host", AUDIT_NOTED,
     "(no limit in force)"},
    {'i', 1, "facts.cgroup_limits.pids", NULL, "limits", "container", AUDIT_NOTED,
     "no limit is in force on: processes"},
    {'i', 1, "facts.cgroup_limits.cpus", NULL, "limits", "container", AUDIT_NOTED,
     "no limit is in force on: CPUs (affinity only)"},
    {'i', 1, "agent_facts.cpus_allowed", "'0-3'", "pinning", "container", AUDIT_FAILING,
     "the agent may run on CPUs 0-3, the envelope is 0-1"},
    {'i', 2, "agent_facts.cpus_allowed", "'0-3'", "pinning", "vm", AUDIT_OK, "read back"},
    {'i', 2, "facts.threads", "[{'name': 'CPU 1/KVM', 'cpus': '0-7'}]", "pinning", "vm",
     AUDIT_FAILING, "CPU 1/KVM may run on CPUs 0-7"},
    {'i', 1, "facts.cgroup_limits.cpus", "'nonsense'", "pinning", "container", AUDIT_FAILING,
     "its cgroup may run on CPUs nonsense"},
    {'r', 0, "machine.envelope.cpus", NULL, "pinning", "host", AUDIT_NOTED, "nothing was read"},
    {'i', 2, "agent_facts.transparent_huge_pages", "'[always] madvise never'", "huge_pages", "vm",
     AUDIT_NOTED, "always inside, madvise outside"},
    {'i', 0, "agent_facts.nodes_allowed", "'0-1'", "numa", "host", AUDIT_NOTED, "from node 0-1"},
    {'r', 0, "machine.governor", "'powersave'", "frequency", NULL, AUDIT_NOTED, "powersave"},
    {'r', 0, "machine.governor", NULL, "frequency", NULL, AUDIT_NOTED, "cannot be seen"},
    {'r', 0, "machine.intel_no_turbo", "'0'", "frequency", NULL, AUDIT_NOTED, "turbo on"},
    {'i', 0, "calibration_after", "[0.0108]", "calibration", "host", AUDIT_NOTED, "7.7 %"},
    {'i', 0, "calibration_after", "[0.02]", "calibration", "host", AUDIT_NOTED, "69.3 %"},
    {'i', 0, "calibration_after", "[0.005]", "calibration", "host", AUDIT_NOTED, "69.3 %"},
    {'p', 0, "witness.steal_ns", "500000000", "steal", "host", AUDIT_NOTED, "4.4 %"},
    {'p', 0, "witness.steal_ns", "5000000000", "steal", "host", AUDIT_FAILING, "31.5 %"},
    {'p', 0, "witness.steal_ns", NULL, "steal", "host", AUDIT_NOTED, "not recorded"},
    {'i', 1, "footprint.throttled_ns", "30000000", "throttling", "container", AUDIT_NOTED,
     "0.03 s of 8.00 s"},
    {'i', 1, "footprint.throttled_ns", "3000000000", "throttling", "container", AUDIT_FAILING,
     "3.00 s of 8.00 s by a cgroup's quota"},
    {'p', 1, "witness.throttled_ns", "3000000000", "throttling", "container", AUDIT_FAILING,
     "held back for 3.00 s of 8.00 s by the quota of a control group that boxmark itself is in"},
    {'p', 2, "cpu_ns", "9000000000", "load", "vm", AUDIT_NOTED, "0.19 of the envelope's 2 CPUs"},
    {'p', 2, "cpu_ns", "5000000000", "load", "vm", AUDIT_FAILING, "0.99 of the envelope's 2 CPUs"},
    {'p', 2, "cpu_ns", "12000000000", "load", "vm", AUDIT_OK, "0.00 of"},
    {'d', 2, "cpu_ns", "0", "load", "vm", AUDIT_OK, "0.01 of"},
    {'p', 2, "cpu_ns", NULL, "load", "vm", AUDIT_NOTED, "not recorded"},
    {'p', 2, "witness.elapsed_ns", "1000000", "load", "vm", AUDIT_NOTED, "too short to tell"},
    {'p', 0, "witness.swapped_pages", "100", "swap", "host", AUDIT_NOTED, "0.4 MiB"},
    {'p', 0, "witness.swapped_pages", "100000", "swap", "host", AUDIT_FAILING, "390.6 MiB"},
    {'i', 2, "agent_facts.clock_source", "'hpet'", "clock_source", "vm", AUDIT_NOTED,
     "hpet inside"},
    {'i', 2, "facts.qemu_accelerator", "'TCG'", "accelerator", "vm", AUDIT_FAILING,
     "labelled KVM, but QEMU says that it uses TCG"},
    {'i', 1, "facts.cpus_allowed", "'3'", "pinning", "container", AUDIT_FAILING,
     "its first process may run on CPUs 3"},
    {'i', 2, "facts.disk", "{'cache': 'directsync', 'flush': false}", "flush", "vm", AUDIT_OK,
     "directsync, flush not needed"},
    {'p', 2, "agent_elapsed_ns", "4990000000", "guest_clock", "vm", AUDIT_OK, "0.17 % less"},
    {'p', 2, "agent_elapsed_ns", NULL, "guest_clock", "vm", AUDIT_NOTED, "not recorded"},
    {'d', 2, "witness.disk_written_bytes", "4000000", "page_cache", "vm", AUDIT_OK, "MiB written"},
    {'d', 2, "witness.disk_written_bytes", "3900000", "page_cache", "vm", AUDIT_NOTED, "written"},
    {'d', 2, "witness.disk_written_bytes", "100000", "page_cache", "vm", AUDIT_FAILING,
     "0.1 MiB written on the host's block device in whole requests, 3.8 MiB claimed"},

    {'d', 2, "witness.disk_written_bytes", NULL, "page_cache", "vm", AUDIT_NOTED,
     "no block device"},
    {'i', 2, "facts.disk.cache", "'unsafe'", "flush", "vm", AUDIT_FAILING, "unsafe, flush ignored"},
    {'i', 2, "facts.disk.flush", "false", "flush", "vm", AUDIT_FAILING, "flush not offered"},
    {'i', 2, "facts.disk", NULL, "flush", "vm", AUDIT_NOTED, "not recorded"},
    {'d', 1, "notes.direct", "'Invalid argument'", "direct_io", "container", AUDIT_FAILING,
     "direct I/O: Invalid argument (2 of 3"},
    {'d', 1, "notes.io", "'pwritev2'", "direct_io", "container", AUDIT_NOTED, "by pwritev2"},
    {'d', 1, "notes.io_fallback", "'ENOSYS'", "direct_io", "container", AUDIT_NOTED, "fallen back"},
    {'d', 1, "notes.io_polled", "'by a thread'", "direct_io", "container", AUDIT_NOTED,
     "by io_uring, polled: by a thread"},
    {'i', 1, "agent_facts.speculation_store_bypass", "'thread force mitigated'", "speculation",
     "container", AUDIT_NOTED, "thread force mitigated inside"},
    {'i', 2, "agent_facts.mitigations.meltdown", "'Mitigation: PTI'", "mitigations", "vm",
     AUDIT_NOTED, "1 of 1 differ inside: meltdown"},
    {'d', 2, "notes.direct", NULL, "page_cache", "vm", AUDIT_NOTED, "did not say how"},
};

static void one_fact_changed_changes_one_item(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        const struct change *change = &changes[i];
        struct facts *facts = NULL;
        facts_setup((void **)&facts);
        json_t *const entries[] = {['r'] = facts->run,
                                   ['i'] = facts->instances[change->environment],
                                   ['p'] = facts->primes[change->environment],
                                   ['d'] = facts->disks[change->environment]};
        set(entries[(unsigned char)change->entry], change->path, change->value);
        cleanup_audit struct audit *audit = examine(facts);
        check(audit, change->name, change->label, change->state, change->evidence);
        facts_teardown((void **)&facts);
    }
}

static void emulation_is_a_note(void **state) {
    struct facts *facts = *state;
    set(json_array_get(json_object_get(facts->run, "environments"), 2), "accelerator", "'TCG'");
    set(facts->instances[2], "calibration_before", "[0.08]");
    set(facts->instances[2], "calibration_after", "[0.08]");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "accelerator", "vm", AUDIT_NOTED, "8 times as long as without a guest (software");
    assert_int_equal(audit_worst(audit), AUDIT_NOTED);
}

static void an_emulating_kvm_by_its_name_is_a_note(void **state) {
    struct facts *facts = *state;
    set(json_array_get(json_object_get(facts->run, "environments"), 2), "accelerator",
        "'KVM emulated'");
    set(facts->instances[2], "facts.qemu_accelerator", "'KVM'");
    set(facts->instances[2], "calibration_before", "[0.08]");
    set(facts->instances[2], "calibration_after", "[0.08]");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "accelerator", "vm", AUDIT_NOTED, "KVM emulated: the calibration loop takes 8 ");
    /* QEMU's word still counts. */
    set(facts->instances[2], "facts.qemu_accelerator", "'TCG'");
    cleanup_audit struct audit *other = examine(facts);
    check(other, "accelerator", "vm", AUDIT_FAILING, "labelled KVM emulated, but QEMU says");
}

/* By the ratios that were seen of a virtual machine under TCG: it hides in the short loop. */
static void whole_work_tells_emulation(void **state) {
    struct facts *facts = *state;
    set(facts->instances[2], "calibration_before", "[0.0104]");
    set(facts->primes[2], "witness.elapsed_ns", "7500000000");
    cleanup_audit struct audit *slow = examine(facts);
    check(slow, "accelerator", "vm", AUDIT_NOTED,
          "prime takes 1.5 times as long as without a guest");
    set(facts->primes[2], "workload", "'zip'");
    cleanup_audit struct audit *other = examine(facts);
    check(other, "accelerator", "vm", AUDIT_OK, "calibration loop takes 1.04 times");
    set(facts->primes[2], "workload", "'prime'");
    set(facts->primes[2], "witness.elapsed_ns", "26020000000");
    cleanup_audit struct audit *few = examine(facts);
    check(few, "accelerator", "vm", AUDIT_NOTED, "prime takes 5.2 times as long");
    for (unsigned i = 0; i < 2; i++)
        set(add_entry(facts, instance_text, 2), "calibration_before", "[0.0104]");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "accelerator", "vm", AUDIT_FAILING, "that is no native execution");
    /* Of a millisecond of work, what starting it needs tells nothing. */
    set(facts->primes[0], "witness.elapsed_ns", "1000000");
    set(facts->primes[2], "witness.elapsed_ns", "21000000");
    cleanup_audit struct audit *tiny = examine(facts);
    check(tiny, "accelerator", "vm", AUDIT_OK, "calibration loop takes 1.04 times");
    set(facts->primes[2], "witness.elapsed_ns", "23000000");
    cleanup_audit struct audit *longer = examine(facts);
    check(longer, "accelerator", "vm", AUDIT_FAILING, "that is no native execution");
}

/* The kernel's work for a disk is no neighbour; a busy loop beside it is. */
static void a_neighbour_of_the_disk_is_seen(void **state) {
    struct facts *facts = *state;
    set(facts->disks[1], "witness.busy_ns", "3000000000");
    cleanup_audit struct audit *audit = examine(facts);
    bool seen = false;
    for (size_t i = 0; i < audit->count; i++) {
        const struct audit_item *item = &audit->items[i];
        if (strcmp(item->name, "load") == 0 && item->state == AUDIT_FAILING) {
            assert_string_equal(item->environment, "container");
            assert_non_null(strstr(item->evidence, "others used 0.73 of the envelope's 2 CPUs"));
            seen = true;
        }
    }
    assert_true(seen);
}

static void emulation_that_is_called_kvm_fails(void **state) {
    struct facts *facts = *state;
    set(facts->instances[2], "calibration_before", "[0.08, 0.09]");
    for (unsigned i = 0; i < 2; i++)
        set(add_entry(facts, instance_text, 2), "calibration_before", "[0.09, 0.081]");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "accelerator", "vm", AUDIT_FAILING,
          "8.1 times as long as without a guest: that is");
}

static void a_quota_of_its_own_is_a_note(void **state) {
    struct facts *facts = *state;
    set(facts->instances[1], "footprint.throttled_ns", "3000000000");
    set(facts->instances[1], "facts.cgroup_limits.cpu_quota_us", "50000");
    set(facts->instances[1], "facts.cgroup_limits.cpu_period_us", "100000");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "throttling", "container", AUDIT_NOTED, "by its own quota of 0.5 CPUs");
}

/* Everything that the clock inside counts, by this factor. */
static void set_clock(struct facts *facts, unsigned environment, double factor) {
    char value[128];
    json_t *const requests[] = {facts->primes[environment], facts->disks[environment]};
    for (unsigned i = 0; i < 2; i++) {
        double host_ns = json_number_value(json_object_get(requests[i], "host_elapsed_ns"));
        snprintf(value, sizeof(value), "%.0f", host_ns * factor);
        set(requests[i], "agent_elapsed_ns", value);
    }
    snprintf(value, sizeof(value), "[%.9f, %.9f, %.9f]", 0.01 * factor, 0.05 * factor,
             0.0101 * factor);
    set(facts->instances[environment], "calibration_before_agent", value);
}

static void clocks_that_go_wrong_are_caught(void **state) {
    struct facts *facts = *state;
    static const struct {
        double factor;
        enum audit_state state;
        const char *evidence;
    } cases[] = {
        {0.98, AUDIT_FAILING,
         "2.00 % less than the host's over 6.00 s (median of single pieces: "
         "2.00 % less)"},
        {1.02, AUDIT_FAILING, "2.00 % more"},
        {0.993, AUDIT_FAILING, "0.70 % less"},
        {0.9958, AUDIT_NOTED, "0.42 % less"},
        {0.9985, AUDIT_OK, "0.15 % less"},
        {1, AUDIT_OK, "0.00 % more"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        set_clock(facts, 2, cases[i].factor);
        cleanup_audit struct audit *audit = examine(facts);
        check(audit, "guest_clock", "vm", cases[i].state, cases[i].evidence);
    }
}

static void one_long_delay_is_no_wrong_clock(void **state) {
    struct facts *facts = *state;
    set(facts->primes[2], "agent_elapsed_ns", "4800000000");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "guest_clock", "vm", AUDIT_OK, "3.33 % less");
}

static void short_requests_do_not_tell_of_clocks(void **state) {
    struct facts *facts = *state;
    set(facts->primes[2], "host_elapsed_ns", "10000000");
    set(facts->primes[2], "agent_elapsed_ns", "8000000");
    set(facts->disks[2], "host_elapsed_ns", "10000000");
    set(facts->disks[2], "agent_elapsed_ns", "8000000");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "guest_clock", "vm", AUDIT_NOTED, "; too short to tell more");
}

/* What the lines need on their way is no wrong clock, in pieces of ten milliseconds. */
static void the_way_of_the_lines_is_no_wrong_clock(void **state) {
    struct facts *facts = *state;
    set(facts->instances[2], "calibration_before", "[0.0104, 0.0104, 0.0104]");
    set(facts->instances[2], "calibration_before_agent", "[0.0101, 0.0101, 0.0101]");
    set(facts->primes[2], "host_elapsed_ns", "30000000");
    set(facts->primes[2], "agent_elapsed_ns", "20000000");
    set(facts->disks[2], "host_elapsed_ns", "1000000");
    set(facts->disks[2], "agent_elapsed_ns", "1000000");
    cleanup_audit struct audit *unknown = examine(facts);
    check(unknown, "guest_clock", "vm", AUDIT_FAILING, "single pieces: 2.88 % less");
    set(facts->primes[2], "round_trip_ns", "200000");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "guest_clock", "vm", AUDIT_NOTED, "; too short to tell more");
}

static void no_direct_io_anywhere_is_a_note(void **state) {
    struct facts *facts = *state;
    for (unsigned e = 0; e < 3; e++)
        set(facts->disks[e], "notes.direct", "'this file system keeps files in memory'");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "direct_io", "host", AUDIT_NOTED, "keeps files in memory (0 of 3");
}

static void one_odd_instance_of_many_does_not_fail(void **state) {
    struct facts *facts = *state;
    for (unsigned i = 0; i < 4; i++)
        add_entry(facts, instance_text, 0);
    set(facts->instances[0], "calibration_after", "[0.05]");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "calibration", "host", AUDIT_OK, "at most 160.9 %");
}

static void a_drift_in_every_instance_fails(void **state) {
    struct facts *facts = *state;
    json_t *others[2];
    for (unsigned i = 0; i < 2; i++) {
        others[i] = add_entry(facts, instance_text, 0);
        set(others[i], "calibration_after", "[0.02]");
    }
    set(facts->instances[0], "calibration_after", "[0.02]");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "calibration", "host", AUDIT_FAILING, "by +69.3 % (medians of 3)");
    /* Back and forth is no drift. */
    set(others[0], "calibration_after", "[0.005]");
    set(others[1], "calibration_after", "[0.01]");
    cleanup_audit struct audit *again = examine(facts);
    check(again, "calibration", "host", AUDIT_NOTED, "69.3 %; with its sign by +0.0 %");
}

static void little_steal_time_is_not_counted_in_ticks(void **state) {
    struct facts *facts = *state;
    set(facts->primes[0], "witness.steal_ns", "300000000");
    set(facts->primes[0], "witness.busy_ns", "100000000");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "steal", "host", AUDIT_NOTED, "23.1 %");
}

/* The sections of the guest's disk request: two iterations of a second each, every byte moved. */
static void add_sections(struct facts *facts) {
    static const char *const names[] = {"seq_write_time", "fsync_time", "seq_read_time",
                                        "rand_read_time", "rand_write_time"};
    json_t *sections = json_array();
    for (int iteration = 0; iteration < 2; iteration++)
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
            json_array_append_new(
                sections, json_pack("{s:s, s:i, s:b, s:i, s:i, s:i}", "section", names[i],
                                    "iteration", iteration, "warmup", 0, "elapsed_ns", 1000000000,
                                    "disk_read_bytes", strstr(names[i], "read") ? 1000000 : 0,
                                    "disk_written_bytes", strstr(names[i], "write") ? 1000000 : 0));
    json_object_set_new(facts->disks[2], "sections", sections);
}

/* One member of one section, of one iteration or (-1) of both. */
static void set_section(struct facts *facts, const char *name, int iteration, const char *key,
                        const char *value) {
    size_t index;
    json_t *section;
    json_array_foreach(json_object_get(facts->disks[2], "sections"), index, section) {
        bool named = strcmp(json_string_value(json_object_get(section, "section")), name) == 0;
        int number = (int)json_integer_value(json_object_get(section, "iteration"));
        if (named && (iteration < 0 || iteration == number))
            set(section, key, value);
    }
}

/* The state and the evidence of what touches a metric of the guest; AUDIT_OK where nothing does. */
static void check_pass(const struct facts *facts, const char *touches, enum audit_state state,
                       const char *evidence) {
    cleanup_audit struct audit *audit = examine(facts);
    for (size_t i = 0; i < audit->count; i++) {
        const struct audit_item *item = &audit->items[i];
        if (strcmp(item->name, "page_cache") != 0 || strcmp(item->environment, "vm") != 0 ||
            strcmp(item->touches, touches) != 0)
            continue;
        if (item->state != state || !strstr(item->evidence, evidence))
            fail_msg("%s is %s: %s", touches, audit_state_name(item->state), item->evidence);
        return;
    }
    if (state != AUDIT_OK || *evidence)
        fail_msg("nothing touches %s", touches);
}

static void each_timed_pass_reaches_the_disk(void **state) {
    struct facts *facts = *state;
    add_sections(facts);
    /* What the whole request says is not asked any more. */
    set(facts->disks[2], "witness.disk_written_bytes", "1");
    check_pass(facts, "disk/seq_write*", AUDIT_OK, "1.9 MiB written");
    check_pass(facts, "disk/rand_write*", AUDIT_OK, "while 1.9 MiB were timed (rand_write)");
    check_pass(facts, "disk/seq_read*", AUDIT_OK, "1.9 MiB read");
    check_pass(facts, "disk/rand_read*", AUDIT_OK, "(rand_read)");
    check_pass(facts, "disk/fsync*", AUDIT_OK, "");
}

static void writes_that_stay_in_memory_until_they_are_flushed_fail(void **state) {
    struct facts *facts = *state;
    add_sections(facts);
    set_section(facts, "seq_write_time", -1, "disk_written_bytes", "0");
    set_section(facts, "fsync_time", -1, "disk_written_bytes", "1000000");
    check_pass(facts, "disk/seq_write*", AUDIT_FAILING, "0.0 MiB written on the host's block");
    check_pass(facts, "disk/fsync*", AUDIT_FAILING, "1.9 MiB of what seq_write wrote were still");
    check_pass(facts, "disk/rand_write*", AUDIT_OK, "");
    set_section(facts, "rand_write_time", -1, "disk_written_bytes", "100000");
    check_pass(facts, "disk/rand_write*", AUDIT_FAILING, "0.2 MiB written");
    check_pass(facts, "disk/seq_read*", AUDIT_OK, "");
    /* An agent that says that it wrote through its own page cache hides nothing. */
    set(facts->disks[2], "notes.direct", "'no: this file system keeps files in memory'");
    check_pass(facts, "disk/seq_write*", AUDIT_NOTED, "the agent says that it wrote through");
    check_pass(facts, "disk/fsync*", AUDIT_OK, "");
}

static void half_of_the_timed_reads_from_a_cache_fail(void **state) {
    struct facts *facts = *state;
    add_sections(facts);
    set_section(facts, "rand_read_time", -1, "disk_read_bytes", "500000");
    check_pass(facts, "disk/rand_read*", AUDIT_FAILING, "1.0 MiB read");
    check_pass(facts, "disk/seq_read*", AUDIT_OK, "");
    /* Others that read in one section do not make up for another. */
    set_section(facts, "rand_read_time", 0, "disk_read_bytes", "0");
    set_section(facts, "rand_read_time", 1, "disk_read_bytes", "9000000");
    check_pass(facts, "disk/rand_read*", AUDIT_FAILING, "1.0 MiB read");
    /* Dropped by the agent itself, so that a cache that answers is not its own. */
    set(facts->disks[2], "notes.direct", "'no: EINVAL'");
    check_pass(facts, "disk/rand_read*", AUDIT_FAILING, "1.0 MiB read");
}

static void counters_that_are_read_late_do_not_fail(void **state) {
    struct facts *facts = *state;
    add_sections(facts);
    set_section(facts, "seq_read_time", -1, "disk_read_bytes", "960000");
    check_pass(facts, "disk/seq_read*", AUDIT_NOTED, "1.8 MiB read");
    set_section(facts, "seq_read_time", -1, "disk_read_bytes", "700000");
    check_pass(facts, "disk/seq_read*", AUDIT_FAILING, "1.3 MiB read");
    /* Thirty milliseconds, of which ten may have passed. */
    set_section(facts, "seq_read_time", -1, "elapsed_ns", "30000000");
    check_pass(facts, "disk/seq_read*", AUDIT_NOTED, "too short to tell");
    set_section(facts, "seq_read_time", -1, "disk_read_bytes", "600000");
    check_pass(facts, "disk/seq_read*", AUDIT_FAILING, "1.1 MiB read");
    set_section(facts, "seq_read_time", -1, "elapsed_ns", "0");
    check_pass(facts, "disk/seq_read*", AUDIT_NOTED, "too short to tell");
    /* Where the agent waited for them, none is late. */
    set(facts->disks[2], "round_trip_ns", "20000");
    set_section(facts, "seq_read_time", -1, "elapsed_ns", "30000000");
    set_section(facts, "seq_read_time", -1, "disk_read_bytes", "700000");
    check_pass(facts, "disk/seq_read*", AUDIT_FAILING, "1.3 MiB read");
}

static void without_all_sections_the_request_is_judged(void **state) {
    struct facts *facts = *state;
    add_sections(facts);
    set_section(facts, "rand_write_time", 1, "disk_written_bytes", NULL);
    check_pass(facts, "disk/*write*", AUDIT_OK, "in whole requests, 3.8 MiB claimed");
    check_pass(facts, "disk/*read*", AUDIT_OK, "in whole requests, 7.6 MiB claimed");
    set(facts->disks[2], "witness.disk_read_bytes", "6000000");
    check_pass(facts, "disk/*read*", AUDIT_FAILING, "5.7 MiB read");
}

static void failing_items_take_verdicts(void **state) {
    (void)state;
    struct facts *facts = NULL;
    facts_setup((void **)&facts);
    void *scratch_state = NULL;
    scratch_setup(&scratch_state);
    struct scratch *scratch = scratch_state;
    static const char *const labels[] = {"host", "container", "vm"};
    static const char *const metrics[] = {"seq_write", "rand_write_latency_p99", "seq_read"};
    for (uint64_t block = 0; block < 8; block++)
        for (unsigned e = 0; e < 3; e++)
            for (unsigned m = 0; m < 4; m++) {
                struct sample sample = sample_of(block, labels[e], 1);
                sample.workload = m < 3 ? "disk" : "prime";
                sample.metric = m < 3 ? metrics[m] : "time";
                scratch_add(scratch, &sample);
            }
    scratch_close(scratch);
    cleanup_summary struct summary *summary = NULL;
    struct error *err = NULL;
    summary_build(scratch->path, &summary_defaults, &summary, &err);
    assert_no_error(err);
    set(facts->disks[2], "witness.disk_written_bytes", "0");
    set(facts->run, "machine.virtual_machine", "true"); /* noted: takes nothing */
    cleanup_audit struct audit *audit = examine(facts);
    audit_apply(audit, summary);
    static const enum verdict expected[] = {VERDICT_UNTRUSTWORTHY, VERDICT_UNTRUSTWORTHY,
                                            VERDICT_SAME, VERDICT_SAME};
    for (unsigned m = 0; m < 4; m++) {
        assert_int_equal(summary->metrics[m].cells[2].verdict, expected[m]);
        assert_int_equal(summary->metrics[m].cells[1].verdict, VERDICT_SAME);
    }
    assert_non_null(strstr(summary->metrics[0].cells[2].reason, "page_cache: 0.0 MiB written"));
    scratch_teardown(&scratch_state);
    facts_teardown((void **)&facts);
}

static void items_survive_json(void **state) {
    struct facts *facts = *state;
    set(facts->instances[2], "agent_sha256", "'bbbb'");
    cleanup_audit struct audit *audit = examine(facts);
    cleanup_audit struct audit *again = NULL;
    struct error *err = NULL;
    json_t *json = NULL;
    assert_int_equal(audit_to_json(audit, &json, &err), 0);
    assert_int_equal(audit_from_json(json, "summary.json", &again, &err), 0);
    assert_no_error(err);
    assert_int_equal(again->count, audit->count);
    for (size_t i = 0; i < audit->count; i++) {
        assert_string_equal(again->items[i].name, audit->items[i].name);
        assert_string_equal(again->items[i].touches, audit->items[i].touches);
        assert_string_equal(again->items[i].evidence, audit->items[i].evidence);
        assert_string_equal(again->items[i].reason, audit->items[i].reason);
        assert_int_equal(again->items[i].state, audit->items[i].state);
        assert_int_equal(again->items[i].environment == NULL, audit->items[i].environment == NULL);
    }
    assert_int_equal(audit_worst(again), AUDIT_FAILING);
    json_decref(json);
}

static void damaged_items_are_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{}", "summary.json: the audit is not an array"},
        {"[1]", "summary.json: audit item 0 is not an object"},
        {"[{'name': 'a', 'touches': '*', 'evidence': 'e', 'reason': 'r', 'state': 'fine'}]",
         "audit item 0: \"state\" is not ok"},
        {"[{'name': 'a', 'touches': '*', 'evidence': 'e', 'reason': 'r'}]", "\"state\" is not"},
        {"[{'name': 'a', 'touches': 5, 'evidence': 'e', 'reason': 'r', 'state': 'ok'}]",
         "audit item 0: \"touches\" is missing or not a text"},
        {"[{'name': 'a', 'touches': '*', 'evidence': 'e', 'reason': 'r', 'state': 'ok',"
         "  'environment': 1}]",
         "audit item 0: \"environment\" is missing"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *json = parse(cases[i].text);
        struct audit *audit = NULL;
        struct error *err = NULL;
        assert_int_equal(audit_from_json(json, "summary.json", &audit, &err), -1);
        assert_error(err, ERROR_USAGE, cases[i].message);
        assert_null(audit);
        json_decref(json);
    }
}

static void evidence_is_plain_text(void **state) {
    struct facts *facts = *state;
    set(facts->disks[1], "notes.direct", "'\\u001b[31mred\\u00e9'");
    cleanup_audit struct audit *audit = examine(facts);
    check(audit, "direct_io", "container", AUDIT_FAILING, "?[31mred??");
}

/* Every member in turn of another type, or gone: notes perhaps, but no crash. */
static void facts_of_any_type_do_no_harm(void **state) {
    (void)state;
    static const char *const odd[] = {NULL,  "null", "true", "-1", "1e300",   "''",
                                      "'x'", "[]",   "[[]]", "{}", "['a', 1]"};
    struct random_state random = random_seeded(3);
    for (unsigned round = 0; round < 3000; round++) {
        struct facts *facts = NULL;
        facts_setup((void **)&facts);
        add_sections(facts);
        json_t *at = random_below(&random, 3) ? facts->journal : facts->run;
        for (;;) { /* walk to a random place and put something else there */
            json_t *next = NULL;
            const char *value = odd[random_below(&random, sizeof(odd) / sizeof(*odd))];
            if (json_is_array(at) && json_array_size(at)) {
                size_t index = random_below(&random, json_array_size(at));
                next = json_array_get(at, index);
                if (!json_is_object(next) && !json_is_array(next)) {
                    json_array_set_new(at, index, value ? parse(value) : json_null());
                    next = NULL;
                }
            } else if (json_is_object(at) && json_object_size(at)) {
                uint64_t steps = random_below(&random, json_object_size(at));
                void *iterator = json_object_iter(at);
                while (steps-- > 0)
                    iterator = json_object_iter_next(at, iterator);
                next = json_object_iter_value(iterator);
                if ((!json_is_object(next) && !json_is_array(next)) ||
                    random_below(&random, 5) == 0) {
                    set(at, json_object_iter_key(iterator), value);
                    next = NULL;
                }
            }
            if (!json_is_object(next) && !json_is_array(next))
                break;
            at = next;
        }
        cleanup_audit struct audit *audit = examine(facts);
        json_t *json = NULL;
        struct error *err = NULL;
        audit_to_json(audit, &json, &err);
        assert_no_error(err);
        json_decref(json);
        facts_teardown((void **)&facts);
    }
}

static void nothing_recorded_is_nothing_failed(void **state) {
    (void)state;
    static const char *const runs[] = {"{}", "[]", "null",
                                       "{'environments': [{'label': 'host'}, {'label': 7}, 3]}"};
    for (unsigned i = 0; i < 4; i++) {
        json_t *run = parse(runs[i]);
        cleanup_audit struct audit *audit = NULL;
        struct error *err = NULL;
        assert_int_equal(audit_examine(run, NULL, &audit, &err), 0);
        assert_no_error(err);
        assert_true(audit_worst(audit) != AUDIT_FAILING);
        json_decref(run);
    }
}

static void every_threshold_has_a_reason(void **state) {
    (void)state;
    for (const struct audit_threshold *at = audit_thresholds; at->name; at++) {
        assert_true(at->noted < at->failing);
        assert_true(strlen(at->reason) > 40 && strlen(at->unit) > 0);
    }
}

/* docs/method.md shows the same limits and reasons, in the same order. */
static void the_thresholds_are_documented(void **state) {
    (void)state;
    const char *source = getenv("SRCDIR");
    if (!source)
        skip_because("SRCDIR is not set");
    cleanup_free char *path = text_format("%s/docs/method.md", source);
    cleanup_free char *method = NULL;
    struct error *err = NULL;
    file_read(path, &method, NULL, &err);
    assert_no_error(err);
    const char *at = method;
    for (const struct audit_threshold *limit = audit_thresholds; limit->name; limit++) {
        char failing[32] = "-";
        if (isfinite(limit->failing))
            snprintf(failing, sizeof(failing), "%.7g", limit->failing);
        cleanup_free char *row = text_format("\n| `%s` | %.7g | %s | %s | %s |\n", limit->name,
                                             limit->noted, failing, limit->unit, limit->reason);
        at = strstr(at, row);
        if (!at)
            fail_msg("not in docs/method.md, or not in this order:%s", row);
    }
}

#define facts_test(name) cmocka_unit_test_setup_teardown(name, facts_setup, facts_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        facts_test(a_fair_run_has_no_failure_and_few_notes),
        cmocka_unit_test(one_fact_changed_changes_one_item),
        facts_test(emulation_is_a_note),
        facts_test(an_emulating_kvm_by_its_name_is_a_note),
        facts_test(emulation_that_is_called_kvm_fails),
        facts_test(whole_work_tells_emulation),
        facts_test(a_neighbour_of_the_disk_is_seen),
        facts_test(a_quota_of_its_own_is_a_note),
        facts_test(short_requests_do_not_tell_of_clocks),
        facts_test(the_way_of_the_lines_is_no_wrong_clock),
        facts_test(no_direct_io_anywhere_is_a_note),
        facts_test(clocks_that_go_wrong_are_caught),
        facts_test(one_long_delay_is_no_wrong_clock),
        facts_test(a_drift_in_every_instance_fails),
        facts_test(little_steal_time_is_not_counted_in_ticks),
        facts_test(one_odd_instance_of_many_does_not_fail),
        facts_test(each_timed_pass_reaches_the_disk),
        facts_test(writes_that_stay_in_memory_until_they_are_flushed_fail),
        facts_test(half_of_the_timed_reads_from_a_cache_fail),
        facts_test(counters_that_are_read_late_do_not_fail),
        facts_test(without_all_sections_the_request_is_judged),
        cmocka_unit_test(failing_items_take_verdicts),
        facts_test(items_survive_json),
        cmocka_unit_test(damaged_items_are_named),
        facts_test(evidence_is_plain_text),
        cmocka_unit_test(facts_of_any_type_do_no_harm),
        cmocka_unit_test(nothing_recorded_is_nothing_failed),
        cmocka_unit_test(every_threshold_has_a_reason),
        cmocka_unit_test(the_thresholds_are_documented),
    };
    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
