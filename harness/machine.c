// SPDX-License-Identifier: GPL-3.0-or-later
#include "harness/machine.h"

#include "bench/protocol.h"
#include "common/file.h"
#include "common/text.h"

#include <dirent.h>
#include <hwloc.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

static void set_text(json_t *facts, const char *key, const char *text) {
    if (text && *text)
        json_object_set_new(facts, key, json_string(text));
}

static void set_line(json_t *facts, const char *key, const char *path) {
    cleanup_free char *line = file_read_line(path);
    set_text(facts, key, line);
}

/* The value of the first "KEY : VALUE" or "KEY=VALUE" line of a text, malloc'ed; NULL if none. */
static char *line_value(const char *text, const char *key, char separator) {
    size_t key_length = strlen(key);
    for (const char *line = text; line && *line; line = text_after(line, '\n')) {
        if (strncmp(line, key, key_length) != 0)
            continue;
        const char *value = line + key_length + strspn(line + key_length, " \t");
        if (*value != separator)
            continue;
        value += 1 + strspn(value + 1, " \t\"");
        return strndup(value, strcspn(value, "\"\n"));
    }
    return NULL;
}

static void set_value(json_t *facts, const char *key, const char *text, const char *name,
                      char separator) {
    cleanup_free char *value = text ? line_value(text, name, separator) : NULL;
    set_text(facts, key, value);
}

static void add_system(json_t *facts) {
    struct utsname name;
    if (uname(&name) == 0) {
        set_text(facts, "kernel", name.release);
        set_text(facts, "kernel_version", name.version);
        set_text(facts, "architecture", name.machine);
    }
    cleanup_free char *release = NULL;
    if (file_read("/etc/os-release", &release, NULL, NULL) == 0)
        set_value(facts, "distribution", release, "PRETTY_NAME", '=');
    set_line(facts, "kernel_command_line", "/proc/cmdline");
    set_line(facts, "load_average", "/proc/loadavg");
    json_object_set_new(facts, "uid", json_integer(getuid()));
}

char *machine_governor(const char *folder, const struct envelope *envelope) {
    char *all = NULL;
    for (unsigned i = 0; i < (envelope ? envelope->cpu_count : 1); i++) {
        cleanup_free char *path = text_format("%s/cpu%u/cpufreq/scaling_governor", folder,
                                              envelope ? envelope->cpus[i] : 0);
        cleanup_free char *own = path ? file_read_line(path) : NULL;
        if (!own || !*own || (all && strstr(all, own)))
            continue;
        char *longer = text_format("%s%s%s", all ? all : "", all ? " and " : "", own);
        free(all);
        all = longer;
    }
    return all;
}

static void set_advice(json_t *list, const char *what, const char *command) {
    json_array_append_new(list, json_pack("{s:s, s:s}", "what", what, "command", command));
}

void machine_advise(const json_t *machine, json_t *list) {
    const char *governor = json_string_value(json_object_get(machine, "governor"));
    const char *no_turbo = json_string_value(json_object_get(machine, "intel_no_turbo"));
    const char *boost = json_string_value(json_object_get(machine, "boost"));
    static const char turbo[] = "turbo is on: the frequency depends on heat";
    if (governor && strcmp(governor, "performance") != 0)
        set_advice(list, "the CPU frequency governor is not performance",
                   "cpupower frequency-set -g performance");
    if (no_turbo && strcmp(no_turbo, "0") == 0)
        set_advice(list, turbo, "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo");
    else if (boost && strcmp(boost, "1") == 0)
        set_advice(list, turbo, "echo 0 > /sys/devices/system/cpu/cpufreq/boost");
    if (json_integer_value(json_object_get(machine, "swap_bytes")) > 0)
        set_advice(list, "swap is on: memory figures may be of the disk", "swapoff -a");
}

