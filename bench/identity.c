// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/identity.h"

#include "common/file.h"
#include "common/text.h"

#include <dirent.h>
#include <sched.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static void set_text(json_t *facts, const char *key, const char *text) {
    if (text)
        json_object_set_new(facts, key, json_stringn_nocheck(text, strlen(text)));
}

/* The text after "KEY" and a colon on the first such line of a /proc file, copied; or NULL. */
static char *colon_value(const char *text, const char *key) {
    size_t key_length = strlen(key);
    for (const char *line = text; line && *line; line = text_after(line, '\n')) {
        if (strncmp(line, key, key_length) != 0)
            continue;
        const char *value = line + key_length + strspn(line + key_length, " \t");
        if (*value != ':')
            continue;
        value += 1 + strspn(value + 1, " \t");
        return strndup(value, strcspn(value, "\n"));
    }
    return NULL;
}

static void add_from_file(json_t *facts, const char *path, const char *const keys[][2]) {
    cleanup_free char *text = NULL;
    if (file_read(path, &text, NULL, NULL) < 0)
        return;
    for (; (*keys)[0]; keys++) {
        cleanup_free char *value = colon_value(text, (*keys)[0]);
        set_text(facts, (*keys)[1], value);
    }
}

static void add_line(json_t *facts, const char *key, const char *path) {
    cleanup_free char *line = file_read_line(path);
    set_text(facts, key, line);
}

static void add_mitigations(json_t *facts) {
    static const char folder[] = "/sys/devices/system/cpu/vulnerabilities";
    cleanup_dir DIR *dir = opendir(folder);
    if (!dir)
        return;
    json_t *mitigations = json_object();
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        cleanup_free char *path = text_format("%s/%s", folder, entry->d_name);
        if (path)
            add_line(mitigations, entry->d_name, path);
    }
    json_object_set_new(facts, "mitigations", mitigations);
}

static void add_sizes(json_t *facts) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
        json_object_set_new(facts, "cpus", json_integer(CPU_COUNT(&allowed)));
    json_object_set_new(facts, "cpus_online", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    struct sysinfo info;
    if (sysinfo(&info) == 0)
        json_object_set_new(facts, "memory_bytes",
                            json_integer((json_int_t)(info.totalram * info.mem_unit)));
    json_object_set_new(facts, "pid", json_integer(getpid()));
    json_object_set_new(facts, "uid", json_integer(getuid()));
}

int identity_collect(struct message *message, struct error **err) {
    static const char *const cpu_keys[][2] = {
        {"model name", "cpu_model"}, {"flags", "cpu_flags"}, {"cpu MHz", "cpu_mhz"}, {NULL, NULL}};
    static const char *const status_keys[][2] = {
        {"Seccomp", "seccomp"},
        {"Speculation_Store_Bypass", "speculation_store_bypass"},
        {"SpeculationIndirectBranch", "speculation_indirect_branch"},
        {"NoNewPrivs", "no_new_privs"},
        {"CapEff", "capabilities"},
        {"Cpus_allowed_list", "cpus_allowed"},
        {"Mems_allowed_list", "nodes_allowed"},
        {NULL, NULL}};
    if (file_sha256("/proc/self/exe", message->text, err) < 0)
        return error_wrap(err, "cannot identify the agent");
    json_t *facts = json_object();
    if (!facts)
        return error_no_memory(err);
    struct utsname name;
    if (uname(&name) == 0) {
        set_text(facts, "kernel", name.release);
        set_text(facts, "kernel_version", name.version);
        set_text(facts, "architecture", name.machine);
        set_text(facts, "hostname", name.nodename);
    }
    add_sizes(facts);
    add_from_file(facts, "/proc/cpuinfo", cpu_keys);
    add_from_file(facts, "/proc/self/status", status_keys);
    add_line(facts, "clock_source",
             "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    add_line(facts, "transparent_huge_pages", "/sys/kernel/mm/transparent_hugepage/enabled");
    add_mitigations(facts);
    message->object = facts;
    return 0;
}