static void add_cpu(json_t *facts, const struct envelope *envelope) {
    cleanup_free char *cpuinfo = NULL;
    if (file_read("/proc/cpuinfo", &cpuinfo, NULL, NULL) == 0) {
        set_value(facts, "cpu_model", cpuinfo, "model name", ':');
        set_value(facts, "cpu_flags", cpuinfo, "flags", ':');
        set_value(facts, "cpu_mhz", cpuinfo, "cpu MHz", ':');
        set_value(facts, "microcode", cpuinfo, "microcode", ':');
    }
    json_object_set_new(facts, "cpus_online", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    cleanup_free char *governor = machine_governor("/sys/devices/system/cpu", envelope);
    set_text(facts, "governor", governor);
    set_line(facts, "frequency_driver", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver");
    set_line(facts, "frequency_max_khz", "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
    set_line(facts, "intel_no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo");
    set_line(facts, "boost", "/sys/devices/system/cpu/cpufreq/boost");
    set_line(facts, "smt", "/sys/devices/system/cpu/smt/control");
    set_line(facts, "clock_source",
             "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    uint64_t cache_bytes = host_last_level_cache_bytes();
    if (cache_bytes)
        json_object_set_new(facts, "last_level_cache_bytes", json_integer((json_int_t)cache_bytes));
}

static void add_mitigations(json_t *facts) {
    static const char folder[] = "/sys/devices/system/cpu/vulnerabilities";
    cleanup_dir DIR *dir = opendir(folder);
    json_t *mitigations = dir ? json_object() : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        cleanup_free char *path = text_format("%s/%s", folder, entry->d_name);
        if (path && entry->d_name[0] != '.')
            set_line(mitigations, entry->d_name, path);
    }
    if (mitigations)
        json_object_set_new(facts, "mitigations", mitigations);
}

static void add_memory(json_t *facts) {
    cleanup_free char *meminfo = NULL;
    static const char *const keys[][2] = {{"MemTotal", "memory_bytes"},
                                          {"MemAvailable", "memory_available_bytes"},
                                          {"SwapTotal", "swap_bytes"},
                                          {"HugePages_Total", "huge_pages"}};
    if (file_read("/proc/meminfo", &meminfo, NULL, NULL) == 0)
        for (unsigned i = 0; i < 4; i++) {
            cleanup_free char *value = line_value(meminfo, keys[i][0], ':');
            if (value)
                json_object_set_new(facts, keys[i][1],
                                    json_integer(atoll(value) * (i < 3 ? 1024 : 1)));
        }
    set_line(facts, "transparent_huge_pages", "/sys/kernel/mm/transparent_hugepage/enabled");
    set_line(facts, "numa_balancing", "/proc/sys/kernel/numa_balancing");
}

/* "KVM", "Xen", ... when this machine is itself virtual; "" on the metal. */
static void add_virtualisation(json_t *facts) {
    const char *flags = json_string_value(json_object_get(facts, "cpu_flags"));
    bool is_virtual = flags && strstr(flags, " hypervisor");
    json_object_set_new(facts, "virtual_machine", json_boolean(is_virtual));
    set_line(facts, "product", "/sys/class/dmi/id/product_name");
    set_line(facts, "hypervisor", "/sys/hypervisor/type");
}

static void add_own_state(json_t *facts) {
    cleanup_free char *status = NULL;
    if (file_read("/proc/self/status", &status, NULL, NULL) < 0)
        return;
    set_value(facts, "speculation_store_bypass", status, "Speculation_Store_Bypass", ':');
    set_value(facts, "seccomp", status, "Seccomp", ':');
}

int machine_facts(const struct envelope *envelope, json_t **ret_facts, struct error **err) {
    json_t *facts = json_object();
    if (!facts)
        return error_no_memory(err);
    add_system(facts);
    add_cpu(facts, envelope);
    add_mitigations(facts);
    add_memory(facts);
    add_virtualisation(facts);
    add_own_state(facts);
    if (envelope)
        json_object_set_new(facts, "envelope",
                            json_pack("{s:s, s:s, s:i, s:I}", "cpus", envelope->cpu_list, "nodes",
                                      envelope->node_list, "cpu_count", (int)envelope->cpu_count,
                                      "memory_bytes", (json_int_t)envelope->memory_bytes));
    *ret_facts = facts;
    return 0;
}

int machine_write_topology(const char *path, struct error **err) {
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology) < 0)
        return error_set(err, ERROR_INTERNAL, errno, "cannot read the machine's topology");
    int result = 0;
    if (hwloc_topology_load(topology) < 0 || hwloc_topology_export_xml(topology, path, 0) < 0)
        result = error_set(err, ERROR_INTERNAL, errno, "cannot write %s", path);
    hwloc_topology_destroy(topology);
    return result;
}
